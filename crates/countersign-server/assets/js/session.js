// A session of a page with a Countersign server: one refresh for all tabs, a little before it is needed, and one more try
// after a 401 about the token. With cookies no token is ever seen here; in memory the tabs tell each other. Nothing is
// written to localStorage or any other store. No dependencies.
//
//   const session = new Session({ base: "https://id.example" });
//   await session.logIn(email, password);
//   const answer = await session.fetch("https://orders.example/orders");
//   await session.logOut();

/** How long before its end an access token is replaced, at most; a tenth of its life where that is less. */
const AHEAD_MS = 30_000;
/** How long a tab waits for what another one is known to know; and where that cannot be told. */
const HEARSAY_MS = [5_000, 100];
/** After a failure of the network: 1 s, 2 s, 4 s, … a minute. */
const RETRY_MS = [1_000, 60_000];
/** The codes of a 401 that a new token may mend. */
const TOKEN_CODES = new Set(["no_credential", "token_expired", "token_revoked", "invalid_token"]);

/** The session is over: somebody has to log in again. */
export class SessionOver extends Error {
  constructor() {
    super("the session is over; log in again");
    this.name = "SessionOver";
  }
}

/** The server refused, or could not answer. `status`, `code` and `problem` are those of the answer (RFC 9457). */
export class Refused extends Error {
  /** @param {number} status @param {any} problem */
  constructor(status, problem) {
    super(problem?.detail ?? `the server answered ${status}`);
    this.name = "Refused";
    this.status = status;
    this.code = problem?.code;
    this.problem = problem;
  }
}

/**
 * @typedef {object} State what a tab knows of the session, and tells the others
 * @property {number} since when the server said so, by this machine's clock; later than whatever was known before
 * @property {boolean} isOver
 * @property {number} expiresAt when the access token is over, by this machine's clock
 * @property {number} aheadMs how long before that it is replaced
 * @property {string} [accessToken] in memory only
 * @property {string} [refreshToken] in memory only
 */

/** A session, the same one in every tab of an origin that names the same server. */
export class Session extends EventTarget {
  /**
   * @param {object} options
   * @param {string} [options.base] the server; the page's own origin by default
   * @param {"cookie" | "memory"} [options.mode] who keeps the tokens: the browser, out of reach of scripts (the
   *   default, for pages of the server's own site), or the tabs
   * @param {typeof globalThis.fetch} [options.fetch]
   */
  constructor({ base = "", mode = "cookie", fetch = globalThis.fetch.bind(globalThis) } = {}) {
    super();
    this.base = base.replace(/\/$/, "");
    this.mode = mode;
    this.#fetch = fetch;
    this.#name = `countersign ${mode} ${this.base || globalThis.location?.origin}`;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#channel.postMessage({ ask: true });
  }

  #fetch;
  #name;
  /** @type {BroadcastChannel} */
  #channel;
  /** @type {State | undefined} */
  #state;
  /** @type {Promise<void> | undefined} */
  #refreshing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #failures = 0;
  /** @type {Set<() => void>} */
  #waiting = new Set();
  /** Gives back the lock that tells the others since when this tab knows what it knows. */
  #forget = () => {};

  /**
   * Logs in; every tab is logged in then.
   * @param {string} email @param {string} password
   */
  async logIn(email, password) {
    const session = this.mode === "cookie" ? "cookie" : "token";
    await this.#take(await this.#post("/login", { email, password, session }));
  }

  /**
   * Ends this session, the `others`, or all (`global`).
   * @param {"local" | "others" | "global"} [scope]
   */
  async logOut(scope = "local") {
    if (scope !== "local") await this.#ready();
    // A tab that was opened just now has heard nothing yet: in memory only the others know the token.
    else if (!this.#state && this.mode === "memory") await this.#ask();
    const before = this.#state;
    if (this.mode === "memory" && !before?.accessToken) return this.#end();
    try {
      await this.#post("/logout", { scope }, before?.accessToken);
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.status !== 401) throw problem;
      // To end this session an expired token is enough, so this one is over already; for the others it takes a fresh one.
      if (scope !== "local") {
        await this.#refresh(isFreshAfter(before));
        await this.#post("/logout", { scope }, this.#state?.accessToken);
      }
    }
    if (scope !== "others") await this.#end();
  }

  /**
   * `fetch` with this session: refreshes first where the access token is about to be over, and tries once more after a
   * 401 that is about the token. Any other, like that of a wrong password, is an answer like all others.
   * @param {RequestInfo | URL} input @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init) {
    await this.#ready();
    // A body can be read once; the second try needs its own.
    const request = new Request(input, init);
    const again = request.clone();
    const before = this.#state;
    const answer = await this.#send(request);
    if (!(await isAboutToken(answer))) return answer;
    await this.#refresh(isFreshAfter(before));
    return this.#send(again);
  }

  /** Refreshes now, unless another tab has just done it. */
  async refresh() {
    await this.#refresh(isFreshAfter(this.#state));
  }

  /** Stops timers and listening: for a page that is left behind. */
  close() {
    clearTimeout(this.#timer);
    this.#forget();
    this.#channel.close();
  }

  /** @param {Request} request */
  #send(request) {
    if (this.mode === "memory") {
      const headers = new Headers(request.headers);
      headers.set("authorization", `Bearer ${this.#state?.accessToken}`);
      return this.#fetch(new Request(request, { headers, credentials: "omit" }));
    }
    return this.#fetch(new Request(request, { credentials: "include" }));
  }

  /** Waits until there is an access token that is not about to be over. With cookies only the server may know. */
  async #ready() {
    if (!this.#state) await this.#ask();
    if (this.#state?.isOver || (!this.#state && this.mode === "memory")) throw new SessionOver();
    if (this.#state && !isFresh(this.#state)) await this.#refresh(isFresh);
  }

  /**
   * One refresh at a time, in this tab and in all of them. Whoever comes second takes what the first one got.
   * @param {(state: State) => boolean} isDone
   */
  async #refresh(isDone) {
    // One that is under way in this tab may be content with less.
    while (this.#refreshing) {
      await this.#refreshing;
      if (this.#state && isDone(this.#state)) return;
    }
    this.#refreshing = alone(this.#name, async () => {
      // The tab before may have told; its message is on the way.
      if (!this.#state || !isDone(this.#state)) await this.#ask(isDone);
      if (this.#state?.isOver) throw new SessionOver();
      if (this.#state && isDone(this.#state)) return;
      await this.#exchange();
    }).finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #exchange() {
    const token = this.#state?.refreshToken;
    if (this.mode === "memory" && !token) throw new SessionOver();
    try {
      await this.#take(await this.#post("/refresh", token ? { refresh_token: token } : {}));
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 401) {
        await this.#end();
        throw new SessionOver();
      }
      // The network, or a server that is busy: the token is as good as before, and is shown again.
      this.#failures += 1;
      this.#schedule();
      throw problem;
    }
  }

  /**
   * @param {string} path @param {object} body @param {string} [token]
   * @returns {Promise<any>}
   */
  async #post(path, body, token) {
    const headers = new Headers({ "content-type": "application/json" });
    if (token) headers.set("authorization", `Bearer ${token}`);
    const credentials = this.mode === "cookie" ? "include" : "omit";
    const init = { method: "POST", headers, body: JSON.stringify(body), credentials };
    const answer = await this.#fetch(this.base + path, /** @type {RequestInit} */ (init));
    const json = await answer.json().catch(() => undefined);
    if (!answer.ok) throw new Refused(answer.status, json);
    return json;
  }

  /** @param {any} tokens the answer of the server */
  #take(tokens) {
    const lifeMs = tokens.expires_in * 1_000;
    /** @type {State} */
    const state = {
      since: this.#later(),
      isOver: false,
      expiresAt: Date.now() + lifeMs,
      aheadMs: Math.min(AHEAD_MS, lifeMs / 10),
    };
    if (this.mode === "memory") {
      state.accessToken = tokens.access_token;
      state.refreshToken = tokens.refresh_token;
    }
    return this.#tell(state);
  }

  #end() {
    const state = { since: this.#later(), isOver: true, expiresAt: 0, aheadMs: 0 };
    return this.#tell(state);
  }

  /** @param {State} state */
  async #tell(state) {
    const known = this.#learn(state);
    this.#channel.postMessage({ state });
    await known;
  }

  /** @param {{ ask?: true, state?: State }} message */
  #hear(message) {
    if (message.ask && this.#state) this.#channel.postMessage({ state: this.#state });
    if (message.state && message.state.since > (this.#state?.since ?? 0)) this.#learn(message.state);
  }

  /** Now, or a little later: a clock can be set back, and two answers can come in one millisecond. */
  #later() {
    return Math.max(Date.now(), (this.#state?.since ?? 0) + 1);
  }

  /**
   * @param {State} state
   * @returns a promise that the other tabs can see that this one knows
   */
  #learn(state) {
    const wasOver = this.#state?.isOver ?? true;
    this.#state = state;
    this.#failures = 0;
    this.#waiting.forEach((look) => look());
    this.#schedule();
    if (state.isOver && !wasOver) this.dispatchEvent(new Event("over"));
    if (!state.isOver && wasOver) this.dispatchEvent(new Event("begin"));
    this.#forget();
    return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      if (!locks) return resolve();
      const known = new Promise((/** @type {(value?: unknown) => void} */ forget) => (this.#forget = forget));
      locks.request(`${this.#name} ${state.since}`, { mode: "shared" }, () => (resolve(), known));
    });
  }

  /**
   * Asks the other tabs, where one knows something newer, and waits for its answer.
   * @param {(state: State) => boolean} isEnough
   */
  async #ask(isEnough = () => true) {
    const newest = await knownSince(this.#name);
    if (newest !== undefined && newest <= (this.#state?.since ?? 0)) return;
    this.#channel.postMessage({ ask: true });
    await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = () => {
        if (this.#state && (this.#state.isOver || isEnough(this.#state))) done();
      };
      const timer = setTimeout(done, HEARSAY_MS[newest === undefined ? 1 : 0]);
      this.#waiting.add(look);
      look();
    });
  }

  #schedule() {
    clearTimeout(this.#timer);
    if (!this.#state || this.#state.isOver) return;
    const [first, most] = RETRY_MS;
    const wait = this.#failures
      ? Math.min(first * 2 ** (this.#failures - 1), most)
      : this.#state.expiresAt - this.#state.aheadMs - Date.now();
    // A failure is told to whoever waits for it; the timer tries again by itself.
    this.#timer = setTimeout(() => this.#refresh(isFresh).catch(() => {}), Math.max(wait, 0));
  }
}

/** @param {State} state */
function isFresh(state) {
  return !state.isOver && Date.now() < state.expiresAt - state.aheadMs;
}

/**
 * Whether an answer refuses the token, or finds none: by its challenge (RFC 6750 §3.1) or, where a page of another origin
 * may not read that, by its code (RFC 9457).
 * @param {Response} answer
 * @returns {Promise<boolean>}
 */
async function isAboutToken(answer) {
  if (answer.status !== 401) return false;
  if (/\berror="?invalid_token\b/.test(answer.headers.get("www-authenticate") ?? "")) return true;
  const problem = await answer.clone().json().catch(() => undefined);
  return TOKEN_CODES.has(problem?.code);
}

/**
 * Whether a state is fresh and newer than another one: what a tab hears may be what it knows itself, once more.
 * @param {State | undefined} before
 * @returns {(state: State) => boolean}
 */
function isFreshAfter(before) {
  return (state) => isFresh(state) && state.since > (before?.since ?? 0);
}

// A page without locks (not over https) is alone as far as it knows; the server forgives tabs that refresh at once.
const locks = globalThis.navigator?.locks;

/**
 * Runs work while no other tab does.
 * @param {string} name @param {() => Promise<void>} work
 * @returns {Promise<void>}
 */
function alone(name, work) {
  return locks ? locks.request(name, work) : work();
}

/**
 * The newest that any tab knows: each holds a lock named after it. So nobody waits for an answer that will not come, or
 * gives up on one that is slow.
 * @param {string} name
 * @returns {Promise<number | undefined>} 0 where no tab knows anything, nothing where that cannot be told
 */
async function knownSince(name) {
  const { held } = (await locks?.query()) ?? {};
  const since = held?.map((lock) => (lock.name?.startsWith(`${name} `) ? Number(lock.name.slice(name.length + 1)) : 0));
  return since && Math.max(0, ...since);
}
