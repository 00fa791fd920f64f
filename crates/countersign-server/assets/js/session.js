// A session of a page with a Countersign server: one refresh for all tabs, a little before it is needed, and one more try
// after a 401 about the token. With cookies no token is ever seen here; in memory the tabs tell each other. Nothing is
// written to localStorage or any other store. No dependencies.
//
//   const session = new Session({ base: "https://id.example", mode: "memory", origins: ["https://orders.example"] });
//   await session.logIn(email, password);
//   const answer = await session.fetch("https://orders.example/orders");
//   await session.logOut();
//
// The server's own origin gets the credential, and those of `origins`; a request to any other one goes out without.

/** How long before its end an access token is replaced, at most; a tenth of its life where that is less. */
const AHEAD_MS = 30_000;
/** How long a tab waits for what another one is known to know; and where that cannot be told. */
const HEARSAY_MS = [5_000, 100];
/** After a failure of the network: 1 s, 2 s, 4 s, … a minute. */
const RETRY_MS = [1_000, 60_000];
/** An answer that has not come by then is lost: whoever waits in line behind it has waited long enough. */
const ANSWER_MS = 30_000;
/** The codes of a 401 that a new token may mend. */
const TOKEN_CODES = new Set(["no_credential", "token_expired", "token_revoked", "invalid_token"]);

/** The session is over: somebody has to log in again. */
export class SessionOver extends Error {
  constructor() {
    super("the session is over; log in again");
    this.name = "SessionOver";
  }
}

/** The browser kept no cookie of the server: the page is of another site, or cookies are switched off. */
export class CookiesRefused extends Error {
  constructor() {
    super('the browser keeps no cookies of the server for this page; a page of another site takes { mode: "memory" }');
    this.name = "CookiesRefused";
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
 * @property {number} begun `since` of the log-in that it goes back to; 0 where no tab knows of one
 * @property {boolean} isOver
 * @property {number} expiresAt when the access token is over, by this machine's clock
 * @property {number} aheadMs how long before that it is replaced
 * @property {string} [accessToken] in memory only
 * @property {string} [refreshToken] in memory only
 */

/**
 * @typedef {object} Failure the last refresh that failed without an answer about the token
 * @property {number} at when, by this machine's clock
 * @property {number} count how many there have been in a row, in all tabs
 * @property {number} status of the answer, 0 where there was none
 */

/**
 * A session, the same one in every tab of an origin that names the same server.
 *
 * Its events are `begin`, in every tab, where somebody has logged in; and `over`, in every tab that was logged in and in any
 * other one whose call is refused: once, until the next `begin`.
 */
export class Session extends EventTarget {
  /**
   * @param {object} options
   * @param {string} [options.base] the server; the page's own origin by default
   * @param {"cookie" | "memory"} [options.mode] who keeps the tokens: the browser, out of reach of scripts (the
   *   default, for pages of the server's own site), or the tabs
   * @param {string[]} [options.origins] who else gets the credential, beside the server. With cookies those are ports of
   *   the server's host: its cookies reach no other one
   * @param {typeof globalThis.fetch} [options.fetch]
   * @throws {TypeError} where `base` is no URL, or one of `origins` is none or is out of the cookies' reach
   */
  constructor({ base = "", mode = "cookie", origins = [], fetch = globalThis.fetch.bind(globalThis) } = {}) {
    super();
    // Against the page's own origin, and not what a <base> of the page says.
    const home = globalThis.location?.origin;
    const server = new URL(base || "/", home === "null" ? undefined : home);
    this.base = server.href.replace(/[?#].*$/, "").replace(/\/$/, "");
    this.mode = mode;
    this.#fetch = fetch;
    const others = origins.map((text) => originOf(text, mode === "cookie" ? server : undefined));
    this.#origins = new Set([server.origin, ...others]);
    this.#name = `countersign ${mode} ${this.base}`;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#channel.postMessage({ ask: true });
  }

  #fetch;
  /** @type {Set<string>} whom the credential is for */
  #origins;
  #name;
  /** @type {BroadcastChannel} */
  #channel;
  /** @type {State | undefined} */
  #state;
  /** @type {Promise<void> | undefined} */
  #refreshing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Failure | undefined} */
  #failure;
  /** @type {Set<() => void>} */
  #waiting = new Set();
  /** Whether this page was told that the session is over, and not since of another one. */
  #wasTold = false;
  /** Gives back the lock that tells the others since when this tab knows what it knows. */
  #forget = () => {};
  /** Gives back the one that tells them of a failure. */
  #forgive = () => {};

  /**
   * Logs in; every tab is logged in then. Waits for a refresh that is under way, in whatever tab: its answer would come over
   * this one.
   * @param {string} email @param {string} password
   */
  async logIn(email, password) {
    const session = this.mode === "cookie" ? "cookie" : "token";
    await alone(this.#name, async () => {
      const tokens = await this.#post("/login", { email, password, session });
      if (await this.#areCookiesLost()) throw new CookiesRefused();
      await this.#take(tokens);
    });
  }

  /**
   * Ends this session, the `others`, or all (`global`). Waits like `logIn`.
   * @param {"local" | "others" | "global"} [scope]
   */
  async logOut(scope = "local") {
    await alone(this.#name, () => this.#logOut(scope));
  }

  /** @param {"local" | "others" | "global"} scope */
  async #logOut(scope) {
    // A tab that was opened just now has heard nothing yet, and whoever waited may be behind.
    await this.#ask();
    if (scope !== "local") {
      this.#check();
      if (this.#state && !isFresh(this.#state)) await this.#exchange();
    }
    const token = this.#state?.accessToken;
    try {
      if (token || this.mode === "cookie") await this.#post("/logout", { scope }, token);
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.status !== 401) throw problem;
      // To end this session an expired token is enough, so this one is over already; for the others it takes a fresh one.
      if (scope !== "local") {
        await this.#exchange();
        await this.#post("/logout", { scope }, this.#state?.accessToken);
      }
    }
    if (scope === "others") return;
    await this.#end();
    this.#tellOver();
  }

  /**
   * `fetch` with this session: refreshes first where the access token is about to be over, and tries once more after a
   * 401 that is about the token. Any other, like that of a wrong password, is an answer like all others. A request to an
   * origin that the session is not for is the browser's `fetch` alone: nothing is added to it, and nothing is refreshed.
   * @param {RequestInfo | URL} input @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init) {
    // What is sent goes where was looked at: what a text or an object means may be another place by then.
    const [target, url] = targetOf(input);
    if (!this.#isFor(url)) return this.#fetch(target, init);
    await this.#ready();
    // A body can be read once; the second try needs its own.
    const request = new Request(target, init);
    const again = request.clone();
    const before = this.#state;
    const answer = await this.#send(request);
    // A redirect may have led elsewhere, and the browser took the credential out (Fetch §4.4): what is refused there is no
    // token of ours.
    if (answer.redirected && !this.#isFor(answer.url)) return answer;
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
    this.#forgive();
    this.#channel.close();
  }

  /** @param {string} url */
  #isFor(url) {
    return this.#origins.has(new URL(url).origin);
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
    if (!this.#state || this.#state.isOver) await this.#ask();
    this.#check();
    if (this.#state && !isFresh(this.#state)) await this.#refresh(isFresh);
  }

  /** Stops whoever asks for what takes a session where there is none. */
  #check() {
    if (this.#state?.isOver || (!this.#state && this.mode === "memory")) throw this.#over();
  }

  /** What to throw where there is no session. */
  #over() {
    this.#tellOver();
    return new SessionOver();
  }

  #tellOver() {
    if (this.#wasTold) return;
    this.#wasTold = true;
    this.dispatchEvent(new Event("over"));
  }

  /**
   * One refresh at a time, in this tab and in all of them. Whoever comes second takes what the first one got, if only the
   * news of a failure.
   * @param {(state: State) => boolean} isDone
   * @param {boolean} [isByItself] nobody waits for it: it heeds how long ago another tab has failed
   */
  async #refresh(isDone, isByItself = false) {
    // One that is under way in this tab may be content with less.
    while (this.#refreshing) {
      await this.#refreshing;
      if (this.#state && isDone(this.#state)) return;
    }
    const refreshing = this.#refreshAlone(isDone, isByItself);
    // Its failure is no news to whoever comes while it is under way: they try for themselves.
    this.#refreshing = (isByItself ? refreshing.catch(() => {}) : refreshing).finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /** @param {(state: State) => boolean} isDone @param {boolean} isByItself */
  async #refreshAlone(isDone, isByItself) {
    const known = await this.#lastFailure();
    await alone(this.#name, async () => {
      // The tab before may have told; its message is on the way.
      if (!this.#state || !isDone(this.#state)) await this.#ask(isDone);
      if (this.#state?.isOver) throw this.#over();
      if (this.#state && isDone(this.#state)) return;
      const failure = await this.#lastFailure();
      const isNews = failure?.at !== known?.at || failure?.count !== known?.count;
      if (failure && (isByItself ? isRecent(failure) : isNews)) {
        await this.#fail(failure);
        throw failure.status ? new Refused(failure.status, undefined) : new TypeError("the server could not be reached");
      }
      await this.#exchange();
    });
  }

  /** Shows the refresh token, alone. */
  async #exchange() {
    const before = this.#state;
    if (this.mode === "memory" && !before?.refreshToken) throw this.#over();
    const body = before?.refreshToken ? { refresh_token: before.refreshToken } : {};
    try {
      const tokens = await this.#post("/refresh", body);
      if (!this.#isPast(before)) return await this.#take(tokens, before?.begun ?? 0);
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.status !== 401) {
        // The network, or a server that is busy: the token is as good as before, and is shown again.
        const count = (await this.#lastFailure())?.count ?? 0;
        const status = problem instanceof Refused ? problem.status : 0;
        await this.#fail({ at: Date.now(), count: count + 1, status });
        throw problem;
      }
      if (!this.#isPast(before)) await this.#end();
    }
    if (this.#state?.isOver) throw this.#over();
  }

  /**
   * Whether somebody has logged in or out since a state was known. That takes tabs that cannot wait for each other; what one
   * of them is answered about the session before is not believed.
   * @param {State | undefined} before
   */
  #isPast(before) {
    const present = this.#state;
    return present !== before && (!!present?.isOver || present?.begun !== (before?.begun ?? 0));
  }

  /** Whether the cookies of an answer did not stay; of those for another origin only the server can tell. */
  async #areCookiesLost() {
    const page = globalThis.location;
    if (this.mode !== "cookie" || !page || new URL(this.base, page.href).origin === page.origin) return false;
    const asked = this.#fetch(`${this.base}/profile`, { credentials: "include", signal: AbortSignal.timeout(ANSWER_MS) });
    return asked.then((answer) => answer.status === 401, () => false);
  }

  /**
   * @param {string} path @param {object} body @param {string} [token]
   * @returns {Promise<any>}
   */
  async #post(path, body, token) {
    const headers = new Headers({ "content-type": "application/json" });
    if (token) headers.set("authorization", `Bearer ${token}`);
    const credentials = this.mode === "cookie" ? "include" : "omit";
    const signal = AbortSignal.timeout(ANSWER_MS);
    const init = { method: "POST", headers, body: JSON.stringify(body), credentials, signal };
    const answer = await this.#fetch(this.base + path, /** @type {RequestInit} */ (init));
    const json = await answer.json().catch(() => undefined);
    if (!answer.ok) throw new Refused(answer.status, json);
    return json;
  }

  /**
   * @param {any} tokens the answer of the server
   * @param {number} [begun] the log-in that they go back to; this very one, by default
   */
  #take(tokens, begun) {
    const lifeMs = tokens.expires_in * 1_000;
    const since = this.#later();
    /** @type {State} */
    const state = {
      since,
      begun: begun ?? since,
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
    const begun = this.#state?.begun ?? 0;
    return this.#tell({ since: this.#later(), begun, isOver: true, expiresAt: 0, aheadMs: 0 });
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
    if (message.state && isNewer(message.state, this.#state)) this.#learn(message.state);
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
    this.#failure = undefined;
    this.#forgive();
    this.#waiting.forEach((look) => look());
    this.#schedule();
    if (state.isOver && !wasOver) this.#tellOver();
    if (!state.isOver) this.#wasTold = false;
    if (!state.isOver && wasOver) this.dispatchEvent(new Event("begin"));
    this.#forget();
    const shown = show(`${this.#name} ${state.since}`);
    this.#forget = shown.hide;
    return shown.isSeen;
  }

  /**
   * Takes note of a failure, and lets the other tabs see it: the next try of any of them is the next of all.
   * @param {Failure} failure
   */
  async #fail(failure) {
    this.#failure = failure;
    this.#schedule();
    const { isSeen, hide } = show(failureName(this.#name, failure));
    const forgive = this.#forgive;
    this.#forgive = hide;
    await isSeen;
    forgive();
  }

  /** The last failure of any tab since this one knows what it knows. */
  async #lastFailure() {
    const failure = (await lastFailure(this.#name)) ?? this.#failure;
    return failure && failure.at >= (this.#state?.since ?? 0) ? failure : undefined;
  }

  /**
   * Asks the other tabs, where one knows something newer, and waits for its answer.
   * @param {(state: State) => boolean} [isEnough] the newest that is known to be known, by default
   */
  async #ask(isEnough) {
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
        const state = this.#state;
        if (state && (newest === undefined ? state.isOver || !isEnough : state.since >= newest)) done();
        else if (state && isEnough?.(state)) done();
      };
      const timer = setTimeout(done, HEARSAY_MS[newest === undefined ? 1 : 0]);
      this.#waiting.add(look);
      look();
    });
  }

  #schedule() {
    clearTimeout(this.#timer);
    if (!this.#state || this.#state.isOver) return;
    const { expiresAt, aheadMs } = this.#state;
    const due = this.#failure ? this.#failure.at + patience(this.#failure) : expiresAt - aheadMs;
    // A failure is told to whoever waits for it; the timer tries again by itself.
    const retry = () => this.#refresh(isFresh, true).catch(() => {});
    this.#timer = setTimeout(retry, Math.max(due - Date.now(), 0));
  }
}

const urlOfRequest = /** @type {() => string} */ (Object.getOwnPropertyDescriptor(Request.prototype, "url")?.get);

/**
 * What to fetch, and where that is: of a request by the browser's own word, of anything else by its text.
 * @param {RequestInfo | URL} input
 * @returns {[RequestInfo, string]}
 */
function targetOf(input) {
  try {
    return [/** @type {Request} */ (input), urlOfRequest.call(input)];
  } catch {
    const { url } = new Request(String(input));
    return [url, url];
  }
}

/** @param {string} text */
function urlOf(text) {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/**
 * An origin as a browser spells it.
 * @param {string} text @param {URL} [server] whose cookies have to reach it
 */
function originOf(text, server) {
  const url = urlOf(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new TypeError(`"${text}" is no origin; one is https://orders.example`);
  }
  const { protocol, hostname, origin } = url;
  if (server && (hostname !== server.hostname || protocol !== server.protocol)) {
    throw new TypeError(`the cookies of ${server.origin} do not reach ${origin}; that takes { mode: "memory" }`);
  }
  return origin;
}

/**
 * What goes back to a later log-in is newer, whenever it was learned.
 * @param {State} state @param {State | undefined} other
 */
function isNewer(state, other) {
  return !other || (state.begun === other.begun ? state.since > other.since : state.begun > other.begun);
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

/**
 * How long after a failure the next try is due, where nobody asks for it.
 * @param {Failure} failure
 */
function patience({ count }) {
  const [first, most] = RETRY_MS;
  return Math.min(first * 2 ** (count - 1), most);
}

/**
 * Whether it is not yet time for the next try; after a clock was set back, it is.
 * @param {Failure} failure
 */
function isRecent(failure) {
  return Math.abs(Date.now() - failure.at) < patience(failure);
}

// A page without locks (not over https) is alone as far as it knows; the server forgives tabs that refresh at once.
const locks = globalThis.navigator?.locks;
/**
 * What was begun last under a name, where there are no locks.
 * @type {Map<string, Promise<void>>}
 */
const lines = new Map();

/**
 * Runs work while no other tab does, and no other session of this one.
 * @param {string} name @param {() => Promise<void>} work
 * @returns {Promise<void>}
 */
function alone(name, work) {
  if (locks) return locks.request(name, work);
  const done = (lines.get(name) ?? Promise.resolve()).then(work);
  lines.set(name, done.catch(() => {}));
  return done;
}

/**
 * Lets all tabs see a name, as that of a lock. One that is closed shows nothing any more.
 * @param {string} name
 */
function show(name) {
  let hide = () => {};
  const isHidden = new Promise((/** @type {(value?: unknown) => void} */ resolve) => (hide = resolve));
  const isSeen = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    if (!locks) return resolve();
    locks.request(name, { mode: "shared" }, () => (resolve(), isHidden));
  });
  return { isSeen, hide };
}

/**
 * What all tabs show behind a name.
 * @param {string} name
 * @returns {Promise<string[] | undefined>} nothing where that cannot be told
 */
async function shown(name) {
  const { held } = (await locks?.query()) ?? {};
  const names = held?.map((lock) => lock.name ?? "").filter((other) => other.startsWith(`${name} `));
  return names?.map((other) => other.slice(name.length + 1));
}

/**
 * The newest that any tab knows: each shows it. So nobody waits for an answer that will not come, or gives up on one that is
 * slow.
 * @param {string} name
 * @returns {Promise<number | undefined>} 0 where no tab knows anything, nothing where that cannot be told
 */
async function knownSince(name) {
  const since = await shown(name);
  return since && Math.max(0, ...since.map(Number));
}

/** @param {string} name @param {Failure} failure */
function failureName(name, { at, count, status }) {
  return `failure of ${name} ${at} ${count} ${status}`;
}

/**
 * The last failure of any tab.
 * @param {string} name
 * @returns {Promise<Failure | undefined>}
 */
async function lastFailure(name) {
  const failures = (await shown(`failure of ${name}`)) ?? [];
  const all = failures.map((text) => text.split(" ").map(Number)).map(([at, count, status]) => ({ at, count, status }));
  return all.sort((one, other) => other.at - one.at)[0];
}
