// Connecting, and what the server says first.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

behaviour('who connects is told who they are', async ({ connect }) => {
  const alice = await connect('alice');
  const welcome = await alice.next('connected');
  assert.equal(welcome.userId, 'alice');
  assert.ok(Math.abs(welcome.serverTime - Date.now()) < 60_000, 'times are milliseconds since 1970');
});

behaviour('an event that nobody handles is answered, and the connection goes on', async ({ connect }) => {
  const alice = await connect('alice');
  await assert.rejects(alice.ask('no-such-event', { text: 'hi' }), { code: 'unknown-event' });
  await assert.rejects(alice.ask('no-such-event'), { code: 'unknown-event' });
});
