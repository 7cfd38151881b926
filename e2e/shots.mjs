// Screenshots of every page, for people to look at: node e2e/shots.mjs OUT BASE MAIL_FOLDER [ONLY]
// at 390 and 1440 px, light and dark, in three languages. BASE is a server with `--mail dir:MAIL_FOLDER`.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mailbox, openBrowser, pick, signIn } from "./house.mjs";

const [out, base, mail, only = ""] = process.argv.slice(2);
if (!mail) {
  console.error("usage: node e2e/shots.mjs OUT BASE MAIL_FOLDER [ONLY]");
  process.exit(2);
}
const DEVELOP_MILLIS = 60_000;
const PROMPTS = ["a red fox in a snowy forest at night", "a sailboat on the sea at sunset", "a castle on a hill", "a heron on a pier", "a lake at dawn", "three penguins", "a cup of coffee"];
const LANGUAGES = ["en", "zh-CN", "ja"];

await mkdir(out, { recursive: true });
const browser = await openBrowser();
const code = mailbox(mail);

/** A member with pictures of these prompts; the state of the browser that is signed in. */
const member = async (prompts) => {
  const context = await browser.newContext({ baseURL: base });
  const page = await context.newPage();
  await signIn(page, code, `shots-${Date.now()}`);
  for (const prompt of prompts) {
    await page.locator("#prompt").fill(prompt);
    const prints = await page.locator("[data-print]").count();
    await page.locator("[data-rack] button.lamp").click();
    await page.locator("[data-print]").nth(prints).waitFor({ timeout: DEVELOP_MILLIS });
  }
  const state = await context.storageState();
  await context.close();
  return state;
};

const at = (path) => (page) => page.goto(path);
const picture = (n) => async (page) => {
  await page.goto("/");
  await page.goto(await page.locator(".frame a").nth(n).getAttribute("href"));
};
const choose = async (page, count) => {
  await page.goto("/studio");
  for (let n = 0; n < count; n += 1) await page.locator("[data-pick]").nth(n).check();
};
/** Starts four large pictures and comes back while they wait; they are cancelled after the picture is taken. */
const develop = async (page) => {
  await page.goto("/studio");
  await page.locator("#prompt").fill("a harbour at dusk");
  await pick(page, "resolution", "4K");
  await pick(page, "count", 4);
  await page.locator("[data-rack] button.lamp").click();
  await page.locator("[data-job] img").first().waitFor({ timeout: DEVELOP_MILLIS });
};
/** The page comes again by itself once none of them develops any more. */
const cancel = async (page) => {
  const jobs = await page.locator("[data-job]").evaluateAll((all) => all.map((job) => job.dataset.job));
  for (const job of jobs) await page.request.post(`/studio/generations/${job}/cancel`, { headers: { origin: base } });
  await page.locator("[data-job]").first().waitFor({ state: "detached", timeout: DEVELOP_MILLIS });
};
/** Deletes a picture in the dialog; its receipt is offered on the same page. */
const deleteHere = async (page) => {
  await page.goto("/studio");
  await page.locator("[data-delete]").first().click();
  await page.locator("[data-delete-form] button.danger").click();
  await page.locator("[data-receipts] li").waitFor();
};
/** Deletes a picture as a browser without scripts does. */
const deleteThere = async (page) => {
  await page.goto(await page.goto("/studio").then(() => page.locator("[data-delete]").first().getAttribute("href")));
  await page.locator("main button.danger").click();
  await page.locator("pre.receipt").waitFor();
};
const check = (receipt) => async (page) => {
  await page.goto("/verify");
  await page.locator("textarea").fill(receipt());
  await page.locator("main button.lamp").click();
  await page.locator(".verdict, .wrong").waitFor();
};
let receipt = "";

/** The second step of signing in, after a wrong code. */
const askForCode = async (page) => {
  await page.goto("/sign-in");
  await page.locator("input[name=address]").fill(`shots-${Date.now()}@example.org`);
  await page.locator("main button.lamp").click();
  await page.locator("input[name=code]").fill("11112222");
  await page.locator("main button.lamp").click();
  await page.locator(".wrong").waitFor();
};

/** The second step of signing in, once the mail has left. */
const mailed = async (page) => {
  await page.goto("/sign-in");
  await page.locator("input[name=address]").fill(`mailed-${Date.now()}@example.org`);
  await page.locator("main button").click();
  await page.locator('[data-mail][data-state="taken"]').waitFor();
};
/** The same step in a browser that asked for no code. */
const askForNothing = async (page) => {
  await page.context().clearCookies();
  await page.goto("/sign-in/code");
};

const visitors = [
  ["gallery", at("/")],
  ["filtered", at("/?ratio=portrait")],
  ["found", at("/?q=fox")],
  ["nothing", at("/?q=zzqxj%20wvkpt&ratio=square")],
  ["artwork", picture(2)],
  ["sign-in", at("/sign-in")],
  ["code", askForCode],
  ["mailed", mailed],
  ["no-code", askForNothing],
  ["transparency", at("/transparency")],
  ["statistics", at("/statistics")],
  ["verify", at("/verify")],
  ["genuine", check(() => receipt)],
  ["forged", check(() => receipt.replace("epoch", "epocs"))],
  ["lost", at("/nowhere")],
  ["help", async (page) => { await page.goto("/"); await page.keyboard.press("?"); }],
];
const members = [
  ["studio", at("/studio")],
  ["chosen", (page) => choose(page, 2)],
  ["delete", async (page) => { await choose(page, 1); await page.locator("[data-delete]").first().click(); }],
  ["sure", async (page) => { await choose(page, 2); await page.locator("[data-delete-chosen]").click(); }],
  ["compare", async (page) => { await choose(page, 2); await page.locator("[data-compare]").click(); }],
  ["account", at("/account")],
];
const CUT = ["gallery", "help", "studio", "chosen", "delete", "developing", "failed", "fresh"];

const busy = await member(PROMPTS);
const fresh = await member([]);
{
  const context = await browser.newContext({ baseURL: base, storageState: busy });
  const page = await context.newPage();
  await deleteThere(page);
  receipt = await page.locator("pre.receipt").innerText();
  await context.close();
}
for (const width of [390, 1440]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const locale of LANGUAGES) {
      const look = async (list, storageState) => {
        const context = await browser.newContext({ baseURL: base, viewport: { width, height: width === 390 ? 844 : 900 }, colorScheme, locale, storageState });
        const page = await context.newPage();
        for (const [name, go, after] of list.filter(([name]) => name.includes(only))) {
          await go(page);
          await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => {});
          const fullPage = width === 390 ? !["gallery", "help", "delete"].includes(name) : !CUT.includes(name);
          await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}-${locale}.png`), fullPage });
          await after?.(page);
        }
        await context.close();
      };
      await look(visitors, undefined);
      await look(members, busy);
      await look([["fresh", at("/studio")]], fresh);
      // Developing takes its time, so it is looked at once for each width.
      if (locale === "ja" && colorScheme === "dark") await look([["developing", develop, cancel], ["failed", at("/studio")], ["receipts", deleteHere], ["erased", deleteThere]], busy);
    }
  }
}
await browser.close();
