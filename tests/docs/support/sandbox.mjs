// Runs what a page shows: in a folder of its own, with `wirehall` on the PATH, and the page's addresses
// leading to a server on a free port.
import {spawn} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';

import {root} from '../../support/server.mjs';

export {freePort} from '../../support/free_port.mjs';

export const program = process.env.WIREHALL_BIN ?? path.join(root, 'build/release/wirehall');
/** What the pages call `KEY`. */
export const API_KEY = 'KEY';
export const SECRET = 'a secret of the documents, which is long enough';
const MARK = '\x1e';
const OUTPUT_BYTES_MAX = 4 << 20;

/** Folders of the machine that pages name; each lies below the sandbox instead. */
const MACHINE_FOLDERS = [
  '/var/lib/wirehall', '/etc/wirehall', '/backup', '/var/lib/my-chat', '/opt/my-chat', '/etc/my-chat',
  '/etc/systemd/system', '/etc/nginx/conf.d', '/etc/nginx'
];
/** Commands that would change the machine: they say what they were asked, and do nothing. */
const MACHINE_COMMANDS = ['chown', 'useradd'];

// `enable --now NAME…` starts what the units say, in their folders, with their environment.
const SYSTEMCTL = `
if [ "$1 $2" != "enable --now" ]; then echo "systemctl $*" >&2; exit; fi
shift 2
for name; do
  unit=$SANDBOX/etc/systemd/system/$name.service
  if [ ! -f "$unit" ]; then echo "no $unit" >&2; exit 5; fi
  value() { sed -n "s/^$1=//p" "$unit"; }
  (
    cd "$(value WorkingDirectory)" || exit
    set -a
    . "$(value EnvironmentFile)"
    eval "$(value Environment)"
    exec $(value ExecStart) >&2
  ) &
done
`;

const running = new Set();
process.on('exit', () => running.forEach((child) => endGroup(child, 'SIGKILL')));

function endGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

export class Sandbox {
  /**
   * `port` is where the page's http://127.0.0.1:3000 leads, `backendPort` what it calls 4000. Programs of
   * Node find the repository's modules, but where the folder lies `outside`.
   */
  constructor(port, backendPort, {outside = false} = {}) {
    this.port = port;
    this.backendPort = backendPort;
    this.url = `http://127.0.0.1:${port}`;
    mkdirSync(path.join(root, 'build'), {recursive: true});
    this.directory = mkdtempSync(path.join(outside ? tmpdir() : path.join(root, 'build'), 'docs-'));
    this.bin = mkdtempSync(path.join(tmpdir(), 'wirehall-docs-bin-'));
    this.#command('wirehall', `exec ${JSON.stringify(program)} "$@"`);
    for (const name of MACHINE_COMMANDS) this.#command(name, `echo "${name} $*" >&2`);
    this.#command('systemctl', SYSTEMCTL);
    for (const folder of MACHINE_FOLDERS) mkdirSync(this.directory + path.dirname(folder), {recursive: true});
  }

  #command(name, text) {
    writeFileSync(path.join(this.bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(path.join(this.bin, name), 0o755);
  }

  /** The text with the addresses, ports and folders of the sandbox. */
  adapt(text) {
    let adapted = text.replaceAll(/\b(127\.0\.0\.1|localhost):3000\b/g, `127.0.0.1:${this.port}`);
    if (this.backendPort) adapted = adapted.replaceAll(/\b4000\b/g, String(this.backendPort));
    for (const folder of MACHINE_FOLDERS)
      adapted = adapted.replaceAll(new RegExp(`(?<![\\w/.-])${folder}\\b`, 'g'), this.directory + folder);
    return adapted;
  }

  /** Writes a file, and says where it is. */
  file(name, text) {
    const full = path.join(this.directory, name);
    mkdirSync(path.dirname(full), {recursive: true});
    writeFileSync(full, text);
    return full;
  }

  environment(more = {}) {
    return {
      ...process.env,
      PATH: `${this.bin}:${process.env.PATH}`,
      SANDBOX: this.directory,
      PORT: String(this.port),
      JWT_SECRET: SECRET,
      WIREHALL_AUTH__API_KEYS: API_KEY,
      ...more
    };
  }

  /**
   * Runs a program in the sandbox until it ends, prints `until`, or the time is over; what it started goes
   * with it. Returns: `{code, output, errors}`; code is 'until' where that ended it.
   */
  run(command, args, {until, milliseconds = 30_000, env = {}} = {}) {
    const child = spawn(
        command, args,
        {cwd: this.directory, env: this.environment(env), detached: true, stdio: ['ignore', 'pipe', 'pipe']});
    running.add(child);
    let output = '', errors = '';
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(null, `nothing more within ${milliseconds} ms`), milliseconds);
      const end = (code, why) => {
        clearTimeout(timer);
        endGroup(child, 'SIGKILL');
        running.delete(child);
        if (why)
          reject(new Error(`${command}: ${why}\n${output}${errors}`));
        else
          resolve({code, output, errors});
      };
      child.stdout.on('data', (data) => {
        output += data;
        if (output.length > OUTPUT_BYTES_MAX)
          end(null, 'too much output');
        else if (until !== undefined && output.includes(until))
          end('until');
      });
      child.stderr.on('data', (data) => errors += data);
      child.on('error', (error) => end(null, error.message));
      // Background processes would hold the pipes open: they end with what started them.
      child.on('exit', () => endGroup(child, 'SIGKILL'));
      child.on('close', (code, signal) => end(code ?? signal));
    });
  }

  /**
   * Runs shell texts one after another in one shell that stops at the first failure.
   * Returns: the standard output of each. Throws with the output of the one that failed.
   */
  async shell(texts, options = {}) {
    const script = texts.map((text) => `${this.adapt(text)}\nprintf '\\036'\n`).join('');
    const {code, output, errors} = await this.run('bash', ['-euo', 'pipefail', '-c', script], options);
    const parts = output.split(MARK);
    if (code !== 0)
      throw new Error(
          `block ${parts.length} of ${texts.length} ended with ${code}:\n${parts.at(-1)}${errors}`);
    return parts.slice(0, texts.length);
  }

  remove() {
    rmSync(this.directory, {recursive: true, force: true});
    rmSync(this.bin, {recursive: true, force: true});
  }
}
