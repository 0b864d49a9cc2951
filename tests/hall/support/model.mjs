// What the hall should do, in the simplest way: rooms with roles and messages, users with connections and an
// inbox. Each operation returns the answer (a failure is `{ code }`), and gives every connection the events
// that it must hear because of it, as short texts.
const ROLES = ['none', 'invited', 'member', 'moderator', 'owner'];
const rank = (role) => ROLES.indexOf(role);
const fails = (code) => ({code});

/** An event as a short text; undefined for what the model does not follow. */
export function shortOf(name, event) {
  switch (name) {
    case 'new-message':
      return `new ${event.roomId} ${event.seq} ${event.id} ${event.userId}: ${event.content} ${
          event.replyTo ?? ''}`;
    case 'message-edited':
      return `edited ${event.roomId} ${event.seq}: ${event.content}`;
    case 'message-deleted':
      return `deleted ${event.roomId} ${event.seq}`;
    case 'read-receipt':
      return `read ${event.roomId} ${event.userId} ${event.upTo}`;
    case 'role-changed':
      return `role ${event.roomId} ${event.userId} ${event.role} by ${event.byUserId}`;
    case 'user-joined':
      return `joined ${event.roomId} ${event.userId}`;
    case 'user-left':
      return `left ${event.roomId} ${event.userId}`;
    case 'room-kicked':
      return `kicked ${event.roomId} by ${event.byUserId}`;
    case 'room-invited':
      return `invited ${event.roomId} by ${event.byUserId} ${event.role ?? ''}`;
    case 'private-message':
      return `private ${event.id} ${event.fromUserId} ${event.toUserId}: ${event.content}`;
    case 'pending-messages':
      return `pending ${event.map(({id, content}) => `${id}: ${content}`).join(' ')}`;
    case 'message-read':
      return `seen ${event.userId} ${event.messageIds.join(' ')}`;
    default:
      return undefined;
  }
}

class Room {
  roles = new Map();
  messages = [];
  marks = new Map();
  type = '';
  createdBy = '';
  constructor(id) { this.id = id; }
  get hasRecord() { return this.createdBy !== '' || this.messages.length > 0; }
  role(user) { return this.roles.get(user) ?? 'none'; }
  find(id) { return this.messages.find((message) => message.id === id); }
}

export class Model {
  rooms = new Map();
  /** By name: in which rooms the user is or would be put back, with how many connections. */
  users = new Map();
  inboxes = new Map();
  #keys = new Map();
#private = new Map();

  constructor(rooms, users, {lingers}) {
    /** Whether a lost connection counts on, for longer than any test takes. */
    this.lingers = lingers;
    for (const id of rooms) this.rooms.set(id, new Room(id));
    for (const user of users) {
      this.users.set(user, {connections: new Set(), lost: new Set(), rooms: new Map(), seen: false});
      this.inboxes.set(user, []);
    }
  }

  // -- who is where -------------------------------------------------------------------------------------
  /** Connections that are in a room; lost ones that come back as themselves hear it later. */
  #listeners(room) {
    return [...this.users.values()]
        .flatMap(({connections, lost}) => [...connections, ...lost])
        .filter((connection) => connection.rooms.has(room));
  }
  #tellRoom(room, short, except) {
    for (const connection of this.#listeners(room)) {
      if (connection !== except) connection.expected.push(short);
    }
  }
  #tellUser(user, short, except) {
    for (const connection of this.users.get(user).connections) {
      if (connection !== except) connection.expected.push(short);
    }
  }
  isMember(user, room) {
    const {connections, lost} = this.users.get(user);
    return [...connections, ...lost].some(
        (connection) => connection.rooms.has(room) || connection.stays?.has(room));
  }
  members(room) { return [...this.users.keys()].filter((user) => this.isMember(user, room)).sort(); }
  #enter(connection, room) {
    const isNew = !this.isMember(connection.user, room);
    connection.rooms.add(room);
    const {rooms} = this.users.get(connection.user);
    rooms.set(room, (rooms.get(room) ?? 0) + 1);
    if (isNew) this.#tellRoom(room, `joined ${room} ${connection.user}`, connection);
  }
  #mayEnter(user, room) {
    const {type, roles} = this.rooms.get(room);
    return type !== 'team' || roles.has(user);
  }

  // -- connections ----------------------------------------------------------------------------------------
  /**
   * A new connection, or a lost one that comes back as itself. Returns: the rooms that it is put back into.
   */
  connect(connection) {
    const user = this.users.get(connection.user);
    user.seen = true;
    connection.rooms = new Set();
    const rooms = [...user.rooms.keys()].filter((room) => this.#mayEnter(connection.user, room));
    for (const room of rooms) this.#enter(connection, room);
    user.connections.add(connection);
    // The user is back: of those that were lost only who may come back itself is still waited for.
    user.lost.delete(connection);
    for (const other of [connection, ...user.lost]) {
      if (other === connection || !other.comesBack) other.stays = undefined;
    }
    const inbox = this.inboxes.get(connection.user);
    if (inbox.length !== 0)
      connection.expected.push(`pending ${inbox.map(({id, content}) => `${id}: ${content}`).join(' ')}`);
    if (connection.acknowledges) inbox.length = 0;
    return rooms.sort();
  }
  /** `lost`: without a goodbye. Where `comesBack` is set the connection will come back as itself. */
  disconnect(connection, lost) {
    const user = this.users.get(connection.user);
    const stays = lost && this.lingers;
    const isLast = user.connections.size === 1;
    user.connections.delete(connection);
    const rooms = [...connection.rooms];
    connection.rooms = new Set();
    if (stays) {
      // What it can come back to is followed; the other kind only counts as being there.
      if (connection.comesBack) connection.rooms = new Set(rooms);
      connection.stays = new Set(rooms);
      user.lost.add(connection);
    }
    for (const room of rooms) {
      const left = user.rooms.get(room) - 1;
      if (left > 0 || stays || isLast)
        user.rooms.set(room, left);
      else
        user.rooms.delete(room);
      if (!this.isMember(connection.user, room)) this.#tellRoom(room, `left ${room} ${connection.user}`);
    }
  }
  presence(user) {
    const {seen, connections} = this.users.get(user);
    return {status: seen ? 'online' : 'offline', connections: connections.size};
  }

  // -- rooms ----------------------------------------------------------------------------------------------
  roomOf(room, user) {
    const found = this.rooms.get(room);
    const role = found.role(user);
    if (!found.hasRecord) return {id: room};
    return {
      id: room,
      ...(found.type && {type: found.type}),
      ...(role !== 'none' && {role}),
      ...(found.createdBy && {createdBy: found.createdBy}),
      createdAt: Number.isInteger,
      readUpTo: found.marks.get(user) ?? 0
    };
  }
  join(connection, room) {
    const {user} = connection;
    const found = this.rooms.get(room);
    if (!connection.rooms.has(room)) {
      if (!this.#mayEnter(user, room)) return fails('access-denied');
      if (found.role(user) === 'invited') found.roles.set(user, 'member');
      this.#enter(connection, room);
    }
    return {
      room: this.roomOf(room, user),
      members: this.members(room),
      seq: found.messages.length,
      recent: found.messages.slice(-50)
    };
  }
  /** A user's way out of a room: with one connection, or with all and what is remembered. */
  #out(user, room, connections) {
    const entry = this.users.get(user);
    const wasThere = this.isMember(user, room);
    for (const connection of connections) {
      connection.rooms.delete(room);
      connection.stays?.delete(room);
    }
    if (wasThere && !this.isMember(user, room)) this.#tellRoom(room, `left ${room} ${user}`);
    const inside = [...entry.connections].filter((connection) => connection.rooms.has(room)).length;
    if (inside === 0)
      entry.rooms.delete(room);
    else
      entry.rooms.set(room, inside);
    return wasThere;
  }
  leave(connection, room) {
    if (!connection.rooms.has(room)) return fails('not-in-room');
    this.#out(connection.user, room, [connection]);
    return {};
  }
  create(connection, room, type) {
    const found = this.rooms.get(room);
    if (found.hasRecord || this.members(room).length !== 0) return fails('conflict');
    Object.assign(found, {type, createdBy: connection.user});
    found.roles.set(connection.user, 'owner');
    return {room: this.roomOf(room, connection.user)};
  }
  /** Returns: a failure's code, or the role before. */
  #setRole(actor, room, user, role, {least, outranks, onlyRaises}) {
    const found = this.rooms.get(room);
    if (!found.hasRecord) return fails('not-found');
    const [own, before] = [rank(found.role(actor)), found.role(user)];
    if (own < rank(least)) return fails('access-denied');
    if (outranks && (own <= rank(before) || own <= rank(role))) return fails('access-denied');
    if (role === before || (onlyRaises && rank(role) < rank(before))) return {before};
    if (role === 'none')
      found.roles.delete(user);
    else
      found.roles.set(user, role);
    if (rank(role) >= rank('member')) this.#tellRoom(room, `role ${room} ${user} ${role} by ${actor}`);
    return {before};
  }
  invite(connection, room, user, role) {
    if (!connection.rooms.has(room)) return fails('not-in-room');
    const {type} = this.rooms.get(room);
    const told = `invited ${room} by ${connection.user} ${role ?? ''}`;
    const keeps = rank(this.rooms.get(room).role(connection.user)) >= rank('moderator');
    if (role || type === 'team' || keeps) {
      const set = this.#setRole(
          connection.user, room, user, role ?? 'invited',
          {least: 'moderator', outranks: Boolean(role), onlyRaises: !role});
      if (set.code) return fails('access-denied');
    }  // Into an open room anybody calls others, which gives them nothing.
    this.#tellUser(user, told);
    return {};
  }
  setRole(connection, room, user, role) {
    if (!connection.rooms.has(room)) return fails('not-in-room');
    const isOwner = role === 'owner';
    const set = this.#setRole(
        connection.user, room, user, role, {least: isOwner ? 'owner' : 'moderator', outranks: !isOwner});
    if (set.code) return fails('access-denied');
    return {role};
  }
  kick(connection, room, user) {
    if (!connection.rooms.has(room)) return fails('not-in-room');
    const set = this.#setRole(connection.user, room, user, 'none', {least: 'moderator', outranks: true});
    if (set.code) return fails('access-denied');
    const {connections, lost} = this.users.get(user);
    const wasThere = this.#out(user, room, [...connections, ...lost]);
    if (!wasThere && set.before === 'none') return fails('not-found');
    this.#tellUser(user, `kicked ${room} by ${connection.user}`);
    return {};
  }

  // -- messages of rooms ------------------------------------------------------------------------------------
  /** What a message will be answered with; it is stored by stored(), with the id that the server gave it. */
  message(connection, {roomId, content, clientMessageId, replyTo = ''}) {
    if (!connection.rooms.has(roomId)) return fails('not-in-room');
    const print = JSON.stringify(['room', roomId, content, replyTo]);
    const known = clientMessageId && this.#keys.get(`${connection.user} ${clientMessageId}`);
    if (known) return known.print === print ? {...known.answer, duplicate: true} : fails('conflict');
    if (replyTo && !this.rooms.get(roomId).find(replyTo)) return fails('not-found');
    return {seq: this.rooms.get(roomId).messages.length + 1, print};
  }
  stored(connection, {roomId, content, clientMessageId, replyTo = ''}, answer) {
    const room = this.rooms.get(roomId);
    const {messageId: id, seq, timestamp} = answer;
    room.messages.push({id, seq, user: connection.user, content, replyTo, edited: false, deleted: false});
    const print = JSON.stringify(['room', roomId, content, replyTo]);
    if (clientMessageId)
      this.#keys.set(
          `${connection.user} ${clientMessageId}`, {print, answer: {messageId: id, seq, timestamp}});
    this.#tellRoom(roomId, `new ${roomId} ${seq} ${id} ${connection.user}: ${content} ${replyTo}`);
  }
  change(connection, roomId, id, content) {
    if (!connection.rooms.has(roomId)) return fails('not-in-room');
    const room = this.rooms.get(roomId);
    const message = room.find(id);
    if (!message || message.deleted) return fails('not-found');
    const may = message.user === connection.user ||
        (content === undefined && rank(room.role(connection.user)) >= rank('moderator'));
    if (!may) return fails('access-denied');
    if (content === undefined)
      Object.assign(message, {content: null, deleted: true});
    else
      Object.assign(message, {content, edited: true});
    this.#tellRoom(
        roomId,
        content === undefined ? `deleted ${roomId} ${message.seq}` :
                                `edited ${roomId} ${message.seq}: ${content}`);
    return {};
  }
  readRoom(connection, roomId, upTo) {
    if (!connection.rooms.has(roomId)) return fails('not-in-room');
    const room = this.rooms.get(roomId);
    const before = room.marks.get(connection.user) ?? 0;
    const mark = Math.min(upTo, room.messages.length);
    if (mark <= before) return {count: 0};
    room.marks.set(connection.user, mark);
    this.#tellRoom(roomId, `read ${roomId} ${connection.user} ${mark}`);
    return {count: mark - before};
  }

  // -- private messages -----------------------------------------------------------------------------------
  whisper(connection, {targetUserId, content, clientMessageId}) {
    const print = JSON.stringify(['private', targetUserId, content]);
    const delivered = this.users.get(targetUserId).connections.size > 0;
    const known = clientMessageId && this.#keys.get(`${connection.user} ${clientMessageId}`);
    if (known)
      return known.print === print ? {...known.answer, delivered, duplicate: true} : fails('conflict');
    return {delivered};
  }
  whispered(connection, {targetUserId, content, clientMessageId}, {messageId: id, timestamp}) {
    const print = JSON.stringify(['private', targetUserId, content]);
    if (clientMessageId)
      this.#keys.set(`${connection.user} ${clientMessageId}`, {print, answer: {messageId: id, timestamp}});
    const message = {id, from: connection.user, to: targetUserId, content, read: false};
    this.#private.set(id, message);
    const short = `private ${id} ${connection.user} ${targetUserId}: ${content}`;
    this.#tellUser(targetUserId, short);
    if (targetUserId !== connection.user) this.#tellUser(connection.user, short, connection);
    const settled = [...this.users.get(targetUserId).connections].some(({acknowledges}) => acknowledges);
    if (!settled) this.inboxes.get(targetUserId).push(message);
  }
  readPrivate(connection, ids) {
    const mine = [...this.#private.values()].filter(({id, to}) => ids.includes(id) && to === connection.user);
    const inbox = this.inboxes.get(connection.user);
    for (const message of mine) {
      const at = inbox.indexOf(message);
      if (at >= 0) inbox.splice(at, 1);
    }
    const news = mine.filter(({read}) => !read);
    for (const message of news) message.read = true;
    for (const sender of new Set(news.map(({from}) => from)))
      this.#tellUser(
          sender,
          `seen ${connection.user} ${news.filter(({from}) => from === sender).map(({id}) => id).join(' ')}`);
    return {count: news.length};
  }
  get privateIds() { return [...this.#private.keys()]; }
}
