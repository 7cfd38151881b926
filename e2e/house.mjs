// A server over a fresh data folder, and a browser page that notices what must not happen.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { chromium } from "playwright-core";

const READY_MILLIS = 30_000;
const MAIL_TRIES = 100;
const MAIL_MILLIS = 50;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
};

export const openHouse = async () => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-e2e-"));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const server = spawn(process.env.SAFELIGHT_BINARY, ["serve", "--data", join(folder, "data"), "--listen", `127.0.0.1:${port}`, "--mail", `dir:${join(folder, "mail")}`], { stdio: ["ignore", "ignore", "pipe"] });
  // The log says when the server is ready; there is nothing to wait for but that line.
  const lines = [];
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not ready: ${lines.join("")}`)), READY_MILLIS);
    server.once("exit", () => { clearTimeout(late); reject(new Error(`ended: ${lines.join("")}`)); });
    server.stderr.on("data", (part) => {
      lines.push(String(part));
      if (lines.join("").includes(" ready ")) { clearTimeout(late); resolve(); }
    });
  });
  const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH, args: FLAGS });
  const trouble = [];
  const newPage = async (options = {}) => {
    const context = await browser.newContext({ baseURL: base, ...options });
    const page = await context.newPage();
    page.on("request", (request) => { if (!request.url().startsWith(base) && !request.url().startsWith("blob:")) trouble.push(`foreign request ${request.url()}`); });
    page.on("console", (message) => { if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) trouble.push(`console: ${message.text()}`); });
    page.on("pageerror", (error) => trouble.push(`script: ${error.message}`));
    return page;
  };
  const mails = async () => (await readdir(join(folder, "mail")).catch(() => [])).filter((name) => name.endsWith(".eml")).sort();
  /** The code that `ask` makes the server send: the one in the first mail that was not there before. */
  const code = async (ask) => {
    const before = (await mails()).length;
    await ask();
    for (let tries = 0; tries < MAIL_TRIES; tries += 1) {
      const now = await mails();
      if (now.length > before) return (await readFile(join(folder, "mail", now.at(-1)), "utf8")).match(/(\d{4}) (\d{4})/).slice(1).join("");
      await delay(MAIL_MILLIS);
    }
    throw new Error("no mail came");
  };
  const close = async () => {
    await browser.close();
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    const [status] = await ended;
    const log = lines.join("");
    await rm(folder, { recursive: true });
    return { status, log, trouble };
  };
  return { base, newPage, code, close };
};
