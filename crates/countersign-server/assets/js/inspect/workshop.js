// The workshop: a token taken further. Nothing is signed again unless somebody asks for it, and every attempt is made of
// the token as it was.

import { ask, Unanswered } from "./ask.js";
import { byId, fill, on, para, place } from "./dom.js";
import { phrase } from "./words.js";

/** @import { Answer, Page } from "./types.js" */

const sign = byId("sign", HTMLButtonElement);
const restore = byId("restore", HTMLButtonElement);

/** @param {Page} page */
export function workshop(page) {
  on(sign, "click", () => void told(() => resign(page)));
  on(restore, "click", () => page.take(page.original(), "original"));
  for (const button of document.querySelectorAll("[data-attempt]")) {
    const attempt = button.getAttribute("data-attempt");
    on(button, "click", () => void told(() => forge(page, attempt)));
  }
}

/** @param {Answer} answer @param {boolean} isOriginal */
export function update(answer, isOriginal) {
  const can = answer.key?.can_sign ?? false;
  sign.disabled = !can;
  restore.disabled = isOriginal;
  place("sign-help").textContent = can
    ? phrase("can-sign")
    : phrase("cannot-sign");
  if (isOriginal) fill(place("told"));
}

/** @param {Page} page @param {string | null} attempt */
async function forge(page, attempt) {
  const { token, why } = await ask("/inspect/experiment", { attempt, token: page.original(), key: page.key() });
  page.take(token, "edited");
  return why;
}

/** @param {Page} page */
async function resign(page) {
  const { token } = await ask("/inspect/sign", { ...page.parts(), key: page.key() });
  page.take(token, "re-signed");
  return phrase("signed");
}

/** @param {() => Promise<string>} work */
async function told(work) {
  try {
    fill(place("told"), para("note", await work()));
  } catch (problem) {
    if (!(problem instanceof Unanswered)) throw problem;
    fill(place("told"), para("problem", problem.message));
  }
}
