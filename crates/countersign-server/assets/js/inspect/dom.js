// Elements out of text. Nothing here makes markup of what a token says: text is text, whatever it looks like.

/** @import { Attributes, Child } from "./types.js" */

/**
 * An element. An attribute that is a function listens to the event of that name.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") on(element, key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== undefined && value !== false) element.setAttribute(key, String(value));
  }
  fill(element, ...children);
  return element;
}

/** @param {EventTarget} target @param {string} event @param {(event: any) => void} act */
export const on = (target, event, act) => target.addEventListener(event, act);

/** @param {string} style @param {() => void} click @param {...(Child | Child[])} children */
export function button(style, click, ...children) {
  return el("button", { type: "button", class: style, click }, ...children);
}

/** A paragraph of sentences. @param {string} style @param {...(Child | Child[])} children */
export function para(style, ...children) {
  return el("p", { class: style }, ...children.flat().map((child) => (typeof child === "string" ? prose(child) : child)));
}

/** Words between backticks are code; what a token says stands between quotes, and is text. @param {string} text */
export function prose(text) {
  const pieces = text.split(/("(?:\\.|[^"\\])*"|`[^`]+`)/);
  return pieces.flatMap((piece, i) => (i % 2 && piece[0] === "`" ? el("code", {}, visible(piece.slice(1, -1))) : visible(piece)));
}

/** Puts these into an element. @param {Element} element @param {...(Child | Child[])} children */
export function fill(element, ...children) {
  element.replaceChildren();
  for (const child of children.flat()) if (child) element.append(child);
}

/**
 * The element of a name, which the page has.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no #${id}`);
  return element;
}

/** @param {string} id */
export function place(id) {
  return byId(id, HTMLElement);
}

export const counted = (/** @type {number} */ number) => number.toLocaleString("en");

/** What a reader does not see, or takes for a space, and what turns the letters after it around. */
const UNSEEN = String.raw`\0-\t\v-\x1f\x7f-\x9f\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\p{Cf}\p{Zl}\p{Zp}\p{DI}`;
const IN_TEXT = new RegExp(`[${UNSEEN}]+`, "gu");
/** A name is one line, and begins and ends with a letter. */
const IN_NAME = new RegExp(`^ +|[\n${UNSEEN}]+|(?<! ) +$`, "gu");

/** So many runs of such letters are named: at first, and when asked for. */
const [NAMED, MORE] = [16, 200];

/** @param {string} words */
function mark(words) {
  return el("span", { class: "unseen", title: "letters that are not seen, or turn others around" }, words);
}

/** @param {string} run */
function codes(run) {
  const letters = [...run];
  const count = counted(letters.length);
  const code = (/** @type {string} */ letter) => `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  if (letters.length > 1 && letters.every((letter) => letter === letters[0])) return `${code(run)} × ${count}`;
  return letters.slice(0, 8).map(code).join(" ") + (letters.length > 8 ? ` … ${count} in all` : "");
}

/** Text with every letter to be seen. @param {string} text */
export function visible(text, unseen = IN_TEXT, most = NAMED) {
  /** @type {(Node | string)[]} */
  const shown = [];
  let [from, count, rest] = [0, 0, ""];
  for (const { 0: run, index } of text.matchAll(unseen)) {
    const between = text.slice(from, index);
    from = index + run.length;
    count += 1;
    if (count > most) rest += `${between}▯`;
    else shown.push(between, mark(codes(run)));
  }
  shown.push(rest + text.slice(from));
  if (rest) shown.push(mark(`▯ × ${counted(count - most)} not seen`));
  return shown;
}

/** How much of a long text is shown at first, of a name, and at most. */
const [FIRST, NAME, MOST] = [1_200, 120, 60_000];

/** A place between letters. @param {string} text @param {number} at */
const whole = (text, at) => ((text.codePointAt(at - 1) ?? 0) > 0xffff ? at - 1 : at);

/** The same, cut where it is long, with a way to the rest as the last. @param {string} text */
export function shortened(text, isName = false) {
  const [most, unseen] = isName ? [NAME, IN_NAME] : [FIRST, IN_TEXT];
  if (isName && !text) return [mark("empty")];
  if (text.length <= most * 1.2) return visible(text, unseen);
  const count = counted(text.length);
  const end = text.length > MOST ? ` … and ${counted(text.length - MOST)} letters more` : "";
  const first = whole(text, most);
  const all = () => rest.replaceWith(el("span", {}, visible(text.slice(first, whole(text, MOST)), unseen, MORE), end));
  const rest = button("quiet", all, `… all ${count} letters`);
  return [...visible(text.slice(0, first), unseen), rest];
}

/** A link to where a rule stands: `RFC 7519 §4.1.4`. @param {string} rule */
export function ruleLink(rule) {
  const [, rfc, section] = /^RFC (\d+)(?: §([\w.]+))?$/.exec(rule) ?? [];
  const core = rule.startsWith("OIDC Core") && "https://openid.net/specs/openid-connect-core-1_0.html";
  const draft = /^draft-[\w-]+/.exec(rule);
  const href = rfc ? `https://www.rfc-editor.org/rfc/rfc${rfc}${section ? `#section-${section}` : ""}` : draft ? `https://datatracker.ietf.org/doc/${draft}/` : core;
  return href ? el("a", { href, target: "_blank", rel: "noreferrer noopener", class: "rule" }, rule) : el("span", { class: "rule" }, rule);
}

/** A button that copies a text. @param {() => string} text @param {string} [label] */
export function copyButton(text, label = "Copy") {
  const copies = button("quiet", () => void copy(), label);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text());
      copies.textContent = "Copied";
    } catch {
      copies.textContent = "Not allowed here";
    }
    setTimeout(() => (copies.textContent = label), 1_600);
  }
  return copies;
}
