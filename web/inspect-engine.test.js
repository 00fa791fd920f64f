// That the inspector has one engine: its verdict is the command's. And how long it takes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { COMMAND } from "./harness.js";
import { answered, encode, NOW, open, paste, SECRET, token } from "./inspecting.js";

const VECTORS = new URL("../crates/countersign/tests/data/rfc.json", import.meta.url);

/** Numbers that look random and are the same every time. */
function* numbers(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state;
  }
}

/** A token with a letter changed, lost, doubled or moved, or with another part. */
function mutate(text, next) {
  const at = next() % text.length;
  const other = String.fromCharCode(33 + (next() % 94));
  const parts = text.split(".");
  const json = Buffer.from(parts[1] ?? "", "base64url").toString();
  switch (next() % 8) {
    case 0: return text.slice(0, at) + other + text.slice(at + 1);
    case 1: return text.slice(0, at) + text.slice(at + 1);
    case 2: return text.slice(0, at) + other + text.slice(at);
    case 3: return text.slice(0, at);
    case 4: return [parts[0], encode(json.replace(/\d/, String(next() % 10))), parts[2]].join(".");
    case 5: return token(json.slice(0, -1) + `,"exp":${NOW}}`);
    case 6: return token({ sub: other, exp: NOW + 600 - (next() % 1_200), nbf: NOW - 300 + (next() % 600) });
    default: return `${parts[0]}.${parts[1]}.${parts[2]}${".".repeat(next() % 3)}`;
  }
}

/** The command's outcome for each: `valid`, or the code of the refusal. */
async function decided(cases, folder) {
  const run = promisify(execFile);
  const one = async ({ text, key, at }, index) => {
    const [keyFile, tokenFile] = [join(folder, `${index}.jwk`), join(folder, `${index}.jwt`)];
    writeFileSync(keyFile, JSON.stringify(key));
    writeFileSync(tokenFile, text);
    const script = '"$0" verify --json --any-iss --any-aud --key "$1" --at "$2" - < "$3"';
    const { stdout } = await run("sh", ["-c", script, COMMAND, keyFile, String(at), tokenFile]).catch((refused) => refused);
    const said = JSON.parse(stdout);
    return said.valid ? "valid" : said.code;
  };
  const all = [];
  for (let i = 0; i < cases.length; i += 8) all.push(...(await Promise.all(cases.slice(i, i + 8).map((each, j) => one(each, i + j)))));
  return all;
}

/** The same out of the page. */
function shown(page, cases) {
  return page.evaluate(async (cases) => {
    const [verdict, field, form, key, at] = ["verdict", "token", "form", "key", "at"].map((id) => document.getElementById(id));
    form.value = "jwk";
    const all = [];
    for (const each of cases) {
      [key.value, at.value] = [JSON.stringify(each.key), String(each.at)];
      field.focus();
      field.select();
      const clipboardData = new DataTransfer();
      clipboardData.setData("text", each.text);
      field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
      while (verdict.hasAttribute("aria-busy")) await new Promise((done) => setTimeout(done));
      const code = document.querySelector("#ladder .failed dl dd:last-of-type code");
      all.push(verdict.classList.contains("is-valid") ? "valid" : code?.textContent);
    }
    return all;
  }, cases);
}

test("the page's verdict is the command's, over the RFCs' examples and 500 mutated tokens", async (t) => {
  const { page, faults } = await open(t);
  const folder = mkdtempSync(join(tmpdir(), "countersign-web-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const cases = JSON.parse(readFileSync(VECTORS, "utf8"))
    .filter(({ kind, compact, key }) => kind === "jws" && compact && key && !key.keys)
    .map(({ compact, key, alg }) => ({ text: compact, key: { alg, ...key }, at: 1_300_819_300 }));
  assert.ok(cases.length >= 12, String(cases.length));
  const all = numbers(7);
  const next = () => all.next().value;
  const secret = { kty: "oct", alg: "HS256", k: encode(SECRET) };
  for (let i = 0; i < 500; i += 1) cases.push({ text: mutate(token({ iss: "joe", sub: "ada", exp: NOW + 600 }), next), key: secret, at: NOW });
  const [ours, theirs] = await Promise.all([shown(page, cases), decided(cases, folder)]);
  const outcomes = new Map();
  for (const [index, code] of ours.entries()) {
    assert.equal(code, theirs[index], cases[index].text);
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
  }
  t.diagnostic([...outcomes].map(([code, count]) => `${code} ${count}`).join(", "));
  assert.ok(outcomes.size >= 8, [...outcomes.keys()].join(" "));
  assert.deepEqual(faults, []);
});

test("a token of 16 KiB is drawn and explained in one go, and typing waits for nothing", async (t) => {
  const { page } = await open(t);
  await page.fill("#key", SECRET);
  const claims = { exp: NOW + 600 };
  for (let i = 0; JSON.stringify(claims).length < 11_700; i += 1) claims[`claim${i}`] = randomBytes(12).toString("hex");
  const text = token(claims);
  assert.ok(text.length > 15_500 && text.length <= 16_384, String(text.length));
  await answered(page, () => paste(page, token({ exp: NOW + 600 })));
  const measure = (text) =>
    page.evaluate(async (text) => {
      const says = document.querySelector("#says");
      const field = document.querySelector("#token");
      field.focus();
      field.select();
      const clipboardData = new DataTransfer();
      clipboardData.setData("text", text);
      const began = performance.now();
      field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
      const drawn = performance.now() - began;
      const size = `${text.length} bytes`;
      while (!document.querySelector("#ladder")?.textContent.includes(size)) await new Promise((done) => setTimeout(done));
      return { drawn: Math.round(drawn), explained: Math.round(performance.now() - began), says: says.textContent };
    }, text);
  const { drawn, explained } = await measure(text);
  t.diagnostic(`drawn after ${drawn} ms, explained after ${explained} ms`);
  assert.equal(await page.textContent(".verdict .word"), "Valid");
  // Only the last of many questions is answered into the page.
  const asked = [];
  page.on("request", (request) => request.url().endsWith("/explain") && asked.push(request));
  await page.locator("#token").press("End");
  await page.keyboard.type("abcdefghijklmnop", { delay: 10 });
  await page.waitForSelector(".verdict:not(.is-valid):not([aria-busy])");
  assert.ok(asked.length < 8, String(asked.length));
});
