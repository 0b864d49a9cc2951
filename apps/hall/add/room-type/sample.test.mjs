// The room type `sample`: what may be written in rooms whose names begin with sample-. It is src/rooms/sample.cpp.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

behaviour('a sample room takes messages of up to 100 bytes', async ({ connect }) => {
  const alice = await connect('alice');
  await alice.ask('join-room', { roomId: 'sample-1' });
  await alice.ask('message', { roomId: 'sample-1', content: 'x'.repeat(100) });
  await assert.rejects(alice.ask('message', { roomId: 'sample-1', content: 'x'.repeat(101) }), { code: 'too-large' });
});

behaviour('other rooms are not of the type sample', async ({ connect }) => {
  const alice = await connect('alice');
  await alice.ask('join-room', { roomId: 'lobby' });
  await alice.ask('message', { roomId: 'lobby', content: 'x'.repeat(101) });
});
