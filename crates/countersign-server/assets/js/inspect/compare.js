// Two tokens side by side: what only one of them says, and what they say differently.

import { Latest, Unanswered } from "./ask.js";
import { byId, el, fill, place, shortened, visible } from "./dom.js";
import { scan } from "./json.js";
import { bare, parts } from "./read.js";

const other = byId("other", HTMLTextAreaElement);
const asked = new Latest();

/** @param {{ token: () => string, question: (token: string) => object }} page */
export function compare(page) {
  other.addEventListener("input", () => void update(page));
}

/** @param {{ token: () => string, question: (token: string) => object }} page */
async function update(page) {
  const token = bare(other.value);
  const verdict = place("other-verdict");
  fill(place("differences"), token && differences(page.token(), token));
  try {
    const answer = await asked.ask("/inspect/explain", page.question(token));
    if (answer) verdict.textContent = token && `The other token: ${answer.verdict.title}. ${answer.verdict.text}`;
  } catch (problem) {
    if (!(problem instanceof Unanswered)) throw problem;
    verdict.textContent = problem.message;
  }
}

/** @param {string} token @returns {Map<string, string>} */
function members(token) {
  const found = new Map();
  parts(token).slice(0, 2).forEach((part, index) => {
    const octets = part.octets ?? new Uint8Array();
    for (const { name, value, to } of scan(octets).members) {
      found.set(`${index === 0 ? "header" : "payload"} ${name}`, new TextDecoder().decode(octets.subarray(value, to)));
    }
  });
  return found;
}

/** @param {string} one @param {string} other */
function differences(one, other) {
  const [ours, theirs] = [members(one), members(other)];
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  const row = (/** @type {string} */ name) => {
    const [left, right] = [ours.get(name), theirs.get(name)];
    const word = left === right ? "same" : left === undefined ? "added" : right === undefined ? "gone" : "differs";
    const cell = (/** @type {string | undefined} */ text) => el("td", {}, text === undefined ? "" : el("code", {}, shortened(text)));
    return el("tr", { class: `is-${word}` }, el("th", { scope: "row" }, visible(name)), el("td", {}, word), cell(left), cell(right));
  };
  const heads = ["Member", "", "This token", "The other"].map((head) => el("th", { scope: "col" }, head));
  const rows = names.sort((a, b) => Number(ours.get(a) === theirs.get(a)) - Number(ours.get(b) === theirs.get(b))).map(row);
  return el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows));
}
