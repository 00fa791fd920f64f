// The story: what happens in which order, how it is drawn, and what is really asked for it.

import { bitOf, numberOf } from "./token.js";
import { object, pause, send } from "./send.js";
import { SERVICE, Unexpected } from "./world.js";

/** @import { Exchange } from "./send.js" */
/** @import { Step as Rung } from "../inspect/types.js" */
/** @import { World } from "./world.js" */

/** @typedef {"browser" | "server" | "service"} Lane */
/**
 * @typedef {{ kind: "call", from: Lane, to: Lane, label: string, answer: string, good: boolean, who?: string, rungs?: "good" | "wrong" }
 *   | { kind: "wait", label: string } | { kind: "note", at: Lane, label: string }} Row
 */
/**
 * What came of a step: the answers in the order of its calls, in a few letters each, and in words.
 *
 * @typedef {{ answers?: string[], words: string, exchanges?: Exchange[], rungs?: Rung[], asExpected: boolean, shown?: [string, string][] }} Outcome
 */
/**
 * @typedef {{
 *   id: string,
 *   title: string,
 *   tell: string,
 *   rows: Row[],
 *   token?: "begins" | "counts" | "ends" | "doomed",
 *   secs?: (world: World) => number,
 *   run: (world: World) => Promise<Outcome>,
 * }} Step `token`: what becomes of the access token in it; `secs`: how long it lasts at least
 */
/** @typedef {{ title: string, steps: Step[] }} Scene */

/** For so long a token that was used already is taken for that of a tab that came late; and one second. */
const GRACE = 11;

/** The rung after those of the check list: one bit, in the service's memory. @param {number} number @returns {Rung} */
const takenBack = (number) => ({
  number,
  name: "status",
  outcome: "failed",
  verified: true,
  summary: "the status list says that it was taken back",
  rule: "a token whose bit is set in the list of its issuer is refused, though its exp lies ahead",
  rfc: "draft-ietf-oauth-status-list §8.3",
  code: "token_revoked",
  fix: "log in again",
});

/** @param {Exchange} exchange */
const code = (exchange) => object(exchange).code ?? "";

/** @param {Exchange} exchange @param {string} [what] */
const short = (exchange, what) => `${exchange.status || "no answer"}${what ? ` · ${what}` : ""}`;

/** @type {Row} */
const REQUEST = { kind: "call", from: "browser", to: "service", label: `GET ${SERVICE}`, answer: "200 · let in", good: true, rungs: "good" };
/** @type {Row} */
const REFUSED = { ...REQUEST, answer: "401 · taken back", good: false, rungs: "wrong" };

/**
 * A request with the token. Where somebody took longer than it lives, the page has refreshed first, as any client would.
 *
 * @param {World} world
 * @returns {Promise<Outcome>}
 */
async function use(world) {
  const before = world.isOver() ? [await world.goOn()] : [];
  const exchange = await world.use();
  const rungs = await world.explain();
  const isIn = exchange.status === 200;
  return {
    answers: [short(exchange, isIn ? "let in" : code(exchange))],
    words:
      (before.length ? "The token was over in the meantime, so the page refreshed first. " : "") +
      (isIn
        ? `All ${rungs.length} steps of the check list hold. The service has asked nobody: it has the server's public keys and its list of revocations in memory.`
        : `The service answered ${exchange.status}.`),
    exchanges: [...before, exchange],
    rungs,
    asExpected: isIn,
  };
}

/**
 * The token, until the service knows that it was taken back.
 *
 * @param {World} world
 * @returns {Promise<Outcome>}
 */
async function useUntilRefused(world) {
  const { exchanges, secs } = await world.useUntilRefused();
  const rungs = await world.explain();
  const last = /** @type {Exchange} */ (exchanges.at(-1));
  const isTakenBack = code(last) === "token_revoked";
  const isOver = code(last) === "token_expired";
  const lets = exchanges.length - 1;
  return {
    answers: [short(last, isTakenBack ? "taken back" : code(last))],
    words: isTakenBack
      ? `${lets === 0 ? "The service had read the list before the first of these requests, and refused it" : `The service let the token in ${lets === 1 ? "once" : `${lets} times`} more, and knew after ${secs} s`}. By its signature and its time the token would still count: one bit of a list says that it does not.`
      : isOver
        ? "The token was over before the service looked: you took longer than it lives."
        : `The service answered ${last.status}.`,
    exchanges,
    rungs: isTakenBack ? [...rungs, takenBack(rungs.length + 1)] : rungs,
    asExpected: isTakenBack || isOver,
  };
}

/** @param {World} world @returns {Promise<Outcome>} */
async function logIn(world) {
  const exchange = await world.logIn();
  const secs = object(exchange).expires_in;
  return {
    answers: [`200 · tokens, ${secs} s`],
    words: `An access token for ${secs} seconds, and a refresh token, the session's number ${numberOf(world.refresh)}. Lives differ a little, and 20 is the most, so that not everybody refreshes at once.`,
    exchanges: [exchange],
    asExpected: true,
  };
}

/** @type {Step} */
const LOG_IN = {
  id: "log-in",
  title: "The page asks for a session",
  tell: "A real log-in sends an address and a password to /login. Nobody types one here; the session begins by the same rules, and the answer is the same.",
  rows: [{ kind: "call", from: "browser", to: "server", label: "POST /flow/session", answer: "200 · tokens, ≤ 20 s", good: true }],
  token: "begins",
  run: logIn,
};

/** @type {Step} */
const USE = {
  id: "use",
  title: "A request with the token",
  tell: "The browser shows the token to a service. The service looks at it, step by step, and lets the request in.",
  rows: [REQUEST],
  token: "counts",
  run: use,
};

/** @type {Scene[]} */
export const STORY = [
  {
    title: "Log in",
    steps: [
      LOG_IN,
      {
        id: "keep",
        title: "The tokens are kept",
        tell: "In a variable of this page, and nowhere else: a reload forgets them. Pages of the server itself use cookies that no script can read.",
        rows: [{ kind: "note", at: "browser", label: "kept in a variable" }],
        token: "counts",
        async run(world) {
          return {
            words: "This is the access token. Whoever holds it can read it; nobody can change it.",
            shown: [["Access token", world.access]],
            asExpected: true,
          };
        },
      },
      USE,
    ],
  },
  {
    title: "It expires",
    steps: [
      {
        id: "expires",
        title: "Its time runs out",
        tell: "Nothing is sent. The token says itself until when it counts; nobody has to take it back.",
        rows: [{ kind: "wait", label: "its time goes by" }],
        token: "ends",
        // A second more: the server's clock stands between two of its seconds, this one anywhere.
        secs: (world) => Math.max(0, (world.ends - Date.now()) / 1_000) + 1,
        async run({ began, ends }) {
          return { answers: [`its ${Math.round((ends - began) / 1_000)} s went by`], words: "The last second of the token is over.", asExpected: true };
        },
      },
      {
        id: "expired",
        title: "The same request again",
        tell: "The same token, the same service. One step of the list fails now.",
        rows: [{ ...REQUEST, answer: "401 · expired", good: false, rungs: "wrong" }],
        async run(world) {
          const exchange = await world.use();
          const isExpired = code(exchange) === "token_expired";
          return {
            answers: [short(exchange, isExpired ? "expired" : code(exchange))],
            words: isExpired ? "401, and the header WWW-Authenticate says why. A client that reads it knows to refresh." : `The service answered ${exchange.status}.`,
            exchanges: [exchange],
            rungs: await world.explain(),
            asExpected: isExpired,
          };
        },
      },
    ],
  },
  {
    title: "Refresh",
    steps: [
      {
        id: "refresh",
        title: "The refresh token, for the next two",
        tell: "The refresh token counts once. The answer brings a fresh access token, and the next refresh token.",
        rows: [{ kind: "call", from: "browser", to: "server", label: "POST /refresh", answer: "200 · tokens, no. 2", good: true }],
        token: "begins",
        async run(world) {
          const used = numberOf(world.refresh);
          const exchange = await world.goOn();
          return {
            answers: [`200 · tokens, no. ${numberOf(world.refresh)}`],
            words: `Number ${used} went, number ${numberOf(world.refresh)} came. The server stores neither: it knows by its key what it has made.`,
            exchanges: [exchange],
            asExpected: true,
          };
        },
      },
      { ...USE, id: "use-again", title: "And on with the new token", tell: "The request that was refused is sent once more." },
    ],
  },
  {
    title: "Twins",
    steps: [
      {
        id: "twins",
        title: "Two tabs refresh at once",
        tell: "Both have the same refresh token, and neither knows of the other. A server that took the second for a thief would log an honest person out.",
        rows: ["tab 1", "tab 2"].map((who) => ({ kind: "call", from: "browser", to: "server", label: "POST /refresh", answer: "200 · tokens, no. 3", good: true, who })),
        token: "counts",
        async run(world) {
          const exchanges = await Promise.all([world.present(world.refresh), world.present(world.refresh)]);
          const [one, two] = exchanges.map((exchange) => object(exchange).refresh_token ?? "");
          for (const exchange of exchanges) world.take(exchange);
          world.rotated = Date.now();
          const isSame = one === two;
          return {
            answers: exchanges.map((exchange) => `${exchange.status} · tokens, no. ${numberOf(object(exchange).refresh_token ?? "")}`),
            words: isSame
              ? `Both got the same refresh token, number ${numberOf(one)}, and an access token each. Nobody was logged out.`
              : "The two got different refresh tokens.",
            exchanges,
            asExpected: isSame,
          };
        },
      },
    ],
  },
  {
    title: "A thief",
    steps: [
      {
        id: "later",
        title: "Ten seconds later",
        tell: "For ten seconds an old refresh token is taken for that of a tab that came late. A thief comes later.",
        rows: [{ kind: "wait", label: "10 s go by" }],
        token: "counts",
        secs: (world) => Math.max(0, GRACE - (Date.now() - world.rotated) / 1_000),
        async run() {
          return { words: "What was used before counts no longer, for anybody.", asExpected: true };
        },
      },
      {
        id: "thief",
        title: "A thief shows the first refresh token",
        tell: "It was copied when it was new. It was used since, so two people have it, and the server cannot know which of them is which.",
        rows: [{ kind: "call", from: "browser", to: "server", label: "POST /refresh", answer: "401 · session ended", good: false, who: "thief" }],
        token: "doomed",
        async run(world) {
          const exchange = await world.present(world.copied);
          const isRefused = exchange.status === 401;
          return {
            answers: [short(exchange, isRefused ? "session ended" : "")],
            words: isRefused ? "Refused, and the session is over, for both." : `The server answered ${exchange.status}.`,
            exchanges: [exchange],
            asExpected: isRefused,
          };
        },
      },
      {
        id: "owner",
        title: "Its owner is logged out too",
        tell: "The page shows the refresh token that it holds, the newest there is.",
        rows: [{ kind: "call", from: "browser", to: "server", label: "POST /refresh", answer: "401 · log in again", good: false }],
        token: "doomed",
        async run(world) {
          const exchange = await world.present(world.refresh);
          const isRefused = exchange.status === 401;
          if (isRefused) world.isOpen = false;
          return {
            answers: [short(exchange, isRefused ? "log in again" : "")],
            words: isRefused ? "An honest person logs in again. A thief cannot." : `The server answered ${exchange.status}.`,
            exchanges: [exchange],
            asExpected: isRefused,
          };
        },
      },
      {
        id: "cut-off",
        title: "The service hears of it",
        tell: "The access token has seconds to live. The service reads the server's list of revocations every three seconds, and asks for no token.",
        rows: [REFUSED],
        token: "ends",
        run: useUntilRefused,
      },
    ],
  },
  {
    title: "Log out",
    steps: [
      { ...LOG_IN, id: "log-in-again", title: "Logged in once more", tell: "A new session, which has nothing of the one before." },
      { ...USE, id: "use-once-more" },
      {
        id: "log-out",
        title: "Log out",
        tell: "The session ends. The server itself refuses its tokens from this moment on.",
        rows: [{ kind: "call", from: "browser", to: "server", label: "POST /logout", answer: "200 · logged out", good: true }],
        token: "doomed",
        async run(world) {
          const exchange = await world.logOut();
          return {
            answers: [short(exchange, exchange.status === 200 ? "logged out" : "")],
            words: "The bit of this session is set in the status list, in the same transaction.",
            exchanges: [exchange],
            asExpected: exchange.status === 200,
          };
        },
      },
      {
        id: "list",
        title: "The list that tells it",
        tell: "One bit for each session, signed, for everybody to read. It does not say whose bit is whose. The page reads here what services read.",
        rows: [{ kind: "call", from: "browser", to: "server", label: "GET /status-lists/0", answer: "200 · the bit is 1", good: true }],
        token: "doomed",
        async run(world) {
          const { path, place } = world.place();
          const exchange = await send("GET", path);
          if (exchange.status !== 200) throw new Unexpected(`GET ${path} was answered ${exchange.status}`, [exchange]);
          const { bit, places } = await bitOf(exchange.answer, place);
          return {
            answers: [`200 · the bit is ${bit}`],
            words: `Bit ${place.toLocaleString("en")} of ${places.toLocaleString("en")} is ${bit}: ${bit ? "taken back" : "not taken back"}. The token names this place in its claim status.`,
            exchanges: [exchange],
            asExpected: bit === 1,
          };
        },
      },
      {
        id: "refused",
        title: "The service refuses",
        tell: "The same request, every second, until the service has read the list anew.",
        rows: [REFUSED],
        token: "ends",
        run: useUntilRefused,
      },
    ],
  },
];

/** Every step, in order. */
export const STEPS = STORY.flatMap((scene) => scene.steps);

/**
 * Plays one step. The clock that runs is the page's own.
 *
 * @param {Step} step
 * @param {World} world
 * @param {(left: number, of: number) => void} tick
 */
export async function play(step, world, tick) {
  const of = step.secs?.(world) ?? 0;
  const end = Date.now() + of * 1_000;
  for (let left = of; left > 0; left = (end - Date.now()) / 1_000) {
    tick(left, of);
    await pause(Math.min(200, left * 1_000));
  }
  if (of > 0) tick(0, of);
  return step.run(world);
}
