// What tests of the inspector share: tokens, and a person who pastes them.

import { createHmac } from "node:crypto";

import { browse, inspector, watched } from "./harness.js";

export const SECRET = "9vKq-2mXw7Rt_cZ4Lh0Yp8BnD5sGfJ3e";
export const NOW = Math.floor(Date.now() / 1_000);

export const encode = (text) => Buffer.from(text).toString("base64url");

/** A token of any texts. */
export function token(payload, header = '{"alg":"HS256","typ":"JWT"}') {
  const signed = `${encode(header)}.${encode(typeof payload === "string" ? payload : JSON.stringify(payload))}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** A page of the inspector, and what it must not do. */
export async function open(t, options = {}) {
  const url = await inspector(t);
  const browser = await browse(t);
  const context = await browser.newContext(options);
  const faults = await watched(context, new URL(url).origin);
  const page = await context.newPage();
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  await page.goto(url);
  return { url, browser, context, faults, page };
}

/** Pastes over everything in the field, as a person does. */
export async function paste(page, text) {
  await page.locator("#token").evaluate((field, text) => {
    field.focus();
    field.select();
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", text);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

/** What stands in the verdict, once the server has answered `act`. */
export async function answered(page, act) {
  await page.locator("#verdict").evaluateAll((all) => all.forEach((one) => one.setAttribute("aria-busy", "true")));
  await act();
  await page.waitForSelector("#verdict:not([aria-busy])");
  return page.textContent(".verdict .word");
}

