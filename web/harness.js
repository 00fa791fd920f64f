// What every test of a page needs: a server of its own on a port the system picks, and a browser. Both end with the test.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { chromium, request } from "playwright-core";

/** The command that the tests are about. */
export const COMMAND = process.env.COUNTERSIGN ?? fileURLToPath(new URL("../target/debug/countersign", import.meta.url));

/** An account for whoever needs one. */
export const ADA = { email: "ada@example.com", password: "lantern orbit quilt 42" };

/** @param {import("node:test").TestContext} t */
function scratch(t) {
  const folder = mkdtempSync(join(tmpdir(), "countersign-web-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A throw-away certificate for 127.0.0.1, in `cert.pem` and `key.pem` of a folder. */
function certify(folder) {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...names, "-days", "2", "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}

/**
 * Starts `countersign serve` on a data folder of its own.
 *
 * @param {import("node:test").TestContext} t
 * @param {{ tls?: boolean, flags?: string[] }} [options] `flags` are those of `countersign serve`
 * @returns the server: its `url`, the `setupCode` that makes the first administrator, `api` to send requests by
 *   (Playwright's: `server.api.post("/signup", { data: ADA })`), and what it `log`ged
 */
export async function serve(t, { tls = false, flags = [] } = {}) {
  const folder = scratch(t);
  const all = ["serve", "--data", join(folder, "data"), "--listen", "127.0.0.1:0", ...flags];
  if (tls) {
    const { cert, key } = certify(folder);
    all.push("--tls-cert", cert, "--tls-key", key);
  }
  const child = spawn(COMMAND, all, { stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  // When its output has been read to the end, too.
  const ended = once(child, "close");
  t.after(async () => {
    child.kill();
    await ended;
  });
  let url, setupCode;
  for await (const line of createInterface({ input: child.stdout })) {
    url ??= /^ *issuer +(\S+)$/.exec(line)?.[1];
    setupCode = / code (\S+)$/.exec(line)?.[1];
    if (setupCode) break;
  }
  if (!url) {
    await ended;
    throw new Error(`the server did not start:\n${log.join("\n")}`);
  }
  child.stdout.resume();
  const api = await request.newContext({ baseURL: url, ignoreHTTPSErrors: true });
  t.after(() => api.dispose());
  return { url, setupCode, api, log };
}

/**
 * Starts `countersign inspect`, the inspector alone.
 *
 * @param {import("node:test").TestContext} t
 * @returns the address of its page
 */
export async function inspector(t) {
  const child = spawn(COMMAND, ["inspect"], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  t.after(async () => {
    child.kill();
    await ended;
  });
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("the inspector did not start");
}

/** What a page must not do, collected: break its policy, fail, or ask another origin for anything. */
export async function watched(context, url) {
  const faults = [];
  await context.exposeBinding("tellOfViolation", (_, what) => faults.push(`policy: ${what}`));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      // @ts-ignore
      window.tellOfViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  context.on("page", (page) => page.on("pageerror", (error) => faults.push(`error: ${error}`)));
  context.on("request", (request) => {
    if (new URL(request.url()).origin !== url) faults.push(`elsewhere: ${request.url()}`);
  });
  return faults;
}

const emptyPage = (_, answer) => {
  answer.setHeader("content-type", "text/html; charset=utf-8");
  answer.end("<!doctype html><title>an application</title>");
};

/**
 * Another origin over TLS: an empty page, as somebody's application is one, or what is said.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("node:http").RequestListener} [answers]
 * @returns its URL, without a slash at the end
 */
export async function application(t, answers = emptyPage) {
  const { cert, key } = certify(scratch(t));
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, answers);
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${server.address().port}`;
}

/**
 * A new browser without a past. `browser.newContext()` is a person's browser, its pages are tabs; over TLS say
 * `newContext({ ignoreHTTPSErrors: true })`.
 *
 * @param {import("node:test").TestContext} t
 */
export async function browse(t) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  t.after(() => browser.close());
  return browser;
}
