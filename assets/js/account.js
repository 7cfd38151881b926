// The account page with scripts: how far an export is, while the browser downloads it. Without them the download is the same.

// How often nothing is under way before it is believed: before anything was seen, when a small export is over already, and after.
const IDLE_MAX = 4;
const BROKEN_MAX = 20;
const start = document.querySelector("[data-export-start]");
const state = document.querySelector("[data-export-state]");
const bar = state.querySelector("progress");
const words = state.querySelector("[data-export-words]");
const say = (text, packed) => {
  words.textContent = packed?.of ? `${text} · ${packed.packed} / ${packed.of}` : text;
  if (packed?.of) { bar.max = packed.of; bar.value = packed.packed; }
};

let events = null;
const watch = () => {
  events?.close();
  state.hidden = false;
  bar.removeAttribute("value");
  say(state.dataset.preparing);
  events = new EventSource("/account/export/events");
  // The page may ask before the download does, and a download that broke off may go on: both are waited for a while.
  let idle = 0;
  const stop = () => events.close();
  events.addEventListener("state", ({ data }) => { idle = 0; const packed = JSON.parse(data); say(packed.of ? state.dataset.packed : state.dataset.preparing, packed); });
  events.addEventListener("done", ({ data }) => { say(state.dataset.done, JSON.parse(data)); bar.value = bar.max; stop(); });
  events.addEventListener("cut", ({ data }) => say(state.dataset.cut, JSON.parse(data)));
  events.addEventListener("idle", () => { idle += 1; const seen = bar.hasAttribute("value"); if (idle > (seen ? BROKEN_MAX : IDLE_MAX)) { stop(); state.hidden = !seen; } });
};
start.addEventListener("click", watch);
