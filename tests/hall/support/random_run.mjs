// One random sequence of events against the model: each answer, and each event of each connection, is
// compared step by step.
import assert from 'node:assert/strict';

import {until} from '../../support/server.mjs';

import {Model, shortOf} from './model.mjs';
import {isEpoch, isId, isTime, matches} from './shapes.mjs';

/** Numbers that follow from a seed (mulberry32). */
function randomOf(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (bound) => Math.floor(next() * bound);
  return {below, pick: (list) => list[below(list.length)], chance: (share) => next() < share};
}

/** One connection: its place in the model, and the client while there is one. */
class Connection {
  rooms = new Set();
  expected = [];
  seen = [];
  client = undefined;

  constructor(user, protocol, acknowledges, comesBack) {
    Object.assign(this, {user, protocol, acknowledges, comesBack});
  }
  get isOnline() { return this.client?.isOpen ?? false; }
  hear(name, payload) {
    // Who is kicked may hear of it in this way, too, before the connection is out.
    if (name === 'user-left' && payload.userId === this.user) return;
    const short = shortOf(name, payload);
    if (short !== undefined) this.seen.push(short);
  }
  toString() { return `${this.user}/${this.protocol}`; }
}

const answerOf = (fields = {}) => ({success: true, ...fields});
/** What a history has of a message that the model knows. */
const messageOf = (message, roomId) => ({
  id: message.id,
  roomId,
  seq: message.seq,
  userId: message.user,
  user: {name: message.user},
  content: message.content,
  type: 'text',
  timestamp: isTime,
  edited: message.edited,
  deleted: message.deleted,
  ...(message.replyTo && {replyTo: message.replyTo})
});

export class RandomRun {
  /** What was done, a line for each step. */
  story = [];
  #contents = 0;
  #epochs = new Map();

  /** `lingers`: lost connections come back within their window; else every end is one at once. */
  constructor(hall, seed, {lingers}) {
    Object.assign(this, {hall, random: randomOf(seed)});
    this.names = ['a', 'b', 'c'].map((name) => `${seed}-${name}`);
    this.users = ['ann', 'bob', 'cid', 'dan', 'eve'].map((name) => `${name}-${seed}`);
    this.model = new Model(this.names, this.users, {lingers});
    this.connections = this.users.flatMap(
        (user) =>
            [new Connection(user, this.random.pick(['native', 'msgpack']), this.random.chance(0.7), false),
             new Connection(user, 'socketio', this.random.chance(0.7), lingers)]);
  }

  async run(steps) {
    const {chance, pick} = this.random;
    for (let step = 0; step < steps; ++step) {
      const away = this.connections.filter(({isOnline}) => !isOnline);
      const few = this.#online.length < 4;
      if (few || (away.length !== 0 && chance(0.2)))
        await this.#arrive(pick(away));
      else if (step < 12 && chance(0.3))
        await this.#create(pick(this.#online), pick(this.names), pick(['', 'team']));
      else
        await this.#act(pick(this.#online));
      await this.#compare();
    }
    await this.#finish();
  }
  get #online() { return this.connections.filter(({isOnline}) => isOnline); }

  // -- comparing ------------------------------------------------------------------------------------------
  /** Every connection has heard what it should, and nothing else. */
  async #compare() {
    for (const connection of this.#online) {
      const {client, expected, seen} = connection;
      await client.when(() => (seen.length >= expected.length ? true : undefined), 'events').catch(() => {});
      assert.deepEqual([...seen].sort(), [...expected].sort(), `events of ${connection}`);
      seen.length = expected.length = client.events.length = 0;
    }
    // What was acknowledged is stored before the next step: the first answer says that it has come, the
    // second one stands behind it.
    await Promise.all(this.#online.map(({client}) => client.settle()));
    await Promise.all(this.#online.map(({client}) => client.must('mark-read', {messageIds: []})));
  }
  /** Asks, and compares the answer with the model's: a failure, or the fields of a success. */
  async #ask(connection, event, fields, wanted, shape = {}) {
    this.story.push(
        `${connection} ${event} ${JSON.stringify(fields)}${wanted.code ? `: ${wanted.code}` : ''}`);
    const answer = await connection.client.ask(event, fields);
    if (wanted.code)
      assert.equal(answer.code, wanted.code, JSON.stringify(answer));
    else
      matches(answer, answerOf(shape), 'the answer');
    return answer;
  }
  #sameEpoch(roomId) {
    return (epoch) => {
      if (!this.#epochs.has(roomId)) this.#epochs.set(roomId, epoch);
      return isEpoch(epoch) && this.#epochs.get(roomId) === epoch;
    };
  }
  async #compareRoom(connection, roomId) {
    const {client, user} = connection;
    const messages = this.model.rooms.get(roomId).messages.map((message) => messageOf(message, roomId));
    const page = await client.must('history', {roomId, after: 0, limit: 200});
    matches(page.messages, messages, `the history of ${roomId}`);
    const {users} = await client.must('presence', {roomId});
    assert.deepEqual(users.map(({userId}) => userId).sort(), this.model.members(roomId));
    for (const view of users)
      assert.equal(view.connections, this.model.users.get(view.userId).connections.size, view.userId);
    const answer = await client.join(roomId);
    matches(answer.room, this.model.roomOf(roomId, user), `room ${roomId} of ${user}`);
  }
  async #finish() {
    for (const roomId of this.names) {
      for (const connection of this.#online) {
        if (connection.rooms.has(roomId)) await this.#compareRoom(connection, roomId);
      }
    }
    for (const connection of this.#online) await connection.client.settle();
    await this.#compare();
    for (const user of this.users) {
      const last = new Connection(user, 'native', true, false);
      this.connections.push(last);
      await this.#arrive(last);
      await this.#compare();
    }
  }

  // -- connections ----------------------------------------------------------------------------------------
  async #arrive(connection) {
    this.story.push(`${connection} comes`);
    const rooms = this.model.connect(connection);
    if (connection.comesBack && connection.wasLost) {
      await connection.client.comeBack();
      connection.client.hello = await connection.client.take('connected');
      assert.equal(connection.client.hello.recovered, true);
    } else {
      const {user, protocol, acknowledges} = connection;
      connection.client = await this.hall.open(user, protocol, {acknowledges});
      for (const event of connection.client.events) connection.hear(...event);  // what came with the greeting
      connection.client.listen((...event) => connection.hear(...event));
    }
    assert.deepEqual(connection.client.hello.rooms.sort(), rooms);
  }
  async #depart(connection) {
    const user = this.model.users.get(connection.user);
    connection.wasLost = user.lost.size !== 0 || this.random.chance(0.5);
    this.story.push(`${connection} ${connection.wasLost ? 'is lost' : 'leaves'}`);
    await (connection.wasLost ? connection.client.lose() : connection.client.leave());
    this.model.disconnect(connection, connection.wasLost);
    const [witness] = this.#online;
    await until(async () => {
      const [view] = (await witness.client.must('presence', {userIds: [connection.user]})).users;
      return view.connections === user.connections.size;
    }, `the end of ${connection}`);
  }

  // -- rooms ------------------------------------------------------------------------------------------------
  async #join(connection, roomId) {
    const wanted = this.model.join(connection, roomId);
    const answer = await this.#ask(connection, 'join-room', {roomId}, wanted, wanted.code ? {} : {
      room: wanted.room,
      members: (list) => list.length === wanted.members.length,
      memberCount: wanted.members.length,
      recentMessages: wanted.recent.map((message) => messageOf(message, roomId)),
      seq: wanted.seq,
      epoch: this.#sameEpoch(roomId)
    });
    if (!wanted.code) assert.deepEqual(answer.members.map(({userId}) => userId).sort(), wanted.members);
  }
  #leave(connection, roomId) {
    // Whether a device that was lost is still in a room that another one leaves is nobody's business here.
    if (this.model.users.get(connection.user).lost.size !== 0) return this.#join(connection, roomId);
    return this.#ask(connection, 'leave-room', {roomId}, this.model.leave(connection, roomId));
  }
  #create(connection, roomId, type) {
    const wanted = this.model.create(connection, roomId, type);
    return this.#ask(connection, 'create-room', {roomId, ...(type && {type})}, wanted, {room: wanted.room});
  }
  #invite(connection, roomId, userId, role) {
    const fields = {roomId, userId, ...(role && {role})};
    return this.#ask(connection, 'invite', fields, this.model.invite(connection, roomId, userId, role));
  }
  #setRole(connection, roomId, userId, role) {
    const wanted = this.model.setRole(connection, roomId, userId, role);
    return this.#ask(connection, 'set-role', {roomId, userId, role}, wanted, {role});
  }
  #kick(connection, roomId, userId) {
    return this.#ask(connection, 'kick', {roomId, userId}, this.model.kick(connection, roomId, userId));
  }

  // -- messages -------------------------------------------------------------------------------------------
  #content(key) { return key.clientMessageId ? `again ${this.random.below(2)}` : `text ${++this.#contents}`; }
  #anyMessage(roomId) {
    const room = this.model.rooms.get(this.random.chance(0.85) ? roomId : this.random.pick(this.names));
    return room.messages.length !== 0 && this.random.chance(0.9) ? this.random.pick(room.messages).id :
                                                                   'no message';
  }
  async #message(connection, fields) {
    const wanted = this.model.message(connection, fields);
    const answer = await this.#ask(
        connection, 'message', fields, wanted,
        wanted.duplicate ? wanted : {messageId: isId, timestamp: isTime, seq: wanted.seq});
    if (!wanted.code && !wanted.duplicate) this.model.stored(connection, fields, answer);
  }
  /** Many at once, over both connections of the user, some of them twice. */
  async #burst(connection, roomId) {
    const others = this.connections.filter(
        (other) => other.user === connection.user && other.isOnline && other.rooms.has(roomId));
    if (!connection.rooms.has(roomId)) return this.#join(connection, roomId);
    const all = [];
    for (let i = 0; i < 4; ++i) {
      const fields = {roomId, content: `burst ${++this.#contents}`, clientMessageId: `b${this.#contents}`};
      all.push(fields, fields);
    }
    this.story.push(`${others.join(' and ')} send ${all.length} messages to ${roomId}`);
    const answers =
        await Promise.all(all.map((fields, i) => others[i % others.length].client.must('message', fields)));
    const firsts = all.map((fields, i) => ({fields, answer: answers[i]}))
                       .filter(({answer}) => !answer.duplicate)
                       .sort((one, two) => one.answer.seq - two.answer.seq);
    assert.equal(firsts.length, all.length / 2, 'each of them once');
    for (const {fields, answer} of firsts) {
      assert.equal(answer.seq, this.model.rooms.get(roomId).messages.length + 1);
      this.model.stored(connection, fields, answer);
    }
    for (const [i, fields] of all.entries()) {
      const {messageId, seq, timestamp} = this.model.message(connection, fields);
      matches(
          answers[i], answerOf({messageId, seq, timestamp, ...(answers[i].duplicate && {duplicate: true})}));
    }
  }
  #change(event, connection, roomId, change) {
    const messageId = this.#anyMessage(roomId);
    const wanted = this.model.change(connection, roomId, messageId, change.content);
    return this.#ask(connection, event, {roomId, messageId, ...change}, wanted, {timestamp: isTime});
  }
  #readRoom(connection, roomId) {
    const upTo = this.random.below(this.model.rooms.get(roomId).messages.length + 2);
    const wanted = this.model.readRoom(connection, roomId, upTo);
    return this.#ask(connection, 'mark-read', {roomId, upTo}, wanted, {count: wanted.count});
  }
  async #whisper(connection, fields) {
    const wanted = this.model.whisper(connection, fields);
    const answer = await this.#ask(
        connection, 'private-message', fields, wanted,
        wanted.duplicate ? wanted : {messageId: isId, timestamp: isTime, delivered: wanted.delivered});
    if (!wanted.code && !wanted.duplicate) this.model.whispered(connection, fields, answer);
  }
  #readPrivate(connection) {
    const known = this.model.privateIds;
    const messageIds =
        Array.from({length: this.random.below(5)}, () => this.random.pick([...known, 'no message']));
    const wanted = this.model.readPrivate(connection, messageIds);
    return this.#ask(connection, 'mark-read', {messageIds}, wanted, wanted);
  }

  /** Somebody who looks after the room, if there is one; else whoever was asked. */
  #keeper(connection, roomId) {
    const {roles} = this.model.rooms.get(roomId);
    const keepers = this.#online.filter(
        ({user, rooms}) => rooms.has(roomId) && ['owner', 'moderator'].includes(roles.get(user)));
    return keepers.length !== 0 && this.random.chance(0.7) ? this.random.pick(keepers) : connection;
  }

  /** One of all that a client can do, most of it where it makes sense. */
  #act(connection) {
    const {below, pick, chance} = this.random;
    const [room, user, role] = [pick(this.names), pick(this.users), pick(['member', 'moderator', 'owner'])];
    if (connection.rooms.size === 0 && chance(0.75)) return this.#join(connection, room);
    const inside = connection.rooms.size !== 0 && chance(0.95) ? pick([...connection.rooms]) : room;
    const keeper = () => this.#keeper(connection, inside);
    const member = chance(0.7) ? pick([user, ...this.model.members(inside)]) : user;
    const key = chance(0.3) ? {clientMessageId: `k${below(6)}`} : {};
    const said = {content: this.#content(key), ...key};
    const reply = chance(0.2) ? {replyTo: this.#anyMessage(inside)} : {};
    const steps = [
      [16, () => this.#join(connection, room)],
      [3, () => this.#leave(connection, inside)],
      [22, () => this.#message(connection, {roomId: inside, ...said, ...reply})],
      [4, () => this.#burst(connection, inside)],
      [6, () => this.#change('edit-message', connection, inside, {content: said.content})],
      [4, () => this.#change('delete-message', connection, inside, {})],
      [5, () => this.#readRoom(connection, inside)],
      [9, () => this.#whisper(connection, {targetUserId: user, ...said})],
      [6, () => this.#readPrivate(connection)],
      [3, () => this.#create(connection, room, pick(['', 'team']))],
      [9, () => this.#invite(keeper(), inside, user, chance(0.4) ? role : undefined)],
      [5, () => this.#setRole(keeper(), inside, member, role)],
      [7, () => this.#kick(keeper(), inside, member)],
      [8, () => this.#depart(connection)],
    ];
    let at = below(steps.reduce((sum, [weight]) => sum + weight, 0));
    return steps.find(([weight]) => (at -= weight) < 0)[1]();
  }
}
