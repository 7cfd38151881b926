// What axe finds on a page; the policy allows no inline script, so it runs through the debugger.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations as `rule: place`; none is an empty list. */
export const violations = async (page) => {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run());
  return found.violations.flatMap((one) => one.nodes.map((node) => `${new URL(page.url()).pathname} ${one.id}: ${node.target}`));
};
