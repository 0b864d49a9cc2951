// A connection that is lost comes back by itself.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

behaviour('a client whose connection was cut is back as the same user', async ({ cable, connectBy }) => {
  const wire = await cable();
  const alice = await connectBy(wire, 'alice');
  await alice.next('connected');
  wire.cut();
  wire.mend();
  assert.equal((await alice.next('connected')).userId, 'alice');
  await assert.rejects(alice.ask('no-such-event'), { code: 'unknown-event' });
});
