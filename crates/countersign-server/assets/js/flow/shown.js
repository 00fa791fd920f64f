// What came of a step, to be opened: the request and the answer as they were, the token, the ladder.

import { el } from "../inspect/dom.js";
import { Ladder } from "../inspect/ladder.js";
import { decode } from "./token.js";

/** @import { Step } from "../inspect/types.js" */
/** @import { Exchange } from "./send.js" */
/** @import { Outcome } from "./story.js" */

/** How much of a body is shown. */
const MOST = 4_000;

/** Headers that every answer of this server has, and that say nothing of this one. */
const USUAL = /^(x-|cross-origin-|content-security-policy|referrer-policy|strict-transport-security|date|content-length|vary)/;

/** @param {Outcome} outcome */
export function shown({ exchanges = [], rungs, shown: texts = [] }) {
  const failed = rungs?.find((step) => step.outcome === "failed");
  return [
    ...texts.map(([name, token]) => part(name, "header, claims and signature", opened(token))),
    ...exchanges.map((exchange) => part(`${exchange.method} ${exchange.path}`, `${exchange.status || "no answer"}`, http(exchange), "exchange")),
    rungs && rungs.length > 0 && part("The ladder", failed ? `step ${failed.number} of ${rungs.length} fails` : `${rungs.length} of ${rungs.length} steps hold`, ladder(rungs), "verification"),
  ];
}

/** @param {Step[]} steps */
function ladder(steps) {
  const list = el("ol", { class: "ladder" });
  new Ladder(list).draw(steps);
  return list;
}

/** @param {string} name @param {string} says @param {Node} inside @param {string} [kind] */
function part(name, says, inside, kind = "token") {
  return el("details", { class: kind }, el("summary", {}, el("code", {}, name), ` ${says}`), inside);
}

/** @param {Exchange} exchange */
function http({ method, path, sent, body, status, received, answer }) {
  const asked = [`${method} ${path}`, ...sent.map(([name, value]) => `${name}: ${value}`), ...(body ? ["", pretty(body)] : [])];
  const answered = status
    ? [`${status}`, ...received.filter(([name]) => !USUAL.test(name)).map(([name, value]) => `${name}: ${value}`), ...(answer ? ["", pretty(answer)] : [])]
    : [answer];
  return el("div", {}, block("The request", asked), block("The answer", answered));
}

/** @param {string} token */
function opened(token) {
  const { header, claims } = decode(token);
  const parts = token.split(".");
  return el(
    "div",
    {},
    el("p", { class: "raw" }, ...parts.flatMap((text, i) => [i > 0 && ".", el("span", { class: ["head", "claims", "signature"][i] }, text)])),
    block("Header", [JSON.stringify(header, undefined, 2)]),
    block("Claims", [JSON.stringify(claims, undefined, 2)]),
  );
}

/** @param {string} name @param {string[]} lines */
function block(name, lines) {
  const pre = el("pre", { tabindex: 0, role: "region", "aria-label": name }, el("code", {}, lines.join("\n")));
  return el("div", {}, el("p", { class: "part" }, name), pre);
}

/** JSON with a member on each line; anything else as it is, cut where it is long. @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text.length > MOST ? `${text.slice(0, MOST)} … (${text.length.toLocaleString("en")} letters)` : text;
  }
}
