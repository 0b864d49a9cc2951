// docs/howto/migrate-from-socketio.md: what it says of npm's socket.io is so, and what it shows runs alike on
// both.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import {Server} from 'socket.io';
import {io as connect} from 'socket.io-client';

import {factsOf} from '../../tools/docs.mjs';
import {absentOperations, deliberate} from '../conformance/behaviours/differences.mjs';
import {root, until} from '../support/server.mjs';

import {blocksOf, textOf} from './support/blocks.mjs';
import {freePort, program} from './support/sandbox.mjs';

const PAGE = 'docs/howto/migrate-from-socketio.md';
const page = textOf(PAGE);
const build = process.env.WIREHALL_BUILD ?? path.join(root, 'build/release');
const EXAMPLE = 'examples/04-from-node';

// -- npm's socket.io ------------------------------------------------------------------------------

let node, socket, client;
before(async () => {
  node = new Server(0, {connectionStateRecovery: {}});
  node.on('connection', (one) => socket = one);
  client = connect(`http://127.0.0.1:${node.httpServer.address().port}`, {transports: ['websocket']});
  await once(client, 'connect');
  await until(() => socket, 'the server has its socket');
});
after(() => {
  client.close();
  return node.close();
});

test('every name of the server\'s API is there', () => {
  const roots = {io: node, socket, nsp: node.of('/')};
  const table = page.slice(page.indexOf('## The server\'s API'), page.indexOf('## Options'));
  const names = [...table.matchAll(/^\| (.*?) \| /gm)].flatMap(
      ([, cell]) => [...cell.matchAll(/\b(io|socket)((?:\.[a-zA-Z]+)+)/g)]);
  assert.ok(names.length > 25, String(names.length));
  for (const [whole, start, members] of names) {
    const value = members.slice(1).split('.').reduce((object, member) => object?.[member], roots[start]);
    // `io.to("a").except` and the like stop at the first call, which is in the text behind.
    assert.notEqual(value, undefined, whole);
  }
});

test('every name of C++ stands in a public header', () => {
  const headers = ['server', 'namespace', 'socket', 'broadcast', 'remote_socket', 'handshake', 'config']
                      .map((name) => readFileSync(path.join(root, `include/wirehall/${name}.h`), 'utf8'))
                      .join('\n');
  const table = page.slice(page.indexOf('## The server\'s API'), page.indexOf('## Options'));
  const cells =
      table.split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split(/(?<!\\)\|/)[2]);
  const names = cells.flatMap(
      (cell) => [...cell.matchAll(/\b([a-z]+(?:_[a-z]+)*_?)\(|`([a-z_]+)`/g)].map(
          (match) => match[1] ?? match[2]));
  assert.ok(names.length > 40, String(names.length));
  for (const name of names.filter((one) => !['regex', 'co_await'].includes(one)))
    assert.match(headers, new RegExp(`\\b${name}\\b`), name);
});

test('the options have the same names and defaults', () => {
  const named =
      [...page.slice(page.indexOf('## Options'), page.indexOf('\n| option |')).matchAll(/`([A-Za-z0-9]+)`/g)]
          .map((match) => match[1])
          .filter((name) => name !== 'Config');
  const plain = new Server(0);
  const reference = {
    ...plain.engine.opts,
    path: plain.path(),
    serveClient: plain._serveClient,
    connectTimeout: plain._connectTimeout,
    httpCompression: plain.engine.opts.httpCompression.threshold,
    perMessageDeflate: Boolean(plain.engine.opts.perMessageDeflate),
    cookie: plain.engine.opts.cookie || '',
    addTrailingSlash: true
  };
  void plain.close();
  const keys = new Map(factsOf(program).configuration.map((key) => [key.key, key.default]));
  for (const name of named) {
    if (name === 'connectionStateRecovery') continue;  // off in both; here in milliseconds
    assert.ok(keys.has(name), name);
    assert.deepEqual(keys.get(name), reference[name], name);
  }
  assert.equal(plain.engine.opts.connectionStateRecovery, undefined);
  assert.equal(keys.get('connectionStateRecovery.maxDisconnectionDuration'), 0);
  assert.ok(named.length > 12, named.join());
});

/**
 * Behaviours whose transcripts differ, by decision; the test `behaviours` fails where one of them does not.
 */
const differs = (...names) => () => {
  const known = deliberate.flatMap((entry) => entry.behaviours);
  for (const name of names) assert.ok(known.includes(name), name);
};
const isThere = (...names) => () => {
  for (const name of names)
    assert.equal(typeof name.split('.').reduce((object, member) => object[member], socket), 'function', name);
};

/** Bold words of the list → what shows that it is so. */
const EVIDENCE = {
  'Threads': 'a property of the design: docs/explain/shards.md',
  'Registration': 'an assertion of namespace.h',
  'Several handlers': 'Node has no handlers that all sockets share',
  'Refused events': differs('middleware: a middleware refuses an event that asks for an answer'),
  'Limits are on': differs(
      'rooms: two hundred rooms', 'namespaces: twenty namespaces', 'packets: a name of 200 bytes',
      'packets: nesting of 40'),
  'Silent clients': async () => {
    // The client has no handler, so it does not answer; and Node gives no sign, not even when it goes.
    const other = connect(client.io.uri, {transports: ['websocket'], forceNew: true});
    await once(other, 'connect');
    const mine = node.sockets.sockets.get(other.id);
    let answered = false;
    const settle = () => answered = true;
    mine.emitWithAck('nobody handles this').then(settle, settle);
    other.close();
    await until(() => !mine.connected, 'the socket is gone');
    await new Promise(setImmediate);
    assert.equal(answered, false);
    differs('acks: the client leaves without answering, and there is no timeout')();
  },
  'Broadcasts with answers': async () => {
    await assert.rejects(node.to(client.id).emitWithAck('nobody handles this'), /operation has timed out/);
  },
  'Recovery': () => {
    assert.equal(node.opts.connectionStateRecovery.skipMiddlewares, true);
    differs('recovery: a client that has received nothing')();
  },
  'Rooms named like an id': () => {
    socket.leave(socket.id);
    assert.equal(socket.rooms.has(socket.id), false);
    socket.join(socket.id);
    differs('rooms: join the id of somebody else', 'rooms: leave one\'s own id')();
  },
  'Numbers in JSON': differs('packets: a number that is too large', 'packets: minus zero'),
  'Malformed polling': differs('polling: an unknown packet', 'polling: an empty body'),
  'Strict packets': differs(
      'packets: an ack id that is too large', 'packets: a placeholder whose number is a fraction',
      'packets: one attachment used twice'),
  'WebSockets': differs(
      'websocket: compression: what is agreed on', 'websocket: the version is missing',
      'websocket: another path'),
  'Listeners': () => {
    isThere('offAny', 'listenersAny')();
    assert.ok(absentOperations.includes('offAnyOne') && absentOperations.includes('listenersAny'));
  },
  'Other names': () => {
    isThere('conn.close')();
    assert.equal(typeof socket.handshake.time, 'string');
    assert.equal(typeof socket.handshake.issued, 'number');
  },
  'WebTransport, cluster adapters': () => {
    assert.equal(typeof node.adapter, 'function');
    assert.equal(typeof node.engine.onWebTransportSession, 'function');
  },
};

describe('differences', () => {
  const listed = [...page.slice(page.indexOf('## Differences')).matchAll(/^- \*\*(.+?)\.\*\*/gm)].map(
      (match) => match[1]);
  test('each has its evidence here', () => assert.deepEqual(listed, Object.keys(EVIDENCE)));
  for (const [name, shows] of Object.entries(EVIDENCE)) {
    if (typeof shows === 'function') test(name, {timeout: 10_000}, shows);
  }
});

// -- one server twice -----------------------------------------------------------------------------

test('the page shows the example as it is', () => {
  const shown = (language) => blocksOf(PAGE).find((block) => block.language === language).text.trim();
  for (const [language, file] of [['js', 'server.mjs'], ['cpp', 'main.cc']]) {
    const text = readFileSync(path.join(root, EXAMPLE, file), 'utf8');
    assert.equal(text.slice(text.indexOf('\n') + 1).trim(), shown(language), file);
  }
});

async function started(command, args, port) {
  const child = spawn(
      command, args,
      {env: {...process.env, PORT: port, WIREHALL_AUTH__MODE: 'none'}, stdio: ['ignore', 'ignore', 'pipe']});
  let errors = '', ended = false;
  child.stderr.on('data', (data) => errors += data);
  child.once('exit', () => ended = true).once('error', (error) => {
    errors += error;
    ended = true;
  });
  await until(() => {
    assert.ok(!ended, errors);
    return fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`)
        .then(({ok}) => ok, () => false);
  }, `${command} listens`);
  return child;
}

/** What two clients see of a server: a refusal, a join, a message, a refusal to speak, a goodbye. */
async function conversation(port) {
  const seen = [];
  const open = (auth) => connect(
      `http://127.0.0.1:${port}`, {auth, transports: ['websocket'], forceNew: true, reconnection: false});
  const nobody = open({});
  seen.push(['refused', (await once(nobody, 'connect_error'))[0].message]);
  const [ann, bob] = [open({name: 'Ann'}), open({name: 'Bob'})];
  await Promise.all([once(ann, 'connect'), once(bob, 'connect')]);
  for (const event of ['joined', 'said', 'left']) ann.on(event, (...args) => seen.push([event, ...args]));
  seen.push(['answer', await ann.emitWithAck('join', 'lobby')]);
  seen.push(['answer', (await bob.emitWithAck('say', {room: 'lobby', text: 'too early'})).error]);
  seen.push(['answer', await bob.emitWithAck('join', 'lobby')]);
  await until(() => seen.some(([event]) => event === 'joined'), 'Ann hears of Bob');
  seen.push(['answer', await bob.emitWithAck('say', {room: 'lobby', text: 'hello'})]);
  await until(() => seen.some(([event]) => event === 'said'), 'Ann hears Bob');
  bob.close();
  await until(() => seen.some(([event, room]) => event === 'left' && room === 'lobby'), 'Bob is gone');
  const id = /^[\w-]{20}$/;  // everybody is in a room of their own, too: nobody hears of that
  assert.ok(!seen.some(([event, room]) => event === 'left' && id.test(room)));
  for (const one of [nobody, ann, bob]) one.close();
  // Answers and events of different receivers have no order between them.
  return seen.map((one) => JSON.stringify(one)).sort();
}

test('both servers of the example say the same', {timeout: 30_000}, async () => {
  const transcripts = [];
  for (const [command, args] of [
           [process.execPath, [path.join(root, EXAMPLE, 'server.mjs')]],
           [path.join(build, 'example_04-from-node'), []]]) {
    const port = await freePort();
    const child = await started(command, args, port);
    transcripts.push(await conversation(port));
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }
  assert.deepEqual(transcripts[1], transcripts[0]);
  assert.equal(transcripts[0].length, 8);
});
