// Rooms over every protocol: coming in, leaving, making them, inviting, expelling, roles. What the others
// hear is checked to the last field, and so is who hears nothing.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {fresh, hear, heard, isEpoch, isTime, matches, memberOf, userOf} from './support/shapes.mjs';

let hall;
before(async () => {
  hall = await Hall.start({
    rooms: {types: {small: {maxMembers: 2}, sealed: {access: 'token'}, club: {postFrom: 'member'}}},
  });
});
after(() => hall.stop());

const joinedEvent = (client, roomId) => ['user-joined', {...userOf(client), roomId, timestamp: isTime}];
const leftEvent = (client, roomId) => ['user-left', {userId: client.user, roomId, timestamp: isTime}];
/** Only native clients are told with an event, too. */
const told = (client, name, payload) => (client.protocol === 'socketio' ? [] : [[name, payload]]);

const by = (actor) => ({byUserId: actor.user, byUser: {name: actor.user}});
const about = (actor, target, roomId) => ({roomId, userId: target.user, ...by(actor), timestamp: isTime});

for (const protocol of PROTOCOLS) {
  describe(`rooms over ${protocol}`, () => {
    const open = (name, over = protocol, options = {}) => hall.open(fresh(name), over, options);
    /** Somebody on each protocol. */
    const audience = async (roomId) => {
      const clients = [];
      for (const over of PROTOCOLS) {
        clients.push(await open('other', over));
        await clients.at(-1).join(roomId);
      }
      await heard(...clients);
      return clients;
    };

    it('join-room: the answer is complete, the others hear it once, a stranger does not', async () => {
      const roomId = fresh('r');
      const ann = await open('ann');
      const first = await ann.join(roomId);
      matches(first, {
        success: true,
        room: {id: roomId},
        members: [memberOf(ann)],
        memberCount: 1,
        recentMessages: [],
        seq: 0,
        epoch: isEpoch
      });
      const [others, stranger] = [await audience(roomId), await open('stranger')];
      await heard(ann);
      const bob = await open('bob');
      const answer = await bob.join(roomId);
      matches(answer.members, [ann, ...others, bob].map((client) => memberOf(client)));
      assert.equal(answer.memberCount, 5);
      assert.equal(answer.epoch, first.epoch, 'the same stream');
      await hear(
          [bob, told(bob, 'joined', {roomId, members: answer.members})], [stranger, []],
          ...[ann, ...others].map((client) => [client, [joinedEvent(bob, roomId)]]));
      // Once more changes nothing and tells nobody.
      const again = await bob.join(roomId);
      matches(again, answer);
      await hear([bob, told(bob, 'joined', {roomId, members: answer.members})], [ann, []]);
    });

    it('join-room: `room` does for `roomId`, and since {seq, epoch} gives what was missed', async () => {
      const roomId = fresh('r');
      const ann = await open('ann');
      const {epoch} = await ann.must('join-room', protocol === 'socketio' ? {roomId} : {room: roomId});
      for (let i = 1; i <= 3; ++i) await ann.must('message', {room: roomId, content: `m${i}`});
      const bob = await open('bob');
      const since = (seq, of = epoch) => bob.join(roomId, {seq, epoch: of});
      const seqs = (answer) => [answer.recovered, answer.missed.map((message) => message.seq)];
      assert.deepEqual(seqs(await since(1)), [true, [2, 3]]);
      assert.deepEqual(seqs(await since(3)), [true, []]);
      assert.deepEqual(seqs(await since(0)), [true, [1, 2, 3]]);
      assert.deepEqual(seqs(await since(4)), [false, []], 'nobody was ever there');
      assert.deepEqual(seqs(await since(1, 'another')), [false, []], 'numbers of another stream');
    });

    it('join-room: another device of the same user makes no second user-joined', async () => {
      const roomId = fresh('r');
      const ann = await open('ann');
      const [other] = await audience(roomId);
      await ann.join(roomId);
      await heard(ann, other);
      const device = await hall.open(ann.user, 'socketio');
      assert.deepEqual(device.hello.rooms, [roomId], 'it is where its user is');
      await device.must('leave-room', {roomId});
      await hear([ann, []], [other, []]);
      assert.equal((await device.join(roomId)).memberCount, 4);
      await hear([ann, []], [other, []]);
    });

    it('leave-room: the last connection out is told, to who stays', async () => {
      const roomId = fresh('r');
      const ann = await open('ann');
      const others = await audience(roomId);
      await ann.join(roomId);
      const device = await hall.open(ann.user, protocol);
      await heard(ann, ...others);
      matches(await device.must('leave-room', {roomId}), {success: true});
      await hear(
          [ann, []], ...others.map((client) => [client, []]), [device, told(device, 'left', {roomId})]);
      matches(await ann.must('leave-room', {roomId}), {success: true});
      await hear(
          [ann, told(ann, 'left', {roomId})], ...others.map((client) => [client, [leftEvent(ann, roomId)]]));
      await ann.fails('not-in-room', 'leave-room', {roomId});
      await ann.fails('not-in-room', 'message', {roomId, content: 'x'});
    });

    it('leave-room: `join` and `leave` are native alone', async () => {
      const roomId = fresh('r');
      const ann = await open('ann');
      if (protocol === 'socketio') {
        await ann.fails('unknown-event', 'join', {roomId});
        await ann.fails('unknown-event', 'chat', {roomId, content: 'x'});
      } else {
        await ann.must('join', {roomId});
        await ann.must('chat', {roomId, content: 'x'});
        await ann.must('leave', {room: roomId});
      }
    });

    it('a disconnect leaves all rooms; the first connection back in them is a new arrival', async () => {
      const roomId = fresh('r');
      const [bob, ann] = [await open('bob'), await open('ann')];
      await bob.join(roomId);
      await ann.join(roomId);
      await heard(bob);
      await ann.leave();
      matches(await bob.take('user-left'), leftEvent(ann, roomId)[1]);
      const back = await hall.open(ann.user, protocol);
      assert.deepEqual(back.hello.rooms, [roomId]);
      await hear([bob, [joinedEvent(ann, roomId)]]);
    });

    it('create-room: whoever makes it owns it, once', async () => {
      const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('team')];
      const metadata = {x: 1, list: ['y']};
      const room = {
        id: roomId,
        type: 'team',
        role: 'owner',
        name: 'The team',
        metadata,
        createdBy: ann.user,
        createdAt: isTime,
        readUpTo: 0
      };
      matches(
          await ann.must('create-room', {roomId, type: 'team', name: 'The team', metadata}),
          {success: true, room});
      await ann.fails('conflict', 'create-room', {roomId});
      await bob.fails('conflict', 'create-room', {roomId, type: 'team'});
      matches((await ann.join(roomId)).room, room);
      const plain = fresh('plain');
      matches(
          (await ann.must('create-room', {roomId: plain})).room,
          {id: plain, role: 'owner', createdBy: ann.user, createdAt: isTime, readUpTo: 0});
      const used = fresh('used');
      await bob.join(used);
      await ann.fails('conflict', 'create-room', {roomId: used});
      await bob.must('message', {roomId: used, content: 'x'});
      await bob.must('leave-room', {roomId: used});
      await ann.fails('conflict', 'create-room', {roomId: used});
      const refused =
          await ann.fails('invalid-format', 'create-room', {roomId: fresh('r'), type: 'no such type'});
      assert.match(refused.error, /type/);
    });

    it('invite: only who was invited comes in; the user hears it on every device', async () => {
      const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('team')];
      const device = await hall.open(bob.user, 'socketio');
      await ann.must('create-room', {roomId, type: 'team'});
      await bob.fails('access-denied', 'join-room', {roomId});
      await ann.fails('not-in-room', 'invite', {roomId, userId: bob.user});
      await ann.join(roomId);
      await heard(ann);
      matches(await ann.must('invite', {roomId, userId: bob.user}), {success: true});
      const invited = ['room-invited', about(ann, bob, roomId)];
      await hear([bob, [invited]], [device, [invited]], [ann, []]);
      assert.equal((await bob.join(roomId)).room.role, 'member');
      await bob.fails('access-denied', 'invite', {roomId, userId: fresh('cid')});
      const cid = await open('cid');
      await ann.must('invite', {roomId, userId: cid.user, role: 'moderator'});
      matches(await cid.take('room-invited'), {...about(ann, cid, roomId), role: 'moderator'});
      assert.equal((await cid.join(roomId)).room.role, 'moderator');
      await cid.must('invite', {roomId, userId: fresh('dan')});
      await cid.fails('access-denied', 'invite', {roomId, userId: fresh('dan'), role: 'moderator'});
      await ann.fails('invalid-format', 'invite', {roomId, userId: 'x', role: 'king'});
    });

    it('invite: in a room that nobody created it is a message and nothing more', async () => {
      const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('r')];
      await ann.join(roomId);
      await ann.must('invite', {roomId, userId: bob.user});
      await hear([bob, [['room-invited', about(ann, bob, roomId)]]]);
      assert.equal((await bob.join(roomId)).room.role, undefined);
      await ann.must('message', {roomId, content: 'now it has a record'});
      await ann.must('invite', {roomId, userId: bob.user});
      await bob.must('leave-room', {roomId});
      assert.equal((await bob.join(roomId)).room.role, undefined);
      await ann.fails('access-denied', 'invite', {roomId, userId: bob.user, role: 'member'});
    });

    it('kick: out on all devices, not put back, and the others hear who left', async () => {
      const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('created')];
      await ann.must('create-room', {roomId});
      await ann.join(roomId);
      await bob.join(roomId);
      const device = await hall.open(bob.user, 'socketio');
      const [, other] = await audience(roomId);
      await heard(ann, bob, device, other);
      await bob.fails('access-denied', 'kick', {roomId, userId: ann.user});
      await ann.fails('access-denied', 'kick', {roomId, userId: ann.user});
      const missing = await ann.fails('not-found', 'kick', {roomId, userId: 'nobody'});
      assert.match(missing.error, /not in the room/);
      matches(await ann.must('kick', {roomId, userId: bob.user, reason: 'spam'}), {success: true});
      const kicked = ['room-kicked', {...about(ann, bob, roomId), reason: 'spam'}];
      await hear(
          [bob, [kicked]], [device, [kicked]], [ann, [leftEvent(bob, roomId)]],
          [other, [leftEvent(bob, roomId)]]);
      for (const client of [bob, device])
        await client.fails('not-in-room', 'message', {roomId, content: 'still here'});
      assert.deepEqual((await hall.open(bob.user, protocol)).hello.rooms, []);
      await bob.join(roomId);  // it is an open room, so by itself the user may come again
    });

    it('kick: one that is refused is heard by nobody', async () => {
      const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('created')];
      await ann.must('create-room', {roomId});
      await ann.join(roomId);
      await heard(ann, bob);
      await ann.fails('not-found', 'kick', {roomId, userId: bob.user, reason: 'was never there'});
      await hear([bob, []], [ann, []]);
    });

    it('kick: of somebody who is away and would be put back: it is done, or refused and nothing is',
       async () => {
         const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('created')];
         await ann.must('create-room', {roomId});
         for (const client of [ann, bob]) await client.join(roomId);
         await bob.leave();
         await ann.take('user-left');
         const answer = await ann.ask('kick', {roomId, userId: bob.user});
         const {rooms} = (await hall.open(bob.user, protocol)).hello;
         assert.deepEqual(rooms, answer.success ? [] : [roomId], JSON.stringify(answer));
       });

    it('kick: out of a room for who was invited there is no way back without another invitation',
       async () => {
         const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('team')];
         await ann.must('create-room', {roomId, type: 'team'});
         await ann.join(roomId);
         await ann.must('invite', {roomId, userId: bob.user});
         await bob.join(roomId);
         await ann.must('kick', {roomId, userId: bob.user});
         matches(await bob.take('room-kicked'), about(ann, bob, roomId));
         await bob.fails('access-denied', 'join-room', {roomId});
         await ann.must('invite', {roomId, userId: bob.user});
         await ann.must('kick', {roomId, userId: bob.user});  // takes the invitation back
         await bob.fails('access-denied', 'join-room', {roomId});
       });

    it('kick and set-role: in a room that nobody created nobody has a role', async () => {
      const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('r')];
      await ann.join(roomId);
      await bob.join(roomId);
      await ann.fails('access-denied', 'kick', {roomId, userId: bob.user});
      await ann.fails('access-denied', 'set-role', {roomId, userId: bob.user, role: 'member'});
    });

    it('set-role: everybody in the room hears it, and it counts at once', async () => {
      const [ann, bob, cid, roomId] =
          [await open('ann'), await open('bob'), await open('cid'), fresh('created')];
      await ann.must('create-room', {roomId});
      for (const client of [ann, bob, cid]) await client.join(roomId);
      await heard(ann, bob, cid);
      matches(
          await ann.must('set-role', {roomId, userId: bob.user, role: 'moderator'}),
          {success: true, role: 'moderator'});
      const changed = (target, role, actor = ann) =>
          ['role-changed', {roomId, userId: target.user, role, byUserId: actor.user, timestamp: isTime}];
      await hear(...[ann, bob, cid].map((client) => [client, [changed(bob, 'moderator')]]));
      await bob.fails('access-denied', 'set-role', {roomId, userId: cid.user, role: 'moderator'});
      await bob.fails('access-denied', 'set-role', {roomId, userId: ann.user, role: 'member'});
      await bob.must('set-role', {roomId, userId: cid.user, role: 'member'});
      await hear([cid, [changed(cid, 'member', bob)]]);
      await bob.must('kick', {roomId, userId: cid.user});
      await ann.must('set-role', {roomId, userId: bob.user, role: 'owner'});
      await ann.fails('access-denied', 'set-role', {roomId, userId: bob.user, role: 'member'});
      await ann.fails('access-denied', 'set-role', {roomId, userId: ann.user, role: 'member'});
      for (const role of ['invited', 'none', '', 'Owner'])
        await ann.fails('invalid-format', 'set-role', {roomId, userId: bob.user, role});
      await heard(ann);
      await ann.must('set-role', {roomId, userId: bob.user, role: 'owner'});
      await hear([ann, []]);  // nothing has changed
    });

    it('a room with `maxMembers` counts users, not connections', async () => {
      const [ann, bob, cid, roomId] =
          [await open('ann'), await open('bob'), await open('cid'), fresh('small')];
      await ann.must('create-room', {roomId, type: 'small'});
      await ann.join(roomId);
      await hall.open(ann.user, protocol);
      await bob.join(roomId);
      await cid.fails('limit-reached', 'join-room', {roomId});
      await bob.must('leave-room', {roomId});
      await cid.join(roomId);
    });

    it('`rooms` of the token says what may be joined and made; an empty list allows none', async () => {
      const none = await open('none', protocol, {claims: {rooms: []}});
      await none.fails('access-denied', 'join-room', {roomId: fresh('r')});
      const some = await open('some', protocol, {claims: {rooms: ['a-*', '*-z', 'exact']}});
      for (const roomId of ['a-', 'a-1', 'b-z', 'exact']) await some.join(roomId);
      for (const roomId of ['a', 'xa-1', 'exact2', 'A-1']) {
        await some.fails('access-denied', 'join-room', {roomId});
        await some.fails('access-denied', 'create-room', {roomId});
      }
      const [sealed, all] = [fresh('a-sealed'), await open('all')];
      await all.must('create-room', {roomId: sealed, type: 'sealed'});
      await (await open('cid')).fails('access-denied', 'join-room', {roomId: sealed});
      await some.join(sealed);
      await all.join(sealed);  // who has a role needs no name in the token
    });

    it('announcements: everybody reads, and who looks after the room writes', async () => {
      const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('announcements')];
      assert.equal((await ann.must('create-room', {roomId})).room.type, 'announcements');
      await ann.join(roomId);
      await bob.join(roomId);
      await ann.must('message', {roomId, content: 'hear'});
      assert.equal((await bob.take('new-message')).content, 'hear');
      await bob.fails('access-denied', 'message', {roomId, content: 'me too'});
      await ann.must('set-role', {roomId, userId: bob.user, role: 'moderator'});
      await bob.must('message', {roomId, content: 'me too'});
      await ann.fails('too-large', 'message', {roomId, content: 'x'.repeat(4 * 1024 + 1)});
    });

    it('announcements: an edit may not say what a message may not', async () => {
      const [ann, roomId] = [await open('ann'), fresh('announcements')];
      await ann.must('create-room', {roomId});
      await ann.join(roomId);
      const {messageId} = await ann.must('message', {roomId, content: 'short'});
      await ann.fails('too-large', 'edit-message', {roomId, messageId, content: 'x'.repeat(4 * 1024 + 1)});
      assert.equal((await ann.must('history', {roomId})).messages[0].content, 'short');
    });

    it('an invitation by who has no role gives no role: `postFrom` holds', async () => {
      const [ann, bob, roomId] = [await open('ann'), await open('bob'), fresh('club')];
      await ann.must('create-room', {roomId, type: 'club'});
      await bob.join(roomId);
      await bob.fails('access-denied', 'message', {roomId, content: 'x'});
      await bob.ask('invite', {roomId, userId: bob.user});
      await bob.must('leave-room', {roomId});
      await bob.join(roomId);
      await bob.fails('access-denied', 'message', {roomId, content: 'x'});
    });
  });
}
