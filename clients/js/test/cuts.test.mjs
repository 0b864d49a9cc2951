// A message through a cable that breaks at every byte of it, and of its answer: it arrives once, in order, and is
// acknowledged once, also at somebody whose cable breaks as well.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Cable, RealServer, until } from './real_server.mjs';

const JOINS_MAX = 150; // of one user: the server counts them in a minute

/** Somebody who listens, and what was told. */
async function listener(server, user, room, via) {
  const client = await server.client(user, { via }).connect();
  const told = [];
  client.on('chat', ({ seq, content }) => told.push([seq, content]));
  client.on('rejoined', ({ recovered }) => assert.equal(recovered, true));
  await client.join(room);
  return { client, told };
}

/**
 * Sends messages while the sender's cable breaks after 0, 1, 2… bytes in one direction, until one goes through
 * without; meanwhile breaks the second listener's cable at all bytes of what it receives.
 */
async function cutAtEveryByte(t, direction) {
  const server = await RealServer.start(t);
  let cuts = 0;
  let isThrough = false;
  for (let part = 0; !isThrough; ++part) {
    const room = `room-${part}`;
    const cable = await Cable.to(t, server);
    const others = await Cable.to(t, server);
    const steady = await listener(server, `steady-${part}`, room);
    const shaky = await listener(server, `shaky-${part}`, room, others);
    const sender = await server.client(`sender-${part}`, { via: cable }).connect();
    const own = [];
    sender.on('chat', ({ seq, content }) => own.push([seq, content]));
    await sender.join(room);
    const expected = [];
    for (let i = 0; i < JOINS_MAX && !isThrough; ++i, ++cuts) {
      const content = `m${cuts}`;
      others.cutAfter('down', 1 + (cuts * 7) % 300);
      cable.cutAfter(direction, cuts);
      const before = cable.cuts;
      const answers = [];
      await sender.send(room, content).then((answer) => answers.push(answer.seq));
      expected.push([i + 1, content]);
      assert.deepEqual(answers, [i + 1], 'acknowledged once, with its place');
      await until(() => own.length > i && steady.told.length > i && shaky.told.length > i,
        () => `that all receive ${content}, cut ${direction} after ${cuts}`);
      isThrough = cable.cuts === before;
      cable.cutAfter(direction, Infinity);
    }
    // Whatever came twice would stand before this.
    await sender.send(room, 'last');
    expected.push([expected.length + 1, 'last']);
    for (const { told } of [steady, shaky, { told: own }]) {
      await until(() => told.length >= expected.length, 'that the last message arrives');
      assert.deepEqual(told, expected);
    }
    for (const { client } of [steady, shaky, { client: sender }]) client.close();
  }
  return cuts - 1;
}

test('a publish that is cut at every byte', { timeout: 60_000 }, async (t) => {
  const cuts = await cutAtEveryByte(t, 'up');
  t.diagnostic(`${cuts} cuts`);
  assert.ok(cuts > 60, `${cuts} bytes are no message`);
});

test('an acknowledgement that is cut at every byte, and the message behind it', { timeout: 60_000 }, async (t) => {
  const cuts = await cutAtEveryByte(t, 'down');
  t.diagnostic(`${cuts} cuts`);
  assert.ok(cuts > 100, `${cuts} bytes are no answer and message`);
});
