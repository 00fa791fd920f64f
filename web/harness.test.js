// That the harness does what the other tests build on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ADA, application, browse, serve } from "./harness.js";

test("a server of its own answers a browser, with and without TLS", async (t) => {
  const browser = await browse(t);
  for (const tls of [false, true]) {
    const server = await serve(t, { tls });
    assert.match(server.url, tls ? /^https:/ : /^http:/);
    assert.match(server.setupCode, /^[0-9A-Z-]{10,}$/);
    const context = await browser.newContext({ ignoreHTTPSErrors: tls });
    const page = await context.newPage();
    const answer = await page.goto(`${server.url}/`);
    assert.equal(answer?.status(), 200);
    assert.equal((await server.api.post("/signup", { data: ADA })).status(), 201);
    await context.close();
  }
});

test("a page of another origin is a page", async (t) => {
  const browser = await browse(t);
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(await application(t));
  assert.equal(await page.title(), "an application");
  assert.equal(await page.evaluate("isSecureContext"), true);
});

test("a server that cannot start says why", async (t) => {
  await assert.rejects(serve(t, { flags: ["--access-ttl", "never"] }), /the server did not start:\n.*access-ttl/s);
});
