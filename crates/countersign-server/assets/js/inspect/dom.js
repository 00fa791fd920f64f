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
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== undefined && value !== false) element.setAttribute(key, String(value));
  }
  fill(element, ...children);
  return element;
}

/** @param {string} style @param {() => void} click @param {...(Child | Child[])} children */
export function button(style, click, ...children) {
  return el("button", { type: "button", class: style, click }, ...children);
}

/** A paragraph. @param {string} style @param {...(Child | Child[])} children */
export function para(style, ...children) {
  return el("p", { class: style }, ...children);
}

/** Puts these in the place of what an element holds. @param {Element} element @param {...(Child | Child[])} children */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child instanceof Node || typeof child === "string"));
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

/** What a reader would not see, or what turns the direction of the letters after it. */
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0]/gu;

/** Text with every letter to be seen. @param {string} text */
export function visible(text) {
  /** @type {(Node | string)[]} */
  const shown = [];
  let from = 0;
  for (const { 0: letter, index } of text.matchAll(UNSEEN)) {
    const code = `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
    shown.push(text.slice(from, index), el("span", { class: "unseen", title: "a letter that is not seen, or turns others around" }, code));
    from = index + letter.length;
  }
  shown.push(text.slice(from));
  return shown;
}

/** How much of a long text is shown at first, and at most. */
const FIRST = 1_200;
const MOST = 60_000;

/** The same, cut where it is long, with a way to the rest. @param {string} text */
export function shortened(text) {
  if (text.length <= FIRST + 200) return visible(text);
  const count = text.length.toLocaleString("en");
  const end = text.length > MOST ? ` … and ${(text.length - MOST).toLocaleString("en")} letters more` : "";
  const rest = button("quiet", () => rest.replaceWith(...visible(text.slice(FIRST, MOST)), end), `… all ${count} letters`);
  return [...visible(text.slice(0, FIRST)), rest];
}

/** A link to where a rule stands: `RFC 7519 §4.1.4`. @param {string} rule */
export function ruleLink(rule) {
  const [, rfc, section] = /^RFC (\d+)(?: §([\w.]+))?$/.exec(rule) ?? [];
  const core = rule.startsWith("OIDC Core") ? "https://openid.net/specs/openid-connect-core-1_0.html" : undefined;
  const list = rule.startsWith("draft-ietf-oauth-status-list") ? "https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/" : undefined;
  const place = section ? `#section-${section}` : "";
  const href = rfc ? `https://www.rfc-editor.org/rfc/rfc${rfc}${place}` : (core ?? list);
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
