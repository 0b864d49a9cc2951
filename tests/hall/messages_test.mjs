// Messages of rooms over every protocol: said, changed, deleted, read, and read again; what is only passed
// on; who types. Each event is checked to the last field, for who gets it and who does not.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {fresh, hear, heard, isEpoch, isId, isTime, matches, messageOf, userOf} from './support/shapes.mjs';

const TYPING_MS = 250;
let hall;
before(async () => {
  hall = await Hall.start({typingTimeout: TYPING_MS});
});
after(() => hall.stop());

const seqsOf = (messages) => messages.map(({seq}) => seq);
const range = (from, to) => Array.from({length: to - from + 1}, (_, i) => from + i);

for (const protocol of PROTOCOLS) {
  describe(`messages over ${protocol}`, () => {
    const open = (name, over = protocol) => hall.open(fresh(name), over);
    /** ann, another device of hers, somebody on each protocol, all in a room; and a stranger. */
    const scene = async () => {
      const roomId = fresh('r');
      const ann = await open('ann');
      await ann.join(roomId);
      const device = await hall.open(ann.user, 'socketio');
      const others = [];
      for (const over of PROTOCOLS) {
        others.push(await open('other', over));
        await others.at(-1).join(roomId);
      }
      const stranger = await open('stranger');
      const all = [ann, device, ...others];
      await heard(...all, stranger);
      return {roomId, ann, device, others, stranger, all};
    };
    /** All of `clients` hear the event alike, and the rest nothing. */
    const hearAlike = (clients, name, payload, silent = []) => hear(
        ...clients.map((client) => [client, [[name, payload]]]), ...silent.map((client) => [client, []]));

    it('message: everybody in the room gets it, the sender too, behind the answer', async () => {
      const {roomId, ann, stranger, all} = await scene();
      const ack = await ann.must('message', {roomId, content: 'hello'});
      const message = await ann.take('new-message');
      matches(ack, {success: true, messageId: isId, timestamp: isTime, seq: 1});
      assert.deepEqual(ann.arrivals.slice(-2), ['answer to message', 'new-message']);
      const wanted = messageOf(ann, roomId, 1, 'hello', {id: ack.messageId, timestamp: ack.timestamp});
      matches(message, wanted);
      await hearAlike(all.slice(1), 'new-message', wanted, [stranger, ann]);
    });

    it('message: `type`, `replyTo` and the key of the client', async () => {
      const {roomId, ann, others: [bob]} = await scene();
      const {messageId} = await ann.must('message', {roomId, content: 'first', type: 'note'});
      matches(await bob.take('new-message'), messageOf(ann, roomId, 1, 'first', {type: 'note'}));
      await ann.must('message', {roomId, content: 'second', replyTo: messageId, clientMessageId: 'k'});
      matches(await bob.take('new-message'), messageOf(ann, roomId, 2, 'second', {replyTo: messageId}));
      const missing = await ann.fails('not-found', 'message', {roomId, content: 'x', replyTo: 'nothing'});
      assert.match(missing.error, /replyTo/);
      const elsewhere = fresh('r');
      await ann.join(elsewhere);
      await ann.fails('not-found', 'message', {roomId: elsewhere, content: 'x', replyTo: messageId});
      const reserved = await ann.fails('invalid-format', 'message', {roomId, content: 'x', type: 'file'});
      assert.match(reserved.error, /type/);
      assert.deepEqual(seqsOf((await ann.must('history', {roomId})).messages), [1, 2]);
    });

    it('message: the same key is stored and told once; with another content or room it is a conflict',
       async () => {
         const {roomId, ann, device, others: [bob]} = await scene();
         const [elsewhere, sent] = [fresh('r'), {roomId, content: 'once', clientMessageId: fresh('key')}];
         await ann.join(elsewhere);
         await heard(ann);
         const all =
             await Promise.all([ann, device, ann, device, ann].map((client) => client.must('message', sent)));
         const [first] = all.filter((answer) => !answer.duplicate);
         matches(first, {success: true, messageId: isId, timestamp: isTime, seq: 1});
         assert.equal(all.filter((answer) => answer.duplicate).length, 4);
         for (const answer of all.filter((one) => one.duplicate))
           matches(answer, {...first, duplicate: true});
         await hearAlike([ann, device, bob], 'new-message', messageOf(ann, roomId, 1, 'once'));
         for (const change of [{content: 'other'}, {roomId: elsewhere}, {type: 'note'}]) {
           const refused = await ann.fails('conflict', 'message', {...sent, ...change});
           assert.match(refused.error, /clientMessageId/);
         }
         matches(
             await bob.must('message', sent), {success: true, messageId: isId, timestamp: isTime, seq: 2});
         await ann.must('edit-message', {roomId, messageId: first.messageId, content: 'edited'});
         matches(await ann.must('message', sent), {...first, duplicate: true});
         await ann.must('delete-message', {roomId, messageId: first.messageId});
         matches(await ann.must('message', sent), {...first, duplicate: true});
       });

    it('edit-message: by the author alone', async () => {
      const {roomId, ann, device, others, stranger, all} = await scene();
      const {messageId} = await ann.must('message', {roomId, content: 'a'});
      await heard(...all);
      matches(
          await device.must('edit-message', {roomId, messageId, content: 'b'}),
          {success: true, timestamp: isTime});
      await hearAlike(
          all, 'message-edited', {roomId, id: messageId, seq: 1, content: 'b', timestamp: isTime},
          [stranger]);
      await others[0].fails('access-denied', 'edit-message', {roomId, messageId, content: 'c'});
      await stranger.fails('not-in-room', 'edit-message', {roomId, messageId, content: 'c'});
      await ann.fails('not-found', 'edit-message', {roomId, messageId: 'nothing', content: 'c'});
      matches(
          (await ann.must('history', {roomId})).messages, [messageOf(ann, roomId, 1, 'b', {edited: true})]);
    });

    it('delete-message: by the author, moderators and owners; what is left has no content', async () => {
      const {ann, others: [bob, cid], stranger} = await scene();
      const roomId = fresh('created');
      await ann.must('create-room', {roomId});
      for (const client of [ann, bob, cid]) await client.join(roomId);
      const post = async (client) => (await client.must('message', {roomId, content: 'x'})).messageId;
      const [ofAnn, ofBob, ofCid] = [await post(ann), await post(bob), await post(cid)];
      await heard(ann, bob, cid);
      await bob.fails('access-denied', 'delete-message', {roomId, messageId: ofCid});
      await stranger.fails('not-in-room', 'delete-message', {roomId, messageId: ofCid});
      await ann.must('set-role', {roomId, userId: bob.user, role: 'moderator'});
      await heard(ann, bob, cid);
      matches(
          await bob.must('delete-message', {roomId, messageId: ofCid}), {success: true, timestamp: isTime});
      await hearAlike(
          [ann, bob, cid], 'message-deleted', {roomId, id: ofCid, seq: 3, timestamp: isTime}, [stranger]);
      await ann.fails('access-denied', 'edit-message', {roomId, messageId: ofBob, content: 'y'});
      await ann.must('delete-message', {roomId, messageId: ofBob});
      await ann.must('delete-message', {roomId, messageId: ofAnn});
      for (const event of ['edit-message', 'delete-message'])
        await cid.fails('not-found', event, {roomId, messageId: ofCid, content: 'y'});
      const gone = {content: null, deleted: true};
      const left = [
        messageOf(ann, roomId, 1, null, gone), messageOf(bob, roomId, 2, null, gone),
        messageOf(cid, roomId, 3, null, gone)
      ];
      matches((await ann.must('history', {roomId})).messages, left);
      matches((await ann.join(roomId)).recentMessages, left);
      await cid.must('message', {roomId, content: 'about that', replyTo: ofCid});
    });

    it('history: pages in both directions; bounds are exclusive, lists ascend', async () => {
      const {roomId, ann, others: [bob], stranger} = await scene();
      matches(
          await ann.must('history', {roomId}),
          {success: true, messages: [], hasMore: false, oldestSeq: 0, epoch: isEpoch});
      await Promise.all(range(1, 60).map((n) => ann.must('message', {roomId, content: `${n}`})));
      const page = async (bounds) => {
        const answer = await bob.must('history', {roomId, ...bounds});
        assert.equal(answer.oldestSeq, answer.messages[0]?.seq ?? 0);
        const seqs = seqsOf(answer.messages);
        assert.deepEqual(seqs, seqs.length ? range(seqs[0], seqs.at(-1)) : []);
        return [seqs[0] ?? 0, seqs.at(-1) ?? 0, answer.hasMore];
      };
      assert.deepEqual(await page({}), [11, 60, true], 'the newest fifty');
      assert.deepEqual(await page({limit: 60}), [1, 60, false]);
      assert.deepEqual(await page({limit: 59}), [2, 60, true]);
      assert.deepEqual(await page({limit: 200}), [1, 60, false]);
      assert.deepEqual(await page({before: 11, limit: 4}), [7, 10, true]);
      assert.deepEqual(await page({before: 5, limit: 4}), [1, 4, false]);
      assert.deepEqual(await page({before: 1}), [0, 0, false]);
      assert.deepEqual(await page({before: 0}), [0, 0, false]);
      assert.deepEqual(await page({after: 0, limit: 3}), [1, 3, true]);
      assert.deepEqual(await page({after: 57, limit: 3}), [58, 60, false]);
      assert.deepEqual(await page({after: 60}), [0, 0, false]);
      assert.deepEqual(await page({after: 2 ** 53}), [0, 0, false]);
      assert.deepEqual(await page({before: 2 ** 53, limit: 1}), [60, 60, true]);
      assert.deepEqual(await page({after: 10, before: 14}), [11, 13, false]);
      assert.deepEqual(await page({after: 10, before: 14, limit: 2}), [11, 12, true]);
      assert.deepEqual(await page({after: 14, before: 10}), [0, 0, false]);
      for (const limit of [0, 201, 1e9]) {
        const refused = await bob.fails('invalid-format', 'history', {roomId, limit});
        assert.match(refused.error, /limit/);
      }
      await stranger.fails('not-in-room', 'history', {roomId});
      const joined = await stranger.join(roomId);
      assert.deepEqual(seqsOf(joined.recentMessages), range(11, 60));
      assert.equal(joined.seq, 60);
    });

    it('mark-read: how far somebody has read is told to the room when it moves', async () => {
      const {roomId, ann, others: [bob], stranger, all} = await scene();
      for (let i = 0; i < 3; ++i) await ann.must('message', {roomId, content: 'x'});
      await heard(...all);
      const receipt = (upTo) => ({roomId, userId: bob.user, upTo, timestamp: isTime});
      matches(await bob.must('mark-read', {roomId, upTo: 2}), {success: true, count: 2});
      await hearAlike(all, 'read-receipt', receipt(2), [stranger]);
      for (const upTo of [0, 1, 2])
        matches(await bob.must('mark-read', {roomId, upTo}), {success: true, count: 0});
      await hear(...all.map((client) => [client, []]));
      matches(await bob.must('mark-read', {roomId, upTo: 2 ** 53}), {success: true, count: 1});
      await hearAlike(all, 'read-receipt', receipt(3), [stranger]);
      await stranger.fails('not-in-room', 'mark-read', {roomId, upTo: 1});
      const created = fresh('created');
      await ann.must('create-room', {roomId: created});
      await ann.join(created);
      await ann.must('message', {roomId: created, content: 'x'});
      await ann.must('mark-read', {roomId: created, upTo: 1});
      assert.equal((await ann.join(created)).room.readUpTo, 1);
    });

    it('broadcast: everybody else in the room, the sender\'s other devices too; not stored', async () => {
      const {roomId, ann, stranger, all} = await scene();
      for (const data of [{a: [1, null, 'x']}, 'text', 7, null, [1, 2], {bytes: Buffer.from([0, 255, 1])}]) {
        matches(
            await ann.must('broadcast', {room: roomId, data}), {success: true, delivered: all.length - 1});
        await hearAlike(all.slice(1), 'broadcast', {room: roomId, data, from: ann.user}, [ann, stranger]);
      }
      matches(await ann.must('broadcast', {roomId}), {success: true, delivered: all.length - 1});
      await hearAlike(all.slice(1), 'broadcast', {room: roomId, data: null, from: ann.user});
      await stranger.fails('not-in-room', 'broadcast', {room: roomId, data: 1});
      assert.deepEqual((await ann.must('history', {roomId})).messages, []);
    });

    it('typing: told once, and so is its end: by itself, by event, by leaving', async () => {
      const {roomId, ann, device, others, stranger, all} = await scene();
      const begins = {...userOf(ann), roomId, timestamp: isTime};
      const ends = {userId: ann.user, roomId, timestamp: isTime};
      const rest = all.slice(1);
      matches(await ann.must('typing', {roomId}), {success: true});
      await hearAlike(rest, 'user-typing', begins, [ann, stranger]);
      const beginning = Date.now();
      await ann.must('typing', {roomId});
      for (const client of rest) matches(await client.take('user-stopped-typing'), ends);
      assert.ok(Date.now() - beginning >= TYPING_MS - 20, 'the time begins anew with the last one');
      await ann.must('stop-typing', {roomId});
      await hear(...all.map((client) => [client, []]));
      await ann.must('typing', {roomId});
      matches(await device.must('stop-typing', {roomId}), {success: true});
      await hear(
          ...others.map((client) => [client, [['user-typing', begins], ['user-stopped-typing', ends]]]));
      await device.must('leave-room', {roomId});
      await heard(...all);
      await ann.must('typing', {roomId});
      await ann.must('leave-room', {roomId});
      await hear(...others.map((client) => [client, [
                                 ['user-typing', begins], ['user-stopped-typing', ends], ['user-left', ends]
                               ]]));
      await stranger.fails('not-in-room', 'typing', {roomId});
    });

    it('promise 2: numbers have no holes, and everybody receives them in their order', async () => {
      const {roomId, ann, device, others, all} = await scene();
      const senders = [ann, device, ...others];
      const answers = await Promise.all(range(1, 100).flatMap(
          (n) => senders.map((client, at) => client.must('message', {roomId, content: `${at}/${n}`}))));
      const count = 100 * senders.length;
      assert.deepEqual(answers.map(({seq}) => seq).sort((a, b) => a - b), range(1, count));
      const [first, ...rest] = await Promise.all(all.map((client) => client.takeMany('new-message', count)));
      assert.deepEqual(seqsOf(first), range(1, count));
      for (const got of rest) assert.deepEqual(got, first);
      for (let at = 0; at < senders.length; ++at) {
        const own = first.filter(({content}) => content.startsWith(`${at}/`));
        assert.deepEqual(own.map(({content}) => content), range(1, 100).map((n) => `${at}/${n}`));
      }
    });
  });
}
