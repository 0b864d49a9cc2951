// A server of this project for a test: in development mode, on a free port, with a data directory of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = process.env.SERVER ?? join(ROOT, 'build/release/@NAME@'); // SERVER: another build
const START_MS = 10_000;
const STOP_MS = 10_000;
const LOG_BYTES_MAX = 64 * 1024;

export class Server {
  /** http://127.0.0.1:… */
  url;
  /** What it has written, the end of it. */
  log = '';

  #data = mkdtempSync(join(tmpdir(), '@NAME@-'));
  #process;
  #ended;

  /** `settings`: keys of config/websocket.json by their names in the environment, e.g. WIREHALL_TYPING_TIMEOUT. */
  static async start(settings = {}) {
    if (!existsSync(PROGRAM)) throw new Error(`There is no ${PROGRAM}: build it first (./dev test does)`);
    const server = new Server();
    try {
      await server.#run(settings);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async #run(settings) {
    this.#process = spawn(PROGRAM, ['--dev', '--port', '0', '--data', this.#data],
      { cwd: ROOT, env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = Promise.race([once(this.#process, 'exit'), once(this.#process, 'error')]).catch((error) => [error]);
    const listens = new Promise((resolve) => {
      const hear = (text) => {
        this.log = (this.log + text).slice(-LOG_BYTES_MAX);
        const [, url] = /Wirehall listens on (\S+)\n/.exec(this.log) ?? [];
        if (url) resolve(url);
      };
      this.#process.stdout.setEncoding('utf8').on('data', hear);
      this.#process.stderr.setEncoding('utf8').on('data', hear);
    });
    const ended = this.#ended.then(([why]) => { throw new Error(`The server ended with ${why}:\n${this.log}`); });
    ended.catch(() => {}); // it ends at some time
    this.url = await Promise.race([listens, ended, late(START_MS, () => `The server does not start:\n${this.log}`)]);
  }

  async stop() {
    if (this.#process?.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGTERM');
      await Promise.race([this.#ended, late(STOP_MS, () => 'The server does not stop')]).catch((error) => {
        this.#process.kill('SIGKILL');
        throw error;
      });
    }
    rmSync(this.#data, { recursive: true, force: true });
  }
}

/** Rejects after a time; does not keep the process alive. */
export function late(ms, text) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(text())), ms).unref());
}
