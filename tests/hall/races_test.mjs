// What happens at the same time on several shards: whoever loses a race is told so, and nobody ends up where
// they may not be, or misses something without being told.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {fresh} from './support/shapes.mjs';

let hall;
before(async () => {
  hall = await Hall.start({threads: 4});
});
after(() => hall.stop());

const range = (count) => Array.from({length: count}, (_, i) => i);
const open = (name, protocol) => hall.open(fresh(name), protocol);
const membersOf = async (client, roomId) =>
    (await client.must('presence', {roomId})).users.map(({userId}) => userId);

describe('at the same time', () => {
  it('a room is made for who is invited, and somebody joins: nobody is in it who was not invited',
     async () => {
       const [ann, bob] = [await open('ann', 'native'), await open('bob', 'socketio')];
       const inside = [];
       for (let i = 0; i < 60; ++i) {
         const roomId = fresh('team');
         const [joined, made] = await Promise.all(
             [bob.ask('join-room', {roomId}), ann.ask('create-room', {roomId, type: 'team'})]);
         if (made.success && (joined.success || (await bob.ask('history', {roomId})).success))
           inside.push(roomId);
       }
       assert.deepEqual(inside, [], 'bob was not invited there');
     });

  it('somebody joins and is kicked: in the end they are out', async () => {
    const [ann, bob, wrong] = [await open('ann', 'native'), await open('bob', 'socketio'), []];
    for (let i = 0; i < 60; ++i) {
      const roomId = fresh('team');
      await ann.must('create-room', {roomId, type: 'team'});
      await ann.join(roomId);
      await ann.must('invite', {roomId, userId: bob.user, role: 'member'});
      await Promise.all([bob.ask('join-room', {roomId}), ann.must('kick', {roomId, userId: bob.user})]);
      const there = (await membersOf(ann, roomId)).includes(bob.user);
      if (there || (await bob.ask('history', {roomId})).success) wrong.push(roomId);
    }
    assert.deepEqual(wrong, [], 'bob was kicked there');
  });

  it('somebody comes back and is kicked: in the end they are out', async () => {
    const [ann, wrong] = [await open('ann', 'native'), []];
    const rooms = range(24).map(() => fresh('team'));
    for (const roomId of rooms) {
      await ann.must('create-room', {roomId, type: 'team'});
      await ann.join(roomId);
    }
    for (let i = 0; i < 6; ++i) {
      const bob = await open('bob', PROTOCOLS[i % 3]);
      for (const roomId of rooms) {
        await ann.must('invite', {roomId, userId: bob.user, role: 'member'});
        await bob.join(roomId);
      }
      await bob.leave();
      for (const roomId of rooms) await ann.take('user-left', (left) => left.roomId === roomId);
      const opening = hall.open(bob.user, PROTOCOLS[(i + 1) % 3]);
      for (const roomId of rooms) await ann.must('kick', {roomId, userId: bob.user});
      const back = await opening;
      for (const roomId of rooms) {
        const there = (await membersOf(ann, roomId)).includes(bob.user);
        if (there || (await back.ask('history', {roomId})).success) wrong.push(roomId);
      }
    }
    assert.deepEqual(wrong, [], 'bob was kicked there');
  });

  it('the same key from several connections, shards and protocols: one is first, all get its answer',
     async () => {
       const roomId = fresh('r');
       const devices = [await open('ann', 'native')];
       for (const protocol of [...PROTOCOLS, ...PROTOCOLS])
         devices.push(await hall.open(devices[0].user, protocol));
       await Promise.all(devices.map((device) => device.join(roomId)));
       for (let i = 0; i < 30; ++i) {
         const sent = {roomId, content: `${i}`, clientMessageId: fresh('key')};
         const answers = await Promise.all(devices.map((device) => device.must('message', sent)));
         assert.equal(answers.filter(({duplicate}) => !duplicate).length, 1);
         assert.deepEqual(
             new Set(answers.map(({seq, messageId, timestamp}) => `${seq} ${messageId} ${timestamp}`)).size,
             1);
         assert.equal(answers[0].seq, i + 1);
       }
       for (const device of devices) assert.equal((await device.takeMany('new-message', 30)).at(-1).seq, 30);
     });

  it('private messages of one sender arrive in their order on every device, wherever it is', async () => {
    const [ann, bob] = [await open('ann', 'native'), await open('bob', 'native')];
    const devices = [bob];
    for (const protocol of [...PROTOCOLS, ...PROTOCOLS]) devices.push(await hall.open(bob.user, protocol));
    const contents = range(100).map(String);
    await Promise.all(
        contents.map((content) => ann.must('private-message', {targetUserId: bob.user, content})));
    for (const device of devices)
      assert.deepEqual((await device.takeMany('private-message', 100)).map(({content}) => content), contents);
  });
});
