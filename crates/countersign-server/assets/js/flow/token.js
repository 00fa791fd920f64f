// What a token says, to be shown. Nothing here decides anything: that is the service's.

/** @param {string} text base64url */
function bytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

/**
 * Header and claims of a compact token, unverified.
 *
 * @param {string} token
 * @returns {{ header: Record<string, any>, claims: Record<string, any> }}
 */
export function decode(token) {
  const [header, claims] = token.split(".", 2).map((part) => JSON.parse(new TextDecoder().decode(bytes(part))));
  return { header, claims };
}

/**
 * The number of a refresh token: how often its session was refreshed, from 1.
 *
 * @param {string} token
 */
export const numberOf = (token) => token.split(".")[2] ?? "?";

/**
 * The bit at a place of a status list token (draft-ietf-oauth-status-list §4.1).
 *
 * @param {string} token
 * @param {number} place
 */
export async function bitOf(token, place) {
  const { lst } = decode(token).claims.status_list;
  const inflated = new Blob([bytes(lst)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const list = new Uint8Array(await new Response(inflated).arrayBuffer());
  return { bit: ((list[place >> 3] ?? 0) >> (place & 7)) & 1, places: list.length * 8 };
}
