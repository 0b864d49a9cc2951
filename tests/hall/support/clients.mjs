// A client of the hall over any of its protocols, behind one interface. Fields are those of SPEC.md section
// 3: what a protocol does otherwise (bare arguments, `messageType`, `chat`, `$binary`, attachments) is undone
// here, after it was checked. Nothing reconnects or repeats by itself.
import {decode, encode} from '@msgpack/msgpack';
import assert from 'node:assert/strict';
import {io} from 'socket.io-client';
import WebSocket from 'ws';

export const PROTOCOLS = ['native', 'msgpack', 'socketio'];
const WAIT_MS = 8_000;

/** Arguments that Socket.IO clients send bare; the rest of the fields follows in an object. */
const BARE = {
  'join-room': 'roomId',
  'leave-room': 'roomId',
  'update-status': 'status',
  'refresh-token': 'token',
};
/** Events whose payload is a list, which native frames have under a name. */
const LISTS = {
  'pending-messages': 'messages'
};

const isBytes = (value) => value instanceof Uint8Array;
const copyOf = (value) => {
  if (isBytes(value)) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(copyOf);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)]));
};

/** Rejects when it takes too long. */
function bounded(what, begin) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: nothing within ${WAIT_MS} ms`)), WAIT_MS);
    const end = (settle) => (value) => {
      clearTimeout(timer);
      settle(value);
    };
    begin(end(resolve), end(reject));
  });
}

class Client {
  /** What came and was not taken yet, in order: [name, payload]. */
  events = [];
  /** All that came since the connection began: names of events, and `answer to …`. */
  arrivals = [];
  #listeners = [];
  #watchers = new Set();
  isOpen = true;

  constructor(user) {
    this.user = user;
    this.ended = new Promise((resolve) => {
      this.endNow = resolve;
    });
  }

  arrived(name, payload) {
    this.arrivals.push(name);
    for (const listener of this.#listeners) listener(name, payload);
    this.events.push([name, payload]);
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Calls with each event from now on, at once when it comes. */
  listen(listener) { this.#listeners.push(listener); }

  closed(reason) {
    this.isOpen = false;
    this.endNow(reason);
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves with what `look` returns when it is not undefined; looks again whenever something came. */
  when(look, what) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        reject(new Error(
            `${this.user} (${this.protocol}) waits for ${what}; has ${JSON.stringify(this.events)}`));
      }, WAIT_MS);
      const watcher = () => {
        const value = look();
        if (value === undefined) return;
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        resolve(value);
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }

  /** Takes the first event of that name, now or when it comes. What stood before it stays. */
  take(name, fits = () => true) {
    return this.when(() => {
      const at = this.events.findIndex(([known, payload]) => known === name && fits(payload));
      return at < 0 ? undefined : this.events.splice(at, 1)[0][1];
    }, name);
  }

  /** Takes `count` events of that name. */
  async takeMany(name, count) {
    const taken = [];
    while (taken.length < count) taken.push(await this.take(name));
    return taken;
  }

  /** Takes all that has come: names, or whole events. */
  drain() { return this.events.splice(0); }

  /** Waits until all that the server has sent before now is here. */
  async settle() { await this.ask('ice-servers'); }

  /** Waits until the connection has ended. Returns: why. */
  gone() { return bounded(`${this.user} goes`, (resolve) => this.ended.then(resolve)); }

  /** The answer, which must be a success. */
  async must(event, fields) {
    const answer = await this.ask(event, fields);
    assert.equal(
        answer?.success, true,
        `${event} ${JSON.stringify(fields)?.slice(0, 300)}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The answer, which must be a failure with this code. */
  async fails(code, event, fields) {
    const answer = await this.ask(event, fields);
    const sent = `${event} ${JSON.stringify(fields)?.slice(0, 300)}`;
    assert.equal(answer?.code, code, `${sent}: ${JSON.stringify(answer)}`);
    assert.equal(typeof answer.error, 'string', sent);
    assert.equal(answer.success, undefined, sent);
    return answer;
  }

  join(roomId, since) { return this.must('join-room', since ? {roomId, since} : {roomId}); }
}

// -- native -------------------------------------------------------------------------------------------

const toJson = (value) => JSON.stringify(value, function replace(key, inner) {
  const raw = this[key];
  return isBytes(raw) ? {$binary: Buffer.from(raw).toString('base64')} : inner;
});
const fromJson = (text) => JSON.parse(
    text,
    (_, inner) =>
        (inner !== null && typeof inner === 'object' && typeof inner.$binary === 'string' &&
                 Object.keys(inner).length === 1 ?
             Buffer.from(inner.$binary, 'base64') :
             inner));

class NativeClient extends Client {
  #waiting = new Map();
  #next = 1;
  /** Whether it answers what wants an answer. */
  acknowledges = true;

  constructor(user, codec) {
    super(user);
    this.protocol = codec === 'msgpack' ? 'msgpack' : 'native';
    this.codec = codec;
  }

  async open(url, {token, query = '', acknowledges = true, headers = {}}) {
    this.acknowledges = acknowledges;
    const authorization = token === undefined ? {} : {Authorization: `Bearer ${token}`};
    const subprotocols = this.codec === 'msgpack' ? ['wirehall.msgpack'] : [];
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws${query}`, subprotocols, {
      headers: {...authorization, ...headers},
      maxPayload: 64 * 1024 * 1024,
      perMessageDeflate: false,
    });
    this.socket.on('message', (data, binary) => this.#receive(data, binary));
    const opened = bounded(`${this.user} connects`, (resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
      this.socket.on('unexpected-response', (_, response) => {
        let body = '';
        response.on('data', (piece) => {
          body += piece;
        });
        response.on('end', () => {
          this.socket.terminate();
          reject(Object.assign(
              new Error(`refused with ${response.statusCode}: ${body}`),
              {status: response.statusCode, body: JSON.parse(body)}));
        });
      });
    });
    this.socket.on('close', (code, reason) => {
      for (const {reject} of this.#waiting.values()) reject(new Error(`closed: ${code} ${reason}`));
      this.#waiting.clear();
      this.closed({code, reason: reason.toString()});
    });
    await opened;
    return this;
  }

  #receive(data, binary) {
    const frame = binary ? copyOf(decode(data)) : fromJson(data.toString());
    const {type: name, ...fields} = frame;
    if (name === 'ack') {
      const {id, ...answer} = fields;
      const waiting = this.#waiting.get(id);
      if (!waiting) return this.arrived('answer to nobody', fields);
      this.#waiting.delete(id);
      this.arrivals.push(`answer to ${waiting.event}`);
      return waiting.resolve(answer);
    }
    if (fields.ackId !== undefined) {
      if (this.acknowledges) this.send({type: 'ack', ackId: fields.ackId});
      delete fields.ackId;
    }
    this.arrived(...this.#asEvent(name, fields));
  }

  #asEvent(name, fields) {
    if (LISTS[name]) {
      assert.deepEqual(Object.keys(fields), [LISTS[name]]);
      return [name, fields[LISTS[name]]];
    }
    if ('messageType' in fields) {
      fields.type = fields.messageType;
      delete fields.messageType;
    }
    if (name !== 'chat') return [name, fields];
    assert.equal(fields.from, fields.userId, 'native receivers get `from` as well');
    delete fields.from;
    return ['new-message', fields];
  }

  /** Sends a frame as it is. */
  send(frame) {
    this.socket.send(this.codec === 'msgpack' ? encode(frame, {ignoreUndefined: true}) : toJson(frame));
  }

  static frame(event, fields = {}) {
    const frame = {...fields, type: event};
    if (fields.type !== undefined) frame.messageType = fields.type;
    return frame;
  }

  ask(event, fields) {
    return bounded(`${this.user} asks ${event}`, (resolve, reject) => {
      if (!this.isOpen) reject(new Error('the connection has ended'));
      const id = this.#next++;
      this.#waiting.set(id, {event, resolve, reject});
      this.send({...NativeClient.frame(event, fields), id});
    });
  }

  tell(event, fields) { this.send(NativeClient.frame(event, fields)); }

  /** Says goodbye. */
  async leave(code = 1000) {
    this.socket.close(code);
    await this.gone();
  }

  /** Loses the transport. */
  async lose() {
    this.socket.terminate();
    await this.gone();
  }

  destroy() {
    this.socket?.on('error', () => {});
    this.socket?.terminate();
  }
}

// -- Socket.IO ------------------------------------------------------------------------------------------

class SocketIoClient extends Client {
  protocol = 'socketio';

  async open(url, {token, auth = {}, acknowledges = true, transports = ['websocket']}) {
    this.acknowledges = acknowledges;
    this.socket =
        io(url, {transports, forceNew: true, reconnection: false, auth: {...(token && {token}), ...auth}});
    this.socket.onAny((name, payload, ...rest) => this.#receive(name, payload, rest));
    this.socket.on('disconnect', (reason) => this.closed({reason}));
    await this.#connected();
    return this;
  }

  #connected() {
    return bounded(`${this.user} connects`, (resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('connect_error', (error) => {
        reject(
            Object.assign(new Error(`refused: ${error.message}`), {text: error.message, data: error.data}));
      });
    });
  }

  #receive(name, payload, rest) {
    const acknowledge = rest.at(-1);
    if (typeof acknowledge === 'function' && this.acknowledges) acknowledge();
    this.arrived(name, copyOf(payload));
  }

  static arguments(event, fields = {}) {
    const bare = BARE[event];
    if (bare === undefined || fields === null || typeof fields !== 'object') return [fields];
    const {[bare]: first, ...rest} = fields;
    return Object.keys(rest).length === 0 ? [first] : [first, rest];
  }

  ask(event, fields) {
    return bounded(`${this.user} asks ${event}`, (resolve, reject) => {
      this.ended.then(({reason}) => reject(new Error(`closed: ${reason}`)));
      this.socket.emit(event, ...SocketIoClient.arguments(event, fields), (answer) => {
        this.arrivals.push(`answer to ${event}`);
        resolve(copyOf(answer));
      });
    });
  }

  tell(event, fields) { this.socket.emit(event, ...SocketIoClient.arguments(event, fields)); }

  async leave() {
    this.socket.disconnect();
    await this.gone();
  }

  async lose() {
    this.socket.io.engine.transport.ws.terminate();
    await this.gone();
  }

  /** Comes back after lose(), with connection state recovery. */
  async comeBack() {
    this.ended = new Promise((resolve) => {
      this.endNow = resolve;
    });
    this.isOpen = true;
    this.socket.connect();
    await this.#connected();
  }

  destroy() { this.socket?.disconnect(); }
}

/**
 * Connects. Resolves when `connected` has come, which is then `client.hello`.
 * `options`: user, protocol, token, acknowledges, query (native), auth and transports (Socket.IO).
 */
export async function connect(url, {user, protocol, ...options}) {
  const client = protocol === 'socketio' ?
      new SocketIoClient(user) :
      new NativeClient(user, protocol === 'msgpack' ? 'msgpack' : 'json');
  await client.open(url, options);
  client.hello = await client.take('connected');
  return client;
}
