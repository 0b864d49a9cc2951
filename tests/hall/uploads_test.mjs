// Files over every protocol: in pieces, over any connection of their user, across restarts, to a room or to a
// user; and what is refused without a trace.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readdirSync} from 'node:fs';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall, sign} from './support/hall.mjs';
import {fresh, hear, heard, isId, isTime, matches, messageOf} from './support/shapes.mjs';

const CHUNK = 256 * 1024;
const bytesOf = (size) => Buffer.alloc(size, 'wirehall');
const sha256Of = (bytes) => createHash('sha256').update(bytes).digest('hex');
const fileOf = (id, name, bytes, mime) =>
    ({id, name, size: bytes.length, mime, sha256: sha256Of(bytes), url: `/files/${id}`});
const startOf = (roomId, bytes, over = {}) =>
    ({roomId, name: 'a.txt', size: bytes.length, mime: 'text/plain', ...over});
const chunk = (client, uploadId, offset, data) => client.ask('upload-chunk', {uploadId, offset, data});

let hall;
before(async () => {
  hall = await Hall.start({uploads: {maxFileSize: 1_000_000, maxBytesPerUser: 2_000_000}});
});
after(() => hall.stop());

for (const protocol of PROTOCOLS) {
  describe(`uploads over ${protocol}`, () => {
    const open = (name, over = protocol) => hall.open(fresh(name), over);
    const scene = async () => {
      const roomId = fresh('r');
      const [ann, bob] = [await open('ann'), await open('bob', 'socketio')];
      for (const client of [ann, bob]) await client.join(roomId);
      await heard(ann, bob);
      return {roomId, ann, bob};
    };
    const start = async (client, fields) => {
      const answer = await client.must('upload-start', fields);
      matches(answer, {success: true, uploadId: isId, chunkSize: CHUNK, offset: 0});
      return answer.uploadId;
    };
    const noFile = async (client, roomId) => {
      await hear([client, []]);
      assert.deepEqual((await client.must('history', {roomId})).messages, []);
    };

    it('to a room: the last piece makes it a message', async () => {
      const {roomId, ann, bob} = await scene();
      const bytes = bytesOf(CHUNK + 1000);
      const uploadId = await start(ann, startOf(roomId, bytes, {name: 'a b.txt', sha256: sha256Of(bytes)}));
      matches(await chunk(ann, uploadId, 0, bytes.subarray(0, CHUNK)), {success: true, offset: CHUNK});
      const half = bytes.subarray(CHUNK, CHUNK + 500).toString('base64');
      matches(await chunk(ann, uploadId, CHUNK, half), {success: true, offset: CHUNK + 500});
      await noFile(bob, roomId);
      const file = fileOf(uploadId, 'a b.txt', bytes, 'text/plain');
      const done = await chunk(ann, uploadId, CHUNK + 500, bytes.subarray(CHUNK + 500));
      matches(done, {success: true, offset: bytes.length, complete: true, file, messageId: isId});
      const message = messageOf(ann, roomId, 1, 'a b.txt', {id: done.messageId, type: 'file', file});
      await hear([bob, [['new-message', message]]], [ann, [['new-message', message]]]);
      matches((await bob.must('history', {roomId})).messages, [message]);
      for (const event of ['upload-start', 'upload-abort']) await ann.fails('not-found', event, {uploadId});
      matches(
          await chunk(ann, uploadId, bytes.length, Buffer.alloc(0)), (answer) => answer.code === 'not-found');
      await ann.must('delete-message', {roomId, messageId: done.messageId});
      matches(
          (await bob.must('history', {roomId})).messages,
          [messageOf(ann, roomId, 1, null, {deleted: true, type: 'file'})]);
    });

    it('to a user: a private message with the file, which waits like any other', async () => {
      const ann = await open('ann');
      const [target, bytes] = [fresh('bob'), bytesOf(10)];
      const uploadId = await start(ann, {targetUserId: target, name: 'x.png', size: 10, mime: 'image/png'});
      const done = await chunk(ann, uploadId, 0, bytes);
      const file = fileOf(uploadId, 'x.png', bytes, 'image/png');
      matches(done, {success: true, offset: 10, complete: true, file, messageId: isId});
      const [waiting] = await (await hall.open(target, protocol)).take('pending-messages');
      matches(waiting, {
        id: done.messageId,
        fromUserId: ann.user,
        fromUser: {name: ann.user},
        toUserId: target,
        content: 'x.png',
        timestamp: isTime,
        read: false,
        type: 'file',
        file
      });
    });

    it('an empty file is one empty piece', async () => {
      const {roomId, ann, bob} = await scene();
      const uploadId = await start(ann, startOf(roomId, Buffer.alloc(0)));
      const done = await chunk(ann, uploadId, 0, protocol === 'native' ? '' : Buffer.alloc(0));
      assert.deepEqual([done.complete, done.file?.size], [true, 0]);
      assert.equal((await bob.take('new-message')).file.sha256, sha256Of(''));
    });

    it('resumes over another connection and protocol, where it stopped', async () => {
      const {roomId, ann} = await scene();
      const bytes = bytesOf(1000);
      const uploadId = await start(ann, startOf(roomId, bytes));
      await chunk(ann, uploadId, 0, bytes.subarray(0, 400));
      await ann.lose();
      for (const over of PROTOCOLS) {
        const device = await hall.open(ann.user, over);
        matches(
            await device.must('upload-start', {uploadId}),
            {success: true, uploadId, chunkSize: CHUNK, offset: 400});
      }
      const device = await hall.open(ann.user, 'socketio');
      const refused = await chunk(device, uploadId, 0, bytes.subarray(0, 400));
      matches(refused, {error: (text) => /offset/.test(text), code: 'conflict', offset: 400});
      assert.equal((await chunk(device, uploadId, 400, bytes.subarray(400))).complete, true);
    });

    it('two connections send the same piece at once: one wins, the other is told the right offset',
       async () => {
         const {roomId, ann} = await scene();
         const device = await hall.open(ann.user, 'socketio');
         const bytes = bytesOf(600_000);
         const uploadId = await start(ann, startOf(roomId, bytes));
         for (let offset = 0; offset < bytes.length; offset += 60_000) {
           const piece = bytes.subarray(offset, offset + 60_000);
           const answers =
               await Promise.all([ann, device].map((client) => chunk(client, uploadId, offset, piece)));
           const [won, lost] = answers[0].success ? answers : answers.reverse();
           assert.equal(won.offset, offset + 60_000);
           if (won.complete) {
             assert.ok(['not-found', 'conflict'].includes(lost.code), JSON.stringify(lost));
             assert.equal(won.file.sha256, sha256Of(bytes));
           } else {
             assert.deepEqual([lost.code, lost.offset], ['conflict', offset + 60_000]);
           }
         }
         assert.equal((await ann.must('history', {roomId})).messages.length, 1);
       });

    it('who has left the room meanwhile publishes nothing, and may finish when back', async () => {
      const {roomId, ann, bob} = await scene();
      const uploadId = await start(ann, startOf(roomId, bytesOf(10)));
      await ann.must('leave-room', {roomId});
      await heard(bob);
      matches(await chunk(ann, uploadId, 0, bytesOf(10)), (answer) => answer.code === 'not-in-room');
      await noFile(bob, roomId);
      await ann.join(roomId);
      const {offset} = await ann.must('upload-start', {uploadId});
      const done = await chunk(ann, uploadId, offset, bytesOf(10).subarray(offset));
      assert.equal(done.complete, true);
    });

    it('bytes that do not match what was declared are dropped with the upload', async () => {
      const {roomId, ann, bob} = await scene();
      const uploadId = await start(ann, startOf(roomId, bytesOf(10), {sha256: sha256Of('other')}));
      const refused = await chunk(ann, uploadId, 0, bytesOf(10));
      matches(refused, {error: (text) => /sha256/.test(text), code: 'invalid-format'});
      await ann.fails('not-found', 'upload-start', {uploadId});
      await noFile(bob, roomId);
    });

    it('aborted: gone, for its user alone to do', async () => {
      const {roomId, ann, bob} = await scene();
      const uploadId = await start(ann, startOf(roomId, bytesOf(10)));
      await chunk(ann, uploadId, 0, bytesOf(4));
      await bob.fails('not-found', 'upload-abort', {uploadId});
      await bob.fails('not-found', 'upload-start', {uploadId});
      matches(await chunk(bob, uploadId, 4, bytesOf(6)), (answer) => answer.code === 'not-found');
      matches(await ann.must('upload-abort', {uploadId}), {success: true});
      await ann.fails('not-found', 'upload-abort', {uploadId});
      matches(await chunk(ann, uploadId, 4, bytesOf(6)), (answer) => answer.code === 'not-found');
    });

    it('limits: of a file, of unfinished uploads, and of a user, which ends give back', async () => {
      const {roomId, ann} = await scene();
      const begin = (size) => ({roomId, name: 'x', size, mime: 'a/b'});
      await ann.fails('too-large', 'upload-start', begin(1_000_001));
      const ids = [await start(ann, begin(1_000_000)), await start(ann, begin(999_995))];
      assert.match((await ann.fails('limit-reached', 'upload-start', begin(6))).error, /quota/);
      for (let i = 0; i < 5; ++i) ids.push(await start(ann, begin(1)));
      await ann.fails('limit-reached', 'upload-start', begin(1));
      await ann.must('upload-abort', {uploadId: ids[0]});
      for (let i = 0; i < 4; ++i) ids.push(await start(ann, begin(1)));
      assert.match((await ann.fails('limit-reached', 'upload-start', begin(1))).error, /unfinished/);
      for (const uploadId of ids.slice(1)) await ann.must('upload-abort', {uploadId});
      const uploadId = await start(ann, begin(1));
      const {messageId} = await chunk(ann, uploadId, 0, Buffer.from('x'));
      const rest = await start(ann, begin(1_000_000));
      await ann.fails('limit-reached', 'upload-start', begin(1_000_000));
      await ann.must('delete-message', {roomId, messageId});
      await ann.must('upload-abort', {uploadId: await start(ann, begin(1_000_000))});
      await ann.must('upload-abort', {uploadId: rest});
    });
  });
}

describe('uploads', () => {
  const filesOf = (one) => readdirSync(path.join(one.directory, 'data/files'));

  it('go on after kill -9, over another protocol', async () => {
    const own = await Hall.start();
    try {
      const [ann, bytes] = [await own.open('ann'), bytesOf(CHUNK * 2)];
      await ann.join('r');
      const {uploadId} = await ann.must('upload-start', startOf('r', bytes, {sha256: sha256Of(bytes)}));
      await chunk(ann, uploadId, 0, bytes.subarray(0, 100_000));
      void chunk(ann, uploadId, 100_000, bytes.subarray(100_000, 300_000)).catch(() => {});
      await own.restart({}, 'SIGKILL');
      const again = await own.open('ann', 'socketio');
      await again.join('r');
      const {offset} = await again.must('upload-start', {uploadId});
      assert.ok(offset >= 100_000, `what was acknowledged is there: ${offset}`);
      for (let at = offset; at < bytes.length;)
        at = (await chunk(again, uploadId, at, bytes.subarray(at, at + CHUNK))).offset;
      assert.equal((await again.take('new-message')).file.sha256, sha256Of(bytes));
      assert.deepEqual(filesOf(own), [uploadId]);
    } finally {
      await own.stop();
    }
  });

  it('whose time is over are removed with their bytes; so is what a deleted message named', async () => {
    const own = await Hall.start();
    try {
      const ann = await own.open('ann');
      await ann.join('r');
      const begin = async () => (await ann.must('upload-start', startOf('r', bytesOf(10)))).uploadId;
      const [old, published] = [await begin(), await begin()];
      await chunk(ann, old, 0, bytesOf(5));
      const {messageId} = await chunk(ann, published, 0, bytesOf(10));
      assert.equal(filesOf(own).length, 2);
      await ann.must('delete-message', {roomId: 'r', messageId});
      await own.restart({uploads: {lifetimeHours: 0}});
      await until(() => filesOf(own).length === 0, 'all bytes are gone');
      await (await own.open('ann')).fails('not-found', 'upload-start', {uploadId: old});
    } finally {
      await own.stop();
    }
  });

  it('are of the configured types, and within the bytes of all', async () => {
    const own = await Hall.start({uploads: {types: ['image/*', 'text/plain'], maxBytes: 100}});
    try {
      const [ann, bob] = [await own.open('ann'), await own.open('bob')];
      for (const client of [ann, bob]) await client.join('r');
      const begin = (mime, size = 1) => ({roomId: 'r', name: 'x', size, mime});
      for (const mime of ['text/html', 'application/octet-stream', 'IMAGE/PNG', 'text/plainx'])
        await ann.fails('access-denied', 'upload-start', begin(mime));
      await ann.must('upload-start', begin('image/svg+xml', 60));
      await bob.fails('limit-reached', 'upload-start', begin('text/plain', 41));
      await bob.must('upload-start', begin('text/plain', 40));
    } finally {
      await own.stop();
    }
  });

  it('can be fetched by who would see their message, and by nobody else', async () => {
    const [ann, bob, eve, roomId] = [
      await hall.open(fresh('ann')), await hall.open(fresh('bob')), await hall.open(fresh('eve')),
      fresh('team')
    ];
    await ann.must('create-room', {roomId, type: 'team'});
    await ann.join(roomId);
    await ann.must('invite', {roomId, userId: bob.user});
    await bob.join(roomId);
    const send = async (where) => {
      const {uploadId} = await ann.must('upload-start', {...where, name: 'x.bin', size: 10, mime: 'a/b'});
      return chunk(ann, uploadId, 0, bytesOf(10));
    };
    const [shared, secret] = [await send({roomId}), await send({targetUserId: bob.user})];
    const fetched = async (client, {file}) => {
      const response = await fetch(
          hall.url + file.url, {headers: client && { Authorization: `Bearer ${sign(client.user)}` }});
      const body = Buffer.from(await response.arrayBuffer());
      return response.status === 200 ? body.equals(bytesOf(10)) : response.status;
    };
    for (const file of [shared, secret]) {
      assert.deepEqual(
          [
            await fetched(ann, file), await fetched(bob, file), await fetched(eve, file),
            await fetched(undefined, file)
          ],
          [true, true, 403, 401]);
    }
    await bob.leave();
    await ann.take('user-left');
    assert.equal(await fetched(bob, shared), true, 'he would be put back');
    await ann.must('kick', {roomId, userId: bob.user});
    assert.deepEqual([await fetched(bob, shared), await fetched(bob, secret)], [403, true]);
    await ann.must('delete-message', {roomId, messageId: shared.messageId});
    assert.equal(await fetched(ann, shared), 404);
  });

  it('into a room where their user may not write are refused at once', async () => {
    const [ann, bob, roomId] =
        [await hall.open(fresh('ann')), await hall.open(fresh('bob')), fresh('announcements')];
    await ann.must('create-room', {roomId});
    await bob.join(roomId);
    await bob.fails('access-denied', 'upload-start', startOf(roomId, bytesOf(10)));
  });
});
