// Limits of the hall: how often, how many, and that each of them is of one user over all connections.
import assert from 'node:assert/strict';
import {describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {connect, PROTOCOLS} from './support/clients.mjs';
import {Hall, sign} from './support/hall.mjs';
import {isText, matches} from './support/shapes.mjs';

const withHall = async (config, run) => {
  const hall = await Hall.start(config);
  try {
    await run(hall);
  } finally {
    await hall.stop();
  }
};
const isWait =
    (most) => function wait(value) { return Number.isInteger(value) && value > 0 && value <= most; };
/** Sends all at once. Returns: how many were refused for their number, and the last answer. */
async function flood(client, count, event, fields = {}) {
  const answers = await Promise.all(Array.from({length: count}, () => client.ask(event, fields)));
  const refused = answers.filter(({code}) => code === 'rate-limited');
  return {
    refused: refused.length,
    last: refused.at(-1),
    first: answers.findIndex(({code}) => code === 'rate-limited')
  };
}

describe('rates', () => {
  /** A kind's name, how many may come at once, and an event of it that costs nothing. */
  const KINDS = [
    ['room changes', 600, 'leave-room', {roomId: 'nowhere'}],
    ['queries', 600, 'presence', {}],
    ['typing', 60, 'stop-typing', {roomId: 'nowhere'}],
    ['signals', 1200, 'call-end', {}],
    ['pieces of files', 6000, 'upload-abort', {}],
  ];
  for (const protocol of PROTOCOLS) {
    it(`have a bound for each kind, over ${protocol}`,
       () => withHall({}, async (hall) => {
         const clients = await Promise.all(KINDS.map(([name]) => hall.open(name, protocol)));
         for (const [at, [name, bound, event, fields]] of KINDS.entries()) {
           if (bound > 2000 && protocol !== 'native') continue;
           const begun = Date.now();
           const more = Math.ceil(bound / 3);
           const {refused, last, first} = await flood(clients[at], bound + more, event, fields);
           const back = Math.ceil((Date.now() - begun) / 60_000 * (name === 'typing' ? 300 : bound)) + 1;
           assert.ok(
               first >= bound && refused <= more && refused >= more - back,
               `${name}: ${refused} refused from ${first} on`);
           matches(last, {error: 'Rate limit exceeded', code: 'rate-limited', retryAfter: isWait(1000)});
           await clients[at].fails('invalid-format', 'message', {});  // of another kind
         }
       }));
  }

  it('messages are counted over all connections and protocols of a user, and of no other',
     () => withHall({rateLimit: {messagesPerMinute: 6, burst: 6}}, async (hall) => {
       const devices = await Promise.all(PROTOCOLS.map((protocol) => hall.open('ann', protocol)));
       const bob = await hall.open('bob');
       for (const client of [devices[0], bob]) await client.join('r');
       const {messageId} = await devices[0].must('message', {roomId: 'r', content: '1'});
       await devices[1].must('join-room', {roomId: 'r'});
       await devices[1].must('private-message', {targetUserId: 'bob', content: '2'});
       await devices[2].must('join-room', {roomId: 'r'});
       await devices[2].must('broadcast', {room: 'r', data: 3});
       await devices[0].must('edit-message', {roomId: 'r', messageId, content: '4'});
       await devices[1].fails('unknown-event', 'an event of nobody', {});
       await devices[2].must('delete-message', {roomId: 'r', messageId});
       for (const [client, event] of [
                [devices[0], 'message'], [devices[1], 'private-message'], [devices[2], 'broadcast'],
                [devices[0], 'another'], [devices[1], 'edit-message']])
         matches(
             await client.ask(event, {roomId: 'r', content: 'x'}),
             {error: isText, code: 'rate-limited', retryAfter: isWait(10_000)});
       for (const client of devices) await client.must('history', {roomId: 'r'});
       await bob.must('message', {roomId: 'r', content: 'x'});
       await devices[0].leave();
       await (await hall.open('ann'))
           .fails('rate-limited', 'message', {roomId: 'r', content: 'a new connection'});
     }));

  it('a refused message is not stored, and its key is free',
     () => withHall({rateLimit: {messagesPerMinute: 600, burst: 1}}, async (hall) => {
       const ann = await hall.open('ann');
       await ann.join('r');
       const sent = {roomId: 'r', content: 'x', clientMessageId: 'k'};
       await ann.must('message', {roomId: 'r', content: 'first'});
       let answer = await ann.ask('message', sent);
       assert.equal(answer.code, 'rate-limited');
       assert.ok(answer.retryAfter <= 100);
       while (answer.code === 'rate-limited') answer = await ann.ask('message', sent);
       assert.deepEqual([answer.seq, answer.duplicate], [2, undefined]);
     }));

  it('coming again is no way to a new allowance, whatever the burst of messages is',
     () => withHall(
         {rateLimit: {messagesPerMinute: 60, burst: 1}, presence: {gracePeriod: 0}}, async (hall) => {
           const [ann, bob] = [await hall.open('ann'), await hall.open('bob')];
           const begun = Date.now();
           assert.ok((await flood(ann, 1300, 'call-end')).refused > 0);
           await ann.leave();
           // Long enough for the hall to forget whom it would forget; it gives back twenty in a second.
           await new Promise((resolve) => setTimeout(resolve, 1_300));
           await bob.settle();
           const {refused} = await flood(await hall.open('ann'), 1200, 'call-end');
           assert.ok(
               refused >= 1200 - Math.ceil((Date.now() - begun) / 50) - 1, `${refused} of 1200 were refused`);
         }));

  it('native: without an id the refusal is an event',
     () => withHall({rateLimit: {messagesPerMinute: 1, burst: 1}}, async (hall) => {
       const ann = await hall.open('ann');
       await ann.join('r');
       for (const content of ['1', '2']) ann.tell('message', {roomId: 'r', content});
       matches(await ann.take('error'), {error: isText, code: 'rate-limited', retryAfter: isWait(60_001)});
     }));
});

describe('numbers', () => {
  for (const protocol of PROTOCOLS) {
    it(`connectionsPerUser over ${protocol}`,
       () => withHall({limits: {connectionsPerUser: 2}}, async (hall) => {
         const [first] = [await hall.open('ann', protocol), await hall.open('ann', 'native')];
         const error =
             await connect(hall.url, {user: 'ann', protocol, token: sign('ann')}).catch((caught) => caught);
         if (protocol === 'socketio') {
           assert.equal(error.text, 'Too many connections');
           matches(error.data, {code: 'too-many-connections', retryAfter: isWait(60_000)});
         } else {
           assert.equal(error.status, 429);
           assert.equal(error.body.code, 'too-many-connections');
         }
         await hall.open('bob', protocol);
         await first.leave();
         await hall.open('ann', protocol);
       }));

    it(`roomsPerClient over ${protocol}, also for who is put back`,
       () => withHall({limits: {roomsPerClient: 3}}, async (hall) => {
         const ann = await hall.open('ann', protocol);
         const answers =
             await Promise.all(['a', 'b', 'c', 'd'].map((roomId) => ann.ask('join-room', {roomId})));
         assert.deepEqual(answers.map(({code}) => code), [undefined, undefined, undefined, 'limit-reached']);
         await ann.join('a');  // it is there
         await ann.must('leave-room', {roomId: 'b'});
         await ann.join('d');
         await ann.fails('limit-reached', 'join-room', {roomId: 'b'});
         const device = await hall.open('ann', protocol);
         assert.deepEqual(device.hello.rooms.sort(), ['a', 'c', 'd']);
         await device.fails('limit-reached', 'join-room', {roomId: 'b'});
         await device.must('leave-room', {roomId: 'a'});
         await device.join('b');
         await ann.leave();
         await device.leave();
         assert.equal((await hall.open('ann', protocol)).hello.rooms.length, 3);
       }));
  }

  it('recentMessages sets what a join gives, not what a page of the history has',
     () => withHall({recentMessages: 0}, async (hall) => {
       const ann = await hall.open('ann');
       await ann.join('r');
       for (let i = 0; i < 60; ++i) await ann.must('message', {roomId: 'r', content: 'x'});
       assert.deepEqual((await ann.join('r')).recentMessages, []);
       assert.equal((await ann.must('history', {roomId: 'r'})).messages.length, 50);
     }));

  it('rooms.createOnJoin false: a room must have been made',
     () => withHall({rooms: {createOnJoin: false}}, async (hall) => {
       const [ann, bob] = [await hall.open('ann'), await hall.open('bob')];
       await bob.fails('not-found', 'join-room', {roomId: 'r'});
       await ann.must('create-room', {roomId: 'r'});
       await bob.join('r');
       await bob.leave();
       assert.deepEqual((await hall.open('bob')).hello.rooms, ['r']);
     }));

  it('history.maxMessages: what is older goes, and numbers stay',
     () => withHall({history: {maxMessages: 5}}, async (hall) => {
       const ann = await hall.open('ann');
       const {epoch} = await ann.join('r');
       for (let i = 0; i < 12; ++i) await ann.must('message', {roomId: 'r', content: `${i}`});
       await hall.restart();  // its upkeep comes soon
       const again = await hall.open('ann');
       const page = await until(async () => {
         const newest = await again.must('history', {roomId: 'r'});
         return newest.messages.length < 12 && newest;
       }, 'the upkeep');
       const joined = await again.join('r', {seq: 1, epoch});
       assert.deepEqual(page.messages.map(({seq}) => seq), [8, 9, 10, 11, 12]);
       assert.deepEqual([page.hasMore, page.oldestSeq, joined.seq, joined.epoch], [false, 8, 12, epoch]);
       assert.deepEqual([joined.recovered, joined.missed], [false, []], 'some are not there any more');
       const since = await again.join('r', {seq: 7, epoch});
       assert.deepEqual([since.recovered, since.missed.length], [true, 5]);
       assert.equal((await again.must('message', {roomId: 'r', content: 'x'})).seq, 13);
     }));

  it('more than a thousand missed messages are not given, and that is said',
     () => withHall({}, async (hall) => {
       const ann = await hall.open('ann');
       const {epoch} = await ann.join('r');
       await Promise.all(Array.from({length: 1001}, () => ann.must('message', {roomId: 'r', content: 'x'})));
       const missed = async (seq) => {
         const answer = await ann.join('r', {seq, epoch});
         return [answer.recovered, answer.missed.length];
       };
       assert.deepEqual(await missed(0), [false, 0]);
       assert.deepEqual(await missed(1), [true, 1000]);
     }));

  it('one answer has a bound in bytes, not in messages alone',
     () => withHall({threads: 2}, async (hall) => {
       const [ann, bob, content] =
           [await hall.open('ann'), await hall.open('bob', 'socketio'), 'x'.repeat(64 * 1024)];
       const {epoch} = await ann.join('r');
       for (let i = 0; i < 120; ++i) await ann.must('message', {roomId: 'r', content});
       const sizes = {};
       const sizeOf = (answer) => JSON.stringify(answer).length / (1024 * 1024);
       sizes.join = sizeOf(await bob.join('r'));
       sizes.since = sizeOf(await bob.join('r', {seq: 0, epoch}));
       let pages = 0;
       for (let after = 0, more = true; more; ++pages) {
         const page = await bob.must('history', {roomId: 'r', after, limit: 200});
         sizes.history = Math.max(sizes.history ?? 0, sizeOf(page));
         [after, more] = [page.messages.at(-1).seq, page.hasMore];
         if (!more) assert.equal(after, 120);
       }
       assert.ok(pages < 120);
       const large =
           Object.entries(sizes).filter(([, size]) => size >= 4).map(([
                                                                       what, size
                                                                     ]) => `${what}: ${size.toFixed(1)} MiB`);
       assert.deepEqual(large, []);
     }));

  it('a diff of a large room lists two hundred of a kind, and says how many more there are',
     () =>
         withHall({auth: {mode: 'none'}, threads: 2, presence: {largeRoom: 2, tick: 1_500}}, async (hall) => {
           const guest = () => connect(hall.url, {user: 'guest', protocol: 'native'});
           const [first, second] = [await guest(), await guest()];
           for (const client of [first, second]) await client.join('lobby');
           const guests = [];
           while (guests.length < 240) guests.push(...await Promise.all(Array.from({length: 40}, guest)));
           await Promise.all(guests.map((client) => client.must('join-room', {roomId: 'lobby'})));
           const {members, memberCount} = await first.join('lobby');
           assert.deepEqual([members.length, memberCount], [242, 242]);
           let told = 0;
           while (told < 240) {
             const {joins, more = 0} = await first.take('presence-diff');
             assert.ok(joins.length <= 200 && (more === 0 || joins.length === 200), 'it lists what it can');
             told += joins.length + more - (joins.some(({userId}) => userId === second.hello.userId) ? 1 : 0);
           }
           assert.equal(told, 240);
           for (const client of [first, second, ...guests]) client.destroy();
         }));
});
