// Conversations with one person. The server keeps only what is pending, so they are kept in this browser, for
// each user that signs in here; several tabs share them.
//
//   I1  A message is in a conversation once, whatever delivered it, and however often.
//   I2  What another tab has written is read before we write: nothing of it is lost.
//
// Direct emits `change`; `news` (conversation, message).
import { Emitter } from './emitter.js';
import { recall, remember } from './storage.js';
import { Talk } from './talk.js';
import { nameOf } from './text.js';

const MESSAGES_MAX = 300; // of one conversation
const CONVERSATIONS_MAX = 200;
const MARKED_MAX = 500; // in one mark-read

export class Conversation extends Talk {
  kind = 'person';
  joined = true;
  error = null;
  hasOlder = false;
  messages = []; // ascending by time

  constructor(userId, session, people) {
    super(`user:${userId}`, session);
    this.userId = userId;
    this.people = people;
    this.#read();
  }

  get person() {
    return this.people.get(this.userId);
  }

  get title() {
    return nameOf(this.person);
  }

  get lastAt() {
    return this.messages.at(-1)?.timestamp ?? 0;
  }

  find(id) {
    return this.messages.find((message) => message.id === id);
  }

  canWrite = true;
  canReply = () => false;
  canEdit = () => false;
  canDelete = () => false;
  trim() {}
  loadOlder() {}

  // -- writing --------------------------------------------------------------------------------------

  deliver({ id, content }) {
    const fields = { targetUserId: this.userId, content, clientMessageId: id };
    return this.session.askAgain('private-message', fields);
  }

  delivered(message, { messageId, timestamp }) {
    const known = this.find(messageId);
    const stored = known ?? this.#mine({ id: messageId, content: message.content, timestamp });
    this.settle(message, stored);
    if (!known) this.take([stored]);
  }

  /** A file of ours that has arrived. */
  sent({ messageId, file }) {
    this.take([this.#mine({ id: messageId, content: file.name, type: 'file', file, timestamp: Date.now() })]);
  }

  #mine(message) {
    const { userId, user } = this.session.me;
    return { ...message, userId, user, read: this.userId === userId };
  }

  // -- reading --------------------------------------------------------------------------------------

  get unreadMessages() {
    return this.messages.filter((message) => !message.read && message.userId === this.userId);
  }

  get unread() {
    return this.unreadMessages.length;
  }

  seen() {
    const unread = this.unreadMessages;
    if (unread.length > 0) this.take(unread.map((message) => ({ ...message, read: true })));
    this.tellRead();
  }

  /** Tells the server what was read, until it knows. */
  async tellRead() {
    const untold = this.messages.filter(({ read, told }) => read && told === false).slice(-MARKED_MAX);
    if (untold.length === 0 || this.isTelling || !this.session.isConnected) return;
    this.isTelling = true;
    try {
      await this.session.ask('mark-read', { messageIds: untold.map(({ id }) => id) });
      this.take(untold.map((message) => ({ ...message, told: true })));
    } catch { /* with the next connection */ }
    this.isTelling = false;
  }

  /** They have read what we wrote. */
  wereRead(ids) {
    this.take(ids.flatMap((id) => this.find(id) ?? []).map((message) => ({ ...message, read: true })));
  }

  // -- what is kept ---------------------------------------------------------------------------------

  /** Takes messages, also such as are known: what was read stays read. Returns those that are new. */
  take(messages) {
    this.#read();
    const fresh = messages.filter(({ id }) => !this.find(id));
    this.#merge(messages);
    remember('localStorage', this.#place, this.messages.map(({ key, ...message }) => message));
    this.changed();
    return fresh;
  }

  /** Another tab has written. */
  readAgain() {
    this.#read();
    this.changed();
  }

  #read() {
    const kept = recall('localStorage', this.#place, []);
    this.#merge(Array.isArray(kept) ? kept : []);
  }

  #merge(messages) {
    const all = new Map(this.messages.map((message) => [message.id, message]));
    for (const message of messages) {
      const known = all.get(message.id);
      const read = Boolean(known?.read || message.read);
      const told = known?.told === undefined ? message.told : known.told || message.told;
      all.set(message.id, { ...known, ...message, read, told });
    }
    this.messages = [...all.values()].sort((a, b) => a.timestamp - b.timestamp).slice(-MESSAGES_MAX);
  }

  get #place() {
    return `${placeOf(this.session.me.userId)}:${this.userId}`;
  }
}

function placeOf(userId) {
  return `wirehall.talk:${encodeURIComponent(userId)}`;
}

export class Direct extends Emitter {
  #conversations = new Map();
  #session;
  #people;

  constructor(session, people) {
    super();
    this.#session = session;
    this.#people = people;
    session.on('welcome', () => this.#welcome());
    session.on('event', (type, fields) => this.#onEvent(type, fields));
    addEventListener('storage', ({ key }) => this.#onStorage(key));
  }

  /** Those that were begun, the latest first. */
  get all() {
    return [...this.#conversations.values()].sort((a, b) => b.lastAt - a.lastAt);
  }

  get(userId) {
    return this.#conversations.get(userId);
  }

  /** The conversation with somebody; begins one. */
  with(userId) {
    if (!this.#conversations.has(userId)) {
      const conversation = new Conversation(userId, this.#session, this.#people);
      conversation.on('change', () => this.emit('change'));
      this.#conversations.set(userId, conversation);
      this.#keep();
      if (this.#session.isConnected) conversation.sendWaiting();
      this.emit('change');
    }
    return this.#conversations.get(userId);
  }

  clear() {
    this.#conversations.clear();
  }

  /** Writes down something that no server keeps: that somebody called. */
  note(userId, message) {
    this.with(userId).take([message]);
  }

  // -- what the server tells ------------------------------------------------------------------------

  #welcome() {
    for (const { userId, user } of this.#kept()) {
      this.#people.learn({ userId, user });
      this.with(userId);
    }
    for (const conversation of this.#conversations.values()) {
      conversation.sendWaiting();
      conversation.tellRead();
    }
  }

  #onEvent(type, fields) {
    if (type === 'private-message') this.#take([fields]);
    if (type === 'pending-messages') this.#take(fields.messages);
    if (type !== 'message-read') return;
    this.#conversations.get(fields.userId)?.wereRead(fields.messageIds);
  }

  #take(messages) {
    for (const { fromUserId, fromUser, toUserId, ...message } of messages) {
      const isMine = this.#session.isMine(fromUserId);
      if (!isMine) this.#people.learn({ userId: fromUserId, user: fromUser });
      const conversation = this.with(isMine ? toUserId : fromUserId);
      const isNote = fromUserId === toUserId;
      const [fresh] = conversation.take([{
        ...message, userId: fromUserId, user: fromUser, read: isNote || (isMine && message.read),
        ...(isMine ? {} : { told: false }),
      }]);
      this.#keep();
      if (fresh && !isMine) this.emit('news', conversation, fresh);
    }
  }

  // -- what is kept ---------------------------------------------------------------------------------

  #kept() {
    const kept = recall('localStorage', placeOf(this.#session.me.userId), []);
    return Array.isArray(kept) ? kept : [];
  }

  #keep() {
    const all = new Map(this.#kept().map((entry) => [entry.userId, entry]));
    for (const { userId } of this.#conversations.values()) {
      all.set(userId, { userId, user: this.#people.get(userId).user });
    }
    remember('localStorage', placeOf(this.#session.me.userId), [...all.values()].slice(-CONVERSATIONS_MAX));
  }

  #onStorage(key) {
    const place = placeOf(this.#session.me.userId);
    if (!key?.startsWith(place)) return;
    if (key !== place) return this.#conversations.get(key.slice(place.length + 1))?.readAgain();
    for (const { userId, user } of this.#kept()) {
      this.#people.learn({ userId, user });
      this.with(userId);
    }
  }
}
