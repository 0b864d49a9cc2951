// What is said in a room while a client's connection is away reaches it all the same: once, and in order.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { behaviour } from './support/behaviour.mjs';

const say = (client, content) => client.ask('message', { roomId: 'lobby', content, clientMessageId: randomUUID() });

/** Waits for the message with this text. Returns: the texts of all messages up to it. */
async function heard(client, last) {
  const contents = [];
  while (contents.at(-1) !== last) contents.push((await client.next('new-message')).content);
  return contents;
}

behaviour('nothing is lost or told twice while a connection is away', async ({ cable, connect, connectBy }) => {
  const wire = await cable();
  const alice = await connectBy(wire, 'alice');
  const bob = await connect('bob');
  for (const client of [alice, bob]) await client.ask('join-room', { roomId: 'lobby' });

  await say(bob, 'before');
  assert.deepEqual(await heard(alice, 'before'), ['before']);
  wire.cut();
  for (const text of ['one', 'two', 'three']) await say(bob, text);
  wire.mend();
  assert.deepEqual(await heard(alice, 'three'), ['one', 'two', 'three']);
  await say(alice, 'back');
  assert.deepEqual(await heard(alice, 'back'), ['back']);
  assert.deepEqual(await heard(bob, 'back'), ['before', 'one', 'two', 'three', 'back']);
});

behaviour('a message that is sent twice is stored once', async ({ connect }) => {
  const alice = await connect('alice');
  await alice.ask('join-room', { roomId: 'lobby' });
  const message = { roomId: 'lobby', content: 'once', clientMessageId: randomUUID() };
  const first = await alice.ask('message', message);
  const second = await alice.ask('message', message);
  assert.equal(second.messageId, first.messageId);
  assert.equal(second.duplicate, true);
  await say(alice, 'end');
  assert.deepEqual(await heard(alice, 'end'), ['once', 'end']);
});
