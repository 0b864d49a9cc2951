// Presence over every protocol: statuses and who is told of them, invisibility, flapping, and large rooms,
// whose changes are told together.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';
import {isDeepStrictEqual} from 'node:util';

import {until} from '../support/server.mjs';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {Roster} from './support/roster.mjs';
import {fresh, hear, heard, isTime, matches, memberOf, userOf} from './support/shapes.mjs';

const GRACE_MS = 300;
const TICK_MS = 300;
let hall;
before(async () => {
  hall = await Hall.start({presence: {gracePeriod: GRACE_MS, largeRoom: 5, tick: TICK_MS}});
});
after(() => hall.stop());

const updateOf = (client, status, lastSeen) =>
    ['presence-update', {userId: client.user, status, timestamp: isTime, ...(lastSeen && {lastSeen})}];
const isOffline = ({status}) => status === 'offline';
const viewOf = (client, status = 'online', connections = 1, lastSeen = null) =>
    ({...userOf(client), status, lastSeen, connections});

for (const protocol of PROTOCOLS) {
  describe(`presence over ${protocol}`, () => {
    const open = (name, over = protocol) => hall.open(fresh(name), over);
    const set = (client, status) => client.must('update-status', {status});
    const look = async (client, fields) => (await client.must('presence', fields)).users;
    /** ann and bob in a room, bob in another one as well, and somebody who is in neither. */
    const scene = async () => {
      const roomId = fresh('r');
      const [ann, bob, cid] = [await open('ann'), await open('bob', 'socketio'), await open('cid')];
      for (const client of [ann, bob]) await client.join(roomId);
      await heard(ann, bob, cid);
      return {roomId, ann, bob, cid};
    };

    it('update-status: every room of the user hears it, each of them once', async () => {
      const {roomId, ann, bob, cid} = await scene();
      const second = fresh('r');
      for (const client of [ann, bob]) await client.join(second);
      await heard(ann, bob);
      const face = '\u{1f469}\u{1f3fd}\u200d\u{1f680}';  // four characters, fifteen bytes
      for (const status of ['away', 'busy', 'in a meeting', 'é'.repeat(64), face.repeat(16), 'online']) {
        matches(await set(ann, status), {success: true, status});
        const told = updateOf(ann, status);
        await hear([bob, [told, told]], [ann, [told, told]], [cid, []]);
        matches((await look(bob, {roomId}))[0], viewOf(ann, status));
      }
      await set(ann, 'online');
      await hear([bob, []]);  // nothing has changed
    });

    it('update-status: what cannot be one is refused, and nothing changes', async () => {
      const {roomId, ann, bob} = await scene();
      for (const status of ['', 'offline', 'x'.repeat(65), '\u{1f600}'.repeat(65), 'a\nb', '\u007f']) {
        const refused = await ann.fails('invalid-format', 'update-status', {status});
        assert.match(refused.error, /status/);
      }
      await hear([bob, []]);
      matches(await look(bob, {roomId}), [viewOf(ann), viewOf(bob)]);
    });

    it('invisible: others see `offline` with the old lastSeen; the user still hears and is heard',
       async () => {
         const {roomId, ann, bob} = await scene();
         const before = Date.now();
         await set(ann, 'invisible');
         const [[[, told]]] = await heard(bob);
         matches(told, updateOf(ann, 'offline', isTime)[1]);
         assert.ok(told.lastSeen >= before && told.lastSeen <= Date.now());
         matches((await look(bob, {roomId}))[0], viewOf(ann, 'offline', 0, told.lastSeen));
         matches(await look(bob, {userIds: [ann.user]}), [viewOf(ann, 'offline', 0, told.lastSeen)]);
         await set(ann, 'invisible');
         const later = fresh('r');
         await bob.join(later);
         await heard(bob);
         matches((await ann.join(later)).members, [memberOf(bob), memberOf(ann, 'offline')]);
         await ann.must('message', {roomId, content: 'boo'});
         assert.equal((await bob.take('new-message')).content, 'boo');
         const {delivered} = await bob.must('private-message', {targetUserId: ann.user, content: 'x'});
         assert.equal(delivered, true);
         assert.equal(
             (await look(bob, {userIds: [ann.user]}))[0].lastSeen, told.lastSeen, 'it stays the old one');
         await heard(bob);
         await set(ann, 'busy');
         await hear([bob, [updateOf(ann, 'busy'), updateOf(ann, 'busy')]]);
       });

    it('invisible: going away is not seen, and coming back after the grace period is', async () => {
      const {roomId, ann, bob} = await scene();
      await set(ann, 'invisible');
      const [[[, {lastSeen}]]] = await heard(bob);
      await ann.leave();
      await bob.take('user-left');
      assert.equal((await look(bob, {userIds: [ann.user]}))[0].lastSeen, lastSeen);
      const device = await hall.open(ann.user, protocol);
      await bob.take('user-joined');
      matches((await look(bob, {roomId})).map(({status}) => status), ['online', 'offline']);
      await device.leave();
    });

    it('whoever joins with a status of their own is seen with it from the first moment', async () => {
      const {ann, bob} = await scene();
      await set(ann, 'away');
      const later = fresh('r');
      await bob.join(later);
      await heard(ann, bob);
      matches((await ann.join(later)).members, [memberOf(bob), memberOf(ann, 'away')]);
    });

    for (const status of ['away', 'invisible', 'out for lunch']) {
      it(`who is there already knows of somebody who joins that the status is ${status}`, async () => {
        const {ann, bob} = await scene();
        await set(ann, status);
        const later = fresh('r');
        const roster = new Roster(bob, later, await bob.join(later));
        await ann.join(later);
        await bob.settle();
        const shown = (await look(bob, {roomId: later})).map((user) => [user.userId, user.status]).sort();
        assert.deepEqual([roster.people, roster.faults], [shown, []]);
      });
    }

    it('presence: of a room for who is in it, of users for everybody, in the order asked', async () => {
      const {roomId, ann, bob, cid} = await scene();
      await hall.open(ann.user, 'native');
      matches(
          await ann.must('presence', {roomId}),
          {success: true, users: [viewOf(ann, 'online', 2), viewOf(bob)]});
      await cid.fails('not-in-room', 'presence', {roomId});
      const nobody = {userId: 'nobody', user: {}, status: 'offline', lastSeen: null, connections: 0};
      matches(
          await look(cid, {userIds: [bob.user, 'nobody', ann.user, bob.user]}),
          [viewOf(bob), nobody, viewOf(ann, 'online', 2), viewOf(bob)]);
      matches(await look(cid, {userIds: []}), []);
      await cid.fails('invalid-format', 'presence', {});
      await cid.fails('invalid-format', 'presence', {roomId, userIds: []});
      await cid.fails('too-large', 'presence', {userIds: Array(1001).fill('x')});
    });

    it('a goodbye: user-left at once; offline, with lastSeen, after the grace period', async () => {
      const {ann, bob} = await scene();
      const before = Date.now();
      await ann.leave();
      await bob.take('user-left');
      matches(await look(bob, {userIds: [ann.user]}), [viewOf(ann, 'online', 0)]);
      const view =
          await until(async () => (await look(bob, {userIds: [ann.user]})).find(isOffline), 'offline');
      assert.ok(Date.now() - before >= GRACE_MS - 20, 'not before its time');
      matches(view, viewOf(ann, 'offline', 0, (lastSeen) => lastSeen >= before && lastSeen <= Date.now()));
      await hear([bob, []]);
    });

    it('a status lasts over a short absence, and begins anew after a long one', async () => {
      const {roomId, ann, bob} = await scene();
      await set(ann, 'away');
      await ann.leave();
      await bob.take('user-left');
      const soon = await hall.open(ann.user, protocol);
      await bob.take('user-joined');
      assert.equal((await look(bob, {roomId})).find(({userId}) => userId === ann.user).status, 'away');
      await soon.leave();
      await until(async () => (await look(bob, {userIds: [ann.user]})).find(isOffline), 'offline');
      await hall.open(ann.user, protocol);
      assert.equal((await look(bob, {userIds: [ann.user]}))[0].status, 'online');
    });
  });
}

describe('a large room', {concurrency: true}, () => {
  /**
   * A room with a watcher and `count` more, all over different protocols, behind the ticks of their coming.
   */
  async function largeRoom(count) {
    const roomId = fresh('large');
    const watcher = await hall.open(fresh('watcher'));
    await watcher.join(roomId);
    const members = [];
    for (let i = 0; i < count; ++i) {
      members.push(await hall.open(fresh('member'), PROTOCOLS[i % 3]));
      await members[i].join(roomId);
    }
    if (count >= 4) await watcher.take('presence-diff', ({memberCount}) => memberCount === count + 1);
    await heard(watcher, ...members);
    return {roomId, watcher, members};
  }
  const diffOf = (roomId, memberCount, {joins = [], leaves = [], updates = []}) =>
      ({roomId, joins, leaves, updates, memberCount, timestamp: isTime});

  it('is told once a tick what has changed, and nothing else', async () => {
    const {roomId, watcher, members: [ann, bob, cid]} = await largeRoom(5);
    const newcomer = await hall.open(fresh('new'));
    const joined = await newcomer.join(roomId);
    assert.deepEqual([joined.memberCount, joined.members.length], [7, 7], 'the answer is whole at once');
    await ann.must('leave-room', {roomId});
    await bob.must('update-status', {status: 'away'});
    await bob.must('update-status', {status: 'busy'});
    await hear([watcher, []]);
    const diff = diffOf(roomId, 6, {
      joins: [memberOf(newcomer)],
      leaves: [{userId: ann.user}],
      updates: [{userId: bob.user, status: 'busy'}],
    });
    for (const client of [watcher, bob, cid, newcomer]) matches(await client.take('presence-diff'), diff);
    await hear([watcher, []], [bob, []]);
  });

  it('changes that cancel each other are not told', async () => {
    const {roomId, watcher, members: [ann, bob]} = await largeRoom(5);
    const guest = await hall.open(fresh('guest'));
    await guest.join(roomId);
    await guest.must('leave-room', {roomId});
    await ann.must('leave-room', {roomId});
    await ann.join(roomId);
    await bob.must('update-status', {status: 'away'});
    await bob.must('leave-room', {roomId});
    matches(await watcher.take('presence-diff'), diffOf(roomId, 5, {
              leaves: [{userId: bob.user}],
              updates: [{userId: ann.user, status: 'online'}],
            }));
    await hear([watcher, []]);
  });

  it('offline comes with lastSeen there, too', async () => {
    const {roomId, watcher, members: [ann]} = await largeRoom(5);
    await ann.must('update-status', {status: 'invisible'});
    matches(
        await watcher.take('presence-diff'),
        diffOf(roomId, 6, {updates: [{userId: ann.user, status: 'offline', lastSeen: isTime}]}));
  });

  it('that becomes small within a tick tells everything once, and in an order that makes sense', async () => {
    const {roomId, watcher, members: [ann, bob, cid]} = await largeRoom(4);
    const roster = new Roster(watcher, roomId, await watcher.join(roomId));
    const newcomer = await hall.open(fresh('new'));
    await newcomer.join(roomId);  // six of them: it is told with the tick
    for (const client of [ann, bob, cid]) await client.must('leave-room', {roomId});  // three are left
    await newcomer.must('update-status', {status: 'away'});
    await ann.join(roomId);
    const people = async () =>
        (await watcher.must('presence', {roomId})).users.map(({userId, status}) => [userId, status]).sort();
    await until(async () => isDeepStrictEqual(roster.people, await people()), 'the truth is known');
    assert.deepEqual(roster.faults, []);
    assert.equal(roster.people.length, 4);
  });
});
