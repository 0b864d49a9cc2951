// docs/reference/errors.md, "What you see": each text of its tables is provoked with stock clients and
// compared; and what is provoked stands in the tables.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {connect as connectTcp, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import {io} from 'socket.io-client';
import {WebSocket, WebSocketServer} from 'ws';

import {Hall, program, sign} from '../hall/support/hall.mjs';
import {until} from '../support/server.mjs';

import {textOf} from './support/blocks.mjs';
import {freePort} from './support/sandbox.mjs';

const PAGE = 'docs/reference/errors.md';
const FAR = '203.0.113.9';  // an address of which limits by address hold: loopback is exempt in development

let hall, small;
const opened = new Set();
before(async () => {
  hall = await Hall.start({
    auth: {audience: 'chat', apiKeys: ['KEY']},
    pingInterval: 300,
    pingTimeout: 200,
    limits: {roomsPerClient: 1},
    trustedProxies: ['127.0.0.1/32'],
    log: {level: 'info'}
  });
  small = await Hall.start({
    maxHttpBufferSize: 1000,
    maxPayload: 2000,
    rateLimit: {messagesPerMinute: 1, connectionsPerMinute: 1},
    limits: {connectionsPerUser: 1},
    trustedProxies: ['127.0.0.1/32']
  });
});
after(async () => {
  for (const client of opened) client.close();
  await hall.stop();
  await small.stop();
});

// -- clients --------------------------------------------------------------------------------------

const tokenOf = (user, claims) => sign(user, {aud: 'chat', ...claims});

function client(url, options = {}) {
  const socket = io(url, {
    auth: {token: tokenOf(options.user ?? 'ann', options.claims)},
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    ...options
  });
  opened.add(socket);
  return socket;
}
async function connected(url, options) {
  const socket = client(url, options);
  const refused = once(socket, 'connect_error').then(([error]) => {
    throw error;
  });
  await Promise.race([once(socket, 'connect'), refused]);
  return socket;
}
const refusal = async (url, options) => (await once(client(url, options), 'connect_error'))[0];
const asked = async (event, ...args) => (await connected(hall.url)).emitWithAck(event, ...args);

const webSocket = (url, query = `?token=${tokenOf('ann')}`, options = {}) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws${query}`, options);
  opened.add(socket);
  return socket;
};
const failure = async (socket) => (await once(socket, 'error'))[0].message;
async function closing(socket, say) {
  if (say !== undefined) socket.once('open', () => socket.send(say));
  const [code, reason] = await once(socket, 'close');
  return `${code} ${reason}`;
}
async function problem(response) {
  const body = await response.json();
  return `${response.status} ${body.title ?? body.message}`;
}
/** What a raw request is answered with. */
async function raw(text) {
  const socket = connectTcp(hall.port, '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const data of socket) answer += data;
  const [head, body] = answer.split('\r\n\r\n');
  const [, status] = /^HTTP\/1.1 (\d+)/.exec(head);
  return `${status} ${JSON.parse(body).title}`;
}
/** What the program says when it starts with a configuration, and its status. */
function starting(config, {environment = {}, args = []} = {}) {
  const directory = mkdtempSync(path.join(tmpdir(), 'wirehall-errors-'));
  try {
    writeFileSync(path.join(directory, 'websocket.json'), JSON.stringify(config));
    const {JWT_SECRET: _, ...rest} = process.env;
    const ended = spawnSync(
        program, ['serve', '--config', 'websocket.json', ...args],
        {cwd: directory, env: {...rest, PORT: 0, ...environment}, encoding: 'utf8', timeout: 10_000});
    assert.equal(ended.status, 78, ended.stderr);
    return ended.stderr;
  } finally {
    rmSync(directory, {recursive: true, force: true});
  }
}
const KEYED = {
  JWT_SECRET: 'a secret of the tests, which is long enough'
};

/** Stops the process for as long as `action` takes: a server that hangs. */
async function whileItHangs(action) {
  const {pid} = hall.child;
  process.kill(pid, 'SIGSTOP');
  await until(() => / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')), 'the process stops');
  try {
    return await action();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
/** The reason that a client hears when its server is killed. */
async function whenKilled(options) {
  const mortal = await Hall.start();
  const socket = await connected(mortal.url, options);
  const gone = once(socket, 'disconnect');
  mortal.child.kill('SIGKILL');
  const [reason, details] = await gone;
  await mortal.restart({}, 'SIGKILL');
  await mortal.stop();
  return {reason, details};
}

/** The reason that a client hears when somebody says this behind the answer to CONNECT. */
async function afterConnecting(bytes) {
  const other = new WebSocketServer({port: 0, host: '127.0.0.1'});
  await once(other, 'listening');
  other.on('connection', (socket) => {
    socket.send('0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}');
    socket.once('message', () => {
      socket.send('40{"sid":"b"}');
      socket.send(bytes);
    });
  });
  const [reason] = await once(client(`http://127.0.0.1:${other.address().port}`), 'disconnect');
  other.close();
  return reason;
}

// -- what is seen ---------------------------------------------------------------------------------

/** By heading of the page: text of the table → how to see it. Each returns the whole text. */
const SIGHTS = {
  'connect_error of Socket.IO': {
    'websocket error': async () => {
      const closed = await refusal(`http://127.0.0.1:${await freePort()}`);
      assert.match(closed.description.message, /^connect ECONNREFUSED /);
      const elsewhere = await refusal(hall.url, {path: '/elsewhere'});
      assert.equal(elsewhere.description.message, 'Unexpected server response: 404');
      assert.equal(elsewhere.message, closed.message);
      return closed.message;
    },
    'xhr poll error': async () => {
      const transports = ['polling'];
      const closed = await refusal(`http://127.0.0.1:${await freePort()}`, {transports});
      const elsewhere = await refusal(hall.url, {transports, path: '/elsewhere'});
      assert.deepEqual([closed.description, elsewhere.description], [0, 404]);
      const foreign = await fetch(
          `${hall.url}/socket.io/?EIO=4&transport=polling`, {headers: {Origin: 'https://www.example'}});
      assert.equal(foreign.headers.get('access-control-allow-origin'), null);
      return closed.message;
    },
    'timeout': async () => {
      const silent = createServer(() => {}).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const error = await refusal(`http://127.0.0.1:${silent.address().port}`, {timeout: 100});
      silent.close();
      return error.message;
    },
    'Authentication required': async () => {
      const error = await refusal(hall.url, {auth: {}});
      assert.deepEqual(error.data, {code: 'authentication-required'});
      return error.message;
    },
    'Authentication failed: invalid token': async () => {
      const error = await refusal(hall.url, {auth: {token: tokenOf('ann').slice(0, -3)}});
      assert.deepEqual(error.data, {code: 'authentication-failed'});
      await until(() => /"fault":/.test(hall.errors), 'the log names the fault');
      return error.message;
    },
    'Authentication failed: token expired': async () => {
      const past = Math.floor(Date.now() / 1000) - 60;
      return (await refusal(hall.url, {claims: {exp: past}})).message;
    },
    'Authentication failed: wrong audience': async () =>
        (await refusal(hall.url, {claims: {aud: 'mail'}})).message,
    'Invalid user': async () => (await refusal(hall.url, {user: ''})).message,
    'Too many connections': async () => {
      await connected(small.url, {user: 'twice'});
      const error = await refusal(small.url, {user: 'twice'});
      assert.equal(error.data.code, 'too-many-connections');
      assert.ok(error.data.retryAfter > 0);
      return error.message;
    },
    'Rate limit exceeded': async () => {
      const far = {extraHeaders: {'X-Forwarded-For': FAR}};
      await connected(small.url, {user: 'first', ...far});
      const error = await refusal(small.url, {user: 'second', ...far});
      assert.equal(error.data.code, 'rate-limited');
      assert.ok(error.data.retryAfter > 0);
      return error.message;
    },
    'Invalid namespace': async () => (await refusal(`${hall.url}/name`)).message,
  },
  'A plain WebSocket': {
    'connect ECONNREFUSED': async () => failure(webSocket(`http://127.0.0.1:${await freePort()}`)),
    'Unexpected server response: 401': async () => failure(webSocket(hall.url, '')),
    'Unexpected server response: 403': async () =>
        failure(webSocket(hall.url, undefined, {origin: 'https://www.example'})),
    'Unexpected server response: 404': async () => {
      const socket = new WebSocket(`${hall.url.replace('http', 'ws')}/elsewhere`);
      return failure(socket);
    },
    'Unexpected server response: 429': async () => {
      const open = () => webSocket(small.url, `?token=${tokenOf('native')}`);
      await once(open(), 'open');
      return failure(open());
    },
    'Unexpected server response: 503': async () => {
      const keyless = await Hall.start({auth: {jwksUrl: 'https://127.0.0.1:1/keys'}});
      const unknown = [{alg: 'ES256', kid: 'k'}, {sub: 'ann'}].map(
          (part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
      const message = await failure(webSocket(keyless.url, `?token=${unknown.join('.')}.AAAA`));
      await keyless.stop();
      return message;
    },
    '1007 Malformed JSON': async () => closing(webSocket(hall.url), 'hello'),
    '1008 Unauthorized': async () => closing(webSocket(hall.url, '?authError=close')),
    '1009 Message too big': async () =>
        closing(webSocket(small.url, `?token=${tokenOf('large')}`), 'x'.repeat(2001)),
    '4002 Token expired': async () => {
      const exp = Math.floor(Date.now() / 1000) + 1;
      return closing(webSocket(hall.url, `?token=${tokenOf('ann', {exp})}`));
    },
    '1001 server shutting down': async () => {
      const mortal = await Hall.start();
      const socket = webSocket(mortal.url);
      await once(socket, 'open');
      const closed = closing(socket);
      await mortal.stop();
      return closed;
    },
  },
  'disconnect of Socket.IO': {
    'transport close': async () => {
      const socket = await connected(small.url, {user: 'bulky'});
      const gone = once(socket, 'disconnect');
      socket.emit('message', {roomId: 'lobby', content: 'x'.repeat(1000)});
      assert.equal((await gone)[0], 'transport close');
      const exp = Math.floor(Date.now() / 1000) + 1;
      const ending = await connected(hall.url, {user: 'short', claims: {exp}});
      assert.equal((await once(ending, 'disconnect'))[0], 'transport close');
      return (await whenKilled()).reason;
    },
    'transport error': async () => {
      const socket = await connected(small.url, {user: 'bulky poll', transports: ['polling']});
      const gone = once(socket, 'disconnect');
      socket.emit('message', {roomId: 'lobby', content: 'x'.repeat(1000)});
      const [reason, details] = await gone;
      assert.equal(details.description, 413);
      assert.equal((await whenKilled({transports: ['polling']})).reason, reason);
      return reason;
    },
    'ping timeout': async () => {
      const socket = await connected(hall.url, {user: 'patient'});
      return whileItHangs(async () => (await once(socket, 'disconnect'))[0]);
    },
    'parse error': () => afterConnecting('4<html>'),
    'io server disconnect': () => afterConnecting('41'),
    'io client disconnect': async () => {
      const socket = await connected(hall.url);
      const gone = once(socket, 'disconnect');
      socket.disconnect();
      return (await gone)[0];
    },
  },
  'Answers to events': {
    'Not in room': async () => (await asked('message', {roomId: 'lobby', content: 'hello'})).error,
    'Rate limit exceeded': async () => {
      const socket = await connected(small.url, {user: 'quick'});
      await socket.emitWithAck('message', {roomId: 'lobby', content: 'hello'});
      const answer = await socket.emitWithAck('message', {roomId: 'lobby', content: 'hello'});
      assert.ok(answer.retryAfter > 0);
      return answer.error;
    },
    'Unknown event': async () => (await asked('nobody-handles-this', {})).error,
    'Invalid format: roomId must be a string': async () => (await asked('history', {})).error,
    'Access denied': async () => {
      const socket = await connected(hall.url, {claims: {rooms: ['lobby']}});
      return (await socket.emitWithAck('join-room', 'cellar')).error;
    },
    'Limit reached': async () => {
      const socket = await connected(hall.url);
      await socket.emitWithAck('join-room', 'lobby');
      return (await socket.emitWithAck('join-room', 'cellar')).error;
    },
    'Too large: content is longer than 65536 bytes': async () => {
      const socket = await connected(hall.url);
      await socket.emitWithAck('join-room', 'lobby');
      return (await socket.emitWithAck('message', {roomId: 'lobby', content: 'x'.repeat(65537)})).error;
    },
    'operation has timed out': async () => {
      const socket = await connected(hall.url, {user: 'hasty'});
      return whileItHangs(
          () => socket.timeout(50).emitWithAck('history', {roomId: 'lobby'}).catch(({message}) => message));
    },
  },
  'HTTP': {
    '400 Session ID unknown': async () =>
        problem(await fetch(`${hall.url}/socket.io/?EIO=4&transport=polling&sid=none`)),
    '400 Unsupported protocol version': async () =>
        problem(await fetch(`${hall.url}/socket.io/?EIO=3&transport=polling`)),
    '400 Malformed HTTP request': async () => raw('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),
    '401 Authentication required': async () => keyed({}),
    '401 Authentication failed': async () => keyed({'X-API-Key': 'wrong'}),
    '403 Access denied': async () =>
        problem(await fetch(`${small.url}/ws/stats`, {headers: {'X-Forwarded-For': FAR}})),
    '403 Origin not allowed': async () => raw(upgrade('Origin: https://www.example')),
    '404 Not found': async () => problem(await fetch(`${hall.url}/nowhere`)),
    '405 Method not allowed': async () => problem(await fetch(`${hall.url}/ws/broadcast`, {method: 'PUT'})),
    // The head alone: who is still sending when it is refused may see the connection go before the answer.
    '413 Request body too large': async () => raw(
        `POST /ws/broadcast HTTP/1.1\r\nHost: a\r\nX-API-Key: KEY\r\nContent-Length: ${(1 << 20) + 1}\r\n\r\n`),
    '426 WebSocket upgrade required': async () => problem(await fetch(`${hall.url}/ws`)),
    '429 Rate limit exceeded': async () => {
      const far = {headers: {'X-Forwarded-For': '203.0.113.10'}};
      await once(webSocket(small.url, `?token=${tokenOf('far')}`, far), 'open');
      const refused = new Promise(
          (resolve) => webSocket(small.url, `?token=${tokenOf('farther')}`, far)
                           .once('unexpected-response', (_, response) => resolve(response))
                           .once('error', () => {}));
      const response = await refused;
      assert.ok(Number(response.headers['retry-after']) > 0);
      let body = '';
      for await (const part of response) body += part;
      return `${response.statusCode} ${JSON.parse(body).title}`;
    },
    '431 Request header fields too large': async () =>
        raw(`GET /healthz HTTP/1.1\r\nHost: a\r\nCookie: ${'x'.repeat(17_000)}\r\n\r\n`),
    '503 Temporarily unavailable': async () => {
      const keyless = await Hall.start({auth: {jwksUrl: 'https://127.0.0.1:1/keys'}});
      const unknown = [{alg: 'ES256', kid: 'k'}, {sub: 'ann'}].map(
          (part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
      const text = await problem(await fetch(
          `${keyless.url}/files/AQEqbyainJTbklp0C0jY`,
          {headers: {Authorization: `Bearer ${unknown.join('.')}.AAAA`}}));
      await keyless.stop();
      return text;
    },
  },
  'Starting': {
    'no key to verify tokens with': () => starting({}),
    'an HMAC secret needs at least 32 bytes': () => starting({}, {environment: {JWT_SECRET: 'short'}}),
    'port … is in use': () => starting({}, {environment: KEYED, args: ['--port', String(hall.port)]}),
    'cannot be locked: is another server using it?': () =>
        starting({}, {environment: KEYED, args: ['--data', path.join(hall.directory, 'data')]}),
    'unknown key "…"': () => starting({prot: 1}, {environment: KEYED}),
    '--dev listens on loopback only': () => starting({}, {args: ['--dev', '--host', '0.0.0.0']}),
  },
};

const keyed = async (headers) =>
    problem(await fetch(`${hall.url}/ws/stats`, {headers: {'X-Forwarded-For': FAR, ...headers}}));
const upgrade = (header) =>
    `GET /ws HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n${header}\r\n\r\n`;

/** heading → the first cells of its table. */
function tablesOf(text) {
  const seen = text.slice(text.indexOf('\n## What you see'), text.indexOf('\n## Where errors appear'));
  return Object.fromEntries(seen.split('\n### ').slice(1).map((part) => {
    const rows = [...part.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
    return [part.slice(0, part.indexOf('\n')), rows];
  }));
}

test('the tables show what is provoked here, and nothing else', () => {
  const provoked =
      Object.fromEntries(Object.entries(SIGHTS).map(([heading, rows]) => [heading, Object.keys(rows)]));
  assert.deepEqual(tablesOf(textOf(PAGE)), provoked);
});

for (const [heading, rows] of Object.entries(SIGHTS)) {
  describe(heading, () => {
    for (const [shown, see] of Object.entries(rows)) {
      test(shown, {timeout: 20_000}, async () => {
        const seen = await see();
        const [first, last = ''] = shown.split('…');
        const at = seen.indexOf(first);
        assert.ok(at >= 0 && seen.indexOf(last, at + first.length) >= 0, `it is: ${seen}`);
        // Of what clients show in an exact form the table has the whole.
        if (!/ECONNREFUSED/.test(shown) && heading !== 'Starting') assert.equal(seen, shown);
      });
    }
  });
}
