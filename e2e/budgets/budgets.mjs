// Weights of pages against their budgets: node e2e/budgets/budgets.mjs BASE. One `name value limit` a line; 1 when one is over.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { chromium } from "playwright-core";
import { lighthousePages } from "./lighthouse.mjs";

const [base] = process.argv.slice(2);
if (!base) {
  console.error("usage: node e2e/budgets/budgets.mjs BASE");
  process.exit(2);
}
const KB = 1000;
const SHEETS = 42; // 2,016 frames
const TURNS_MAX = 240;
const metrics = await readFile(join(dirname(createRequire(import.meta.url).resolve("web-vitals")), "web-vitals.iife.js"), "utf8");

/** A port that nobody uses, for the debugger. */
const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const port = await freePort();
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", `--remote-debugging-port=${port}`] });
let over = 0;
const report = (name, value, limit, unit) => {
  const wrong = !(value <= limit);
  if (wrong) over += 1;
  console.log(`${wrong ? "OVER " : ""}${name} ${Math.round(value * 1000) / 1000} of ${limit} ${unit}`);
};

/** The first view of a page in a fresh browser: what was asked for and how heavy it is. */
const firstView = async (path, width) => {
  const context = await browser.newContext({ baseURL: base, viewport: { width, height: 844 } });
  const page = await context.newPage();
  const answers = [];
  page.on("response", (answer) => answers.push(answer));
  await page.addInitScript({ content: `${metrics}
    globalThis.vitals = {};
    for (const name of ["onLCP", "onCLS", "onFCP"]) webVitals[name](({ name: key, value }) => { vitals[key] = value; }, { reportAllChanges: true });` });
  await page.goto(path, { waitUntil: "networkidle" });
  const weights = { script: 0, style: 0, font: 0, document: 0, image: 0 };
  let foreign = 0;
  for (const answer of answers) {
    if (!answer.url().startsWith(base)) foreign += 1;
    const type = { stylesheet: "style" }[answer.request().resourceType()] ?? answer.request().resourceType();
    const body = await answer.body().catch(() => Buffer.alloc(0));
    weights[type] = (weights[type] ?? 0) + (["script", "style", "document"].includes(type) ? brotliCompressSync(body).length : body.length);
  }
  const vitals = await page.evaluate(() => ({ ...globalThis.vitals }));
  return { page, context, weights, requests: answers.length, foreign, vitals };
};

for (const width of [390, 1440]) {
  const view = await firstView("/", width);
  const at = `gallery ${width} px:`;
  report(`${at} script`, view.weights.script / KB, 24, "KB brotli");
  report(`${at} style`, view.weights.style / KB, 12, "KB brotli");
  report(`${at} fonts`, view.weights.font / KB, 60, "KB");
  report(`${at} HTML`, view.weights.document / KB, 14, "KB brotli");
  report(`${at} thumbnails of the first view`, view.weights.image / KB, 600, "KB");
  report(`${at} requests of the first view`, view.requests, 45, "");
  report(`${at} foreign requests`, view.foreign, 0, "");
  report(`${at} largest contentful paint`, (view.vitals.LCP ?? NaN) / 1000, 2, "s, unthrottled");
  report(`${at} layout shift`, view.vitals.CLS ?? NaN, 0.02, "");
  // Everything is scrolled through, then a frame is focused: the slowest answer to a key.
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    await view.page.mouse.wheel(0, 2400);
    await view.page.waitForLoadState("networkidle");
    if (await view.page.locator("[data-sheet]").count() >= SHEETS || !(await view.page.locator("[data-next]").count())) break;
  }
  console.log(`${at} ${await view.page.locator("[data-sheet]").count()} sheets were scrolled through`);
  const slowest = await view.page.evaluate(async () => {
    let worst = 0;
    for (const key of ["j", "j", "k", "?", "Escape"]) {
      const began = performance.now();
      (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      worst = Math.max(worst, performance.now() - began);
    }
    return worst;
  });
  report(`${at} slowest key after scrolling`, slowest, 100, "ms");
  await view.context.close();
}
const page = await browser.newPage();
await page.goto(base);
const artwork = new URL(await page.locator(".frame a").first().getAttribute("href"), base).pathname;
await page.close();
await lighthousePages(base, port, ["/", "/?q=fox", artwork, "/sign-in", "/transparency"], (name, score, least) => {
  if (score < least) over += 1;
  console.log(`${score < least ? "UNDER " : ""}${name} ${score}, at least ${least}`);
});
await browser.close();
process.exit(over ? 1 : 0);
