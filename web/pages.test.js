// The server's own pages: each in light and dark, wide and narrow, with a screen reader's eyes (axe-core), by keyboard
// alone and without JavaScript; nothing is loaded from elsewhere and no policy is broken. What the tests see is kept as
// pictures in `pictures/`, or in the folder that PICTURES names.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import axe from "axe-core";

import { ADA, browse, serve, watched } from "./harness.js";

const PICTURES = process.env.PICTURES ?? fileURLToPath(new URL("pictures", import.meta.url));
const ROOT = { email: "root@example.com", password: ADA.password };
const HOSTILE = "<img src=x onerror=alert(1)>";

/** A server with an administrator and a few accounts, one of which has a hostile name. */
async function inhabited(t) {
  const server = await serve(t);
  await inhabit(server);
  return server;
}

async function inhabit(server) {
  const made = await server.api.post("/setup", { data: { code: server.setupCode, ...ROOT } });
  assert.equal(made.status(), 201);
  const long = "somebody.with.a.long.address.for.a.narrow.page@mail.example.com";
  for (const [email, name] of [[ADA.email, "Ada Lovelace"], ["eve@example.com", HOSTILE], [long, undefined]]) {
    const data = { email, name, password: ADA.password };
    assert.equal((await server.api.post("/signup", { data })).status(), 201);
  }
}

async function logIn(page, url, { email, password }) {
  await page.goto(`${url}/log-in`);
  await page.fill("#email", email);
  await page.fill("#password", password);
  await page.click("main button");
  await page.waitForURL(`${url}/account`);
}

/** Those of a server that nobody runs yet. @type {typeof PAGES} */
const FIRST = [
  ["/setup", "setup-first", (page, url) => page.goto(`${url}/setup`)],
  ["/setup", "setup-refused", async (page, url) => {
    await page.goto(`${url}/setup`);
    await page.fill("#code", "no such code");
    await page.fill("#email", ROOT.email);
    await page.fill("#password", ROOT.password);
    await page.click("main button");
    await page.waitForSelector(".problem");
  }],
];

/**
 * Every page there is, in its states: the route that it is of, a name, and how to get there, in this order. A route that
 * has no row here fails a test below.
 *
 * @type {[string, string, (page: import("playwright-core").Page, url: string) => Promise<unknown>][]}
 */
const PAGES = [
  ["/", "home", (page, url) => page.goto(`${url}/`)],
  ["/log-in", "log-in", (page, url) => page.goto(`${url}/log-in`)],
  ["/log-in", "log-in-refused", async (page, url) => {
    await page.goto(`${url}/log-in`);
    await page.fill("#email", "nobody@example.com");
    await page.fill("#password", "not the password");
    await page.click("main button");
    await page.waitForSelector(".problem");
  }],
  ["/sign-up", "sign-up", (page, url) => page.goto(`${url}/sign-up`)],
  ["/sign-up", "sign-up-refused", async (page, url) => {
    await page.goto(`${url}/sign-up`);
    await page.fill("#email", ADA.email);
    await page.fill("#password", ADA.password);
    await page.click("main button");
    await page.waitForSelector("#email-problem");
  }],
  ["/setup", "setup", (page, url) => page.goto(`${url}/setup`)],
  ["/inspect", "inspector", (page, url) => page.goto(`${url}/inspect`)],
  ["/inspect", "inspector-valid", async (page, url) => {
    await page.goto(`${url}/inspect`);
    await page.click("#sample");
    await page.waitForSelector(".verdict.is-valid");
  }],
  ["/inspect", "inspector-forged", async (page, url) => {
    await page.goto(`${url}/inspect`);
    await page.click("#sample");
    await page.waitForSelector(".verdict.is-valid");
    await page.click("text=Be somebody else");
    await page.waitForSelector(".verdict.is-forged");
    for (const panel of ["What is expected", "Compare", "Code"]) await page.click(`summary:has-text("${panel}")`);
    await page.fill("#other", (await page.getAttribute("#sample", "data-token")) ?? "");
    await page.waitForSelector("#differences table");
    await page.waitForSelector("#program:not(:empty)");
    await page.locator("#ladder details:not([open]) > summary").evaluateAll((all) => all.forEach((one) => one.click()));
    await page.waitForSelector("#told .note");
  }],
  ["/inspect", "inspector-edited", async (page, url) => {
    await page.goto(`${url}/inspect`);
    await page.click("#sample");
    await page.waitForSelector(".verdict.is-valid");
    await page.click("#payload-tools button");
    await page.fill(".editor", "{}");
    await page.waitForSelector(".verdict:not(.is-valid):not([aria-busy])");
    await page.click("#share");
  }],
  ["/inspect", "inspector-form", async (page, url) => {
    await page.goto(`${url}/inspect`);
    await page.fill("#token", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.AAAA");
    await page.waitForSelector(".verdict:not(.is-empty):not([aria-busy])");
    // As a browser without a script sends it.
    await page.locator("#bench").evaluate((form) => form.submit());
    await page.waitForURL(`${url}/ui/inspect`);
    await page.waitForSelector("#ladder-band:not([hidden])");
  }],
  ["/flow", "flow", (page, url) => page.goto(`${url}/flow`)],
  ["/flow", "flow-mid-play", async (page, url) => {
    await page.goto(`${url}/flow`);
    await page.click("#play");
    await page.waitForSelector('#story ol.steps > li[value="3"][data-state=made]');
  }],
  ["fallback", "not-found", (page, url) => page.goto(`${url}/nothing`)],
  ["/admin/users", "forbidden", async (page, url) => {
    await logIn(page, url, ADA);
    await page.goto(`${url}/admin/users`);
  }],
  ["/account", "account-refused", async (page, url) => {
    await page.goto(`${url}/account`);
    await page.fill("#current", "not the password");
    await page.fill("#new", "granite willow 77 teapot");
    await page.click("text=Change the password");
    await page.waitForSelector("#current-problem");
  }],
  ["/account", "account", async (page, url) => {
    await page.context().clearCookies();
    await logIn(page, url, ROOT);
  }],
  ["/admin", "admin", async (page, url) => {
    await page.goto(`${url}/admin`);
    await page.waitForURL(`${url}/admin/users`);
  }],
  ["/admin/users", "users", (page, url) => page.goto(`${url}/admin/users`)],
  ["/admin/users/{id}", "user-hostile", async (page, url) => {
    await page.goto(`${url}/admin/users`);
    await page.click("text=eve@example.com");
  }],
  ["/admin/users/{id}", "user", async (page, url) => {
    await page.goto(`${url}/admin/users`);
    await page.click(`text=${ADA.email}`);
    await page.waitForSelector("details");
    for (const summary of await page.locator("main summary").all()) await summary.click();
  }],
  ["/admin/users/{id}", "user-refused", async (page) => {
    await page.fill("#access-password", "not the password");
    await page.click("button >> text=Disable the account");
    await page.waitForSelector("#access-password-problem");
  }],
  ["/admin/keys", "keys", async (page, url) => {
    await page.goto(`${url}/admin/keys`);
    await page.locator("main summary").first().click();
  }],
  ["/admin/health", "health", (page, url) => page.goto(`${url}/admin/health`)],
];

/** Where the server says what it answers to. */
const ROUTER = new URL("../crates/countersign-server/src/router.rs", import.meta.url);

test("every route that shows a page has a row in the table of pages", () => {
  const [, pages] = /\nfn pages\(([^]*?)\n\/\/\/ The inspector alone/.exec(readFileSync(ROUTER, "utf8")) ?? [];
  // What answers a form sends a browser `back`, when it comes by itself.
  const routes = [...(pages ?? "").matchAll(/\.route\(\s*"([^"]+)",\s*get\(\w+::/g)].map(([, route]) => route);
  assert.ok(routes.length >= 11, routes.join(" "));
  const shown = new Set(PAGES.map(([route]) => route));
  assert.deepEqual(routes.filter((route) => !shown.has(route)), []);
});

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  for (const width of [1280, 360, 320]) {
    test(`every page is whole in ${colorScheme}, ${width} pixels wide`, async (t) => {
      mkdirSync(PICTURES, { recursive: true });
      const server = await serve(t);
      const browser = await browse(t);
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
      const faults = await watched(context, server.url);
      await context.addInitScript({ content: axe.source });
      const page = await context.newPage();
      page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
      for (const [, name, open] of [...FIRST, ...PAGES]) {
        if (name === PAGES[0]?.[1]) await inhabit(server);
        await open(page, server.url);
        assert.deepEqual(faults, [], name);
        await page.screenshot({ path: `${PICTURES}/${name}-${colorScheme}-${width}.png`, fullPage: true });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
        // @ts-ignore
        const { violations, passes } = await page.evaluate(() => window.axe.run());
        assert.ok(passes.length >= 10, `${name}: only ${passes.length} rules were looked at`);
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        const found = serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
        assert.deepEqual(found, [], name);
        faults.length = 0;
      }
    });
  }
}

test("people sign up, change their password and log out without JavaScript", async (t) => {
  const server = await serve(t);
  const browser = await browse(t);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.url}/sign-up`);
  await page.fill("#name", "Ada");
  await page.fill("#email", ADA.email);
  await page.fill("#password", ADA.password);
  await page.click("text=Make the account");
  await page.waitForURL(`${server.url}/account`);
  assert.match(await page.textContent("main"), /Your account is made, and you are logged in\./);
  assert.match(await page.textContent(".things"), /Chrome on Linux/);
  await page.reload();
  assert.doesNotMatch(await page.textContent("main"), /Your account is made/);
  await page.fill("#current", "not the password");
  await page.fill("#new", "granite willow 77 teapot");
  await page.click("text=Change the password");
  assert.equal(await page.textContent("#current-problem"), "This is not your present password.");
  await page.fill("#current", ADA.password);
  await page.fill("#new", "granite willow 77 teapot");
  await page.click("text=Change the password");
  assert.match(await page.textContent(".done"), /Your password is changed/);
  await page.click("header button");
  await page.waitForURL(`${server.url}/log-in`);
  assert.equal(await page.textContent(".done"), "You are logged out.");
  const left = (await context.cookies()).map(({ name }) => name);
  assert.deepEqual(left.filter((name) => name !== "notice"), []);
  await page.goto(`${server.url}/account`);
  assert.equal(page.url(), `${server.url}/log-in?next=/account`);
});

test("light and dark are chosen with and without JavaScript, and what was typed stays", async (t) => {
  const server = await serve(t);
  const browser = await browse(t);
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext({ javaScriptEnabled, colorScheme: "light" });
    const faults = await watched(context, server.url);
    const page = await context.newPage();
    await page.goto(`${server.url}/log-in`);
    const ground = () => page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
    const light = await ground();
    await page.fill("#email", ADA.email);
    const kept = page.waitForResponse((answer) => answer.url().endsWith("/ui/theme"));
    await page.click("text=Dark");
    assert.equal((await kept).status(), 303);
    await page.waitForSelector('html[data-theme="dark"]');
    assert.equal(await page.inputValue("#email"), javaScriptEnabled ? ADA.email : "");
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.goto(`${server.url}/sign-up`);
    assert.equal(await ground(), dark);
    await page.click("text=As the system");
    await page.waitForSelector("html:not([data-theme])");
    assert.equal(await ground(), light);
    assert.deepEqual(faults, []);
    await context.close();
  }
});

test("everything is reached and seen by keyboard alone", async (t) => {
  const server = await inhabited(t);
  const browser = await browse(t);
  const page = await browser.newPage();
  await page.goto(`${server.url}/log-in`);
  const focused = () =>
    page.evaluate(() => {
      const one = /** @type {HTMLElement} */ (document.activeElement);
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      return { text: one.textContent?.trim() || one.id, outline: `${outlineStyle} ${outlineWidth}` };
    });
  await page.keyboard.press("Tab");
  assert.equal((await focused()).text, "To the content");
  const skip = await page.locator(".skip").boundingBox();
  assert.ok(skip && skip.y >= 0, "the way to the content is seen");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal((await focused()).text, "email");
  await page.keyboard.type(ROOT.email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(ROOT.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.url}/account`);
  const found = new Set();
  for (let steps = 0; steps < 40; steps += 1) {
    await page.keyboard.press("Tab");
    const { text, outline } = await focused();
    // Past the last one, the browser's own buttons come.
    if (await page.evaluate(() => document.activeElement === document.body)) break;
    assert.equal(outline, "solid 3px", text);
    found.add(text);
  }
  for (const text of ["Users", "Log out", "Log out everywhere", "current", "new", "Change the password", "Dark"]) {
    assert.ok(found.has(text), `${text} in ${[...found].join(", ")}`);
  }
});

test("an administrator does everything with the password only", async (t) => {
  const server = await inhabited(t);
  const browser = await browse(t);
  const page = await browser.newPage();
  await logIn(page, server.url, ROOT);
  await page.goto(`${server.url}/admin/users`);
  await page.fill("#email", "ADA@");
  await page.click("main form button");
  assert.equal(await page.locator(".things > li").count(), 1);
  await page.click(`text=${ADA.email}`);
  await page.click("summary >> text=Disable the account");
  await page.fill("#access-password", "not the password");
  await page.click("button >> text=Disable the account");
  // The panel that was refused is open, and says why.
  assert.equal(
    await page.textContent("#access-password-problem"),
    "This is not your present password.",
  );
  assert.equal(await page.locator("details[open]").count(), 1);
  await page.fill("#access-password", ROOT.password);
  await page.click("button >> text=Disable the account");
  assert.match(await page.textContent(".done"), /The account is disabled/);
  assert.equal((await server.api.post("/login", { data: ADA })).status(), 401);
});

test("nothing moves for whoever does not want it to", async (t) => {
  const server = await serve(t);
  const browser = await browse(t);
  const moving = async (reducedMotion) => {
    const page = await browser.newPage({ reducedMotion });
    await page.goto(`${server.url}/log-in`);
    return page.locator("main button").evaluate((button) => getComputedStyle(button).transitionDuration);
  };
  assert.equal(await moving("reduce"), "0s");
  assert.notEqual(await moving("no-preference"), "0s");
});
