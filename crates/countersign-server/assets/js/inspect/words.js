// What the members of headers and claims mean, in words, and where that stands.

import { byId } from "./dom.js";

/** What the page has in store, by the names of members: the words, and where that stands. @param {string} id @returns {Map<string, string[]>} */
function meanings(id) {
  const rows = byId(id, HTMLTemplateElement).content.querySelectorAll("p");
  return new Map(Array.from(rows, ({ dataset, textContent }) => [dataset.of ?? "", [textContent ?? "", dataset.rule ?? ""]]));
}

export const HEADER = meanings("header-words");
export const CLAIMS = meanings("claim-words");

/** The claims that are times. */
export const TIMES = new Set(["exp", "nbf", "iat", "auth_time", "updated_at"]);

/** What an algorithm is. @param {string} alg */
export function algorithm(alg) {
  const bits = alg.slice(2, 5);
  const curves = new Map([["256", "P-256"], ["384", "P-384"], ["512", "P-521"]]);
  if (/^HS(256|384|512)$/.test(alg)) return `HMAC with SHA-${bits}: whoever can verify can also sign`;
  if (/^RS(256|384|512)$/.test(alg)) return `RSA, PKCS #1 v1.5, with SHA-${bits}`;
  if (/^PS(256|384|512)$/.test(alg)) return `RSA-PSS with SHA-${bits}`;
  if (/^ES(256|384|512)$/.test(alg)) return `ECDSA on ${curves.get(bits)} with SHA-${bits}`;
  if (alg === "ES256K") return "ECDSA on secp256k1 with SHA-256";
  if (alg === "EdDSA" || alg === "Ed25519") return "Edwards-curve signature, Ed25519";
  return /^ML-DSA-/.test(alg) ? "ML-DSA, which a quantum computer does not break" : undefined;
}
