// Buying credits in a real browser, at a stand-in for who takes the payment.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../axe.mjs";
import { openHouse, signIn } from "../house.mjs";
import { openStripe } from "../stripe.mjs";

let house;
let stripe;

before(async () => {
  stripe = await openStripe();
  house = await openHouse({ more: { ...stripe.env, SAFELIGHT_STARTER_GALLERY: "off" }, elsewhere: [stripe.base] });
  stripe.tellTo(`${house.base}/webhooks/stripe`);
});
after(async () => {
  const { status, log, trouble } = await house.close();
  stripe.close();
  assert.equal(status, 0);
  assert.deepEqual(trouble, []);
  assert.ok(!/cs_|pi_|evt_/.test(log), "the log holds no name of a payment");
});

const buy = async (page) => {
  await page.goto("/account");
  assert.deepEqual(await violations(page), []);
  await page.locator("form[action='/account/purchases'] button").first().click();
  await page.locator("[data-pay]").waitFor();
  assert.deepEqual(await violations(page), []);
  assert.ok((await page.locator("main").textContent()).includes("127.0.0.1"));
};

test("a member buys, pays elsewhere, and sees the credits come", async () => {
  const page = await house.newPage();
  await signIn(page, house.code, "ada");
  await buy(page);
  assert.deepEqual(stripe.heard.length, 1);
  await page.locator("[data-pay]").click();
  await page.getByRole("button", { name: "Pay" }).click();
  await page.waitForURL(/\/account\/purchases\//);
  await page.getByText("Not paid yet.").waitFor();
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(await stripe.tellOfPayments(), [200]);
  await page.getByText("Paid. The credits are on your account.").waitFor();
  const number = await page.locator("td.data").first().textContent();
  const code = await page.locator("main code").textContent();
  await page.goto("/account");
  assert.ok((await page.locator(".buckets").textContent()).includes("100"));
  await page.goto("/receipt");
  await page.locator("input[name=purchase]").fill(number);
  await page.locator("input[name=code]").fill(code);
  await page.locator("main button").click();
  await page.getByText("5.00 EUR").waitFor();
  assert.ok(!page.url().includes(number), "no address has it");
  assert.deepEqual(await violations(page), []);
});

test("all of it works without scripts, on a phone, in three languages", async () => {
  for (const locale of ["en", "zh-CN", "ja"]) {
    const page = await house.newPage({ javaScriptEnabled: false, locale, viewport: { width: 390, height: 844 } });
    await signIn(page, house.code, `bob-${locale.toLowerCase()}`);
    await page.goto("/account");
    await page.locator("form[action='/account/purchases'] button").first().click();
    await page.locator("[data-pay]").waitFor();
    const wide = async () => assert.ok((await page.locator("html").evaluate((html) => html.scrollWidth)) <= 390, page.url());
    await wide();
    await page.locator("[data-pay]").click();
    await page.getByRole("button", { name: "Pay" }).click();
    await page.waitForURL(/\/account\/purchases\//);
    await wide();
    await stripe.tellOfPayments();
    await page.reload();
    assert.equal(await page.locator("noscript").count(), 0, "it does not look again");
    await page.goto("/account");
    await wide();
    await page.goto("/receipt");
    await wide();
    await page.context().close();
  }
});
