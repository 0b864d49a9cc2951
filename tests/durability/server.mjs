// `wirehall serve` on a data directory that outlives it: killed, started again on the same port, watched until ready.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const BUILD = path.resolve(ROOT, process.env.WIREHALL_BUILD ?? 'build/release');
export const FULL = Boolean(process.env.WIREHALL_TEST_FULL);

const READY_MS = 60_000;
const LOG_EXCERPT = 3000;

// Nothing but the store may hold a publisher back, and a slow test client is not what is tested here.
const CONFIG = {
  port: 0,
  pingInterval: 60_000,
  rateLimit: { messagesPerMinute: 1_000_000_000, connectionsPerMinute: 1_000_000_000 },
  limits: {
    connectionsPerAddress: 1_000_000, connectionsPerUser: 100_000, roomsPerClient: 100_000,
    backpressureBytes: 256 * 1024 * 1024, drainWindow: 100,
  },
};

// Whatever goes wrong in a test, no server and no folder is left behind.
const living = new Set();
const folders = new Set();
process.once('exit', () => {
  living.forEach((child) => child.kill('SIGKILL'));
  folders.forEach(remove);
});
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(1));

export function temporaryFolder(purpose) {
  const folder = mkdtempSync(path.join(tmpdir(), `wirehall-${purpose}-`));
  folders.add(folder);
  return folder;
}

export function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** From now on it is the caller's. */
export const keepFolder = (folder) => folders.delete(folder);

export class HallServer {
  #secret = randomBytes(32).toString('hex');
  #child;
  #port = 0;

  /** @param directory  a folder of the caller's; the database lies in `data` under it, or in `data` as given */
  constructor(binary, directory, { data = path.join(directory, 'data'), config = {} } = {}) {
    this.binary = binary;
    this.data = data;
    this.logPath = path.join(directory, 'server.log');
    this.configPath = path.join(directory, 'websocket.json');
    mkdirSync(data, { recursive: true });
    writeFileSync(this.configPath, JSON.stringify({ ...CONFIG, ...config }), { mode: 0o600 });
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid() {
    return this.#child.pid;
  }

  token(user) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, iat: now, exp: now + 6 * 3600 })}`;
    return `${signed}.${createHmac('sha256', this.#secret).update(signed).digest('base64url')}`;
  }

  /** Begins to start it; for killing it before it is ready. */
  spawn() {
    const log = openSync(this.logPath, 'a');
    this.#child = spawn(
      this.binary, ['serve', '--config', this.configPath, '--port', String(this.#port), '--data', this.data],
      { env: { ...process.env, JWT_SECRET: this.#secret }, stdio: ['ignore', 'pipe', log] });
    closeSync(log);
    const child = this.#child;
    living.add(child);
    child.once('exit', () => living.delete(child));
    return child;
  }

  /** Starts it; resolves to the ms that it took until /readyz said so. */
  async start() {
    const begin = performance.now();
    const child = this.spawn();
    let printed = '';
    await new Promise((resolve, reject) => {
      child.stdout.on('data', (text) => {
        printed += text;
        const found = /listens on https?:\/\/[^\s]*:(\d+)/.exec(printed);
        if (!found) return;
        this.#port = Number(found[1]);
        resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`the server ended with ${code ?? signal}: ${this.log()}`)));
    });
    while (await this.#readiness() !== 200) {
      if (performance.now() - begin > READY_MS) throw new Error(`the server did not become ready: ${this.log()}`);
      await sleep(1);
    }
    return performance.now() - begin;
  }

  #readiness() {
    return new Promise((resolve) => {
      http.get(`${this.url}/readyz`, { agent: false }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      }).once('error', () => resolve(0));
    });
  }

  get running() {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Throws when it has ended without having been told to. */
  assertRunning() {
    if (this.running) return;
    throw new Error(`the server ended by itself, ${this.#child.exitCode ?? this.#child.signalCode}: ${this.log()}`);
  }

  /** kill -9, by its process id; resolves when it is gone. */
  async kill() {
    if (!this.running) return;
    const gone = once(this.#child, 'exit');
    process.kill(this.#child.pid, 'SIGKILL');
    await gone;
  }

  /** Resolves when somebody else has killed it, or so much time has passed. */
  async killedByOther(milliseconds) {
    if (this.running) await Promise.race([once(this.#child, 'exit'), sleep(milliseconds)]);
    if (!this.running && this.#child.signalCode !== 'SIGKILL') this.assertRunning();
  }

  /** SIGTERM; resolves to the exit status. */
  async stop() {
    this.assertRunning();
    const gone = once(this.#child, 'exit');
    process.kill(this.#child.pid, 'SIGTERM');
    const [code, signal] = await gone;
    return code ?? signal;
  }

  log() {
    return readFileSync(this.logPath, 'utf8').slice(-LOG_EXCERPT);
  }
}
