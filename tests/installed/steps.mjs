// What the tests of the installed library do: run programs in a clean environment, list folders, build the
// consumer and talk to it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { io } from 'socket.io-client';
import { root } from '../support/server.mjs';

export { freePort } from '../support/free_port.mjs';

export const BUILD = process.env.WIREHALL_BUILD ?? path.join(root, 'build/release');
export const CONSUMER = path.join(root, 'tests/installed/consumer');
// Nothing that a build of ours may have set: no CMAKE_PREFIX_PATH, no CXXFLAGS.
const CLEAN = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/nonexistent', LANG: 'C.UTF-8' };
const STEP_MS_MAX = 300_000;
const OUTPUT_BYTES_MAX = 64 << 20;

/** Runs a program to its end; resolves to {status, output} of both streams together. */
export async function tried(program, ...args) {
  try {
    const { stdout, stderr } = await promisify(execFile)(
      program, args, { env: CLEAN, timeout: STEP_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX });
    return { status: 0, output: stdout + stderr };
  } catch (error) {
    return { status: error.code ?? error.signal, output: `${error.stdout}${error.stderr}${error.message}` };
  }
}

/** The same for a program that must succeed; resolves to its output. */
export async function run(program, ...args) {
  const { status, output } = await tried(program, ...args);
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${output}`);
  return output;
}

/** Files below a folder, relative to it, sorted. */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.path, entry.name)))
    .sort();
}

/** Configures and builds the consumer against a prefix; resolves to its program. */
export async function buildConsumer(prefix, folder, ...options) {
  mkdirSync(folder);
  await run('cmake', '-G', 'Ninja', '-S', CONSUMER, '-B', folder, `-DCMAKE_PREFIX_PATH=${prefix}`,
    '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON', ...options);
  await run('cmake', '--build', folder);
  return path.join(folder, 'consumer');
}

/** Starts it on a free port, has a stock client ask it something, and ends it in order. */
export async function converse(program, data) {
  const child = spawn(program, ['--port', '0', '--data', data],
    { env: { ...CLEAN, WIREHALL_AUTH__MODE: 'none' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  try {
    const port = await new Promise((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (bytes) => {
          output += bytes;
          const found = /^listening (\d+)$/m.exec(output);
          if (found) resolve(Number(found[1]));
        });
      }
      child.on('exit', (code) => reject(new Error(`it ended with ${code}: ${output}`)));
      child.on('error', reject);
    });
    const socket = io(`http://127.0.0.1:${port}`, { reconnection: false });
    try {
      assert.deepEqual(await socket.timeout(5000).emitWithAck('echo', { hello: ['world', 1] }), { hello: ['world', 1] });
    } finally {
      socket.disconnect();
    }
  } finally {
    child.removeAllListeners('exit');
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  }
  assert.equal(child.exitCode, 0, output);
}
