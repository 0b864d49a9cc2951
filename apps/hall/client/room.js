// One room: who is in it and as what, who types, and its messages.
import { Stream } from './stream.js';
import { Talk } from './talk.js';
import { nameOf } from './text.js';

const PAGE = 50;
const REFRESH_MAX = 200; // the most that one question for history may ask for
const QUIET_MAX = 30;
const EARLY_MAX = 1000;
const READ_DELAY_MS = 400;
const REFUSED_MS = 5000; // after which the past is asked for again

const RANKS = { member: 1, moderator: 2, owner: 3 };

export class Room extends Talk {
  kind = 'room';
  joined = false;
  asked = false; // to be in it, over the present link
  error = null; // why we are not in it
  info = {}; // type, role, name, …: as the server says
  members = new Map();
  hiddenMembers = 0; // the server lists no more than 1,000
  readUpTo = 0;

  #stream = new Stream();
  #early = []; // events that came before the answer to joining
  #told = 0; // the server knows that we have read so far
  #timer;
  #isFilling = false;
  #loading; // a promise
  #refusedUntil = 0;

  constructor(name, session) {
    super(`room:${name}`, session);
    this.name = name;
  }

  get title() {
    return this.info.name || this.name;
  }

  get messages() {
    return this.#stream.messages;
  }

  get hasOlder() {
    return this.#stream.hasOlder;
  }

  get position() {
    return this.#stream.position;
  }

  find(id) {
    return this.#stream.find(id);
  }

  // -- being there ----------------------------------------------------------------------------------

  entered(answer) {
    const { room, members, memberCount } = answer;
    this.joined = true;
    this.error = null;
    this.info = room;
    const before = this.members;
    this.members = new Map(members.map((member) => [member.userId, member]));
    for (const member of members) member.role ??= before.get(member.userId)?.role;
    this.hiddenMembers = Math.max(0, memberCount - members.length);
    this.typists.clear();
    const continues = this.#stream.enter(answer);
    if (!continues) this.quiet = [];
    if (continues) this.#refreshOlder(answer.recentMessages[0]?.seq);
    this.#told = room.readUpTo ?? 0;
    this.readUpTo = Math.max(this.readUpTo, this.#told);
    if (!continues) this.readUpTo = Math.min(this.readUpTo, this.#stream.newest);
    this.#tellRead();
    if (!continues) this.opened();
    for (const [type, fields] of this.#early.splice(0)) this.handle(type, fields);
    this.#matchPending();
    this.sendWaiting();
    this.changed();
  }

  failed(error) {
    this.joined = false;
    this.error = error;
    this.members.clear();
    this.typists.clear();
    this.#early = [];
    this.changed();
  }

  lost() {
    this.joined = false;
    this.typists.clear();
    this.changed();
  }

  get memberCount() {
    return this.members.size + this.hiddenMembers;
  }

  // -- what one may do ------------------------------------------------------------------------------

  get rank() {
    return RANKS[this.info.role] ?? 0;
  }

  get isOwner() {
    return this.rank === RANKS.owner;
  }

  roleOf(userId) {
    if (this.session.isMine(userId)) return this.info.role;
    return this.members.get(userId)?.role ?? (userId === this.info.createdBy ? 'owner' : undefined);
  }

  get canWrite() {
    const isOpen = this.info.type !== 'announcements' || !this.joined;
    return this.error === null && (isOpen || this.rank >= RANKS.moderator);
  }

  get canInvite() {
    return this.joined && (this.info.type !== 'team' || this.rank >= RANKS.moderator);
  }

  /** Whether we stand above somebody. Roles of others are not always known: the server has the last word. */
  outranks(userId) {
    return this.rank >= RANKS.moderator && !this.session.isMine(userId) &&
      this.rank > (RANKS[this.roleOf(userId)] ?? 0);
  }

  canReply(message) {
    return !message.deleted && this.canWrite;
  }

  canEdit(message) {
    return !message.deleted && message.type !== 'file' && this.session.isMine(message.userId);
  }

  canDelete(message) {
    return !message.deleted && (this.session.isMine(message.userId) || this.rank >= RANKS.moderator);
  }

  // -- events ---------------------------------------------------------------------------------------

  handle(type, fields) {
    if (!this.joined) {
      if (this.#early.length < EARLY_MAX) this.#early.push([type, fields]);
      return;
    }
    this[HANDLERS[type]](fields);
    this.changed();
  }

  message(message) {
    this.typists.delete(message.userId);
    if (!this.#stream.add(message)) return;
    this.#matchPending(message);
    if (this.#stream.hole) this.#fillHole();
    if (!this.session.isMine(message.userId)) this.emit('news', message);
  }

  edited({ id, content }) {
    this.#stream.change(id, { content, edited: true });
  }

  deleted({ id }) {
    if (this.editing?.id === id) this.editing = undefined;
    if (this.replyTo?.id === id) this.replyTo = undefined;
    this.#stream.change(id, { content: null, file: undefined, deleted: true });
  }

  userJoined({ userId, user, status = 'online', timestamp }) {
    if (this.members.has(userId)) return;
    this.members.set(userId, { userId, user, status });
    this.#happened({ userId, user }, 'joined', timestamp);
  }

  userLeft({ userId, timestamp }) {
    const person = this.members.get(userId) ?? { userId };
    this.members.delete(userId);
    this.typists.delete(userId);
    this.#happened(person, 'left', timestamp);
  }

  presenceUpdated({ userId, status, lastSeen }) {
    const member = this.members.get(userId);
    if (member) Object.assign(member, { status, lastSeen });
  }

  /** What large rooms are told, all together. */
  presenceDiffered({ joins, leaves, updates, memberCount }) {
    for (const member of joins) this.members.set(member.userId, member);
    for (const { userId } of leaves) this.members.delete(userId);
    for (const update of updates) this.presenceUpdated(update);
    this.hiddenMembers = Math.max(0, memberCount - this.members.size);
  }

  roleChanged({ userId, role, timestamp }) {
    const member = this.members.get(userId);
    if (member) member.role = role;
    if (this.session.isMine(userId)) this.info.role = role;
    if (userId === this.info.createdBy && role !== 'owner') this.info.createdBy = undefined;
    this.#happened(member ?? { userId }, `is now ${role === 'owner' ? 'an' : 'a'} ${role}`, timestamp);
  }

  /** We have read on another device. */
  wasRead({ userId, upTo }) {
    if (!this.session.isMine(userId)) return;
    this.#told = Math.max(this.#told, upTo);
    this.readUpTo = Math.max(this.readUpTo, upTo);
  }

  startedTyping(person) {
    if (!this.session.isMine(person.userId)) this.typists.set(person.userId, person);
  }

  stoppedTyping({ userId }) {
    this.typists.delete(userId);
  }

  #happened(person, what, timestamp) {
    const key = `${timestamp} ${person.userId} ${what}`;
    this.quiet.push({ key, after: this.#stream.newest, timestamp, person, what });
    if (this.quiet.length > QUIET_MAX) this.quiet.shift();
  }

  // -- history --------------------------------------------------------------------------------------

  /** Fetches a page of what stands before; who asks meanwhile waits for the same one. */
  async loadOlder() {
    if (!this.hasOlder || !this.joined || performance.now() < this.#refusedUntil) return;
    this.#loading ??= this.#loadOlder().finally(() => {
      this.#loading = undefined;
      this.changed();
    });
    await this.#loading;
  }

  async #loadOlder() {
    try {
      const before = this.messages[0]?.seq;
      const { messages, hasMore } = await this.#history({ before, limit: PAGE });
      if (this.messages[0]?.seq === before) this.#stream.addOlder(messages, hasMore);
    } catch (error) {
      if (error.code === 'disconnected') return; // it is asked for again
      this.#refusedUntil = performance.now() + REFUSED_MS;
      this.emit('problem', error);
    }
  }

  async #fillHole() {
    if (this.#isFilling) return;
    this.#isFilling = true;
    try {
      for (let { hole } = this.#stream; hole; { hole } = this.#stream) {
        const { messages, hasMore } = await this.#history({ ...hole, limit: REFRESH_MAX });
        this.#stream.fill(messages, hasMore);
      }
    } catch (error) {
      this.emit('problem', error);
    }
    this.#isFilling = false;
    this.changed();
  }

  // What is older than the recent ones may have been changed while we were away.
  async #refreshOlder(before) {
    const oldest = this.messages[0]?.seq;
    if (before === undefined || oldest === undefined || oldest >= before) return;
    try {
      const { messages } = await this.#history({ before, limit: REFRESH_MAX });
      this.#stream.refresh(messages);
      this.changed();
    } catch (error) {
      if (error.code !== 'disconnected') this.emit('problem', error); // else the next answer brings it
    }
  }

  #history(bounds) {
    return this.session.askAgain('history', { roomId: this.name, ...bounds });
  }

  trim(most) {
    this.#stream.trim(most);
  }

  // -- writing --------------------------------------------------------------------------------------

  deliver({ id, content, replyTo }) {
    return this.session.askAgain('message', { roomId: this.name, content, clientMessageId: id, replyTo });
  }

  // Of the answer and the event, either comes first.
  delivered(message, { messageId }) {
    message.messageId = messageId;
    if (message.guess !== undefined && message.guess !== messageId) {
      const other = this.find(message.guess);
      if (other) other.key = undefined;
      message.guess = undefined;
    }
    const stored = this.find(messageId);
    if (stored) this.settle(message, stored);
  }

  // An event of ours that no answer has claimed yet is shown in the place of what it most likely is.
  #matchPending(message) {
    for (const each of [...this.pending]) {
      const stored = each.messageId && this.find(each.messageId);
      if (stored) this.settle(each, stored);
    }
    const stored = message && this.session.isMine(message.userId) && this.find(message.id);
    if (!stored || stored.key) return;
    const likely = this.pending.find((each) => !each.messageId && !each.guess && each.isUnderWay &&
      each.content === message.content && each.replyTo === message.replyTo);
    if (!likely) return;
    likely.guess = message.id;
    stored.key = likely.id;
  }

  edit(message, content) {
    return this.session.ask('edit-message', { roomId: this.name, messageId: message.id, content });
  }

  remove(message) {
    return this.session.ask('delete-message', { roomId: this.name, messageId: message.id });
  }

  // -- reading --------------------------------------------------------------------------------------

  get unread() {
    return Math.max(0, this.#stream.newest - this.readUpTo);
  }

  /** Who was never here has not missed anything. */
  get unreadMessages() {
    if (this.readUpTo === 0) return [];
    return this.messages.filter(({ seq, userId }) => seq > this.readUpTo && !this.session.isMine(userId));
  }

  seen() {
    if (!this.joined || this.#stream.newest <= this.readUpTo) return;
    this.readUpTo = this.#stream.newest;
    this.#tellRead();
    this.changed();
  }

  #tellRead() {
    if (this.readUpTo <= this.#told) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const upTo = this.readUpTo;
      if (!this.joined || upTo <= this.#told) return;
      this.#told = upTo;
      this.session.ask('mark-read', { roomId: this.name, upTo }).catch(() => {}); // joining again tells it
    }, READ_DELAY_MS);
  }
}

const HANDLERS = {
  'new-message': 'message', 'message-edited': 'edited', 'message-deleted': 'deleted',
  'user-joined': 'userJoined', 'user-left': 'userLeft',
  'presence-update': 'presenceUpdated', 'presence-diff': 'presenceDiffered', 'role-changed': 'roleChanged',
  'read-receipt': 'wasRead', 'user-typing': 'startedTyping', 'user-stopped-typing': 'stoppedTyping',
};

export function isRoomEvent(type) {
  return Object.hasOwn(HANDLERS, type);
}

/** Ourselves first, then who looks after the room, then by name; who is away comes last. */
export function sortedMembers(room) {
  const rank = ({ userId }) => RANKS[room.roleOf(userId)] ?? 0;
  return [...room.members.values()].sort((a, b) =>
    Number(room.session.isMine(b.userId)) - Number(room.session.isMine(a.userId)) ||
    Number(a.status === 'offline') - Number(b.status === 'offline') ||
    Math.max(1, rank(b)) - Math.max(1, rank(a)) || nameOf(a).localeCompare(nameOf(b)));
}
