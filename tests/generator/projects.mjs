// Makes, builds and looks at projects of `wirehall new`, as a user of the installed program would.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from '../support/server.mjs';

export const BUILD = process.env.WIREHALL_BUILD ?? path.join(root, 'build/release');
export const WIREHALL = process.env.WIREHALL_BIN ?? path.join(BUILD, 'wirehall');
const STEP_MS_MAX = 300_000;
const OUTPUT_BYTES_MAX = 64 << 20;

/** A folder for projects; removed by its dispose(). */
export function workshop() {
  const folder = mkdtempSync(path.join(tmpdir(), 'wirehall-new-'));
  return { folder, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a program to its end; resolves to {status, stdout, stderr}. */
export async function tried(program, args, { cwd, env = {}, input } = {}) {
  const running = promisify(execFile)(program, args, {
    cwd, env: { ...process.env, ...env }, timeout: STEP_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX });
  running.child.stdin.on('error', () => {}); // it may end without having read
  running.child.stdin.end(input ?? '');
  try {
    return { status: 0, ...await running };
  } catch (error) {
    return { status: error.code ?? error.signal, stdout: error.stdout ?? '', stderr: `${error.stderr ?? ''}${error.stderr ? '' : error}` };
  }
}

/** The same for what must succeed; resolves to what it printed. */
export async function run(program, args, options) {
  const { status, stdout, stderr } = await tried(program, args, options);
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout + stderr;
}

export const wirehall = (args, options) => tried(WIREHALL, args, options);

/** Files below a folder, relative to it, sorted, without what building makes. */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.path ?? entry.parentPath, entry.name)))
    .filter((file) => !/^(build|node_modules)(\/|$)/.test(file)).sort();
}

/** One number for all that a project's files hold. */
export function hashOf(folder) {
  const hash = createHash('sha256');
  for (const file of filesOf(folder)) hash.update(file).update('\0').update(readFileSync(path.join(folder, file)));
  return hash.digest('hex');
}

/** Makes a project; resolves to its folder. */
export async function make(folder, name, args) {
  const { status, stdout, stderr } = await wirehall(['new', name, '--yes', ...args], { cwd: folder });
  assert.equal(status, 0, stdout + stderr);
  return path.join(folder, name);
}

/** clang-format finds nothing to change. */
export async function isFormatted(project) {
  const sources = filesOf(project).filter((file) => /\.(cpp|h)$/.test(file));
  await run('clang-format', ['--dry-run', '-Werror', ...sources], { cwd: project });
}

/**
 * Builds a project against an installed Wirehall, its warnings being errors; unchanged sources of other projects are
 * not compiled again (ccache). The npm modules are those of this repository, at the versions the project names.
 */
export async function build(project, prefix) {
  const env = { CMAKE_PREFIX_PATH: prefix, CCACHE_BASEDIR: project, CCACHE_NOHASHDIR: '1' };
  const cache = ['-DCMAKE_CXX_COMPILER_LAUNCHER=ccache', '-DWARNINGS_ARE_ERRORS=ON'];
  await run('cmake', ['--preset', 'release', ...cache], { cwd: project, env });
  // What else runs comes first: it may watch the clock.
  await run('nice', ['cmake', '--build', 'build/release', '--parallel', String(availableParallelism())], { cwd: project, env });
  if (filesOf(project).includes('package.json')) {
    try {
      symlinkSync(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

/** Runs a project's own tests; resolves to their number. */
export async function passesItsTests(project) {
  const env = { WIREHALL_CLIENT_DIRECTORY: path.join(root, 'node_modules/socket.io-client/dist') };
  const said = await run('ctest', ['--test-dir', 'build/release', '--output-on-failure', '--no-tests=error',
    '--parallel', String(availableParallelism())], { cwd: project, env });
  return Number(/100% tests passed, 0 tests failed out of (\d+)/.exec(said)[1]);
}

/**
 * Runs a command on a terminal and answers its questions: a list of [what it asks, what is typed]. Resolves to
 * {status, screen}.
 */
export function onTerminal(command, answers, { cwd, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd, env: { ...process.env, ...env } });
    let screen = '';
    let from = 0;
    const waiting = [...answers];
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`it does not ask ${waiting[0]?.[0]}; the screen:\n${screen}`));
    }, 20_000);
    child.stdout.on('data', (bytes) => {
      screen += bytes;
      while (waiting.length > 0) {
        const at = screen.indexOf(waiting[0][0], from);
        if (at < 0) break;
        from = at + waiting[0][0].length;
        child.stdin.write(waiting.shift()[1]);
      }
    });
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, screen: screen.replaceAll('\r\n', '\n') });
    });
  });
}
