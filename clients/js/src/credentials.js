// Who we are, and how long the server believes it.

/** @import { Fields, Options } from './types.js' */

const MARGIN_MS = 60000;
const WAIT_MS_MIN = 1000;
const WAIT_MS_MAX = 2 ** 31 - 1; // of a timer

/** @param {Options} options @returns {Promise<Fields>} members of the address */
export async function credentialsOf({ auth, token }) {
  // With a parameter it is a function as Socket.IO wants it: it calls back.
  const ask = /** @type {any} */ (auth);
  const given = typeof auth === 'function' ? await (auth.length > 0 ? new Promise(ask) : ask()) : auth;
  const short = typeof token === 'function' ? await token() : token;
  return { ...given, ...(short && { token: short }) };
}

/** @param {URL} url @param {Fields} parameters */
export function addTo(url, parameters) {
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
}

/** Whether there can be a new token. @param {Options} options */
export function isRenewable({ auth, token }) {
  return typeof auth === 'function' || typeof token === 'function';
}

/**
 * @param {string | undefined} token
 * @returns {number | undefined} when it ends, ms since 1970 by the server's clock
 */
export function endOf(token) {
  try {
    const { exp } = JSON.parse(atob(String(token).split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined; // no JWT: whoever made it knows
  }
}

/** How long to wait before the next token, ms. @param {number} left  ms that this one lasts */
export function waitFor(left) {
  return Math.min(Math.max(left - Math.min(left / 5, MARGIN_MS), WAIT_MS_MIN), WAIT_MS_MAX);
}
