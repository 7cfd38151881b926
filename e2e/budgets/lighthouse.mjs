// Lighthouse on a phone, for every public page: a line a category, as in budgets.mjs.
import lighthouse from "lighthouse";

const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const SCORE_MIN = 95;
const TRIES = 3;

/** One page; once in a while the browser gives Lighthouse no paint to measure, and it has to look again. */
const measure = async (url, port) => {
  for (let turn = 1; ; turn += 1) {
    const { lhr } = await lighthouse(url, { port, onlyCategories: CATEGORIES, logLevel: "silent" });
    if (turn === TRIES || CATEGORIES.every((category) => lhr.categories[category].score !== null)) return lhr;
  }
};

/** Runs it through the debugging port of a browser; `report` gets a name, a score and the least score. */
export const lighthousePages = async (base, port, paths, report) => {
  for (const path of paths) {
    const lhr = await measure(`${base}${path}`, port);
    for (const category of CATEGORIES) report(`lighthouse ${path} ${category}`, Math.round(lhr.categories[category].score * 100), SCORE_MIN);
    const failed = Object.values(lhr.audits).filter((audit) => audit.score !== null && audit.score < 0.9 && audit.scoreDisplayMode !== "informative");
    if (failed.length) console.log(`  ${path}: ${failed.map((audit) => `${audit.id}${audit.displayValue ? ` (${audit.displayValue})` : ""}`).join(", ")}`);
  }
};
