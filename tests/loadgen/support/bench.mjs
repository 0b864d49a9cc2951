// Runs `wirehall bench` as a script does, and servers of npm for it to measure, with faults where a test wants
// them.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {createServer} from 'node:http';
import {createServer as createTlsServer} from 'node:https';
import os from 'node:os';
import path from 'node:path';

import {Server} from 'socket.io';
import {WebSocketServer} from 'ws';

import {hallServer, root} from '../../support/server.mjs';

const build = process.env.WIREHALL_BUILD ?? path.join(root, 'build/release');
export const program = process.env.WIREHALL_BIN ?? path.join(build, 'wirehall');

/** Starts it; `ended` resolves to {status, report, errors}. */
export function startBench(url, ...args) {
  const child = spawn(program, ['bench', url, ...args.map(String), '--json', '-'], {stdio: ['ignore', 'pipe', 'pipe']});
  let output = '', errors = '';
  child.stdout.on('data', (data) => { output += data; });
  child.stderr.on('data', (data) => { errors += data; });
  const ended = once(child, 'close').then(([status]) => ({status, report: output ? JSON.parse(output) : undefined, errors}));
  return {child, ended, errors: () => errors};
}

/** A short run, where nothing else is said. */
export const bench = (url, ...args) => {
  const usual = Object.entries({'--warm-up': '0.1', '--duration': '0.6'}).filter(([name]) => !args.includes(name));
  return startBench(url, ...usual.flat(), ...args).ended;
};

async function listen(http) {
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return http.address().port;
}

/** Calls `send` for each message once, but for every hundredth what the fault says. */
export function faulty(fault) {
  let count = 0, held;
  return (send) => {
    ++count;
    if (held) {
      send();
      held();
      held = undefined;
      return;
    }
    if (count % 100 !== 0 || !fault) return send();
    if (fault === 'lose') return;
    if (fault === 'repeat') send(), send();
    if (fault === 'reorder') held = send;
  };
}

/** Plain WebSocket: what comes is sent back, or to all others. */
export async function webSocketServer({fault, broadcast = false, corrupt = false, fragments = false} = {}) {
  const http = createServer((request, response) => response.writeHead(404).end('only WebSocket here'));
  const server = new WebSocketServer({server: http});
  server.on('connection', (socket) => {
    const pass = faulty(fault);
    const faults = new Map();
    socket.on('message', (data) => {
      const text = corrupt ? String(data).replace(/x$/, 'y') : String(data);
      if (broadcast) {
        for (const other of server.clients) {
          if (other === socket) continue;
          if (!faults.has(other)) faults.set(other, faulty(fault));
          faults.get(other)(() => other.send(text));
        }
      } else if (fragments) {
        socket.send(text.slice(0, 10), {fin: false});
        socket.send(text.slice(10), {fin: true});
      } else {
        pass(() => socket.send(text));
      }
    });
  });
  const port = await listen(http);
  return {
    port,
    url: `ws://127.0.0.1:${port}`,
    http,
    server,
    clients: server.clients,
    stop: () => {
      for (const client of server.clients) client.terminate();
      server.close();
      http.close();
    },
  };
}

/** Socket.IO: `echo` acknowledges its argument, `join` enters a room, `publish` goes to all others there. */
export async function socketIoServer({fault, ...options} = {}, tls) {
  const http = tls ? createTlsServer(tls) : createServer();
  const io = new Server(http, {serveClient: false, ...options});
  const handle = (socket) => {
    const pass = faulty(fault);
    const faults = new Map();
    let room;
    socket.on('echo', (data, ack) => pass(() => ack(data)));
    socket.on('refuse', (data, ack) => ack({error: 'Not today', code: 'closed'}));
    socket.on('join', (name, ack) => { socket.join(room = name); ack({success: true}); });
    socket.on('publish', (data) => {
      if (!fault) return socket.to(room).emit('news', data);
      for (const other of socket.nsp.sockets.values()) {
        if (other === socket || !other.rooms.has(room)) continue;
        if (!faults.has(other)) faults.set(other, faulty(fault));
        faults.get(other)(() => other.emit('news', data));
      }
    });
  };
  io.on('connection', handle);
  io.of('/chat').on('connection', handle);
  const port = await listen(http);
  return {port, url: `http${tls ? 's' : ''}://127.0.0.1:${port}`, io, stop: () => io.close()};
}

/** For tests that mostly wait: some of them at once. Not for those that judge time. */
export const AT_ONCE = {concurrency: 4};

/** Runs with a server that is stopped afterwards. */
export async function using(server, run) {
  const running = await server;
  try {
    return await run(running);
  } finally {
    await running.stop();
  }
}

/** The environment of a hall whose limits are out of the way. */
export const UNLIMITED = {WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE: '100000000'};

export const newFolder = () => mkdtempSync(path.join(os.tmpdir(), 'wirehall-bench-'));

/** Such a hall with data of its own, which go with it. */
export async function unlimitedHall(environment = {}) {
  const folder = newFolder();
  const server = await hallServer(['--data', folder], {...UNLIMITED, ...environment});
  return {
    ...server,
    async stop() {
      await server.stop();
      rmSync(folder, {recursive: true});
    },
  };
}
