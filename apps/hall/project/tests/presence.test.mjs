// How people are: online, away, busy, gone.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

const lobby = { roomId: 'lobby' };

behaviour('a status is told to the room, and to who asks', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  await bob.ask('update-status', { status: 'busy' });
  const { userId, status } = await alice.next('presence-update');
  assert.deepEqual([userId, status], ['bob', 'busy']);
  const { users } = await alice.ask('presence', { userIds: ['bob', 'nobody'] });
  assert.deepEqual(users.map((user) => [user.userId, user.status]), [['bob', 'busy'], ['nobody', 'offline']]);
});

behaviour('who is invisible looks offline', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  await bob.ask('update-status', { status: 'invisible' });
  assert.equal((await alice.next('presence-update')).status, 'offline');
});

behaviour('who is lost is offline, and was seen last now', async ({ cable, connect, connectBy }) => {
  const wire = await cable();
  const [alice, bob] = [await connect('alice'), await connectBy(wire, 'bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  wire.cut();
  const { userId, status, lastSeen } = await alice.next('presence-update');
  assert.deepEqual([userId, status], ['bob', 'offline']);
  assert.ok(Math.abs(lastSeen - Date.now()) < 60_000, 'milliseconds since 1970');
  assert.deepEqual(alice.all('user-left'), [], 'he may come back');
  const { users } = await alice.ask('presence', { userIds: ['bob'] });
  assert.equal(users[0].connections, 0);
  wire.mend();
  assert.equal((await alice.next('presence-update')).status, 'online');
}, { settings: { WIREHALL_PRESENCE__GRACE_PERIOD: '100' } });
