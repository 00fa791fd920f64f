// Programs that verify this very token, as the server writes them.

import { Latest, Unanswered } from "./ask.js";
import { byId, copyButton, on, place } from "./dom.js";

const panel = byId("code", HTMLDetailsElement);
const asked = new Latest();
let chosen = "";
/** @type {() => object} */
let question;

/** @param {() => object} asks what the page asks of its token */
export function code(asks) {
  question = asks;
  const tabs = place("languages").querySelectorAll("button");
  for (const tab of tabs) {
    on(tab, "click", () => {
      for (const one of tabs) one.setAttribute("aria-pressed", String(one === tab));
      chosen = tab.value;
      void program();
    });
  }
  place("languages").append(copyButton(() => place("program").textContent ?? ""));
  chosen = tabs[0]?.value ?? "";
  on(panel, "toggle", () => void program());
}

/** Writes the program anew, where somebody sees it. */
export async function program() {
  if (!panel.open) return;
  try {
    const said = await asked.ask("/inspect/program", { language: chosen, question: question() });
    if (said) place("program").textContent = said.program;
  } catch (problem) {
    if (!(problem instanceof Unanswered)) throw problem;
    place("program").textContent = problem.message;
  }
}
