// Files: sent in pieces, told to the room, and given to those who may have them.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { behaviour } from './support/behaviour.mjs';
import { get } from './support/identity.mjs';

const lobby = { roomId: 'lobby' };

/** Sends a file from an offset on. Returns: the answer to the last piece. */
async function send(client, bytes, { uploadId, chunkSize, offset }) {
  for (;;) {
    const data = bytes.subarray(offset, offset + chunkSize);
    const answer = await client.ask('upload-chunk', { uploadId, offset, data });
    if (answer.complete) return answer;
    offset = answer.offset;
  }
}

behaviour('a file goes to the room and comes back as it was', async ({ connect, server }) => {
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  for (const client of [alice, bob]) await client.ask('join-room', lobby);
  const bytes = randomBytes(600_000);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const about = { ...lobby, name: 'notes.bin', size: bytes.length, mime: 'application/octet-stream', sha256 };
  await send(alice, bytes, await alice.ask('upload-start', about));

  const { type, content, file } = await bob.next('new-message');
  assert.deepEqual([type, content, file.size, file.sha256], ['file', 'notes.bin', bytes.length, sha256]);
  const response = await get(server, 'bob', file.url);
  assert.equal(response.status, 200);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(bytes));
  assert.equal((await get(server, 'eve', file.url)).status, 403, 'not for who is not in the room');
});

behaviour('an upload goes on where it was', async ({ connect }) => {
  const alice = await connect('alice');
  await alice.ask('join-room', lobby);
  const bytes = randomBytes(1_000);
  const about = { ...lobby, name: 'notes.bin', size: bytes.length, mime: 'application/octet-stream' };
  const { uploadId } = await alice.ask('upload-start', about);
  await alice.ask('upload-chunk', { uploadId, offset: 0, data: bytes.subarray(0, 400) });
  alice.close();

  const again = await connect('alice');
  await again.ask('join-room', lobby);
  const upload = await again.ask('upload-start', { uploadId });
  assert.equal(upload.offset, 400);
  const { file } = await send(again, bytes, { ...upload, uploadId });
  assert.equal(file.sha256, createHash('sha256').update(bytes).digest('hex'));
});

behaviour('a file that is too large is refused before it is sent', async ({ connect }) => {
  const alice = await connect('alice');
  await alice.ask('join-room', lobby);
  const about = { ...lobby, name: 'film.mp4', size: 1_001, mime: 'video/mp4' };
  await assert.rejects(alice.ask('upload-start', about), { code: 'too-large' });
}, { settings: { WIREHALL_UPLOADS__MAX_FILE_SIZE: '1000' } });
