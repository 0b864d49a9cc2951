// Lost transports over every protocol: what the others hear of it, and what the client is given when it is
// back. The tests run side by side, since each of them waits for a time to pass.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall, sign} from './support/hall.mjs';
import {fresh, heard, isTime, matches, messageOf, userOf} from './support/shapes.mjs';

const WINDOW_MS = 1_500;
const GRACE_MS = 200;
let hall;
before(async () => {
  hall = await Hall.start({
    connectionStateRecovery: {maxDisconnectionDuration: WINDOW_MS},
    presence: {gracePeriod: GRACE_MS},
  });
});
after(() => hall.stop());

/** ann over `protocol` and bob, who watches, in a room. */
async function scene(protocol) {
  const roomId = fresh('r');
  const [bob, ann] = [await hall.open(fresh('bob')), await hall.open(fresh('ann'), protocol)];
  await bob.join(roomId);
  const {epoch} = await ann.join(roomId);
  await heard(ann, bob);
  return {roomId, epoch, ann, bob};
}
/** What the server says of a user in a room. */
async function presenceOf(client, roomId, userId) {
  return (await client.must('presence', {roomId})).users.find((user) => user.userId === userId);
}
/** Waits until the server knows that the connections of a user are so many. */
const connectionsAre = (client, userId, count) => until(
    async () => (await client.must('presence', {userIds: [userId]})).users[0].connections === count,
    `${count} connections`);
const namesOf = (events) => events.map(([name]) => name);
/** Comes back: Socket.IO as itself, native as a new connection. */
async function back(client) {
  if (client.protocol !== 'socketio') return hall.open(client.user, client.protocol);
  await client.comeBack();
  client.hello = await client.take('connected');
  return client;
}

for (const protocol of PROTOCOLS) {
  describe(`a lost transport over ${protocol}`, {concurrency: true}, () => {
    it('lingers: offline after the grace period, gone after the window, each told once', async () => {
      const {roomId, ann, bob} = await scene(protocol);
      const lostAt = Date.now();
      await ann.lose();
      matches(
          await bob.take('presence-update'),
          {userId: ann.user, status: 'offline', timestamp: isTime, lastSeen: isTime});
      assert.ok(Date.now() - lostAt >= GRACE_MS - 20);
      matches(
          await presenceOf(bob, roomId, ann.user),
          {...userOf(ann), status: 'offline', lastSeen: isTime, connections: 0});
      assert.equal((await bob.join(roomId)).memberCount, 2, 'still a member');
      matches(await bob.take('user-left'), {userId: ann.user, roomId, timestamp: isTime});
      assert.ok(Date.now() - lostAt >= WINDOW_MS - 20, `after ${Date.now() - lostAt} ms`);
      assert.equal((await bob.join(roomId)).memberCount, 1);
      const late = await back(ann);
      assert.equal(late.hello.recovered, false);
      assert.deepEqual(late.hello.rooms, [roomId], 'its rooms are remembered for longer');
      matches(await bob.take('user-joined'), {...userOf(ann), roomId, timestamp: isTime});
    });

    it('that is back within the grace period has not been away for anybody', async () => {
      const {ann, bob, roomId} = await scene(protocol);
      let current = ann;
      for (let i = 0; i < 3; ++i) {
        await current.lose();
        await connectionsAre(bob, ann.user, 0);
        current = await back(current);
        assert.deepEqual(current.hello.rooms, [roomId]);
      }
      await current.must('message', {roomId, content: 'x'});
      assert.deepEqual(namesOf((await heard(bob))[0]), ['new-message']);
    });

    it('that is back within the window is online again, and did not leave', async () => {
      const {ann, bob, roomId} = await scene(protocol);
      await ann.lose();
      assert.equal((await bob.take('presence-update')).status, 'offline');
      await back(ann);
      matches(await bob.take('presence-update'), {userId: ann.user, status: 'online', timestamp: isTime});
      await until(async () => (await heard(bob))[0].length === 0, 'silence');
      assert.equal((await presenceOf(bob, roomId, ann.user)).status, 'online');
    });

    it('does not count as online: delivered is false and nothing rings', async () => {
      const {ann, bob} = await scene(protocol);
      await ann.lose();
      await connectionsAre(bob, ann.user, 0);
      const {messageId, delivered} =
          await bob.must('private-message', {targetUserId: ann.user, content: 'x'});
      assert.equal(delivered, false);
      const call = await bob.must('call-user', {targetUserId: ann.user, offer: 'o', media: 'audio'});
      assert.equal(call.ringing, 0);
      assert.equal((await bob.take('call-missed')).reason, 'offline');
      const again = await back(ann);
      assert.deepEqual((await again.take('pending-messages')).map(({id}) => id), [messageId]);
    });

    it('a goodbye leaves at once', async () => {
      const {roomId, ann, bob} = await scene(protocol);
      const [lost, first, second] =
          [Date.now(), await hall.open(fresh('x'), protocol), await hall.open(fresh('y'), protocol)];
      for (const client of [first, second]) await client.join(roomId);
      await heard(bob);
      await first.leave(1000);
      await second.leave(1001);
      for (const client of [first, second]) assert.equal((await bob.take('user-left')).userId, client.user);
      assert.ok(Date.now() - lost < WINDOW_MS, 'long before the window ends');
      if (protocol === 'socketio') return;
      const [third, began] = [await hall.open(fresh('z'), protocol), Date.now()];
      await third.join(roomId);
      await third.leave(4000);  // any other code is no goodbye
      await bob.take('user-left', ({userId}) => userId === third.user);
      assert.ok(Date.now() - began >= WINDOW_MS - 20);
      await ann.settle();
    });

    it('another device that says goodbye does not end the window of one that was lost', async () => {
      const {roomId, ann, bob} = await scene(protocol);
      const device = await hall.open(ann.user, protocol);
      await connectionsAre(bob, ann.user, 2);
      await ann.lose();
      await connectionsAre(bob, ann.user, 1);
      await device.leave();
      await connectionsAre(bob, ann.user, 0);
      const again = await back(ann);
      assert.deepEqual(again.hello.rooms, [roomId]);
      assert.ok(!namesOf((await heard(bob))[0]).includes('user-left'), 'it was lost, and came back in time');
    });

    it('while another device stays the user stays, but for rooms that only the lost one was in', async () => {
      const {roomId, ann, bob} = await scene(protocol);
      const [device, own] = [await hall.open(ann.user, protocol), fresh('own')];
      await bob.join(own);
      await ann.join(own);
      await heard(bob, device);
      await ann.lose();
      matches(await bob.take('user-left'), {userId: ann.user, roomId: own, timestamp: isTime});
      assert.deepEqual((await heard(bob))[0], []);
      assert.equal((await bob.join(roomId)).memberCount, 2);
      const third = await hall.open(ann.user, protocol);
      assert.deepEqual(third.hello.rooms, [roomId]);
      await device.settle();
    });

    it('a kick while it is away is final: no second user-left, no way back', async () => {
      const {ann, bob} = await scene(protocol);
      const roomId = fresh('team');
      await bob.must('create-room', {roomId, type: 'team'});
      await bob.join(roomId);
      await bob.must('invite', {roomId, userId: ann.user});
      await ann.join(roomId);
      await ann.lose();
      await connectionsAre(bob, ann.user, 0);
      await heard(bob);
      await bob.must('kick', {roomId, userId: ann.user});
      matches(await bob.take('user-left'), {userId: ann.user, roomId, timestamp: isTime});
      const again = await back(ann);
      assert.ok(!again.hello.rooms.includes(roomId));
      await again.fails('not-in-room', 'history', {roomId});
      await bob.must('message', {roomId, content: 'among us'});
      assert.ok(!namesOf((await heard(again))[0]).includes('new-message'));
    });

    it('promise 4: what was missed comes complete and in order', async () => {
      const {roomId, epoch, ann, bob} = await scene(protocol);
      await bob.must('message', {roomId, content: '1'});
      assert.equal((await ann.take('new-message')).seq, 1);
      await ann.lose();
      await connectionsAre(bob, ann.user, 0);
      for (let n = 2; n <= 4; ++n) await bob.must('message', {roomId, content: `${n}`});
      const again = await back(ann);
      const wanted = [2, 3, 4].map((n) => messageOf(bob, roomId, n, `${n}`));
      if (protocol === 'socketio') {
        assert.equal(again.hello.recovered, true);
        assert.ok(again.socket.recovered);
        matches(await again.takeMany('new-message', 3), wanted);
      } else {
        const answer = await again.join(roomId, {seq: 1, epoch});
        assert.equal(answer.recovered, true);
        matches(answer.missed, wanted);
      }
      await bob.must('message', {roomId, content: '5'});
      assert.equal((await again.take('new-message')).seq, 5);
      assert.ok(!namesOf((await heard(again))[0]).includes('new-message'), 'each of them once');
    });
  });
}

describe('connection state recovery', {concurrency: true}, () => {
  it('gives the client its id, its rooms and everything that it missed, once', async () => {
    const {roomId, ann, bob} = await scene('socketio');
    const device = await hall.open(ann.user, 'native');
    const [id, cid] = [ann.socket.id, await hall.open(fresh('cid'))];
    await ann.must('message', {roomId, content: '1'});
    await heard(ann, bob);
    await ann.lose();
    await connectionsAre(bob, ann.user, 1);
    await cid.join(roomId);
    const {messageId} = await bob.must('message', {roomId, content: '2'});
    await bob.must('edit-message', {roomId, messageId, content: 'two'});
    await bob.must('mark-read', {roomId, upTo: 2});
    await ann.comeBack();
    assert.equal(ann.socket.id, id);
    assert.equal(ann.socket.recovered, true);
    const hello = await ann.take('connected');
    assert.deepEqual([hello.clientId, hello.rooms, hello.recovered], [id, [roomId], true]);
    await ann.settle();
    assert.deepEqual(namesOf(ann.drain()), ['user-joined', 'new-message', 'message-edited', 'read-receipt']);
    // It is a device like before: rung, written to, and counted.
    const call = await bob.must('call-user', {targetUserId: ann.user, offer: 'o', media: 'audio'});
    assert.equal(call.ringing, 2);
    await ann.must('call-answer', {callId: call.callId, answer: 'a'});
    assert.equal((await device.take('call-taken')).callId, call.callId);
    await bob.must('private-message', {targetUserId: ann.user, content: 'x'});
    assert.equal((await ann.take('private-message')).content, 'x');
  });

  it('gives nothing of a room after the kick out of it', async () => {
    const {ann, bob} = await scene('socketio');
    const roomId = fresh('team');
    await bob.must('create-room', {roomId, type: 'team'});
    await bob.join(roomId);
    await bob.must('invite', {roomId, userId: ann.user});
    await ann.join(roomId);
    await heard(ann);
    await ann.lose();
    await connectionsAre(bob, ann.user, 0);
    await bob.must('kick', {roomId, userId: ann.user});
    await bob.must('message', {roomId, content: 'among us'});
    await ann.comeBack();
    await ann.take('connected');
    await ann.settle();
    assert.deepEqual(ann.drain().filter(([name]) => name === 'new-message'), []);
  });

  it('gives nothing of a room that the token does not name any more', async () => {
    const {roomId, ann, bob} = await scene('socketio');
    await ann.lose();
    await connectionsAre(bob, ann.user, 0);
    await bob.must('message', {roomId, content: 'x'});
    ann.socket.auth = {token: sign(ann.user, {rooms: []})};
    await ann.comeBack();
    assert.deepEqual((await ann.take('connected')).rooms, []);
    await ann.settle();
    assert.deepEqual(ann.drain().filter(([name]) => name === 'new-message'), []);
  });

  it('gives nothing that happened in a room before the client came in', async () => {
    const {ann, bob} = await scene('socketio');
    const [roomId, cid] = [fresh('r'), await hall.open(fresh('cid'))];
    for (const client of [bob, cid]) await client.join(roomId);
    await bob.must('message', {roomId, content: '1'});
    assert.equal((await ann.join(roomId)).recentMessages.length, 1, 'it knows this one');
    await heard(ann);
    await ann.lose();
    await connectionsAre(bob, ann.user, 0);
    await bob.must('message', {roomId, content: '2'});
    await ann.comeBack();
    assert.equal((await ann.take('connected')).recovered, true);
    await ann.settle();
    const events = ann.drain().filter(([, payload]) => payload.roomId === roomId);
    assert.deepEqual(events.map(([name, {seq}]) => [name, seq]), [['new-message', 2]]);
  });

  it('nobody comes back as somebody else', async () => {
    const {ann} = await scene('socketio');
    const {_pid: pid, _lastOffset: offset} = ann.socket;
    await ann.lose();
    const thief = await hall.open(fresh('eve'), 'socketio', {auth: {pid, offset}});
    assert.equal(thief.hello.recovered, false);
    assert.deepEqual(thief.hello.rooms, []);
    await ann.comeBack();
    assert.equal((await ann.take('connected')).recovered, true);
  });
});
