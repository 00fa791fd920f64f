// assets/js/session.js as people use it: many tabs of one browser, over TLS.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { request } from "playwright-core";

import { ADA, application, browse, serve } from "./harness.js";

const BOB = { email: "bob@example.com", password: "walnut harbour engine 7" };
const TABS = 10;
const MINUTES = 60_000;

/**
 * A server, a person's browser, and as many tabs of one page, each with its session.
 *
 * @param {import("node:test").TestContext} t
 * @param {{
 *   mode: "cookie" | "memory", origins?: string[], elsewhere?: boolean | "another site", tabs?: number, flags?: string[],
 *   time?: "flows" | "stands", locks?: boolean
 * }} options `origins`: as a session takes them; `elsewhere`: the page is of another origin than the server; `stands`: the
 *   browser's clock does; `locks`: the browser has them
 */
async function open(t, { mode, origins, elsewhere = false, tabs = TABS, flags = [], time = "flows", locks = true }) {
  let origin = elsewhere ? await application(t) : undefined;
  if (elsewhere === "another site") origin = origin.replace("127.0.0.1", "localhost");
  const server = await serve(t, { tls: true, flags: origin ? ["--cors-origin", origin, ...flags] : flags });
  assert.equal((await server.api.post("/signup", { data: ADA })).status(), 201);
  const context = await (await browse(t)).newContext({ ignoreHTTPSErrors: true });
  if (time === "flows") await context.clock.install();
  else await context.clock.setFixedTime(Date.now());
  if (!locks) await context.addInitScript(() => Object.defineProperty(navigator, "locks", { value: undefined }));
  const page = `${origin ?? server.url}/page-of-a-test`;
  // The server's own pages run no scripts, so it gets one that does.
  const blank = { contentType: "text/html", body: "<!doctype html><title>tab</title>" };
  if (!origin) await context.route(page, (route) => route.fulfill(blank));
  const refreshes = [];
  context.on("request", (request) => {
    if (request.method() === "POST" && request.url() === `${server.url}/refresh`) {
      refreshes.push(request);
    }
  });
  const tab = async () => {
    const tab = await context.newPage();
    await tab.goto(page);
    await tab.evaluate(
      async ({ base, ...options }) => {
        const { Session } = await import(`${base}/assets/js/session.js`);
        globalThis.session = new Session({ base, ...options });
        globalThis.events = [];
        for (const name of ["begin", "over"]) globalThis.session.addEventListener(name, () => globalThis.events.push(name));
      },
      { base: server.url, mode, origins },
    );
    return tab;
  };
  const all = [];
  for (let i = 0; i < tabs; i += 1) all.push(await tab());
  return { server, context, tab, tabs: all, refreshes };
}

const everywhere = (tabs, what, argument) => Promise.all(tabs.map((tab) => tab.evaluate(what, argument)));

const logIn = (tab, who = ADA) => tab.evaluate(({ email, password }) => globalThis.session.logIn(email, password), who);

const logOut = (tab, scope) => tab.evaluate((scope) => globalThis.session.logOut(scope), scope);

const events = () => globalThis.events;

/** Whom the server takes a tab for. */
const who = async () => (await (await globalThis.session.fetch(`${globalThis.session.base}/profile`)).json()).user?.email;

/** A session of ADA that is none of the browser's: whether it lives. */
async function elsewhere(server) {
  const { refresh_token } = await (await server.api.post("/login", { data: { ...ADA, session: "token" } })).json();
  return { lives: async () => (await server.api.post("/refresh", { data: { refresh_token } })).ok() };
}

/** What the server says to a tab that asks who is logged in: a status, or the name of what was thrown. */
const profile = async () => {
  try {
    return (await globalThis.session.fetch(`${globalThis.session.base}/profile`)).status;
  } catch (problem) {
    return problem.name;
  }
};

const same = (value, times = TABS) => Array(times).fill(value);

/** Waits until an event came to every tab. */
const happens = (tabs, name) =>
  Promise.all(tabs.map((tab) => tab.waitForFunction((name) => globalThis.events.includes(name), name)));

/** Everything that a page of this origin keeps, as one text. */
const kept = async () => {
  const stores = [localStorage, sessionStorage].map((store) => JSON.stringify({ ...store }));
  const databases = (await indexedDB.databases()).map((database) => database.name);
  return [...stores, ...databases, ...(await caches.keys()), document.cookie, location.href, JSON.stringify(history.state)].join("\n");
};

for (const { name, ...options } of [
  { name: "cookies", mode: "cookie" },
  { name: "cookies, from another origin", mode: "cookie", elsewhere: true },
  { name: "memory, from another origin", mode: "memory", elsewhere: true },
]) {
  test(`ten tabs that wake at once make one refresh, and a log-out is known in all (${name})`, async (t) => {
    const { context, tabs, refreshes } = await open(t, options);
    assert.deepEqual(await everywhere(tabs, profile), same("SessionOver"));
    refreshes.length = 0;
    await logIn(tabs[3]);
    await happens(tabs, "begin");
    assert.deepEqual(await everywhere(tabs, profile), same(200));
    assert.equal(refreshes.length, 0, "a fresh token is not replaced");

    // The lid of the laptop is opened: timers that were due fire, in all tabs.
    for (const round of [1, 2]) {
      await context.clock.fastForward(11 * MINUTES);
      assert.deepEqual(await everywhere(tabs, profile), same(200));
      assert.equal(refreshes.length, round);
    }
    assert.deepEqual(await everywhere(tabs, events), same(["over", "begin"]));

    for (const text of await everywhere(tabs, kept)) {
      assert.doesNotMatch(text, /eyJ|v1\.|__Host-/);
    }
    const names = (await context.cookies()).map((cookie) => cookie.name);
    assert.deepEqual(names.sort(), options.mode === "cookie" ? ["__Host-at", "__Host-rt"] : []);

    await logOut(tabs[7]);
    assert.deepEqual(await everywhere(tabs, profile), same("SessionOver"));
    assert.deepEqual(await everywhere(tabs, events), same(["over", "begin", "over"]));
    assert.deepEqual(await context.cookies(), []);
    assert.equal(refreshes.length, 2, "nobody refreshes a session that is over");
  });
}

for (const mode of /** @type {const} */ (["cookie", "memory"])) {
  test(`ten tabs whose token the server finds expired make one refresh and try once more (${mode})`, async (t) => {
    // The browser's clock stands, so only the server knows when the token's time is over.
    const { server, context, tabs, refreshes } = await open(t, { mode, flags: ["--access-ttl", "4s"], time: "stands" });
    const answered = context.waitForEvent("response", (answer) => answer.url() === `${server.url}/login`);
    await logIn(tabs[0]);
    const token = mode === "memory" ? (await (await answered).json()).token : (await cookie(context, "__Host-at")).value;
    await happens(tabs, "begin");
    assert.deepEqual(await everywhere(tabs, profile), same(200));
    const headers = { authorization: `Bearer ${token}` };
    while ((await server.api.get("/profile", { headers })).status() !== 401);

    const asked = [];
    context.on("request", (request) => {
      if (request.method() === "GET" && request.url() === `${server.url}/profile`) asked.push(request);
    });
    assert.deepEqual(await everywhere(tabs, profile), same(200));
    assert.equal(refreshes.length, 1);
    assert.ok(asked.length > TABS && asked.length <= 2 * TABS, `${asked.length} requests`);
  });

  test(`an answer that is lost is no log-out, whoever asks next (${mode})`, async (t) => {
    const { server, context, tabs, refreshes } = await open(t, { mode });
    await logIn(tabs[0]);
    await happens(tabs, "begin");
    const { lost } = await loseAnswers(context, server, 1);
    await context.clock.fastForward(11 * MINUTES);
    await lost;
    // Whoever waited for it is told of a failure of the network; whoever asks then is served.
    await everywhere(tabs, profile);
    assert.deepEqual(await everywhere(tabs, profile), same(200));
    assert.deepEqual(await everywhere(tabs, events), same(["begin"]));
    assert.equal(refreshes.length, 2);
  });

  test(`a tab that is closed in the middle of a refresh takes no other one with it (${mode})`, async (t) => {
    const { server, context, tabs, refreshes } = await open(t, { mode });
    await logIn(tabs[0]);
    await happens(tabs, "begin");
    const { lost } = await loseAnswers(context, server, 1, (route) => route.request().frame().page().close());
    await context.clock.fastForward(11 * MINUTES).catch(() => {});
    await lost;
    const left = tabs.filter((tab) => !tab.isClosed());
    assert.equal(left.length, TABS - 1);
    assert.deepEqual(await everywhere(left, profile), same(200, TABS - 1));
    assert.deepEqual(await everywhere(left, events), same(["begin"], TABS - 1));
    assert.equal(refreshes.length, 2);
  });

  test(`a session that the server ended is over in every tab (${mode})`, async (t) => {
    const { server, context, tabs, refreshes } = await open(t, { mode });
    await logIn(tabs[0]);
    await happens(tabs, "begin");
    const elsewhere = await (await server.api.post("/login", { data: ADA })).json();
    const headers = { authorization: `Bearer ${elsewhere.token}` };
    assert.equal((await server.api.post("/logout", { headers, data: { scope: "global" } })).status(), 200);
    assert.deepEqual(await everywhere(tabs, profile), same("SessionOver"));
    await happens(tabs, "over");
    assert.equal(refreshes.length, 1);
    assert.deepEqual(await context.cookies(), []);
  });
}

for (const mode of /** @type {const} */ (["cookie", "memory"])) {
  test(`a wrong password is sent once, and no token is replaced for it (${mode})`, async (t) => {
    const { server, context, tabs, refreshes } = await open(t, { mode, tabs: 1 });
    await logIn(tabs[0]);
    const asked = [];
    context.on("request", (request) => {
      if (request.method() === "POST" && request.url() === `${server.url}/password/change`) asked.push(request);
    });
    const status = await tabs[0].evaluate(async () => {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ current: "not the password", new: "another horse battery staple" });
      const { session } = globalThis;
      return (await session.fetch(`${session.base}/password/change`, { method: "POST", headers, body })).status;
    });
    assert.deepEqual([status, asked.length, refreshes.length], [401, 1, 0]);
  });
}

test("everywhere is everywhere, also from a page that was just opened and whose access cookie is over", async (t) => {
  const flags = ["--access-ttl", "4s"];
  const { server, context, tab, tabs } = await open(t, { mode: "cookie", tabs: 1, flags, time: "stands" });
  const other = await elsewhere(server);
  await logIn(tabs[0]);
  const headers = { authorization: `Bearer ${(await cookie(context, "__Host-at")).value}` };
  while ((await server.api.get("/profile", { headers })).status() !== 401);
  const second = await tab();
  await tabs[0].close();
  await logOut(second, "global");
  assert.equal(await other.lives(), false);
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(await second.evaluate(events), ["begin", "over"]);
});

for (const mode of /** @type {const} */ (["cookie", "memory"])) {
  test(`whoever logs the others out stays logged in (${mode})`, async (t) => {
    const { server, tabs, refreshes } = await open(t, { mode, tabs: 2 });
    const other = await elsewhere(server);
    await logIn(tabs[0]);
    await happens(tabs, "begin");
    await logOut(tabs[1], "others");
    assert.deepEqual(await everywhere(tabs, profile), same(200, 2));
    assert.equal(await other.lives(), false);
    assert.deepEqual(await everywhere(tabs, events), same(["begin"], 2));
    assert.equal(refreshes.length, 0);
  });

  for (const { name, then } of [
    { name: "as somebody else", then: (tab) => logIn(tab, BOB) },
    { name: "after a log-out", then: (tab) => logOut(tab).then(() => logIn(tab, BOB)) },
  ]) {
    test(`a log-in ${name} while another tab refreshes counts, however late that one is answered (${mode})`, async (t) => {
      const { server, context, tabs } = await open(t, { mode, tabs: 2 });
      assert.equal((await server.api.post("/signup", { data: BOB })).status(), 201);
      await logIn(tabs[0]);
      await happens(tabs, "begin");
      const { held, release } = await holdAnswer(context, server);
      const refreshed = tabs[1].evaluate(() => globalThis.session.refresh());
      await held;
      const done = then(tabs[0]);
      await doneOrInLine(done, tabs[0]);
      await release();
      await Promise.all([refreshed, done]);
      assert.deepEqual(await everywhere(tabs, who), same(BOB.email, 2));
    });
  }

  test(`a page is told once that the session is over, where it asks (${mode})`, async (t) => {
    const { server, context, tab, tabs } = await open(t, { mode, tabs: 1 });
    await logIn(tabs[0]);
    const headers = { authorization: `Bearer ${(await (await server.api.post("/login", { data: ADA })).json()).token}` };
    assert.equal((await server.api.post("/logout", { headers, data: { scope: "global" } })).status(), 200);
    // Somebody comes back, and nobody told this page anything.
    await tabs[0].close();
    const [asks, silent] = [await tab(), await tab()];
    for (const _ of [1, 2]) assert.equal(await asks.evaluate(profile), "SessionOver");
    assert.deepEqual(await everywhere([asks, silent], events), [["over"], []]);
    await logIn(silent);
    await happens([asks, silent], "begin");
    await logOut(asks);
    await happens([silent], "over");
    assert.equal(await silent.evaluate(profile), "SessionOver");
    assert.deepEqual(await everywhere([asks, silent], events), [["over", "begin", "over"], ["begin", "over"]]);
    assert.deepEqual(await context.cookies(), []);
  });

  test(`a server that is down is asked by one tab for all (${mode})`, async (t) => {
    const { server, context, tabs, refreshes } = await open(t, { mode, tabs: 4 });
    await logIn(tabs[0]);
    await happens(tabs, "begin");
    await context.route(`${server.url}/refresh`, (route) => route.abort("connectionrefused"));
    await context.clock.pauseAt(Date.now() + 11 * MINUTES);
    for (const [tries, wait] of [0, 1, 2, 4, 8].entries()) {
      await context.clock.runFor(wait * 1_000);
      await until(() => refreshes.length > tries);
      // Whoever stands in line is told of the failure, and comes again with all others.
      await until(async () => (await everywhere(tabs, areAtRest, server.url)).every(Boolean));
      assert.equal(refreshes.length, tries + 1);
    }
    // Somebody who asks is not made to wait.
    assert.equal(await tabs[2].evaluate(profile), "TypeError");
    assert.equal(refreshes.length, 6);
    await context.unroute(`${server.url}/refresh`);
    assert.deepEqual(await everywhere(tabs, profile), same(200, 4));
    assert.equal(refreshes.length, 7);
    assert.deepEqual(await everywhere(tabs, events), same(["begin"], 4));
  });
}

test("a late refusal of a session that has ended takes nothing from the log-in after it", async (t) => {
  const { server, context, tabs } = await open(t, { mode: "cookie", tabs: 2 });
  await logIn(tabs[0]);
  await happens(tabs, "begin");
  const headers = { authorization: `Bearer ${(await (await server.api.post("/login", { data: ADA })).json()).token}` };
  assert.equal((await server.api.post("/logout", { headers, data: { scope: "global" } })).status(), 200);
  const { held, release } = await holdAnswer(context, server);
  const refused = tabs[1].evaluate(profile);
  await held;
  const done = logIn(tabs[0]);
  await doneOrInLine(done, tabs[0]);
  await release();
  await Promise.all([refused, done]);
  assert.deepEqual(await everywhere(tabs, profile), same(200, 2));
  assert.equal((await everywhere(tabs, events)).map((all) => all.at(-1)).join(), "begin,begin");
});

test("without locks no late answer is believed over a newer log-in, and a tab waits for itself", async (t) => {
  const { server, context, tabs } = await open(t, { mode: "memory", tabs: 2, locks: false });
  assert.equal((await server.api.post("/signup", { data: BOB })).status(), 201);
  await logIn(tabs[0]);
  await happens(tabs, "begin");
  const other = await holdAnswer(context, server);
  const refreshed = tabs[1].evaluate(() => globalThis.session.refresh());
  await other.held;
  await logIn(tabs[0], BOB);
  await other.release();
  await refreshed;
  assert.deepEqual(await everywhere(tabs, who), same(BOB.email, 2));

  const own = await holdAnswer(context, server);
  const first = tabs[0].evaluate(() => globalThis.session.refresh());
  await own.held;
  const then = logIn(tabs[0], ADA);
  await own.release();
  await Promise.all([first, then]);
  assert.deepEqual(await everywhere(tabs, who), same(ADA.email, 2));
});

test("a page of another site is told that its cookies do not stay, and keeps a session in memory", async (t) => {
  for (const mode of /** @type {const} */ (["cookie", "memory"])) {
    const { context, tabs } = await open(t, { mode, elsewhere: "another site", tabs: 1 });
    const outcome = await logIn(tabs[0]).then(() => "logged in", (problem) => problem.message);
    assert.match(outcome, mode === "cookie" ? /CookiesRefused: .* mode: "memory"/ : /^logged in$/);
    assert.equal(await tabs[0].evaluate(profile), mode === "cookie" ? "SessionOver" : 200);
    assert.deepEqual(await context.cookies(), []);
  }
});

test("a log-out that the server refuses, knowing of no session, is over in every tab", async (t) => {
  const { context, tabs } = await open(t, { mode: "cookie", tabs: 2 });
  await logIn(tabs[0]);
  await happens(tabs, "begin");
  await context.clearCookies();
  await logOut(tabs[1]);
  await happens(tabs, "over");
});

test("a tab that has heard nothing yet logs out all of them, in memory too", async (t) => {
  const { server, context, tabs } = await open(t, { mode: "memory", tabs: 1 });
  const answered = context.waitForEvent("response", (answer) => answer.url() === `${server.url}/login`);
  await logIn(tabs[0]);
  const { token } = await (await answered).json();
  const second = await context.newPage();
  await second.goto(tabs[0].url());
  await second.evaluate(async (base) => {
    const { Session } = await import(`${base}/assets/js/session.js`);
    await new Session({ base, mode: "memory" }).logOut();
  }, server.url);
  await happens(tabs, "over");
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await server.api.get("/profile", { headers })).status(), 401);
});

test("a tab that is opened later is logged in, in memory while another one is open", async (t) => {
  for (const mode of /** @type {const} */ (["cookie", "memory"])) {
    const { tab, tabs, refreshes } = await open(t, { mode, tabs: 1 });
    await logIn(tabs[0]);
    const second = await tab();
    assert.equal(await second.evaluate(profile), 200);
    await tabs[0].close();
    await second.close();
    const third = await tab();
    assert.equal(await third.evaluate(profile), mode === "cookie" ? 200 : "SessionOver");
    assert.equal(refreshes.length, 0);
  }
});

for (const mode of /** @type {const} */ (["cookie", "memory"])) {
  test(`an origin that was not named gets no credential, and makes nobody refresh (${mode})`, async (t) => {
    const other = await service(t, [{ status: 401 }]);
    const { context, tabs, refreshes } = await open(t, { mode, elsewhere: true, tabs: 1 });
    const [tab] = tabs;
    // Nobody is logged in, a token is fresh, a token is over.
    assert.equal(await tab.evaluate(ask, other.url), 401);
    assert.deepEqual(await tab.evaluate(events), []);
    await logIn(tab);
    assert.equal(await tab.evaluate(ask, other.url), 401);
    await context.route("**/refresh", (route) => route.abort("connectionrefused"));
    await context.clock.fastForward(11 * MINUTES);
    await until(() => refreshes.length > 0);
    const count = refreshes.length;
    assert.equal(await tab.evaluate(ask, other.url), 401);
    assert.deepEqual([await tab.evaluate(events), refreshes.length], [["begin"], count]);
    assert.deepEqual(other.seen, same({ authorization: undefined, cookie: undefined }, 3));
  });

  test(`an origin that was named gets the credential, and the next one after a 401 about it (${mode})`, async (t) => {
    const orders = await service(t, [{ status: 401 }, { status: 200 }]);
    const { tabs, refreshes } = await open(t, { mode, elsewhere: true, origins: [orders.url], tabs: 1 });
    await logIn(tabs[0]);
    assert.equal(await tabs[0].evaluate(ask, orders.url), 200);
    const [first, second] = orders.seen.map(({ authorization, cookie }) =>
      mode === "memory" ? /^Bearer (eyJ\S+)$/.exec(authorization)?.[1] : /__Host-at=(eyJ[^;]+)/.exec(cookie)?.[1],
    );
    assert.ok(first && second && first !== second, `${first} ${second}`);
    assert.deepEqual([orders.seen.length, refreshes.length], [2, 1]);
  });

  test(`a redirect to an origin that was not named takes no credential there (${mode})`, async (t) => {
    const other = await service(t, [{ status: 401 }]);
    // The same machine by another name, which the cookies do not reach.
    const location = other.url.replace("127.0.0.1", "localhost");
    const orders = await service(t, [{ status: 307, headers: { location } }]);
    const { tabs, refreshes } = await open(t, { mode, elsewhere: true, origins: [orders.url], tabs: 1 });
    await logIn(tabs[0]);
    assert.equal(await tabs[0].evaluate(ask, orders.url), 401);
    assert.match(orders.seen[0][mode === "memory" ? "authorization" : "cookie"], /eyJ/);
    assert.deepEqual(other.seen, [{ authorization: undefined, cookie: undefined }]);
    assert.deepEqual([orders.seen.length, refreshes.length], [1, 0]);
  });
}

test("the page of docs/BROWSER.md knows who is logged in, and logs nobody out by being opened", async (t) => {
  const { server, tab, tabs } = await open(t, { mode: "cookie", elsewhere: true, tabs: 1 });
  const text = readFileSync(new URL("../docs/BROWSER.md", import.meta.url), "utf8");
  const script = /<script type="module">\n([^]*?)<\/script>/.exec(text)[1].replaceAll("https://id.example", server.url);
  await logIn(tabs[0]);
  const page = await tab();
  await page.evaluate((script) => {
    globalThis.shown = [];
    globalThis.show = (what) => globalThis.shown.push(what);
    const element = Object.assign(document.createElement("script"), { type: "module" });
    element.text = `${script}\nglobalThis.example = { who, logIn, logOut };`;
    document.body.append(element);
  }, script);
  await page.waitForFunction(() => globalThis.example);
  assert.equal(await page.evaluate(() => globalThis.example.who().then(({ email }) => email)), ADA.email);
  assert.equal(await tabs[0].evaluate(profile), 200);
  await page.evaluate(({ email }) => globalThis.example.logOut().then(() => globalThis.example.logIn(email, "another")), ADA);
  const shown = await page.evaluate(() => globalThis.shown);
  assert.deepEqual([shown.length, ...shown.slice(0, 2)], [3, "your orders", "the log-in form"]);
});

test("what is no origin is refused, and with cookies another host than the server's", async (t) => {
  const { server, tabs } = await open(t, { mode: "cookie", tabs: 1 });
  const make = (mode, origin) =>
    tabs[0].evaluate(
      async ([base, mode, origin]) => {
        const { Session } = await import(`${base}/assets/js/session.js`);
        try {
          return new Session({ base, mode, origins: [origin] }).close() ?? "made";
        } catch (problem) {
          return problem.name;
        }
      },
      [server.url, mode, origin],
    );
  for (const origin of ["https://orders.example", "https://orders.example/", "http://127.0.0.1", "https://127.0.0.1:9"]) {
    assert.equal(await make("memory", origin), "made", origin);
    assert.equal(await make("cookie", origin), origin === "https://127.0.0.1:9" ? "made" : "TypeError", origin);
  }
  for (const text of ["orders.example", "//orders.example", "https://orders.example/orders", "*", "null", "data:,", "localhost:3000"]) {
    assert.equal(await make("memory", text), "TypeError", text);
  }
});

test("what a page says of its base, and what is dressed up as a request, leads nothing elsewhere", async (t) => {
  const { server, tabs } = await open(t, { mode: "memory", elsewhere: true, tabs: 1 });
  await logIn(tabs[0]);
  const [home, asked, order] = await tabs[0].evaluate(async (base) => {
    const { Session } = await import(`${base}/assets/js/session.js`);
    document.head.insertAdjacentHTML("afterbegin", '<base href="https://evil.example/">');
    const seen = [];
    const fetch = async (input, init) => {
      const request = new Request(input, init);
      seen.push([new URL(request.url).origin, request.headers.get("authorization")?.slice(0, 6) ?? null]);
      throw new TypeError("nobody answers");
    };
    for (const path of ["", "/auth"]) {
      const session = new Session({ base: path, mode: "memory", fetch });
      await session.logIn("ada@example.com", "lantern orbit quilt mosaic 42").catch(() => {});
      session.close();
    }
    const session = new Session({ base, mode: "memory", fetch });
    await session.fetch({ url: `${base}/profile`, toString: () => "https://evil.example/" }).catch(() => {});
    await session.fetch(`${base}/profile`).catch(() => {});
    session.close();
    // Nobody is logged in there; what was not sent can be sent later.
    const order = new Request(`${base}/orders`, { method: "POST", body: "one" });
    const elsewhere = new Session({ base: `${base}/auth`, mode: "memory", fetch });
    const refused = await elsewhere.fetch(order).catch((problem) => problem.name);
    elsewhere.close();
    return [location.origin, seen, [refused, order.bodyUsed]];
  }, server.url);
  assert.deepEqual(order, ["SessionOver", false]);
  assert.deepEqual(asked, [
    [home, null],
    [home, null],
    ["https://evil.example", null],
    [server.url, "Bearer"],
  ]);
});

/** The status that a URL answers a session with. */
const ask = async (url) => (await globalThis.session.fetch(url)).status;

/** A service of another origin that lets every page read its answers, the last one again and again. */
async function service(t, answers) {
  const seen = [];
  const url = await application(t, (request, response) => {
    const cors = {
      "access-control-allow-origin": request.headers.origin ?? "*",
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "authorization",
    };
    if (request.method === "OPTIONS") return response.writeHead(204, cors).end();
    const { authorization, cookie } = request.headers;
    seen.push({ authorization, cookie });
    const { status, headers } = answers[Math.min(seen.length, answers.length) - 1];
    response.writeHead(status, { ...cors, "content-type": "application/problem+json", ...headers });
    response.end(JSON.stringify({ status, code: "token_expired" }));
  });
  return { url, seen };
}

const cookie = async (context, name) => (await context.cookies()).find((cookie) => cookie.name === name);

/**
 * Lets the server do what the next refreshes ask for, and loses its answers on the way back.
 *
 * @returns a promise of their loss
 */
async function loseAnswers(context, server, times, lose = (route) => route.abort("connectionreset")) {
  // One of its own, so that the cookies of the answers are lost too.
  const wire = await request.newContext({ ignoreHTTPSErrors: true });
  let left = times;
  let done;
  const lost = new Promise((resolve) => (done = resolve));
  await context.route(`${server.url}/refresh`, async (route) => {
    if (route.request().method() !== "POST" || left === 0) return route.fallback();
    left -= 1;
    const headers = await route.request().allHeaders();
    const answer = await wire.fetch(route.request().url(), { method: "POST", headers, data: route.request().postData() ?? "" });
    assert.equal(answer.status(), 200);
    await lose(route);
    if (left === 0) done();
  });
  return { lost };
}

/** Lets the server answer the next refresh, and holds its answer back until it is released, cookies and all. */
async function holdAnswer(context, server) {
  const wire = await request.newContext({ ignoreHTTPSErrors: true });
  let isHeld, release;
  const held = new Promise((resolve) => (isHeld = resolve));
  const released = new Promise((resolve) => (release = resolve));
  let done;
  const answered = new Promise((resolve) => (done = resolve));
  const hold = async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    await context.unroute(`${server.url}/refresh`, hold);
    const headers = await route.request().allHeaders();
    const answer = await wire.fetch(route.request().url(), { method: "POST", headers, data: route.request().postData() ?? "" });
    isHeld();
    await released;
    await route.fulfill({ response: answer });
    done();
  };
  await context.route(`${server.url}/refresh`, hold);
  return { held, release: () => (release(), answered) };
}

/** Waits until something is done, or cannot be since a tab stands in line. */
async function doneOrInLine(work, tab) {
  let isDone = false;
  const done = work.finally(() => (isDone = true));
  await until(async () => isDone || tab.evaluate(async () => (await navigator.locks.query()).pending.length > 0));
  if (isDone) await done;
}

/** Whether no tab refreshes or is about to. */
async function areAtRest(base) {
  const { held, pending } = await navigator.locks.query();
  return pending.length === 0 && !held.some((lock) => lock.name.startsWith("countersign ") && lock.name.endsWith(base));
}

async function until(isSo) {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}
