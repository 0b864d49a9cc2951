// The client with the program: what both say of tokens, refusals, rooms and private messages.
import assert from 'node:assert/strict';
import test from 'node:test';
import { event } from './fake_server.mjs';
import { Cable, RealServer, until } from './real_server.mjs';

const LIMIT = { timeout: 60_000 };

// Of a token that lasts so long, a second at least is left when the next one is shown, also on a machine that is busy:
// its end is in whole seconds, and a fifth of what is left is what the client leaves.
const SHORT_S = 6;

/** The next such event of a client that keeps its connection until then. */
function eventUnlessLost(client, name) {
  return new Promise((resolve, reject) => {
    client.once(name, resolve);
    client.once('disconnected', ({ error }) => reject(error));
  });
}

test('a token that ends soon is renewed over the same connection', LIMIT, async (t) => {
  const server = await RealServer.start(t);
  let asked = 0;
  const client = server.client('ann', { auth: async () => ({ token: server.token('ann', ++asked === 1 ? SHORT_S : 3600) }) });
  const refreshed = eventUnlessLost(client, 'token-refreshed');
  await client.connect();
  const { expiresAt } = await refreshed;
  assert.ok(Math.abs(expiresAt - Date.now() - 3_600_000) < 10_000);
  assert.equal(asked, 2);
});

test('a token of somebody else is refused, and that is told', LIMIT, async (t) => {
  const server = await RealServer.start(t);
  let asked = 0;
  const client = server.client('ann', { auth: () => ({ token: ++asked === 1 ? server.token('ann', SHORT_S) : server.token('bob') }) });
  const failed = eventUnlessLost(client, 'refresh-failed');
  await client.connect();
  assert.equal((await failed).error.code, 'access-denied');
});

test('refusals have their code and are final', LIMIT, async (t) => {
  const server = await RealServer.start(t);
  const without = server.client('ann', { auth: {} });
  await assert.rejects(without.connect(), { code: 'authentication-required', message: 'Authentication required' });
  assert.equal(without.state, 'closed');
  const bad = server.client('ann', { auth: { token: 'no.token.atall' } });
  await assert.rejects(bad.connect(), { code: 'authentication-failed', message: /^Authentication failed/ });
});

test('who is in a room is known without asking', LIMIT, async (t) => {
  const server = await RealServer.start(t);
  const [ann, bob] = [await server.client('ann').connect(), await server.client('bob').connect()];
  const room = ann.room('lobby');
  const seen = () => room.members.map(({ userId, status }) => `${userId} ${status}`).sort().join();
  await room.join();
  await bob.join('lobby');
  await until(() => seen() === 'ann online,bob online', seen);
  await bob.updateStatus('busy');
  await until(() => seen() === 'ann online,bob busy', seen);
  assert.equal(room.memberCount, 2);
  await bob.leave('lobby');
  await until(() => seen() === 'ann online', seen);
  assert.equal(room.memberCount, 1);
});

test('private messages wait until a handler saw them, and come once', LIMIT, async (t) => {
  const server = await RealServer.start(t);
  const ann = await server.client('ann').connect();
  const cable = await Cable.to(t, server);
  for (const content of ['one', 'two']) await ann.sendPrivate('bob', content);
  const deaf = await server.client('bob').connect();
  await deaf.ping(); // what was pending came before
  deaf.close();

  const told = [];
  const bob = server.client('bob', { via: cable });
  bob.on('private-message', ({ content }) => told.push(content));
  await bob.connect();
  await until(() => told.length === 2, () => `that bob has ${told}`);
  await bob.ping(); // the acknowledgement went before
  const connected = event(bob, 'connected');
  cable.cut();
  await connected;
  assert.equal((await ann.sendPrivate('bob', 'three')).delivered, true);
  await until(() => told.length > 2, () => `that bob has ${told}`);
  assert.deepEqual(told, ['one', 'two', 'three']);
});

test('a private message and its acknowledgement that are cut at every byte', LIMIT, async (t) => {
  const server = await RealServer.start(t);
  const ann = await server.client('ann').connect();
  const cable = await Cable.to(t, server);
  const told = [];
  const bob = server.client('bob', { via: cable });
  bob.on('private-message', ({ content }) => told.push(content));
  await bob.connect();
  const expected = [];
  for (const direction of ['up', 'down']) {
    for (let bytes = 0; bytes < 60; ++bytes) {
      cable.cutAfter(direction, direction === 'up' ? bytes % 40 : bytes * 5);
      const content = `${direction} ${bytes}`;
      expected.push(content);
      await ann.sendPrivate('bob', content);
      await until(() => told.length >= expected.length, () => `that bob has ${content}`);
    }
  }
  await ann.sendPrivate('bob', 'last');
  await until(() => told.includes('last'), 'the last one');
  assert.deepEqual(told, [...expected, 'last']);
});
