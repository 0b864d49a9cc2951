// What clients should not send, over every protocol: every field of every event with every wrong kind of
// value, and what is not theirs to ask. Each has its code and a text that names the field; nothing of it
// happens; nobody else hears of it; and the connection goes on.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import * as bad from './support/bad_values.mjs';
import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {fresh, hear, heard} from './support/shapes.mjs';

let hall;
before(async () => {
  hall = await Hall.start();
});
after(() => hall.stop());

const ROOM = {
  roomId: bad.NAME
};
const CONTENT = {
  content: bad.text(64 * 1024)
};
const ID = bad.text(128);
const KIND = bad.optionalText(64);
const KEY = bad.optionalText(128);
const SIGNAL = bad.something(64 * 1024);
const UPLOAD = {
  name: bad.text(255),
  size: bad.NUMBER,
  mime: bad.text(127),
  sha256: bad.optionalText(64)
};

/** Each event with fields that would do (`scene` gives them), and what each of them must not be. */
const TABLE = [
  ['join-room', () => ({roomId: fresh('r')}), ROOM],
  ['join-room', ({roomId}) => ({room: roomId}), {room: bad.NAME}],
  [
    'join-room', ({roomId}) => ({roomId, since: {seq: 0, epoch: 'x'}}), {
      since: [
        5, 'x', true, [], {}, {seq: 1}, {epoch: 'x'}, {seq: -1, epoch: 'x'}, {seq: 1.5, epoch: 'x'},
        {seq: '1', epoch: 'x'}, {seq: 1, epoch: 5}, {seq: 2 ** 63, epoch: 'x'}
      ].map((value) => [value, 'invalid-format']),
    }
  ],
  ['leave-room', ({roomId}) => ({roomId}), ROOM],
  [
    'message', ({roomId}) => ({roomId, content: 'x'}),
    {...ROOM, ...CONTENT, type: KIND, clientMessageId: KEY, replyTo: KEY}
  ],
  ['broadcast', ({roomId}) => ({room: roomId, data: 1}), {room: bad.NAME}],
  [
    'edit-message', ({roomId, messageId}) => ({roomId, messageId, content: 'y'}),
    {...ROOM, ...CONTENT, messageId: ID}
  ],
  ['delete-message', ({roomId, messageId}) => ({roomId, messageId}), {...ROOM, messageId: ID}],
  [
    'history', ({roomId}) => ({roomId}),
    {...ROOM, before: bad.OPTIONAL_NUMBER, after: bad.OPTIONAL_NUMBER, limit: bad.OPTIONAL_NUMBER}
  ],
  [
    'create-room', () => ({roomId: fresh('r')}),
    {...ROOM, type: KIND, name: bad.optionalText(255), metadata: bad.optionalObject(4096)}
  ],
  ['invite', ({roomId}) => ({roomId, userId: 'x'}), {...ROOM, userId: bad.NAME, role: KIND}],
  ['kick', ({roomId, bob}) => ({roomId, userId: bob.user}), {...ROOM, userId: bad.NAME, reason: KEY}],
  [
    'set-role', ({roomId, bob}) => ({roomId, userId: bob.user, role: 'member'}),
    {...ROOM, userId: bad.NAME, role: bad.text(64)}
  ],
  ['typing', ({roomId}) => ({roomId}), ROOM],
  ['stop-typing', ({roomId}) => ({roomId}), ROOM],
  ['update-status', () => ({status: 'away'}), {status: bad.STATUS}],
  ['presence', ({roomId}) => ({roomId}), {roomId: bad.OPTIONAL_NAME}],
  ['presence', () => ({userIds: ['x']}), {userIds: bad.IDS.filter(([value]) => value?.[0]?.length !== 129)}],
  [
    'private-message', ({bob}) => ({targetUserId: bob.user, content: 'x'}),
    {targetUserId: bad.NAME, ...CONTENT, type: KIND, clientMessageId: KEY}
  ],
  ['mark-read', ({roomId}) => ({roomId, upTo: 1}), {...ROOM, upTo: bad.NUMBER}],
  ['mark-read', () => ({messageIds: ['x']}), {messageIds: bad.IDS}],
  [
    'upload-start', ({roomId}) => ({roomId, name: 'x', size: 1, mime: 'a/b'}),
    {...UPLOAD, roomId: bad.OPTIONAL_NAME, uploadId: KEY}
  ],
  [
    'upload-start', ({bob}) => ({targetUserId: bob.user, name: 'x', size: 1, mime: 'a/b'}),
    {...UPLOAD, targetUserId: bad.OPTIONAL_NAME}
  ],
  [
    'upload-chunk', ({uploadId}) => ({uploadId, offset: 0, data: 'YQ=='}),
    {uploadId: ID, offset: bad.NUMBER, data: bad.BASE64}
  ],
  ['upload-abort', ({uploadId}) => ({uploadId}), {uploadId: ID}],
  [
    'call-user', ({bob}) => ({targetUserId: bob.user, offer: 'o', media: 'm'}),
    {targetUserId: bad.NAME, offer: SIGNAL}
  ],
  ['call-answer', () => ({callId: 'x', answer: 'a'}), {callId: ID, answer: SIGNAL}],
  ['call-reject', () => ({callId: 'x'}), {callId: ID, reason: bad.optionalText(4096)}],
  ['call-end', () => ({callId: 'x'}), {callId: ID, reason: bad.optionalText(4096)}],
  ['ice-candidate', () => ({callId: 'x', candidate: 'c'}), {callId: ID, candidate: SIGNAL}],
  ['push-subscribe', () => ({subscription: {}}), {subscription: bad.something(4096)}],
  [
    'push-unsubscribe', () => ({subscription: 'https://x'}), {
      subscription: [
        ...bad.something(4096), ...[5, true, [], {}, {endpoint: 5}].map((value) => [value, 'invalid-format'])
      ]
    }
  ],
  [
    'refresh-token', () => ({token: 'x'}),
    {token: [undefined, null, 5, true, [], {}, Buffer.from('x')].map((value) => [value, 'invalid-format'])}
  ],
];

/** ann's room, where she is the owner: a message of hers, bob, and an upload that has begun. */
async function sceneOver(protocol) {
  const roomId = fresh('r');
  const [ann, bob] = [await hall.open(fresh('ann'), protocol), await hall.open(fresh('bob'))];
  await ann.must('create-room', {roomId, type: 'team'});
  await ann.join(roomId);
  await ann.must('invite', {roomId, userId: bob.user, role: 'member'});
  await bob.join(roomId);
  const {messageId} = await ann.must('message', {roomId, content: 'x'});
  const {uploadId} = await ann.must('upload-start', {roomId, name: 'x', size: 1, mime: 'a/b'});
  await heard(ann, bob);
  return {roomId, ann, bob, messageId, uploadId};
}
/** What an event could have changed. */
async function stateOf({roomId, ann, bob, uploadId}) {
  return {
    history: (await ann.must('history', {roomId})).messages,
    room: (await bob.join(roomId)).room,
    people: (await ann.must('presence', {roomId})).users,
    upload: (await ann.must('upload-start', {uploadId})).offset,
  };
}

for (const protocol of PROTOCOLS) {
  describe(`bad values over ${protocol}`, () => {
    let scene;
    before(async () => {
      scene = await sceneOver(protocol);
    });

    for (const [event, good, fields] of TABLE) {
      it(`${event}: ${Object.keys(fields).join(', ')}`, async () => {
        const {ann, bob} = scene;
        const first = await stateOf(scene);
        await heard(ann, bob);
        const wrong = [];
        for (const [name, values] of Object.entries(fields)) {
          for (const [value, code] of values) {
            const answer = await ann.ask(event, {...good(scene), [name]: value});
            const named =
                answer.error?.includes(name) || (name === 'room' && answer.error?.includes('roomId'));
            if (answer.code !== code || !named || answer.success !== undefined)
              wrong.push(`${name}: ${String(JSON.stringify(value)).slice(0, 60)}: ${code} wanted: ${
                  JSON.stringify(answer)}`);
          }
        }
        assert.deepEqual(wrong, []);
        await hear([ann, []], [bob, []]);
        assert.deepEqual(await stateOf(scene), first);
      });
    }

    it('arguments that are no object', async () => {
      const {ann} = scene;
      if (protocol !== 'socketio') return;
      for (const event of new Set(TABLE.map(([name]) => name))) {
        for (const value of [null, 5, true, ['x'], Buffer.from('x'), undefined]) {
          const answer = await new Promise((resolve) => {
            ann.socket.emit(event, value, resolve);
          });
          assert.equal(answer.code, 'invalid-format', `${event}: ${JSON.stringify(answer)}`);
        }
        const none = await new Promise((resolve) => {
          ann.socket.emit(event, resolve);
        });
        assert.equal(none.code, 'invalid-format', event);
      }
    });

    it('rooms that the client is not in', async () => {
      const {roomId, messageId, bob} = scene;
      await heard(bob);
      const eve = await hall.open(fresh('eve'), protocol);
      const name = {name: 'x', size: 1, mime: 'a/b'};
      for (const [event, fields] of [
               ['leave-room', {}], ['message', {content: 'x'}], ['broadcast', {data: 1}],
               ['edit-message', {messageId, content: 'y'}], ['delete-message', {messageId}], ['history', {}],
               ['invite', {userId: eve.user}], ['kick', {userId: bob.user}],
               ['set-role', {userId: eve.user, role: 'owner'}], ['typing', {}], ['stop-typing', {}],
               ['presence', {}], ['mark-read', {upTo: 1}], ['upload-start', name]]) {
        for (const where of [roomId, 'no such room', eve.hello.clientId, scene.ann.hello.clientId])
          await eve.fails('not-in-room', event, {roomId: where, ...fields});
      }
      for (const where of [roomId, eve.hello.clientId, scene.ann.hello.clientId])
        await eve.fails('access-denied', 'join-room', {roomId: where});
      await eve.fails('access-denied', 'create-room', {roomId: scene.ann.hello.clientId});
      await hear([bob, []], [eve, []]);
    });

    it('messages of other rooms, and of nobody', async () => {
      const {ann, bob, messageId, roomId} = scene;
      const other = fresh('r');
      for (const client of [ann, bob]) await client.join(other);
      await heard(ann, bob);
      for (const [event, fields] of [['edit-message', {content: 'y'}], ['delete-message', {}]]) {
        await ann.fails('not-found', event, {roomId: other, messageId, ...fields});
        await ann.fails('not-found', event, {roomId, messageId: '"; DROP TABLE', ...fields});
        await bob.fails('access-denied', event, {roomId, messageId, ...fields});
      }
      await hear([ann, []], [bob, []]);
    });

    it('an event that nobody knows', async () => {
      const answer = await scene.ann.fails('unknown-event', 'no-such-event', {x: 1});
      assert.equal(answer.error, 'Unknown event');
    });

    it('nesting: thirty deep is passed on, what is deeper ends this connection and no other', async () => {
      const [eve, {bob}] = [await hall.open(fresh('eve'), protocol), scene];
      const roomId = fresh('r');
      for (const client of [eve, bob]) await client.join(roomId);
      await heard(bob);
      const nested = (depth) => (depth === 0 ? 1 : [nested(depth - 1)]);
      await eve.must('broadcast', {room: roomId, data: nested(30)});
      await hear([bob, [['broadcast', {room: roomId, data: nested(30), from: eve.user}]]]);
      eve.tell('broadcast', {room: roomId, data: nested(40)});
      const {code} = await eve.gone();
      if (protocol !== 'socketio') assert.equal(code, 1007);
      await bob.take('user-left');
      await hear([bob, []]);
    });
  });
}

describe('native frames', () => {
  it('that are no requests are answered with an error, and the connection goes on', async () => {
    const ann = await hall.open(fresh('ann'));
    for (const frame
             of ['[1]', '5', '"x"', 'null', 'true', '{}', '{"type":5}', '{"type":""}', '{"type":null}',
                 '{"type":"message","id":{}}', '{"type":"message","id":null}', '{"type":["message"]}']) {
      ann.socket.send(frame);
      const error = await ann.take('error');
      assert.equal(error.code, 'invalid-format', frame);
    }
    await ann.settle();
  });

  it('that come twice are answered twice, and done once where twice makes no sense', async () => {
    const [ann, roomId] = [await hall.open(fresh('ann')), fresh('r')];
    const twice = async (frame) => {
      ann.send(frame);
      ann.send(frame);
      const answers = await ann.takeMany('answer to nobody', 2);
      return answers.map(({id, success, code}) => `${id}: ${success ?? code}`).sort();
    };
    assert.deepEqual(
        await twice({type: 'create-room', roomId, id: 'same'}), ['same: conflict', 'same: true']);
    assert.deepEqual(await twice({type: 'join', roomId, id: 7}), ['7: true', '7: true']);
  });

  it('without an id: a failure is an event, and a success is silent', async () => {
    const ann = await hall.open(fresh('ann'));
    ann.send({type: 'message', roomId: 'nowhere', content: 'x'});
    assert.deepEqual(await ann.take('error'), {error: 'Not in room', code: 'not-in-room'});
    ann.send({type: 'update-status', status: 'away'});
    await hear([ann, []]);
  });

  it('`ping` gets one `pong` with its id, and no ack', async () => {
    const ann = await hall.open(fresh('ann'));
    ann.send({type: 'ping', id: 'p1'});
    const pong = await ann.take('pong');
    assert.deepEqual(Object.keys(pong).sort(), ['id', 'timestamp']);
    assert.equal(pong.id, 'p1');
    await hear([ann, []]);
  });
});
