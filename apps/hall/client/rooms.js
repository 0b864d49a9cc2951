// The rooms we are in, and what can be done with rooms.
//
// It emits `change`; `news` (room, message); `kicked` (room, by); `invited` (invitation); `problem` (error).
import { Emitter } from './emitter.js';
import { isRoomEvent, Room } from './room.js';

export class Rooms extends Emitter {
  #rooms = new Map();
  #session;
  #people;

  constructor(session, people) {
    super();
    this.#session = session;
    this.#people = people;
    session.on('state', (state) => this.#onState(state));
    session.on('event', (type, fields) => this.#onEvent(type, fields));
  }

  get(name) {
    return this.#rooms.get(name);
  }

  get all() {
    return [...this.#rooms.values()];
  }

  has(userId) {
    return this.all.some((room) => room.members.has(userId));
  }

  /** Goes into a room, and stays there over reconnections. */
  add(name) {
    if (!this.#rooms.has(name)) {
      const room = new Room(name, this.#session);
      room.on('change', () => this.emit('change'));
      room.on('news', (message) => this.emit('news', room, message));
      room.on('problem', (error) => this.emit('problem', error));
      this.#rooms.set(name, room);
      this.emit('change');
    }
    const room = this.#rooms.get(name);
    this.enter(room);
    return room;
  }

  /** Once a room was entered, the link enters it again after a reconnection. */
  async enter(room) {
    if (room.asked || this.#session.state === 'closed') return;
    room.asked = true;
    try {
      this.#entered(room, await this.#session.join(room.name, () => room.position));
    } catch (error) {
      if (error.code === 'disconnected') {
        room.asked = false;
        return;
      }
      this.#failed(room, error);
    }
  }

  /** We are let out, or were put out. */
  drop(room) {
    this.#rooms.delete(room.name);
    this.emit('change');
  }

  clear() {
    this.#rooms.clear();
  }

  leave(room) {
    this.drop(room);
    this.#session.leave(room.name).catch((error) => {
      if (error.code !== 'disconnected') this.emit('problem', error); // else it has ended with the link
    });
  }

  /** Errors: the server's; `conflict`: there is such a room. */
  async create({ roomId, type, name }) {
    await this.#session.ask('create-room', { roomId, name, ...(type === 'public' ? {} : { type }) });
    return this.add(roomId);
  }

  invite(room, userId) {
    return this.#session.ask('invite', { roomId: room.name, userId });
  }

  kick(room, userId) {
    return this.#session.ask('kick', { roomId: room.name, userId });
  }

  setRole(room, userId, role) {
    return this.#session.ask('set-role', { roomId: room.name, userId, role });
  }

  // -- what the server tells ------------------------------------------------------------------------

  #onState(state) {
    if (state === 'connected') return;
    for (const room of this.#rooms.values()) {
      // A link that has ended knows no rooms any more.
      if (state === 'closed' || state === 'connecting') room.asked = false;
      room.lost();
    }
  }

  #onEvent(type, fields) {
    if (type === 'presence-update') this.#people.learn(fields);
    if (type === 'presence-update') return this.all.forEach((room) => room.handle(type, fields));
    if (type === 'room-invited') return this.emit('invited', fields);
    const room = this.#rooms.get(fields.roomId);
    if (!room) return;
    if (type === 'rejoined') this.#entered(room, fields);
    else if (type === 'rejoin-failed') this.#failed(room, fields.error);
    else if (type === 'room-kicked') this.#kicked(room, fields);
    else if (isRoomEvent(type)) this.#give(room, type, fields);
  }

  #give(room, type, fields) {
    if (type === 'user-joined') this.#people.learn({ status: 'online', ...fields, lastSeen: undefined });
    if (type === 'presence-diff') this.#people.learn(...fields.joins, ...fields.updates);
    if (type === 'new-message') this.#people.learn({ userId: fields.userId, user: fields.user });
    room.handle(type, fields);
    if (type === 'user-left' && !this.has(fields.userId)) this.#people.left(fields.userId);
  }

  #entered(room, answer) {
    if (this.#rooms.get(room.name) !== room) return; // we left it meanwhile
    this.#people.learn(...answer.members);
    const me = answer.members.find(({ userId }) => this.#session.isMine(userId));
    if (me?.status && me.status !== 'offline') this.#people.myStatus = me.status;
    room.entered(answer);
  }

  #failed(room, error) {
    room.asked = false;
    room.failed(error);
  }

  #kicked(room, fields) {
    this.drop(room);
    this.emit('kicked', room, fields);
  }
}
