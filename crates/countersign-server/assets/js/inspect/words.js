// What the members of headers and claims mean, in words, and where that stands.

import { byId } from "./dom.js";

/** Words of the page, by name, and where they stand. @param {string} id @returns {Map<string, string[]>} */
function meanings(id) {
  const rows = byId(id, HTMLTemplateElement).content.querySelectorAll("p");
  return new Map(Array.from(rows, ({ dataset, textContent }) => [dataset.of ?? "", [textContent ?? "", dataset.rule ?? ""]]));
}

export const HEADER = meanings("header-words");
export const CLAIMS = meanings("claim-words");
export const ALGORITHMS = meanings("algorithm-words");

const PAGE = meanings("page-words");
/** What the page itself says. @param {string} name */
export const phrase = (name) => PAGE.get(name)?.[0] ?? "";

/** The claims that are times. */
export const TIMES = new Set(["exp", "nbf", "iat", "auth_time", "updated_at"]);
