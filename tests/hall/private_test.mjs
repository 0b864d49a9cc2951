// Private messages over every protocol: to all devices of both, waiting for who is away, until somebody there
// has said that it arrived or was read.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {fresh, hear, heard, isId, isTime, matches} from './support/shapes.mjs';

let hall;
before(async () => {
  hall = await Hall.start({privateMessages: {maxPending: 5, maxPendingBytes: 1000}});
});
after(() => hall.stop());

const messageOf = (from, to, content, over = {}) => ({
  id: isId,
  fromUserId: from.user,
  fromUser: {name: from.user},
  toUserId: to.user ?? to,
  content,
  timestamp: isTime,
  read: false,
  ...over
});

for (const protocol of PROTOCOLS) {
  describe(`private messages over ${protocol}`, () => {
    const open = (name, over = protocol, options = {}) => hall.open(fresh(name), over, options);
    const read = (client, messageIds) => client.must('mark-read', {messageIds});
    /**
     * Waits until what the client has acknowledged is stored: its answers are there, and this comes behind.
     */
    const stored = async (client) => {
      await client.settle();
      await read(client, []);
    };

    it('to every connection of the target and the sender\'s other ones, behind the answer', async () => {
      const [ann, bob, stranger] = [await open('ann'), await open('bob', 'native'), await open('cid')];
      const devices = [bob, await hall.open(bob.user, 'socketio'), await hall.open(bob.user, 'msgpack')];
      const other = await hall.open(ann.user, 'socketio');
      const answer = await ann.must('private-message', {targetUserId: bob.user, content: 'psst'});
      matches(answer, {success: true, messageId: isId, delivered: true, timestamp: isTime});
      const event = [
        'private-message', messageOf(ann, bob, 'psst', {id: answer.messageId, timestamp: answer.timestamp})
      ];
      await hear(...devices.map((client) => [client, [event]]), [other, [event]], [ann, []], [stranger, []]);
      await ann.must('private-message', {targetUserId: bob.user, content: 'typed', type: 'note'});
      matches(await bob.take('private-message'), messageOf(ann, bob, 'typed', {type: 'note'}));
      const reserved = await ann.fails(
          'invalid-format', 'private-message', {targetUserId: bob.user, content: 'x', type: 'file'});
      assert.match(reserved.error, /type/);
    });

    it('to oneself: every connection gets it once', async () => {
      const ann = await open('ann');
      const device = await hall.open(ann.user, 'socketio');
      matches(
          await ann.must('private-message', {targetUserId: ann.user, content: 'note'}),
          {success: true, messageId: isId, delivered: true, timestamp: isTime});
      const event = ['private-message', messageOf(ann, ann, 'note')];
      await hear([ann, [event]], [device, [event]]);
    });

    it('nobody there: it waits, and the first connection gets all of it in order, once', async () => {
      const [ann, target] = [await open('ann'), fresh('bob')];
      const ids = [];
      for (const content of ['one', 'two', 'three']) {
        const answer = await ann.must('private-message', {targetUserId: target, content});
        assert.equal(answer.delivered, false);
        ids.push(answer.messageId);
      }
      const bob = await hall.open(target, protocol);
      matches(
          await bob.take('pending-messages'),
          ['one', 'two', 'three'].map((content, at) => messageOf(ann, target, content, {id: ids[at]})));
      await stored(bob);
      const later = await hall.open(target, protocol);
      await hear([later, []], [bob, []]);
    });

    it('promise 5: it stays pending until it was acknowledged, and comes again with the same id',
       async () => {
         const ann = await open('ann');
         const mute = await open('bob', protocol, {acknowledges: false});
         const {messageId, delivered} =
             await ann.must('private-message', {targetUserId: mute.user, content: 'x'});
         assert.equal(delivered, true);
         assert.equal((await mute.take('private-message')).id, messageId);
         const again = await hall.open(mute.user, protocol, {acknowledges: false});
         assert.deepEqual((await again.take('pending-messages')).map(({id}) => id), [messageId]);
         const third = await hall.open(mute.user, protocol);  // this one acknowledges
         assert.deepEqual((await third.take('pending-messages')).map(({id}) => id), [messageId]);
         await stored(third);
         await hear([await hall.open(mute.user, protocol), []]);
       });

    it('promise 5: mark-read settles it too, and tells the sender on every device', async () => {
      const ann = await open('ann');
      const device = await hall.open(ann.user, 'socketio');
      const mute = await open('bob', protocol, {acknowledges: false});
      const {messageId} = await ann.must('private-message', {targetUserId: mute.user, content: 'x'});
      await heard(ann, device);
      matches(await read(mute, [messageId, messageId, 'nothing']), {success: true, count: 1});
      const event = ['message-read', {messageIds: [messageId], userId: mute.user, timestamp: isTime}];
      await hear([ann, [event]], [device, [event]]);
      matches(await read(mute, [messageId]), {success: true, count: 0});
      await hear([ann, []]);
      await hear([await hall.open(mute.user, protocol), []]);
    });

    it('mark-read: each sender hears of its own; others\' messages are nobody\'s to read', async () => {
      const [ann, bob, cid] = [await open('ann'), await open('bob'), await open('cid')];
      const send = async (client, content) =>
          (await client.must('private-message', {targetUserId: cid.user, content})).messageId;
      const [a1, b1, a2] = [await send(ann, '1'), await send(bob, '2'), await send(ann, '3')];
      matches(await read(bob, [a1, a2, b1]), {success: true, count: 0});
      await hear([ann, []]);
      matches(await read(cid, [a2, b1, a1]), {success: true, count: 3});
      await hear(
          [ann, [['message-read', {messageIds: [a1, a2], userId: cid.user, timestamp: isTime}]]],
          [bob, [['message-read', {messageIds: [b1], userId: cid.user, timestamp: isTime}]]]);
      matches(await read(cid, []), {success: true, count: 0});
    });

    it('promise 3: the same key is stored and delivered once', async () => {
      const [ann, bob] = [await open('ann'), await open('bob')];
      const device = await hall.open(ann.user, 'socketio');
      const sent = {targetUserId: bob.user, content: 'once', clientMessageId: fresh('key')};
      const all =
          await Promise.all([ann, device, ann, device].map((client) => client.must('private-message', sent)));
      const [first] = all.filter(({duplicate}) => !duplicate);
      for (const answer of all) {
        if (answer !== first) matches(answer, {...first, duplicate: true});
      }
      assert.equal(all.filter(({duplicate}) => duplicate).length, 3);
      await hear([bob, [['private-message', messageOf(ann, bob, 'once', {id: first.messageId})]]]);
      for (const change of [{content: 'other'}, {targetUserId: ann.user}]) {
        const refused = await ann.fails('conflict', 'private-message', {...sent, ...change});
        assert.match(refused.error, /clientMessageId/);
      }
      const roomId = fresh('r');
      await ann.join(roomId);
      await ann.fails(
          'conflict', 'message', {roomId, content: 'once', clientMessageId: sent.clientMessageId});
    });

    it('what waits for one user is bounded in number and bytes; nothing of a refused one stays', async () => {
      const [ann, many, much] = [await open('ann'), fresh('many'), fresh('much')];
      const send = (targetUserId, content) => ann.ask('private-message', {targetUserId, content});
      for (let i = 1; i <= 5; ++i) assert.equal((await send(many, `${i}`)).success, true);
      const refused = await ann.fails('limit-reached', 'private-message', {targetUserId: many, content: '6'});
      assert.match(refused.error, /waits/);
      const bob = await hall.open(many, protocol);
      assert.deepEqual(
          (await bob.take('pending-messages')).map(({content}) => content), ['1', '2', '3', '4', '5']);
      await stored(bob);
      assert.equal((await send(many, '6')).success, true);
      assert.equal((await send(much, 'x'.repeat(600))).success, true);
      await ann.fails('limit-reached', 'private-message', {targetUserId: much, content: 'x'.repeat(401)});
      assert.equal((await send(much, 'x'.repeat(400))).success, true);
      await ann.fails('limit-reached', 'private-message', {targetUserId: much, content: 'x'});
    });
  });
}

describe('private messages', () => {
  it('that wait come a hundred at a time; what was not acknowledged of them waits on', async () => {
    const own = await Hall.start();
    try {
      const ann = await own.open('ann');
      const answers = await Promise.all(Array.from(
          {length: 250}, (_, n) => ann.must('private-message', {targetUserId: 'bob', content: `${n}`})));
      const mute = await own.open('bob', 'native', {acknowledges: false});
      const lists = [
        await mute.take('pending-messages'), await mute.take('pending-messages'),
        await mute.take('pending-messages')
      ];
      assert.deepEqual(lists.map(({length}) => length), [100, 100, 50]);
      assert.deepEqual(lists.flat().map(({id}) => id), answers.map(({messageId}) => messageId));
      await mute.must('mark-read', {messageIds: lists[1].map(({id}) => id)});
      const next = await own.open('bob', 'socketio');
      const rest = [...await next.take('pending-messages'), ...await next.take('pending-messages')];
      assert.deepEqual(
          rest.map(({content}) => content), [...lists[0], ...lists[2]].map(({content}) => content));
    } finally {
      await own.stop();
    }
  });
});
