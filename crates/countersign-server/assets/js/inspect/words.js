// What the members of headers and claims mean, in words, and where that stands.

/** @type {Map<string, [string, string]>} */
export const HEADER = new Map([
  ["alg", ["How it is signed. A hint: the key has one algorithm, and this can only agree", "RFC 7515 §4.1.1"]],
  ["typ", ["What kind of token this is", "RFC 7515 §4.1.9"]],
  ["kid", ["Which of the issuer's keys signed it", "RFC 7515 §4.1.4"]],
  ["cty", ["What the payload is; JWT for a token inside", "RFC 7515 §4.1.10"]],
  ["crit", ["Members that must be understood, or the token refused", "RFC 7515 §4.1.11"]],
  ["jwk", ["A key that the sender put in; it proves nothing about who that is", "RFC 7515 §4.1.3"]],
  ["jku", ["An address for keys, chosen by the sender; never followed here", "RFC 7515 §4.1.2"]],
  ["x5u", ["An address for a certificate, chosen by the sender; never followed here", "RFC 7515 §4.1.5"]],
  ["x5c", ["A chain of certificates that the sender put in", "RFC 7515 §4.1.6"]],
  ["x5t#S256", ["The SHA-256 thumbprint of a certificate", "RFC 7515 §4.1.8"]],
  ["b64", ["Whether the payload is encoded; never false in a JWT", "RFC 7797 §3"]],
  ["enc", ["How the content is encrypted", "RFC 7516 §4.1.2"]],
  ["zip", ["How the content was compressed", "RFC 7516 §4.1.3"]],
  ["epk", ["The sender's key of one use, for agreeing on the content's key", "RFC 7518 §4.6.1"]],
  ["p2c", ["How often a password is hashed; what a sender wants this to cost", "RFC 7518 §4.8.1"]],
]);

/** @type {Map<string, [string, string]>} */
export const CLAIMS = new Map([
  ["iss", ["Who issued it", "RFC 7519 §4.1.1"]],
  ["sub", ["Whom it is about; a name that is unique at the issuer", "RFC 7519 §4.1.2"]],
  ["aud", ["Whom it is for: the services that may take it", "RFC 7519 §4.1.3"]],
  ["exp", ["From when on it is refused", "RFC 7519 §4.1.4"]],
  ["nbf", ["Before when it is refused", "RFC 7519 §4.1.5"]],
  ["iat", ["When it was issued", "RFC 7519 §4.1.6"]],
  ["jti", ["Its own name, for whoever takes a token only once", "RFC 7519 §4.1.7"]],
  ["client_id", ["The application that it was issued to", "RFC 9068 §2.2"]],
  ["scope", ["What the application may do", "RFC 9068 §2.2.3"]],
  ["roles", ["Roles of the user at the issuer", "RFC 9068 §2.2.3.1"]],
  ["auth_time", ["When the user proved who they are", "OIDC Core §2"]],
  ["acr", ["How strongly they proved it", "OIDC Core §2"]],
  ["amr", ["By what means they proved it", "OIDC Core §2"]],
  ["azp", ["The application that it was issued to", "OIDC Core §2"]],
  ["nonce", ["Ties it to one log-in", "OIDC Core §2"]],
  ["at_hash", ["Ties it to the access token beside it", "OIDC Core §3.1.3.6"]],
  ["sid", ["The session at the issuer", "OIDC Back-Channel Logout"]],
  ["events", ["What happened, in a logout or security event token", "RFC 8417 §2.2"]],
  ["cnf", ["The key that its sender must prove to hold", "RFC 7800 §3.1"]],
  ["act", ["Who acts in the subject's name", "RFC 8693 §4.1"]],
  ["status", ["Where it says whether the token was taken back", "draft-ietf-oauth-status-list §6"]],
  ["htm", ["The method of the request that it proves", "RFC 9449 §4.2"]],
  ["htu", ["The address of the request that it proves", "RFC 9449 §4.2"]],
  ["ath", ["The hash of the access token beside it", "RFC 9449 §4.2"]],
  ["name", ["The user's full name", "OIDC Core §5.1"]],
  ["preferred_username", ["What the user likes to be called", "OIDC Core §5.1"]],
  ["email", ["The user's e-mail address", "OIDC Core §5.1"]],
  ["email_verified", ["Whether the issuer checked that address", "OIDC Core §5.1"]],
  ["updated_at", ["When the profile last changed", "OIDC Core §5.1"]],
]);

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
