// Calls: the server carries what the two ends tell each other. What an offer says is their business.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

const offer = { type: 'offer', sdp: 'v=0' };
const answer = { type: 'answer', sdp: 'v=0' };

behaviour('offer, answer and candidates reach the other end, and the end of the call', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  const { callId, ringing } = await alice.ask('call-user', { targetUserId: 'bob', offer, media: 'video' });
  assert.equal(ringing, 1);
  const incoming = await bob.next('incoming-call');
  assert.deepEqual([incoming.callId, incoming.fromUserId, incoming.offer, incoming.media],
    [callId, 'alice', offer, 'video']);
  await bob.ask('call-answer', { callId, answer });
  assert.deepEqual((await alice.next('call-answered')).answer, answer);
  await bob.ask('ice-candidate', { callId, candidate: { candidate: 'a way to bob' } });
  assert.deepEqual((await alice.next('ice-candidate')).candidate, { candidate: 'a way to bob' });
  await alice.ask('call-end', { callId });
  assert.equal((await bob.next('call-ended')).reason, 'ended');
});

behaviour('a call is declined', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  const { callId } = await alice.ask('call-user', { targetUserId: 'bob', offer });
  await bob.ask('call-reject', { callId });
  assert.equal((await alice.next('call-rejected')).reason, 'rejected');
});

behaviour('nobody is there, or nobody answers', async ({ connect }) => {
  const alice = await connect('alice');
  assert.equal((await alice.ask('call-user', { targetUserId: 'bob', offer })).ringing, 0);
  assert.equal((await alice.next('call-missed')).reason, 'offline');
  const bob = await connect('bob');
  assert.equal((await alice.ask('call-user', { targetUserId: 'bob', offer })).ringing, 1);
  for (const client of [alice, bob]) assert.equal((await client.next('call-missed')).reason, 'no-answer');
}, { settings: { WIREHALL_CALLS__RING_TIMEOUT: '300' } });

behaviour('a call rings on every device, and is taken on one', async ({ connect }) => {
  const [alice, desk, phone] = [await connect('alice'), await connect('bob'), await connect('bob')];
  const { callId } = await alice.ask('call-user', { targetUserId: 'bob', offer });
  for (const device of [desk, phone]) await device.next('incoming-call');
  await phone.ask('call-answer', { callId, answer });
  assert.equal((await desk.next('call-taken')).callId, callId);
});
