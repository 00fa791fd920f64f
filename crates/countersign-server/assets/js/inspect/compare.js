// Two tokens side by side: what only one of them says, and what they say differently.

import { Latest, Unanswered } from "./ask.js";
import { byId, counted, el, fill, on, para, place, prose, shortened } from "./dom.js";
import { nameOf, valueOf } from "./json.js";
import { isPlain, parts } from "./read.js";

/** @import { Page } from "./types.js" */

/** So many members of each part are compared, and so many of them shown. */
const [MOST, ROWS] = [500, 200];

const other = byId("other", HTMLTextAreaElement);
const asked = new Latest();

/** @param {Page} page */
export function compare(page) {
  const draw = (/** @type {string} */ token) => {
    fill(place("differences"));
    fill(place("differences"), token && differences(page.token(), token));
  };
  on(other, "input", async () => {
    const token = other.value.trim();
    const verdict = place("other-verdict");
    draw(isPlain(token) ? token : "");
    try {
      const answer = await asked.ask("/inspect/explain", page.question(token));
      if (!answer) return;
      fill(verdict, token && prose(`The other token: ${answer.verdict.title}. ${answer.verdict.text}`));
      if (answer.pasted) other.value = answer.pasted.token;
      draw(answer.is_token ? other.value.trim() : "");
    } catch (problem) {
      if (!(problem instanceof Unanswered)) throw problem;
      verdict.textContent = problem.message;
    }
  });
}

/** @param {string} token @returns {Map<string, string>} */
function members(token) {
  const found = new Map();
  parts(token).slice(0, 2).forEach((part, index) => {
    for (const member of part.found.members.slice(0, MOST)) {
      found.set(`${index === 0 ? "header" : "payload"} ${nameOf(part.octets, member)}`, valueOf(part.octets, member));
    }
  });
  return found;
}

/** @param {string} one @param {string} other */
function differences(one, other) {
  const [ours, theirs] = [members(one), members(other)];
  if (one === other) return para("note", "These are the same token.");
  if (!theirs.size) return para("note", "The other is no token: it has no members.");
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  const row = (/** @type {string} */ name) => {
    const side = name.indexOf(" ") + 1;
    const [left, right] = [ours.get(name), theirs.get(name)];
    const [word, says] = left === right ? ["same", "same"] : left === undefined ? ["added", "only in the other"] : right === undefined ? ["gone", "only in this"] : ["differs", "differs"];
    const cell = (/** @type {string | undefined} */ text) => el("td", {}, text === undefined ? "" : el("code", {}, shortened(text)));
    return el("tr", { class: `is-${word}` }, el("th", { scope: "row" }, name.slice(0, side), shortened(name.slice(side), true)), el("td", {}, says), cell(left), cell(right));
  };
  const heads = ["Member", "", "This token", "The other"].map((head) => el("th", { scope: "col" }, head));
  const rows = names.sort((a, b) => Number(ours.get(a) === theirs.get(a)) - Number(ours.get(b) === theirs.get(b))).slice(0, ROWS).map(row);
  const more = names.length - ROWS;
  const table = el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows));
  return [table, more > 0 && para("help", `… ${counted(more)} members more.`)];
}
