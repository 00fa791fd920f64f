// The members of a JSON object and where in its octets they stand, also where it is cut off or broken. No recursion.

/** @import { Member } from "./types.js" */

const [QUOTE, BACKSLASH, COLON, COMMA, OPEN, CLOSE] = [0x22, 0x5c, 0x3a, 0x2c, 0x7b, 0x7d];

/** @param {Uint8Array} octets */
export function scan(octets) {
  /** @type {Member[]} */
  const members = [];
  let at = space(octets, 0);
  if (octets[at] !== OPEN) return { isObject: false, members };
  at += 1;
  for (;;) {
    const from = space(octets, at);
    if (octets[from] !== QUOTE) break;
    const end = string(octets, from);
    let value = space(octets, end);
    if (octets[value] === COLON) value = space(octets, value + 1);
    const to = skip(octets, value);
    members.push({ from, end, value, to });
    at = space(octets, to);
    if (octets[at] !== COMMA) break;
    at += 1;
  }
  return { isObject: true, members };
}

/** @param {Uint8Array} octets @param {number} at */
function space(octets, at) {
  while (at < octets.length && (octets[at] ?? 0) <= 0x20) at += 1;
  return at;
}

/** The end of the string that begins here. @param {Uint8Array} octets @param {number} at */
function string(octets, at) {
  for (at += 1; at < octets.length; at += 1) {
    if (octets[at] === BACKSLASH) at += 1;
    else if (octets[at] === QUOTE) return at + 1;
  }
  return octets.length;
}

/** The end of the value that begins here. @param {Uint8Array} octets @param {number} at */
function skip(octets, at) {
  let depth = 0;
  while (at < octets.length) {
    const octet = octets[at] ?? 0;
    if (octet === QUOTE) {
      at = string(octets, at);
      continue;
    }
    // Of { and [ the one is the other with a bit more.
    if ((octet | 0x20) === OPEN) depth += 1;
    if ((octet | 0x20) === CLOSE) {
      if (depth === 0) return trimmed(octets, at);
      depth -= 1;
    }
    if (octet === COMMA && depth === 0) return trimmed(octets, at);
    at += 1;
  }
  return octets.length;
}

/** @param {Uint8Array} octets @param {number} at */
function trimmed(octets, at) {
  while ((octets[at - 1] ?? 0x21) <= 0x20) at -= 1;
  return at;
}

/** The name of a member of these octets. @param {Uint8Array} octets @param {Member} member */
export function nameOf(octets, { from, end }) {
  const text = new TextDecoder().decode(octets.subarray(from, end));
  const value = parse(text);
  return typeof value === "string" ? value : text;
}

/** The text of its value. @param {Uint8Array} octets @param {Member} member */
export function valueOf(octets, { value, to }) {
  return new TextDecoder().decode(octets.subarray(value, to));
}

/** A value that is small enough to be looked into, else nothing. @param {string} text @returns {unknown} */
export function parse(text) {
  if (text.length > 16_384) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How far deep lines are indented. */
const DEEPEST = 12;

/** JSON on lines of its own, by its brackets alone: broken JSON too, of any depth. @param {string} text */
export function pretty(text) {
  if (!/^[[{]/.test(text) || text.length < 60) return text;
  let depth = 0;
  const line = () => `\n${"  ".repeat(Math.min(depth, DEEPEST))}`;
  const lines = text.slice(0, 80_000).replace(/"(?:\\[^]|[^"\\])*"?|[[{}\],:]|[ \t\r\n]+/g, (piece) => {
    if (piece === "{" || piece === "[") depth += 1;
    else if (piece === "}" || piece === "]") {
      depth = Math.max(0, depth - 1);
      return line() + piece;
    } else if (piece !== ",") return piece === ":" ? ": " : /^\s/.test(piece) ? "" : piece;
    return piece + line();
  });
  return lines.replace(/([[{])\s+([\]}])/g, "$1$2") + text.slice(80_000);
}
