// Calls over every protocol: the whole table of src/services/calls/call_registry.h through real connections.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {fresh, hear, heard, isId, isText, isTime, matches} from './support/shapes.mjs';

const RING_MS = 300;
let hall;
let impatient;
before(async () => {
  const calls = {
    stunUrls: ['stun:stun.test'],
    turnUrls: ['turn:turn.test'],
    turnSecret: 'shared',
    turnLifetime: 60_000
  };
  [hall, impatient] = await Promise.all([Hall.start({calls}), Hall.start({calls: {ringTimeout: RING_MS}})]);
});
after(() => Promise.all([hall.stop(), impatient.stop()]));

const offer = {
  type: 'offer',
  sdp: 'v=0\r\n'
};
const answer = {
  type: 'answer',
  sdp: 'v=1\r\n'
};
const incoming = (callId, from, media = 'video') =>
    ['incoming-call', {callId, fromUserId: from.user, fromUser: {name: from.user}, offer, media}];
const missedBy =
    (callId, target,
     reason) => ['call-missed', {callId, userId: target.user ?? target, reason, timestamp: isTime}];
const missedFrom = (callId, from, reason) =>
    ['call-missed', {callId, fromUserId: from.user, fromUser: {name: from.user}, reason, timestamp: isTime}];
const taken = (callId) => ['call-taken', {callId}];
const ended = (callId, reason) => ['call-ended', {callId, reason}];

for (const protocol of PROTOCOLS) {
  describe(`calls over ${protocol}`, () => {
    const open = (name, over = protocol, at = hall) => at.open(fresh(name), over);
    /** ann with two devices, bob with three, and somebody else. */
    const scene = async () => {
      const [ann, bob, eve] = [await open('ann'), await open('bob'), await open('eve')];
      const [annToo, bobToo] = [await hall.open(ann.user, 'socketio'), await hall.open(bob.user, 'socketio')];
      return {ann, annToo, bob, bobToo, bobThird: await hall.open(bob.user, 'msgpack'), eve};
    };
    const call = (from, to, over = {}) =>
        from.must('call-user', {targetUserId: to.user ?? to, offer, media: 'video', ...over});
    /** The same, and everybody has heard that it rings. */
    const ringing = async (all) => {
      const {callId} = await call(all.ann, all.bob);
      await heard(...Object.values(all));
      return callId;
    };
    const talking = async (all) => {
      const callId = await ringing(all);
      await all.bob.must('call-answer', {callId, answer});
      await heard(...Object.values(all));
      return callId;
    };

    it('rings on every device; one answers, the others hear that it was taken', async () => {
      const {ann, annToo, bob, bobToo, bobThird, eve} = await scene();
      const made = await call(ann, bob);
      matches(made, {success: true, callId: isId, ringing: 3});
      const {callId} = made;
      await hear(
          ...[bob, bobToo, bobThird].map((client) => [client, [incoming(callId, ann)]]), [ann, []],
          [annToo, []], [eve, []]);
      matches(await bob.must('call-answer', {callId, answer}), {success: true});
      await hear(
          [ann, [['call-answered', {callId, answer}]]], [bobToo, [taken(callId)]],
          [bobThird, [taken(callId)]], [bob, []], [annToo, []], [eve, []]);
      for (const late of [bob, bobToo]) await late.fails('conflict', 'call-answer', {callId, answer});
      for (const late of [bob, bobThird]) await late.fails('conflict', 'call-reject', {callId});
      for (const other of [annToo, bobToo]) {
        await other.fails('conflict', 'call-end', {callId});
        await other.fails('conflict', 'ice-candidate', {callId, candidate: 1});
      }
      await hear([ann, []], [bob, []], [bobToo, []]);
    });

    it('strangers, and who asks for what is not, cannot tell the two apart', async () => {
      const all = await scene();
      const callId = await ringing(all);
      const ask = async (id) => {
        const texts = [];
        for (const [event, fields] of [
                 ['call-answer', {answer}], ['call-reject', {}], ['call-end', {}],
                 ['ice-candidate', {candidate: 1}]])
          texts.push((await all.eve.fails('not-found', event, {callId: id, ...fields})).error);
        return texts;
      };
      assert.deepEqual(await ask(callId), await ask('nothing'));
      for (const client of [all.ann, all.annToo]) {
        await client.fails('not-found', 'call-answer', {callId, answer});
        await client.fails('not-found', 'call-reject', {callId});
      }
      for (const client of [all.bob, all.bobToo]) {
        await client.fails('conflict', 'call-end', {callId});
        await client.fails('conflict', 'ice-candidate', {callId, candidate: 1});
      }
      await all.annToo.fails('conflict', 'call-end', {callId});
      await hear(...Object.values(all).map((client) => [client, []]));
      await all.bob.must('call-answer', {callId, answer});
      assert.deepEqual(await ask(callId), await ask('nothing'));
    });

    it('a device refuses for all', async () => {
      const all = await scene();
      const callId = await ringing(all);
      await all.bobToo.must('call-reject', {callId, reason: 'not now'});
      await hear(
          [all.ann, [['call-rejected', {callId, reason: 'not now'}]]], [all.bob, [taken(callId)]],
          [all.bobThird, [taken(callId)]], [all.bobToo, []], [all.annToo, []]);
      await all.bob.fails('not-found', 'call-answer', {callId, answer});
      const second = await ringing(all);
      await all.bob.must('call-reject', {callId: second});
      await hear([all.ann, [['call-rejected', {callId: second, reason: 'rejected'}]]]);
    });

    it('the caller cancels, or either end hangs up: the other one hears why', async () => {
      const all = await scene();
      const {ann, annToo, bob, bobToo, bobThird} = all;
      let callId = await ringing(all);
      matches(await ann.must('call-end', {callId}), {success: true});
      await hear(
          ...[bob, bobToo, bobThird].map((client) => [client, [ended(callId, 'cancelled')]]), [ann, []],
          [annToo, []]);
      callId = await talking(all);
      await bob.must('call-end', {callId});
      await hear([ann, [ended(callId, 'ended')]], [bobToo, []], [annToo, []], [bob, []]);
      callId = await talking(all);
      await ann.must('call-end', {callId, reason: 'battery'});
      await hear([bob, [ended(callId, 'battery')]], [bobToo, []], [annToo, []], [ann, []]);
      await ann.fails('not-found', 'call-end', {callId});
    });

    it('candidates wait for the answer, keep their order, and reach the other end alone', async () => {
      const all = await scene();
      const {ann, annToo, bob, bobToo, eve} = all;
      const callId = await ringing(all);
      const candidate = (n) => ({candidate: `candidate:${n}`, sdpMid: '0', n});
      const event = (n) => ['ice-candidate', {callId, candidate: candidate(n)}];
      for (const n of [1, 2, 3])
        matches(await ann.must('ice-candidate', {callId, candidate: candidate(n)}), {success: true});
      await hear([bob, []], [bobToo, []]);
      await bobToo.must('call-answer', {callId, answer});
      await hear([bobToo, [event(1), event(2), event(3)]], [bob, [taken(callId)]], [eve, []], [annToo, []]);
      await heard(ann);
      const numbers = Array.from({length: 40}, (_, i) => i + 4);
      await Promise.all(numbers.flatMap(
          (n) => [ann, bobToo].map(
              (client) => client.must('ice-candidate', {callId, candidate: candidate(n)}))));
      await hear([ann, numbers.map(event)], [bobToo, numbers.map(event)], [bob, []], [annToo, []], [eve, []]);
    });

    it('what is kept while it rings is bounded', async () => {
      const all = await scene();
      const callId = await ringing(all);
      for (let n = 0; n < 64; ++n) await all.ann.must('ice-candidate', {callId, candidate: n});
      await all.ann.fails('limit-reached', 'ice-candidate', {callId, candidate: 64});
      await all.bob.must('call-answer', {callId, answer});
      assert.equal((await heard(all.bob))[0].length, 64);
      await all.ann.must('ice-candidate', {callId, candidate: 64});
    });

    it('busy: who talks, calls or is called takes no other call', async () => {
      const all = await scene();
      const [fay, {ann, bob, bobToo, bobThird, eve}] = [await open('fay'), all];
      for (const begin of [ringing, talking]) {
        const callId = await begin(all);
        for (const target of [ann, bob]) {
          const tried = await call(eve, target);
          matches(tried, {success: true, callId: isId, ringing: 0});
          await hear([eve, [['call-rejected', {callId: tried.callId, reason: 'busy'}]]]);
          const missed = missedFrom(tried.callId, eve, 'busy');
          if (target === bob)
            await hear(...[bob, bobToo, bobThird].map((client) => [client, [missed]]));
          else
            assert.deepEqual((await heard(ann, all.annToo)).map((events) => events.length), [1, 1]);
          await fay.fails('not-found', 'call-end', {callId: tried.callId});
        }
        await ann.fails('conflict', 'call-user', {targetUserId: fay.user, offer, media: null});
        await all.annToo.fails('conflict', 'call-user', {targetUserId: fay.user, offer, media: null});
        await ann.must('call-end', {callId});
        await heard(...Object.values(all));
      }
      await hear([fay, []]);
    });

    it('glare: the second of two who call each other is told of the first one\'s call', async () => {
      const [ann, bob] = [await open('ann'), await open('bob')];
      const [one, two] = await Promise.all([ann, bob].map(
          (client, at) =>
              client.ask('call-user', {targetUserId: [bob, ann][at].user, offer, media: 'audio'})));
      const [won, lost, winner, loser] = one.success ? [one, two, ann, bob] : [two, one, bob, ann];
      matches(won, {success: true, callId: isId, ringing: 1});
      matches(lost, {error: isText, code: 'conflict', callId: won.callId});
      await loser.must('call-answer', {callId: lost.callId, answer});
      assert.equal((await winner.take('call-answered')).callId, won.callId);
      await hear([loser, [incoming(won.callId, winner, 'audio')]]);
    });

    it('nobody there: 0 ring, and call-missed follows the answer', async () => {
      const [ann, nobody] = [await open('ann'), fresh('nobody')];
      const {callId, ringing: devices} = await call(ann, nobody);
      assert.equal(devices, 0);
      await hear([ann, [missedBy(callId, nobody, 'offline')]]);
      assert.deepEqual(
          ann.arrivals.slice(-3), ['answer to call-user', 'call-missed', 'answer to ice-servers']);
      await ann.fails('invalid-format', 'call-user', {targetUserId: ann.user, offer, media: null});
    });

    it('no answer in time: missed at both ends', async () => {
      const [ann, bob] = [await open('ann', protocol, impatient), await open('bob', protocol, impatient)];
      const device = await impatient.open(bob.user, 'socketio');
      const [begun, {callId}] = [Date.now(), await call(ann, bob)];
      await ann.must('ice-candidate', {callId, candidate: 1});
      matches(await ann.take('call-missed'), missedBy(callId, bob, 'no-answer')[1]);
      assert.ok(Date.now() - begun >= RING_MS - 20);
      for (const client of [bob, device])
        matches(await client.take('call-missed'), missedFrom(callId, ann, 'no-answer')[1]);
      await bob.fails('not-found', 'call-answer', {callId, answer});
      assert.equal((await call(bob, ann)).ringing, 1, 'both are free again');
    });

    for (const how of ['leave', 'lose']) {
      it(`the caller's connection ends (${how}): nobody rings any more, and who talked hears it`,
         async () => {
           const all = await scene();
           let callId = await ringing(all);
           await all.ann[how]();
           for (const client of [all.bob, all.bobToo])
             matches(await client.take('call-ended'), ended(callId, 'disconnected')[1]);
           const again = {...all, ann: await hall.open(all.ann.user, protocol)};
           callId = await talking(again);
           await again.ann[how]();
           matches(await all.bob.take('call-ended'), ended(callId, 'disconnected')[1]);
           await hear([all.bobToo, []], [all.annToo, []]);
           await all.bob.fails('not-found', 'call-end', {callId});
         });

      it(`the callee's connection ends (${how}): the others ring on, the last one leaves it missed`,
         async () => {
           const all = await scene();
           let callId = await ringing(all);
           await all.bob[how]();
           await all.bobThird[how]();
           await until(
               async () =>
                   (await all.ann.must('presence', {userIds: [all.bob.user]})).users[0].connections === 1);
           await hear([all.ann, []], [all.bobToo, []]);
           await all.bobToo[how]();
           matches(await all.ann.take('call-missed'), missedBy(callId, all.bob, 'offline')[1]);
           const again =
               {...all, bob: await hall.open(all.bob.user, protocol), bobToo: all.eve, bobThird: all.eve};
           callId = await talking(again);
           await again.bob[how]();
           matches(await all.ann.take('call-ended'), ended(callId, 'disconnected')[1]);
         });
    }

    it('a device that comes while it rings may answer, too', async () => {
      const all = await scene();
      const callId = await ringing(all);
      const late = await hall.open(all.bob.user, protocol);
      await late.must('call-answer', {callId, answer});
      await hear([all.ann, [['call-answered', {callId, answer}]]], [all.bob, [taken(callId)]], [late, []]);
    });

    it('values travel as they are: text, numbers, lists, objects, nothing for media', async () => {
      const [ann, bob] = [await open('ann'), await open('bob')];
      for (const sent of ['text', 7, [1, {a: null}], {sdp: 'x', more: {deep: [true]}}]) {
        const {callId} = await call(ann, bob, {offer: sent, media: undefined});
        const got = await bob.take('incoming-call');
        assert.deepEqual([got.offer, got.media], [sent, null]);
        await ann.must('call-end', {callId});
      }
    });

    it('bytes in an offer arrive as bytes on every protocol, or are refused', async () => {
      const all = await scene();
      const sent = {sdp: 'x', key: Buffer.from([0, 1, 255])};
      const made = await all.ann.ask('call-user', {targetUserId: all.bob.user, offer: sent, media: null});
      if (made.code === 'invalid-format') return;
      for (const client of [all.bob, all.bobToo, all.bobThird])
        assert.deepEqual((await client.take('incoming-call')).offer, sent, client.protocol);
    });

    it('ice-servers: STUN, and TURN with a credential for a while', async () => {
      const ann = await open('ann');
      const {iceServers, success} = await ann.must('ice-servers', {});
      const until60s = (name) =>
          Math.abs(Number(name.split(':')[0]) - Date.now() / 1000 - 60) < 5 && name.endsWith(`:${ann.user}`);
      matches({success, iceServers}, {
        success: true,
        iceServers: [
          {urls: ['stun:stun.test']},
          {urls: ['turn:turn.test'], username: until60s, credential: (text) => /^[\w+/]{27}=$/.test(text)}
        ]
      });
      const {createHmac} = await import('node:crypto');
      assert.equal(
          iceServers[1].credential,
          createHmac('sha1', 'shared').update(iceServers[1].username).digest('base64'));
    });
  });
}
