// Projects of many kinds: each is made, formatted, built without a warning, and passes its own tests; then it grows
// by every piece that `wirehall add` knows, and does the same again.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { next, root, start } from '../support/server.mjs';
import { BUILD, build, hashOf, isFormatted, make, passesItsTests, run, wirehall, workshop } from './projects.mjs';

const GROW = ['handler', 'middleware', 'room-type', 'namespace'];

// Every feature alone, with all others and without any; every word of every choice, with each protocol.
const MATRIX = [
  ['everything', ['--features', 'all'], GROW],
  ['as-usual', [], []],
  ['native-everything', ['--features', 'all', '--protocol', 'native'], []],
  ['socketio-everything', ['--features', 'all', '--protocol', 'socketio', '--store', 'memory'], []],
  ['nothing', ['--features', 'none'], ['handler', 'middleware', 'namespace']],
  ['nothing-at-all', ['--features', 'none', '--protocol', 'native', '--auth', 'none', '--store', 'memory'], ['handler']],
  ['rooms-open', ['--features', 'rooms', '--auth', 'none'], []],
  ['typing-alone', ['--features', 'typing', '--protocol', 'socketio'], ['room-type']],
  ['presence-history', ['--features', 'presence,history', '--protocol', 'native', '--store', 'memory'], []],
  ['private', ['--features', 'private-messages', '--protocol', 'socketio', '--auth', 'none'], []],
  ['calls-push', ['--features', 'calls,push'], []],
  ['files', ['--features', 'uploads', '--auth', 'none', '--store', 'memory'], []],
  ['cpp-everything', ['--features', 'all', '--client', 'cpp'], GROW],
  ['cpp-socketio', ['--features', 'rooms,typing', '--client', 'cpp', '--protocol', 'socketio', '--auth', 'none'], []],
  ['bare-native', ['--features', 'none', '--client', 'none', '--protocol', 'native', '--auth', 'none'], ['middleware']],
  ['bare', ['--features', 'private-messages,calls', '--client', 'none', '--store', 'memory'], []],
];

// `./dev test --full` takes all of them. Otherwise these, and two more that the commit chooses (or WIREHALL_SEED), so
// that all have their turn.
const ALWAYS = ['everything', 'nothing-at-all', 'cpp-socketio'];
const seed = Number(process.env.WIREHALL_SEED ?? `0x${commit().slice(0, 8)}`);
const others = MATRIX.map(([name]) => name).filter((name) => !ALWAYS.includes(name));
const chosen = process.env.WIREHALL_TEST_FULL ? [...ALWAYS, ...others]
  : [...ALWAYS, others[seed % others.length], others[(seed + 5) % others.length]];
console.log(`seed ${seed}: ${chosen.join(', ')}`);

function commit() {
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout : '0'; // sources without a history
}

let shop;
let prefix;
before(async () => {
  shop = workshop();
  prefix = path.join(shop.folder, 'prefix');
  await run('cmake', ['--install', BUILD, '--prefix', prefix, '--strip']);
});
after(() => shop.dispose());

for (const [name, args, pieces] of MATRIX) {
  it(`${name}: ${args.join(' ') || '(as usual)'}${pieces.length > 0 ? `, and ${pieces.join(', ')}` : ''}`,
    { skip: !chosen.includes(name) && 'another seed takes it, and --full' }, async (test) => {
    const begun = Date.now();
    const project = await make(shop.folder, name, args);
    await isFormatted(project);
    await build(project, prefix);
    const built = Date.now();
    let passed = await passesItsTests(project);
    if (pieces.length > 0) {
      for (const kind of pieces) await run(path.join(prefix, 'bin/wirehall'), ['add', kind, 'move-player'], { cwd: project });
      const grown = hashOf(project);
      for (const kind of pieces) {
        const again = await wirehall(['add', kind, 'move-player'], { cwd: project });
        assert.match(again.stdout, /is there already; nothing was changed/);
      }
      assert.equal(hashOf(project), grown);
      await isFormatted(project);
      await build(project, prefix);
      const more = await passesItsTests(project);
      assert.ok(more > passed, `${more} tests, and ${passed} before it grew`);
      passed = more;
    }
    test.diagnostic(`built in ${((built - begun) / 1000).toFixed(1)} s, ${passed} tests, ${((Date.now() - begun) / 1000).toFixed(1)} s in all`);
  });
}

it('a stock client and a plain WebSocket meet in a room of a generated server', async () => {
  const project = path.join(shop.folder, 'everything');
  const program = path.join(project, 'build/release/everything');
  assert.ok(existsSync(program), 'the matrix has built it');
  const server = await start(program, ['--dev', '--port', '0', '--data', path.join(shop.folder, 'data')], {}, project);
  try {
    const tokenOf = async (user) => (await (await fetch(`${server.url}/dev/token?user=${user}`)).json()).token;
    const ann = io(server.url, { auth: { token: await tokenOf('ann') }, forceNew: true });
    const bob = new WebSocket(`${server.ws}/ws?token=${await tokenOf('bob')}`);
    const frames = [];
    bob.on('message', (data) => frames.push(JSON.parse(data)));
    await next(bob, 'open');
    bob.send('{"type":"join","roomId":"lobby","id":1}');
    while (!frames.some((frame) => frame.type === 'ack')) await next(bob, 'message');
    assert.equal((await ann.emitWithAck('join-room', 'lobby')).memberCount, 2);
    const told = next(bob, 'message');
    assert.equal((await ann.emitWithAck('message', { roomId: 'lobby', content: 'hello' })).seq, 1);
    await told;
    while (!frames.some((frame) => frame.type === 'chat')) await next(bob, 'message');
    assert.equal(frames.find((frame) => frame.type === 'chat').from, 'ann');
    const heard = next(ann, 'new-message');
    bob.send('{"type":"chat","roomId":"lobby","content":"hi","id":2}');
    assert.equal((await heard)[0].userId, 'bob');
    ann.disconnect();
    bob.close();
  } finally {
    await server.stop();
  }
});
