// What the inspector says of each step, of what was not asked for, and of several tokens; and what it brings into view.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answered, NOW, open, paste, SECRET, token } from "./inspecting.js";

test("every rung says what was found, what was expected and the rule, passed ones too", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  assert.equal(await answered(page, () => paste(page, token({ iss: "joe", exp: NOW + 600 }))), "Valid");
  assert.equal(await page.textContent(".verdict .why"), "Signature and times hold; issuer and audience were not checked.");
  const rungs = await page.locator("#ladder > li").evaluateAll((all) => all.map((one) => [one.dataset.step, [...one.querySelectorAll("dt")].map((term) => term.textContent), [...one.querySelectorAll("dd")].at(-1).textContent]));
  assert.ok(rungs.length >= 10, String(rungs.length));
  for (const [name, terms, rule] of rungs) {
    for (const term of ["Found", "Expected", "Rule"]) assert.ok(terms.includes(term), `${name}: ${terms}`);
    assert.match(rule, /^[a-z].{20,}\. (RFC|OIDC)/, name);
  }
  // Nobody has looked who issued it, or for whom: no tick for that.
  const marks = await page.locator("#ladder > li.unchecked").evaluateAll((all) => all.map((one) => [one.dataset.step, one.querySelector(".mark").textContent, one.querySelector(".hidden").textContent]));
  assert.deepEqual(marks.map(([name, mark, word]) => [name, mark, word.replace(/^Step \d+, /, "")]), [["iss", "–", "not checked: "], ["aud", "–", "not checked: "]]);
  assert.match(await page.textContent('#ladder [data-step="exp"]'), /Foundlater|Found20\d\d-.* UTCExpectedlater than 20\d\d-.* UTCRule/);
  // What is wrong with a key is said in its step.
  assert.equal(await answered(page, () => page.fill("#key", "short")), "Not verified");
  assert.match(await page.textContent('#ladder [data-step="key"] .says'), /^the key that was given cannot be used: the secret has 5 bytes/);
  assert.equal(await answered(page, () => page.fill("#key", "")), "Not verified");
  assert.equal(await page.textContent('#ladder [data-step="key"] .says'), "no key was given to verify with");
  assert.deepEqual(faults, []);
});

test("a token without exp says what that means, and is verified where that is wanted", async (t) => {
  const { page, faults } = await open(t);
  await page.fill("#key", SECRET);
  assert.equal(await answered(page, () => paste(page, token({ sub: "1234567890", name: "John Doe", iat: 1516239022 }))), "Refused");
  assert.match(await page.textContent(".verdict .why"), /^The signature holds, but claim exp is missing\. .* tick “A token without exp, too” under “What is expected”\.$/);
  assert.equal(await page.textContent(".verdict .why code"), "exp");
  await page.click("#policy summary");
  assert.equal(await answered(page, () => page.check("#endless")), "Valid");
  assert.match(await page.textContent(".verdict .why"), /; without exp it never ends\.$/);
  assert.equal(await page.locator('#ladder > li.unchecked[data-step="exp"]').count(), 1);
  assert.deepEqual(faults, []);
});

test("of several tokens in one paste each can be chosen, with and without a script", async (t) => {
  const { page, faults, url, browser } = await open(t);
  const [one, two] = ["joe", "eve"].map((iss) => token({ iss, exp: NOW + 600 }));
  const pasted = JSON.stringify({ access_token: one, id_token: two });
  await page.fill("#key", SECRET);
  assert.equal(await answered(page, () => paste(page, pasted)), "Valid");
  const buttons = page.locator("#notice button");
  assert.deepEqual(await buttons.allTextContents(), ["1: access_token", "2: id_token"]);
  assert.equal(await buttons.nth(0).getAttribute("aria-pressed"), "true");
  for (const [index, text, who] of [[1, two, /"eve"/], [0, one, /"joe"/]]) {
    assert.equal(await answered(page, () => buttons.nth(index).click()), "Valid");
    assert.equal(await page.inputValue("#token"), text);
    assert.match(await page.textContent("#payload"), who);
    assert.equal(await buttons.nth(index).getAttribute("aria-pressed"), "true");
    assert.equal(await buttons.count(), 2);
  }
  // By keyboard the focus stays on what was chosen.
  for (const index of [1, 0]) {
    await buttons.nth(index).focus();
    assert.equal(await answered(page, () => page.keyboard.press("Enter")), "Valid");
    assert.equal(await buttons.nth(index).evaluate((one) => one === document.activeElement && one.getAttribute("aria-pressed")), "true");
  }
  const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(url);
  await plain.fill("#token", pasted);
  await plain.fill("#key", SECRET);
  await plain.click("text=Take it apart");
  assert.equal(await plain.inputValue("#token"), one);
  for (const [name, text] of [["2: id_token", two], ["1: access_token", one]]) {
    await plain.click(`#notice button:has-text("${name}")`);
    assert.equal(await plain.inputValue("#token"), text);
    assert.equal(await plain.getAttribute(`#notice button:has-text("${name}")`, "aria-pressed"), "true");
    assert.equal(await plain.textContent(".verdict .word"), "Valid");
  }
  assert.deepEqual(faults, []);
});

test("tokens without names are told apart by what they say", async (t) => {
  const { page, faults } = await open(t);
  const buttons = page.locator("#notice button");
  const named = async (...all) => {
    await answered(page, () => paste(page, all.map((claims) => token(claims)).join("\n")));
    return buttons.allTextContents();
  };
  assert.deepEqual(await named({ iss: "joe", sub: "ada" }, { iss: "joe", sub: "eve" }, { iss: "joe" }), ["1: sub ada", "2: sub eve", "3"]);
  assert.deepEqual(await named({ iss: "https://one.example", sub: "ada" }, { iss: "https://another.example/tenants/a", sub: "ada" }), ["1: iss https://one.example", "2: iss https://another.example/…"]);
  // What tells nothing is not said; what a token says is text; a letter is not cut in two.
  assert.deepEqual(await named({ sub: "ada", n: 1 }, { sub: "ada", n: 2 }), ["1", "2"]);
  assert.deepEqual(await named({ sub: "<img src=x onerror=alert(1)>" }, { sub: "😀".repeat(30) }), ["1: sub <img src=x onerror=alert…", `2: sub ${"😀".repeat(24)}…`]);
  assert.deepEqual(faults, []);
});

test("a field brings its bytes into view in the token's own box, and moves nothing else", async (t) => {
  const { page } = await open(t);
  const claims = Object.fromEntries(Array.from({ length: 18 }, (_, i) => [`claim${i}`, "x".repeat(180)]));
  await answered(page, () => paste(page, token({ ...claims, last: "here", exp: NOW + 600 })));
  const look = (link) =>
    page.evaluate((link) => {
      const [box, span] = [document.querySelector("#paper"), document.querySelector(`#colours [data-link="${link}"]`)];
      const [seen, is] = [box.getBoundingClientRect(), span.getBoundingClientRect()];
      return { within: is.top >= seen.top && is.top < seen.bottom, scrolled: box.scrollTop, page: scrollY };
    }, link);
  const before = await look("payload-18");
  assert.deepEqual([before.within, before.scrolled], [false, 0]);
  const hovered = await page.locator('#payload [data-link="payload-18"]').evaluate((row) => {
    row.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" }));
  }).then(() => look("payload-18"));
  assert.ok(hovered.within && hovered.scrolled > 0, JSON.stringify(hovered));
  assert.equal(hovered.page, before.page);
  // The pointer over the token itself scrolls nothing from under it.
  await page.locator('#colours [data-link="payload-18"]').evaluate((span) => {
    const { left, top } = span.getClientRects()[0];
    document.querySelector("#token").dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: left + 3, clientY: top + 3 }));
  });
  assert.equal((await look("payload-18")).scrolled, hovered.scrolled);
});

test("beside a hundred fields the token stays in sight, and what is below it can still be used", async (t) => {
  const { page } = await open(t, { viewport: { width: 1280, height: 900 } });
  const claims = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`claim_number_${i}`, `value ${i}`]));
  await answered(page, () => paste(page, token({ ...claims, exp: NOW + 600 })));
  const hides = (selector) =>
    page.evaluate((selector) => {
      const { left, top, bottom } = document.querySelector(selector).getBoundingClientRect();
      return !document.elementFromPoint(left + 2, (top + bottom) / 2)?.matches(selector);
    }, selector);
  for (const link of ["payload-10", "payload-19"]) {
    await page.locator(`#payload [data-link="${link}"] button.name`).scrollIntoViewIfNeeded();
    await page.locator(`#payload [data-link="${link}"] button.name`).hover();
    const [span, paper, verdict] = await page.evaluate((link) => [`#colours [data-link="${link}"]`, "#paper", "#verdict"].map((one) => document.querySelector(one).getClientRects()[0].toJSON()), link);
    assert.ok(span.top >= paper.top && span.bottom <= paper.bottom, `${link}: ${JSON.stringify([span, paper])}`);
    assert.ok(paper.top >= verdict.bottom && paper.bottom <= 900, `${link}: ${JSON.stringify([paper, verdict])}`);
  }
  assert.ok((await page.evaluate(() => scrollY)) > 400);
  // Whoever goes to the key or the time sees it, from above and from below.
  await page.locator("#policy").evaluate((policy) => (policy.open = true));
  await page.mouse.move(1, 1);
  for (const id of ["iss", "key", "at", "form", "leeway"]) {
    await page.evaluate(() => scrollTo(0, 400));
    await page.locator(`#${id}`).focus();
    assert.equal(await hides(`#${id}`), false, id);
  }
});

test("a field that is tapped on a narrow screen brings its bytes onto the screen", async (t) => {
  const { page } = await open(t, { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
  const claims = Object.fromEntries(Array.from({ length: 18 }, (_, i) => [`claim${i}`, "x".repeat(60)]));
  await answered(page, () => paste(page, token({ ...claims, exp: NOW + 600 })));
  for (const link of ["header-0", "payload-9", "header-1", "payload-18"]) {
    await page.locator(`#decoded [data-link="${link}"] button.name`).tap();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "token");
    const [span, paper, again] = await page.evaluate((link) => [`#colours [data-link="${link}"]`, "#paper", "#again"].map((one) => document.querySelector(one).getClientRects()[0].toJSON()), link);
    const places = `${link}: ${JSON.stringify([span, paper, again])}`;
    assert.ok(span.top >= paper.top && span.bottom <= paper.bottom, places);
    assert.ok(span.top >= 0 && span.bottom <= again.top, places);
  }
});
