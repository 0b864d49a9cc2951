// Private messages: told once, and acknowledged when a handler saw them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { event, FakeServer } from './fake_server.mjs';

const message = (id) => ({ id, fromUserId: 'bob', content: `message ${id}` });

async function connected(t) {
  const server = await FakeServer.start(t);
  const client = await server.client().connect();
  const told = [];
  return { server, client, told, connection: await server.connection(), note: ({ id }) => { told.push(id); } };
}

/** The next frame is not an acknowledgement, but this question's answer to a ping. */
async function nothingFrom(client, connection) {
  client.ping().catch(() => {});
  assert.equal((await connection.next()).type, 'ping');
}

test('one is acknowledged when a handler is done with it', async (t) => {
  const { client, connection } = await connected(t);
  let finish;
  client.on('private-message', () => new Promise((resolve) => (finish = resolve)));
  connection.send({ type: 'private-message', ackId: 7, ...message('a') });
  await event(client, 'private-message');
  await nothingFrom(client, connection);
  finish('seen');
  assert.deepEqual(await connection.next(), { type: 'ack', ackId: 7 });
});

test('without a handler, and where it failed, it stays pending, and is told when it comes again', async (t) => {
  const { client, connection, told, note } = await connected(t);
  const reported = t.mock.method(globalThis, 'queueMicrotask', () => {});
  connection.send({ type: 'private-message', ackId: 1, ...message('a') });
  connection.send({ type: 'end' });
  await event(client, 'end');
  await nothingFrom(client, connection);
  client.on('private-message', async () => { throw new Error('of a handler'); });
  connection.send({ type: 'private-message', ackId: 2, ...message('a') });
  connection.send({ type: 'end' });
  await event(client, 'end');
  await nothingFrom(client, connection);
  const [rethrow] = reported.mock.calls.map((call) => call.arguments[0]).filter((action) => String(action).includes('throw'));
  assert.throws(rethrow, { message: 'of a handler' });
  client.off('private-message').on('private-message', note);
  connection.send({ type: 'private-message', ackId: 3, ...message('a') });
  assert.deepEqual(await connection.next(), { type: 'ack', ackId: 3 });
  assert.deepEqual(told, ['a']);
});

test('one that comes again, since its acknowledgement was lost, is acknowledged and not told', async (t) => {
  const { server, client, connection, told, note } = await connected(t);
  client.on('private-message', note);
  connection.send({ type: 'private-message', ackId: 1, ...message('a') });
  await connection.next();
  connection.break();
  const next = await server.connection();
  next.send({ type: 'pending-messages', ackId: 5, messages: ['a', 'b', 'c'].map(message) });
  assert.deepEqual(await next.next(), { type: 'ack', ackId: 5 });
  assert.deepEqual(told, ['a', 'b', 'c']);
  next.send({ type: 'pending-messages', ackId: 6, messages: ['b', 'c'].map(message) });
  assert.deepEqual(await next.next(), { type: 'ack', ackId: 6 });
  assert.equal(told.length, 3);
});

test('a handler of pending-messages gets those that were not told, in one', async (t) => {
  const { client, connection, told, note } = await connected(t);
  const lists = [];
  client.on('private-message', note);
  client.on('pending-messages', ({ messages }) => lists.push(messages.map(({ id }) => id)));
  connection.send({ type: 'private-message', ackId: 1, ...message('a') });
  connection.send({ type: 'pending-messages', ackId: 2, messages: ['a', 'b'].map(message) });
  assert.deepEqual([await connection.next(), await connection.next()], [{ type: 'ack', ackId: 1 }, { type: 'ack', ackId: 2 }]);
  assert.deepEqual([told, lists], [['a'], [['b']]]);
});

test('so many are remembered', async (t) => {
  const { client, connection, told, note } = await connected(t);
  client.on('private-message', note);
  for (let i = 0; i <= 1000; ++i) connection.send({ type: 'private-message', ...message(`m${i}`) });
  connection.send({ type: 'private-message', ackId: 1, ...message('m1') });
  await connection.next();
  assert.equal(told.length, 1001);
  connection.send({ type: 'private-message', ackId: 2, ...message('m0') });
  await connection.next();
  assert.equal(told.length, 1002, 'the oldest is forgotten');
});
