// The studio with scripts: live frames, a reference by drop or paste, deletion with a question, Ctrl+Enter.

const rack = document.querySelector("[data-rack]");
const wrong = rack.querySelector("[data-wrong]");
const say = (words) => { wrong.textContent = words; wrong.hidden = !words; };

rack.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); rack.requestSubmit(); }
});
rack.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = rack.querySelector("button.lamp");
  button.disabled = true;
  say("");
  const form = new FormData(rack);
  form.delete("picture");
  const answer = await fetch(rack.action, { method: "POST", body: form, headers: { Accept: "application/json" } }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  if (answer?.ok) {
    sessionStorage.setItem("prompt", form.get("prompt"));
    location.assign("/studio");
  } else {
    button.disabled = false;
    say(body?.error ?? rack.dataset.lost);
  }
});
// The prompt stays in this tab while pictures develop, and nowhere else.
const prompt = rack.querySelector("#prompt");
if (!prompt.value) prompt.value = sessionStorage.getItem("prompt") ?? "";
prompt.addEventListener("input", () => sessionStorage.setItem("prompt", prompt.value));

const drop = document.querySelector("[data-drop]");
const reference = drop.querySelector("[data-reference]");
const referenced = drop.querySelector("[data-referenced]");
const upload = async (file) => {
  if (!file?.type.startsWith("image/")) return;
  say("");
  const form = new FormData();
  form.append("picture", file);
  const answer = await fetch("/studio/references", { method: "POST", body: form, headers: { Accept: "application/json" } }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  if (!answer?.ok) return say(body?.error ?? rack.dataset.lost);
  reference.value = body.id;
  referenced.querySelector("img").src = body.thumbnail_url;
  referenced.hidden = false;
};
drop.querySelector("input[type=file]").addEventListener("change", (event) => upload(event.target.files[0]));
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); upload(event.dataTransfer.files[0]); });
addEventListener("paste", (event) => upload([...event.clipboardData.files][0]));
drop.querySelector("[data-unreference]").addEventListener("click", () => {
  reference.value = "";
  referenced.hidden = true;
  drop.querySelector("input[type=file]").value = "";
});

const RETRY_MILLIS = 2000;
const table = document.querySelector("[data-developing]");
let open = table?.querySelectorAll("[data-job]").length ?? 0;
const watch = (frame) => {
  const status = frame.querySelector("[data-status]");
  const face = frame.querySelector("[data-face]");
  const bar = frame.querySelector("progress");
  const events = new EventSource(`/studio/generations/${frame.dataset.job}/events`);
  const end = () => { events.close(); open -= 1; if (open === 0) location.reload(); };
  events.addEventListener("state", ({ data }) => {
    const state = JSON.parse(data);
    status.textContent = state.status === "queued" ? `${table.dataset.queued} · ${state.position}` : table.dataset.drawing;
    if (state.steps) { bar.max = state.steps; bar.value = state.step; }
    if (state.preview) {
      const picture = face.querySelector("img") ?? face.insertBefore(new Image(), status);
      picture.alt = "";
      picture.src = state.preview;
    }
  });
  events.addEventListener("signed-out", () => { events.close(); location.reload(); });
  events.addEventListener("done", end);
  events.addEventListener("failed", ({ data }) => {
    status.textContent = `${table.dataset.failed}. ${JSON.parse(data).message} ${table.dataset.returned}`;
    end();
  });
  events.onerror = () => {
    status.textContent = table.dataset.reconnecting;
    // The browser tries again by itself after a lost connection, but not after an answer that is no stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => watch(frame), RETRY_MILLIS);
  };
};
table?.querySelectorAll("[data-job]").forEach(watch);

// Choosing: the bar is shown only while something is chosen, and compares only two.
const bar = document.querySelector("[data-chosen]");
const picks = () => [...document.querySelectorAll("[data-pick]:checked")];
const weigh = () => {
  if (!bar) return;
  const pictured = picks().filter((pick) => pick.closest("[data-print]").querySelector("img"));
  bar.querySelector("[data-compare]").disabled = picks().length !== 2 || pictured.length !== 2;
  bar.querySelector("[data-delete-chosen]").disabled = picks().length === 0;
};
document.addEventListener("change", (event) => event.target.matches("[data-pick]") && weigh());
addEventListener("pageshow", weigh);

// Receipts of what was deleted on this page, to be saved while it is open.
const keepReceipt = (text) => {
  const list = document.querySelector("[data-receipts]");
  const item = list.querySelector("template").content.cloneNode(true);
  item.querySelector("a").href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  item.querySelector("time").textContent = text.match(/^erased (.*)$/m)[1];
  list.hidden = false;
  list.querySelector("ul").append(item);
};

const dialog = document.querySelector("#delete");
let asked = null;
addEventListener("click", (event) => {
  const link = event.target.closest("[data-delete]");
  if (!link) return;
  event.preventDefault();
  asked = link.closest("[data-print]");
  dialog.querySelector("[data-going]").replaceChildren(...[asked.querySelector("img")].filter(Boolean).map((image) => image.cloneNode()));
  dialog.querySelector("[data-delete-download]").hidden = !asked.querySelector("[data-download]");
  dialog.querySelector("[data-delete-download]").href = `/g/${link.dataset.delete}/download`;
  dialog.showModal();
});
dialog.querySelector("[data-delete-form]").addEventListener("submit", async (event) => {
  if (event.submitter?.value === "keep") return;
  event.preventDefault();
  const frame = asked;
  const body = new URLSearchParams({ id: frame.dataset.print, sure: "yes" });
  const answer = await fetch(event.target.getAttribute("action"), { method: "POST", body, headers: { accept: "application/json" } }).catch(() => null);
  dialog.close();
  if (answer?.ok) {
    const { receipts } = await answer.json();
    receipts.forEach(keepReceipt);
    const list = frame.parentElement;
    const next = frame.nextElementSibling ?? frame.previousElementSibling;
    frame.remove();
    weigh();
    if (!list.children.length) {
      list.previousElementSibling.remove();
      list.remove();
    }
    next?.querySelector("a")?.focus();
  }
});
