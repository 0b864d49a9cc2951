// The program itself, and a cable to it that breaks where a test says.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { Client } from '../src/wirehall.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = resolve(ROOT, process.env.WIREHALL_BIN ?? 'build/release/wirehall');

export class RealServer {
  #data = mkdtempSync(join(tmpdir(), 'wirehall-client-'));
  #secret = randomBytes(48).toString('base64');
  #clients = [];
  #isKilled = false;
  #process;

  /** @param environment  settings, by their names in the environment */
  static async start(t, environment = {}) {
    const server = new RealServer();
    server.environment = environment;
    await server.run();
    t.after(async () => {
      for (const client of server.#clients) client.close();
      await server.kill();
      rmSync(server.#data, { recursive: true, force: true });
    });
    return server;
  }

  async run() {
    this.#isKilled = false;
    const port = this.url === undefined ? 0 : new URL(this.url).port;
    this.#process = spawn(PROGRAM, ['serve', '--dev', '--port', String(port), '--data', this.#data], {
      env: { ...process.env, JWT_SECRET: this.#secret, WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE: '100000', ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    this.#process.stderr.on('data', (text) => (said += text));
    this.url = await new Promise((done, fail) => {
      this.#process.once('error', fail);
      this.#process.once('exit', (code, signal) => {
        const error = new Error(`${PROGRAM} ended with ${code ?? signal}: ${said}`);
        fail(error);
        if (!this.#isKilled) throw error; // nobody waits any more
      });
      let printed = '';
      this.#process.stdout.on('data', (text) => {
        printed += text;
        const found = /Wirehall listens on (\S+)\n/.exec(printed);
        if (found) done(found[1]);
      });
    });
  }

  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#isKilled = true;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** What the server takes somebody for. */
  token(user, lifetimeSeconds = 3600) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, exp: now + lifetimeSeconds, jti: randomBytes(6).toString('hex') })}`;
    return `${signed}.${createHmac('sha256', this.#secret).update(signed).digest('base64url')}`;
  }

  /** A client with short delays; it is closed at the end of the test. `via`: a cable. */
  client(user, { via = this, ...options } = {}) {
    const client = new Client(via.url, {
      WebSocket, auth: () => ({ token: this.token(user) }), reconnectionDelay: 1, reconnectionDelayMax: 20, ...options,
    });
    this.#clients.push(client);
    return client;
  }
}

/**
 * A cable to a server. `up` is what clients send, `down` what they get; cutAfter() lets so many bytes more through in one
 * direction and then breaks every connection, as a network does: nobody says goodbye.
 */
export class Cable {
  cuts = 0;
  #left = { up: Infinity, down: Infinity };
  #pairs = new Set();

  static async to(t, server) {
    const cable = new Cable();
    cable.listener = net.createServer((near) => cable.#connect(near, new URL(server.url)));
    cable.listener.listen(0, '127.0.0.1');
    await once(cable.listener, 'listening');
    cable.url = `http://127.0.0.1:${cable.listener.address().port}`;
    t.after(() => {
      cable.listener.close();
      cable.cut();
    });
    return cable;
  }

  cutAfter(direction, bytes) {
    this.#left[direction] = bytes;
  }

  cut() {
    this.cuts += 1;
    this.#left = { up: Infinity, down: Infinity };
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #connect(near, { hostname, port }) {
    const far = net.connect(port, hostname);
    const pair = [near, far];
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {}); // `close` follows
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    near.on('data', (data) => !pair.isBroken && this.#pass('up', data, far));
    far.on('data', (data) => !pair.isBroken && this.#pass('down', data, near));
  }

  #pass(direction, data, to) {
    const left = this.#left[direction];
    if (data.length < left) {
      this.#left[direction] -= data.length;
      to.write(data);
      return;
    }
    // What passed arrives, the end comes behind it.
    this.#left = { up: Infinity, down: Infinity };
    this.cuts += 1;
    const pairs = [...this.#pairs];
    for (const pair of pairs) pair.isBroken = true;
    to.write(data.subarray(0, left), () => {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
    });
  }
}

/** Resolves when the condition holds. */
export async function until(condition, what, milliseconds = 15_000) {
  const end = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${typeof what === 'function' ? what() : what} did not come true`);
    await new Promise((done) => setTimeout(done, 2));
  }
}
