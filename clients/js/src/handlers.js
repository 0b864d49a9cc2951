// Who wants to hear of what.

/** @import { Handler } from './types.js' */

export class Handlers {
  /** @type {Map<string, {handler: Handler, once: boolean}[]>} */ #all = new Map();

  /** @param {string} event @param {Handler} handler */
  add(event, handler, once = false) {
    const others = this.#all.get(event) ?? [];
    if (!others.some((each) => each.handler === handler)) this.#all.set(event, [...others, { handler, once }]);
  }

  /** @param {string} event @param {Handler} [handler]  all of the event's, where none is given */
  remove(event, handler) {
    const kept = handler ? (this.#all.get(event) ?? []).filter((each) => each.handler !== handler) : [];
    if (kept.length > 0) this.#all.set(event, kept);
    else this.#all.delete(event);
  }

  /** @param {string} event */
  has(event) {
    return this.#all.has(event);
  }

  /** @param {string} event @param {any} fields @returns {any[]} what the handlers returned */
  tell(event, fields) {
    return (this.#all.get(event) ?? []).flatMap(({ handler, once }) => {
      if (once) this.remove(event, handler);
      try {
        return [handler(fields)];
      } catch (error) {
        report(error); // the others are called all the same
        return [];
      }
    });
  }
}

/** An error of a handler is the page's: it shows like any that nobody caught. @param {unknown} error */
export function report(error) {
  queueMicrotask(() => { throw error; });
}

/**
 * What handlers returned, when they are done. `seen`: at least one of them without an error.
 * @param {any[]} results
 */
export async function outcomeOf(results) {
  const values = [];
  for (const each of await Promise.allSettled(results)) {
    if (each.status === 'fulfilled') values.push(each.value);
    else report(each.reason);
  }
  return { seen: values.length > 0, answer: values.find((value) => value !== undefined) };
}
