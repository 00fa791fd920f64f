// The life of a token: the whole story is played, every answer is a real one, and the picture that is kept is the one in
// the docs and on the page without a script. With UPDATE=1 picture and list are written instead of compared.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import axe from "axe-core";

import { ADA, browse, serve, watched } from "./harness.js";

const PICTURES = process.env.PICTURES ?? fileURLToPath(new URL("pictures", import.meta.url));
const DOCS = new URL("../docs/", import.meta.url);
const SERVER = new URL("../crates/countersign-server/", import.meta.url);
const OVER = '#story[data-state="over"]';
/** The longest that a story can take: twenty seconds of a token, ten of grace, two lists, and the time to read. */
const STORY = { timeout: 150_000 };

/** A page with the story, and what was asked for on it. */
async function open(t, options = {}) {
  const server = await serve(t);
  const context = await (await browse(t)).newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const faults = await watched(context, server.url);
  await context.addInitScript({ content: axe.source });
  const page = await context.newPage();
  const asked = [];
  page.on("response", (answer) => {
    const path = new URL(answer.url()).pathname;
    // What is asked beside the story is no part of it.
    if (!path.startsWith("/assets/") && path !== "/flow" && path !== "/flow/explain") {
      const body = answer.request().postData();
      asked.push({ what: `${answer.request().method()} ${path}`, status: answer.status(), body, text: answer.text().catch(() => "") });
    }
  });
  await page.goto(`${server.url}/flow`);
  await page.waitForSelector("#step-refused");
  return { server, context, page, faults, asked };
}

async function serious(page) {
  const { violations, passes } = await page.evaluate(() => window.axe.run());
  assert.ok(passes.length >= 10, `only ${passes.length} rules were looked at`);
  const found = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}

test("the whole story is played with real answers, and looks right afterwards", async (t) => {
  const { page, faults, asked } = await open(t);
  await page.click("#play");
  await page.waitForSelector(OVER, STORY);
  assert.equal(await page.locator("#story li[data-state=made]").count(), 17);

  const answers = await Promise.all(asked.map(async (one) => ({ ...one, json: parsed(await one.text) })));
  const story = [];
  for (const { what, status, json } of answers) {
    const said = status === 200 ? `${status}` : `${status} ${json.code}`;
    // How often the service lets somebody in until it has read the list depends on when it did last.
    const line = `${what}: ${said}`;
    const isAgain = story.at(-1) === line && what === "GET /flow/service";
    if (!isAgain) story.push(line);
  }
  const [begun, used] = ["POST /flow/session: 200", "GET /flow/service: 200"];
  const [refreshed, refused] = ["POST /refresh: 200", "POST /refresh: 401 invalid_refresh_token"];
  const revoked = "GET /flow/service: 401 token_revoked";
  const plain = story.filter((line, i) => !(line === used && story[i + 1] === revoked));
  const expired = "GET /flow/service: 401 token_expired";
  const listed = "GET /status-lists/0: 200";
  assert.deepEqual(plain, [begun, used, expired, refreshed, used, refreshed, refreshed, refused, refused, revoked, begun, used, "POST /logout: 200", listed, revoked]);

  const refreshes = answers.filter(({ what }) => what === "POST /refresh");
  const [, one, two, thief] = refreshes;
  assert.equal(one.body, two.body);
  assert.equal(one.json.refresh_token, two.json.refresh_token);
  assert.notEqual(one.json.access_token, two.json.access_token);
  assert.equal(thief.body, JSON.stringify({ refresh_token: answers[0].json.refresh_token }));

  // Nothing of it is kept by the browser.
  const kept = await page.evaluate(async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, location.search, location.hash]);
  assert.deepEqual(kept, [0, 0, 0, "", ""]);
  assert.deepEqual(await page.context().cookies(), []);

  // The life of the token is one number wherever it is said, and the page's own requests are arrows from the page.
  const life = answers[0].json.expires_in;
  for (const [step, said] of [["log-in", `200 · tokens, ${life} s`], ["expires", `its ${life} s went by`]]) {
    assert.ok((await page.locator(`#step-${step} svg text`).allTextContents()).includes(said), `${step}: ${said}`);
  }
  assert.match(await page.textContent("#step-log-in .came"), new RegExp(`^An access token for ${life} seconds`));
  const arrows = await page.locator("#step-list line.arrow, #step-log-out line.arrow").evaluateAll((all) => all.map((one) => one.getAttribute("x1")));
  assert.equal(new Set(arrows).size, 1, `${arrows}`);

  // What the server let in and what it refused are told apart by a sign, and not by colour alone.
  const badges = await page.locator("#step-use .badge, #step-expired .badge, #step-refused .badge").evaluateAll((all) => all.map((one) => [one.textContent, one.className]));
  for (const [text, style] of badges) assert.match(`${text} | ${style}`, /^✓ 200 \| badge good$|^(✓ 200, then )?✗ 401 \| badge wrong$/);
  assert.ok(badges.some(([text]) => text.includes("✗")) && badges.some(([text]) => text === "✓ 200"), `${badges}`);

  await looksRight(page, faults);
});

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** The page after the story, with what there is to open opened. */
async function looksRight(page, faults) {
  mkdirSync(PICTURES, { recursive: true });
  if (process.env.UPDATE) await photograph(page);
  for (const step of ["keep", "expired", "refresh"]) {
    for (const summary of await page.locator(`#step-${step} .parts > details > summary`).all()) await summary.click();
  }
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 360, 320]) {
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate(() => window.scrollTo(0, 0));
      const name = `flow-${colorScheme}-${width}`;
      await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
      assert.deepEqual(await serious(page), [], name);
    }
  }
  assert.deepEqual(faults, []);
}

/** For the README: the middle of the story, after it was played. */
async function photograph(page) {
  await page.setViewportSize({ width: 1180, height: 1000 });
  await page.evaluate(() => {
    window.scrollTo(0, 0);
    window.scrollTo(0, document.querySelector("#step-twins").getBoundingClientRect().top - 150);
  });
  await page.screenshot({ path: fileURLToPath(new URL("pictures/life-of-a-token.png", DOCS)) });
}

test("the story goes on step by step, by keyboard, and says what happened", async (t) => {
  const { page, faults } = await open(t, { reducedMotion: "reduce" });
  await page.locator("#step").focus();
  const said = async (text) => page.waitForFunction((text) => document.querySelector("#status").textContent.includes(text), text);
  await page.keyboard.press("Enter");
  await said("Step 1 of 17: The page asks for a session. An access token for");
  await page.keyboard.press("Enter");
  await said("Step 2 of 17: The tokens are kept.");
  await page.keyboard.press("Enter");
  await said("Step 3 of 17: A request with the token. All");
  // The list is the picture's other form: each step has its words, and opens its request.
  const texts = await page.locator("#story ol.steps > li > .words").allInnerTexts();
  assert.equal(texts.length, 17);
  for (const [i, text] of texts.entries()) assert.match(text, new RegExp(`^${i + 1} .{10,}`, "s"));
  await page.locator("#step-use details.exchange summary").focus();
  await page.keyboard.press("Enter");
  const shown = await page.locator("#step-use details.exchange pre").allInnerTexts();
  assert.match(shown[0], /^GET \/flow\/service\nauthorization: Bearer eyJ/);
  assert.match(shown[1], /^200\n(.*\n)*\n\{\n {2}"message": "The service lets you in"/);
  const ladder = await page.locator("#step-use .ladder > .passed").allTextContents();
  assert.equal(ladder.length, 13);
  assert.match(ladder.at(-1), /status/i);
  assert.match(await page.locator("#clock-left").innerText(), /^\d+ s left$/);
  assert.deepEqual(faults, []);
});

test("an arrow opens its request, and a small ladder the ladder", async (t) => {
  const { page } = await open(t);
  for (let i = 0; i < 3; i += 1) {
    await page.click("#step");
    await page.waitForSelector(`#story ol.steps > li[value="${i + 1}"][data-state=made]`);
  }
  // The buttons stay in sight wherever the story is.
  await page.locator("#story").evaluate((story) => story.scrollIntoView({ block: "end", behavior: "instant" }));
  const { top, bottom } = await page.locator("#step").evaluate((one) => one.getBoundingClientRect().toJSON());
  assert.ok(top >= 0 && bottom < 200, `${top} ${bottom}`);
  const [exchange, ladder] = ["exchange", "verification"].map((kind) => page.locator(`#step-use details.${kind}`));
  assert.equal(await exchange.getAttribute("open"), null);
  await page.locator("#step-use .call .touch").click({ position: { x: 120, y: 20 } });
  assert.equal(await exchange.getAttribute("open"), "");
  await page.locator("#step-use .rungs rect").click({ force: true });
  assert.equal(await ladder.getAttribute("open"), "");
});

test("beginning anew ends the session that was begun", async (t) => {
  const { page, asked } = await open(t);
  await page.click("#step");
  await page.waitForSelector("#step-log-in[data-state=made]");
  const token = parsed(await asked[0].text).refresh_token;
  const ended = page.waitForResponse((answer) => answer.url().endsWith("/logout"));
  await page.click("#again");
  assert.equal((await ended).status(), 200);
  assert.equal((await ended).request().postData(), JSON.stringify({ refresh_token: token }));
  assert.equal(await page.locator("#story li[data-state=made]").count(), 0);
  await page.click("#step");
  await page.waitForSelector("#step-log-in[data-state=made]");
});

test("what cannot be had is said, and the story can be gone on with", async (t) => {
  const { page, context } = await open(t);
  await context.setOffline(true);
  await page.click("#play");
  await page.waitForSelector("#step-log-in[data-state=odd]");
  assert.match(await page.locator("#step-log-in .came").innerText(), /^POST \/flow\/session was answered not at all/);
  await context.setOffline(false);
  await page.click("#step");
  await page.waitForSelector("#step-log-in[data-state=made]");
});

test("whoever is signed in plays with a session of their own and stays signed in", async (t) => {
  const { page, server } = await open(t);
  assert.equal((await server.api.post("/signup", { data: ADA })).status(), 201);
  await page.goto(`${server.url}/log-in`);
  await page.fill("#email", ADA.email);
  await page.fill("#password", ADA.password);
  await page.click("main button");
  await page.waitForURL(`${server.url}/account`);
  await page.goto(`${server.url}/flow`);
  for (let i = 1; i <= 3; i += 1) {
    await page.click("#step");
    await page.waitForSelector(`#story ol.steps > li[value="${i}"][data-state=made]`);
  }
  const own = await page.locator("#step-use pre").allTextContents();
  await page.click("#again");
  await page.goto(`${server.url}/account`);
  const account = await page.locator("main").innerText();
  assert.ok(account.includes(ADA.email));
  assert.ok(own.join("").includes('"sub"'));
});

test("the picture that is kept is the docs' own, needs nothing, and is of both lights", async (t) => {
  const { page } = await open(t);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#picture")]);
  assert.equal(download.suggestedFilename(), "life-of-a-token.svg");
  const picture = readFileSync(await download.path(), "utf8");
  const addresses = picture.match(/https?:[^"]*/g);
  assert.deepEqual([...new Set(addresses)], ["http://www.w3.org/2000/svg"]);
  assert.ok(!/var\(|light-dark|url\(|@import|<script|style="/.test(picture), "it needs something");
  assert.match(picture, /@media \(prefers-color-scheme: dark\)/);

  const story = await page.evaluate(async () => {
    const { STORY } = await import("/assets/js/flow/story.js");
    return STORY.map(({ title, steps }) => ({ title, steps: steps.map(({ title, tell }) => ({ title, tell })) }));
  });
  let number = 0;
  const list = story
    .map((scene) => `### ${scene.title}\n\n${scene.steps.map(({ title, tell }) => wrapped(`${(number += 1)}. `, `**${title}.** ${tell}`)).join("")}`)
    .join("\n");
  const [svg, words, life] = [new URL("assets/life-of-a-token.svg", SERVER), new URL("templates/life_words.html", SERVER), new URL("LIFE.md", DOCS)];
  let first = 1;
  const markup = story.map(({ title, steps }) => {
    const items = steps.map(({ title, tell }) => `<li><strong>${escaped(title)}.</strong> ${escaped(tell)}</li>\n`);
    const list = `<h2>${escaped(title)}</h2>\n<ol start="${first}">\n${items.join("")}</ol>\n`;
    first += steps.length;
    return list;
  }).join("");
  const text = readFileSync(life, "utf8");
  const whole = text.replace(/(?<=\n## Step by step\n)[\s\S]*?(?=\n## What)/, () => `\n${list}`);
  assert.ok(whole.includes(list));
  if (process.env.UPDATE) {
    writeFileSync(svg, picture);
    writeFileSync(life, whole);
    writeFileSync(words, markup);
  }
  const remedy = "run `UPDATE=1 bash web/run.sh flow.test.js`";
  assert.ok(readFileSync(svg, "utf8") === picture, `assets/life-of-a-token.svg is another picture: ${remedy}`);
  assert.ok(readFileSync(life, "utf8") === whole, `docs/LIFE.md tells another story: ${remedy}`);
  assert.ok(readFileSync(words, "utf8") === markup, `templates/life_words.html tells another story: ${remedy}`);
});

test("without JavaScript the page shows the picture and its words, and no empty frame", async (t) => {
  const server = await serve(t);
  const browser = await browse(t);
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    for (const width of [1280, 360]) {
      const context = await browser.newContext({ javaScriptEnabled: false, colorScheme, viewport: { width, height: 800 } });
      const faults = await watched(context, server.url);
      const page = await context.newPage();
      await page.goto(`${server.url}/flow`);
      await page.screenshot({ path: `${PICTURES}/flow-unscripted-${colorScheme}-${width}.png`, fullPage: true });
      const picture = page.getByRole("img", { name: /^Browser, auth server and service/ });
      assert.ok((await picture.boundingBox())?.height > 600);
      assert.equal(await page.locator("main ol li").count(), 17);
      assert.match(await page.locator("main").innerText(), /The same token, the same service\. One step of the list fails now\./);
      for (const id of ["controls", "heads", "story"]) assert.equal(await page.locator(`#${id}`).isVisible(), false, id);
      assert.deepEqual(faults, []);
      await context.close();
    }
  }
});

/** @param {string} text */
function escaped(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

/** An entry of a list, in lines of at most 120 letters. */
function wrapped(mark, text) {
  const lines = [mark];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last.length + word.length + 1 > 120) lines.push(`${" ".repeat(mark.length)}${word}`);
    else lines[lines.length - 1] = last.endsWith(" ") ? last + word : `${last} ${word}`;
  }
  return `${lines.join("\n")}\n`;
}
