// Looks how far a payment is, more and more rarely, and shows the page anew once that has changed. Without it, it is loaded again by itself.

const page = document.querySelector("[data-purchase]");
const SLOWEST = 60000;
const look = async (wait) => {
  const answer = await fetch(page.dataset.purchase, { headers: { accept: "application/json" } }).catch(() => null);
  const { state } = answer?.ok ? await answer.json() : page.dataset;
  if (state !== page.dataset.state) location.reload();
  else setTimeout(look, wait, Math.min(wait * 1.3, SLOWEST));
};
look(1500);
