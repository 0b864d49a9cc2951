// Who is known: by name and presence, from rooms, messages and questions. One entry for each user.
//
// It emits `change`.
import { Emitter } from './emitter.js';

const ASK_AGAIN_MS = 60_000; // about people of whom no room tells
const ASKED_MAX = 1000; // in one question
const GONE_MS = [1000, 7000]; // after which somebody who has left may be known as offline

export class People extends Emitter {
  myStatus = 'online';

  #known = new Map();
  #session;
  #timer;

  constructor(session) {
    super();
    this.#session = session;
  }

  get(userId) {
    return this.#known.get(userId) ?? { userId };
  }

  /** Takes what somebody says of people: `user`, `status`, `lastSeen`, each where it is there. */
  learn(...people) {
    for (const { userId, user, status, lastSeen } of people) {
      const person = this.#known.get(userId) ?? { userId };
      if (user && Object.keys(user).length > 0) person.user = user;
      if (status !== undefined) Object.assign(person, { status, lastSeen });
      this.#known.set(userId, person);
    }
    this.emit('change');
  }

  forget() {
    clearTimeout(this.#timer);
    this.#known.clear();
    this.myStatus = 'online';
  }

  /** Asks how they are; `others` says of whom no room will tell, and they are asked about again and again. */
  async ask(userIds, others = () => []) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.ask(others(), others), ASK_AGAIN_MS);
    await this.#ask(userIds);
  }

  async #ask(userIds) {
    if (userIds.length === 0 || !this.#session.isConnected) return;
    try {
      const { users } = await this.#session.ask('presence', { userIds: userIds.slice(0, ASKED_MAX) });
      this.learn(...users);
    } catch { /* the next time */ }
  }

  /** Somebody has left the last room that we share: nobody will tell how they are from now on. */
  left(userId) {
    for (const delay of GONE_MS) {
      setTimeout(() => { if (this.get(userId).status !== 'offline') this.#ask([userId]); }, delay);
    }
  }

  /** Errors: the server's. */
  async setMyStatus(status) {
    await this.#session.askAgain('update-status', { status });
    this.myStatus = status;
    this.emit('change');
  }
}
