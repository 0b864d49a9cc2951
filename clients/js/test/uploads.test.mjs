import assert from 'node:assert/strict';
import { File } from 'node:buffer';
import test from 'node:test';
import { createHash } from 'node:crypto';
import { event, FakeServer } from './fake_server.mjs';
import { Cable, RealServer } from './real_server.mjs';

const bytes = Uint8Array.from({ length: 10 }, (_, i) => i);
const file = new File([bytes], 'ten.bin', { type: 'application/x-ten' });

async function connected(t) {
  const server = await FakeServer.start(t);
  const client = await server.client().connect();
  return { server, client, connection: await server.connection() };
}

/** Answers the next frame, which must be this, and gives it back. */
async function serve(connection, type, answer) {
  const frame = await connection.next();
  assert.equal(frame.type, type);
  if (answer) connection.answer(frame, answer);
  return frame;
}

const begun = { uploadId: 'u', chunkSize: 4, offset: 0 };
const piece = ({ offset, data }) => [offset, [...Buffer.from(data.$binary, 'base64')]];

test('a file goes in pieces, with its progress', async (t) => {
  const { client, connection } = await connected(t);
  const progress = [];
  const started = [];
  const sending = client.upload(file, {
    roomId: 'lobby', sha256: 'abc', onStart: (upload) => started.push(upload.uploadId),
    onProgress: (sent, size) => progress.push(`${sent}/${size}`),
  });
  const { id, type, ...about } = await serve(connection, 'upload-start', begun);
  assert.deepEqual(about, { roomId: 'lobby', sha256: 'abc', name: 'ten.bin', mime: 'application/x-ten', size: 10 });
  assert.deepEqual(piece(await serve(connection, 'upload-chunk', { offset: 4 })), [0, [0, 1, 2, 3]]);
  assert.deepEqual(piece(await serve(connection, 'upload-chunk', { offset: 8 })), [4, [4, 5, 6, 7]]);
  const answer = { offset: 10, complete: true, messageId: 'm', file: { id: 'u' } };
  assert.deepEqual(piece(await serve(connection, 'upload-chunk', answer)), [8, [8, 9]]);
  assert.deepEqual(await sending, answer);
  assert.deepEqual(started, ['u']);
  assert.deepEqual(progress, ['0/10', '4/10', '8/10', '10/10']);
});

test('it goes on where the server is: after a lost connection, and by its id', async (t) => {
  const { server, client, connection } = await connected(t);
  const sending = client.upload(file, { targetUserId: 'bob', uploadId: 'u' });
  const { id, type, ...about } = await serve(connection, 'upload-start', { ...begun, offset: 2 });
  assert.deepEqual(about, { uploadId: 'u' });
  assert.equal((await serve(connection, 'upload-chunk')).offset, 2);
  connection.break(); // it was stored, but nobody said so
  const next = await server.connection();
  const again = await next.next();
  assert.equal(again.offset, 2);
  next.answer(again, { error: 'Conflict', code: 'conflict', offset: 6 });
  assert.deepEqual(piece(await serve(next, 'upload-chunk', { offset: 10, complete: true })), [6, [6, 7, 8, 9]]);
  await sending;
});

test('an upload that the server does not know begins anew', async (t) => {
  const { client, connection } = await connected(t);
  const sending = client.upload(new Blob([]), { roomId: 'lobby', name: 'empty', uploadId: 'old' });
  await serve(connection, 'upload-start', { error: 'Not found', code: 'not-found' });
  const { name, mime, size } = await serve(connection, 'upload-start', begun);
  assert.deepEqual([name, mime, size], ['empty', 'application/octet-stream', 0]);
  assert.deepEqual(piece(await serve(connection, 'upload-chunk', { offset: 0, complete: true })), [0, []]);
  await sending;
});

test('a refusal ends it, a conflict that leads nowhere too', async (t) => {
  const { client, connection } = await connected(t);
  const refused = client.upload(file, { roomId: 'lobby' });
  await serve(connection, 'upload-start', { error: 'Too large', code: 'too-large' });
  await assert.rejects(refused, { code: 'too-large' });
  const stuck = client.upload(file, { roomId: 'lobby' });
  await serve(connection, 'upload-start', begun);
  await serve(connection, 'upload-chunk', { error: 'Conflict', code: 'conflict', offset: 0 });
  await assert.rejects(stuck, { code: 'conflict' });
});

test('an upload that is ended is ended at the server, also before it is begun there', async (t) => {
  const { client, connection } = await connected(t);
  const first = new AbortController();
  const sending = client.upload(file, { roomId: 'lobby', signal: first.signal });
  await serve(connection, 'upload-start', begun);
  await serve(connection, 'upload-chunk');
  first.abort();
  await assert.rejects(sending, { name: 'AbortError' });
  assert.equal((await serve(connection, 'upload-abort', {})).uploadId, 'u');

  const second = new AbortController();
  const early = client.upload(file, { roomId: 'lobby', signal: second.signal });
  const start = await serve(connection, 'upload-start');
  second.abort();
  await assert.rejects(early, { name: 'AbortError' });
  connection.answer(start, { ...begun, uploadId: 'v' });
  assert.equal((await serve(connection, 'upload-abort', {})).uploadId, 'v');
  await assert.rejects(client.upload(file, { roomId: 'lobby', signal: second.signal }), { name: 'AbortError' });
  assert.equal(connection.unread(), 0);
});

// -- published, and nobody heard so ---------------------------------------------------------------

test('where the answer to the last piece was lost, the message in the room has it', async (t) => {
  const { server, client, connection } = await connected(t);
  const joining = client.join('lobby');
  await serve(connection, 'join-room', { seq: 4, epoch: 'e' });
  await joining;
  const sending = client.upload(file, { roomId: 'lobby', uploadId: 'u' });
  await serve(connection, 'upload-start', { ...begun, offset: 8 });
  await serve(connection, 'upload-chunk');
  connection.break();
  const next = await server.connection();
  const told = { id: 'm', roomId: 'lobby', seq: 5, userId: 'alice', type: 'file', file: { id: 'u', url: '/files/u' } };
  await serve(next, 'join-room', { seq: 5, epoch: 'e', recovered: true, missed: [told] });
  await serve(next, 'upload-chunk', { error: 'Not found', code: 'not-found' });
  assert.deepEqual(await sending, { offset: 10, complete: true, messageId: 'm', file: told.file });
});

for (const [isThere, outcome] of [[true, { complete: true, offset: 10, file: { id: 'u/1', url: '/files/u%2F1' } }], [false, undefined]]) {
  test(`to a person the file itself says whether it was published: ${isThere}`, async (t) => {
    const { client, connection } = await connected(t);
    const asked = [];
    t.mock.method(globalThis, 'fetch', async (url, { method }) => {
      asked.push(`${method} ${url.pathname}`);
      if (!isThere) throw new TypeError('fetch failed');
      return { ok: true };
    });
    const progress = [];
    const sending = client.upload(file, { targetUserId: 'bob', onProgress: (sent) => progress.push(sent) });
    await serve(connection, 'upload-start', { ...begun, uploadId: 'u/1', chunkSize: 100 });
    await serve(connection, 'upload-chunk', { error: 'Not found', code: 'not-found' });
    if (outcome) assert.deepEqual(await sending, outcome);
    else await assert.rejects(sending, { code: 'not-found' });
    assert.deepEqual(asked, ['HEAD /files/u%2F1']);
    assert.deepEqual(progress, outcome ? [0, 10] : [0]);
  });
}

// -- with the program -----------------------------------------------------------------------------

const big = new File([Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 7919) >> 3)], 'big.bin', { type: 'application/x-big' });
const sumOf = async (blob) => createHash('sha256').update(Buffer.from(await blob.arrayBuffer())).digest('hex');

async function stored(server, url, user) {
  const response = await fetch(`${server.url}${url}?token=${server.token(user)}`);
  assert.equal(response.status, 200);
  return createHash('sha256').update(Buffer.from(await response.arrayBuffer())).digest('hex');
}

test('a file arrives once over a cable that breaks all the time', { timeout: 60_000 }, async (t) => {
  const server = await RealServer.start(t);
  const cable = await Cable.to(t, server);
  const client = await server.client('ann', { via: cable }).connect();
  const told = [];
  client.on('chat', (message) => told.push(message));
  await client.join('lobby');
  for (const direction of ['up', 'down']) {
    for (const after of [10, 150, 400]) {
      told.length = 0;
      const sending = client.upload(big, {
        roomId: 'lobby', sha256: await sumOf(big), onProgress: () => cable.cutAfter(direction, direction === 'up' ? 300_000 : after),
      });
      const { messageId, file: { url } } = await sending;
      cable.cutAfter(direction, Infinity);
      await client.send('lobby', 'behind it');
      while (told.length < 2) await event(client, 'chat');
      assert.deepEqual(told.map(({ content }) => content), ['big.bin', 'behind it'], 'one message');
      assert.equal(told[0].id, messageId);
      assert.equal(await stored(server, url, 'ann'), await sumOf(big));
    }
  }
  assert.ok(cable.cuts > 10, `${cable.cuts} cuts`);
});

test('after a reload it goes on by its uploadId, and does not begin anew when it was published', { timeout: 60_000 }, async (t) => {
  const server = await RealServer.start(t);
  const first = await server.client('ann').connect();
  await first.join('lobby');
  let uploadId;
  const stopped = new Promise((resolve) => {
    first.upload(big, { roomId: 'lobby', onStart: (upload) => { uploadId = upload.uploadId; }, onProgress: (sent) => sent > 0 && resolve(sent) })
      .catch(() => {});
  });
  const sent = await stopped;
  first.close();

  const second = await server.client('ann').connect();
  await second.join('lobby');
  const progress = [];
  const { file: { url } } = await second.upload(big, { roomId: 'lobby', uploadId, onProgress: (done) => progress.push(done) });
  assert.ok(progress[0] >= sent, `it begins at ${progress[0]} of ${sent}`);
  assert.equal(await stored(server, url, 'ann'), await sumOf(big));

  const third = await server.client('ann').connect();
  await third.join('lobby');
  const { complete, file: found } = await third.upload(big, { roomId: 'lobby', uploadId });
  assert.deepEqual([complete, found.url], [true, url]);
  const { messages } = await third.history('lobby');
  assert.deepEqual(messages.map(({ content }) => content), ['big.bin'], 'one message');
  const there = await third.upload(new File(['x'], 'x'), { targetUserId: 'bob' });
  assert.equal((await third.upload(new File(['x'], 'x'), { targetUserId: 'bob', uploadId: there.file.id })).complete, true);
});
