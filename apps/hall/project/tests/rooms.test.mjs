// Rooms: coming and going, messages, broadcasts, and who may do what.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

const lobby = { roomId: 'lobby' };

behaviour('who joins is told who is there, and they are told who came', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  await alice.ask('join-room', lobby);
  const { members } = await bob.ask('join-room', lobby);
  assert.deepEqual(members.map(({ userId }) => userId).sort(), ['alice', 'bob']);
  assert.equal((await alice.next('user-joined')).userId, 'bob');
  await bob.ask('leave-room', lobby);
  assert.equal((await alice.next('user-left')).userId, 'bob');
});

behaviour('a message reaches everybody in the room, and the sender', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  const { messageId, seq } = await alice.ask('message', { ...lobby, content: 'hello' });
  for (const client of [alice, bob]) {
    const message = await client.next('new-message');
    assert.deepEqual([message.id, message.seq, message.userId, message.content], [messageId, seq, 'alice', 'hello']);
  }
});

behaviour('who is not in the room can neither send nor hear', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  await alice.ask('join-room', lobby);
  await assert.rejects(bob.ask('message', { ...lobby, content: 'hello' }), { code: 'not-in-room' });
  await alice.ask('message', { ...lobby, content: 'a secret' });
  await bob.ask('join-room', lobby); // whatever was told before is here now
  assert.deepEqual(bob.all('new-message'), []);
});

behaviour('who joins later is given the newest messages', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  await alice.ask('join-room', lobby);
  for (const content of ['one', 'two']) await alice.ask('message', { ...lobby, content });
  const { recentMessages } = await bob.ask('join-room', lobby);
  assert.deepEqual(recentMessages.map(({ content }) => content), ['one', 'two']);
});

behaviour('a broadcast reaches the others, and is not kept', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  const { delivered } = await alice.ask('broadcast', { room: 'lobby', data: { x: 1, y: 2 } });
  assert.equal(delivered, 1);
  const { room, data, from } = await bob.next('broadcast');
  assert.deepEqual([room, data, from], ['lobby', { x: 1, y: 2 }, 'alice']);
  assert.deepEqual(alice.all('broadcast'), [], 'not to who sent it');
  assert.deepEqual((await bob.ask('join-room', lobby)).recentMessages, []);
});

behaviour('a message is changed and deleted by who wrote it', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  const { messageId } = await alice.ask('message', { ...lobby, content: 'helo' });
  await assert.rejects(bob.ask('edit-message', { ...lobby, messageId, content: 'mine' }), { code: 'access-denied' });
  await alice.ask('edit-message', { ...lobby, messageId, content: 'hello' });
  assert.equal((await bob.next('message-edited')).content, 'hello');
  await alice.ask('delete-message', { ...lobby, messageId });
  assert.equal((await bob.next('message-deleted')).id, messageId);
});

behaviour('who creates a room owns it, and may put others out', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  await alice.ask('create-room', lobby);
  assert.equal((await alice.ask('join-room', lobby)).room.role, 'owner');
  await alice.ask('invite', { ...lobby, userId: 'bob' });
  assert.equal((await bob.next('room-invited')).byUserId, 'alice');
  await bob.ask('join-room', lobby);
  await assert.rejects(bob.ask('kick', { ...lobby, userId: 'alice' }), { code: 'access-denied' });
  await alice.ask('set-role', { ...lobby, userId: 'bob', role: 'moderator' });
  assert.equal((await bob.next('role-changed')).role, 'moderator');
  await alice.ask('kick', { ...lobby, userId: 'bob' });
  assert.equal((await bob.next('room-kicked')).byUserId, 'alice');
  await assert.rejects(bob.ask('message', { ...lobby, content: 'still here?' }), { code: 'not-in-room' });
});
