// Starts a server program on a free loopback port and stops it by its process id.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.WIREHALL_BUILD ?? path.join(root, 'build/release');

/** The conformance server: short heartbeats, echoing events. */
export const conformanceServer = (...args) =>
    start(path.join(build, 'example_conformance-server'), ['--port', '0', ...args]);

/** `wirehall serve --dev`, with further arguments and environment. */
export const hallServer = (args = [], env = {}) => start(
    path.join(build, 'wirehall'), ['serve', '--dev', '--port', '0', ...args],
    {WIREHALL_CLIENT_DIRECTORY: path.join(root, 'node_modules/socket.io-client/dist'), ...env});

/** A server program that prints its port. */
export async function start(program, args, env = {}, cwd = undefined) {
  const child = spawn(program, args, {cwd, env: {...process.env, ...env}, stdio: ['ignore', 'pipe', 'pipe']});
  let output = '';
  const errors = [];
  child.stderr.on('data', data => errors.push(data.toString()));
  const port = await new Promise((resolve, reject) => {
    child.stdout.on('data', data => {
      output += data;
      const found = /listening (\d+)|listens on https?:\/\/[^\s]*:(\d+)/.exec(output);
      if (found) resolve(Number(found[1] ?? found[2]));
    });
    child.on('exit', code => reject(new Error(`${program} ended with ${code}: ${output}${errors.join('')}`)));
    child.on('error', reject);
  });
  return {
    port,
    pid: child.pid,
    url: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    stderr: () => errors.join(''),
    /** Ends it with SIGTERM; resolves to its exit status. */
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.removeAllListeners('exit');
      child.kill(signal);
      const [code] = await once(child, 'exit');
      return code;
    },
  };
}

/** Resolves with the arguments of the next event; rejects when it does not come in time. */
export function next(emitter, event, milliseconds = 5000) {
  return new Promise((resolve, reject) => {
    const timer =
        setTimeout(() => reject(new Error(`no "${event}" within ${milliseconds} ms`)), milliseconds);
    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

/** Resolves when the condition holds. */
export async function until(condition, what = 'a condition', milliseconds = 5000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what} did not come true within ${milliseconds} ms`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

/** A token of the development server. */
export async function token(server, user) {
  const response = await fetch(`${server.url}/dev/token?user=${encodeURIComponent(user)}`);
  return (await response.json()).token;
}
