// A token out of what people paste, and its parts. What it is worth is for the server to say.

import { scan } from "./json.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Int8Array(128).fill(-1);
[...ALPHABET].forEach((letter, value) => (VALUES[letter.charCodeAt(0)] = value));
[VALUES[43], VALUES[47]] = [62, 63];

/** The token in a pasted text: alone, after `Bearer`, in a header, a URL or quotation marks. @param {string} pasted */
export function bare(pasted) {
  let text = pasted.trim();
  const url = /[#?&](?:token|access_token|id_token)=([^&\s"']+)/.exec(text);
  if (url) {
    try {
      return decodeURIComponent(url[1] ?? "");
    } catch {
      return url[1] ?? "";
    }
  }
  text = text.replace(/^(["'])([^]*)\1$/, "$2").trim();
  const header = /(?:^|["'\s])authorization\s*:\s*(?:bearer|dpop)\s+([^\s"']+)/i.exec(text);
  if (header) return header[1] ?? "";
  text = text.replace(/^(?:bearer|dpop)\s+/i, "");
  // A terminal breaks long lines; there is no line break in a token.
  return /^[\w.\s=+/-]+$/.test(text) && text.includes(".") ? text.replace(/\s+/g, "") : text;
}

/** The octets of a base64url text, up to a letter that does not belong. @param {string} text */
export function decode(text) {
  const octets = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [bits, held, at] = [0, 0, 0];
  for (let i = 0; i < text.length; i += 1) {
    const value = VALUES[text.charCodeAt(i)] ?? -1;
    if (value < 0) break;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      octets[at] = (bits >> held) & 0xff;
      at += 1;
    }
  }
  return octets.subarray(0, at);
}

/** @param {string} text */
export function encode(text) {
  const octets = new TextEncoder().encode(text);
  let out = "";
  for (let i = 0; i < octets.length; i += 3) {
    const rest = octets.length - i;
    const bits = ((octets[i] ?? 0) << 16) | ((octets[i + 1] ?? 0) << 8) | (octets[i + 2] ?? 0);
    for (let j = 0; j < Math.min(4, rest + 1); j += 1) out += ALPHABET[(bits >> (18 - 6 * j)) & 63];
  }
  return out;
}

/** A part of a token; `from` is a place in its letters. What it says is read when somebody asks, and once. */
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
}

/** @type {{ token: string, all: Part[] }} */
let last = { token: "", all: [] };

/** The parts of a token, whole or not. @param {string} token */
export function parts(token) {
  if (last.token !== token || !token) last = { token, all: split(token) };
  return last.all;
}

/** @param {string} token @returns {Part[]} */
function split(token) {
  let from = 0;
  return token.split(".").map((text) => {
    const part = new Part(text, from);
    from += text.length + 1;
    return part;
  });
}
