// What a room and a conversation with one person have in common: something to read, and to write in. What is
// on its way to the server is shown at once, and goes out until it was answered; it is kept over a reload.
//
// It emits `change`; `news` (message) for what somebody else wrote just now.
import { Emitter } from './emitter.js';
import { recall, remember } from './storage.js';

const OUTBOX = 'wirehall.outbox';

export class Talk extends Emitter {
  pending = []; // { id, content, replyTo?, timestamp, problem?, messageId? }
  draft = '';
  replyTo; // the message that is answered
  editing; // { id, text }: of the message that is changed
  firstUnread; // the id of the message that was the first unread one when it was opened
  quiet = []; // { key, after, timestamp, … }: what happened besides messages
  typists = new Map();

  constructor(key, session) {
    super();
    this.key = key;
    this.session = session;
    for (const entry of this.#outbox()) if (entry.key === key) this.pending.push(entry.message);
  }

  changed() {
    this.emit('change');
  }

  /** It is opened: what is new in it is marked as such. */
  opened() {
    this.firstUnread = this.unreadMessages[0]?.id;
  }

  // -- sending ------------------------------------------------------------------------------------
  // A kind of talk has: deliver(message) → promise of the answer; delivered(message, answer); unreadMessages.

  say(content) {
    const message = { id: makeId(), content, timestamp: Date.now() };
    if (this.replyTo) message.replyTo = this.replyTo.id;
    this.replyTo = undefined;
    this.firstUnread = undefined;
    this.pending.push(message);
    this.#keep();
    this.send(message);
    return message;
  }

  async send(message) {
    if (message.isUnderWay) return;
    message.problem = undefined;
    message.isUnderWay = true;
    this.changed();
    try {
      const answer = await this.deliver(message);
      message.isUnderWay = false;
      this.delivered(message, answer);
    } catch (error) {
      message.isUnderWay = false;
      if (error.code !== 'disconnected') message.problem = error; // else it goes out when we are back
    }
    this.#keep();
    this.changed();
  }

  /** What no connection has answered. */
  sendWaiting() {
    for (const message of this.pending) {
      if (!message.isUnderWay && !message.problem && !message.messageId) this.send(message);
    }
  }

  discard(message) {
    this.pending = this.pending.filter((each) => each !== message);
    this.#keep();
    this.changed();
  }

  /** Ours is there: the row that showed it on its way goes on as the row of the message itself. */
  settle(message, stored) {
    this.pending = this.pending.filter((each) => each !== message);
    stored.key = message.id;
    this.#keep();
  }

  #outbox() {
    const { user, entries } = recall('sessionStorage', OUTBOX);
    return user === this.session.name ? entries : [];
  }

  #keep() {
    const others = this.#outbox().filter((entry) => entry.key !== this.key);
    const ours = this.pending.filter(({ messageId }) => !messageId);
    const entryOf = ({ id, content, replyTo, timestamp }) => (
      { key: this.key, message: { id, content, replyTo, timestamp } });
    const entries = [...others, ...ours.map(entryOf)];
    remember('sessionStorage', OUTBOX, { user: this.session.name, entries });
  }
}

export function forgetOutbox() {
  remember('sessionStorage', OUTBOX, undefined);
}

/** Unique for its user; there is no randomUUID in insecure contexts. */
function makeId() {
  const random = () => Math.random().toString(36).slice(2, 12);
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now().toString(36)}-${random()}${random()}`;
}
