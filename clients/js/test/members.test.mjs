// A room as its handle shows it: who is there, and its events alone.
import assert from 'node:assert/strict';
import test from 'node:test';
import { event, FakeServer } from './fake_server.mjs';

const member = (userId, status = 'online') => ({ userId, user: { name: userId }, status });
const joinAnswer = (names, memberCount = names.length) =>
  ({ success: true, seq: 0, epoch: 'e', members: names.map((name) => member(name)), memberCount });

async function inLobby(t, names = ['alice', 'bob'], memberCount = names.length) {
  const server = await FakeServer.start(t);
  const client = await server.client().connect();
  const connection = await server.connection();
  const room = client.room('lobby');
  const joining = room.join();
  connection.answer(await connection.next(), joinAnswer(names, memberCount));
  await joining;
  /** Sends a frame and waits until it was heard. */
  const tell = async (type, fields) => {
    const heard = event(client, `after ${type}`);
    connection.send({ type, roomId: 'lobby', ...fields });
    connection.send({ type: `after ${type}` });
    await heard;
  };
  return { server, client, connection, room, tell };
}

const present = (room) => room.members.map(({ userId, status }) => `${userId} ${status}`);

test('who is there follows from the answer to joining and from what is told', async (t) => {
  const { room, tell } = await inLobby(t);
  const changes = [];
  room.on('members', ({ memberCount }) => changes.push(memberCount));
  assert.deepEqual(present(room), ['alice online', 'bob online']);
  await tell('user-joined', { userId: 'carol', user: { name: 'Carol' } });
  await tell('user-joined', { userId: 'carol', user: { name: 'Carol' } });
  for (let sharedRooms = 2; sharedRooms > 0; --sharedRooms) {
    await tell('presence-update', { roomId: undefined, userId: 'bob', status: 'away' });
  }
  await tell('presence-update', { roomId: undefined, userId: 'nobody', status: 'away' });
  await tell('user-left', { userId: 'alice' });
  await tell('user-left', { userId: 'alice' });
  assert.deepEqual(present(room), ['bob away', 'carol online']);
  assert.deepEqual(changes, [3, 3, 2], 'told once for each change');
  assert.deepEqual(room.members[1].user, { name: 'Carol' });
  await tell('presence-update', { roomId: undefined, userId: 'bob', status: 'offline', lastSeen: 5 });
  assert.equal(room.members[0].lastSeen, 5);
  await tell('presence-update', { roomId: undefined, userId: 'bob', status: 'online' });
  assert.equal(room.members[0].lastSeen, undefined);
});

test('in a large room they are told in ticks, and what is left out is asked for', async (t) => {
  const { connection, room, tell } = await inLobby(t, ['alice', 'bob'], 2000);
  await tell('presence-diff', {
    joins: [member('carol', 'busy')], leaves: [{ userId: 'bob' }], updates: [{ userId: 'alice', status: 'away' }], memberCount: 1990,
  });
  assert.deepEqual(present(room), ['alice away', 'carol busy']);
  assert.equal(room.memberCount, 1990);
  await tell('user-left', { userId: 'one of those who are not listed' });
  assert.equal(room.memberCount, 1989);

  await tell('presence-diff', { joins: [], leaves: [], updates: [], memberCount: 2000, more: 300 });
  const asked = await connection.next();
  assert.equal(asked.type, 'join-room');
  const changed = new Promise((resolve) => room.once('members', resolve));
  connection.answer(asked, joinAnswer(['dave'], 1999));
  assert.equal((await changed).memberCount, 1999);
  assert.deepEqual(present(room), ['dave online']);
});

test('a room has its own events only, and every handle of it is the same', async (t) => {
  const { client, room, tell } = await inLobby(t);
  const seen = [];
  const hear = ({ roomId, content }) => seen.push(`${roomId} ${content}`);
  room.on('chat', hear);
  room.once('chat', () => seen.push('once'));
  client.on('chat', () => seen.push('all'));
  await tell('chat', { content: 'here' });
  await tell('chat', { roomId: 'elsewhere', content: 'there' });
  await tell('chat', { content: 'again' });
  assert.deepEqual(seen, ['all', 'lobby here', 'once', 'all', 'all', 'lobby again']);
  client.room('lobby').off('chat', hear);
  await tell('chat', { content: 'unheard' });
  assert.deepEqual(seen.slice(-2), ['lobby again', 'all']);
  const broadcasts = [];
  room.on('broadcast', ({ data }) => broadcasts.push(data));
  await tell('broadcast', { roomId: undefined, room: 'lobby', data: 1 });
  assert.deepEqual(broadcasts, [1]);
});

test('its handlers outlive leaving and coming back, its members do not', async (t) => {
  const { server, connection, room, tell } = await inLobby(t);
  const seen = [];
  room.on('chat', ({ content }) => seen.push(content));
  room.on('members', ({ memberCount }) => seen.push(memberCount));
  const leaving = room.leave();
  assert.equal(room.isJoined, false);
  connection.answer(await connection.next());
  await leaving;
  assert.deepEqual([room.members, room.memberCount, room.position], [[], 0, undefined]);
  const joining = room.join();
  connection.answer(await connection.next(), joinAnswer(['alice']));
  await joining;
  await tell('chat', { content: 'hello', seq: 1 });
  assert.deepEqual(room.position, { seq: 1, epoch: 'e' });

  connection.break();
  const next = await server.connection();
  const rejoined = new Promise((resolve) => room.once('rejoined', resolve));
  next.answer(await next.next(), { ...joinAnswer(['alice', 'carol']), seq: 1, recovered: true, missed: [] });
  await rejoined;
  await new Promise(setImmediate);
  assert.deepEqual(present(room), ['alice online', 'carol online']);
  assert.deepEqual(seen, [0, 1, 'hello', 2]);
});

test('its methods are the client\'s', async (t) => {
  const { connection, room, tell } = await inLobby(t);
  const asked = async (asking) => {
    const { id, clientMessageId, ...frame } = await connection.next();
    connection.answer({ id });
    await asking;
    return frame;
  };
  await tell('chat', { content: 'one', seq: 1 });
  assert.deepEqual(await asked(room.send('hello', { replyTo: 'm' })),
    { type: 'message', roomId: 'lobby', content: 'hello', replyTo: 'm' });
  assert.deepEqual(await asked(room.history({ before: 5 })), { type: 'history', roomId: 'lobby', before: 5 });
  assert.deepEqual(await asked(room.markRead()), { type: 'mark-read', roomId: 'lobby', upTo: 1 });
  room.typing();
  assert.equal((await connection.next()).type, 'typing');
  room.typing(false);
  assert.equal((await connection.next()).type, 'stop-typing');
  room.upload(new Blob(['x']), { name: 'x' }).catch(() => {});
  assert.deepEqual(await asked(), { type: 'upload-start', name: 'x', mime: 'application/octet-stream', roomId: 'lobby', size: 1 });
});

test('a join made without a connection stands above a leave that waits', async (t) => {
  const { server, client, connection, room } = await inLobby(t);
  connection.break();
  await event(client, 'disconnected');
  const leaving = room.leave();
  const joining = room.join();
  await leaving;
  const next = await server.connection();
  const frame = await next.next();
  assert.equal(frame.type, 'join-room');
  next.answer(frame, joinAnswer(['alice']));
  await joining;
  assert.equal(room.isJoined, true);
  assert.equal(next.unread(), 0);
});

test('joining again without a connection loses nothing of what is missed', async (t) => {
  const { server, client, connection, room, tell } = await inLobby(t);
  await tell('chat', { content: 'one', seq: 1 });
  connection.break();
  await event(client, 'disconnected');
  const told = [];
  room.on('chat', ({ seq }) => told.push(seq));
  const joining = room.join();
  const next = await server.connection();
  const [first, second] = [await next.next(), await next.next()];
  assert.deepEqual(first.since, { seq: 1, epoch: 'e' });
  next.answer(first, { ...joinAnswer([]), seq: 2, recovered: true, missed: [{ roomId: 'lobby', seq: 2 }] });
  next.answer(second, { ...joinAnswer([]), seq: 2 });
  await joining;
  assert.deepEqual(told, [2]);
});

test('coming back is tried again where the server is only busy, and given up in the end', async (t) => {
  const { server, client, connection, room } = await inLobby(t);
  connection.break();
  const next = await server.connection();
  for (let tries = 1; tries < 5; ++tries) {
    next.answer(await next.next(), { error: 'Temporarily unavailable', code: tries % 2 ? 'unavailable' : 'rate-limited', retryAfter: 1 });
  }
  const failing = event(client, 'rejoin-failed');
  next.answer(await next.next(), { error: 'Temporarily unavailable', code: 'unavailable' });
  assert.equal((await failing).error.code, 'unavailable');
  assert.equal(room.isJoined, false);
});
