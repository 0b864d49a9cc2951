// What was said in a room can be read page by page.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

const lobby = { roomId: 'lobby' };

behaviour('history goes back and forth in pages', async ({ connect }) => {
  const alice = await connect('alice');
  await alice.ask('join-room', lobby);
  for (let i = 1; i <= 7; ++i) await alice.ask('message', { ...lobby, content: `message ${i}` });
  const page = async (bounds) => {
    const { messages, hasMore } = await alice.ask('history', { ...lobby, ...bounds });
    return [messages.map(({ seq }) => seq), hasMore];
  };
  assert.deepEqual(await page({ limit: 3 }), [[5, 6, 7], true]);
  assert.deepEqual(await page({ before: 5, limit: 3 }), [[2, 3, 4], true]);
  assert.deepEqual(await page({ before: 2, limit: 3 }), [[1], false]);
  assert.deepEqual(await page({ after: 5, limit: 3 }), [[6, 7], false]);
});

behaviour('a deleted message keeps its place without its content', async ({ connect }) => {
  const alice = await connect('alice');
  await alice.ask('join-room', lobby);
  const { messageId } = await alice.ask('message', { ...lobby, content: 'a mistake' });
  await alice.ask('delete-message', { ...lobby, messageId });
  const { messages: [message] } = await alice.ask('history', lobby);
  assert.deepEqual([message.id, message.deleted, message.content], [messageId, true, null]);
});

behaviour('history is for who is in the room', async ({ connect }) => {
  const bob = await connect('bob');
  await assert.rejects(bob.ask('history', lobby), { code: 'not-in-room' });
});
