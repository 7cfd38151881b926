// What a person does, in a real browser, from the first look to closing the account.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { violations } from "../axe.mjs";
import { openHouse, pick, signIn } from "../house.mjs";

const STARTER_MILLIS = 180_000;
const DEVELOP_MILLIS = 60_000;
let house;
let member;
let receipt;

before(async () => { house = await openHouse(); });
after(async () => {
  const { status, log, trouble } = await house.close();
  assert.equal(status, 0, "SIGTERM drains and exits 0");
  assert.deepEqual(trouble, []);
  assert.ok(!log.includes("ada@example.org") && !log.includes("sailboat on"), "the log holds nothing that was typed");
});

const paths = (page) => page.locator("[data-print]").evaluateAll((prints) => prints.map((print) => print.dataset.print));
const develop = async (page, prompt, count = 1) => {
  const there = await page.locator("[data-print]").count();
  await page.locator("#prompt").fill(prompt);
  await pick(page, "count", count);
  await page.keyboard.press("Control+Enter");
  await page.locator("[data-print]").nth(there + count - 1).waitFor({ timeout: DEVELOP_MILLIS });
};

test("a visitor browses the gallery that made itself, searches, and opens an artwork", async () => {
  await house.logged(/ imported /, STARTER_MILLIS);
  const page = await house.newPage();
  await page.goto("/");
  assert.equal(await page.locator(".frame a").count(), 48);
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("/");
  await page.keyboard.type("fox");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=fox/);
  await page.locator(".frame a").first().click();
  await page.waitForURL(/\/a\/here-/);
  assert.ok((await page.locator("#prompt").textContent()).includes("fox"));
  assert.deepEqual(await violations(page), []);
  await page.goto("/?q=zzqxj%20wvkpt");
  await page.getByText("Nothing found").waitFor();
});

test("everything can be read without scripts, on a phone, in three languages and both themes", async () => {
  for (const lang of ["en", "zh-CN", "ja"]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await house.newPage({ javaScriptEnabled: false, locale: lang, colorScheme, viewport: { width: 390, height: 844 } });
      for (const path of ["/", "/sign-in", "/transparency", "/nowhere"]) {
        await page.goto(path);
        const wide = await page.locator("html").evaluate((html) => html.scrollWidth);
        assert.ok(wide <= 390, `${path} is wider than the screen`);
        assert.ok(await page.locator("h1").isVisible());
      }
      await page.context().close();
    }
  }
});

test("a member signs in, develops a picture, downloads it, and deletes it for good", async () => {
  member = await house.newPage({ viewport: { width: 1440, height: 900 } });
  await member.goto("/studio");
  await member.waitForURL(/sign-in/);
  assert.deepEqual(await violations(member), []);
  await signIn(member, house.code, "ada");
  assert.deepEqual(await violations(member), []);
  await member.locator(".starters a").first().click();
  assert.ok((await member.locator("#prompt").inputValue()).includes("lighthouse"), "a starter prompt begins the first picture");
  await develop(member, "a sailboat on the sea at night");
  const address = await member.locator("[data-print] img").first().getAttribute("src");
  assert.equal((await member.request.get(address)).status(), 200);
  await member.locator("[data-print] a.face").focus();
  const [file] = await Promise.all([member.waitForEvent("download"), member.keyboard.press("d")]);
  assert.equal(file.suggestedFilename(), "safelight.png");
  await member.locator("[data-print] a.face").focus();
  await member.keyboard.press("Delete");
  await member.locator("#delete button.danger").click();
  await member.locator("[data-print]").first().waitFor({ state: "detached" });
  assert.equal((await member.request.get(address)).status(), 404);
  assert.deepEqual(await violations(member), []);
  const [saved] = await Promise.all([member.waitForEvent("download"), member.locator("[data-receipts] a[download]").click()]);
  assert.equal(saved.suggestedFilename(), "safelight-receipt.txt");
  receipt = await readFile(await saved.path(), "utf8");
  await member.reload();
  assert.equal(await member.locator("[data-print]").count(), 0);
});

test("a member compares two pictures and deletes several at once", async () => {
  await develop(member, "a mountain lake at dawn", 4);
  const ids = await paths(member);
  await member.locator("[data-print] a.face").nth(0).focus();
  await member.keyboard.press("x");
  assert.ok(await member.locator("[data-compare]").isDisabled(), "one picture cannot be compared");
  await member.locator("[data-print] a.face").nth(2).focus();
  await member.keyboard.press("x");
  assert.deepEqual(await violations(member), []);
  await member.keyboard.press("v");
  await member.waitForURL(/\/studio\/compare/);
  assert.equal(await member.locator(".pair img").count(), 2);
  assert.deepEqual(await violations(member), []);
  await member.goto("/studio");
  for (const id of [ids[0], ids[2]]) await member.locator(`[data-pick][value="${id}"]`).check();
  await member.keyboard.press("Escape");
  await member.locator("[data-delete-chosen]").click();
  assert.equal(await member.locator(".going img").count(), 2, "what goes is shown before it goes");
  assert.deepEqual(await violations(member), []);
  await member.locator("main button.danger").click();
  await member.locator("pre.receipt").waitFor();
  assert.deepEqual(await violations(member), []);
  const both = await member.locator("pre.receipt").innerText();
  assert.ok(ids[0] && [ids[0], ids[2]].every((id) => both.includes(`record ${id}`)), "one receipt names both");
  await member.locator("main a[href='/studio']").click();
  await member.waitForURL(/\/studio$/);
  assert.deepEqual(await paths(member), [ids[1], ids[3]], "what was not chosen stays, in its order");
});

test("whoever has a receipt can check it, without signing in", async () => {
  const page = await house.newPage();
  await page.goto("/verify");
  assert.deepEqual(await violations(page), []);
  await page.locator("textarea").fill(receipt.replace("epoch", "epocs"));
  await page.locator("main button.lamp").click();
  await page.locator(".wrong").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.locator("textarea").fill(receipt);
  await page.locator("main button.lamp").click();
  await page.locator(".verdict").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.close();
});

test("a picture in line shows its place, and can be cancelled for nothing", async () => {
  const left = await member.locator(".cost .hint").textContent();
  await member.locator("#prompt").fill("a city at night");
  await pick(member, "resolution", "4K");
  await pick(member, "count", 4);
  await member.keyboard.press("Control+Enter");
  const waiting = member.locator("[data-job]");
  await waiting.nth(3).waitFor();
  await waiting.locator("[data-status]").filter({ hasText: /In line · \d/ }).first().waitFor();
  assert.deepEqual(await violations(member), []);
  const ids = await waiting.evaluateAll((jobs) => jobs.map((job) => job.dataset.job));
  for (const id of ids) await member.request.post(`/studio/generations/${id}/cancel`, { headers: { origin: house.base } });
  // The page comes again by itself once none develops any more.
  await member.locator(".failed").first().waitFor();
  await member.waitForLoadState();
  const now = await member.locator(".cost .hint").textContent();
  const drawn = (await member.locator("[data-print] a.face").count()) - 2;
  assert.equal(Number.parseInt(left, 10) - Number.parseInt(now, 10), drawn, "what was not drawn was not paid");
});

test("the rack of the studio is seen whole on a laptop, in every language", async () => {
  for (const locale of ["en", "zh-CN", "ja"]) {
    const page = await house.newPage({ locale, viewport: { width: 1440, height: 900 }, storageState: await member.context().storageState() });
    await page.goto("/studio");
    const [frames, cost] = await Promise.all([page.locator(".halves"), page.locator(".cost")].map((place) => place.boundingBox()));
    assert.ok(frames.y + frames.height <= cost.y && cost.y + cost.height <= 900, `${locale}: ${JSON.stringify([frames, cost])}`);
    await page.context().close();
  }
});

test("what fails is said in the reader's language, with scripts and without", async () => {
  const storageState = await member.context().storageState();
  for (const javaScriptEnabled of [true, false]) {
    const page = await house.newPage({ locale: "ja", javaScriptEnabled, storageState });
    await page.goto("/studio");
    await page.locator("#prompt").fill("   ");
    await page.locator(".cost button").click();
    await page.getByText("プロンプトが空です。").waitFor();
    if (javaScriptEnabled) {
      await page.locator("#picture").setInputFiles({ name: "notes.png", mimeType: "image/png", buffer: Buffer.from("not a picture") });
      await page.getByText("いずれの画像でもありません。").waitFor();
    }
    await page.context().close();
  }
  const visitor = await house.newPage({ locale: "zh-CN" });
  await visitor.goto("/sign-in");
  await visitor.locator("input[name=address]").fill("grace@example.org");
  await house.code(() => visitor.locator("main button").click());
  await visitor.locator("input[name=code]").fill("0");
  await visitor.locator("main button").click();
  assert.equal(await visitor.locator(".wrong").textContent(), "与邮件中的验证码不符，请核对八位数字。");
  assert.deepEqual(await violations(visitor), []);
});

test("the page that asks for a code says how far the mail is, with scripts and without", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await house.newPage({ javaScriptEnabled, locale: "ja", viewport: { width: 390, height: 844 } });
    await page.goto("/sign-in");
    await page.locator("input[name=address]").fill(`mail-${javaScriptEnabled}@example.org`);
    await house.code(() => page.locator("main button").click());
    if (!javaScriptEnabled) await page.goto("/sign-in/code");
    await page.locator('[data-mail][data-state="taken"]').waitFor();
    assert.ok((await page.locator("[data-mail]").textContent()).includes("受け取りました"));
    if (javaScriptEnabled) assert.deepEqual(await violations(page), []);
    await page.context().clearCookies();
    await page.goto("/sign-in/code");
    await page.locator('[data-mail][data-state="failed"]').waitFor();
    assert.ok(await page.locator("input[name=code]").isHidden(), "where no code can come, none is asked for");
    await page.context().close();
  }
});

test("axe finds nothing on a member's pages in the dark, in Japanese, on a phone", async () => {
  const page = await house.newPage({ colorScheme: "dark", locale: "ja", viewport: { width: 390, height: 844 }, storageState: await member.context().storageState() });
  for (const path of ["/studio", "/account", "/"]) {
    await page.goto(path);
    assert.deepEqual(await violations(page), []);
    assert.ok(await page.locator("html").evaluate((html) => html.scrollWidth <= innerWidth), `${path} is wider than the screen`);
  }
});

/** Unpacks an archive of stored files as a program does that only reads on: each head says its name and its length. */
const unpack = async (archive, folder) => {
  const bytes = await readFile(archive);
  const names = [];
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50;) {
    const [length, named, extra] = [bytes.readUInt32LE(at + 18), bytes.readUInt16LE(at + 26), bytes.readUInt16LE(at + 28)];
    const name = bytes.toString("utf8", at + 30, at + 30 + named);
    const start = at + 30 + named + extra;
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes.subarray(start, start + length));
    names.push(name);
    at = start + length;
  }
  return names;
};

test("a member takes everything along, sees how far it is, and reads it without the server", async () => {
  const told = [["state", { packed: 1, of: 2 }], ["done", { packed: 2, of: 2 }]].map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  await member.route("**/account/export/events", (route) => route.fulfill({ contentType: "text/event-stream", body: told.join("") }));
  await member.goto("/account");
  const [download] = await Promise.all([member.waitForEvent("download"), member.locator("[data-export-start]").click()]);
  const folder = await mkdtemp(join(tmpdir(), "safelight-export-"));
  const names = await unpack(await download.path(), folder);
  assert.match(download.suggestedFilename(), /^safelight-\d{4}-\d\d-\d\d\.zip$/);
  assert.ok(names.includes("account.json") && names.some((name) => name.startsWith("pictures/")), names.join(", "));
  await member.getByText("All packed. Your browser has the file. · 2 / 2").waitFor();
  assert.equal(new URL(member.url()).pathname, "/account", "the page stays");
  assert.deepEqual(await violations(member), []);
  for (const [width, colorScheme] of [[390, "dark"], [1440, "light"]]) {
    const context = await member.context().browser().newContext({ colorScheme, viewport: { width, height: 844 } });
    const page = await context.newPage();
    await page.goto(pathToFileURL(join(folder, "index.html")).href);
    assert.ok(await page.locator(".prints img").first().evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
    assert.ok(await page.locator("html").evaluate((html) => html.scrollWidth <= innerWidth), `wider than ${width}`);
    assert.deepEqual(await violations(page), []);
    await context.close();
  }
  await rm(folder, { recursive: true });
});

test("a member sees the ledger, makes a key, and closes the account", async () => {
  await member.goto("/account");
  assert.deepEqual(await violations(member), []);
  const numbers = (selector) => member.locator(selector).evaluateAll((all) => all.map((one) => Number(one.textContent)).reduce((a, b) => a + b, 0));
  assert.ok(await member.locator(".ledger tr").count() > 1);
  assert.equal(await numbers(".ledger .number"), await numbers(".buckets dd"), "the lines add up to the credits");
  await member.locator("input[name=name]").fill("script");
  await member.getByRole("button", { name: "Create key" }).click();
  assert.match(await member.locator("#new-key").textContent(), /^meigen_sk_\S{32}$/);
  await member.goto("/account");
  assert.equal(await member.locator("#new-key").count(), 0);
  await member.locator("form[action='/account/close'] input[type=checkbox]").check();
  await member.getByRole("button", { name: "Close my account" }).click();
  await member.locator("pre.receipt").waitFor();
  assert.deepEqual(await violations(member), []);
  await member.locator("main a[href='/']").click();
  await member.waitForURL((url) => url.pathname === "/");
  await member.goto("/account");
  await member.waitForURL(/sign-in/);
});
