import assert from 'node:assert/strict';
import test from 'node:test';
import { WebSocket } from 'ws';
import { connect, WirehallError } from '../src/wirehall.js';
import { event, FakeClock, FakeServer } from './fake_server.mjs';

async function connected(t, options) {
  const server = await FakeServer.start(t);
  const client = await server.client(options).connect();
  return { server, client, connection: await server.connection() };
}

test('connect() resolves with the welcome and says who we are', async (t) => {
  const server = await FakeServer.start(t);
  const client = await connect(server.url, { WebSocket, token: 'secret' });
  server.clients.push(client);
  const { url } = await server.connection();
  assert.equal(client.userId, 'alice');
  assert.equal(client.state, 'connected');
  assert.equal(url.pathname, '/ws');
  assert.equal(url.searchParams.get('token'), 'secret');
  assert.equal(url.searchParams.has('authError'), false, 'this implementation shows how an upgrade is refused');
});

test('a request is answered by its own acknowledgement', async (t) => {
  const { client, connection } = await connected(t);
  const first = client.request('history', { roomId: 'lobby' });
  const second = client.request('presence');
  const [a, b] = [await connection.next(), await connection.next()];
  assert.deepEqual({ ...a, id: 0 }, { type: 'history', roomId: 'lobby', id: 0 });
  assert.notEqual(a.id, b.id);
  connection.answer(b, { users: [] });
  connection.answer(a, { messages: [], hasMore: false });
  assert.deepEqual(await second, { users: [] });
  assert.deepEqual(await first, { messages: [], hasMore: false });
});

test('a refusal rejects with its text, code and retryAfter', async (t) => {
  const { client, connection } = await connected(t);
  const sending = client.send('lobby', 'hello');
  connection.answer(await connection.next(), { error: 'Rate limit exceeded', code: 'rate-limited', retryAfter: 600 });
  await assert.rejects(sending, (error) => {
    assert.ok(error instanceof WirehallError);
    assert.deepEqual([error.message, error.code, error.retryAfter], ['Rate limit exceeded', 'rate-limited', 600]);
    return true;
  });
});

test('a request without an answer in time is rejected, and a late answer is ignored', async (t) => {
  const clock = new FakeClock();
  const { client, connection } = await connected(t, { clock });
  const asking = client.request('presence', {}, { timeout: 700 });
  const frame = await connection.next();
  clock.fire(700);
  await assert.rejects(asking, { code: 'timeout' });
  connection.answer(frame);
  connection.send({ type: 'still-here' });
  await event(client, 'still-here');
});

test('nothing can be asked before connect() and after close()', async (t) => {
  const server = await FakeServer.start(t);
  const client = server.client();
  await assert.rejects(client.request('presence'), { code: 'disconnected' });
  await client.connect();
  const connection = await server.connection();
  const asking = client.request('presence');
  await connection.next();
  client.close();
  await assert.rejects(asking, { code: 'disconnected' });
  await assert.rejects(client.join('lobby'), { code: 'disconnected' });
  await assert.rejects(client.ping(), { code: 'disconnected' });
  assert.equal(await connection.closed, 1000, 'a goodbye, not a lost transport');
});

test('handlers: on, once, off, and one that throws', async (t) => {
  const { client, connection } = await connected(t);
  const seen = [];
  const later = t.mock.method(globalThis, 'queueMicrotask', () => {});
  const removed = () => seen.push('removed');
  const removedOnce = () => seen.push('removed once');
  client.on('news', () => { throw new Error('of a handler'); });
  client.on('news', ({ n }) => seen.push(`on ${n}`));
  client.once('news', ({ n }) => seen.push(`once ${n}`));
  client.on('news', removed).off('news', removed);
  client.once('news', removedOnce).off('news', removedOnce);
  client.on('other', removed).off('other');
  connection.send({ type: 'other' });
  connection.send({ type: 'news', n: 1 });
  connection.send({ type: 'news', n: 2 });
  connection.send({ type: 'end' });
  await event(client, 'end');
  assert.deepEqual(seen, ['on 1', 'once 1', 'on 2']);
  const [rethrow] = later.mock.calls.map((call) => call.arguments[0]).filter((action) => String(action).includes('throw'));
  assert.throws(rethrow, { message: 'of a handler' }, 'it is reported like any uncaught error');
});

test('an event\'s own type travels as messageType, its own id stays', async (t) => {
  const { client, connection } = await connected(t);
  client.send('lobby', 'a picture', { type: 'image' }).catch(() => {});
  const frame = await connection.next();
  assert.deepEqual([frame.type, frame.messageType], ['message', 'image']);
  connection.send({ type: 'chat', messageType: 'image', id: 'm1', content: 'a picture' });
  assert.deepEqual(await event(client, 'chat'), { type: 'image', id: 'm1', content: 'a picture' });
});

test('bytes go both ways, also from a Buffer and an ArrayBuffer', async (t) => {
  const { client, connection } = await connected(t);
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const base64 = Buffer.from(bytes).toString('base64');
  client.request('broadcast', { data: { a: bytes, b: [Buffer.from(bytes)], c: bytes.buffer } }).catch(() => {});
  const { data } = await connection.next();
  assert.deepEqual(data, { a: { $binary: base64 }, b: [{ $binary: base64 }], c: { $binary: base64 } });
  connection.send({ type: 'broadcast', data: [{ $binary: base64 }, { $binary: '' }] });
  const received = await event(client, 'broadcast');
  assert.ok(received.data[0] instanceof Uint8Array);
  assert.deepEqual(received.data, [bytes, new Uint8Array()]);
});

test('what only looks like bytes is left as it is', async (t) => {
  const { client, connection } = await connected(t);
  const data = [{ $binary: '*' }, { $binary: 1 }, { $binary: 'AA==', more: true }, null, '"$binary"'];
  connection.send({ type: 'broadcast', data });
  assert.deepEqual((await event(client, 'broadcast')).data, data);
});

test('an event that wants an answer gets what a handler returned, and none where nobody listens', async (t) => {
  const { client, connection } = await connected(t);
  client.on('question', () => undefined);
  client.on('question', async ({ n }) => ({ answer: n + 1 }));
  connection.send({ type: 'unheard', ackId: 6 });
  connection.send({ type: 'question', ackId: 7, n: 41 });
  assert.deepEqual(await connection.next(), { type: 'ack', ackId: 7, answer: 42 });
});

test('failures that nobody asked about come as errors', async (t) => {
  const { client, connection } = await connected(t);
  client.typing('elsewhere');
  assert.deepEqual(await connection.next(), { type: 'typing', roomId: 'elsewhere' });
  connection.send({ type: 'error', error: 'Not in room', code: 'not-in-room' });
  const error = await event(client, 'error');
  assert.deepEqual([error.message, error.code], ['Not in room', 'not-in-room']);
});

test('the server cannot play the client\'s own events', async (t) => {
  const { client, connection } = await connected(t);
  client.on('disconnected', () => assert.fail('it is connected'));
  connection.send({ type: 'disconnected' });
  connection.send({ type: 'end' });
  await event(client, 'end');
  client.off('disconnected');
});

test('ping() is answered by a pong', async (t) => {
  const { client, connection } = await connected(t);
  const pinging = client.ping();
  const { type, id } = await connection.next();
  assert.equal(type, 'ping');
  connection.send({ type: 'pong', id, timestamp: 5 });
  assert.deepEqual(await pinging, { timestamp: 5 });
});

test('leaving a room in which we are not any more is no failure', async (t) => {
  const { client, connection } = await connected(t);
  const leaving = client.leave('lobby');
  connection.answer(await connection.next(), { error: 'Not in room', code: 'not-in-room' });
  await leaving;
  const again = client.leave('lobby');
  connection.answer(await connection.next(), { error: 'Temporarily unavailable', code: 'unavailable' });
  await assert.rejects(again, { code: 'unavailable' });
});

test('emit() promises the answer, or gives it to an ack function', async (t) => {
  const { client, connection } = await connected(t);
  const promised = client.emit('score', { points: 1 });
  connection.answer(await connection.next(), { success: true, total: 5 });
  assert.deepEqual(await promised, { success: true, total: 5 });

  const answers = [];
  const acked = new Promise((resolve) => {
    assert.equal(client.emit('score', { points: 2 }, (answer) => answers.push(answer)), undefined);
    client.emit('score', undefined, (answer) => resolve(answers.push(answer)));
  });
  connection.answer(await connection.next(), { success: true });
  connection.answer(await connection.next(), { error: 'No points', code: 'invalid-format', retryAfter: 5 });
  await acked;
  assert.deepEqual(answers, [{ success: true }, { error: 'No points', code: 'invalid-format', retryAfter: 5 }]);
  const failed = new Promise((resolve) => client.emit('score', {}, resolve));
  client.close();
  assert.deepEqual(await failed, { error: 'Closed', code: 'disconnected' });
});

test('an emitted message is one: it has its clientMessageId, and goes out again', async (t) => {
  const { server, client, connection } = await connected(t);
  const sending = [client.emit('message', { roomId: 'a', content: 'x' }), client.emit('chat', { roomId: 'a', content: 'y' }),
    client.request('private-message', { targetUserId: 'bob', content: 'z', clientMessageId: 'mine' })];
  const frames = [await connection.next(), await connection.next(), await connection.next()];
  assert.deepEqual(frames.map(({ type }) => type), ['message', 'message', 'private-message']);
  assert.ok(frames.every(({ clientMessageId }) => clientMessageId));
  assert.equal(frames[2].clientMessageId, 'mine');
  connection.break();
  const next = await server.connection();
  for (const frame of frames) {
    assert.deepEqual(await next.next(), frame);
    next.answer(frame);
  }
  await Promise.all(sending);
});

test('a timeout of its own counts from the call: what waits too long is not sent', async (t) => {
  const clock = new FakeClock();
  const { server, client, connection } = await connected(t, { clock });
  connection.break();
  await event(client, 'disconnected');
  const short = client.send('lobby', 'too late', { timeout: 300 });
  const patient = client.send('lobby', 'in the end');
  assert.ok(!clock.has(20_000), 'the usual time counts from when it is sent');
  clock.fire(300);
  await assert.rejects(short, { code: 'timeout' });
  clock.fire(1);
  const next = await server.connection();
  const frame = await next.next();
  assert.equal(frame.content, 'in the end');
  assert.equal(next.unread(), 0);
  next.answer(frame);
  await patient;
});

test('a timeout of its own goes on over a reconnection', async (t) => {
  const clock = new FakeClock();
  const { server, client, connection } = await connected(t, { clock });
  const sending = client.send('lobby', 'hello', { timeout: 300 });
  await connection.next();
  connection.break();
  await event(client, 'disconnected');
  clock.fire(1);
  const next = await server.connection();
  await next.next();
  assert.equal([...clock.timers.values()].filter(({ ms }) => ms === 300).length, 1);
  clock.fire(300);
  await assert.rejects(sending, { code: 'timeout' });
});
