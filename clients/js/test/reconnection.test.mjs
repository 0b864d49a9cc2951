import assert from 'node:assert/strict';
import test from 'node:test';
import { event, FakeClock, FakeServer } from './fake_server.mjs';

async function connected(t, options) {
  const server = await FakeServer.start(t);
  const client = await server.client(options).connect();
  return { server, client, connection: await server.connection() };
}

async function joined(client, connection, room) {
  const joining = client.join(room);
  connection.answer(await connection.next(), { room: { id: room } });
  await joining;
}

test('handlers and rooms survive, and the rooms come before what waited', async (t) => {
  const { server, client, connection } = await connected(t);
  const seen = [];
  client.on('chat', ({ content }) => seen.push(content));
  await joined(client, connection, 'lobby');
  connection.break();
  const { error, retryIn } = await event(client, 'disconnected');
  assert.equal(error.code, 'disconnected');
  assert.equal(retryIn, 1);
  assert.equal(client.state, 'waiting');
  const sending = client.send('lobby', 'from the queue');

  const next = await server.connection();
  const join = await next.next();
  assert.deepEqual([join.type, join.roomId], ['join-room', 'lobby']);
  next.send({ type: 'chat', content: 'one' });
  await event(client, 'chat');
  assert.equal(next.unread(), 0, 'the message waits for the room');
  const rejoining = event(client, 'rejoined');
  next.answer(join, { members: ['us'] });
  assert.deepEqual(await rejoining, { roomId: 'lobby', members: ['us'] });
  const message = await next.next();
  assert.equal(message.content, 'from the queue');
  next.answer(message, { seq: 1 });
  assert.deepEqual(await sending, { seq: 1 });
  assert.deepEqual(seen, ['one']);
});

test('a message without an answer is sent again under its clientMessageId, an answered one is not', async (t) => {
  const { server, client, connection } = await connected(t);
  const done = client.send('lobby', 'answered');
  connection.answer(await connection.next());
  await done;
  const sending = [client.send('lobby', 'first'), client.send('lobby', 'second', { clientMessageId: 'mine' })];
  const sent = [await connection.next(), await connection.next()];
  assert.equal(sent[1].clientMessageId, 'mine');
  assert.ok(sent[0].clientMessageId.length > 10);
  connection.break();

  const next = await server.connection();
  const again = [await next.next(), await next.next()];
  assert.deepEqual(again, sent);
  for (const frame of again) next.answer(frame, { duplicate: true });
  assert.deepEqual(await Promise.all(sending), [{ duplicate: true }, { duplicate: true }]);
  assert.equal(next.unread(), 0);
});

test('any other request that was under way fails: it may have been done', async (t) => {
  const { server, client, connection } = await connected(t);
  const asking = client.request('broadcast', { room: 'lobby', data: 1 });
  await connection.next();
  connection.break();
  await assert.rejects(asking, { code: 'disconnected' });
  const next = await server.connection();
  client.send('lobby', 'later').catch(() => {});
  assert.equal((await next.next()).content, 'later');
});

test('the queue has a bound and keeps the order', async (t) => {
  const { server, client, connection } = await connected(t, { queueMax: 2 });
  connection.break();
  await event(client, 'disconnected');
  client.typing('lobby'); // is not kept
  const sending = ['a', 'b'].map((content) => client.send('lobby', content));
  await assert.rejects(client.send('lobby', 'c'), { code: 'queue-full' });
  await assert.rejects(client.ping(), { code: 'disconnected' });
  const next = await server.connection();
  for (const content of ['a', 'b']) {
    const frame = await next.next();
    assert.equal(frame.content, content);
    next.answer(frame);
  }
  await Promise.all(sending);
});

test('a join that waited goes ahead of the messages', async (t) => {
  const { server, client, connection } = await connected(t);
  connection.break();
  await event(client, 'disconnected');
  client.send('lobby', 'hello').catch(() => {});
  const joining = client.join('lobby');
  const next = await server.connection();
  const join = await next.next();
  assert.equal(join.type, 'join-room');
  next.answer(join);
  await joining;
  assert.equal((await next.next()).content, 'hello');
});

test('a join that was cut off is made again, once', async (t) => {
  const { server, client, connection } = await connected(t);
  const joining = client.join('lobby');
  await connection.next();
  connection.break();
  const next = await server.connection();
  next.answer(await next.next(), { seq: 3 });
  assert.deepEqual(await joining, { seq: 3 });
  const pinging = client.ping();
  const ping = await next.next();
  assert.equal(ping.type, 'ping');
  next.send({ type: 'pong', id: ping.id });
  await pinging;
});

test('a room that refuses us is given up and told', async (t) => {
  const { server, client, connection } = await connected(t);
  await joined(client, connection, 'lobby');
  await joined(client, connection, 'secret');
  connection.break();
  const second = await server.connection();
  const failing = event(client, 'rejoin-failed');
  const frames = [await second.next(), await second.next()];
  assert.deepEqual(frames.map((frame) => frame.roomId), ['lobby', 'secret']);
  second.answer(frames[1], { error: 'Access denied', code: 'access-denied' });
  const { roomId, error } = await failing;
  assert.deepEqual([roomId, error.code], ['secret', 'access-denied']);
  second.answer(frames[0]);
  await event(client, 'rejoined');
  second.break();
  const third = await server.connection();
  assert.equal((await third.next()).roomId, 'lobby');
});

test('a room that was left is not entered again', async (t) => {
  const { server, client, connection } = await connected(t);
  await joined(client, connection, 'lobby');
  connection.break();
  await event(client, 'disconnected');
  const leaving = client.leave('lobby');
  const next = await server.connection();
  const leave = await next.next();
  assert.equal(leave.type, 'leave-room');
  next.answer(leave);
  await leaving;
});

test('the delay doubles up to its maximum, less up to a half at random', async (t) => {
  const clock = new FakeClock();
  const server = await FakeServer.start(t, { refuse: () => [1013, 'Temporarily unavailable'] });
  const client = server.client({ clock, reconnectionDelay: 1000, reconnectionDelayMax: 5000 });
  client.connect().catch(() => {});
  for (const [random, delay] of [[0, 1000], [0, 2000], [0, 4000], [0, 5000], [1, 2500], [0.5, 3750]]) {
    clock.random = () => random;
    const { error, retryIn } = await event(client, 'disconnected');
    assert.equal(error.message, 'Temporarily unavailable');
    assert.equal(retryIn, delay);
    assert.equal(client.state, 'waiting');
    clock.fire(delay);
  }
  server.refuse = undefined; // for the attempt that was just begun
  clock.random = () => 0;
  await event(client, 'connected');
  (await server.connection()).break();
  assert.equal((await event(client, 'disconnected')).retryIn, 1000, 'success begins anew');
});

test('connect() does not wait for the next attempt', async (t) => {
  const { server, client, connection } = await connected(t, { reconnectionDelay: 1e6, reconnectionDelayMax: 1e6 });
  connection.break();
  await event(client, 'disconnected');
  await client.connect();
  await server.connection();
});

test('it gives up after the attempts it was allowed', async (t) => {
  const server = await FakeServer.start(t, { refuse: () => [1011, 'Internal error'] });
  const client = server.client({ reconnectionAttempts: 2 });
  const retries = [];
  client.on('disconnected', ({ retryIn }) => retries.push(retryIn));
  const opening = client.connect();
  const waiting = client.send('lobby', 'hello');
  await assert.rejects(opening, { message: 'Internal error' });
  await assert.rejects(waiting, { message: 'Internal error' });
  assert.deepEqual(retries, [1, 1, undefined]);
  server.refuse = undefined;
  await client.connect();
});

for (const [refusal, code] of [[[1008, 'Unauthorized'], 'authentication-failed'], [[4002, 'Token expired'], 'token-expired'],
  [[1000, 'server disconnect'], 'disconnected']]) {
  test(`it does not come back after ${refusal.join(' ')}`, async (t) => {
    const server = await FakeServer.start(t, { refuse: () => refusal });
    const client = server.client({ token: 'old' });
    await assert.rejects(client.connect(), { code });
    assert.equal(client.state, 'closed');
  });
}

test('too many connections are a matter of time', async (t) => {
  const server = await FakeServer.start(t, { refuse: () => [1008, 'Rate limit exceeded'] });
  const client = server.client();
  const opening = client.connect();
  assert.equal((await event(client, 'disconnected')).error.code, 'rate-limited');
  server.refuse = undefined;
  await opening;
});

test('a token function is asked for every connection, also after the token expired', async (t) => {
  let n = 0;
  const { server, client, connection } = await connected(t, { token: async () => `token-${++n}` });
  assert.equal(connection.url.searchParams.get('token'), 'token-1');
  connection.close(4002, 'Token expired');
  assert.equal((await event(client, 'disconnected')).error.code, 'token-expired');
  assert.equal((await server.connection()).url.searchParams.get('token'), 'token-2');
});

test('a token function that fails is asked again', async (t) => {
  const server = await FakeServer.start(t);
  let fails = true;
  const client = server.client({ token: () => { if (fails) throw new Error('no token today'); } });
  const opening = client.connect();
  assert.equal((await event(client, 'disconnected')).error.message, 'no token today');
  fails = false;
  await opening;
});

test('a connection that is not made in time is given up', async (t) => {
  const clock = new FakeClock();
  const server = await FakeServer.start(t);
  const client = server.client({ clock, token: () => new Promise(() => {}) });
  client.connect().catch(() => {});
  clock.fire(20000);
  assert.equal(client.state, 'waiting');
});

test('a silent connection is tested, and left when it does not answer', async (t) => {
  const clock = new FakeClock();
  const { server, client, connection } = await connected(t, { clock, pingInterval: 25000 });
  connection.send({ type: 'news' });
  await event(client, 'news');
  clock.fire(25000); // something was heard since
  clock.fire(25000);
  const ping = await connection.next();
  assert.equal(ping.type, 'ping');
  const losing = event(client, 'disconnected');
  clock.fire(20000);
  assert.equal((await losing).error.code, 'timeout');
  clock.fire(1);
  await server.connection();
});

test('what the server chokes on is not sent again', async (t) => {
  const { server, client, connection } = await connected(t);
  const sending = client.send('lobby', 'far too much');
  await connection.next();
  connection.close(1009, 'Message too big');
  await assert.rejects(sending, { message: 'Message too big' });
  const next = await server.connection();
  client.send('lobby', 'less').catch(() => {});
  assert.equal((await next.next()).content, 'less');
});

test('a server that does not speak JSON is left', async (t) => {
  const { server, client, connection } = await connected(t);
  connection.sendText('{');
  assert.equal((await event(client, 'disconnected')).error.code, 'invalid-format');
  await server.connection();
});

test('close() while it waits or connects ends it', async (t) => {
  const { client, connection } = await connected(t, { reconnectionDelay: 1e6, reconnectionDelayMax: 1e6 });
  connection.break();
  await event(client, 'disconnected');
  const waiting = client.request('presence');
  client.close();
  await assert.rejects(waiting, { code: 'disconnected' });
  const opening = client.connect();
  client.close();
  await assert.rejects(opening, { code: 'disconnected' });
  assert.equal(client.state, 'closed');
});
