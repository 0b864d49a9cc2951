// One publisher: keeps a number of messages in flight, and after each reconnection first repeats all that were not
// answered, with the same clientMessageId. What it was told goes to the ledger at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { Disconnected, Refused } from './clients.mjs';
import { contentOf, hashOf, Random } from './content.mjs';

const RECONNECT_MS = 20;
const UNAVAILABLE_MS = 50;
const UNNOTICED_MS = 500;
// A message in so many is sent twice at once, is edited, is deleted behind its acknowledgement.
const TWICE = 50;
const EDITED = 25;
const DELETED = 100;

export class Publisher {
  #unanswered = new Map(); // id -> room
  #epochs = new Map(); // room -> epoch, where the room had messages when it was joined
  #begun = 0;
  #flying = 0;
  #changing = new Set();
  #client;
  #held = true;
  #draining = false;
  #idle;
  retried = 0;

  /**
   * @param name      one letter and a digit
   * @param inFlight  messages without an answer, at most
   * @param open      (url, token) -> a connected client
   * @param report    (object) -> hands it to the ledger
   */
  constructor(name, seed, inFlight, open, report) {
    this.name = name;
    this.inFlight = inFlight;
    this.open = open;
    this.report = report;
    this.random = new Random(seed);
  }

  /** Connects, repeats, goes on; until the connection is lost and hold() was called. */
  publish(url, token, rooms, draining) {
    this.#held = false;
    this.#draining = draining;
    this.#idle = this.#run(url, token, rooms);
  }

  /** Resolves when nothing is under way any more; in a drain: when everything was answered. */
  async hold() {
    let impatience;
    if (!this.#draining) {
      this.#held = true;
      // The stock client does not notice a death in the middle of its upgrade before the next ping is overdue.
      impatience = setTimeout(() => this.#client?.close(), UNNOTICED_MS);
    }
    await this.#idle;
    clearTimeout(impatience);
    this.report({ kind: 'begun', publisher: this.name, count: this.#begun });
  }

  async #run(url, token, rooms) {
    while (!this.#held) {
      try {
        this.#client = await this.open(url, token);
        await this.#join(new Set([...rooms, ...this.#unanswered.values()]));
        this.retried += this.#unanswered.size;
        for (const id of this.#unanswered.keys()) this.#send(id);
        this.#fill(rooms);
      } catch (error) {
        if (error instanceof Refused) this.#complain(error);
        else if (!(error instanceof Disconnected)) throw error;
      }
      if (this.#draining && this.#client?.connected) await this.#drained();
      if (this.#draining && this.#finished) break;
      await this.#client?.ended;
      await this.#settled();
      if (!this.#held) await sleep(RECONNECT_MS);
    }
    this.#client?.close();
    await this.#client?.ended;
    this.#client = undefined;
  }

  async #join(rooms) {
    await Promise.all([...rooms].map(async (roomId) => {
      const { seq, epoch } = await this.#client.request('join-room', { roomId });
      // The epoch of a room without messages is nobody's promise.
      if (seq > 0) this.#epochs.set(roomId, epoch);
      else this.#epochs.delete(roomId);
    }));
  }

  #fill(rooms) {
    this.rooms = rooms;
    while (!this.#draining && this.#client.connected && this.#unanswered.size < this.inFlight) {
      const id = `${this.name}-${(this.#begun++).toString(36)}`;
      this.#unanswered.set(id, rooms[this.random.below(rooms.length)]);
      this.#send(id);
      if (this.random.below(TWICE) === 0) this.#send(id);
    }
  }

  #send(id) {
    const room = this.#unanswered.get(id);
    const content = contentOf(id);
    this.#track('message', { roomId: room, content, clientMessageId: id }, (answer) => {
      this.report({
        kind: 'ack', id, room, seq: answer.seq, messageId: answer.messageId, epoch: this.#epochs.get(room),
        hash: hashOf(content), duplicate: answer.duplicate === true,
      });
      if (this.#unanswered.delete(id)) this.#change(id, room, answer.messageId);
      this.#fill(this.rooms);
    }, (refusal) => this.#refused(id, refusal));
  }

  async #refused(id, refusal) {
    if (refusal.code !== 'unavailable') {
      this.#complain(refusal);
      this.#unanswered.delete(id);
      return;
    }
    await sleep(UNAVAILABLE_MS);
    if (!this.#unanswered.has(id)) return;
    ++this.retried;
    this.#send(id);
  }

  #change(id, roomId, messageId) {
    const deletes = this.random.below(DELETED) === 0;
    if (this.#draining || (!deletes && this.random.below(EDITED) !== 0)) return;
    this.report({ kind: 'intend', id, version: 1, deletes });
    const fields = deletes ? { roomId, messageId } : { roomId, messageId, content: contentOf(id, 1) };
    this.#track(deletes ? 'delete-message' : 'edit-message', fields,
      () => this.report({ kind: 'change', id, version: 1, deletes }), (refusal) => this.#complain(refusal));
  }

  // One request. What the connection takes with it is repeated on the next one, or not at all.
  async #track(event, fields, done, refused) {
    ++this.#flying;
    try {
      done(await this.#client.request(event, fields));
    } catch (error) {
      if (error instanceof Refused) refused(error);
      else if (!(error instanceof Disconnected)) throw error;
    } finally {
      --this.#flying;
      this.#changing.forEach((wake) => wake());
    }
  }

  #complain(error) {
    this.report({ kind: 'refused', text: `${this.name}: ${error.message}` });
  }

  get #finished() {
    return this.#unanswered.size === 0 && this.#flying === 0;
  }

  #until(condition) {
    return new Promise((resolve) => {
      const wake = () => {
        if (!condition()) return;
        this.#changing.delete(wake);
        resolve();
      };
      this.#changing.add(wake);
      wake();
    });
  }

  #settled() {
    return this.#until(() => this.#flying === 0);
  }

  #drained() {
    return Promise.race([this.#client.ended, this.#until(() => this.#finished)]);
  }
}
