// Uploads that nobody should send, over every protocol: names that would be paths, offsets and pieces that do
// not fit, what belongs to others. Nothing of them is kept.
import assert from 'node:assert/strict';
import {readdirSync} from 'node:fs';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {PROTOCOLS} from './support/clients.mjs';
import {Hall} from './support/hall.mjs';
import {fresh, hear, heard, matches} from './support/shapes.mjs';

const CHUNK = 256 * 1024;
let hall;
before(async () => {
  hall = await Hall.start();
});
after(() => hall.stop());

/** Files in the data directory, by their path in it. */
const filesOf = () => readdirSync(path.join(hall.directory, 'data'), {recursive: true, withFileTypes: true})
                          .filter((entry) => entry.isFile())
                          .map((entry) => path.join(path.relative(hall.directory, entry.path), entry.name));

for (const protocol of PROTOCOLS) {
  describe(`hostile uploads over ${protocol}`, () => {
    let ann;
    let bob;
    let roomId;
    before(async () => {
      roomId = fresh('r');
      [ann, bob] = [await hall.open(fresh('ann'), protocol), await hall.open(fresh('bob'))];
      for (const client of [ann, bob]) await client.join(roomId);
      await heard(ann, bob);
    });
    const start = async (over = {}) =>
        (await ann.must('upload-start', {roomId, name: 'x', size: 10, mime: 'a/b', ...over})).uploadId;
    const chunk = (uploadId, offset, data) => ann.ask('upload-chunk', {uploadId, offset, data});
    const abort = (uploadId) => ann.must('upload-abort', {uploadId});
    const offsetOf = async (uploadId) => (await ann.must('upload-start', {uploadId})).offset;
    const rejects = async (code, field, fields) => {
      const refused =
          await ann.fails(code, 'upload-start', {roomId, name: 'x', size: 10, mime: 'a/b', ...fields});
      assert.match(refused.error, field, JSON.stringify(fields));
    };

    it('names that are paths or cannot be names', async () => {
      for (const name
               of ['', '.', '..', '../x', '..\\x', '/etc/passwd', 'C:\\x', 'a/b', 'a\\b', 'x\u0000', 'x\n',
                   '\u007f', '..%2fx/', 'é'.repeat(127) + '/'])
        await rejects('invalid-format', /name/, {name});
      for (const name of ['x'.repeat(256), 'x'.repeat(300), 'é'.repeat(128)])
        await rejects('too-large', /name/, {name});
    });

    it('names that are only strange are kept as they are, and never become paths', async () => {
      const strange = [
        'CON', 'nul.txt', '...', '..x', ' ', '~', '-rf', '$(id)', "'; DROP TABLE files; --", '\u202egnp.exe',
        'a\u0301\u{1f600}', '%2e%2e%2f', '<script>', 'x'.repeat(255)
      ];
      const before = filesOf().length;
      for (const name of strange) {
        const done = await chunk(await start({name, size: 1}), 0, 'eA==');
        assert.equal(done.file?.name, name);
        assert.equal((await bob.take('new-message')).content, name);
      }
      const now = filesOf().filter((file) => file.includes('files'));
      for (const file of now) assert.match(file, /^data\/files\/[\w-]{20}$/);
      assert.equal(filesOf().length, before + strange.length);
      await heard(ann);
    });

    it('media types and sums that are none', async () => {
      for (const mime
               of ['', 'text', '/', 'text/', '/plain', 'text/plain; charset=utf-8', 'text plain/x',
                   'text/html\r\nX: y', 'a/b/c', 'é/x'])
        await rejects('invalid-format', /mime/, {mime});
      for (const sha256 of ['x', 'A'.repeat(64), 'g'.repeat(64), '0'.repeat(63)])
        await rejects('invalid-format', /sha256/, {sha256});
      await rejects('too-large', /sha256/, {sha256: '0'.repeat(65)});
    });

    it('sizes beyond what is allowed, and places that are two or none', async () => {
      for (const size of [10 * 1024 * 1024 + 1, 2 ** 53, 2 ** 62])
        await rejects('too-large', /bytes/, {size});
      await rejects('invalid-format', /roomId|targetUserId/, {targetUserId: bob.user});
      await rejects('invalid-format', /roomId|targetUserId/, {roomId: undefined});
      await rejects('not-in-room', /room/, {roomId: 'elsewhere'});
      await ann.fails('not-found', 'upload-start', {uploadId: '../../etc/passwd'});
      await ann.fails(
          'not-found', 'upload-start', {uploadId: 'x'.repeat(20), roomId, name: 'x', size: 1, mime: 'a/b'});
    });

    it('offsets before, beyond and far away: the right one comes back, and nothing moves', async () => {
      const uploadId = await start();
      assert.equal((await chunk(uploadId, 0, Buffer.from('1234').toString('base64'))).offset, 4);
      for (const offset of [0, 3, 5, 10, 2 ** 31, 2 ** 32 + 4, 2 ** 53, 2 ** 62])
        matches(
            await chunk(uploadId, offset, 'eA=='),
            {error: (text) => /offset/.test(text), code: 'conflict', offset: 4});
      for (const offset of [-1, -4, 4.5, 2 ** 63, 1e300, '4', null]) {
        const refused = await chunk(uploadId, offset, 'eA==');
        assert.equal(refused.code, 'invalid-format', `${offset}`);
        assert.match(refused.error, /offset/);
      }
      assert.equal(await offsetOf(uploadId), 4);
      await abort(uploadId);
      const begun = await start();
      matches(
          await chunk(begun, 1, 'eA=='), {error: (text) => /offset/.test(text), code: 'conflict', offset: 0});
      await abort(begun);
    });

    it('pieces longer than declared or than a piece may be: nothing of them is kept', async () => {
      const uploadId = await start();
      assert.equal((await chunk(uploadId, 0, Buffer.alloc(11))).code, 'too-large');
      assert.equal(await offsetOf(uploadId), 0);
      assert.equal((await chunk(uploadId, 0, Buffer.alloc(9))).offset, 9);
      assert.equal((await chunk(uploadId, 9, Buffer.alloc(2))).code, 'too-large');
      assert.equal(await offsetOf(uploadId), 9);
      await abort(uploadId);
      const large = await start({size: CHUNK * 2});
      const refused = await chunk(large, 0, Buffer.alloc(CHUNK + 1));
      assert.deepEqual([refused.code, /chunkSize/.test(refused.error)], ['too-large', true]);
      assert.equal((await chunk(large, 0, Buffer.alloc(CHUNK))).offset, CHUNK);
      matches(await chunk(large, CHUNK, Buffer.alloc(0)), {success: true, offset: CHUNK});
      await abort(large);
    });

    it('a piece that is too long for what was declared says so', async () => {
      const uploadId = await start();
      assert.match((await chunk(uploadId, 0, Buffer.alloc(11))).error, /data|size/);
      await abort(uploadId);
    });

    it('uploads of somebody else do not exist', async () => {
      const uploadId = await start();
      const eve = await hall.open(fresh('eve'), protocol);
      await eve.join(roomId);
      const texts = new Set();
      for (const id of [uploadId, 'nothing', '', '../x']) {
        if (id !== '') texts.add((await eve.fails('not-found', 'upload-start', {uploadId: id})).error);
        texts.add((await eve.fails('not-found', 'upload-abort', {uploadId: id})).error);
        texts.add(
            (await eve.fails('not-found', 'upload-chunk', {uploadId: id, offset: 0, data: 'eA=='})).error);
      }
      assert.equal(texts.size, 1, 'they cannot be told from those that are not there');
      assert.equal(await offsetOf(uploadId), 0);
      await abort(uploadId);
      await eve.leave();
      await bob.take('user-left');
    });

    it('an abort beside a piece leaves neither a file nor a message', async () => {
      for (let i = 0; i < 10; ++i) {
        const uploadId = await start();
        const answers = await Promise.all(
            [chunk(uploadId, 0, Buffer.alloc(5)), abort(uploadId), chunk(uploadId, 5, Buffer.alloc(5))]);
        assert.equal(answers[1].success, true);
        await ann.fails('not-found', 'upload-start', {uploadId});
      }
      await heard(ann);
      const [events] = await heard(bob);
      assert.deepEqual(events.filter(([name]) => name === 'new-message'), []);
    });
  });
}

it('an abort beside pieces leaves no bytes that nobody pays for', async () => {
  const [ann, roomId] = [await hall.open(fresh('ann')), fresh('r')];
  await ann.join(roomId);
  const device = await hall.open(ann.user, 'socketio');
  const before = filesOf().length;
  for (let i = 0; i < 20; ++i) {
    const {uploadId} = await ann.must('upload-start', {roomId, name: 'x', size: 200_000, mime: 'a/b'});
    const piece = {uploadId, offset: 0, data: Buffer.alloc(100_000)};
    const [aborted] = await Promise.all([
      ann.ask('upload-abort', {uploadId}), device.ask('upload-chunk', piece), ann.ask('upload-chunk', piece)
    ]);
    assert.equal(aborted.success, true);
  }
  await until(() => filesOf().length === before, 'the bytes are gone', 2_000);
});

it('nothing but published files is left behind', async () => {
  await hall.restart();
  const published = filesOf().filter((file) => file.includes('files/'));
  assert.equal(published.length, 14 * PROTOCOLS.length);
  const eve = await hall.open(fresh('eve'));
  await hear([eve, []]);
});
