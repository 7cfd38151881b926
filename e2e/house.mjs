// A server over a fresh data folder, and browser pages that notice what must not happen.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const READY_MILLIS = 30_000;
const MAIL_MILLIS = 10_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const openBrowser = (flags = []) => chromium.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", args: [...FLAGS, ...flags] });

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
};

/** The words of a mail; those that are not all in Latin letters travel as base64. */
const words = (mail) => mail + mail.split(/\r?\n--/).filter((part) => /encoding: base64/i.test(part)).map((part) => Buffer.from(part.split(/\r?\n\r?\n/).slice(1).join(""), "base64").toString()).join("\n");

/** The codes that a server with `--mail dir:folder` sends. */
export const mailbox = (folder) => {
  const mails = async () => (await readdir(folder)).filter((name) => name.endsWith(".eml")).sort();
  /** The code in the mail that `ask` makes the server send; mails that were there before do not count. */
  return async (ask) => {
    const before = new Set(await mails());
    const watcher = watch(folder);
    const come = new Promise((resolve, reject) => {
      AbortSignal.timeout(MAIL_MILLIS).addEventListener("abort", () => reject(new Error("no mail came")));
      watcher.on("change", async () => {
        const fresh = (await mails()).filter((name) => !before.has(name)).at(-1);
        if (fresh) resolve(fresh);
      });
    });
    try {
      const [name] = await Promise.all([come, ask()]);
      return words(await readFile(join(folder, name), "utf8")).match(/(\d{4}) (\d{4})/).slice(1).join("");
    } finally {
      watcher.close();
    }
  };
};

/** Chooses a radio button by its label, as a person does. */
export const pick = (page, name, value) => page.locator(`label:has(input[name="${name}"][value="${value}"])`).click();

/** Signs in with an address of example.org, by the form. */
export const signIn = async (page, code, name) => {
  await page.goto("/sign-in?next=/studio");
  await page.locator("input[name=address]").fill(`${name}@example.org`);
  const digits = await code(() => page.locator("main button.lamp").click());
  await page.locator("input[name=code]").fill(digits);
  await page.locator("main button.lamp").click();
  await page.waitForURL((url) => url.pathname === "/studio");
};

/**
 * Starts a server, at an address of this host; with `entries`, over a gallery into which they were imported; with `more`
 * settings, and pages `elsewhere` that may be gone to.
 */
export const openHouse = async ({ entries, host = "127.0.0.1", more = {}, elsewhere = [] } = {}) => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-e2e-"));
  const [data, mail] = [join(folder, "data"), join(folder, "mail")];
  await mkdir(mail);
  const binary = process.env.SAFELIGHT_BINARY;
  // Journeys ask how pages behave, not how well this machine's disk and swap forget.
  const env = { ...process.env, SAFELIGHT_ANCHOR_CHECK: "accept", SAFELIGHT_SWAP_CHECK: "accept", ...more };
  if (entries) await promisify(execFile)(binary, ["import", "--data", data, entries], { env });
  const port = await freePort();
  const base = `http://${host}:${port}`;
  const server = spawn(binary, ["serve", "--data", data, "--listen", `127.0.0.1:${port}`, "--mail", `dir:${mail}`, "--public-url", base], { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  let closing = false;
  const readers = new Set();
  server.stderr.on("data", (part) => { log += part; for (const reader of readers) reader(); });
  // Nothing that a journey does may end the server; a throw here fails the whole file at once.
  server.once("exit", (status) => { if (!closing) throw new Error(`the server ended with ${status}:\n${log}`); });
  /** Waits until the server's log says this. */
  const logged = (words, millis = READY_MILLIS) => new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the log does not say ${words}:\n${log}`)), millis);
    const reader = () => { if (words.test(log)) { clearTimeout(late); readers.delete(reader); resolve(); } };
    readers.add(reader);
    reader();
  });
  await logged(/ ready /);
  const browser = await openBrowser();
  const trouble = [];
  const newPage = async (options = {}) => {
    const context = await browser.newContext({ baseURL: base, ...options });
    const page = await context.newPage();
    page.on("request", (request) => { if (![base, "blob:", ...elsewhere].some((start) => request.url().startsWith(start))) trouble.push(`foreign request ${request.url()}`); });
    page.on("console", (message) => { if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) trouble.push(`console: ${message.text()}`); });
    page.on("pageerror", (error) => trouble.push(`script: ${error.message}`));
    return page;
  };
  const close = async () => {
    await browser.close();
    closing = true;
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    const [status] = await ended;
    await rm(folder, { recursive: true });
    return { status, log, trouble };
  };
  return { base, newPage, logged, code: mailbox(mail), close };
};
