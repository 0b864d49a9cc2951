// Who sends too much is told to wait; others are not held up.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

const settings = { WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE: '5' };

behaviour('the sixth event within a minute is refused', async ({ connect }) => {
  const alice = await connect('alice');
  const bob = await connect('bob');
  // Handled or not: whatever a client sends counts.
  for (let i = 0; i < 5; ++i) await assert.rejects(alice.ask('no-such-event'), { code: 'unknown-event' });
  await assert.rejects(alice.ask('no-such-event'), ({ code, retryAfter }) => {
    assert.equal(code, 'rate-limited');
    assert.ok(retryAfter > 0 && retryAfter <= 60_000, `milliseconds until the next one: ${retryAfter}`);
    return true;
  });
  await assert.rejects(bob.ask('no-such-event'), { code: 'unknown-event' });
}, { settings });

behaviour('a second connection of the same user has no allowance of its own', async ({ connect }) => {
  const desk = await connect('alice');
  const phone = await connect('alice');
  for (let i = 0; i < 5; ++i) await assert.rejects(desk.ask('no-such-event'), { code: 'unknown-event' });
  await assert.rejects(phone.ask('no-such-event'), { code: 'rate-limited' });
}, { settings });
