// Who is typing is told to the others, until they stop.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

const lobby = { roomId: 'lobby' };

behaviour('typing is told to the others, and that it stopped', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  await bob.ask('typing', lobby);
  assert.equal((await alice.next('user-typing')).userId, 'bob');
  await bob.ask('stop-typing', lobby);
  assert.equal((await alice.next('user-stopped-typing')).userId, 'bob');
  assert.deepEqual(bob.all('user-typing'), [], 'not to who types');
}, { settings: { WIREHALL_TYPING_TIMEOUT: '60000' } });

behaviour('who says nothing more has stopped', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  await bob.ask('typing', lobby);
  await alice.next('user-typing');
  assert.equal((await alice.next('user-stopped-typing')).userId, 'bob');
}, { settings: { WIREHALL_TYPING_TIMEOUT: '200' } });
