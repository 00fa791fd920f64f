// The token in colours beside what it says; each stretch of it belongs to a field.

import { button, counted, el, fill, on, para, place, ruleLink, shortened } from "./dom.js";
import { nameOf, parse, pretty, valueOf } from "./json.js";
import { parts } from "./read.js";
import { absolute, local, relative } from "./time.js";
import { ALGORITHMS, CLAIMS, HEADER, phrase, TIMES } from "./words.js";

/** @import { Part } from "./read.js" */
/** @import { Asked, Member, Side, Stretch } from "./types.js" */

/** So many letters of a token are shown; what is said of it is said of all of it. */
export const SHOWN = 20_000;
/** So many fields of a part are drawn at first, and so many more each time. */
const [FIELDS, MORE] = [20, 200];
const NAMES = ["header", "payload", "signature"];

export class Decoded {
  /** What the payload says. @type {Map<string, unknown>} */
  claims = new Map();
  #places = { colours: place("colours"), header: place("header"), payload: place("payload"), signature: place("signature") };
  #ask;
  /** @type {Map<string, Element>} */
  #rows = new Map();
  /** @type {Map<string, Element[]>} */
  #spans = new Map();
  #lit = "";
  #token = "";
  /** Those that are shown. @type {Stretch[]} */
  #stretches = [];
  /** @type {{ element: Element, secs: number }[]} */
  #times = [];
  /** @type {Set<Side>} */
  #edited = new Set();

  /** @param {Asked} ask what a field asks the page for */
  constructor(ask) {
    this.#ask = ask;
    for (const side of [this.#places.header, this.#places.payload]) {
      for (const event of ["pointerover", "focusin"]) on(side, event, ({ target }) => this.reveal(linkOf(target)));
      on(side, "pointerleave", (event) => this.leave(event));
      on(side, "focusout", () => this.light(""));
    }
  }

  /** A side that is written in is not drawn over. @param {Side} side @param {boolean} isEdited */
  edit(side, isEdited) {
    if (isEdited) this.#edited.add(side);
    else this.#edited.delete(side);
  }

  /** What cannot be drawn leaves nothing of what stood there. @param {string} token @param {number | undefined} fault */
  draw(token, fault) {
    this.#token = token;
    this.#clear("");
    try {
      this.#draw(fault);
    } catch (problem) {
      this.#clear(phrase("undrawn"));
      reportError(problem);
    }
  }

  /** @param {string} words in the place of everything */
  #clear(words) {
    for (const held of [this.#rows, this.#spans]) held.clear();
    [this.#times, this.#stretches, this.claims] = [[], [], new Map()];
    const { colours, ...panes } = this.#places;
    fill(colours, this.#token.slice(0, SHOWN), "\n");
    for (const [name, pane] of Object.entries(panes)) if (!this.#edited.has(/** @type {Side} */ (name))) fill(pane, words && para("problem", words));
  }

  /** @param {number | undefined} fault */
  #draw(fault) {
    const token = this.#token;
    const all = parts(token);
    const isEncrypted = all.length === 5 && all[0]?.json.includes('"enc"');
    this.#stretches = all.flatMap((part, index) => stretch(part, isEncrypted && index ? 3 : index, index < (isEncrypted ? 1 : 2) ? part.found.members : []));
    this.mark(fault);
    const [header, payload, signature] = all;
    if (!this.#edited.has("header")) fill(this.#places.header, token ? this.#side(header, "header") : blank("Which algorithm, which key."));
    if (!this.#edited.has("payload")) {
      const shown = isEncrypted ? encrypted(all) : payload ? this.#side(payload, "payload") : blank("Who, for whom, until when.");
      fill(this.#places.payload, shown);
    }
    const more = !isEncrypted && all.length > 3 && blank(`Parts after this one: ${counted(token.split(".").length - 3)}. ${phrase("parts")}`);
    fill(this.#places.signature, isEncrypted ? blank("Inside, once it is decrypted.") : signed(signature), more);
    if (payload) this.claims = payload.claims;
  }

  /** Lights up what belongs together. @param {string} link */
  light(link) {
    if (link === this.#lit) return;
    this.#each((element) => element.classList.remove("is-lit"));
    this.#lit = link;
    this.#each((element) => element.classList.add("is-lit"));
  }

  /** From a field: its bytes come into view, and the page stands still. @param {string} link */
  reveal(link) {
    this.light(link);
    const [box, span] = [place("paper"), this.#spans.get(link)?.[0]];
    if (!span) return;
    const [seen, is] = [box.getBoundingClientRect(), span.getBoundingClientRect()];
    if (is.top < seen.top || is.bottom > seen.bottom) box.scrollTop += is.top - seen.top - 12;
  }

  /** @param {(element: Element) => void} act on all that is lit */
  #each(act) {
    for (const element of [...(this.#spans.get(this.#lit) ?? []), this.#rows.get(this.#lit)]) if (element) act(element);
  }

  /** What a finger touched stays lit. @param {PointerEvent} event */
  leave({ pointerType }) {
    if (pointerType !== "touch") this.light("");
  }

  /** The same by a place in the token. @param {number} letter */
  lightAt(letter) {
    this.light(this.#stretches.find(({ from, to }) => letter >= from && letter < to)?.link ?? "");
  }

  /** @param {number} at the time that everything is seen from, in epoch seconds */
  tick(at) {
    for (const { element, secs } of this.#times) {
      const words = relative(secs, at);
      if (element.textContent !== words) element.textContent = words;
    }
  }

  /** The colours alone, with the place of a fault. @param {number | undefined} fault */
  mark(fault) {
    const token = this.#token.slice(0, SHOWN);
    this.#spans.clear();
    const drawn = this.#stretches.flatMap((one) => split(one, fault)).map((one) => {
      const span = el("span", { class: one.of }, token.slice(one.from, one.to));
      if (one.link) {
        span.dataset.link = one.link;
        this.#spans.set(one.link, [...(this.#spans.get(one.link) ?? []), span]);
      }
      return span;
    });
    // The box of the text field has one line more than its last line break shows.
    fill(this.#places.colours, drawn, fault === token.length && token && el("span", { class: "fault at-end" }), "\n");
  }

  /** A long text while somebody types: its parts, no fields. @param {string} text */
  tint(text) {
    this.#token = text;
    this.#stretches = parts(text).flatMap((part, index) => stretch(part, index, []));
    this.mark(undefined);
  }

  /** @param {Part | undefined} part @param {Side} side */
  #side(part, side) {
    if (!part?.octets.length) return [blank("Nothing.")];
    const { isObject, members } = part.found;
    if (!isObject || members.length === 0) return this.#other(part.json, part.octets);
    const octets = part.octets;
    const rows = (/** @type {number} */ from, /** @type {number} */ to) => {
      const all = members.slice(from, to).map((one, i) => this.#field(one, octets, side, from + i));
      const rest = members.length - to;
      const more = button("quiet", () => more.replaceWith(...rows(to, to + MORE)), `… ${counted(rest)} more`);
      return rest > 0 ? [...all, more] : all;
    };
    return rows(0, FIELDS);
  }

  /** What is no object: text, another token, octets. @param {string} text @param {Uint8Array} octets @returns {Node[]} */
  #other(text, octets) {
    if (text.includes("\ufffd")) {
      return [para("words", `${octets.length} bytes that are no text:`), el("code", { class: "bytes" }, shortened(hex(octets)))];
    }
    const shown = el("code", { class: "bytes" }, shortened(text));
    const inner = this.#inner(text.replace(/^"|"$/g, ""));
    return inner ? [para("words", "A token inside of a token. ", inner), shown] : [para("words", "No JSON object:"), shown];
  }

  /** A way into a token that stands in this one. @param {string} text */
  #inner(text) {
    if (text.length > 60_000 || !/^ey[\w-]+\.[\w-]+\.[\w.-]*$/.test(text)) return undefined;
    return button("quiet", () => this.#ask.open(text), "Take it apart");
  }

  /** @param {Member} member @param {Uint8Array} octets @param {Side} side @param {number} index */
  #field(member, octets, side, index) {
    const text = valueOf(octets, member);
    const named = nameOf(octets, member);
    const value = parse(text);
    const link = `${side}-${index}`;
    const select = () => {
      const found = this.#stretches.find((one) => one.link === link);
      if (found) this.#ask.select(found.from, found.to);
    };
    const letters = shortened(named, true);
    const rest = letters.at(-1) instanceof HTMLButtonElement && letters.pop();
    const name = el("button", { type: "button", class: "name", title: "Show it in the token", click: select }, letters);
    const kind = typeof value === "string" || text.startsWith('"') ? "string" : typeof value === "number" ? "number" : "other";
    const line = para("line", name, rest, el("code", { class: `value is-${kind}` }, shortened(pretty(text))));
    const inner = typeof value === "string" ? this.#inner(value) : undefined;
    const row = el("div", { class: "claim" }, line, words(named, value, side), this.#when(named, value, side), inner);
    row.dataset.link = link;
    this.#rows.set(link, row);
    return row;
  }

  /** @param {string} name @param {unknown} value @param {Side} side */
  #when(name, value, side) {
    if (side !== "payload" || typeof value !== "number" || !TIMES.has(name)) return undefined;
    if (Math.abs(value) > 1e11) return para("when care", phrase("far"));
    const away = el("strong", { class: "away" });
    this.#times.push({ element: away, secs: value });
    return para("when", away, " · ", el("time", {}, absolute(value)), " · ", el("span", {}, `${local(value)} in your time zone`));
  }
}

/** @param {EventTarget | null} target */
function linkOf(target) {
  const element = target instanceof Element ? target.closest("[data-link]") : undefined;
  return element instanceof HTMLElement ? (element.dataset.link ?? "") : "";
}

/** One for each member that is shown, and the dot before it. @param {Part} part @param {number} index @param {Member[]} members @returns {Stretch[]} */
function stretch(part, index, members) {
  const of = `of-${NAMES[index] ?? "rest"}`;
  const end = part.from + part.text.length;
  const dot = index > 0 ? [{ from: part.from - 1, to: part.from, of: "dot" }] : [];
  // An octet begins in this letter.
  const letter = (/** @type {number} */ octet) => Math.min(end, part.from + Math.floor((octet * 4) / 3));
  const starts = members.slice(0, SHOWN).map((member, i) => (i === 0 ? part.from : letter(member.from)));
  const all = starts.map((from, i) => ({ from, to: starts[i + 1] ?? end, of, link: `${NAMES[index]}-${i}` }));
  return [...dot, ...(all.length ? all : [{ from: part.from, to: end, of }])].filter(({ from }) => from < SHOWN);
}

/** @param {Stretch} one @param {number | undefined} fault @returns {Stretch[]} */
function split(one, fault) {
  if (fault === undefined || fault < one.from || fault >= one.to) return [one];
  const all = [{ ...one, to: fault }, { ...one, from: fault, to: fault + 1, of: `${one.of} fault` }, { ...one, from: fault + 1 }];
  return all.filter(({ from, to }) => from < to);
}

/** @param {string} name @param {unknown} value @param {Side} side */
function words(name, value, side) {
  const [text, rule] = (side === "header" ? HEADER : CLAIMS).get(name) ?? [];
  const alg = side === "header" && name === "alg" && ALGORITHMS.get(String(value))?.[0];
  if (!text || !rule) return para("words", phrase("unknown"));
  return para("words", `${text}. `, alg && `${alg}. `, ruleLink(rule));
}

/** @param {Part | undefined} part */
function signed(part) {
  if (!part) return blank("What nobody else can have made.");
  if (!part.text) return para("words", "Empty: nobody signed this.");
  const { octets } = part;
  return [para("words", `${octets.length} bytes over everything before the last dot. `, ruleLink("RFC 7515 §5.2")), el("code", { class: "bytes" }, shortened(hex(octets)))];
}

/** @param {Part[]} all */
function encrypted(all) {
  const names = ["the encrypted key", "the initialisation vector", "the content", "the tag"];
  const sizes = all.slice(1).map((part, i) => el("tr", {}, el("th", { scope: "row" }, names[i]), el("td", {}, `${part.octets.length} bytes`)));
  return [para("words", phrase("encrypted"), " ", ruleLink("RFC 7516 §7.1")), el("table", {}, el("tbody", {}, sizes))];
}

/** @param {Uint8Array} octets */
function hex(octets) {
  return Array.from(octets.subarray(0, 16_384), (octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** @param {string} words */
function blank(words) {
  return para("blank", words);
}
