// The hall over Socket.IO, by the stock client. That one reconnects; rooms, and what may be asked again when
// its answer was lost, are looked after here, in the way of Wirehall's own client.
import { EVENTS } from './events.js';

const SCRIPT = '/socket.io/socket.io.js';
const NOT_SERVED = 'This server does not serve the Socket.IO client. Install it (npm install ' +
  'socket.io-client) and start the server with ' +
  'WIREHALL_CLIENT_DIRECTORY=node_modules/socket.io-client/dist, or choose WebSocket.';
const ANSWER_TIMEOUT_MS = 20_000;
const QUEUE_MAX = 100; // requests that wait for a connection
// Events whose argument is a bare value.
const BARE = { 'update-status': 'status', 'refresh-token': 'token' };
let loading;

export async function open({ name, token, onState, onEvent }) {
  loading ??= load();
  const io = await loading.catch((error) => {
    loading = undefined; // it may be there the next time
    throw error;
  });
  const socket = io({
    forceNew: true,
    auth: (answer) => token().then(
      (value) => answer({ token: value, userId: name, name }),
      () => socket.io.engine?.close()), // as good as no connection: it tries again
  });
  const link = new Link(socket, { onState, onEvent });
  onState('connecting');
  return link;
}

class Link {
  #socket;
  #rooms = new Map(); // name → a function that says how far we got in it
  #requests = new Map(); // number → what was not answered yet, in the order in which it was asked
  #number = 0;
  #flowing = false; // connected, and back in all rooms
  #tell;

  constructor(socket, { onState, onEvent }) {
    this.#socket = socket;
    this.#tell = onEvent;
    socket.on('connected', (welcome) => this.#welcome(welcome, onState));
    socket.on('disconnect', () => this.#lost(new Error('Connection lost'), onState));
    socket.on('connect_error', ({ message, data }) =>
      this.#lost(Object.assign(new Error(message), { code: data?.code }), onState));
    socket.io.on('reconnect_attempt', () => onState('connecting'));
    for (const type of ['new-message', ...EVENTS]) {
      socket.on(type, (...values) => this.#receive(type, ...values));
    }
  }

  connect() {
    this.#socket.disconnect().connect();
  }

  close() {
    this.#socket.disconnect();
  }

  ask(type, fields, { again = false, timeout = ANSWER_TIMEOUT_MS, direct = false } = {}) {
    if (!this.#socket.active) return Promise.reject(notConnected());
    const waiting = [...this.#requests.values()].filter(({ sent }) => !sent).length;
    const isFull = !this.#flowing && waiting >= QUEUE_MAX;
    if (isFull) return Promise.reject(new Error('Too much waits for a connection'));
    return new Promise((resolve, reject) => {
      const request = { type, fields, again, timeout, direct, resolve, reject, sent: false };
      this.#requests.set(++this.#number, request);
      if (this.#flowing || direct) this.#transmit(this.#number, request);
    });
  }

  async join(room, since) {
    const answer = await this.ask('join-room', { roomId: room, since: since() }, { again: true });
    this.#rooms.set(room, since);
    return answer;
  }

  async leave(room) {
    this.#rooms.delete(room);
    if (this.#socket.connected) await this.ask('leave-room', { roomId: room });
  }

  typing(room, active) {
    if (this.#socket.connected) this.#socket.emit(active ? 'typing' : 'stop-typing', { roomId: room });
  }

  // -- requests -----------------------------------------------------------------------------------

  async #transmit(number, request) {
    const { type, fields, timeout } = request;
    request.sent = true;
    const values = fields === undefined ? [] : [Object.hasOwn(BARE, type) ? fields[BARE[type]] : fields];
    try {
      const answer = await this.#socket.timeout(timeout).emitWithAck(type, ...values);
      this.#requests.delete(number);
      if (answer?.error === undefined) return request.resolve(answer);
      const { error, code, ...rest } = answer;
      request.reject(Object.assign(new Error(error), { code, retryAfter: rest.retryAfter, fields: rest }));
    } catch (cause) {
      if (!this.#socket.connected && this.#socket.active && request.again) {
        request.sent = false; // the next connection sends it again
        return;
      }
      this.#requests.delete(number);
      const isLate = this.#socket.connected;
      const late = Object.assign(new Error('No answer in time'), { code: 'timeout' });
      request.reject(isLate ? late : notConnected(cause));
    }
  }

  // -- the connection -----------------------------------------------------------------------------

  async #welcome(welcome, onState) {
    onState('connected', welcome);
    const { id } = this.#socket;
    const joins = [...this.#requests].filter(([, { type, sent }]) => type === 'join-room' && !sent);
    const asked = joins.map(([, { fields }]) => fields.roomId);
    const rooms = [...this.#rooms.keys()].filter((room) => !asked.includes(room));
    const entering = rooms.map((room) => this.#rejoin(room));
    await Promise.all([...entering, ...joins.map(([number, request]) => this.#transmit(number, request))]);
    if (id !== this.#socket.id) return; // lost again
    this.#flowing = true;
    for (const [number, request] of this.#requests) if (!request.sent) this.#transmit(number, request);
  }

  async #rejoin(room) {
    try {
      const since = this.#rooms.get(room)();
      const answer = await this.ask('join-room', { roomId: room, since }, { direct: true });
      if (!this.#rooms.has(room)) return; // we left it meanwhile
      this.#tell('rejoined', { roomId: room, ...answer });
    } catch (error) {
      if (!this.#socket.connected) return; // the next connection tries again
      this.#rooms.delete(room);
      this.#tell('rejoin-failed', { roomId: room, error });
    }
  }

  #receive(type, fields, ...more) {
    if (type === 'room-kicked') this.#rooms.delete(fields.roomId);
    this.#tell(type, type === 'pending-messages' ? { messages: fields } : fields);
    // A private message is ours from now on. (What comes behind others is a position, for the stock client.)
    if (typeof more.at(-1) === 'function') more.at(-1)({});
  }

  #lost(error, onState) {
    this.#flowing = false;
    if (this.#socket.active) return onState('lost', { error });
    for (const { reject } of this.#requests.values()) reject(notConnected(error));
    this.#requests.clear();
    onState('closed', { error });
  }
}

function notConnected(cause) {
  return Object.assign(new Error('Not connected', { cause }), { code: 'disconnected' });
}

/** The stock client puts `io` where scripts without modules put things. */
function load() {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = SCRIPT;
    script.onload = () => resolve(globalThis.io);
    script.onerror = async () => {
      script.remove();
      const response = await fetch(SCRIPT, { method: 'HEAD' }).catch(() => undefined);
      reject(response?.ok === false ? Object.assign(new Error(NOT_SERVED), { code: 'no-client' })
        : new Error('The Socket.IO client could not be loaded. Is the server running?'));
    };
    document.head.append(script);
  });
}
