// Who the client says it is, and how it keeps being believed.
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import test from 'node:test';
import { WebSocket } from 'ws';
import { Client } from '../src/wirehall.js';
import { event, FakeClock, FakeServer } from './fake_server.mjs';

const jwt = (claims) => `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sum`;
const seconds = (ms) => Math.floor(ms / 1000);

for (const [title, options] of [
  ['an object', { auth: { token: 't', userId: 'ann', name: undefined } }],
  ['a function', { auth: () => ({ token: 't', userId: 'ann' }) }],
  ['a function that takes its time', { auth: async () => ({ token: 't', userId: 'ann' }) }],
  ['a function that calls back', { auth: (give) => give({ token: 't', userId: 'ann' }) }],
  ['an object, and the token beside it', { auth: { userId: 'ann' }, token: 't' }],
]) {
  test(`auth may be ${title}`, async (t) => {
    const server = await FakeServer.start(t);
    await server.client(options).connect();
    const { url } = await server.connection();
    assert.deepEqual(Object.fromEntries(url.searchParams), { token: 't', userId: 'ann' });
  });
}

/** A client whose token lasts so long by the server's clock, with a clock that is an hour behind. */
async function refreshing(t, lifetimeMs, tokens) {
  const clock = new FakeClock();
  const serverTime = clock.time + 3_600_000;
  const server = await FakeServer.start(t, { welcome: { serverTime } });
  const given = [jwt({ exp: seconds(serverTime + lifetimeMs) }), ...(tokens?.(serverTime) ?? [])];
  let asked = 0;
  const client = server.client({ clock, auth: async () => ({ token: given[Math.min(asked++, given.length - 1)] }) });
  await client.connect();
  return { clock, server, client, serverTime, given, connection: await server.connection() };
}

test('a new token is shown before the old one ends, over the same connection', async (t) => {
  const { clock, client, connection, given, serverTime } = await refreshing(t, 600_000,
    (now) => [jwt({ exp: seconds(now + 4_000_000) })]);
  const told = event(client, 'token-refreshed');
  clock.time += 540_000;
  clock.fire(540_000); // a minute before
  const frame = await connection.next();
  assert.deepEqual({ ...frame, id: 0 }, { type: 'refresh-token', token: given[1], id: 0 });
  connection.answer(frame, { success: true, expiresAt: serverTime + 4_000_000 });
  assert.deepEqual(await told, { expiresAt: serverTime + 4_000_000 });
  assert.equal(client.state, 'connected');
  await clock.awaits(4_000_000 - 540_000 - 60_000);
});

test('of a short token a fifth is left when the next one is shown', async (t) => {
  const { clock } = await refreshing(t, 10_000);
  assert.ok(clock.has(8_000), [...clock.timers.values()].map(({ ms }) => ms).join());
});

test('a token that lasts longer than a timer is renewed early', async (t) => {
  const { clock } = await refreshing(t, 1e11);
  assert.ok(clock.has(2 ** 31 - 1));
});

test('a function that has no new token yet is asked again, and no sooner than a second later', async (t) => {
  const { clock, connection } = await refreshing(t, 5_000);
  clock.time += 4_000;
  clock.fire(4_000);
  await clock.awaits(1_000); // four fifths of a second, but for the least
  assert.equal(connection.unread(), 0, 'it does not show the old one');
  clock.time += 1_000;
  clock.fire(1_000);
  await new Promise(setImmediate);
  assert.ok(!clock.has(1_000), 'it has ended: the server says so next');
});

test('a refusal of the new token is told, and tried again while the old one lasts', async (t) => {
  const { clock, client, connection } = await refreshing(t, 600_000, (now) => [jwt({ exp: seconds(now), bad: 1 })]);
  const failing = event(client, 'refresh-failed');
  clock.time += 540_000;
  clock.fire(540_000);
  connection.answer(await connection.next(), { error: 'Access denied', code: 'access-denied' });
  assert.equal((await failing).error.code, 'access-denied');
  await clock.awaits(48_000);
});

test('a lost connection ends the waiting; the next one shows a token of its own', async (t) => {
  const { clock, server, client, connection } = await refreshing(t, 600_000, (now) => [jwt({ exp: seconds(now + 900_000) })]);
  connection.break();
  await event(client, 'disconnected');
  assert.ok(!clock.has(540_000));
  clock.fire(1);
  await event(client, 'connected');
  await server.connection();
  assert.ok(clock.has(840_000));
});

for (const [title, options] of [['that cannot be renewed', { token: jwt({ exp: 2e9 }) }], ['that is no JWT', { token: () => 'opaque' }],
  ['without an end', { token: () => jwt({}) }]]) {
  test(`a token ${title} is left alone`, async (t) => {
    const clock = new FakeClock();
    const server = await FakeServer.start(t);
    await server.client({ ...options, clock }).connect();
    assert.deepEqual([...clock.timers.values()].map(({ ms }) => ms), [25_000], 'only the sign of life');
  });
}

// -- refusals ------------------------------------------------------------------------------------

/** A server that refuses upgrades by HTTP until it has no answers any more. */
async function refusing(t, ...answers) {
  const server = http.createServer();
  const urls = [];
  server.on('upgrade', ({ url }, socket) => {
    urls.push(url);
    const { status, headers = {}, body = '' } = answers.length > 1 ? answers.shift() : answers[0];
    socket.end([`HTTP/1.1 ${status} No`, 'Connection: close', ...Object.entries(headers).map((pair) => pair.join(': ')), '', body].join('\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const clock = new FakeClock();
  const client = new Client(`http://127.0.0.1:${server.address().port}`, { WebSocket, clock });
  t.after(() => client.close());
  return { client, clock, urls };
}

const problem = (code, more) => JSON.stringify({ title: `It is ${code}`, code, ...more });

test('who comes too often comes no sooner than it was told', async (t) => {
  const { client, clock } = await refusing(t, { status: 429, headers: { 'Retry-After': '7' }, body: problem('rate-limited') },
    { status: 429, body: problem('too-many-connections', { data: { retryAfter: 1500 } }) }, { status: 429 });
  client.connect().catch(() => {});
  const first = await event(client, 'disconnected');
  assert.deepEqual([first.error.code, first.error.message, first.error.retryAfter], ['rate-limited', 'It is rate-limited', 7000]);
  assert.equal(first.retryIn, 7000 + 5000, 'and then as late as it ever would');
  clock.fire(12_000);
  const second = await event(client, 'disconnected');
  assert.deepEqual([second.error.code, second.retryIn], ['too-many-connections', 1500 + 2000]);
  clock.fire(3_500);
  assert.equal((await event(client, 'disconnected')).error.message, 'The server answered 429');
});

test('in a page nobody says how long: as late as it ever would', async (t) => {
  const server = await FakeServer.start(t, { refuse: () => [1008, 'Rate limit exceeded'] });
  const clock = new FakeClock();
  const client = server.client({ clock, reconnectionDelay: 1000, reconnectionDelayMax: 5000 });
  client.connect().catch(() => {});
  assert.equal((await event(client, 'disconnected')).retryIn, 5000);
});

for (const [status, code] of [[401, 'invalid-user'], [403, 'origin-not-allowed']]) {
  test(`it does not come back after ${status}`, async (t) => {
    const { client } = await refusing(t, { status, body: problem(code) });
    await assert.rejects(client.connect(), { code, message: `It is ${code}` });
    assert.equal(client.state, 'closed');
  });
}

test('what stands in front of the server may be away for a while', async (t) => {
  const { client, clock } = await refusing(t, { status: 502, body: '<html>' });
  client.connect().catch(() => {});
  const { error, retryIn } = await event(client, 'disconnected');
  assert.deepEqual([error.code, error.message, retryIn], ['disconnected', 'The server answered 502', 1000]);
  clock.fire(1000);
});

/** What pages have: it does not show how an upgrade was refused. */
class PageWebSocket {
  #socket;

  constructor(url) {
    this.#socket = new WebSocket(url);
    for (const name of ['onmessage', 'onclose', 'onerror']) this.#socket[name] = (happened) => this[name]?.(happened);
  }

  send(data) {
    this.#socket.send(data);
  }

  close(code) {
    this.#socket.close(code);
  }
}

test('a page asks for a close frame instead of a refusal', async (t) => {
  const server = await FakeServer.start(t);
  await server.client({ WebSocket: PageWebSocket }).connect();
  assert.equal((await server.connection()).url.searchParams.get('authError'), 'close');
});

test('without any WebSocket it says what to do', () => {
  assert.throws(() => new Client('http://127.0.0.1', { WebSocket: undefined }), { message: /give one, new Client\(url, \{ WebSocket \}\)/ });
});
