// The parts of a token. What it is worth, and what else was pasted, is for the server to say.

import { nameOf, parse, scan, valueOf } from "./json.js";

/** A token or its beginning, and nothing around it. @param {string} text */
export function isPlain(text) {
  return /^(e[wy]?[\w.-]*)?$/.test(text);
}

/** The octets of a base64url text, up to a letter that does not belong. @param {string} text */
export function decode(text) {
  const [letters = ""] = /^[\w+/-]*/.exec(text) ?? [];
  // One letter alone is less than an octet.
  const whole = letters.length % 4 === 1 ? letters.slice(0, -1) : letters;
  const held = atob(whole.replaceAll("-", "+").replaceAll("_", "/"));
  const octets = new Uint8Array(held.length);
  for (let i = 0; i < held.length; i += 1) octets[i] = held.charCodeAt(i);
  return octets;
}

/** @param {string} text */
export function encode(text) {
  let octets = "";
  for (const octet of new TextEncoder().encode(text)) octets += String.fromCharCode(octet);
  return btoa(octets).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A part of a token, from a place in its letters on; read when asked, once. */
export class Part {
  /** @type {Uint8Array | undefined} */
  #octets;
  /** @type {ReturnType<typeof scan> | undefined} */
  #found;

  /** @param {string} text @param {number} from */
  constructor(text, from) {
    this.text = text;
    this.from = from;
  }

  get octets() {
    return (this.#octets ??= decode(this.text));
  }

  get json() {
    return new TextDecoder().decode(this.octets);
  }

  get found() {
    return (this.#found ??= scan(this.octets));
  }

  /** What its first members say, where that is small. @returns {Map<string, unknown>} */
  get claims() {
    return new Map(this.found.members.slice(0, 200).map((one) => [nameOf(this.octets, one), parse(valueOf(this.octets, one))]));
  }
}

/** @type {{ token: string, all: Part[] }} */
let last = { token: "", all: [] };

/** The parts of a token, whole or not. @param {string} token */
export function parts(token) {
  if (last.token !== token || !token) last = { token, all: split(token) };
  return last.all;
}

/** What is after so many dots is one part, whatever is in it. */
const DOTS = 5;

/** @param {string} token */
function split(token) {
  /** @type {Part[]} */
  const all = [];
  for (let from = 0; ; ) {
    const dot = all.length < DOTS ? token.indexOf(".", from) : -1;
    all.push(new Part(token.slice(from, dot < 0 ? undefined : dot), from));
    if (dot < 0) return all;
    from = dot + 1;
  }
}
