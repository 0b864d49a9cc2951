// The event `sample`: what it answers. The handler is src/handlers/sample.cpp.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

behaviour('sample answers with the fields it was sent, and who sent them', async ({ connect }) => {
  const alice = await connect('alice');
  const answer = await alice.ask('sample', { text: 'hi', count: 2 });
  assert.deepEqual(answer, { success: true, text: 'hi', count: 2, from: 'alice' });
});
