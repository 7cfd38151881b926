// Passkeys in a real browser, with an authenticator that the browser itself plays; and what other sessions are told.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { violations } from "../axe.mjs";
import { openHouse, signIn } from "../house.mjs";

let house;

// An address of numbers can have no passkeys.
before(async () => { house = await openHouse({ host: "localhost" }); });
after(async () => {
  const { status, log, trouble } = await house.close();
  assert.equal(status, 0);
  assert.deepEqual(trouble, []);
  assert.ok(!log.includes("grey key"), "the log holds nothing that was typed");
});

/** A device that holds passkeys and is always unlocked; what it holds can be looked at. */
const device = async (page) => {
  const browser = await page.context().newCDPSession(page);
  await browser.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await browser.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    unlock: (isUserVerified) => browser.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    passkeys: async () => (await browser.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
  };
};

/** Not the door that leads there, whose address ends in the same way. */
const atAccount = (url) => url.pathname === "/account";

const addPasskey = async (page, name) => {
  await page.locator("passkey-maker input").fill(name);
  await page.locator("passkey-maker button").click();
};

test("a member adds a passkey, signs in with it, removes it, and is refused afterwards", async () => {
  const page = await house.newPage();
  const held = await device(page);
  await signIn(page, house.code, "ada");
  await page.goto("/account");
  assert.deepEqual(await violations(page), []);
  await held.unlock(false);
  await addPasskey(page, "grey key");
  await page.locator("passkey-maker .wrong").getByText("No passkey was made").waitFor();
  assert.deepEqual(await violations(page), []);
  await held.unlock(true);
  await addPasskey(page, "grey key");
  await page.getByText("never used").waitFor();
  assert.deepEqual(await violations(page), []);
  const [passkey] = await held.passkeys();
  assert.deepEqual([passkey.isResidentCredential, passkey.rpId, passkey.userName], [true, "localhost", "Safelight · member"]);
  assert.equal(Buffer.from(passkey.userHandle, "base64").length, 16, "the account's random number, and no address");
  await addPasskey(page, "the same again");
  await page.locator("passkey-maker .wrong").getByText("may hold one").waitFor();

  // It stands among what the browser offers in the field of the address, and the simulated person takes the first offer.
  await page.locator("form[action='/sign-out'] button").click();
  await page.goto("/sign-in?next=/account");
  await page.waitForURL(atAccount);
  await page.addInitScript(() => { PublicKeyCredential.isConditionalMediationAvailable = async () => false; });
  await page.locator("form[action='/sign-out'] button").click();
  await page.goto("/sign-in?next=/account");
  assert.deepEqual(await violations(page), []);
  await held.unlock(false);
  await page.locator("passkey-door button").click();
  await page.locator("passkey-door .wrong").getByText("No passkey was used").waitFor();
  await held.unlock(true);
  await page.locator("passkey-door button").click();
  await page.waitForURL(atAccount);
  assert.equal(await page.getByText("with a passkey").count(), 1);
  assert.equal(await page.getByText("never used").count(), 0);
  assert.deepEqual(await violations(page), []);

  await page.getByRole("button", { name: "Remove grey key" }).click();
  await page.getByRole("button", { name: "Remove grey key" }).waitFor({ state: "detached" });
  await page.locator("form[action='/sign-out'] button").click();
  await page.goto("/sign-in");
  await page.locator("passkey-door button").click();
  await page.locator("passkey-door .wrong").getByText("may have been removed").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.goto("/account");
  await page.waitForURL(/sign-in/);
});

test("the other session is told of a new sign-in, on a phone and in the dark, until that was me", async () => {
  const first = await house.newPage({ locale: "ja", colorScheme: "dark", viewport: { width: 390, height: 844 } });
  await signIn(first, house.code, "grace");
  const second = await house.newPage();
  await signIn(second, house.code, "grace");
  assert.equal(await second.locator(".notice").count(), 0);
  for (const path of ["/", "/studio", "/account"]) {
    await first.goto(path);
    await first.locator(".notice").waitFor();
    assert.deepEqual(await violations(first), []);
    assert.ok(await first.locator("html").evaluate((html) => html.scrollWidth <= innerWidth), `${path} is wider than the screen`);
  }
  await first.goto("/?q=fox");
  await first.getByRole("button", { name: "自分です" }).click();
  await first.waitForURL(/\?q=fox$/);
  assert.equal(await first.locator(".notice").count(), 0);
  await signIn(second, house.code, "grace");
  await first.reload();
  await first.locator(".notice button.danger").click();
  await first.waitForURL((url) => url.pathname === "/");
  for (const page of [first, second]) {
    await page.goto("/studio");
    await page.waitForURL(/sign-in/);
  }
});

test("without scripts nothing is offered that needs them", async () => {
  const page = await house.newPage({ javaScriptEnabled: false });
  await page.goto("/sign-in");
  assert.ok(!await page.locator("passkey-door").isVisible());
  await page.context().close();
});
