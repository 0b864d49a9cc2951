// What a hall keeps when its process ends, in order or by force, and what the next one gives back.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {describe, it} from 'node:test';

import {hallServer, until} from '../support/server.mjs';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall, program} from './support/hall.mjs';
import {isTime, matches, messageOf} from './support/shapes.mjs';

/** Runs with a hall of its own. */
const withHall = async (config, run) => {
  const hall = await Hall.start(config);
  try {
    await run(hall);
  } finally {
    await hall.stop();
  }
};

describe('a restart', () => {
  for (const protocol of PROTOCOLS) {
    it(`keeps rooms, messages, roles, read marks, what waits and who was seen, over ${protocol}`,
       () => withHall({}, async (hall) => {
         const [ann, bob] = [await hall.open('ann', protocol), await hall.open('bob', protocol)];
         await ann.must('create-room', {roomId: 'team', type: 'team', name: 'The team', metadata: {x: 1}});
         const {epoch} = await ann.join('team');
         await ann.must('invite', {roomId: 'team', userId: 'bob'});
         await bob.join('team');
         await ann.must('set-role', {roomId: 'team', userId: 'bob', role: 'moderator'});
         const sent = {roomId: 'team', content: 'one', clientMessageId: 'k'};
         const first = await ann.must('message', sent);
         const second = await bob.must('message', {roomId: 'team', content: 'two'});
         await ann.must('edit-message', {roomId: 'team', messageId: first.messageId, content: 'ONE'});
         await bob.must('delete-message', {roomId: 'team', messageId: second.messageId});
         await bob.must('mark-read', {roomId: 'team', upTo: 1});
         await ann.must('private-message', {targetUserId: 'cid', content: 'later'});
         await bob.leave();
         await hall.restart();
         const before = Date.now();

         const again = await hall.open('ann', protocol);
         assert.deepEqual(again.hello.rooms, ['team']);
         const [view] = (await again.must('presence', {userIds: ['bob']})).users;
         matches(
             view, {userId: 'bob', user: {name: 'bob'}, status: 'offline', lastSeen: isTime, connections: 0});
         assert.ok(view.lastSeen <= before);
         const joined = await (await hall.open('bob', protocol)).join('team');
         assert.deepEqual(
             [joined.room.role, joined.room.name, joined.room.metadata, joined.room.readUpTo],
             ['moderator', 'The team', {x: 1}, 1]);
         assert.deepEqual([joined.epoch, joined.seq], [epoch, 2]);
         matches(joined.recentMessages, [
           messageOf(ann, 'team', 1, 'ONE', {edited: true}), messageOf(bob, 'team', 2, null, {deleted: true})
         ]);
         matches(await again.must('message', sent), {...first, duplicate: true});
         assert.equal((await again.must('message', {roomId: 'team', content: 'three'})).seq, 3);
         const since = await again.join('team', {seq: 1, epoch});
         assert.deepEqual([since.recovered, since.missed.map(({seq}) => seq)], [true, [2, 3]]);
         const [waiting] = await (await hall.open('cid', protocol)).take('pending-messages');
         assert.equal(waiting.content, 'later');
       }));
  }

  it('promise 1: whatever was acknowledged is there after kill -9',
     () => withHall({}, async (hall) => {
       const ann = await hall.open('ann');
       await ann.join('r');
       const acknowledged = [];
       let killed;
       for (let n = 0; n < 2000 && ann.isOpen; ++n) {
         ann.ask('message', {roomId: 'r', content: `${n}`}).then(({seq}) => {
           acknowledged.push([seq, `${n}`]);
           if (acknowledged.length === 200) killed = hall.restart({}, 'SIGKILL');
         }, () => {});
       }
       await ann.gone();
       await killed;
       assert.ok(acknowledged.length >= 200);
       const again = await hall.open('ann', 'socketio');
       await again.join('r');
       const kept = new Map();
       for (let after = 0, more = true; more;) {
         const page = await again.must('history', {roomId: 'r', after, limit: 200});
         for (const {seq, content} of page.messages) kept.set(seq, content);
         [after, more] = [after + page.messages.length, page.hasMore];
       }
       for (const [seq, content] of acknowledged) assert.equal(kept.get(seq), content, `message ${seq}`);
       assert.deepEqual([...kept.keys()], Array.from({length: kept.size}, (_, i) => i + 1), 'no holes');
     }));

  it('several devices that come back at once are all put back',
     () => withHall({}, async (hall) => {
       const [ann, rooms] = [await hall.open('ann'), Array.from({length: 60}, (_, i) => `room-${i}`)];
       for (const roomId of rooms) await ann.join(roomId);
       await ann.leave();
       await hall.restart();
       const devices =
           await Promise.all(Array.from({length: 12}, (_, i) => hall.open('ann', PROTOCOLS[i % 3])));
       assert.deepEqual(devices.map(({hello}) => hello.rooms.length), devices.map(() => rooms.length));
     }));

  it('in order, with time to drain, remembers the rooms of everybody',
     () => withHall({threads: 4, limits: {drainWindow: 300}}, async (hall) => {
       const users = Array.from({length: 24}, (_, i) => `user-${i}`);
       await Promise.all(
           users.map(async (user, i) => (await hall.open(user, PROTOCOLS[i % 3])).join(`room of ${user}`)));
       await hall.restart();
       const back = await Promise.all(users.map((user) => hall.open(user)));
       const lost = back.filter(({hello}) => hello.rooms.length !== 1).map(({user}) => user);
       assert.deepEqual(lost, [], 'these were put back into no room');
     }));

  it('a kick that was answered holds, also of somebody who was away',
     () => withHall({connectionStateRecovery: {maxDisconnectionDuration: 60_000}}, async (hall) => {
       const [ann, bob] = [await hall.open('ann'), await hall.open('bob')];
       await ann.must('create-room', {roomId: 'r'});
       for (const client of [ann, bob]) await client.join('r');
       await bob.lose();
       await ann.take('presence-update');
       await ann.must('kick', {roomId: 'r', userId: 'bob'});
       await hall.restart();
       assert.deepEqual((await hall.open('bob')).hello.rooms, []);
     }));

  it('`rooms.rejoinHours` 0: nobody is put back',
     () => withHall({rooms: {rejoinHours: 0}}, async (hall) => {
       const ann = await hall.open('ann');
       await ann.join('r');
       await ann.leave();
       assert.deepEqual((await hall.open('ann')).hello.rooms, [], 'not by the same process');
       await hall.restart();
       assert.deepEqual((await hall.open('ann')).hello.rooms, [], 'not by the next one');
     }));

  it('with the store in memory nothing is left, and streams are new ones',
     () => withHall({store: 'memory'}, async (hall) => {
       const ann = await hall.open('ann');
       const {epoch} = await ann.join('r');
       await ann.must('message', {roomId: 'r', content: 'x'});
       await hall.restart();
       const again = await hall.open('ann');
       assert.deepEqual(again.hello.rooms, []);
       const joined = await again.join('r', {seq: 0, epoch});
       assert.deepEqual([joined.seq, joined.recovered, joined.missed], [0, false, []]);
       assert.notEqual(joined.epoch, epoch);
     }));
});

describe('a second server on the same data', {concurrency: true}, () => {
  /** Runs with a server, and a second one that was started on the data of the first. */
  const withTwo = async (run) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wirehall-hall-'));
    const first = await hallServer(['--data', folder]);
    const child = spawn(program, ['serve', '--dev', '--port', '0', '--data', folder], {stdio: ['ignore', 'pipe', 'pipe']});
    const second = {output: '', errors: '', ended: once(child, 'exit')};
    child.stdout.on('data', (data) => { second.output += data; });
    child.stderr.on('data', (data) => { second.errors += data; });
    try {
      await until(() => /waiting for another server's lock/.test(second.errors), 'that it waits', 20_000);
      await run(first, second);
    } finally {
      child.kill();
      await Promise.all([second.ended, first.stop()]);
      rmSync(folder, {recursive: true});
    }
  };
  it('waits for the end of the first, and serves', () => withTwo(async (first, second) => {
    assert.doesNotMatch(second.output, /listens on/);
    await first.stop('SIGKILL');
    await until(() => /listens on/.test(second.output), 'that it serves', 20_000);
  }));
  it('is refused when the first one stays', () => withTwo(async (first, second) => {
    assert.deepEqual(await second.ended, [78, null]);
    assert.match(second.errors, new RegExp(
        `cannot be locked: is another server using it\\? Process ${first.pid} has it\\.`));
  }));
});
