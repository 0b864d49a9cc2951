// The page of generated projects: cut to the chosen features as `wirehall new` cuts it, and served in front of
// a server of this build.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIENT = join(ROOT, 'apps/hall/project/client');
const SDK = join(ROOT, 'clients/js/src/wirehall.js');
export const FEATURES = ['rooms', 'presence', 'history', 'private-messages', 'typing', 'uploads', 'calls', 'push'];
// Whole files and what they belong to; those that are not named here are always there.
const CONDITIONS = {
  'connection.native.js': 'native', 'connection.socketio.js': 'socketio-only', 'sign_in.jwt.js': 'jwt',
  'sign_in.no_auth.js': 'no-auth', 'rooms.js': 'rooms', 'messages.js': 'rooms', 'roles.js': 'rooms',
  'history.js': 'history', 'typing.js': 'typing', 'uploads.js': 'uploads', 'presence.js': 'presence',
  'private_messages.js': 'private-messages', 'calls.js': 'calls', 'push.js': 'push', 'push_worker.js': 'push',
};
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'application/javascript; charset=utf-8', '.css': 'text/css' };

/** The files of a page, by name. */
export function cut({ features = FEATURES, protocol = 'native', auth = 'jwt', vapidKey = '' }) {
  const terms = new Set([...features, auth, protocol === 'socketio' ? 'socketio-only' : 'native']);
  const files = {};
  for (const name of readdirSync(CLIENT)) {
    const condition = CONDITIONS[name];
    if (condition && !terms.has(condition)) continue;
    const lines = readFileSync(join(CLIENT, name), 'utf8').split('\n').flatMap((line) => {
      const marked = /^(.*?)\s*\/\/ feature: (\S+)$/.exec(line);
      if (!marked) return [line];
      return terms.has(marked[2]) ? [marked[1]] : [];
    });
    files[name.replace(/\.(native|socketio|jwt|no_auth)\.js$/, '.js')] =
      lines.join('\n').replaceAll('@NAME@', 'my-chat').replaceAll('@VAPID_PUBLIC_KEY@', vapidKey);
  }
  if (terms.has('native')) files['wirehall.js'] = readFileSync(SDK, 'utf8');
  return files;
}

/** Serves these files in front of a server, to which everything else is passed on. */
export async function serve(files, server) {
  const target = new URL(server.url);
  const front = http.createServer((request, response) => {
    const path = new URL(request.url, server.url).pathname;
    const name = path === '/' ? 'index.html' : path.slice(1);
    if (Object.hasOwn(files, name)) {
      response.setHeader('Content-Type', TYPES[extname(name)]);
      response.setHeader('Content-Security-Policy', "default-src 'self'; connect-src 'self' ws:; " +
        "img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'");
      return response.end(files[name]);
    }
    const { method, headers } = request;
    const passed = http.request({ host: target.hostname, port: target.port, path: request.url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  const sockets = new Set();
  front.on('upgrade', (request, near, head) => {
    const far = net.connect(target.port, target.hostname, () => {
      const lines = [`${request.method} ${request.url} HTTP/1.1`];
      for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
      far.write(`${lines.join('\r\n')}\r\n\r\n`);
      far.write(head);
      far.pipe(near).pipe(far);
    });
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on('error', () => {}); // `close` follows
      socket.on('close', () => { sockets.delete(socket); other.destroy(); });
    }
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    url: `http://127.0.0.1:${front.address().port}`,
    cut() { for (const socket of sockets) socket.destroy(); front.closeAllConnections(); },
    end() { this.cut(); front.close(); },
  };
}
