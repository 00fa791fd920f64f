// The ladder: every step of a verification as the server's engine reports it. The first that failed opens itself.

import { copyButton, el, fill, para, prose, ruleLink, shortened } from "./dom.js";

/** @import { Child, Considered, Evidence, Step } from "./types.js" */

const MARKS = { passed: ["✓", "passed"], failed: ["✗", "failed"], skipped: ["·", "not looked at"], unchecked: ["–", "not checked"], waits: ["?", "waits"] };

/** A ladder in a list of the page. */
export class Ladder {
  #list;
  /** What somebody opened or closed themselves, by the name of the step. @type {Map<string, boolean>} */
  #choices = new Map();
  #drawn = "";

  /** @param {HTMLElement} list an `ol` */
  constructor(list) {
    this.#list = list;
  }

  /** @param {Step[]} steps @param {Evidence} [evidence] */
  draw(steps, evidence = {}) {
    const text = JSON.stringify([steps, evidence]);
    if (text === this.#drawn) return;
    this.#drawn = "";
    // What waits has not failed.
    const first = steps.find((step) => step.outcome === "failed" && step.name !== evidence.waiting);
    fill(this.#list, steps.map((step) => this.#rung(step, step === first, evidence)));
    this.#drawn = text;
  }

  /** @param {Step} step @param {boolean} isFirst @param {Evidence} evidence */
  #rung(step, isFirst, evidence) {
    const { name, outcome } = step;
    const is = outcome === "failed" && name === evidence.waiting ? "waits" : outcome === "passed" && evidence.unchecked?.includes(name) ? "unchecked" : outcome;
    const [mark, word] = MARKS[is];
    const open = this.#choices.get(step.name) ?? isFirst;
    const details = el(
      "details",
      { open },
      el(
        "summary",
        { click: () => this.#choices.set(step.name, !details.open) },
        el("span", { class: "mark", "aria-hidden": "true" }, mark),
        el("span", { class: "hidden" }, `Step ${step.number}, ${word}: `),
        el("span", { class: "says" }, prose(step.summary)),
        el("span", { class: "rule", "aria-hidden": "true" }, step.rfc),
      ),
      el("div", { class: "inside" }, step.fix && para("fix", step.fix), facts(step, evidence)),
    );
    return el("li", { class: is, "data-step": name }, details);
  }
}

/** @param {Step} step @param {Evidence} evidence */
function facts(step, evidence) {
  /** @type {Node[]} */
  const rows = [];
  /** @param {string} term @param {...(Child | Child[])} what */
  const row = (term, ...what) => rows.push(el("dt", {}, term), el("dd", {}, ...what));
  if (step.found) row("Found", el("code", {}, shortened(step.found)));
  if (step.expected) row("Expected", el("code", {}, shortened(step.expected)));
  if (step.keys?.length) row("Keys", el("ul", { class: "keys" }, step.keys.map(key)));
  const { token, signature } = evidence;
  if (step.name === "signature" && token && signature) {
    const signed = token.slice(0, signature.signed_bytes);
    row("Signed", el("code", { class: "bytes" }, shortened(signed)), copyButton(() => signed));
    row("Signature", el("code", { class: "bytes" }, shortened(signature.hex)), ` ${signature.bytes} bytes`);
  }
  row("Rule", prose(`${step.rule}. `), ruleLink(step.rfc));
  if (step.code) row("Code", el("code", {}, step.code));
  return el("dl", {}, rows);
}

/** @param {Considered} key */
function key(key) {
  const name = key.kid ? el("code", {}, shortened(key.kid, true)) : "without a name";
  return el("li", {}, name, key.alg && `, ${key.alg}`, prose(`: ${key.refused ?? "taken"}`));
}
