// Lighthouse on a phone, for every public page: a line a category, as in budgets.mjs.
import lighthouse from "lighthouse";

const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const SCORE_MIN = 95;

/** Runs it through the debugging port of a browser; `report` gets a name, a score and the least score. */
export const lighthousePages = async (base, port, paths, report) => {
  for (const path of paths) {
    const { lhr } = await lighthouse(`${base}${path}`, { port, onlyCategories: CATEGORIES, logLevel: "silent" });
    for (const category of CATEGORIES) report(`lighthouse ${path} ${category}`, Math.round(lhr.categories[category].score * 100), SCORE_MIN);
    const failed = Object.values(lhr.audits).filter((audit) => audit.score !== null && audit.score < 0.9 && audit.scoreDisplayMode !== "informative");
    if (failed.length) console.log(`  ${path}: ${failed.map((audit) => `${audit.id}${audit.displayValue ? ` (${audit.displayValue})` : ""}`).join(", ")}`);
  }
};
