// A server that does what a test says, a clock that goes when a test says, and waiting for events.
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { Client } from '../src/wirehall.js';

/** Answers `connected` to everybody; a test takes the connections, and their frames, one by one. */
export class FakeServer {
  static async start(t, options = {}) {
    const fake = new FakeServer(options);
    fake.server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    fake.server.on('connection', (socket, request) => fake.#accept(socket, request));
    await once(fake.server, 'listening');
    fake.url = `http://127.0.0.1:${fake.server.address().port}`;
    t.after(() => {
      for (const client of fake.clients) client.close();
      for (const socket of fake.server.clients) socket.terminate();
      fake.server.close();
    });
    return fake;
  }

  clients = [];
  #connections = new Mailbox();

  constructor({ refuse, welcome } = {}) {
    this.refuse = refuse; // () => [code, reason], or nothing
    this.welcome = welcome; // what `connected` says besides
  }

  /** A client of this server with short delays; it is closed at the end of the test. */
  client(options = {}) {
    const client = new Client(this.url, { WebSocket, reconnectionDelay: 1, reconnectionDelayMax: 1, ...options });
    this.clients.push(client);
    return client;
  }

  /** The next connection that was accepted. */
  connection() {
    return this.#connections.take();
  }

  #accept(socket, request) {
    const refusal = this.refuse?.();
    if (refusal) return socket.close(...refusal);
    const frames = new Mailbox();
    socket.on('message', (data) => frames.put(JSON.parse(String(data))));
    const connection = {
      url: new URL(request.url, 'ws://fake'),
      next: () => frames.take(),
      unread: () => frames.items.length,
      send: (frame) => socket.send(JSON.stringify(frame)),
      sendText: (text) => socket.send(text),
      answer: (frame, fields = { success: true }) => connection.send({ type: 'ack', id: frame.id, ...fields }),
      close: (code, reason) => socket.close(code, reason),
      break: () => socket.terminate(),
      closed: new Promise((resolve) => socket.on('close', (code) => resolve(code))),
    };
    connection.send({ type: 'connected', userId: 'alice', rooms: [], ...this.welcome });
    this.#connections.put(connection);
  }
}

class Mailbox {
  items = [];
  #waiting = [];

  put(item) {
    const taker = this.#waiting.shift();
    if (taker) taker(item);
    else this.items.push(item);
  }

  take() {
    if (this.items.length > 0) return Promise.resolve(this.items.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Time stands still; `fire(ms)` lets the timers of just this length ring. */
export class FakeClock {
  timers = new Map();
  random = () => 0;
  time = 1_700_000_000_000;
  now = () => this.time;
  #last = 0;

  setTimeout = (action, ms) => {
    this.timers.set(++this.#last, { action, ms });
    return this.#last;
  };

  clearTimeout = (timer) => this.timers.delete(timer);

  has(ms) {
    return [...this.timers.values()].some((timer) => timer.ms === ms);
  }

  /** Resolves when there is a timer of just this length. */
  async awaits(ms) {
    for (let turn = 0; !this.has(ms); ++turn) {
      if (turn === 1000) throw new Error(`no timer of ${ms} ms`);
      await new Promise(setImmediate);
    }
  }

  fire(ms) {
    const due = [...this.timers].filter(([, timer]) => timer.ms === ms);
    if (due.length === 0) throw new Error(`no timer of ${ms} ms, only ${[...this.timers.values()].map((t) => t.ms)}`);
    for (const [id, { action }] of due) {
      this.timers.delete(id);
      action();
    }
  }
}

/** The next event of a client. */
export function event(client, name) {
  return new Promise((resolve) => client.once(name, resolve));
}
