// What a client was told, in order. A test takes events out, whether they are here already or come later.
const WAIT_MS = 5_000;

export class Inbox {
  #events = []; // [name, fields]
  #watchers = new Set();

  add(name, fields) {
    this.#events.push([name, fields]);
    for (const look of [...this.#watchers]) look();
  }

  /** Takes the first event of that name that fits; waits for it for five seconds. */
  next(name, fits = () => true) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`No ${name} within ${WAIT_MS} ms. There is: ${JSON.stringify(this.#events)}`));
      }, WAIT_MS);
      const look = () => {
        const at = this.#events.findIndex(([each, fields]) => each === name && fits(fields));
        if (at < 0) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(this.#events.splice(at, 1)[0][1]);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** The events of that name that are here and were not taken. */
  all(name) {
    return this.#events.filter(([each]) => each === name).map(([, fields]) => fields);
  }
}
