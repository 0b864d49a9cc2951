// Wirehall's client for the native protocol: JSON frames over one WebSocket, in browsers and in Node.
//
//   const client = await connect('https://example.org', { token: () => fetchToken() });
//   client.on('chat', (message) => show(message));
//   await client.join('lobby');
//   await client.send('lobby', 'hello');
//
// It reconnects by itself. Handlers and rooms survive that, and nothing is sent twice: a message goes out
// again with its clientMessageId, by which the server knows it; any other request that was under way fails
// with `disconnected`, since nobody can say whether it was done, unless its caller lets it go out `again`.
//
// Nothing is missed either: a room is entered again from where we were in it, and `chat` tells every message
// once, in the order of `seq`, also those of the time in between. Where the server cannot give them all,
// `rejoined` has `recovered: false`, and history() has them.
//
// Its own events, besides the server's: `connecting`; `disconnected` {error, retryIn}, without retryIn when
// it has given up; `rejoined` {roomId, …what join() answers}; `rejoin-failed` {roomId, error}.

/**
 * @typedef {string | undefined} Token
 * @typedef {object} Options
 * @property {Token | (() => Token | Promise<Token>)} [token]  a function is asked before every connection
 * @property {any} [WebSocket]  an implementation, where there is no global one
 * @property {boolean} [reconnection]  true
 * @property {number} [reconnectionAttempts]  in a row; Infinity
 * @property {number} [reconnectionDelay]  1000 ms; doubles with every failure, less up to a half at random
 * @property {number} [reconnectionDelayMax]  5000 ms
 * @property {number} [timeout]  20000 ms: for a connection to be made, and for an answer once its request was sent
 * @property {number} [pingInterval]  25000 ms of silence after which the connection is tested
 * @property {number} [queueMax]  100: how many requests may wait for a connection
 * @property {{setTimeout: Function, clearTimeout: Function, random: () => number}} [clock]  for tests
 *
 * @typedef {Record<string, any>} Fields
 * @typedef {(fields: any) => any} Handler  what it returns, or its promise, answers an event that wants an answer
 *
 * @typedef {object} Request  one that was not answered yet
 * @property {string} type
 * @property {Fields} fields
 * @property {string} text  the frame
 * @property {boolean} again  whether it may be sent again over another connection
 * @property {boolean} sent
 * @property {number} timeout
 * @property {any} [timer]
 * @property {Promise<Fields>} answer
 * @property {(fields: Fields) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {number} [heard]  of a join: the seq of a message that came before the answer
 *
 * @typedef {object} Place  where we are in a room
 * @property {number} [seq]  of the newest message that was told
 * @property {string} [epoch]
 * @property {Fields[]} [held]  messages that came before the answer to our coming back
 *
 * @typedef {{timeout?: number, again?: boolean}} RequestOptions  again: it may be done twice
 */

/** A refusal by the server, or a failure to reach it. */
export class WirehallError extends Error {
  /** @param {string} text @param {string} code @param {Fields} [fields]  what else the answer says */
  constructor(text, code, fields = {}) {
    super(text);
    this.name = 'WirehallError';
    this.code = code;
    this.fields = fields;
    /** @type {number | undefined} ms */
    this.retryAfter = fields.retryAfter;
  }
}

/**
 * Connects, for as many attempts as the options allow.
 *
 * What the server sends directly behind its welcome is seen only by handlers that were there before: where
 * that matters, make a Client, add them, and call its connect().
 *
 * @param {string | URL} url  of the server; its path is /ws where none is given
 * @param {Options} [options]
 * @returns {Promise<Client>}
 */
export function connect(url, options) {
  return new Client(url, options).connect();
}

export class Client {
  /** @type {'connecting' | 'connected' | 'waiting' | 'closed'} `waiting`: for the next attempt */
  state = 'closed';
  /** @type {string | undefined} who the server says we are */
  userId;

  #options;
  #url;
  /** @type {Map<string, Set<Handler>>} */ #handlers = new Map();
  /** @type {Map<number, Request>} in the order in which they were made */ #pending = new Map();
  /** @type {Map<string, Place>} */ #rooms = new Map();
  /** @type {{socket?: any, timer?: any, heard?: boolean} | null} the connection, or the attempt at one */ #link = null;
  /** @type {any} */ #retryTimer;
  /** @type {any} what connect() promised */ #opening = null;
  #flowing = false; // whether requests may leave: connected, and back in all rooms
  #failures = 0;
  #lastId = 0;

  /** @param {string | URL} url @param {Options} [options] */
  constructor(url, options = {}) {
    this.#options = {
      reconnection: true,
      reconnectionAttempts: Infinity,
      reconnectionDelay: 1000,
      reconnectionDelayMax: 5000,
      timeout: 20000,
      pingInterval: 25000,
      queueMax: 100,
      WebSocket: globalThis.WebSocket,
      clock: {
        setTimeout: (/** @type {any} */ action, /** @type {number} */ ms) => setTimeout(action, ms),
        clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
        random: Math.random,
      },
      ...options,
    };
    this.#url = new URL(url, globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace('http', 'ws');
    if (this.#url.pathname === '/') this.#url.pathname = '/ws';
  }

  // -- events -------------------------------------------------------------------------------------

  /** @param {string} event @param {Handler} handler */
  on(event, handler) {
    if (!this.#handlers.has(event)) this.#handlers.set(event, new Set());
    this.#handlers.get(event)?.add(handler);
    return this;
  }

  /** @param {string} event @param {Handler} handler */
  once(event, handler) {
    const once = (/** @type {any} */ fields) => {
      this.off(event, once);
      return handler(fields);
    };
    once.handler = handler;
    return this.on(event, once);
  }

  /** @param {string} event @param {Handler} [handler]  all of the event's, where none is given */
  off(event, handler) {
    if (!handler) this.#handlers.delete(event);
    for (const each of this.#handlers.get(event) ?? []) {
      if (each === handler || /** @type {any} */ (each).handler === handler) this.#handlers.get(event)?.delete(each);
    }
    return this;
  }

  // -- requests -----------------------------------------------------------------------------------

  /**
   * Sends a request, at once or when there is a connection again, and waits for its answer.
   *
   * Errors: the server's code; `timeout`; `disconnected` (it may have been done); `queue-full`.
   *
   * @param {string} type
   * @param {Fields} [fields]
   * @param {RequestOptions} [options]
   * @returns {Promise<Fields>}
   */
  request(type, fields, { timeout, again } = {}) {
    return this.#request(type, fields, { timeout, again });
  }

  /**
   * Enters a room, and enters it again after a reconnection. Wait for it before sending there.
   * @param {string} roomId
   * @param {{since?: {seq: number, epoch: string}}} [options]  where we were, to get what was missed
   */
  join(roomId, { since } = {}) {
    return this.#request('join-room', { roomId, since }, { again: true });
  }

  /** @param {string} roomId */
  async leave(roomId) {
    this.#rooms.delete(roomId);
    try {
      await this.#request('leave-room', { roomId }, { again: true });
    } catch (/** @type {any} */ error) {
      if (error.code !== 'not-in-room') throw error;
    }
  }

  /**
   * Sends a message. It is sent again until it is answered, and stored once. To try again after a failure,
   * give the same clientMessageId.
   *
   * @param {string} roomId
   * @param {string} content
   * @param {Fields} [more]  type, replyTo, clientMessageId
   */
  send(roomId, content, more) {
    return this.#request('message', { roomId, content, clientMessageId: makeId(), ...more }, { again: true });
  }

  /**
   * Sends a private message, as send() does; it waits at the server for who is away.
   *
   * @param {string} targetUserId
   * @param {string} content
   * @param {Fields} [more]  type, clientMessageId
   */
  sendPrivate(targetUserId, content, more) {
    const fields = { targetUserId, content, clientMessageId: makeId(), ...more };
    return this.#request('private-message', fields, { again: true });
  }

  /** @param {string} roomId @param {{before?: number, after?: number, limit?: number}} [bounds]  by seq, exclusive */
  history(roomId, bounds) {
    return this.#request('history', { roomId, ...bounds }, { again: true });
  }

  /** Who is there, of a room or of some people. @param {{roomId: string} | {userIds: string[]}} of */
  presence(of) {
    return this.#request('presence', of, { again: true });
  }

  /**
   * Sends a file, to a room or to a person; see sendFile().
   * @param {Blob} file @param {FileOptions} options
   */
  upload(file, options) {
    return sendFile((type, fields, how) => this.request(type, fields, how), file, options);
  }

  /** Says that we type, or no longer do; lost where there is no connection. @param {string} roomId */
  typing(roomId, active = true) {
    if (this.#flowing) this.#link?.socket.send(encode({ roomId }, { type: active ? 'typing' : 'stop-typing' }));
  }

  /** Asks for a sign of life. @param {{timeout?: number}} [options] */
  ping(options) {
    if (this.state !== 'connected') return Promise.reject(new WirehallError('Not connected', 'disconnected'));
    return this.#request('ping', {}, { ...options, direct: true });
  }

  /**
   * @param {string} type
   * @param {Fields} [fields]
   * @param {{timeout?: number, again?: boolean, direct?: boolean}} [options]  direct: ahead of the queue
   * @returns {Promise<Fields>}
   */
  #request(type, fields = {}, { timeout = this.#options.timeout, again = false, direct = false } = {}) {
    const now = direct || this.#flowing;
    if (this.state === 'closed') return Promise.reject(new WirehallError('Not connected', 'disconnected'));
    if (!now && [...this.#pending.values()].filter((each) => !each.sent).length >= this.#options.queueMax) {
      return Promise.reject(new WirehallError('Too many requests wait for a connection', 'queue-full'));
    }
    const id = ++this.#lastId;
    /** @type {any} */
    const request = { type, fields, text: encode(fields, { type, id }), again, timeout, sent: false };
    request.answer = new Promise((resolve, reject) => Object.assign(request, { resolve, reject }));
    this.#pending.set(id, request);
    if (now) this.#transmit(id, request);
    return request.answer;
  }

  /** @param {number} id @param {Request} request */
  #transmit(id, request) {
    request.sent = true;
    request.timer = this.#options.clock.setTimeout(
      () => this.#settle(id, new WirehallError('No answer in time', 'timeout')), request.timeout);
    this.#link?.socket.send(request.text);
  }

  /** @param {number} id @param {Fields | Error} outcome */
  #settle(id, outcome) {
    const request = this.#pending.get(id);
    if (!request) return; // it timed out before
    this.#pending.delete(id);
    this.#options.clock.clearTimeout(request.timer);
    if (outcome instanceof Error) return request.reject(outcome);
    if (outcome.error !== undefined) return request.reject(toError(outcome));
    // Before anybody is told: the next frame may be a message of this room.
    const { roomId } = request.fields;
    if (request.type === 'join-room' && !this.#rooms.has(roomId)) this.#rooms.set(roomId, placeOf(outcome, request.heard));
    request.resolve(outcome);
  }

  // -- the connection -----------------------------------------------------------------------------

  /**
   * Connects; where it waits for the next attempt, that is made now.
   *
   * Errors: what made it give up: `authentication-failed`, or the last attempt's failure.
   *
   * @returns {Promise<Client>}
   */
  connect() {
    if (this.state === 'connected') return Promise.resolve(this);
    if (!this.#opening) {
      this.#opening = {};
      this.#opening.promise = new Promise((resolve, reject) => Object.assign(this.#opening, { resolve, reject }));
    }
    const { promise } = this.#opening;
    if (this.state !== 'connecting') this.#open();
    return promise;
  }

  /** Ends the connection and leaves the rooms; what waits for an answer fails with `disconnected`. */
  close() {
    this.#rooms.clear();
    const socket = this.#link?.socket;
    if (this.state !== 'closed') this.#lost(this.#link, new WirehallError('Closed', 'disconnected'), 1000);
    socket?.close(1000);
  }

  async #open() {
    const { clock, token: source, WebSocket, timeout } = this.#options;
    clock.clearTimeout(this.#retryTimer);
    /** @type {any} */
    const link = (this.#link = {});
    link.timer = clock.setTimeout(() => this.#lost(link, new WirehallError('No connection in time', 'timeout')), timeout);
    this.state = 'connecting';
    this.#emit('connecting', {});
    try {
      const url = new URL(this.#url);
      const token = typeof source === 'function' ? await source() : source;
      if (link !== this.#link) return;
      if (token) url.searchParams.set('token', token);
      url.searchParams.set('authError', 'close'); // a page cannot see why an HTTP upgrade is refused
      const socket = (link.socket = new WebSocket(url.href));
      socket.onmessage = (/** @type {any} */ event) => link === this.#link && this.#receive(link, event.data);
      socket.onclose = (/** @type {any} */ event) => this.#lost(link, closeError(event, this.state), event.code);
      socket.onerror = () => {}; // `close` follows; Node wants errors to be heard
    } catch (/** @type {any} */ error) {
      this.#lost(link, error);
    }
  }

  /** @param {any} link @param {any} error @param {number} [code] */
  #lost(link, error, code) {
    if (link !== this.#link) return;
    const { clock, ...options } = this.#options;
    this.#link = null;
    this.#flowing = false;
    clock.clearTimeout(link?.timer);
    clock.clearTimeout(this.#retryTimer);
    if (code === undefined) link?.socket?.close();

    const expired = error.code === 'token-expired' && typeof options.token !== 'function';
    const over = code === 1000 || expired || error.code === 'authentication-failed' || !options.reconnection ||
      this.#failures >= options.reconnectionAttempts;
    // These blame something that was sent: it would have the same end again.
    const blamed = [1002, 1003, 1007, 1009].includes(code ?? 0);
    this.state = over ? 'closed' : 'waiting';
    for (const [id, request] of this.#pending) {
      clock.clearTimeout(request.timer);
      if (over || (request.sent && (blamed || !request.again))) this.#settle(id, error);
      else request.sent = false;
    }
    let retryIn;
    if (over) {
      this.#failures = 0;
      this.#opening?.reject(error);
      this.#opening = null;
    } else {
      const delay = Math.min(options.reconnectionDelay * 2 ** this.#failures++, options.reconnectionDelayMax);
      retryIn = Math.round(delay * (1 - clock.random() / 2));
      this.#retryTimer = clock.setTimeout(() => this.#open(), retryIn);
    }
    this.#emit('disconnected', { error, retryIn });
  }

  /** @param {any} link @param {any} data */
  #receive(link, data) {
    let frame;
    try {
      frame = decode(data);
    } catch {
      return this.#lost(link, new WirehallError('The server sent no JSON', 'invalid-format'));
    }
    link.heard = true;
    const { type, ackId, messageType, ...fields } = frame;
    if (messageType !== undefined) fields.type = messageType;
    if (type === 'ack' || type === 'pong') {
      const { id, ...answer } = fields;
      this.#settle(id, answer);
    } else if (type === 'connected') {
      this.#welcome(link, fields);
    } else if (!OWN_EVENTS.includes(type) && (type !== 'chat' || this.#isNext(fields))) {
      if (type === 'room-kicked') this.#rooms.delete(fields.roomId);
      const results = this.#emit(type, type === 'error' ? toError(fields) : fields);
      if (ackId !== undefined && results.length > 0) this.#answer(link, ackId, results);
    }
  }

  /** @param {any} link @param {number} ackId @param {any[]} results */
  async #answer(link, ackId, results) {
    const answer = (await Promise.all(results)).find((result) => result !== undefined);
    if (link === this.#link) link.socket.send(encode(answer, { type: 'ack', ackId }));
  }

  /** @param {any} link @param {Fields} fields */
  async #welcome(link, fields) {
    this.#options.clock.clearTimeout(link.timer);
    this.state = 'connected';
    this.userId = fields.userId;
    this.#failures = 0;
    this.#opening?.resolve(this);
    this.#opening = null;
    this.#watch(link);
    this.#emit('connected', fields);

    // First back into the rooms, then what waited: the server would refuse a message that comes before.
    const joins = [...this.#pending].filter(([, request]) => request.type === 'join-room' && !request.sent);
    const rooms = [...this.#rooms.keys()].filter((room) => !joins.some(([, request]) => request.fields.roomId === room));
    for (const [id, request] of joins) this.#transmit(id, request);
    const answers = [...rooms.map((room) => this.#rejoin(room)), ...joins.map(([, request]) => request.answer)];
    if (answers.length > 0) await Promise.allSettled(answers);
    if (link !== this.#link) return;
    this.#flowing = true;
    for (const [id, request] of this.#pending) if (!request.sent) this.#transmit(id, request);
  }

  /** @param {string} roomId */
  async #rejoin(roomId) {
    /** @type {any} */
    const place = this.#rooms.get(roomId);
    place.held = [];
    const since = place.seq === undefined ? undefined : { seq: place.seq, epoch: place.epoch };
    try {
      const answer = await this.#request('join-room', { roomId, since }, { direct: true });
      if (place !== this.#rooms.get(roomId)) return; // we left it meanwhile
      const { held } = place;
      for (const message of answer.recovered ? answer.missed : []) this.#emit('chat', message);
      this.#emit('rejoined', { roomId, ...answer });
      Object.assign(place, placeOf(answer), { held: undefined });
      for (const message of held) if (this.#isNext(message)) this.#emit('chat', message);
    } catch (/** @type {any} */ error) {
      if (error.code === 'disconnected') return; // the next connection tries again
      this.#rooms.delete(roomId);
      this.#emit('rejoin-failed', { roomId, error });
    }
  }

  // What is sent while we come back may be in the answer as well, and stand before what that brings.
  /** @param {Fields} message */
  #isNext(message) {
    const { roomId, seq } = message;
    const place = this.#rooms.get(roomId);
    if (!place) {
      for (const request of this.#pending.values()) {
        if (request.type === 'join-room' && request.fields.roomId === roomId) request.heard = seq;
      }
      return true;
    }
    const isNext = !place.held && !(seq <= (place.seq ?? 0));
    if (isNext) place.seq = seq ?? place.seq;
    place.held?.push(message);
    return isNext;
  }

  // A connection may be dead for minutes before anybody tells: the server's pings are not shown to pages.
  /** @param {any} link */
  #watch(link) {
    link.heard = false;
    link.timer = this.#options.clock.setTimeout(async () => {
      try {
        if (!link.heard) await this.ping();
        if (link === this.#link) this.#watch(link);
      } catch (error) {
        this.#lost(link, error);
      }
    }, this.#options.pingInterval);
  }

  /** @param {string} event @param {any} fields @returns {any[]} what the handlers returned */
  #emit(event, fields) {
    return [...(this.#handlers.get(event) ?? [])].flatMap((handler) => {
      try {
        return [handler(fields)];
      } catch (error) {
        // It is the handler's: the others are called all the same.
        queueMicrotask(() => { throw error; });
        return [];
      }
    });
  }
}

const OWN_EVENTS = ['connecting', 'disconnected', 'rejoined', 'rejoin-failed'];

/** @param {Fields} answer @param {number} [heard] @returns {Place} */
function placeOf({ seq, epoch }, heard) {
  return { seq: heard === undefined ? seq : Math.max(seq, heard), epoch };
}

/** @param {Fields} fields */
function toError({ error, code, ...fields }) {
  return new WirehallError(error, code, fields);
}

/** @param {{code: number, reason: string}} close @param {string} state */
function closeError({ code, reason }, state) {
  if (reason === 'Unauthorized') return new WirehallError('Authentication failed', 'authentication-failed');
  if (reason === 'Rate limit exceeded') return new WirehallError(reason, 'rate-limited');
  if (code === 4002) return new WirehallError('Token expired', 'token-expired');
  return new WirehallError(reason || (state === 'connecting' ? 'No connection' : 'Connection lost'), 'disconnected');
}

// -- files ---------------------------------------------------------------------------------------------

/**
 * @typedef {object} FileOptions
 * @property {string} [roomId]  where it will appear, or
 * @property {string} [targetUserId]  who will get it
 * @property {string} [name]  instead of the file's own, as `mime`
 * @property {string} [mime]
 * @property {string} [sha256]  of its bytes, in lower-case hexadecimal digits: the server compares them
 * @property {string} [uploadId]  of an upload of the same bytes that was not finished: it goes on
 * @property {(upload: {uploadId: string, chunkSize: number, offset: number}) => void} [onStart]
 * @property {(sent: number, size: number) => void} [onProgress]
 * @property {AbortSignal} [signal]  ends the upload, at the server as well
 */

/**
 * Sends a file in pieces, over any connection that can ask. A piece whose answer was lost is sent again.
 * Errors: the server's; the signal's reason. Unless it was ended, the upload can go on by its uploadId.
 *
 * @param {(type: string, fields: Fields, options: RequestOptions) => Promise<Fields>} ask  waits for a connection
 * @param {Blob} file
 * @param {FileOptions} options
 * @returns {Promise<Fields>} file, messageId
 */
export async function sendFile(ask, file, { uploadId, onStart, onProgress, signal, ...about }) {
  signal?.throwIfAborted();
  const again = { again: true };
  const { name, type: mime } = /** @type {any} */ (file);
  const begin = () => ask('upload-start',
    { name, mime: mime || 'application/octet-stream', ...about, size: file.size }, again);
  const beginning = uploadId === undefined ? begin() : ask('upload-start', { uploadId }, again).catch((error) => {
    if (error.code !== 'not-found') throw error;
    return begin(); // it is too old, or was finished
  });
  /** @type {Promise<any>} */
  const ended = new Promise((_, reject) => signal?.addEventListener('abort', () => {
    reject(signal.reason);
    beginning.then((begun) => ask('upload-abort', { uploadId: begun.uploadId }, again)).catch(() => {});
  }));
  ended.catch(() => {}); // it may come when nobody waits any more

  const upload = await Promise.race([beginning, ended]);
  onStart?.(upload);
  for (let { offset } = upload; ;) {
    onProgress?.(offset, file.size);
    const data = new Uint8Array(await file.slice(offset, offset + upload.chunkSize).arrayBuffer());
    const sending = ask('upload-chunk', { uploadId: upload.uploadId, offset, data }, again).catch((error) => {
      const right = error.code === 'conflict' ? error.fields?.offset : undefined;
      if (right === undefined || right === offset) throw error;
      return { offset: right };
    });
    const answer = await Promise.race([sending, ended]);
    offset = answer.offset;
    if (!answer.complete) continue;
    onProgress?.(file.size, file.size);
    return answer;
  }
}

// -- frames: bytes are {"$binary":"<base64>"}, an event's own `type` travels as `messageType` ----------

/** @param {any} fields @param {Fields} head */
function encode(fields, head) {
  const { type: messageType, ...rest } = fields ?? {};
  // `this` holds the value as it is; the argument went through toJSON, which Node's Buffer has.
  return JSON.stringify({ ...rest, messageType, ...head }, function (key, value) {
    const bytes = this[key] instanceof ArrayBuffer ? new Uint8Array(this[key]) : this[key];
    if (!(bytes instanceof Uint8Array)) return value;
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return { $binary: btoa(text) };
  });
}

/** @param {string} text @returns {Fields} */
function decode(text) {
  return JSON.parse(text, text.includes('"$binary"') ? restoreBytes : undefined);
}

/** @param {string} _ @param {any} value */
function restoreBytes(_, value) {
  if (typeof value?.$binary !== 'string' || Object.keys(value).length !== 1) return value;
  try {
    return Uint8Array.from(atob(value.$binary), (character) => character.charCodeAt(0));
  } catch {
    return value; // another client may send anything
  }
}

/** Unique for its user; there is no randomUUID in insecure contexts, and none in Node 18. */
function makeId() {
  const random = () => Math.random().toString(36).slice(2, 12);
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now().toString(36)}-${random()}${random()}`;
}
