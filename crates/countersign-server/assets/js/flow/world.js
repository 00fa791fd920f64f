// The demonstration's session as this page holds it: in variables, and nowhere else.

import { object, pause, send } from "./send.js";
import { decode } from "./token.js";

/** @import { Step } from "../inspect/types.js" */
/** @import { Exchange } from "./send.js" */

export const SERVICE = "/flow/service";

/** How often the service is asked again, and how often at most. */
const EVERY = 1_000;
const TRIES = 8;

/** A story stops here: what came is no step of it. */
export class Unexpected extends Error {
  /**
   * @param {string} message
   * @param {Exchange[]} exchanges
   */
  constructor(message, exchanges) {
    super(message);
    this.exchanges = exchanges;
  }
}

/** Tokens, and until when by this page's own clock. */
export class World {
  access = "";
  refresh = "";
  /** The first refresh token of the session: what a thief has copied. */
  copied = "";
  /** When the access token is over, and when it began. @type {number} */
  ends = 0;
  began = 0;
  /** When a refresh token was last changed for the next. */
  rotated = 0;
  /** Whether there is a session that this page could end. */
  isOpen = false;
  /** Called when another access token is held. */
  changed = () => {};

  async logIn() {
    const exchange = await send("POST", "/flow/session", { asVisitor: true });
    this.take(exchange);
    this.copied = this.refresh;
    this.isOpen = true;
    return exchange;
  }

  /** Goes to the server with a refresh token and takes nothing from the answer. @param {string} token */
  present(token) {
    return send("POST", "/refresh", { json: { refresh_token: token } });
  }

  async goOn() {
    const exchange = await this.present(this.refresh);
    this.take(exchange);
    this.rotated = Date.now();
    return exchange;
  }

  use() {
    return send("GET", SERVICE, { bearer: this.access });
  }

  /**
   * What the service finds in the token, step by step.
   *
   * @returns {Promise<Step[]>}
   */
  async explain() {
    const exchange = await send("POST", "/flow/explain", { json: { token: this.access }, asVisitor: true });
    return object(exchange).steps ?? [];
  }

  /** Uses the token every second until the service no longer lets it in. */
  async useUntilRefused() {
    const from = Date.now();
    const exchanges = [await this.use()];
    while (exchanges.length < TRIES && exchanges.at(-1)?.status === 200) {
      await pause(EVERY);
      exchanges.push(await this.use());
    }
    return { exchanges, secs: Math.round((Date.now() - from) / 1_000) };
  }

  async logOut() {
    const exchange = await send("POST", "/logout", { json: { refresh_token: this.refresh } });
    if (exchange.status === 200) this.isOpen = false;
    return exchange;
  }

  /**
   * Where the token stands in a status list.
   *
   * @returns {{ path: string, place: number }}
   */
  place() {
    const { uri, idx } = decode(this.access).claims.status.status_list;
    return { path: new URL(uri).pathname, place: idx };
  }

  isOver() {
    return Date.now() >= this.ends;
  }

  /** @param {Exchange} exchange with tokens in its answer */
  take(exchange) {
    const tokens = object(exchange);
    if (exchange.status !== 200 || typeof tokens.access_token !== "string") {
      const detail = tokens.detail ?? exchange.answer;
      throw new Unexpected(`${exchange.method} ${exchange.path} was answered ${exchange.status || "not at all"}: ${detail}`, [exchange]);
    }
    this.access = tokens.access_token;
    this.refresh = tokens.refresh_token;
    this.began = Date.now();
    this.ends = this.began + tokens.expires_in * 1_000;
    this.changed();
  }
}
