// Messages from one user to another, who may be away.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';

behaviour('a private message reaches its target alone', async ({ connect }) => {
  const [alice, bob, carol] = [await connect('alice'), await connect('bob'), await connect('carol')];
  const { messageId, delivered } = await alice.ask('private-message', { targetUserId: 'bob', content: 'psst' });
  assert.equal(delivered, true);
  const message = await bob.next('private-message');
  assert.deepEqual([message.id, message.fromUserId, message.content], [messageId, 'alice', 'psst']);
  await assert.rejects(carol.ask('no-such-event'), { code: 'unknown-event' }); // all that was sent to her is here now
  assert.deepEqual(carol.all('private-message'), []);
});

behaviour('it waits for who is away', async ({ connect }) => {
  const alice = await connect('alice');
  const { messageId, delivered } = await alice.ask('private-message', { targetUserId: 'bob', content: 'for later' });
  assert.equal(delivered, false);
  const bob = await connect('bob');
  const { messages } = await bob.next('pending-messages');
  assert.deepEqual(messages.map(({ id, content }) => [id, content]), [[messageId, 'for later']]);
});

behaviour('the sender learns that it was read', async ({ connect }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  await alice.ask('private-message', { targetUserId: 'bob', content: 'read me' });
  const { id } = await bob.next('private-message');
  assert.equal((await bob.ask('mark-read', { messageIds: [id] })).count, 1);
  const { messageIds, userId } = await alice.next('message-read');
  assert.deepEqual([messageIds, userId], [[id], 'bob']);
});
