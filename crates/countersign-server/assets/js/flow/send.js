// Real requests to this page's own origin, and what was sent and answered, to be looked at.

/**
 * @typedef {{
 *   method: string,
 *   path: string,
 *   sent: [string, string][],
 *   body: string,
 *   status: number,
 *   received: [string, string][],
 *   answer: string,
 * }} Exchange `status` is 0 where no answer came, and `answer` says why
 */

/** How long an answer may take. */
const TIMEOUT = 10_000;

/**
 * Sends a request with these tokens and with no cookie: the browser's own session stays out of it, unless it is asked who
 * looks at this page (`asVisitor`).
 *
 * @param {string} method
 * @param {string} path
 * @param {{ bearer?: string, json?: unknown, asVisitor?: boolean }} [what]
 * @returns {Promise<Exchange>}
 */
export async function send(method, path, { bearer, json, asVisitor = false } = {}) {
  /** @type {[string, string][]} */
  const sent = [];
  if (bearer) sent.push(["authorization", `Bearer ${bearer}`]);
  if (json !== undefined) sent.push(["content-type", "application/json"]);
  const body = json === undefined ? "" : JSON.stringify(json);
  const exchange = { method, path, sent, body };
  try {
    const answer = await fetch(path, {
      method,
      headers: sent,
      body: body || undefined,
      credentials: asVisitor ? "same-origin" : "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    return { ...exchange, status: answer.status, received: [...answer.headers], answer: await answer.text() };
  } catch (problem) {
    return { ...exchange, status: 0, received: [], answer: `no answer: ${problem instanceof Error ? problem.message : problem}` };
  }
}

/**
 * The answer's JSON object; empty where it is none.
 *
 * @param {Exchange} exchange
 * @returns {Record<string, any>}
 */
export function object({ answer }) {
  try {
    const value = JSON.parse(answer);
    return value && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
