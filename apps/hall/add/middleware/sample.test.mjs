// The middleware `sample`: which events it lets through. It is src/middleware/sample.cpp.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

behaviour('sample refuses an event whose fields say so', async ({ connect }) => {
  const alice = await connect('alice');
  await assert.rejects(alice.ask('no-such-event', { refuse: true }), { code: 'access-denied' });
});

behaviour('sample lets every other event through', async ({ connect }) => {
  const alice = await connect('alice');
  // It has come as far as where nobody knows it.
  await assert.rejects(alice.ask('no-such-event', { refuse: false }), { code: 'unknown-event' });
  await assert.rejects(alice.ask('no-such-event'), { code: 'unknown-event' });
});
