// Starts the hall server with a configuration of its own, ends it gently or not, and starts it again on the
// same data. Tokens are signed here, with a secret that survives restarts.
import {execFileSync, spawn} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';

import {root} from '../../support/server.mjs';

import {connect} from './clients.mjs';

export const program = process.env.WIREHALL_BIN ?? path.join(root, 'build/release/wirehall');
const SECRET = 'a secret of the tests, which is long enough';
const START_MS = 20_000;

/** What nearly every test wants: no waiting at the end, and no limit that it would run into by chance. */
const USUAL = {
  threads: 1,
  rateLimit: {messagesPerMinute: 1_000_000},
  connectionStateRecovery: {maxDisconnectionDuration: 0},
  presence: {gracePeriod: 50},
  limits: {drainWindow: 0},
  log: {level: 'warning'},
};

function merged(base, over) {
  const result = {...base};
  for (const [key, value] of Object.entries(over)) {
    const both =
        [base[key], value].every((side) => typeof side === 'object' && side !== null && !Array.isArray(side));
    result[key] = both ? merged(base[key], value) : value;
  }
  return result;
}

const base64url = (value) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token that the server signs likewise. `claims` win over what is usual. */
export function sign(user, claims = {}) {
  const now = Math.floor(Date.now() / 1000);
  const all = {sub: user, user: {name: user}, iat: now, exp: now + 3600, ...claims};
  const head = `${base64url({alg: 'HS256', typ: 'JWT'})}.${base64url(all)}`;
  return `${head}.${createHmac('sha256', SECRET).update(head).digest('base64url')}`;
}

/** A token as `wirehall token` makes it. */
export function tokenOfProgram(...args) {
  return execFileSync(program, ['token', ...args], {env: {...process.env, JWT_SECRET: SECRET}})
      .toString()
      .trim();
}

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Hall {
  #clients = new Set();

  /** `config` is put over what is usual for tests. */
  static async start(config = {}) {
    const hall = new Hall();
    hall.directory = mkdtempSync(path.join(tmpdir(), 'wirehall-hall-'));
    hall.config = merged(USUAL, config);
    await hall.#run();
    return hall;
  }

  async #run() {
    const file = path.join(this.directory, 'websocket.json');
    writeFileSync(file, JSON.stringify(this.config));
    const args =
        ['serve', '--dev', '--port', '0', '--config', file, '--data', path.join(this.directory, 'data')];
    const child =
        spawn(program, args, {env: {...process.env, JWT_SECRET: SECRET}, stdio: ['ignore', 'pipe', 'pipe']});
    this.child = child;
    running.add(child);
    this.errors = '';
    child.stderr.on('data', (data) => {
      this.errors += data;
    });
    const ended = once(child, 'exit');
    this.ended = ended;
    this.port = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the server did not start in time')), START_MS);
      let output = '';
      child.stdout.on('data', (data) => {
        output += data;
        const found = /listens on https?:\/\/[^\s]*:(\d+)/.exec(output);
        if (!found) return;
        clearTimeout(timer);
        resolve(Number(found[1]));
      });
      ended.then(([code, signal]) => {
        clearTimeout(timer);
        reject(new Error(`the server ended: ${code ?? signal} ${output}${this.errors}`));
      });
      child.on('error', reject);
    });
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** A client of a user. `options` are those of connect(); `claims` go into the token. */
  async open(user, protocol = 'native', {claims, ...options} = {}) {
    const client = await connect(this.url, {user, protocol, token: sign(user, claims), ...options});
    this.#clients.add(client);
    return client;
  }

  /** Ends the process and waits for its end. Returns: its exit status, or the signal that ended it. */
  async #end(signal) {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const [code, by] = await this.ended;
    running.delete(this.child);
    return code ?? by;
  }

  /** Ends it in order, and starts it on the same data; `config` is put over the one before. */
  async restart(config = {}, signal = 'SIGTERM') {
    const status = await this.#end(signal);
    if (signal === 'SIGTERM' && status !== 0)
      throw new Error(`the server ended with ${status}: ${this.errors}`);
    this.config = merged(this.config, config);
    await this.#run();
  }

  /** Ends it, and all clients, and removes its data. It must have ended in order. */
  async stop() {
    for (const client of this.#clients) client.destroy();
    const status = await this.#end('SIGTERM');
    rmSync(this.directory, {recursive: true, force: true});
    if (status !== 0) throw new Error(`the server ended with ${status}: ${this.errors}`);
  }
}
