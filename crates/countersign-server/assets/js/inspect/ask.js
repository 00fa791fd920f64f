// Questions to the server that the page is from, and to no other. The latest counts: the one before it is called off.

import { phrase } from "./words.js";

/** The longest wait for an answer, in ms: a server may ask an issuer first. */
const LONGEST = 15_000;

/** What the server did not answer, in a sentence. */
export class Unanswered extends Error {}

/** @param {string} path @param {unknown} body @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function ask(path, body, signal) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.any([AbortSignal.timeout(LONGEST), ...(signal ? [signal] : [])]),
    });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new Unanswered(phrase("silent"));
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw new Unanswered(sentence(answer, said));
}

/** @param {Response} answer @param {{ detail?: unknown, message?: unknown }} said */
function sentence(answer, said) {
  if (answer.status === 413) return phrase("large");
  if (answer.status === 401) return phrase("over");
  if (answer.status === 429) return `Too many questions: go on in ${answer.headers.get("retry-after") ?? "a few"} s.`;
  const words = said.detail ?? said.message;
  return typeof words === "string" ? `${words[0]?.toUpperCase()}${words.slice(1)}.` : `The server answered ${answer.status}.`;
}

/** Asks the same thing again and again; only the last answer arrives. */
export class Latest {
  #running = new AbortController();

  /** `undefined` where another question came after this one. @param {string} path @param {unknown} body */
  async ask(path, body) {
    this.#running.abort();
    const mine = new AbortController();
    this.#running = mine;
    try {
      const said = await ask(path, body, mine.signal);
      return mine.signal.aborted ? undefined : said;
    } catch (problem) {
      if (mine.signal.aborted) return undefined;
      throw problem;
    }
  }

  stop() {
    this.#running.abort();
  }
}
