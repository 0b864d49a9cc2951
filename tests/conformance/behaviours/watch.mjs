// Waiting for a condition that somebody says may have changed.
export class Watch {
  #checks = new Set();

  /** Looks at every condition again. */
  changed() {
    for (const check of [...this.#checks]) check();
  }

  /** Resolves to the condition's first true value; rejects when there is none in time. */
  until(condition, what = "a condition", milliseconds = 4000) {
    const now = condition();
    if (now) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const end = setTimeout(() => {
        this.#checks.delete(check);
        reject(new Error(`${typeof what === "function" ? what() : what} did not come within ${milliseconds} ms`));
      }, milliseconds);
      const check = () => {
        const value = condition();
        if (!value) return;
        clearTimeout(end);
        this.#checks.delete(check);
        resolve(value);
      };
      this.#checks.add(check);
    });
  }
}

export const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
