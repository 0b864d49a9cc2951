// A room as this client sees it: how far it has read, who is there; and what a program holds of it.

/** @import { Client } from './client.js' */
/** @import { ChatMessage, Fields, FileOptions, HallEvents, Handler, HistoryAnswer } from './types.js' */
/** @import { JoinAnswer, Member, Position, SendAnswer, SendOptions, UploadAnswer } from './types.js' */
/** @import { Handlers } from './handlers.js' */

export class Place {
  /** @type {number | undefined} of the newest message that was told */ seq;
  /** @type {string | undefined} */ epoch;
  /** @type {Fields[] | undefined} messages that came before the answer to our coming back */ held;
  isNew = false; // it waits for the answer to its first join
  /** @type {Map<string, Member>} */ members = new Map();
  memberCount = 0;

  /** @returns {Position | undefined} */
  get position() {
    return this.seq === undefined ? undefined : { seq: this.seq, epoch: String(this.epoch) };
  }

  /** Takes the answer to joining. @param {Fields} answer @param {number} [heard] */
  enter({ seq, epoch, ...present }, heard) {
    this.seq = heard === undefined ? seq : Math.max(seq, heard);
    this.epoch = epoch;
    this.held = undefined;
    this.isNew = false;
    this.list(present);
  }

  /** @param {Fields} present */
  list({ members, memberCount }) {
    if (!Array.isArray(members)) return;
    this.members = new Map(members.map((member) => [member.userId, member]));
    this.memberCount = memberCount ?? members.length;
  }

  /**
   * Whether a message is to be told now: it was not told, and none before it is still to come.
   * @param {Fields} message
   */
  isNext(message) {
    const { seq } = message;
    const isNext = !this.held && !(seq <= (this.seq ?? 0));
    if (isNext) this.seq = seq ?? this.seq;
    this.held?.push(message);
    return isNext;
  }

  /**
   * Takes what is told of who is there. Returns whether that changed anything.
   * @param {string} type @param {Fields} fields
   */
  follow(type, fields) {
    if (type === 'user-joined') return this.#joined(fields);
    if (type === 'user-left') return this.#left(fields);
    if (type === 'presence-update') return this.#updated(fields);
    if (type !== 'presence-diff') return false;
    for (const each of fields.joins ?? []) this.#joined(each);
    for (const each of fields.leaves ?? []) this.#left(each);
    for (const each of fields.updates ?? []) this.#updated(each);
    this.memberCount = fields.memberCount ?? this.memberCount;
    return true;
  }

  /** @param {Fields} fields */
  #joined({ userId, user, status = 'online' }) {
    if (this.members.has(userId)) return false;
    this.members.set(userId, { userId, user, status });
    this.memberCount += 1;
    return true;
  }

  /** @param {Fields} fields */
  #left({ userId }) {
    // Of a large room not all are listed.
    if (this.members.size === this.memberCount && !this.members.has(userId)) return false;
    this.members.delete(userId);
    this.memberCount -= 1;
    return true;
  }

  /** @param {Fields} fields */
  #updated({ userId, status, lastSeen }) {
    const member = this.members.get(userId);
    if (!member || (member.status === status && member.lastSeen === lastSeen)) return false;
    this.members.set(userId, lastSeen === undefined ? { userId, user: member.user, status }
      : { userId, user: member.user, status, lastSeen });
    return true;
  }
}

/**
 * Where handlers for one room are kept: names of rooms have no control characters.
 * @param {string} event @param {string} roomId
 */
export const inRoom = (event, roomId) => `${event}\n${roomId}`;

/**
 * One room of a client: the client's methods without the roomId, its events of this room alone, and who is there.
 * It holds nothing of its own: any number of them for one room are the same, and they outlive leaving and losing it.
 *
 * @template {object} [E=HallEvents]
 */
export class Room {
  /** @readonly */ roomId;
  /** @type {Client<E>} */ #client;
  /** @type {Handlers} */ #handlers;
  /** @type {() => Place | undefined} */ #place;

  /** Made by client.room(). @param {any} client @param {string} roomId @param {any} handlers @param {any} place */
  constructor(client, roomId, handlers, place) {
    this.#client = client;
    this.roomId = roomId;
    this.#handlers = handlers;
    this.#place = place;
  }

  /** Whether we are in it, or will be again after a reconnection. */
  get isJoined() {
    return this.#place()?.isNew === false;
  }

  /**
   * Who is there, kept up to date; `members` is told with every change. Of a large room at most 1,000.
   * @returns {Member[]}
   */
  get members() {
    return [...(this.#place()?.members.values() ?? [])];
  }

  /** How many are there. */
  get memberCount() {
    return this.#place()?.memberCount ?? 0;
  }

  /** How far it was told: what join() takes as `since`, after a reload too. */
  get position() {
    return this.#place()?.position;
  }

  /**
   * As the client's, for this room.
   * @template {keyof E | (string & {})} K @param {K} event @param {Handler<E, K>} handler @returns {this}
   */
  on(event, handler) {
    this.#handlers.add(inRoom(String(event), this.roomId), handler);
    return this;
  }

  /** @template {keyof E | (string & {})} K @param {K} event @param {Handler<E, K>} handler @returns {this} */
  once(event, handler) {
    this.#handlers.add(inRoom(String(event), this.roomId), handler, true);
    return this;
  }

  /** @template {keyof E | (string & {})} K @param {K} event @param {Handler<E, K>} [handler] @returns {this} */
  off(event, handler) {
    this.#handlers.remove(inRoom(String(event), this.roomId), handler);
    return this;
  }

  /** @param {{since?: Position}} [options] @returns {Promise<JoinAnswer>} */
  join(options) {
    return this.#client.join(this.roomId, options);
  }

  /** @returns {Promise<void>} */
  leave() {
    return this.#client.leave(this.roomId);
  }

  /** @param {string} content @param {SendOptions} [more] @returns {Promise<SendAnswer>} */
  send(content, more) {
    return this.#client.send(this.roomId, content, more);
  }

  /** @param {{before?: number, after?: number, limit?: number}} [bounds] @returns {Promise<HistoryAnswer>} */
  history(bounds) {
    return this.#client.history(this.roomId, bounds);
  }

  /** @param {boolean} [active] */
  typing(active) {
    this.#client.typing(this.roomId, active);
  }

  /** Says that we read up to this seq. @param {number} [upTo]  all that was told, where none is given */
  markRead(upTo = this.position?.seq) {
    return this.#client.emit('mark-read', { roomId: this.roomId, upTo });
  }

  /** @param {Blob} file @param {FileOptions} [options] @returns {Promise<UploadAnswer>} */
  upload(file, options) {
    return this.#client.upload(file, { ...options, roomId: this.roomId });
  }
}
