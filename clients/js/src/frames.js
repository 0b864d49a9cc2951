// Frames: bytes are {"$binary":"<base64>"}, an event's own `type` travels as `messageType`.

/** @import { Fields } from './types.js' */

/** @param {any} fields @param {Fields} head */
export function encode(fields, head) {
  const { type: messageType, ...rest } = fields ?? {};
  // `this` holds the value as it is; the argument went through toJSON, which Node's Buffer has.
  return JSON.stringify({ ...rest, messageType, ...head }, function (key, value) {
    const bytes = this[key] instanceof ArrayBuffer ? new Uint8Array(this[key]) : this[key];
    if (!(bytes instanceof Uint8Array)) return value;
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return { $binary: btoa(text) };
  });
}

/** @param {string} text @returns {Fields} */
export function decode(text) {
  return JSON.parse(text, text.includes('"$binary"') ? restoreBytes : undefined);
}

/** @param {string} _ @param {any} value */
function restoreBytes(_, value) {
  if (typeof value?.$binary !== 'string' || Object.keys(value).length !== 1) return value;
  try {
    return Uint8Array.from(atob(value.$binary), (character) => character.charCodeAt(0));
  } catch {
    return value; // another client may send anything
  }
}

/** Unique for its user; there is no randomUUID in insecure contexts, and none in Node 18. */
export function makeId() {
  const random = () => Math.random().toString(36).slice(2, 12);
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now().toString(36)}-${random()}${random()}`;
}
