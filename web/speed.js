// How fast the inspector is in a real browser: `bash web/speed.sh` runs this against the release build and writes
// SPEED.md. No test: figures of one machine, beside what they should be.

import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

import { browse, inspector, serve } from "./harness.js";
import { answered, NOW, paste, SECRET, token } from "./inspecting.js";

const LOADS = Number(process.env.LOADS ?? 25);
const PASTES = Number(process.env.PASTES ?? 15);

const sorted = (all) => [...all].sort((a, b) => a - b);
const median = (all) => sorted(all)[Math.floor(all.length / 2)] ?? NaN;
const worst = (all) => Math.max(...all);
const ms = (number) => `${number.toFixed(number < 9.95 ? 1 : 0)} ms`;
const kilobytes = (number) => `${number.toLocaleString("en")} bytes`;

/** Claims that fill a token up to a size, each with a value that looks random and is the same in every run. */
function sized(letters, each = 24) {
  const claims = { iss: "https://id.example", sub: "ada", aud: "orders-api", iat: NOW, exp: NOW + 3_600 };
  const room = Math.floor((letters - 100) * 0.75);
  for (let i = 0, length = JSON.stringify(claims).length; length + each + 20 < room; i += 1) {
    const name = `claim${i}`;
    claims[name] = createHmac("sha512", name).update("").digest("hex").repeat(Math.ceil(each / 128)).slice(0, each);
    length += name.length + each + 6;
  }
  return token(claims);
}

const TOKENS = {
  "1 KiB": sized(1_024),
  "16 KiB": sized(16_384),
  "1 MB, one claim": sized(1_000_000, 749_500),
  "1 MB, 20,000 claims": sized(1_000_000),
  "1 MB, forty names of right-to-left marks": token(`{${Array.from({ length: 40 }, (_, i) => `"${"\u202e".repeat(5_800)}${i}":1`)}}`),
  "1 MB, a name and a value with marks between letters": token({ ["a\u202e".repeat(90_000)]: "a\u200b".repeat(90_000) }),
  "1 MB of dots": token({ exp: NOW + 600 }) + ".".repeat(1_000_000),
};

/** In the page: pastes, and notes when the handler was over, when everything stood in the page, and when it was painted. */
function pasted(text) {
  const field = /** @type {HTMLTextAreaElement} */ (document.querySelector("#token"));
  const verdict = /** @type {HTMLElement} */ (document.querySelector("#verdict"));
  performance.clearResourceTimings();
  field.focus();
  field.select();
  const clipboardData = new DataTransfer();
  clipboardData.setData("text", text);
  return new Promise((done) => {
    let longest = 0;
    const tasks = new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (longest = Math.max(longest, duration))));
    tasks.observe({ type: "longtask" });
    const began = performance.now();
    // Runs after the task that put the answer into the page, whole.
    const watcher = new MutationObserver(() => {
      if (verdict.hasAttribute("aria-busy")) return;
      watcher.disconnect();
      const inPage = performance.now() - began;
      const { port1, port2 } = new MessageChannel();
      // A task after the frame: style, layout and paint are over.
      port1.onmessage = () => {
        const painted = performance.now() - began;
        setTimeout(() => {
          const [asked] = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/explain"));
          const timing = /** @type {PerformanceResourceTiming} */ (asked);
          tasks.disconnect();
          done({ drawn, inPage, painted, longest, server: timing ? timing.responseStart - timing.requestStart : 0 });
        }, 100);
      };
      requestAnimationFrame(() => port2.postMessage(""));
    });
    watcher.observe(verdict, { attributeFilter: ["aria-busy"] });
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    const drawn = performance.now() - began;
  });
}

/** Fresh loads, each in a browser without a cache. */
async function loads(browser, url) {
  const all = { "first-paint": [], "first-contentful-paint": [], loaded: [] };
  for (let i = 0; i < LOADS; i += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    const found = await page.evaluate(async () => {
      while (performance.getEntriesByType("paint").length < 2) await new Promise(requestAnimationFrame);
      const paints = performance.getEntriesByType("paint").map(({ name, startTime }) => [name, startTime]);
      const [navigation] = performance.getEntriesByType("navigation");
      // @ts-ignore
      return [...paints, ["loaded", navigation.loadEventEnd]];
    });
    for (const [name, time] of found) all[name].push(time);
    await context.close();
  }
  return all;
}

/** How many bytes of script a page loads, and in how many modules. */
async function script(browser, url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "networkidle" });
  const all = await page.evaluate(() =>
    performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"))
      // @ts-ignore
      .map(({ name, decodedBodySize }) => [name, decodedBodySize]),
  );
  await context.close();
  const bytes = [...new Map(all).values()].reduce((sum, one) => sum + one, 0);
  return { bytes, modules: new Map(all).size };
}

async function pastes(browser, url, text, key) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(url);
  await page.fill("#key", key);
  await answered(page, () => paste(page, token({ exp: NOW + 600 })));
  const all = [];
  for (let i = 0; i < PASTES + 2; i += 1) {
    await answered(page, () => paste(page, token({ exp: NOW + 600 + i })));
    await page.waitForTimeout(60);
    all.push(await page.evaluate(pasted, text));
  }
  await context.close();
  // The first two warm the browser's compiler, as a person's first seconds on the page do.
  return { first: all[0], rest: all.slice(2) };
}

/** Types 200 letters at a steady pace, and says how long the longest task and the longest wait for a frame were. */
async function typing(browser, url, text, where) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(url);
  await page.fill("#key", SECRET);
  await answered(page, () => paste(page, text));
  const field = await where(page);
  await page.evaluate(() => {
    const seen = { task: 0, frame: 0, event: 0 };
    // @ts-ignore
    window.seen = seen;
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (seen.task = Math.max(seen.task, duration)))).observe({ type: "longtask" });
    // @ts-ignore
    // Of keys, and not of the click that opened the editor.
    const keys = (list) => list.getEntries().filter(({ name }) => /^key|input$/.test(name));
    // @ts-ignore
    new PerformanceObserver((list) => keys(list).forEach(({ duration }) => (seen.event = Math.max(seen.event, duration)))).observe({ type: "event", durationThreshold: 16 });
    let last = performance.now();
    const frame = (now) => {
      seen.frame = Math.max(seen.frame, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => {
      last = now;
      requestAnimationFrame(frame);
    });
  });
  await field.press("Control+Home");
  for (let i = 0; i < 3; i += 1) await field.press("ArrowRight");
  await page.keyboard.type("typing never stutters, ".repeat(9).slice(0, 200), { delay: 35 });
  await page.waitForTimeout(400);
  // @ts-ignore
  const seen = await page.evaluate(() => window.seen);
  await context.close();
  return seen;
}

async function main(t) {
  const url = await inspector(t);
  const server = await serve(t);
  const browser = await browse(t);
  const rows = [];
  const row = (what, measured, goal, holds) => {
    rows.push([what, measured, goal, goal === "" ? "" : holds ? "holds" : "missed"]);
    console.log(rows.at(-1).join(" | "));
  };
  const both = (all) => `${ms(median(all))}, ${ms(worst(all))}`;

  await loads(browser, url);
  const { "first-paint": first, "first-contentful-paint": contentful, loaded } = await loads(browser, url);
  row(`\`/inspect\`, ${LOADS} fresh loads: first paint`, both(first), "300 ms", worst(first) < 300);
  row("first contentful paint", both(contentful), "300 ms", worst(contentful) < 300);
  row("everything loaded", both(loaded), "", true);

  for (const [name, text] of Object.entries(TOKENS)) {
    const { first, rest } = await pastes(browser, url, text, SECRET);
    const of = (what) => rest.map((one) => one[what]);
    const goal = name.endsWith("KiB") ? 50 : 200;
    row(`${name}: parts, claims, verdict and ladder in the page`, both(of("inPage")), `${goal} ms`, median(of("inPage")) < goal);
    row(`${name}: painted`, both(of("painted")), `${goal} ms`, median(of("painted")) < goal);
    row(`${name}: of which drawn before the answer`, both(of("drawn")), "", true);
    row(`${name}: of which the server`, both(of("server")), "", true);
    row(`${name}: longest task over 50 ms`, worst(of("longest")) ? ms(worst(of("longest"))) : "none", name.endsWith("KiB") ? "none" : "", worst(of("longest")) === 0);
    row(`${name}: the page's very first, painted`, ms(first.painted), "", true);
  }

  const long = TOKENS["16 KiB"];
  const places = {
    "the payload": async (page) => {
      await page.click("#payload-tools button");
      return page.locator(".editor");
    },
    "the token": async (page) => page.locator("#token"),
  };
  for (const [name, where] of Object.entries(places)) {
    const { task, frame, event } = await typing(browser, url, long, where);
    row(`200 letters typed into ${name} of 16 KiB: longest task over 50 ms`, task ? ms(task) : "none", "none", task === 0);
    row(`longest time between two frames`, ms(frame), "50 ms", frame < 50);
    row(`longest from a key to its letter on the screen`, ms(event), "50 ms", event < 50);
  }

  const pages = { "/inspect": url, "/flow": `${server.url}/flow`, "every other page": `${server.url}/log-in` };
  for (const [name, at] of Object.entries(pages)) {
    const { bytes, modules } = await script(browser, at);
    row(`${name}: script, in ${modules} modules`, kilobytes(bytes), "60,000 bytes", bytes < 60_000);
  }
  report(rows, browser.version());
}

function report(rows, version) {
  const lines = [
    "# How fast the inspector is",
    "",
    `Written by \`bash web/speed.sh\`: the release build of \`countersign inspect\` on loopback, Chromium ${version} without a`,
    `screen and without a graphics processor, ${cpus().length} processors of the kind ${cpus()[0]?.model.replace(/\(R\)|\(TM\)| CPU/g, "").replace(/\s+/g, " ").trim()},`,
    `on which ${loadavg()[1]?.toFixed(1)} programs wanted to run at once while this was measured, its own among them.`,
    `Two figures are the median and the worst. Fresh loads have an empty cache; a token is pasted ${PASTES} times over another one, with`,
    "the secret that it is signed with. *In the page* is the end of the task that wrote the answer into it, *painted* the",
    "end of the frame after that, of which a screen shows sixty in a second. A token over 16 KiB is refused by the engine and",
    "shown all the same.",
    "",
    "| | measured | goal | |",
    "|---|---|---|---|",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
  ];
  if (process.env.WRITE !== "no") writeFileSync(new URL("SPEED.md", import.meta.url), lines.join("\n"));
}

const ends = [];
try {
  await main({ after: (end) => ends.push(end) });
} finally {
  for (const end of ends.reverse()) await end();
}
