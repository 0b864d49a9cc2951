// What somebody is told who comes into a busy room: the answer and what follows make one stream, without a
// hole, a double or a change of order; and what is told of people agrees with who is there. With several
// shards, with connection state recovery and without.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';
import {isDeepStrictEqual} from 'node:util';

import {until} from '../support/server.mjs';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {Roster} from './support/roster.mjs';
import {fresh} from './support/shapes.mjs';

const JOINS = 25;
const KINDS = [
  ['without recovery', {}], ['with recovery', {connectionStateRecovery: {maxDisconnectionDuration: 60_000}}]
];
const range = (count) => Array.from({length: count}, (_, i) => i);

for (const [kind, config] of KINDS) {
  describe(`a busy room ${kind}`, () => {
    let hall;
    before(async () => {
      hall = await Hall.start({threads: 4, ...config});
    });
    after(() => hall.stop());
    const open = (name, protocol) => hall.open(fresh(name), protocol);
    /** Each roster comes to what is so, by changes that make sense. */
    const knowTheTruth = async (rosters, client, roomId) => {
      const truth =
          (await client.must('presence', {roomId})).users.map(({userId, status}) => [userId, status]).sort();
      for (const roster of rosters) {
        await until(() => isDeepStrictEqual(roster.people, truth), 'the truth').catch(() => {});
        assert.deepEqual(roster.people, truth);
        assert.deepEqual(roster.faults, []);
      }
    };

    /** Runs while several write to the room. Returns: the numbers of what they wrote. */
    const whileOthersWrite = async (roomId, run) => {
      const writers = await Promise.all([...PROTOCOLS, ...PROTOCOLS].map((over) => open('writer', over)));
      for (const writer of writers) await writer.join(roomId);
      let writing = true;
      const numbers = [];
      const all = writers.map(async (writer) => {
        while (writing) numbers.push((await writer.must('message', {roomId, content: 'x'})).seq);
      });
      try {
        await run();
      } finally {
        writing = false;
        await Promise.all(all);
        for (const writer of writers) writer.destroy();
      }
      return numbers.sort((a, b) => a - b);
    };

    for (const protocol of PROTOCOLS) {
      it(`somebody joins while others write, over ${protocol}: the answer and what follows make one stream`,
         async () => {
           const roomId = fresh('r');
           const numbers = await whileOthersWrite(roomId, async () => {
             for (let i = 0; i < JOINS; ++i) {
               const reader = await open('reader', protocol);
               const [answer] = await Promise.all(
                   [reader.join(roomId), reader.join(roomId), reader.must('history', {roomId})]);
               const told = answer.recentMessages.map(({seq}) => seq);
               assert.equal(told.at(-1) ?? 0, answer.seq);
               const live = (await reader.takeMany('new-message', 20)).map(({seq}) => seq);
               assert.deepEqual(
                   live, range(20).map((n) => answer.seq + 1 + n), `the answer ended with ${answer.seq}`);
               await reader.leave();
             }
           });
           assert.deepEqual(numbers, range(numbers.length).map((n) => n + 1));
         });
    }

    it('somebody comes back while others write: what was missed and what follows make one stream',
       async () => {
         const roomId = fresh('r');
         const numbers = await whileOthersWrite(roomId, async () => {
           for (let i = 0; i < 8; ++i) {
             let reader = await open('reader', PROTOCOLS[i % 2]);
             const {epoch, seq} = await reader.join(roomId);
             let last = (await reader.takeMany('new-message', 10)).at(-1).seq;
             assert.equal(last, seq + 10);
             for (let loss = 0; loss < 3; ++loss) {
               await reader.lose();
               reader = await hall.open(reader.user, PROTOCOLS[(i + loss) % 3]);
               const answer = await reader.join(roomId, {seq: last, epoch});
               assert.equal(answer.recovered, true);
               const missed = answer.missed.map((message) => message.seq);
               assert.deepEqual(missed, range(missed.length).map((n) => last + 1 + n));
               // It was put back before it asked: what it heard meanwhile is in the answer, too.
               last = answer.seq;
               const next = await reader.take('new-message', (message) => message.seq > last);
               assert.equal(next.seq, last + 1);
               last = next.seq;
             }
             await reader.leave();
           }
         });
         assert.deepEqual(numbers, range(numbers.length).map((n) => n + 1));
       });

    it('many come and go: everybody who listens knows who is there, and each change makes sense',
       async () => {
         const [roomId, watchers, rosters, movers] = [fresh('r'), [], [], []];
         for (const protocol of PROTOCOLS) watchers.push(await open('watcher', protocol));
         for (const watcher of watchers) await watcher.join(roomId);
         for (const watcher of watchers)
           rosters.push(new Roster(watcher, roomId, await watcher.join(roomId)));
         for (let i = 0; i < 6; ++i) {
           movers.push([await open('mover', PROTOCOLS[i % 3])]);
           movers[i].push(await hall.open(movers[i][0].user, PROTOCOLS[(i + 1) % 3]));
         }
         await Promise.all(movers.flat().map(async (mover, at) => {
           for (let i = 0; i < 50; ++i) {
             await mover.ask(i % 2 ? 'leave-room' : 'join-room', {roomId});
             if (i % 3 === at % 3)
               await mover.ask('update-status', {status: ['away', 'busy', 'online'][(i >> 1) % 3]});
           }
         }));
         await knowTheTruth(rosters, watchers[0], roomId);
       });

    it('a status that changes while its user joins is the one that the room shows', async () => {
      const [roomId, watcher] = [fresh('r'), await open('watcher', 'native')];
      await watcher.join(roomId);
      const wrong = [];
      for (let i = 0; i < 60; ++i) {
        const ann = await open('ann', PROTOCOLS[i % 3]);
        const device = await hall.open(ann.user, PROTOCOLS[(i + 1) % 3]);
        await Promise.all([ann.join(roomId), device.must('update-status', {status: 'busy'})]);
        const shown = async () =>
          (await watcher.join(roomId)).members.find(({userId}) => userId === ann.user).status;
        let status = await shown();
        if (status !== 'busy') {
          // Between the user's shard and the room's a word may be on its way; it is told when it arrives.
          await watcher.take('presence-update', (event) => event.userId === ann.user && event.status === 'busy');
          status = await shown();
        }
        if (status !== 'busy') wrong.push(`${ann.user} is ${status}`);
        for (const client of [ann, device]) client.destroy();
      }
      assert.deepEqual(wrong, []);
    });

    it('whoever joins while many come and go is told the rest of it', async () => {
      const [roomId, movers] = [fresh('r'), []];
      for (let i = 0; i < 6; ++i) movers.push(await open('mover', PROTOCOLS[i % 3]));
      let moving = true;
      const all = movers.map(async (mover) => {
        while (moving) {
          await mover.ask('join-room', {roomId});
          await mover.ask('leave-room', {roomId});
        }
        await mover.join(roomId);
      });
      const rosters = [];
      for (let i = 0; i < JOINS; ++i) {
        const reader = await open('reader', PROTOCOLS[i % 3]);
        const early = [];
        reader.listen((...event) => early.push(event));
        const answer = await reader.join(roomId);
        const roster = new Roster(reader, roomId, answer);
        // What stood behind the answer may have come with it.
        for (const event of early.slice(early.findIndex(([name]) => name === 'joined') + 1))
          roster.hear(...event);
        rosters.push(roster);
      }
      moving = false;
      await Promise.all(all);
      await knowTheTruth(rosters, movers[0], roomId);
    });
  });
}
