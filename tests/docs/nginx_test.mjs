// docs/howto/deploy-behind-nginx.md: its configuration in a real nginx, both protocols through it, and each
// symptom of its table by the fault that it names.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {request} from 'node:https';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {io} from 'socket.io-client';
import {WebSocket} from 'ws';

import {Hall, sign} from '../hall/support/hall.mjs';

import {blocksOf, textOf} from './support/blocks.mjs';
import {withNginx} from './support/nginx.mjs';
import {freePort} from './support/sandbox.mjs';

const PAGE = 'docs/howto/deploy-behind-nginx.md';
const shown = blocksOf(PAGE).find(({language}) => language === 'nginx').text;
const insecure = {
  rejectUnauthorized: false
};

let hall, folder;
before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wirehall-nginx-'));
  execFileSync(
      'openssl',
      [
        'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
        '-subj', '/CN=chat.example', '-keyout', 'chat.key', '-out', 'chat.pem'
      ],
      {cwd: folder, stdio: 'ignore'});
  hall =
      await Hall.start({trustedProxies: ['127.0.0.1/32'], heartbeatInterval: 60_000, pingInterval: 60_000});
});
after(async () => {
  await hall.stop();
  rmSync(folder, {recursive: true, force: true});
});

function replaced(text, from, to) {
  assert.ok(text.includes(from), `${PAGE} has no "${from}"`);
  return text.replaceAll(from, to);
}

/** Runs nginx with the page's configuration, changed as `change` says, for as long as `use(url)` takes. */
async function through(use, change = (text) => text) {
  const port = await freePort();
  let text = change(shown);
  text = replaced(text, 'listen 443 ssl', `listen 127.0.0.1:${port} ssl`);
  text = replaced(text, '/etc/nginx/chat', `${folder}/chat`);
  text = replaced(text, '127.0.0.1:3000', `127.0.0.1:${hall.port}`);
  const url = `https://127.0.0.1:${port}`;
  await withNginx(text, () => ask(url, '/healthz').then(() => true, () => false), () => use(url));
}

function ask(url, target, {method = 'GET', headers = {}, body} = {}) {
  return new Promise((resolve, reject) => {
    const asking = request(url + target, {method, headers, agent: false, ...insecure}, async (response) => {
      let text = '';
      for await (const part of response) text += part;
      resolve({status: response.statusCode, text});
    });
    asking.on('error', reject).end(body);
  });
}

async function connected(url, options = {}) {
  const socket =
      io(url, {auth: {token: sign('ann')}, reconnection: false, forceNew: true, ...insecure, ...options});
  // Resolves with the transport on which the client stays; it may be decided before the server has answered.
  socket.decided = new Promise(
      (resolve) => socket.io.engine.once('upgrade', ({name}) => resolve(name))
                       .once('upgradeError', () => resolve('polling')));
  const refused = once(socket, 'connect_error').then(([error]) => {
    throw error;
  });
  await Promise.race([once(socket, 'connect'), refused]);
  return socket;
}

/** `connected`, or what refused the native client: a page of `origin` that calls the server by its name. */
async function native(url, origin) {
  const headers = {Host: 'chat.example'};
  const socket =
      new WebSocket(`${url.replace('https', 'wss')}/ws?token=${sign('bob')}`, {...insecure, origin, headers});
  const said = await new Promise(
      (resolve) => socket.once('message', (data) => resolve(JSON.parse(data).type))
                       .once('error', ({message}) => resolve(message)));
  socket.terminate();
  return said;
}

/** The configuration without the lines that hold one of these. */
const without = (...words) => (text) => {
  for (const word of words) assert.ok(text.includes(word), word);
  return text.split('\n').filter((line) => !words.some((word) => line.includes(word))).join('\n');
};

test(
    'both protocols work through it, from pages of its own origin',
    () => through(async (url) => {
      assert.deepEqual(await ask(url, '/healthz'), {status: 200, text: '{"status":"ok"}'});
      assert.equal((await ask(url, '/ws')).status, 426);
      assert.match(
          (await ask(url, '/socket.io/?EIO=4&transport=polling')).text,
          /^0\{"sid":"[^"]+","upgrades":\["websocket"\]/);

      const socket = await connected(url);
      assert.equal(await socket.decided, 'websocket');
      assert.equal((await socket.emitWithAck('join-room', 'lobby')).success, true);
      socket.close();

      assert.equal(await native(url, 'https://chat.example'), 'connected');
      assert.equal(await native(url, 'https://elsewhere.example'), 'Unexpected server response: 403');
    }));

test(
    'the management routes can be kept inside',
    () => through(
        async (url) => {
          assert.equal((await ask(url, '/ws/stats')).status, 403);
          assert.equal(await native(url), 'connected');
        },
        (text) => {
          const inside = /`(location ~ [^`]+)`/.exec(textOf(PAGE))[1];
          return replaced(text, '  location / {', `  ${inside}\n  location / {`);
        }));

test(
    'without Upgrade and Connection clients stay on polling',
    () => through(async (url) => {
      const socket = await connected(url);
      assert.equal(await socket.decided, 'polling');
      socket.close();
    }, without('proxy_set_header Upgrade', 'proxy_set_header Connection')));

test('without Host, or X-Forwarded-Proto, pages are refused', async () => {
  for (const header of ['proxy_set_header Host', 'proxy_set_header X-Forwarded-Proto']) {
    await through(async (url) => {
      assert.equal(await native(url, 'https://chat.example'), 'Unexpected server response: 403', header);
    }, without(header));
  }
});

test(
    'with a short proxy_read_timeout silent connections end',
    () => through(async (url) => {
      const socket = await connected(url, {transports: ['websocket']});
      assert.equal((await once(socket, 'disconnect'))[0], 'transport close');
    }, (text) => replaced(text, 'proxy_read_timeout 120s', 'proxy_read_timeout 1s')));

test(
    'with a small client_max_body_size large messages over polling are 413',
    () => through(async (url) => {
      const socket = await connected(url, {transports: ['polling']});
      const gone = once(socket, 'disconnect');
      socket.emit('message', {roomId: 'lobby', content: 'x'.repeat(3000)});
      const [reason, details] = await gone;
      assert.deepEqual([reason, details.description], ['transport error', 413]);
    }, (text) => replaced(text, 'client_max_body_size 1m', 'client_max_body_size 1k')));

test(
    'messages up to maxHttpBufferSize pass',
    () => through(async (url) => {
      const socket = await connected(url, {transports: ['polling']});
      await socket.emitWithAck('join-room', 'lobby');
      assert.equal(
          (await socket.emitWithAck('broadcast', {room: 'lobby', data: 'x'.repeat(900_000)})).success, true);
      socket.close();
    }));

test(
    'a server that does not run is 502',
    () => through(async (url) => {
      assert.equal((await ask(url, '/healthz')).status, 502);
    }, (text) => replaced(text, '127.0.0.1:3000;', '127.0.0.1:3000 down; server 127.0.0.1:1;')));
