// Private messages: the server keeps one until it is acknowledged, and may send it twice. It is acknowledged when a
// handler saw it, and told once.

/** @import { Fields } from './types.js' */
import { outcomeOf } from './handlers.js';

const SEEN_MAX = 1000; // messages that are known when they come again

export class PrivateMessages {
  /** @type {Map<string, Promise<boolean>>} whether handlers saw it */ #seen = new Map();

  /**
   * Tells those that were not told yet, all in one where there are handlers for that.
   * @param {Fields[]} messages
   * @param {((messages: Fields[]) => any[]) | undefined} tellAll @param {(message: Fields) => any[]} tell
   * @returns {Promise<boolean>} whether handlers have seen all of them
   */
  async receive(messages, tellAll, tell) {
    const fresh = messages.filter(({ id }) => !this.#seen.has(id));
    const batches = tellAll ? [fresh].filter(({ length }) => length > 0) : fresh.map((message) => [message]);
    for (const batch of batches) {
      const seen = outcomeOf(tellAll ? tellAll(batch) : tell(batch[0])).then((outcome) => outcome.seen);
      for (const { id } of batch) this.#remember(id, seen);
    }
    return (await Promise.all(messages.map(({ id }) => this.#seen.get(id)))).every(Boolean);
  }

  /** @param {string} id @param {Promise<boolean>} seen */
  #remember(id, seen) {
    this.#seen.set(id, seen);
    seen.then((did) => did || this.#seen.delete(id)); // it will come again
    for (const [oldest] of this.#seen) if (this.#seen.size > SEEN_MAX) this.#seen.delete(oldest);
  }
}
