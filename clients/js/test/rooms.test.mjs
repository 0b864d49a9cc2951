import assert from 'node:assert/strict';
import test from 'node:test';
import { event, FakeServer } from './fake_server.mjs';

const chat = (seq) => ({ type: 'chat', roomId: 'lobby', seq, content: `message ${seq}` });

/** A client in the lobby, which has seen message 3 there, and what it is told of from then on. */
async function inLobby(t) {
  const server = await FakeServer.start(t);
  const client = await server.client().connect();
  const connection = await server.connection();
  const told = [];
  client.on('chat', ({ seq }) => told.push(seq));
  client.on('rejoined', ({ recovered }) => told.push(recovered ? 'recovered' : 'anew'));
  const joining = client.join('lobby');
  connection.answer(await connection.next(), { seq: 2, epoch: 'e' });
  await joining;
  connection.send(chat(3));
  await event(client, 'chat');
  return { server, client, connection, told };
}

/** The next connection, with the question to come back. */
async function comeBack(server, connection) {
  connection.break();
  const next = await server.connection();
  return { next, join: await next.next() };
}

test('who comes back says where it was, and is told what it missed, once and in order', async (t) => {
  const { server, client, connection, told } = await inLobby(t);
  const { next, join } = await comeBack(server, connection);
  assert.deepEqual(join.since, { seq: 3, epoch: 'e' });
  for (const seq of [5, 6, 7]) next.send(chat(seq)); // the server has put us back already
  next.answer(join, { seq: 6, epoch: 'e', recovered: true, missed: [4, 5, 6].map(chat) });
  await event(client, 'rejoined');
  next.send(chat(7));
  next.send(chat(8));
  next.send({ type: 'end' });
  await event(client, 'end');
  assert.deepEqual(told, [3, 4, 5, 6, 'recovered', 7, 8]);

  const again = await comeBack(server, next);
  assert.deepEqual(again.join.since, { seq: 8, epoch: 'e' });
});

test('a message without a place in the room leaves ours as it is', async (t) => {
  const { server, client, connection, told } = await inLobby(t);
  connection.send({ type: 'chat', roomId: 'lobby', content: 'of an application' });
  await event(client, 'chat');
  assert.deepEqual(told, [3, undefined]);
  assert.deepEqual((await comeBack(server, connection)).join.since, { seq: 3, epoch: 'e' });
});

test('what the server cannot give is not pretended', async (t) => {
  const { server, client, connection, told } = await inLobby(t);
  const { next, join } = await comeBack(server, connection);
  next.send(chat(1));
  next.send(chat(2));
  next.answer(join, { seq: 1, epoch: 'another', recovered: false, missed: [], recentMessages: [chat(1)] });
  await event(client, 'rejoined');
  next.send(chat(3));
  next.send({ type: 'end' });
  await event(client, 'end');
  assert.deepEqual(told, [3, 'anew', 2, 3]);
  assert.deepEqual((await comeBack(server, next)).join.since, { seq: 3, epoch: 'another' });
});

test('a connection that is lost again while it comes back loses nothing', async (t) => {
  const { server, client, connection, told } = await inLobby(t);
  const first = await comeBack(server, connection);
  first.next.send(chat(5));
  const second = await comeBack(server, first.next);
  assert.deepEqual(second.join.since, { seq: 3, epoch: 'e' });
  second.next.answer(second.join, { seq: 5, epoch: 'e', recovered: true, missed: [chat(4), chat(5)] });
  await event(client, 'rejoined');
  assert.deepEqual(told, [3, 4, 5, 'recovered']);
});

test('a message that comes before the answer to the first join counts', async (t) => {
  const server = await FakeServer.start(t);
  const client = await server.client().connect();
  const connection = await server.connection();
  const joining = client.join('lobby');
  const join = await connection.next();
  connection.send(chat(2)); // another connection of ours is there
  await event(client, 'chat');
  connection.answer(join, { seq: 1, epoch: 'e' });
  await joining;
  assert.deepEqual((await comeBack(server, connection)).join.since, { seq: 2, epoch: 'e' });
});

test('who joins with a position of earlier is told what was missed, once and in order', async (t) => {
  const server = await FakeServer.start(t);
  const client = await server.client().connect();
  const connection = await server.connection();
  const told = [];
  client.on('chat', ({ seq }) => told.push([seq, client.room('lobby').position.seq]));
  client.on('rejoined', () => assert.fail('it was not there before'));
  const joining = client.join('lobby', { since: { seq: 1, epoch: 'e' } });
  const join = await connection.next();
  assert.deepEqual(join.since, { seq: 1, epoch: 'e' });
  for (const seq of [3, 4, 5]) connection.send(chat(seq)); // we were put back already
  connection.answer(join, { seq: 4, epoch: 'e', recovered: true, missed: [2, 3, 4].map(chat) });
  assert.equal((await joining).recovered, true);
  assert.deepEqual(told, [[2, 2], [3, 3], [4, 4], [5, 5]]);
  assert.deepEqual((await comeBack(server, connection)).join.since, { seq: 5, epoch: 'e' });
});

test('what was held for a join that failed is told', async (t) => {
  const server = await FakeServer.start(t);
  const client = await server.client().connect();
  const connection = await server.connection();
  const told = [];
  client.on('chat', ({ seq }) => told.push(seq));
  const joining = client.join('lobby', { since: { seq: 1, epoch: 'e' } });
  connection.send(chat(2));
  connection.answer(await connection.next(), { error: 'Access denied', code: 'access-denied' });
  await assert.rejects(joining, { code: 'access-denied' });
  assert.deepEqual(told, [2]);
  assert.equal(client.room('lobby').isJoined, false);
});

test('who leaves while it comes back is out', async (t) => {
  const { server, client, connection, told } = await inLobby(t);
  const { next, join } = await comeBack(server, connection);
  const leaving = client.leave('lobby');
  next.answer(join, { seq: 4, epoch: 'e', recovered: true, missed: [chat(4)] });
  const leave = await next.next();
  assert.equal(leave.type, 'leave-room');
  assert.equal(client.room('lobby').isJoined, false);
  assert.deepEqual(told, [3]);
  next.answer(leave);
  await leaving;
});

test('who was kicked does not come back', async (t) => {
  const { server, client, connection } = await inLobby(t);
  connection.send({ type: 'room-kicked', roomId: 'lobby' });
  await event(client, 'room-kicked');
  connection.break();
  const next = await server.connection();
  client.history('elsewhere', { limit: 5 }).catch(() => {});
  assert.deepEqual({ ...(await next.next()), id: 0 }, { type: 'history', roomId: 'elsewhere', limit: 5, id: 0 });
});

test('private messages and questions that may be asked twice are', async (t) => {
  const { server, client, connection } = await inLobby(t);
  const asking = [client.sendPrivate('bob', 'psst'), client.presence({ userIds: ['bob'] }),
    client.request('mark-read', { messageIds: ['m'] }, { again: true })];
  const sent = [await connection.next(), await connection.next(), await connection.next()];
  assert.deepEqual([sent[0].targetUserId, sent[0].content], ['bob', 'psst']);
  assert.ok(sent[0].clientMessageId.length > 10);
  const { next, join } = await comeBack(server, connection);
  next.answer(join, { seq: 3, epoch: 'e', recovered: true, missed: [] });
  for (const frame of sent) {
    assert.deepEqual(await next.next(), frame);
    next.answer(frame, { of: frame.type });
  }
  assert.deepEqual(await Promise.all(asking), [{ of: 'private-message' }, { of: 'presence' }, { of: 'mark-read' }]);
});
