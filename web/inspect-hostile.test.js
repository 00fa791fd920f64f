// What a hostile token says is text, every letter of it to be seen, and draws no more than a page can hold.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answered, NOW, open, paste, SECRET, token } from "./inspecting.js";

/** Everything in a place: elements, and the texts in them. */
const nodes = (page, place) =>
  page.locator(place).evaluate((one) => {
    const walker = document.createTreeWalker(one);
    let count = 0;
    while (walker.nextNode()) count += 1;
    return count;
  });

/** Letters that are not seen, or look like a space, in what is drawn: none is left as it was. */
const UNSEEN = /(?![\n ])[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Opens everything that was cut. */
const openAll = (page) =>
  page.locator("#decoded").evaluate((one) => {
    for (const button of one.querySelectorAll("button")) if (button.textContent.startsWith("…")) button.click();
  });

test("what a token says is text, whatever it looks like, and slows nothing down", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  const markup = "<img src=x onerror=alert(1)><script>alert(1)</script>";
  const hostile = `{"__proto__":{"polluted":true},"constructor":"x","toString":1,"${markup.replace(/"/g, "")}":"${markup}","rtl":"\u202eevil\u2066","nul":"\\u0000","exp":1e999,"iat":"1"}`;
  await answered(page, () => paste(page, token(hostile, `{"alg":"HS256","kid":"${markup}","__proto__":1}`)));
  const decoded = await page.textContent("#payload");
  assert.ok(decoded.includes(markup) && decoded.includes("__proto__") && decoded.includes("U+202E"), decoded);
  assert.equal(await page.locator("#decoded img, #decoded script, #ladder img").count(), 0);
  assert.equal(await page.evaluate(() => ({}).polluted), undefined);
  const deep = `{"deep":${"[".repeat(10_000)}${"]".repeat(10_000)},"exp":1}`;
  const large = `{"large":"${"x".repeat(1024 * 1024)}","exp":1}`;
  for (const [payload, name] of [[deep, "deep"], [large, "large"]]) {
    const began = Date.now();
    assert.equal(await answered(page, () => paste(page, token(payload))), "Broken", name);
    assert.match(await page.textContent("#payload"), new RegExp(name));
    t.diagnostic(`${name}: ${Date.now() - began} ms`);
    assert.ok((await page.locator("#payload *").count()) < 200);
  }
  assert.deepEqual(faults, []);
});

test("words between backticks are code, in what the server says and not in what the token does", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  const typ = '`<img src=x>` y `z';
  await answered(page, () => paste(page, token({ exp: NOW + 600 }, JSON.stringify({ alg: "HS256", typ }))));
  assert.equal(await page.textContent(".verdict .why"), `typ is "${typ}", expected absent or JWT or at+jwt.`);
  assert.equal(await page.textContent('#ladder [data-step="type"] .says, #ladder .failed .says'), `typ is "${typ}", expected absent or JWT or at+jwt`);
  await answered(page, () => paste(page, token({ exp: NOW + 600 }, JSON.stringify({ alg: "HS256", crit: ["a"] }))));
  assert.equal(await page.innerHTML(".verdict .why"), "<code>crit</code> names a member that the header does not hold.");
  assert.equal(await page.textContent("#ladder .failed .says code"), "crit");
  const sealed = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIGj\n-----END RSA PRIVATE KEY-----\n";
  await answered(page, () => page.fill("#key", sealed));
  assert.match(await page.innerHTML("#key-facts"), /decrypt it with <code>openssl pkey -in key\.pem -out plain\.pem<\/code>, or give its public half: <code>[^`]+<\/code>$/);
  assert.equal((await page.textContent("#key-facts, #ladder")).includes("`"), false);
  assert.equal(await page.locator("#says img, #ladder img").count(), 0);
  assert.deepEqual(faults, []);
});

test("a megabyte of what is not seen, of dots and of braces is a page of text, in names and in values", async (t) => {
  const { page, faults } = await open(t);
  const names = (count, name) => `{${Array.from({ length: count }, (_, i) => `"${name}${i}":${i}`).join(",")},"exp":1}`;
  const mixed = "\u200b\u202e\u2066\u{e0041}";
  const both = (text) => `{"${text}":"${text}","exp":1}`;
  const all = {
    "forty names of right-to-left marks": names(40, "\u202e".repeat(5_800)),
    "one name of them": `{"${"\u202e".repeat(230_000)}":1,"exp":1}`,
    "a value of nothing": `{"a":"${"\u200b".repeat(65_000)}","exp":1}`,
    "marks between letters": both("a\u202e".repeat(60_000)),
    "many kinds of them": both(mixed.repeat(20_000)),
    "names with marks between letters": names(1_000, "x\u200b".repeat(100)),
    "line feeds": both("\\n".repeat(90_000)),
    "line feeds as they are": both("\n".repeat(180_000)),
    "braces": `{"${"{".repeat(300_000)}":${"{".repeat(300_000)}`,
    "dots": both(".".repeat(300_000)),
    "spaces": both(" ".repeat(300_000)),
  };
  for (const [what, payload] of Object.entries(all)) {
    await answered(page, () => paste(page, token(payload)));
    assert.ok((await nodes(page, "#decoded")) < 6_000, `${what}: ${await nodes(page, "#decoded")}`);
    await openAll(page);
    assert.ok((await nodes(page, "#decoded")) < 24_000, `${what}, all of it: ${await nodes(page, "#decoded")}`);
    const drawn = await page.textContent("#payload");
    assert.doesNotMatch(drawn, UNSEEN, what);
    assert.ok(drawn.length > 10, what);
  }
  await answered(page, () => paste(page, token(all["forty names of right-to-left marks"])));
  assert.match(await page.textContent("#payload"), /U\+202E × 120… all 5,801 letters/);
  await openAll(page);
  assert.match(await page.textContent("#payload"), /U\+202E × 1205?U\+202E × 5,680/);
  await answered(page, () => paste(page, token(all["marks between letters"])));
  assert.match(await page.textContent("#payload"), /▯ × 43 not seen/);
  assert.deepEqual(faults, []);
});

test("a token of a million dots has six parts, and words for the rest", async (t) => {
  const { page, faults } = await open(t);
  const whole = token({ sub: "ada", exp: NOW + 600 });
  assert.equal(await answered(page, () => paste(page, whole + ".".repeat(1_000_000))), "Broken");
  assert.match(await page.textContent("#payload"), /"ada"/);
  assert.match(await page.textContent("#signature"), /Parts after this one: 1,000,000\. A token has three/);
  assert.ok((await nodes(page, "#paper")) < 100, `${await nodes(page, "#paper")}`);
  assert.equal((await page.textContent("#colours")).trim(), await page.inputValue("#token"));
  await answered(page, () => paste(page, ".".repeat(1_000_000)));
  assert.ok((await nodes(page, "#paper")) < 100, `${await nodes(page, "#paper")}`);
  assert.doesNotMatch(await page.textContent("#payload"), /ada/);
  await answered(page, () => paste(page, `${whole}.x`));
  assert.match(await page.textContent("#signature"), /Parts after this one: 1\./);
  assert.deepEqual(faults, []);
});

test("hostile tokens side by side are a table that a page can hold", async (t) => {
  const { page, faults } = await open(t);
  const hostile = (mark) => token(`{${Array.from({ length: 1_000 }, (_, i) => `"${`${i}${mark}`.repeat(30)}":"${`a${mark}`.repeat(30)}"`).join(",")},"exp":1}`);
  await answered(page, () => paste(page, hostile("\u202e")));
  await page.click('summary:has-text("Compare")');
  await page.fill("#other", hostile("\u200b"));
  await page.waitForSelector("#differences .is-added, #differences .is-gone");
  assert.ok((await nodes(page, "#differences")) < 30_000, `${await nodes(page, "#differences")}`);
  assert.doesNotMatch(await page.textContent("#differences"), UNSEEN);
  assert.match(await page.textContent("#differences"), /… 802 members more/);
  assert.deepEqual(faults, []);
});

test("every letter that is not seen is named, in names and in values", async (t) => {
  const { page, faults } = await open(t);
  const letters = [0x00, 0x09, 0x0d, 0x1f, 0x7f, 0x85, 0xa0, 0xad, 0x34f, 0x61c, 0x115f, 0x1680, 0x17b4, 0x17b5, 0x180e, 0x2000, 0x200a, 0x200b, 0x200f];
  letters.push(0x2028, 0x2029, 0x202e, 0x202f, 0x205f, 0x2060, 0x2069, 0x206f, 0x2800, 0x3000, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xfffb, 0x1d173, 0xe0001, 0xe0041, 0xe007f, 0xe0100, 0xe01ef);
  const code = (letter) => `U+${letter.toString(16).toUpperCase().padStart(4, "0")}`;
  const marks = (place) => page.locator(`#payload .claim ${place}`).evaluateAll((all) => all.map((one) => [...one.querySelectorAll(".unseen")].map((mark) => mark.textContent)));
  // As they are, which JSON forbids below U+0020: the page shows broken texts too.
  const texts = letters.map((letter) => `a${String.fromCodePoint(letter)}b`);
  for (let i = 0; i < texts.length; i += 20) {
    const some = texts.slice(i, i + 20);
    await answered(page, () => paste(page, token(`{${some.map((text) => `"${text}":"${text}"`).join(",")}}`)));
    const expected = letters.slice(i, i + 20).map((letter) => [code(letter)]);
    assert.deepEqual(await marks("button.name"), expected);
    assert.deepEqual(await marks(".value"), expected);
  }
  // In a name a line feed is one of them, and so is white space at its ends.
  const names = ["a\\nb", " a", "a ", "  ", "a b", "", "\\u200b a"];
  await answered(page, () => paste(page, token(`{${names.map((name) => `"${name}":1`).join(",")}}`)));
  assert.deepEqual(await marks("button.name"), [["U+000A"], ["U+0020"], ["U+0020"], ["U+0020 × 2"], [], ["empty"], ["U+200B"]]);
  await answered(page, () => paste(page, token('{"a":"\u200b\u200c\u202e","b":"\u200b\u200b"}')));
  assert.deepEqual(await marks(".value"), [["U+200B U+200C U+202E"], ["U+200B × 2"]]);
  assert.deepEqual(faults, []);
});

test("what cannot be drawn leaves nothing of the token before it", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  assert.equal(await answered(page, () => paste(page, token({ sub: "ada", exp: NOW + 600 }))), "Valid");
  assert.match(await page.textContent("#payload"), /ada/);
  assert.match(await page.textContent("#clock"), /expires/);
  await page.evaluate(() => {
    TextDecoder.prototype.decode = () => {
      throw new RangeError("too much");
    };
  });
  const other = token({ sub: "eve", exp: NOW - 600 });
  assert.equal(await answered(page, () => paste(page, other)), "Expired");
  for (const pane of ["#header", "#payload", "#signature"]) assert.equal(await page.textContent(pane), "This page cannot draw what stands here.");
  assert.equal((await page.textContent("#colours")).trim(), other);
  assert.equal(await page.locator("#clock").isVisible(), false);
  assert.equal(faults.length, 1, faults.join("\n"));
  assert.match(faults.pop(), /too much/);
  // The steps are another matter: where they cannot be drawn, no verdict stands over those of another token.
  await page.reload();
  await page.fill("#key", SECRET);
  assert.equal(await answered(page, () => paste(page, token({ sub: "ada", exp: NOW + 600 }))), "Valid");
  await page.evaluate(() => {
    const create = document.createElement;
    document.createElement = (name) => {
      if (name === "details") throw new RangeError("too much");
      return create.call(document, name);
    };
  });
  assert.equal(await answered(page, () => paste(page, other)), "Not looked at");
  assert.match(await page.textContent("#says"), /This page cannot draw the answer/);
  assert.equal(await page.locator("#ladder-band").isVisible(), false);
  assert.match(faults.pop(), /too much/);
  assert.deepEqual(faults, []);
});
