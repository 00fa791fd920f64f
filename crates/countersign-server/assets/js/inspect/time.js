// Times in words. What time it is, the server says: its clock is the one that it verifies by.

let ahead = 0;

/** @param {number} now the server's, in epoch seconds */
export function setClock(now) {
  ahead = now - Date.now() / 1_000;
}

export function now() {
  return Date.now() / 1_000 + ahead;
}

/** @param {number} secs */
export function absolute(secs) {
  const date = new Date(secs * 1_000);
  if (Number.isNaN(date.getTime())) return "beyond every calendar";
  return date.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
}

/** On the calendar. @param {number} secs */
export function local(secs) {
  return new Date(secs * 1_000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

const UNITS = /** @type {const} */ ([
  ["y", 31_557_600],
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
]);

/** A length of time in its two largest units. @param {number} secs */
export function span(secs) {
  let rest = Math.floor(Math.abs(secs));
  const words = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count} ${unit}`);
    if (words.length === 2 || (words.length === 1 && count === 0)) break;
  }
  return words.join(" ") || "0 s";
}

/** @param {number} secs @param {number} from */
export function relative(secs, from) {
  const ahead = secs - from;
  if (Math.abs(ahead) < 1) return "now";
  return ahead > 0 ? `in ${span(ahead)}` : `${span(ahead)} ago`;
}

/** Epoch seconds, or a date; `undefined` for neither. @param {string} text */
export function moment(text) {
  const plain = text.trim();
  if (/^-?\d{1,15}$/.test(plain)) return Number(plain);
  const millis = Date.parse(plain);
  return Number.isNaN(millis) ? undefined : Math.floor(millis / 1_000);
}
