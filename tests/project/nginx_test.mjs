// nginx.conf of a generated project, in a real nginx in front of a real server that is not in development mode.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { next, start, until } from '../support/server.mjs';
import { BUILD, freePort, run } from '../installed/steps.mjs';
import { CHOICES, writeTree } from './tree.mjs';

const NGINX = '/usr/sbin/nginx';
const SECRET = 'a secret of thirty-two bytes, or more';
const API_KEY = 'a key for the routes of management';
const CONNECTIONS_PER_MINUTE = 20;
const PROGRAM = path.join(BUILD, 'wirehall');

/** The text with one part replaced, which must stand there once. */
function replaced(text, part, by) {
  assert.equal(text.split(part).length, 2, `"${part}" stands in nginx.conf once`);
  return text.replace(part, by);
}

describe('nginx.conf', () => {
  let folder;
  let server;
  let nginx;
  let port;
  let securePort;
  let token;
  const url = () => `http://127.0.0.1:${port}`;
  const conf = () => readFileSync(path.join(folder, 'tree/nginx.conf'), 'utf8');

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'wirehall-nginx-'));
    writeTree(path.join(folder, 'tree'), CHOICES.everything, { version: '0.1.0' });
    server = await start(PROGRAM, ['serve', '--port', '0', '--data', path.join(folder, 'data')], {
      JWT_SECRET: SECRET, WIREHALL_AUTH__API_KEYS: API_KEY, WIREHALL_TRUSTED_PROXIES: '127.0.0.1/32',
      WIREHALL_RATE_LIMIT__CONNECTIONS_PER_MINUTE: `${CONNECTIONS_PER_MINUTE}`,
    });
    token = execFileSync(PROGRAM, ['token', '--user', 'ann', '--secret', SECRET], { encoding: 'utf8' }).trim();
    port = await freePort();
    securePort = await freePort();
    await run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', '/CN=chat.example', '-keyout', path.join(folder, 'key.pem'), '-out', path.join(folder, 'certificate.pem'));
    // What certbot adds, and the ports of this test.
    const site = replaced(replaced(conf(), 'server 127.0.0.1:3000;', `server 127.0.0.1:${server.port};`),
      'listen 80;', `listen 127.0.0.1:${port}; listen 127.0.0.1:${securePort} ssl;
        ssl_certificate ${folder}/certificate.pem; ssl_certificate_key ${folder}/key.pem;`);
    writeFileSync(path.join(folder, 'site.conf'), site);
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
    writeFileSync(path.join(folder, 'nginx.conf'), `${process.getuid() === 0 ? 'user root;' : ''} daemon off;
      pid ${folder}/nginx.pid; error_log ${folder}/error.log; events {}
      http { access_log off; ${places.join(' ')} include ${folder}/site.conf; }`);
    assert.match(await run(NGINX, '-t', '-p', folder, '-c', path.join(folder, 'nginx.conf')), /syntax is ok/);
    nginx = spawn(NGINX, ['-p', folder, '-c', path.join(folder, 'nginx.conf')], { stdio: 'inherit' });
    await until(() => fetch(`${url()}/healthz`).then((response) => response.ok, () => false), 'an answer through nginx');
  });
  after(async () => {
    if (nginx?.exitCode === null) {
      nginx.kill('SIGTERM');
      await once(nginx, 'exit');
    }
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A stock client; every one comes from an address of its own. */
  let addresses = 0;
  const address = () => ({ 'X-Forwarded-For': `203.0.113.${++addresses}` });
  async function connected(options = {}) {
    const socket = io(url(), { auth: { token }, reconnection: false, extraHeaders: address(), forceNew: true, ...options });
    await next(socket, 'connect');
    return socket;
  }
  /** A plain WebSocket with its messages; rejects with the status of a refusal. */
  async function plain(headers = {}, { base = url(), ...options } = {}) {
    const socket = new WebSocket(`${base.replace('http', 'ws')}/ws?token=${token}`,
      { headers: { ...address(), ...headers }, rejectUnauthorized: false, ...options });
    const [first] = await new Promise((resolve, reject) => {
      socket.once('message', (...message) => resolve(message));
      socket.once('unexpected-response', (_, response) => reject(new Error(`status ${response.statusCode}`)));
      socket.once('error', reject);
    });
    return { socket, first: JSON.parse(first) };
  }

  it('lets a stock client upgrade from polling to WebSocket, and takes its messages', async () => {
    const socket = await connected();
    await until(() => socket.io.engine.transport.name === 'websocket', 'the upgrade');
    assert.equal((await socket.emitWithAck('join-room', 'lobby')).success, true);
    const seen = next(socket, 'new-message');
    assert.equal((await socket.emitWithAck('message', { roomId: 'lobby', content: 'hello' })).success, true);
    assert.equal((await seen)[0].content, 'hello');
    socket.disconnect();
  });

  it('lets polling send and be told without delay, up to maxHttpBufferSize', async () => {
    const socket = await connected({ transports: ['polling'] });
    const asked = Date.now();
    assert.equal((await socket.emitWithAck('join-room', 'polled')).success, true);
    assert.ok(Date.now() - asked < 2000, 'nginx keeps answers back');
    const answer = await socket.timeout(5000).emitWithAck('large', 'x'.repeat(990_000));
    assert.equal(answer.code, 'unknown-event');
    socket.disconnect();
  });

  it('lets a plain WebSocket in, and its close through', async () => {
    const { socket, first } = await plain();
    assert.equal(first.type, 'connected');
    const answer = once(socket, 'message');
    socket.send('{"type":"ping","id":7}');
    assert.equal(JSON.parse((await answer)[0]).id, 7);
    const closed = once(socket, 'close');
    socket.close(1000);
    assert.equal((await closed)[0], 1000);
  });

  it('says to the server by which name and how it was asked, so that its own pages may connect', async () => {
    const page = (origin, base = url()) =>
      plain({ Host: 'chat.example', Origin: origin }, { base }).then(({ socket }) => socket.terminate());
    await page('http://chat.example');
    await assert.rejects(page('http://elsewhere.example'), /status 403/);
    await assert.rejects(page('https://chat.example'), /status 403/);
    const secure = `https://127.0.0.1:${securePort}`;
    await page('https://chat.example', secure);
    await assert.rejects(page('http://chat.example', secure), /status 403/);
  });

  it('says who asks, whatever the client says, so that each address has limits of its own', async () => {
    const status = (localAddress) => plain({}, { localAddress })
      .then(({ socket }) => (socket.terminate(), 101), (error) => error.message);
    let last = 101;
    let count = 0;
    for (; last === 101 && count < 3 * CONNECTIONS_PER_MINUTE; ++count) last = await status('127.0.0.2');
    assert.equal(last, 'status 429');
    assert.ok(count > CONNECTIONS_PER_MINUTE, `the limit came after ${count}`);
    assert.equal(await status('127.0.0.3'), 101);
  });

  it('keeps the routes of management inside', async () => {
    const headers = { Authorization: `Bearer ${API_KEY}` };
    assert.equal((await fetch(`${server.url}/ws/stats`, { headers })).status, 200);
    assert.equal((await fetch(`${url()}/ws/stats`, { headers })).status, 403);
    assert.equal((await fetch(`${url()}/ws/broadcast`, { method: 'POST', headers, body: '{"event":"x"}' })).status, 403);
  });

  it('waits longer than the heartbeats of both protocols allow silence', () => {
    const settings = readFileSync(path.join(folder, 'tree/config/websocket.json'), 'utf8');
    const milliseconds = (key) => Number(new RegExp(`"${key}": (\\d+)`).exec(settings)[1]);
    const silence = Math.max(milliseconds('pingInterval') + milliseconds('pingTimeout'), 2 * milliseconds('heartbeatInterval'));
    for (const name of ['proxy_read_timeout', 'proxy_send_timeout']) {
      const seconds = Number(new RegExp(`${name} (\\d+)s;`).exec(conf())[1]);
      assert.ok(seconds * 1000 >= silence * 1.2, `${name} ${seconds}s, heartbeats ${silence} ms`);
    }
  });
});
