import assert from 'node:assert/strict';
import { File } from 'node:buffer';
import test from 'node:test';
import { FakeServer } from './fake_server.mjs';

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
