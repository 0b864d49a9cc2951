// A client of the hall over either protocol, behind one interface: for what has to survive the server's death, so
// nothing reconnects or repeats by itself.
import { io } from 'socket.io-client';
import WebSocket from 'ws';

const CONNECT_MS = 10_000;

/** The connection ended before the answer came. */
export class Disconnected extends Error {}

/** The server answered with an error. */
export class Refused extends Error {
  constructor(event, answer) {
    super(`${event}: ${answer.error} (${answer.code})`);
    this.code = answer.code;
  }
}

class Client {
  /** Resolves when the connection has ended, whoever ended it. */
  ended = new Promise((resolve) => { this.endedNow = resolve; });
  connected = false;
  /** Called with (event, fields, acknowledge?) for all that comes. */
  onEvent = () => {};

  /** The answer, or Disconnected, or Refused. */
  async request(event, fields) {
    const answer = await this.ask(event, fields);
    if (answer?.success !== true) throw new Refused(event, answer ?? {});
    return answer;
  }
}

export class NativeClient extends Client {
  #waiting = new Map();
  #next = 1;
  /** Frames that begin with this are dropped unread. */
  ignored;

  async connect(url, token) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, {
      headers: { Authorization: `Bearer ${token}` },
      handshakeTimeout: CONNECT_MS,
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    this.socket.on('error', () => {}); // `close` follows
    this.socket.on('message', (data) => this.#receive(data.toString()));
    this.socket.on('close', () => this.#end());
    // Events may come with the answer to the handshake, so what they cause must find it connected.
    const opened = new Promise((resolve) => {
      this.socket.on('open', () => resolve(this.connected = true));
    });
    await Promise.race([opened, this.ended]);
    if (!this.connected) throw new Disconnected(url);
    return this;
  }

  ask(event, fields) {
    return new Promise((resolve, reject) => {
      if (!this.connected) return reject(new Disconnected(event));
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ ...fields, type: event, id }));
    });
  }

  close() {
    this.socket.close(1000);
  }

  #receive(text) {
    if (this.ignored !== undefined && text.startsWith(this.ignored)) return;
    const frame = JSON.parse(text);
    if (frame.type === 'ack') {
      this.#waiting.get(frame.id)?.resolve(frame);
      this.#waiting.delete(frame.id);
      return;
    }
    const { ackId } = frame;
    const acknowledge = ackId === undefined ? undefined
      : () => this.socket.send(JSON.stringify({ type: 'ack', ackId, success: true }));
    this.onEvent(frame.type, frame, acknowledge);
  }

  #end() {
    this.connected = false;
    for (const { reject } of this.#waiting.values()) reject(new Disconnected());
    this.#waiting.clear();
    this.endedNow();
  }
}

export class SocketIoClient extends Client {
  #waiting = new Set();

  constructor(transports) {
    super();
    this.transports = transports;
  }

  async connect(url, token) {
    this.socket = io(url, {
      transports: this.transports,
      auth: { token },
      forceNew: true,
      reconnection: false,
      timeout: CONNECT_MS,
    });
    this.socket.on('disconnect', () => this.#end());
    this.socket.on('connect_error', () => this.#end());
    const opened = new Promise((resolve) => {
      this.socket.on('connect', () => resolve(this.connected = true));
    });
    this.socket.onAny((event, ...args) => {
      const acknowledge = typeof args.at(-1) === 'function' ? args.pop() : undefined;
      this.onEvent(event, args[0], acknowledge && (() => acknowledge({ success: true })));
    });
    await Promise.race([opened, this.ended]);
    if (!this.connected) throw new Disconnected(url);
    return this;
  }

  ask(event, fields) {
    return new Promise((resolve, reject) => {
      if (!this.connected) return reject(new Disconnected(event));
      this.#waiting.add(reject);
      this.socket.emit(event, fields, (answer) => {
        this.#waiting.delete(reject);
        resolve(answer);
      });
    });
  }

  close() {
    this.socket.disconnect();
  }

  #end() {
    this.connected = false;
    for (const reject of this.#waiting) reject(new Disconnected());
    this.#waiting.clear();
    this.socket.close();
    this.endedNow();
  }
}

/** Requests the whole history of a room that the client is in, forwards or backwards, page by page. */
export async function readHistory(client, roomId, top, backwards = false) {
  const messages = [];
  for (let more = top > 0; more;) {
    const bound = backwards ? { before: messages.length ? messages.at(-1).seq : top + 1 }
      : { after: messages.length ? messages.at(-1).seq : 0 };
    const page = await client.request('history', { roomId, limit: 200, ...bound });
    if (page.hasMore && page.messages.length === 0) throw new Error(`${roomId}: an empty page says that there is more`);
    messages.push(...(backwards ? page.messages.reverse() : page.messages));
    more = page.hasMore;
  }
  return backwards ? messages.reverse() : messages;
}
