// The client: one WebSocket at a time, and what outlives it: handlers, rooms, requests.

/** @import { ChatMessage, Fields, FileOptions, HallEvents, Handler, HistoryAnswer, JoinAnswer, JoinOptions, Options } from './types.js' */
/** @import { PresenceAnswer, PrivateAnswer, RequestOptions, SendAnswer, SendOptions, UploadAnswer, UploadTarget } from './types.js' */
/** @import { PendingRequest } from './requests.js' */
import { addTo, credentialsOf, endOf, isRenewable, waitFor } from './credentials.js';
import { closeError, refusalError, toError, WirehallError } from './errors.js';
import { decode, encode, makeId } from './frames.js';
import { Handlers, outcomeOf } from './handlers.js';
import { PrivateMessages } from './private_messages.js';
import { Requests } from './requests.js';
import { inRoom, Place, Room } from './rooms.js';
import { findPublished, sendFile } from './uploads.js';

const OWN_EVENTS = ['connecting', 'disconnected', 'rejoined', 'rejoin-failed', 'members', 'token-refreshed',
  'refresh-failed'];
const REJOIN_TRIES_MAX = 5; // over one connection

/**
 * @template {object} [E=HallEvents]  the events and their fields: `Client<HallEvents & {score: {points: number}}>`
 */
export class Client {
  /** @type {'connecting' | 'connected' | 'waiting' | 'closed'} `waiting`: for the next attempt */
  state = 'closed';
  /** @type {string | undefined} who the server says we are */
  userId;

  #options;
  #url;
  #handlers = new Handlers();
  /** @type {Requests} */ #requests;
  /** @type {Map<string, Place>} */ #places = new Map();
  #privateMessages = new PrivateMessages();
  /** @type {any} the connection, or the attempt at one: socket, timers, heard */ #link = null;
  /** @type {any} */ #retryTimer;
  /** @type {any} what connect() promised */ #opening = null;
  #flowing = false; // whether requests may leave: connected, and back in all rooms
  #failures = 0;
  #hurry = () => { this.connect().catch(() => {}); };

  /**
   * @param {string | URL} [url]  of the server, else the page's own; its path is /ws where none is given
   * @param {Options} [options]
   */
  constructor(url = globalThis.location?.origin, options = {}) {
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
        now: Date.now,
        random: Math.random,
      },
      ...options,
    };
    if (!this.#options.WebSocket) {
      throw new TypeError('There is no WebSocket here: give one, new Client(url, { WebSocket })');
    }
    const { clock, timeout } = this.#options;
    this.#requests = new Requests(clock, timeout, (request, answer) => this.#answered(request, answer));
    this.#url = new URL(url, globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace('http', 'ws');
    if (this.#url.pathname === '/') this.#url.pathname = '/ws';
  }

  // -- events -------------------------------------------------------------------------------------

  /**
   * Handlers survive reconnections. What one returns, or its promise, answers an event that wants an answer.
   * @template {keyof E | (string & {})} K
   * @param {K} event @param {Handler<E, K>} handler @returns {this}
   */
  on(event, handler) {
    this.#handlers.add(String(event), handler);
    return this;
  }

  /** @template {keyof E | (string & {})} K @param {K} event @param {Handler<E, K>} handler @returns {this} */
  once(event, handler) {
    this.#handlers.add(String(event), handler, true);
    return this;
  }

  /**
   * @template {keyof E | (string & {})} K
   * @param {K} event @param {Handler<E, K>} [handler]  all of the event's, where none is given
   * @returns {this}
   */
  off(event, handler) {
    this.#handlers.remove(String(event), handler);
    return this;
  }

  // -- requests -----------------------------------------------------------------------------------

  /**
   * Sends an event, at once or when there is a connection again. Without an ack function its answer is promised;
   * with one nothing is returned, and the function gets the answer, which has `error` and `code` where it failed.
   *
   * Messages get a clientMessageId, by which they are stored once however often they are sent.
   *
   * Errors: the server's code; `timeout`; `disconnected` (it may have been done); `queue-full`.
   *
   * @overload
   * @param {string} event @param {Fields | undefined} fields @param {(answer: Fields) => void} ack
   * @returns {void}
   */
  /**
   * @overload
   * @param {string} event @param {Fields} [fields] @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  /** @param {string} event @param {Fields} [fields] @param {RequestOptions | ((answer: Fields) => void)} [how] */
  emit(event, fields, how) {
    if (typeof how !== 'function') return this.request(event, fields, how);
    this.request(event, fields).then(how,
      ({ message, code, fields: more }) => how({ ...more, error: message, code }));
  }

  /**
   * emit() without the ack function.
   * @param {string} event @param {Fields} [fields] @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  request(event, fields = {}, options = {}) {
    const isMessage = ['message', 'chat', 'private-message'].includes(event);
    return this.#ask(event, isMessage ? { clientMessageId: makeId(), ...fields } : fields, options);
  }

  /**
   * Enters a room, and enters it again after every reconnection. Wait for it before sending there.
   *
   * With `since`, which is a room's `position` of earlier, `chat` tells first what was missed.
   *
   * @param {string} roomId @param {JoinOptions} [options] @returns {Promise<JoinAnswer>}
   */
  async join(roomId, { since } = {}) {
    // A leave that waits would undo this: joins go first.
    for (const each of this.#requests.about('leave-room', roomId)) if (!each.sent) this.#requests.settle(each.id, {});
    if (!since || this.#places.has(roomId)) return this.#ask('join-room', { roomId, since });
    const place = Object.assign(new Place(), { ...since, isNew: true, held: [] });
    this.#places.set(roomId, place);
    try {
      return await this.#ask('join-room', { roomId, since });
    } catch (error) {
      if (place === this.#places.get(roomId)) {
        this.#places.delete(roomId);
        for (const message of place.held) this.#tell('chat', message);
      }
      throw error;
    }
  }

  /** @param {string} roomId @returns {Promise<void>} */
  async leave(roomId) {
    this.#forget(roomId);
    try {
      await this.#ask('leave-room', { roomId });
    } catch (/** @type {any} */ error) {
      if (error.code !== 'not-in-room') throw error;
    }
  }

  /**
   * What belongs to one room. It is not entered by this.
   * @param {string} roomId @returns {Room<E>}
   */
  room(roomId) {
    return new Room(this, roomId, this.#handlers, () => this.#places.get(roomId));
  }

  /**
   * Sends a message. It is sent again until it is answered, and stored once. To try again after a failure,
   * give the same clientMessageId.
   *
   * @param {string} roomId @param {string} content @param {SendOptions} [more] @returns {Promise<SendAnswer>}
   */
  send(roomId, content, { timeout, again, ...more } = {}) {
    return this.request('message', { roomId, content, ...more }, { timeout, again });
  }

  /**
   * Sends a private message, as send() does; it waits at the server for who is away.
   * @param {string} targetUserId @param {string} content @param {SendOptions} [more]
   * @returns {Promise<PrivateAnswer>}
   */
  sendPrivate(targetUserId, content, { timeout, again, ...more } = {}) {
    return this.request('private-message', { targetUserId, content, ...more }, { timeout, again });
  }

  /**
   * @param {string} roomId
   * @param {{before?: number, after?: number, limit?: number}} [bounds]  by seq, exclusive
   * @returns {Promise<HistoryAnswer>}
   */
  history(roomId, bounds) {
    return this.request('history', { roomId, ...bounds });
  }

  /**
   * Who is there, of a room or of some people.
   * @param {{roomId: string} | {userIds: string[]}} of @returns {Promise<PresenceAnswer>}
   */
  presence(of) {
    return this.request('presence', of);
  }

  /**
   * @param {string} status  online, away, busy, invisible, or a text of at most 64 characters
   * @returns {Promise<{status: string}>}
   */
  updateStatus(status) {
    return this.request('update-status', { status }, { again: true });
  }

  /**
   * Sends a file, to a room or to a person. It goes on by itself after a lost connection, and by its uploadId after
   * a reload; what was published already is not sent twice.
   * @param {Blob} file @param {FileOptions & UploadTarget} options @returns {Promise<UploadAnswer>}
   */
  async upload(file, options) {
    /** @type {any} */
    let told;
    const key = options.roomId === undefined ? undefined : inRoom('chat', options.roomId);
    const hear = (/** @type {ChatMessage} */ message) => {
      if (message.file && message.userId === this.userId) told = message;
    };
    if (key) this.#handlers.add(key, hear);
    try {
      return await sendFile((type, fields, how) => this.#ask(type, fields, how), file, options, async (uploadId) =>
        told?.file.id === uploadId
          ? { offset: file.size, complete: true, messageId: told.id, file: told.file }
          : findPublished(uploadId, file.size, this.#url, await credentialsOf(this.#options)));
    } finally {
      if (key) this.#handlers.remove(key, hear);
    }
  }

  /**
   * Says that we type, or no longer do; lost where there is no connection.
   * @param {string} roomId @param {boolean} [active]
   */
  typing(roomId, active = true) {
    if (this.#flowing) this.#link.socket.send(encode({ roomId }, { type: active ? 'typing' : 'stop-typing' }));
  }

  /** Asks for a sign of life. @param {{timeout?: number}} [options] @returns {Promise<{timestamp: number}>} */
  ping({ timeout } = {}) {
    if (this.state !== 'connected') return Promise.reject(new WirehallError('Not connected', 'disconnected'));
    return this.#askNow('ping', {}, { timeout });
  }

  /** @param {string} type @param {Fields} fields @param {RequestOptions} [options] @returns {Promise<any>} */
  #ask(type, fields, options = {}) {
    if (this.#flowing) return this.#askNow(type, fields, options);
    if (this.state === 'closed') return Promise.reject(new WirehallError('Not connected', 'disconnected'));
    const { queueMax } = this.#options;
    if (this.#requests.waiting().length >= queueMax) {
      return Promise.reject(new WirehallError(`${queueMax} requests wait for a connection already`, 'queue-full'));
    }
    return this.#requests.add(type, fields, options).answer;
  }

  /**
   * Ahead of what waits.
   * @param {string} type @param {Fields} fields @param {RequestOptions} options @param {Place} [place]
   */
  #askNow(type, fields, options, place) {
    const request = this.#requests.add(type, fields, options);
    request.place = place;
    this.#requests.send(request, this.#link.socket);
    return request.answer;
  }

  /** @param {PendingRequest} request @param {Fields} answer */
  #answered({ type, fields: { roomId }, heard, place: of }, answer) {
    if (type === 'leave-room') this.#forget(roomId);
    if (type !== 'join-room') return;
    let place = this.#places.get(roomId);
    if (of && of !== place) return; // we left it meanwhile
    if (!place) {
      place = new Place();
      this.#places.set(roomId, place);
      place.enter(answer, heard);
    } else if (place.held && (of || place.isNew)) {
      this.#resume(roomId, place, answer);
    } else {
      place.list(answer);
    }
    this.#tellMembers(roomId);
  }

  /**
   * What is sent while we come back may be in the answer as well, and stand before what that brings.
   * @param {string} roomId @param {Place} place @param {Fields} answer
   */
  #resume(roomId, place, answer) {
    const { held = [], isNew } = place;
    const isHere = () => this.#places.get(roomId) === place;
    for (const message of answer.recovered ? answer.missed : []) {
      if (!isHere()) return;
      place.seq = message.seq;
      this.#tell('chat', message);
    }
    place.enter(answer);
    if (!isNew) this.#tell('rejoined', { roomId, ...answer });
    for (const message of held) if (isHere() && place.isNext(message)) this.#tell('chat', message);
  }

  // -- the connection -----------------------------------------------------------------------------

  /**
   * Connects; where it waits for the next attempt, that is made now.
   *
   * Errors: what made it give up: `authentication-failed` and other refusals, or the last attempt's failure.
   *
   * @returns {Promise<this>}
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
    this.#places.clear();
    const socket = this.#link?.socket;
    if (this.state !== 'closed') this.#lost(this.#link, new WirehallError('Closed', 'disconnected'), 1000);
    socket?.close(1000);
  }

  async #open() {
    const { clock, WebSocket, timeout } = this.#options;
    this.#stopWaiting();
    /** @type {any} */
    const link = (this.#link = {});
    link.timer = clock.setTimeout(
      () => this.#lost(link, new WirehallError('No connection in time', 'timeout')), timeout);
    this.state = 'connecting';
    this.#tell('connecting', {});
    try {
      const url = new URL(this.#url);
      const credentials = await credentialsOf(this.#options);
      if (link !== this.#link) return;
      addTo(url, credentials);
      link.token = credentials.token;
      // A page cannot see why an upgrade is refused, so it asks for a close frame; `ws` shows the answer.
      const showsRefusals = typeof WebSocket.prototype?.once === 'function';
      if (!showsRefusals) url.searchParams.set('authError', 'close');
      const socket = (link.socket = new WebSocket(url.href));
      socket.onmessage = (/** @type {any} */ event) => link === this.#link && this.#receive(link, event.data);
      socket.onclose = (/** @type {any} */ event) => this.#lost(link, closeError(event, this.state), event.code);
      socket.onerror = () => {}; // `close` follows; Node wants errors to be heard
      if (showsRefusals) {
        socket.once('unexpected-response', (/** @type {any} */ _, /** @type {any} */ response) => {
          const lost = (/** @type {any} */ error) => this.#lost(link, error);
          refusalError(response).then(lost, lost);
        });
      }
    } catch (/** @type {any} */ error) {
      this.#lost(link, error);
    }
  }

  #stopWaiting() {
    this.#options.clock.clearTimeout(this.#retryTimer);
    globalThis.removeEventListener?.('online', this.#hurry);
  }

  /** @param {any} link @param {any} error @param {number} [code] */
  #lost(link, error, code) {
    if (link !== this.#link) return;
    const { clock, ...options } = this.#options;
    this.#link = null;
    this.#flowing = false;
    clock.clearTimeout(link?.timer);
    clock.clearTimeout(link?.tokenTimer);
    this.#stopWaiting();
    if (code === undefined) link?.socket?.close();

    const expired = error.code === 'token-expired' && !isRenewable(options);
    const refused = [401, 403].includes(error.fields?.status);
    const isLast = !options.reconnection || this.#failures >= options.reconnectionAttempts;
    const over = code === 1000 || expired || refused || isLast;
    // These blame something that was sent: it would have the same end again.
    const blamed = [1002, 1003, 1007, 1009].includes(code ?? 0);
    this.state = over ? 'closed' : 'waiting';
    this.#requests.lost(error, over, blamed);
    let retryIn;
    if (over) {
      this.#failures = 0;
      this.#opening?.reject(error);
      this.#opening = null;
    } else {
      retryIn = this.#backoff(error);
      this.#retryTimer = clock.setTimeout(() => this.#open(), retryIn);
      globalThis.addEventListener?.('online', this.#hurry);
    }
    this.#tell('disconnected', { error, retryIn });
  }

  /**
   * How long to wait, ms. Where we are too many we come no sooner than we were told, or else late.
   * @param {WirehallError} error
   */
  #backoff({ code, retryAfter = 0 }) {
    const { clock, reconnectionDelay, reconnectionDelayMax } = this.#options;
    const delay = Math.min(reconnectionDelay * 2 ** this.#failures++, reconnectionDelayMax);
    const base = code === 'rate-limited' ? reconnectionDelayMax : delay;
    return Math.round(retryAfter + base * (1 - clock.random() / 2));
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
      this.#requests.settle(id, answer);
    } else if (type === 'connected') {
      this.#welcome(link, fields);
    } else if (type === 'private-message' || type === 'pending-messages') {
      this.#receivePrivate(link, type, fields, ackId);
    } else if (!OWN_EVENTS.includes(type) && (type !== 'chat' || this.#isNext(fields))) {
      if (type === 'room-kicked') this.#forget(fields.roomId);
      const results = this.#tell(type, type === 'error' ? toError(fields) : fields);
      if (ackId !== undefined) this.#acknowledge(link, ackId, results);
      this.#follow(type, fields);
    }
  }

  /** @param {any} link @param {number} ackId @param {any[]} results */
  async #acknowledge(link, ackId, results) {
    const { seen, answer } = await outcomeOf(results);
    if (seen && link === this.#link) link.socket.send(encode(answer, { type: 'ack', ackId }));
  }

  /** @param {any} link @param {string} type @param {Fields} fields @param {number} [ackId] */
  async #receivePrivate(link, type, fields, ackId) {
    const areMany = type === 'pending-messages';
    const tellAll = areMany && this.#handlers.has(type)
      ? (/** @type {Fields[]} */ messages) => this.#tell(type, { ...fields, messages }) : undefined;
    const areSeen = await this.#privateMessages.receive(areMany ? fields.messages : [fields], tellAll,
      (message) => this.#tell('private-message', message));
    if (ackId !== undefined && areSeen && link === this.#link) link.socket.send(encode({}, { type: 'ack', ackId }));
  }

  /** @param {any} link @param {Fields} fields */
  async #welcome(link, fields) {
    const { clock } = this.#options;
    clock.clearTimeout(link.timer);
    this.state = 'connected';
    this.userId = fields.userId;
    this.#failures = 0;
    this.#opening?.resolve(this);
    this.#opening = null;
    this.#watch(link);
    link.ahead = (fields.serverTime ?? clock.now()) - clock.now(); // of our clock
    this.#keepToken(link, endOf(link.token));
    this.#tell('connected', fields);

    // First back into the rooms, then what waited: the server would refuse a message that comes before.
    const joins = this.#requests.waiting().filter(({ type }) => type === 'join-room');
    const rooms = [...this.#places].filter(([, { isNew }]) => !isNew);
    const returns = rooms.map(([roomId, place]) => this.#rejoin(link, roomId, place));
    for (const request of joins) this.#requests.send(request, link.socket);
    const answers = [...returns, ...joins.map(({ answer }) => answer)];
    if (answers.length > 0) await Promise.allSettled(answers);
    if (link !== this.#link) return;
    this.#flowing = true;
    for (const request of this.#requests.waiting()) this.#requests.send(request, link.socket);
  }

  /** @param {any} link @param {string} roomId @param {Place} place */
  async #rejoin(link, roomId, place) {
    const isOver = () => link !== this.#link || place !== this.#places.get(roomId);
    const { clock, reconnectionDelay } = this.#options;
    place.held = [];
    for (let tries = 1; !isOver(); ++tries) {
      try {
        return await this.#askNow('join-room', { roomId, since: place.position }, { again: false }, place);
      } catch (/** @type {any} */ error) {
        if (isOver()) return; // the next connection tries again
        if (error.code === 'timeout') return this.#lost(link, error);
        if (['unavailable', 'rate-limited'].includes(error.code) && tries < REJOIN_TRIES_MAX) {
          const wait = error.retryAfter ?? reconnectionDelay;
          await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), wait));
          continue;
        }
        this.#forget(roomId);
        this.#tell('rejoin-failed', { roomId, error });
      }
    }
  }

  /** @param {Fields} message */
  #isNext(message) {
    const { roomId, seq } = message;
    const place = this.#places.get(roomId);
    if (place) return place.isNext(message);
    for (const request of this.#requests.about('join-room', roomId)) request.heard = seq ?? request.heard;
    return true;
  }

  /** Keeps the members of rooms up to date. @param {string} type @param {Fields} fields */
  #follow(type, fields) {
    // A change of status names no room: it is told once for each that we share.
    const isOfAll = type === 'presence-update';
    for (const [roomId, place] of this.#places) {
      if (!isOfAll && roomId !== fields.roomId) continue;
      if (!place.follow(type, fields)) continue;
      this.#tellMembers(roomId);
      if (fields.more > 0) this.#askNow('join-room', { roomId }, {}).catch(() => {}); // too many changed to be told
    }
  }

  /** @param {string} roomId */
  #forget(roomId) {
    if (this.#places.delete(roomId)) this.#tellMembers(roomId);
  }

  /** @param {string} roomId */
  #tellMembers(roomId) {
    const { members, memberCount } = this.room(roomId);
    this.#tell('members', { roomId, members, memberCount });
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

  // -- a new token before the old one ends --------------------------------------------------------

  /** @param {any} link @param {number | undefined} end  by the server's clock */
  #keepToken(link, end) {
    const { clock } = this.#options;
    if (end === undefined || !isRenewable(this.#options)) return;
    const left = end - link.ahead - clock.now();
    if (left > 0) link.tokenTimer = clock.setTimeout(() => this.#refresh(link, end), waitFor(left));
  }

  /** @param {any} link @param {number} end */
  async #refresh(link, end) {
    try {
      const { token } = await credentialsOf(this.#options);
      if (link !== this.#link) return;
      if (token !== link.token) {
        const { expiresAt } = await this.#askNow('refresh-token', { token }, {});
        link.token = token;
        end = expiresAt;
        this.#tell('token-refreshed', { expiresAt });
      }
    } catch (error) {
      if (link === this.#link) this.#tell('refresh-failed', { error });
    }
    if (link === this.#link) this.#keepToken(link, end);
  }

  /**
   * To the handlers of the client, then to those of the room.
   * @param {string} event @param {any} fields @returns {any[]} what they returned
   */
  #tell(event, fields) {
    const roomId = fields?.roomId ?? fields?.room;
    const results = this.#handlers.tell(event, fields);
    return typeof roomId === 'string' ? [...results, ...this.#handlers.tell(inRoom(event, roomId), fields)] : results;
  }
}
