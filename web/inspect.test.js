// The inspector as people use it: what it shows, and that nothing a token says does anything.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ADA, browse, serve } from "./harness.js";
import { answered, encode, NOW, open, paste, SECRET, token } from "./inspecting.js";

test("a token is seen at once, however it is pasted", async (t) => {
  const { page, faults } = await open(t);
  const text = token({ iss: "joe", exp: NOW + 600 });
  await page.fill("#key", SECRET);
  for (const pasted of [
    text,
    `Bearer ${text}`,
    `Authorization: Bearer ${text}`,
    `"${text}"`,
    `https://app.example/callback#token=${text}`,
    `${text.slice(0, 40)}\n${text.slice(40)}\n`,
    `curl https://api.example -H 'authorization: Bearer ${text}'`,
  ]) {
    assert.equal(await answered(page, () => paste(page, pasted)), "Valid", pasted);
    assert.equal(await page.inputValue("#token"), text);
  }
  assert.match(await page.textContent("#payload"), /Who issued it\. RFC 7519 §4\.1\.1/);
  assert.match(await page.textContent("#payload .when"), /^in 9 min 5\d s · 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC · .*20\d\d.* in your time zone$/);
  assert.match(await page.textContent("#clock"), /^expires in 9 min/);
  assert.deepEqual(faults, []);
});

test("what is pasted, typed or filled in around a token is taken away, and said", async (t) => {
  const { page, faults } = await open(t);
  const text = token({ iss: "joe", exp: NOW + 600 });
  await page.fill("#key", SECRET);
  const rows = [
    [JSON.stringify({ message: "welcome", token: text }), "the member token of a JSON answer"],
    [`Set-Cookie: __Host-at=${text}; Path=/; Secure`, "a cookie named __Host-at"],
    [`export TOKEN=${text}`, "a variable named TOKEN"],
    [`2026-11-27 WARN refused ${text} of 10.0.0.1`, "the text around it"],
    [`> ${text.slice(0, 60)}\n> ${text.slice(60)}`, "a quoted e-mail, put together of 2 pieces"],
    [`${text.slice(0, 60)}\u200b${text.slice(60)}`, "letters that are not seen"],
    [`\`${text}\``, "quotation marks"],
  ];
  const looked = async (pasted, from) => {
    assert.equal(await page.inputValue("#token"), text, pasted);
    const notice = await page.textContent("#notice");
    assert.ok(notice.startsWith("Taken out of ") && notice.includes(from), `${pasted}: ${notice}`);
    assert.match(await page.textContent("#payload"), /"joe"/);
    assert.equal((await page.textContent("#colours")).trim(), text);
    assert.equal(await page.textContent("#state"), "original");
  };
  for (const [pasted, from] of rows) {
    assert.equal(await answered(page, () => paste(page, pasted)), "Valid", pasted);
    await looked(pasted, from);
    await page.click("#clear");
    await page.fill("#key", SECRET);
    assert.equal(await page.textContent("#notice"), "");
    // An `input` event alone, as of a password manager.
    assert.equal(await answered(page, () => page.fill("#token", pasted)), "Valid", pasted);
    await looked(pasted, from);
  }
  await page.click("#clear");
  await page.fill("#key", SECRET);
  await page.locator("#token").focus();
  await answered(page, () => page.keyboard.type(`Bearer ${text}`));
  await page.waitForSelector(".verdict.is-valid:not([aria-busy])");
  await looked("typed", "the value of an Authorization header");
  const two = token({ iss: "eve", exp: NOW + 600 });
  assert.equal(await answered(page, () => paste(page, `${text}\n${two}`)), "Valid");
  await looked("two", "Left out: 1 more token, of the 2 that stand there. This is number 1.");
  await page.click('summary:has-text("Compare")');
  await page.fill("#other", `Cookie: at=${two}`);
  await page.waitForSelector("#differences .is-differs");
  assert.equal(await page.inputValue("#other"), two);
  assert.deepEqual(faults, []);
});

test("a private key in the token's field is said, and stays nowhere", async (t) => {
  const { page, faults } = await open(t);
  await answered(page, () => paste(page, token({ iss: "joe", exp: NOW + 600 })));
  const pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHOv\n-----END PRIVATE KEY-----\n";
  assert.equal(await answered(page, () => paste(page, pem)), "A private key, and no token");
  assert.equal(await page.inputValue("#token"), "");
  assert.match(await page.textContent("#notice"), /taken out of the field/);
  assert.equal((await page.textContent("body")).includes("MC4CAQ"), false);
  assert.doesNotMatch(await page.textContent("#payload"), /joe/);
  assert.equal(await page.isVisible("#share"), false);
  assert.equal(await page.isVisible("#ladder-band"), false);
  assert.equal(await answered(page, () => paste(page, '{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}')), "A key, and no token");
  assert.match(await page.inputValue("#token"), /kty/);
  assert.deepEqual(faults, []);
});

test("where the server does not answer, what was pasted stays", async (t) => {
  const { page } = await open(t);
  await page.route("**/inspect/explain", (route) => route.abort());
  const pasted = `export TOKEN=${token({ iss: "joe" })}`;
  assert.equal(await answered(page, () => paste(page, pasted)), "Not looked at");
  assert.equal(await page.inputValue("#token"), pasted);
  assert.match(await page.textContent(".verdict .why"), /does not answer\. What was pasted stands here as it was\./);
  assert.doesNotMatch(await page.textContent("#payload"), /joe/);
});

test("where the server takes its time, what the token says is seen before the answer", async (t) => {
  const { page } = await open(t);
  await page.fill("#key", SECRET);
  const before = await answered(page, () => paste(page, token({ iss: "joe", exp: NOW + 600 })));
  assert.equal(before, "Valid");
  let go = () => {};
  const held = new Promise((resolve) => (go = resolve));
  await page.route("**/inspect/explain", async (route) => {
    await held;
    await route.continue();
  });
  await paste(page, token({ iss: "jane", exp: NOW + 600 }));
  await page.waitForFunction(() => document.querySelector("#payload")?.textContent?.includes("jane"));
  assert.equal(await page.getAttribute("#verdict", "aria-busy"), "true");
  await page.waitForSelector("#verdict.is-unverified");
  assert.match(await page.textContent(".verdict"), /Being looked at/);
  assert.equal(await page.locator("#ladder-band:visible").count(), 0);
  await answered(page, async () => go());
  assert.equal(await page.textContent(".verdict .word"), before);
  assert.equal(await page.locator("#ladder-band:visible").count(), 1);
});

test("an answer that comes late undoes nothing that was typed meanwhile", async (t) => {
  const { page } = await open(t);
  let go = () => {};
  const held = new Promise((resolve) => (go = resolve));
  await page.route("**/inspect/explain", async (route) => {
    await held;
    await route.continue().catch(() => {});
  }, { times: 1 });
  await paste(page, `Bearer ${token({ sub: "one" })}`);
  const two = token({ sub: "two" });
  // While the next question waits for more letters, the answer to the first would come.
  await page.evaluate((text) => {
    const field = /** @type {HTMLTextAreaElement} */ (document.querySelector("#token"));
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, `Bearer ${two}`);
  await answered(page, async () => go());
  await page.waitForFunction((text) => /** @type {HTMLTextAreaElement} */ (document.querySelector("#token")).value === text, two);
  assert.match(await page.textContent("#payload"), /two/);
});

test("every stretch of the token belongs to a field, by pointer, by keyboard and by touch", async (t) => {
  const { page } = await open(t, { hasTouch: true });
  await paste(page, token({ iss: "joe", sub: "ada", exp: NOW + 600 }));
  const lit = async (link) => {
    await page.waitForSelector(`#colours .is-lit[data-link="${link}"]`);
    const all = await page.locator(".is-lit").evaluateAll((all) => all.map((one) => one.dataset.link));
    assert.deepEqual(all, [link, link]);
  };
  await page.locator('#payload [data-link="payload-1"] .words').hover();
  await lit("payload-1");
  await page.locator('#colours [data-link="payload-0"]').evaluate((one) => one.getClientRects()[0].toJSON()).then(({ x, y, width, height }) => page.mouse.move(x + width / 2, y + height / 2));
  await lit("payload-0");
  await page.locator('#payload [data-link="payload-2"] button.name').focus();
  await lit("payload-2");
  await page.keyboard.press("Enter");
  const [from, to] = await page.locator("#token").evaluate((field) => [field.selectionStart, field.selectionEnd]);
  const payload = (await page.inputValue("#token")).slice(0, to).split(".")[1];
  assert.match(Buffer.from(payload, "base64url").toString(), /"exp":\d+\}$/);
  assert.ok(to - from >= 21, `${from} ${to}`);
  await page.locator('#colours [data-link="header-0"]').evaluate((one) => one.getClientRects()[0].toJSON()).then(({ x, y, width, height }) => page.touchscreen.tap(x + width / 2, y + height / 2));
  await lit("header-0");
  const drawn = await page.textContent("#colours");
  assert.equal(drawn.trim(), await page.inputValue("#token"));
});

test("the failing rung opens itself and says what to do", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  await page.click("#policy summary");
  await page.fill("#aud", "billing-api");
  const word = await answered(page, () => paste(page, token({ aud: "orders-api", exp: NOW + 600 })));
  assert.equal(word, "Refused");
  const rungs = await page.locator("#ladder details[open]").count();
  assert.equal(rungs, 1);
  const rung = page.locator('#ladder [data-step="aud"]');
  assert.match(await rung.textContent(), /ask the issuer for one with audience billing-api/);
  assert.equal(await rung.locator("a.rule").getAttribute("href"), "https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3");
  await page.locator('#ladder [data-step="signature"] summary').click();
  const signature = await page.locator('#ladder [data-step="signature"]').textContent();
  assert.match(signature, /Signed.*[0-9a-f]{64} 32 bytes/);
  assert.deepEqual(faults, []);
});

test("a rung that fails opens itself where no key was given too", async (t) => {
  const { page, faults } = await open(t);
  assert.equal(await answered(page, () => paste(page, token({ exp: NOW - 600 }))), "Expired, and not verified");
  const rungs = await page.locator("#ladder details[open]").evaluateAll((all) => all.map((one) => one.parentElement.dataset.step));
  assert.deepEqual(rungs, ["exp"]);
  assert.deepEqual(faults, []);
});

test("what is cleared is as it was in the beginning", async (t) => {
  const { page } = await open(t);
  const given = () => page.evaluate(() => ["#token", "#key", "#form", "#alg", "#at"].map((id) => document.querySelector(id).value).concat(document.querySelector("#key").placeholder));
  const before = await given();
  assert.equal(await answered(page, () => page.click("#sample")), "Valid");
  assert.notDeepEqual(await given(), before);
  await page.click("#clear");
  assert.deepEqual(await given(), before);
  // What was said of a key that could not be used goes with it.
  const said = await page.textContent("#key-facts");
  await answered(page, () => paste(page, token({ exp: NOW + 600 })));
  await answered(page, () => page.fill("#key", "short"));
  assert.match(await page.textContent("#key-facts.wrong"), /5 bytes/);
  await page.click("#clear");
  assert.deepEqual(await given(), before);
  assert.equal(await page.textContent("#key-facts:not(.wrong)"), said);
});

test("time is travelled in by a slider, and a token that ends while one looks is expired", async (t) => {
  const { page } = await open(t);
  await page.fill("#key", SECRET);
  const now = Math.floor(Date.now() / 1_000);
  const life = { iat: now - 100, exp: now + 6 };
  assert.equal(await answered(page, () => paste(page, token(life))), "Valid");
  await page.waitForSelector(".verdict.is-expired");
  assert.match(await page.textContent("#clock"), /^expired/);
  await page.locator("#slide").focus();
  assert.equal(await answered(page, () => page.keyboard.press("Home")), "Valid");
  assert.match(await page.locator("#slide").getAttribute("aria-valuetext"), /^20\d\d-.* UTC$/);
  assert.equal(await answered(page, () => page.keyboard.press("End")), "Expired");
  assert.equal(await answered(page, () => page.fill("#at", new Date((now - 50) * 1_000).toISOString())), "Valid");
  assert.equal(await answered(page, () => page.click("#now")), "Expired");
});

test("the clock speaks of what the verdict speaks of", async (t) => {
  const { page } = await open(t);
  await page.fill("#key", SECRET);
  for (const [claims, verdict, clock] of [
    [{ nbf: NOW + 2_000_000_000, exp: NOW - 600 }, "Expired", /^expired 10 min .*ago$/],
    [{ nbf: NOW + 3_600, exp: NOW + 7_200 }, "Not yet valid", /^begins in 59 min/],
    [{ nbf: NOW - 60, exp: NOW + 7_200 }, "Valid", /^expires in 1 h 59 min/],
  ]) {
    assert.equal(await answered(page, () => paste(page, token(claims))), verdict);
    assert.match(await page.textContent("#clock"), clock);
    assert.equal(await page.isVisible("#clock"), true);
  }
  assert.equal(await answered(page, () => paste(page, token({ sub: "ada" }))), "Refused");
  assert.equal(await page.isVisible("#clock"), false);
});

test("what is no time and no leeway is said at its field, and nothing is verified as if it were not there", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  assert.equal(await answered(page, () => paste(page, token({ iat: NOW - 60, exp: NOW + 600 }))), "Valid");
  const help = await page.textContent("#at-help");
  for (const time of ["tomorrow", "12:00", "1e9x"]) {
    assert.equal(await answered(page, () => page.fill("#at", time)), "Not looked at", time);
    assert.match(await page.textContent(".verdict .why"), new RegExp(`^“${time}” is no time: write [^.]*\\.$`));
    assert.ok((await page.textContent("#at-help.wrong")).includes(`“${time}” is no time`));
    assert.equal(await page.getAttribute("#at", "aria-invalid"), "true");
    assert.equal(await page.locator("#ladder-band").isVisible(), false);
  }
  await answered(page, () => page.fill("#at", String(Date.now())));
  await page.waitForSelector("text=this looks like milliseconds");
  assert.equal(await answered(page, () => page.fill("#at", "2001-02-03T04:05:06Z")), "Not yet valid");
  assert.equal(await page.textContent("#at-help"), "Taken as 2001-02-03 04:05:06 UTC.");
  assert.equal(await answered(page, () => page.click("#now")), "Valid");
  assert.equal(await page.textContent("#at-help"), help);
  assert.equal(await page.getAttribute("#at", "aria-invalid"), "false");
  await page.click("#policy summary");
  for (const leeway of ["abc", "-5", "1.5", "1e3"]) {
    assert.equal(await answered(page, () => page.fill("#leeway", leeway)), "Not looked at", leeway);
    assert.equal(await page.textContent("#leeway-help.wrong"), `“${leeway}” is no whole number of seconds.`);
    assert.equal(await page.textContent(".verdict .why"), `“${leeway}” is no whole number of seconds.`);
  }
  assert.equal(await answered(page, () => page.fill("#leeway", "5")), "Valid");
  assert.equal(await page.textContent("#leeway-help"), "");
  assert.deepEqual(faults, []);
});

test("nothing is signed again unless it is asked for", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  const original = token({ sub: "ada", name: "Augusta Ada King, Countess of Lovelace", exp: NOW + 600 });
  assert.equal(await answered(page, () => paste(page, original)), "Valid");
  assert.equal(await page.textContent("#state"), "original");
  await page.click("#payload-tools button");
  assert.equal(await page.inputValue("#token"), original);
  assert.match(await page.inputValue(".editor"), /^\{\n  "sub": "ada",\n  "name": "[^"]+",\n  "exp": \d+\n\}$/);
  const word = await answered(page, () => page.fill(".editor", JSON.stringify({ sub: "eve", exp: NOW + 600 })));
  assert.equal(word, "Forged, or another key");
  assert.equal(await page.textContent("#state"), "edited");
  assert.equal(await answered(page, () => page.click("#sign")), "Valid");
  assert.equal(await page.textContent("#state"), "re-signed");
  assert.match(await page.textContent("#payload"), /"eve"/);
  assert.equal(await answered(page, () => page.click("#restore")), "Valid");
  assert.equal(await page.inputValue("#token"), original);
  assert.equal(await page.textContent("#state"), "original");
  assert.deepEqual(faults, []);
});

test("every attempt of a forger fails on the page, and says why", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  assert.equal(await answered(page, () => paste(page, token({ sub: "ada", exp: NOW + 600 }))), "Valid");
  for (const attempt of ["alg_none", "swapped_payload", "dropped_signature", "extended_exp", "wrong_kid"]) {
    const word = await answered(page, () => page.click(`[data-attempt="${attempt}"]`));
    assert.match(word, /^(Not signed|Forged, or another key)$/, attempt);
    assert.ok((await page.textContent("#told")).length > 40);
  }
  await page.click('[data-attempt="public_key_as_secret"]');
  await page.waitForSelector("#told .problem");
  assert.deepEqual(faults, []);
});

test("partial, broken, nested and encrypted tokens are shown as far as they go", async (t) => {
  const { page, faults } = await open(t);
  const whole = token({ iss: "joe", exp: NOW + 600 });
  assert.equal(await answered(page, () => paste(page, whole.slice(0, 60))), "Broken");
  assert.match(await page.textContent("#header"), /"HS256"/);
  assert.match(await page.textContent(".verdict .why"), /That is character 61 of the token/);
  assert.equal(await answered(page, () => paste(page, token('{"iss":"joe","exp":x}'))), "Broken");
  assert.match(await page.textContent(".verdict .why"), /^The payload is not JSON, at line 1, column 20\. That is character 63 of the token\.$/);
  assert.equal(await page.locator("#colours .fault").count(), 1);
  const inner = token(whole, '{"alg":"HS256","cty":"JWT"}');
  await answered(page, () => paste(page, inner));
  assert.equal(await answered(page, () => page.click("#payload >> text=Take it apart")), "Not verified");
  assert.equal(await page.inputValue("#token"), whole);
  const word = await answered(page, () => paste(page, `${encode('{"alg":"dir","enc":"A256GCM"}')}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA`));
  assert.equal(word, "Encrypted");
  assert.match(await page.textContent("#payload"), /the initialisation vector12 bytes/);
  assert.equal(await page.locator("#payload-tools button, [data-attempt]").filter({ visible: true }).count(), 0);
  assert.equal(await page.locator("#colours .of-payload, #colours .of-signature").count(), 0);
  await answered(page, () => paste(page, whole));
  assert.equal(await page.locator("#payload-tools button").isVisible(), true);
  for (const text of ["", ".", "..", "a", "....", "é.ü.ß", "\ud800.a.b", "eyJ", "%%%"]) {
    await paste(page, text);
    await page.waitForTimeout(20);
  }
  assert.deepEqual(faults, []);
});

test("a link keeps the token behind the number sign, and a live one is warned of", async (t) => {
  const { page, url, faults, context } = await open(t);
  await page.fill("#key", SECRET);
  const live = token({ exp: NOW + 600 });
  await answered(page, () => paste(page, live));
  await page.click("#share");
  assert.match(await page.textContent("#notice"), /This token is live: whoever gets the link can use it.*in the history of their browser/);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.click("#notice button");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(link, `${url}#token=${live}`);
  const other = await context.newPage();
  const asked = [];
  other.on("request", (request) => asked.push(request.url()));
  assert.equal(await answered(other, () => other.goto(link)), "Not verified");
  assert.equal(await other.inputValue("#token"), live);
  assert.equal(other.url(), url);
  assert.ok(asked.every((one) => !one.includes("eyJ")), asked.join("\n"));
  const kept = await other.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
  assert.deepEqual(kept, [0, 0, ""]);
  await answered(page, () => paste(page, token({ exp: NOW - 600 })));
  await page.click("#share");
  assert.match(await page.textContent("#notice"), /^The token stands behind the #.*in the history of their browser/);
  assert.deepEqual(faults, []);
});

test("on a narrow screen the verdict's word is in sight at the key, and a comparison breaks no words", async (t) => {
  const { page, faults } = await open(t, { viewport: { width: 360, height: 640 } });
  await answered(page, () => paste(page, token({ iss: "joe", exp: NOW + 600 })));
  // And is not said twice.
  await page.waitForSelector("#again", { state: "hidden" });
  await page.locator("#key").scrollIntoViewIfNeeded();
  assert.equal(await answered(page, () => page.fill("#key", SECRET)), "Valid");
  await page.waitForSelector("#again", { state: "visible" });
  assert.equal(await page.textContent("#again"), "Valid");
  const { bottom } = await page.locator("#again").evaluate((one) => one.getBoundingClientRect().toJSON());
  assert.ok(bottom > 0 && bottom <= 640, `${bottom}`);
  await page.click('summary:has-text("Compare")');
  await page.fill("#other", token({ iss: "ada", exp: NOW + 600 }));
  // It is drawn once more when the server has said what was pasted.
  await page.waitForFunction(() => {
    const state = document.querySelector("#differences .is-differs td:nth-child(2)");
    const range = document.createRange();
    if (state) range.selectNodeContents(state);
    return range.getClientRects().length === 1;
  });
  assert.deepEqual(faults, []);
});

test("two tokens are compared, and programs verify this very one", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  const one = token({ iss: "https://id.example", aud: 'a"b', exp: NOW + 600 });
  await answered(page, () => paste(page, one));
  await page.click('summary:has-text("Compare")');
  await page.fill("#other", token({ iss: "https://id.example", exp: NOW + 700, sub: "ada" }));
  await page.waitForSelector("#differences .is-added");
  const rows = await page.locator("#differences tbody tr").evaluateAll((all) => all.map((row) => row.className + " " + row.firstChild.textContent));
  assert.deepEqual(rows, ["is-gone payload aud", "is-differs payload exp", "is-added payload sub", "is-same header alg", "is-same header typ", "is-same payload iss"]);
  const states = await page.locator("#differences tbody td:nth-child(2)").allTextContents();
  assert.deepEqual(states, ["only in this", "differs", "only in the other", "same", "same", "same"]);
  await page.fill("#other", `Bearer ${one}`);
  await page.waitForSelector('#differences p:text-is("These are the same token.")');
  await page.fill("#other", "nothing of the kind");
  await page.waitForSelector('#differences p:text-is("The other is no token: it has no members.")');
  await page.click('summary:has-text("Code")');
  for (const language of ["Rust", "Node", "Python", "Go", "curl"]) {
    const written = page.waitForResponse((answer) => answer.url().endsWith("/inspect/program"));
    await page.click(`#languages >> text=${language}`);
    const { program } = await (await written).json();
    await page.waitForFunction((program) => document.querySelector("#program").textContent === program, program);
    for (const part of [one, "https://id.example", "SECRET"]) assert.ok(program.includes(part), `${language} ${part}`);
    if (language !== "curl") assert.ok(program.includes('"a\\"b"'), program);
  }
  assert.deepEqual(faults, []);
});

test("a server verifies its own tokens with its own keys, and knows which it has taken back", async (t) => {
  const server = await serve(t);
  await server.api.post("/signup", { data: ADA });
  const { token, refresh_token } = await (await server.api.post("/login", { data: ADA })).json();
  const page = await (await browse(t)).newPage();
  await page.goto(`${server.url}/inspect`);
  assert.equal(await answered(page, () => paste(page, token)), "Valid");
  assert.equal(await page.inputValue("#key"), server.url);
  await page.waitForSelector('#ladder .passed[data-step="session"]');
  await server.api.post("/logout", { data: { refresh_token } });
  assert.equal(await answered(page, () => paste(page, token)), "Taken back");
  await page.waitForSelector(".verdict.is-taken-back .of-taken-back");
  assert.match(await page.textContent('#ladder .failed[data-step="session"]'), /its session has ended/);
});

test("without JavaScript the form shows verdict and ladder", async (t) => {
  const { page, faults } = await open(t, { javaScriptEnabled: false });
  await page.fill("#token", token({ exp: NOW - 600 }));
  await page.fill("#key", SECRET);
  const colour = () => page.locator("#token").evaluate((field) => getComputedStyle(field).color);
  assert.notEqual(await colour(), "rgba(0, 0, 0, 0)");
  await page.click("text=Take it apart");
  assert.equal(await page.textContent(".verdict .word"), "Expired");
  assert.notEqual(await colour(), "rgba(0, 0, 0, 0)");
  assert.match(await page.textContent("#ladder"), /log in again, or refresh/);
  const text = token({ sub: "ada", markup: "<img src=x>", exp: NOW + 600 });
  await page.fill("#token", `Cookie: theme=dark; at=${text}`);
  await page.click("text=Take it apart");
  assert.equal(await page.textContent(".verdict .word"), "Valid");
  assert.equal(await page.inputValue("#token"), text);
  assert.equal(await page.textContent("#notice"), "Taken out of a cookie named at.");
  assert.match(await page.textContent("#header"), /"alg": "HS256"/);
  assert.match(await page.textContent("#payload"), /\n {2}"sub": "ada",\n {2}"markup": "<img src=x>"/);
  assert.match(await page.textContent("#signature"), /32 bytes/);
  assert.deepEqual(faults, []);
});

test("without JavaScript a token is chosen by its button, and Enter in a field chooses none", async (t) => {
  const { page, faults } = await open(t, { javaScriptEnabled: false });
  const [one, two, other] = ["one", "two", "other"].map((sub) => token({ sub, exp: NOW + 600 }));
  await page.fill("#key", SECRET);
  await page.fill("#token", JSON.stringify({ access_token: one, id_token: two }));
  await page.click("text=Take it apart");
  assert.equal(await page.inputValue("#token"), one);
  await page.click("#notice button >> nth=1");
  assert.equal(await page.inputValue("#token"), two);
  await page.fill("#token", other);
  await page.click("#policy summary");
  await page.press("#iss", "Enter");
  await page.waitForSelector('#payload :text("other")');
  assert.equal(await page.inputValue("#token"), other);
  assert.equal(await page.textContent(".verdict .word"), "Valid");
  assert.deepEqual(faults, []);
});
