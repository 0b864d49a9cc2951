// A disk that runs full under a server, and is given space again. Runs in a mount namespace of its own, where it may
// mount a small tmpfs; full_disk_test.mjs arranges that. Ends with status 0 when everything was as it must be.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeClient, readHistory, Refused } from './clients.mjs';
import { BUILD, HallServer } from './server.mjs';

const MIB = 1024 * 1024;
const DISK_BYTES = 32 * MIB;
const BALLAST_BYTES = 12 * MIB;
const CONTENT_BYTES = 32 * 1024;
const IN_FLIGHT = 16;
// More than this does not fit, so a server that still acknowledges does not store.
const MESSAGES_MAX = 2 * DISK_BYTES / CONTENT_BYTES;
const RECOVERY_MS = 5000;
const ROOM = 'full';

const folder = process.argv[2];
const disk = path.join(folder, 'disk');
const ballast = path.join(disk, 'ballast');
mkdirSync(disk);
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=700`, 'tmpfs', disk]);

const server = new HallServer(path.join(BUILD, 'wirehall'), folder, { data: disk });
const contents = new Map(); // clientMessageId -> content
const acknowledged = new Map(); // clientMessageId -> seq
const refused = new Set(); // clientMessageIds
const delivered = []; // seqs
let count = 0;

async function connect(user) {
  const client = await new NativeClient().connect(server.url, server.token(user));
  const { seq } = await client.request('join', { roomId: ROOM });
  return { client, seq };
}

/** Sends one message; whether it was acknowledged. Nothing but `unavailable` may be the reason when not. */
async function publish(client, clientMessageId) {
  const fields = { roomId: ROOM, content: contents.get(clientMessageId), clientMessageId };
  try {
    const { seq } = await client.request('message', fields);
    acknowledged.set(clientMessageId, seq);
    refused.delete(clientMessageId);
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    assert.equal(error.code, 'unavailable', error.message);
    refused.add(clientMessageId);
    return false;
  }
}

function nextMessage(bytes) {
  const id = `message-${count++}`;
  contents.set(id, `${id} `.padEnd(bytes, 'x'));
  return id;
}

/** Publishes until it is refused; then some small messages, of which each may still fit or not. */
async function fill(client) {
  let full = false;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (!full) {
      assert.ok(count < MESSAGES_MAX, `${count} messages were acknowledged: more than the disk holds`);
      if (!await publish(client, nextMessage(CONTENT_BYTES))) full = true;
    }
  }));
  for (let i = 0; i < 20; ++i) await publish(client, nextMessage(20));
  assert.ok(refused.size > 0);
}

/** The history is what was acknowledged, neither more nor less, and says so to old and new clients. */
async function verify(client, when) {
  const newcomer = await connect(`newcomer-${when}`);
  assert.equal(newcomer.seq, acknowledged.size, `${when}: where the room stands`);
  for (const reader of [client, newcomer.client]) {
    const history = await readHistory(reader, ROOM, newcomer.seq);
    const wanted = [...acknowledged].sort((a, b) => a[1] - b[1]);
    assert.deepEqual(history.map(({ seq }) => seq), wanted.map((_, index) => index + 1), `${when}: the numbers`);
    wanted.forEach(([id, seq], index) => {
      assert.equal(seq, index + 1, `${when}: ${id} was acknowledged as ${seq}`);
      assert.equal(history[index].content, contents.get(id), `${when}: message ${seq}`);
    });
  }
  newcomer.client.close();
}

const free = () => Math.round(statfsSync(disk).bavail * statfsSync(disk).bsize / 1024);
const say = (text) => console.log(
  `${text} (${acknowledged.size} acknowledged, ${refused.size} refused, ${free()} KiB free)`);

async function freeSpaceReturns() {
  const { client } = await connect('ann');
  client.onEvent = (event, frame) => { if (event === 'chat') delivered.push(frame.seq); };
  await fill(client);
  say('full');
  await verify(client, 'while it is full');
  assert.equal((await fetch(`${server.url}/livez`)).status, 200, 'a full disk is no reason to be restarted');

  unlinkSync(ballast);
  const begin = performance.now();
  const [first] = refused;
  while (!await publish(client, first)) {
    assert.ok(performance.now() - begin < RECOVERY_MS, `still refused ${RECOVERY_MS} ms after space returned`);
    await sleep(50);
  }
  say(`published again ${Math.round(performance.now() - begin)} ms after space returned`);
  for (const id of [...refused]) assert.ok(await publish(client, id), `${id}: refused again`);
  for (let i = 0; i < 20; ++i) assert.ok(await publish(client, nextMessage(CONTENT_BYTES)), 'refused again');
  await verify(client, 'after space returned');
  assert.deepEqual(delivered, delivered.map((_, index) => index + 1), 'each was delivered once, in order');
  assert.equal(delivered.length, acknowledged.size);
  client.close();
}

async function killedWhileFull() {
  writeFileSync(ballast, Buffer.alloc(free() * 1024 - 2 * MIB));
  const { client } = await connect('ben');
  await fill(client);
  say('full again');
  server.assertRunning();
  await server.kill();
  unlinkSync(ballast);
  await server.start();
  const again = await connect('ben');
  await verify(again.client, 'after kill -9 on a full disk');
  for (const id of [...refused]) assert.ok(await publish(again.client, id), `${id}: refused after the restart`);
  await verify(again.client, 'after the retries');
  say('restarted');
  again.client.close();
}

writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES));
await server.start();
try {
  await freeSpaceReturns();
  await killedWhileFull();
  assert.equal(await server.stop(), 0, 'the server ends in order');
} catch (error) {
  console.error(error, server.log());
  process.exitCode = 1;
} finally {
  await server.kill();
  execFileSync('umount', [disk]);
}
