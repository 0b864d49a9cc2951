// Who wants to know says so; who knows tells.

export class Emitter {
  #told = new Map();

  on(event, action) {
    if (!this.#told.has(event)) this.#told.set(event, []);
    this.#told.get(event).push(action);
    return this;
  }

  emit(event, ...values) {
    for (const action of this.#told.get(event) ?? []) action(...values);
  }
}
