// How far the mail with the code is, while the page that asks for it is open. Without scripts it is said when the page is loaded.

const line = document.querySelector("[data-mail]");
const events = new EventSource(line.dataset.mail);
events.addEventListener("mail", ({ data }) => {
  const { state, words } = JSON.parse(data);
  line.dataset.state = state;
  line.textContent = words;
  if (state !== "waiting") events.close();
});
