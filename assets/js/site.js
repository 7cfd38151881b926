// What every page does with scripts: keyboard, copying, and sheets that load as one scrolls. Without them all still works.

const keysOff = document.querySelector("[data-keys-off]");
keysOff.checked = localStorage.getItem("keys") === "off";
keysOff.addEventListener("change", () => localStorage.setItem("keys", keysOff.checked ? "off" : "on"));

const help = document.querySelector("#help");
const helpButton = document.querySelector("[data-help]");
helpButton.hidden = false;
helpButton.addEventListener("click", () => help.showModal());

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const words = button.textContent;
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = words; }, 1600);
  });
}

// A glimpse of each picture stands in its frame until it has loaded; frames further down are left alone until they come near.
const decoder = import("./thumbhash.js").catch(() => ({}));
const glimpse = async (frame) => {
  const { thumbHashToRGBA } = await decoder;
  const image = frame.querySelector("img");
  if (!image || image.complete || !thumbHashToRGBA) return;
  const { w, h, rgba } = thumbHashToRGBA(Uint8Array.from(atob(frame.dataset.glimpse), (letter) => letter.charCodeAt(0)));
  const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(rgba), w, h), 0, 0);
  frame.prepend(canvas);
  image.addEventListener("load", () => canvas.remove(), { once: true });
};
const watchFrames = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) { watchFrames.unobserve(target); glimpse(target); }
}, { rootMargin: "300px" });
const glimpses = (below) => below.querySelectorAll("[data-glimpse]").forEach((frame) => watchFrames.observe(frame));
glimpses(document);

// Closing a picture leads back to the page of this site that it was opened from; where there is none, to the gallery.
document.querySelector("[data-shut]")?.addEventListener("click", (event) => {
  if (globalThis.navigation?.entries().some((entry) => entry.index === navigation.currentEntry.index - 1)) { event.preventDefault(); history.back(); }
});

const frames = () => [...document.querySelectorAll(".frame > a, .print > a.face")];
const move = (step) => {
  const all = frames();
  // Where none is in focus, one begins with the first in sight.
  const at = all.includes(document.activeElement) ? all.indexOf(document.activeElement) : all.findIndex((frame) => frame.getBoundingClientRect().top >= 0) - step;
  all[Math.max(0, Math.min(all.length - 1, at + step))]?.focus();
};
// In the studio a key means the picture in focus; elsewhere there is only one.
const press = (selector) => (document.activeElement.closest("[data-print]") ?? document).querySelector(selector)?.click();
const keys = {
  "/": () => document.querySelector("[data-search]").focus(),
  j: () => move(1), ArrowRight: () => frames().includes(document.activeElement) && move(1),
  k: () => move(-1), ArrowLeft: () => frames().includes(document.activeElement) && move(-1),
  c: () => press("[data-copy]"),
  u: () => press("[data-use]"),
  s: () => document.querySelector("#similar")?.scrollIntoView(),
  d: () => press("[data-download]"),
  x: () => document.activeElement.closest("[data-print]")?.querySelector("[data-pick]").click(),
  v: () => document.querySelector("[data-compare]:enabled")?.click(),
  Delete: () => (document.querySelector("[data-pick]:checked") ? document.querySelector("[data-delete-chosen]").click() : document.activeElement.closest("[data-print]")?.querySelector("[data-delete]").click()),
  "?": () => help.showModal(),
  Escape: () => document.querySelector("[data-shut]")?.click(),
};
addEventListener("keydown", (event) => {
  const inField = event.target.closest("input, textarea, select, dialog");
  if (inField || event.ctrlKey || event.metaKey || event.altKey || keysOff.checked) return;
  const act = keys[event.key];
  if (act) { if (event.key === "/") event.preventDefault(); act(); }
});

// Sheets: the link to the next one is followed when it comes near; sheets far away give their frames back.
const SHEETS_NEAR = "1400px";
const sheets = document.querySelector("[data-sheets]");
if (sheets) {
  const parked = new Map();
  const watchSheets = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const list = target.querySelector(".sheet");
      if (isIntersecting && parked.has(target)) {
        list.append(...parked.get(target));
        list.style.removeProperty("height");
        parked.delete(target);
      } else if (!isIntersecting && !parked.has(target) && boundingClientRect.height > 0) {
        list.style.height = `${list.offsetHeight}px`;
        parked.set(target, [...list.children]);
        list.replaceChildren();
      }
    }
  }, { rootMargin: "3000px" });
  for (const sheet of sheets.children) watchSheets.observe(sheet);

  const link = document.querySelector("[data-next]");
  const follow = async () => {
    const answer = await fetch(link.href).catch(() => null);
    if (!answer?.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const sheet = next.querySelector("[data-sheet]");
    if (sheet) { sheets.append(sheet); glimpses(sheet); watchSheets.observe(sheet); }
    const further = next.querySelector("[data-next]");
    if (further) link.href = further.getAttribute("href"); else link.remove();
  };
  // Coming back from a picture, the sheets that were open are opened again, and one is where one was.
  const restore = async ({ sheets: open, y }) => {
    history.scrollRestoration = "manual";
    for (let before = 0; link?.isConnected && before < sheets.children.length && sheets.children.length < open;) {
      before = sheets.children.length;
      await follow();
    }
    scrollTo(0, y);
  };
  if (history.state?.sheets > 1) await restore(history.state);
  addEventListener("scrollend", () => history.replaceState({ sheets: sheets.children.length, y: scrollY }, ""));
  const watchNext = new IntersectionObserver(async ([entry]) => {
    if (!entry.isIntersecting) return;
    watchNext.unobserve(link);
    await follow();
    if (link.isConnected) watchNext.observe(link);
  }, { rootMargin: SHEETS_NEAR });
  if (link?.isConnected) watchNext.observe(link);
}
