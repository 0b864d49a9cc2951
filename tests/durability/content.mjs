// What the harness' messages say. Everything follows from the message's id and version, so that whoever reads one
// can tell whether it is whole without having seen it before.
import { createHash } from 'node:crypto';

export const CONTENT_BYTES_MIN = 16;
export const CONTENT_BYTES_MAX = 32 * 1024;

/** Seeded numbers: the same seed gives the same choices. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = (seed >>> 0) || 1;
    for (let i = 0; i < 4; ++i) this.next();
  }

  /** At least 0, below 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(bound) {
    return Math.floor(this.next() * bound);
  }
}

function text(alphabet, seed) {
  const random = new Random(seed);
  return Array.from({ length: 2 * CONTENT_BYTES_MAX }, () => alphabet[random.below(alphabet.length)]).join('');
}

// What JSON escapes, what UTF-8 needs two and three bytes for.
const NARROW = text('abcdefghijklmnopqrstuvwxyzABCDEFGHIJ 0123456789 "\\/\n\t{}[]:,<>&\'', 1);
const WIDE = text('äöüß€漢字абв\u2028 "\\abcdefgh', 2);

function hash32(words) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; ++i) hash = Math.imul(hash ^ words.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Of 16 B to 32 KiB, small ones as often as large ones; version 0 is the first, an edit makes the next. */
export function contentOf(id, version = 0) {
  const head = `${id}.${version}|`;
  const random = new Random(hash32(head));
  const wide = random.next() < 0.25;
  const bytes = CONTENT_BYTES_MIN * (CONTENT_BYTES_MAX / CONTENT_BYTES_MIN) ** random.next();
  const characters = Math.max(CONTENT_BYTES_MIN, Math.floor(wide ? bytes / 3 : bytes));
  const begin = random.below(CONTENT_BYTES_MAX);
  return head + (wide ? WIDE : NARROW).slice(begin, begin + characters - head.length);
}

/** @returns {{id: string, version: number} | null}  null when it is not, byte for byte, what that id says */
export function readContent(content) {
  const found = /^([a-z]\d+-[0-9a-z]+)\.(\d+)\|/.exec(content);
  if (!found) return null;
  const [, id, version] = found;
  return contentOf(id, Number(version)) === content ? { id, version: Number(version) } : null;
}

export const hashOf = (content) => createHash('sha1').update(content).digest('base64');
