// What is kept in the browser. It may refuse; then nothing is remembered, and all else works.

/** `storage`: localStorage (of this browser) or sessionStorage (of this tab). */
export function recall(storage, key, otherwise = {}) {
  try {
    return JSON.parse(globalThis[storage].getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** undefined: it is forgotten. */
export function remember(storage, key, value) {
  try {
    if (value === undefined) globalThis[storage].removeItem(key);
    else globalThis[storage].setItem(key, JSON.stringify(value));
  } catch { /* see above */ }
}
