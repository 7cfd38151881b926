// Screenshots of every page, for people to look at: node e2e/shots.mjs OUT BASE MAIL_FOLDER [ONLY]
// at 390 and 1440 px, light and dark, in three languages. BASE is a server with `--mail dir:MAIL_FOLDER`.
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { chromium } from "playwright-core";

const [out, base, mail, only = ""] = process.argv.slice(2);
if (!mail) {
  console.error("usage: node e2e/shots.mjs OUT BASE MAIL_FOLDER [ONLY]");
  process.exit(2);
}
const MAIL_TRIES = 50;
const MAIL_MILLIS = 100;
const PROMPTS = ["a red fox in a snowy forest at night", "a sailboat on the sea at sunset", "a castle on a hill"];
const pages = [
  ["gallery", "/"],
  ["filtered", "/?sort=likes&ratio=portrait"],
  ["found", "/?q=fox"],
  ["nothing", "/?q=zzqxj%20wvkpt"],
  ["artwork", null],
  ["sign-in", "/sign-in"],
  ["transparency", "/transparency"],
  ["lost", "/nowhere"],
];
const membersPages = [["studio", "/studio"], ["account", "/account"]];

await mkdir(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

const newestMail = async () => {
  const names = (await readdir(mail)).filter((name) => name.endsWith(".eml")).sort();
  return names.length ? readFile(join(mail, names.at(-1)), "utf8") : "";
};

/** A member with pictures; the state of the browser that is signed in. */
const member = async () => {
  const context = await browser.newContext({ baseURL: base });
  const page = await context.newPage();
  const before = await newestMail();
  await page.goto("/sign-in");
  await page.locator("input[name=address]").fill(`shots-${Date.now()}@example.org`);
  await page.locator("main button").click();
  await page.locator("input[name=code]").waitFor();
  let text = before;
  for (let tries = 0; text === before && tries < MAIL_TRIES; tries += 1) {
    await delay(MAIL_MILLIS);
    text = await newestMail();
  }
  await page.locator("input[name=code]").fill(text.match(/(\d{4}) (\d{4})/).slice(1).join(""));
  await page.locator("main button").click();
  await page.waitForURL(/\/(studio|account|$)/);
  const empty = await context.storageState();
  for (const prompt of PROMPTS) {
    await page.goto("/studio");
    await page.locator("#prompt").fill(prompt);
    const prints = await page.locator("[data-print]").count();
    await page.locator("[data-rack] button.lamp").click();
    await page.locator("[data-print]").nth(prints).waitFor({ timeout: 60_000 });
  }
  await context.close();
  return empty;
};

const state = await member();
for (const width of [390, 1440]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const locale of ["en", "zh-CN", "ja"]) {
      const context = await browser.newContext({ baseURL: base, viewport: { width, height: width === 390 ? 844 : 900 }, colorScheme, locale, storageState: state, deviceScaleFactor: 1 });
      const page = await context.newPage();
      for (const [name, path] of [...pages, ...membersPages]) {
        if (!name.includes(only)) continue;
        if (path) await page.goto(path);
        else {
          await page.goto("/");
          await page.goto(await page.locator(".frame a").nth(2).getAttribute("href"));
        }
        await page.waitForLoadState("networkidle", { timeout: 10_000 }).catch(() => {});
        await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}-${locale}.png`), fullPage: name !== "gallery" && name !== "transparency" });
      }
      await context.close();
    }
  }
}
await browser.close();
