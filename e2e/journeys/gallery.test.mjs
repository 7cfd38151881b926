// What a visitor does in a gallery of known pictures: filters, sheets, coming back, language and theme, with the keyboard.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { violations } from "../axe.mjs";
import { openHouse } from "../house.mjs";
import { writePlates } from "../plates.mjs";

const PLATES = 130;
const SHEET = 48;
const WIDE = { viewport: { width: 1440, height: 900 } };
let folder;
let house;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-plates-"));
  house = await openHouse({ entries: await writePlates(folder, PLATES) });
});
after(async () => {
  const { status, trouble } = await house.close();
  await rm(folder, { recursive: true });
  assert.equal(status, 0);
  assert.deepEqual(trouble, []);
});

/** How many frames there are, once the whole page has come: a click answers as soon as its beginning is there. */
const frames = async (page) => {
  await page.waitForLoadState();
  return page.locator(".frame").count();
};

test("filters, order, words and sheets stand in the address and work without scripts", async () => {
  const page = await house.newPage({ javaScriptEnabled: false, ...WIDE });
  await page.goto("/");
  assert.equal(await frames(page), SHEET);
  await page.getByRole("link", { name: "Portrait", exact: true }).click();
  assert.equal(new URL(page.url()).search, "?ratio=portrait");
  assert.equal(await frames(page), Math.floor(PLATES / 3));
  await page.getByRole("link", { name: "Poster", exact: true }).click();
  await page.getByRole("link", { name: "odd", exact: true }).click();
  const query = new URL(page.url()).searchParams;
  assert.deepEqual([query.get("ratio"), query.get("category"), query.get("model")], ["portrait", "Poster", "odd"]);
  const expected = Array.from({ length: PLATES }, (_, n) => n).filter((n) => n % 3 === 2 && n % 5 === 0 && n % 2 === 1);
  assert.equal(await frames(page), expected.length);
  await page.getByRole("link", { name: "odd", exact: true }).click();
  assert.equal(new URL(page.url()).searchParams.get("model"), null, "a filter that is on is taken off by its chip");
  await page.goto("/?sort=new");
  assert.equal(await page.locator(".chips [aria-current]").textContent(), "Newest");
  await page.getByRole("link", { name: "Next sheet" }).click();
  assert.equal(new URL(page.url()).search, "?sort=new&page=2");
  assert.equal(await frames(page), SHEET);
  await page.getByRole("link", { name: "Next sheet" }).click();
  assert.equal(await frames(page), PLATES - 2 * SHEET);
  assert.equal(await page.getByRole("link", { name: "Next sheet" }).count(), 0);
  await page.getByRole("link", { name: "Previous sheet" }).click();
  assert.equal(new URL(page.url()).searchParams.get("page"), "2");
});

test("where nothing is found, the page says which filter to drop", async () => {
  const page = await house.newPage(WIDE);
  await page.goto("/?q=zzqxj+wvkpt&ratio=portrait&model=odd");
  await page.getByText("Nothing found").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.locator(".empty").getByRole("link", { name: "zzqxj wvkpt" }).click();
  assert.deepEqual([...new URL(page.url()).searchParams.keys()].sort(), ["model", "ratio"]);
  assert.ok(await frames(page) > 0);
});

test("sheets follow as one scrolls, and coming back from a picture lands where one was", async () => {
  const page = await house.newPage(WIDE);
  await page.goto("/");
  const last = page.locator('[data-sheet="3"]');
  while (!(await last.count())) {
    const sheets = await page.locator("[data-sheet]").count();
    await page.locator("[data-next]").scrollIntoViewIfNeeded();
    await page.locator("[data-sheet]").nth(sheets).waitFor();
  }
  const frame = last.locator(".frame a").nth(20);
  await frame.scrollIntoViewIfNeeded();
  const kept = await page.waitForFunction(() => history.state?.sheets === 3 && Math.abs(history.state.y - scrollY) < 2 && scrollY);
  const y = await kept.jsonValue();
  const href = await frame.getAttribute("href");
  await frame.click();
  await page.waitForURL(/\/a\//);
  await page.goBack();
  await page.locator('[data-sheet="3"]').waitFor();
  await page.waitForFunction((before) => Math.abs(scrollY - before) < 4, y);
  assert.ok(await page.locator(`[href="${href}"]`).isVisible());
});

test("nothing moves while pictures load, and each has its glimpse", async () => {
  const page = await house.newPage(WIDE);
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(/\/p\//, async (route) => { await held; await route.continue(); });
  await page.goto("/", { waitUntil: "commit" });
  await page.locator(".frame canvas").first().waitFor();
  const place = () => page.locator(".frame").evaluateAll((all) => all.map((one) => { const { x, y, width, height } = one.getBoundingClientRect(); return [x, y, width, height]; }));
  const before = await place();
  release();
  await page.locator(".frame canvas").first().waitFor({ state: "detached" });
  assert.deepEqual(await place(), before);
});

test("an artwork is read, copied and left with the keyboard", async () => {
  const page = await house.newPage({ ...WIDE, permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto("/?q=garden");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/a\/plate-/);
  await page.keyboard.press("c");
  await page.getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await page.locator("#prompt").textContent());
  assert.ok(await page.locator("#similar .frame").count() > 0);
  await page.keyboard.press("Escape");
  await page.waitForURL(/\?q=garden/);
  await page.goForward();
  await page.waitForURL(/\/a\/plate-/);
  await page.keyboard.press("?");
  await page.locator("#help[open]").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.locator("[data-keys-off]").check();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  assert.equal(await page.locator("#help[open]").count(), 0, "keys that are switched off do nothing");
  await page.reload();
  assert.ok(await page.locator("[data-keys-off]").isChecked());
});

test("on a phone the bar is one line and the search another, and a chosen filter is in sight", async () => {
  for (const locale of ["en", "zh-CN", "ja"]) {
    const page = await house.newPage({ locale, viewport: { width: 390, height: 844 } });
    await page.goto("/?model=odd");
    const middles = await page.locator(".bar > *:not(.search)").evaluateAll((all) => all.map((one) => { const box = one.getBoundingClientRect(); return (box.top + box.bottom) / 2; }));
    assert.ok(Math.max(...middles) - Math.min(...middles) < 8, `${locale}: ${middles}`);
    const chip = await page.locator(".chips [aria-current]").boundingBox();
    assert.ok(chip.x >= 0 && chip.x + chip.width <= 390, `${locale}: ${JSON.stringify(chip)}`);
    await page.context().close();
  }
});

test("promises and data map are read in one's own language, each promise with what shows it", async () => {
  for (const [locale, letters] of [["zh-CN", /^[^a-z]*\p{Script=Han}/u], ["ja", /[ぁ-ん]/]]) {
    const page = await house.newPage({ locale });
    await page.goto("/transparency");
    for (const text of await page.locator(".vows h3, .map td:nth-child(-n+2)").allTextContents()) if (!/^\d+ /.test(text)) assert.match(text, letters);
    assert.ok(await page.locator(".vows cite").count() >= await page.locator(".vows .proven").count());
    await page.context().close();
  }
});

test("language and theme are chosen without scripts and stay", async () => {
  const page = await house.newPage({ javaScriptEnabled: false, colorScheme: "light", ...WIDE });
  await page.goto("/?ratio=square");
  const paper = () => page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  const light = await paper();
  await page.locator("select[name=lang]").selectOption("ja");
  await page.locator("select[name=theme]").selectOption("dark");
  await page.locator(".preferences button").click();
  assert.equal(new URL(page.url()).search, "?ratio=square", "one stays where one was");
  assert.equal(await page.locator("html").getAttribute("lang"), "ja");
  await page.goto("/transparency");
  assert.equal(await page.locator("html").getAttribute("lang"), "ja");
  assert.notEqual(await paper(), light);
});

test("axe finds nothing on public pages, at both widths, in both themes", async () => {
  for (const width of [390, 1440]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await house.newPage({ colorScheme, viewport: { width, height: 900 } });
      for (const path of ["/", "/?q=garden&ratio=square", "/a/plate-003", "/sign-in", "/transparency", "/statistics", "/nowhere"]) {
        await page.goto(path);
        assert.deepEqual(await violations(page), [], `${colorScheme} ${width}`);
        assert.ok(await page.locator("html").evaluate((html) => html.scrollWidth <= innerWidth), `${path} is wider than ${width}`);
      }
      await page.context().close();
    }
  }
});
