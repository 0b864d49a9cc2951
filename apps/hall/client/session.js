// Who we are and how we are connected: over one link at a time, of either protocol. The two look the same
// from here (over_native.js, over_socketio.js).
//
// It emits: `state` (connecting, connected, lost, closed) with what is known of the cause; `welcome` with
// what the server said first; `event` (type, fields); `refused` (error) when we are not let in.
import { Emitter } from './emitter.js';
import { open as openNative } from './over_native.js';
import { open as openSocketio } from './over_socketio.js';

export const PROTOCOLS = { socketio: 'Socket.IO', native: 'WebSocket' };
const OPEN = { socketio: openSocketio, native: openNative };

export function isProtocol(value) {
  return Object.hasOwn(PROTOCOLS, value ?? '');
}

export class Session extends Emitter {
  name = ''; // as it was given; who we are then is the server's word
  me = { userId: '', user: {} };
  protocol;
  state = 'closed';
  error; // why it is not connected
  token; // given by hand

  #link;
  #turn = 0; // links come and go: what an earlier one tells is too late
  #latest; // the token of the present connection

  /** Errors: the server cannot be reached; it refuses the name. */
  async begin(name, token) {
    this.name = name;
    this.token = token;
    this.me = { userId: name, user: { name } };
    await this.#fetchToken();
  }

  async connect(protocol = this.protocol) {
    this.disconnect();
    const mine = this.#turn;
    this.protocol = protocol;
    this.#changed('connecting');
    const ifMine = (action) => (...values) => { if (mine === this.#turn) action(...values); };
    try {
      const link = await OPEN[protocol]({
        name: this.name,
        token: () => this.#fetchToken(),
        onState: ifMine((state, about) => this.#onState(state, about)),
        onEvent: ifMine((type, fields) => this.emit('event', type, fields)),
      });
      if (mine !== this.#turn) return link.close();
      this.#link = link;
    } catch (error) {
      if (mine === this.#turn) this.#changed('closed', error);
    }
  }

  /** Now, where it waits before the next attempt. */
  tryAgain() {
    if (this.#link) this.#link.connect();
    else this.connect();
  }

  /** A goodbye: the server takes us out of the rooms, and knows them when we come back. */
  disconnect() {
    this.#turn += 1;
    this.#link?.close();
    this.#link = undefined;
    this.state = 'closed';
  }

  get isConnected() {
    return this.state === 'connected';
  }

  /** Errors: the server's; `disconnected` where nobody waits for a connection any more. */
  ask(type, fields, options) {
    return this.#link ? this.#link.ask(type, fields, options) : Promise.reject(notConnected());
  }

  /** Asks what may be done twice: across connections, until it was answered. */
  askAgain(type, fields) {
    return this.ask(type, fields, { again: true });
  }

  /** Enters a room, over this link for ever. `since`: a function that says how far we got in it. */
  join(room, since) {
    return this.#link ? this.#link.join(room, since) : Promise.reject(notConnected());
  }

  leave(room) {
    return this.#link ? this.#link.leave(room) : Promise.resolve();
  }

  typing(room, active) {
    this.#link?.typing(room, active);
  }

  isMine(userId) {
    return userId === this.me.userId;
  }

  /** A file of the server. Errors: it is not there, or not for us. */
  async fetch(url, options = {}) {
    const token = this.#latest ?? await this.#fetchToken();
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const response = await fetch(url, { ...options, headers });
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.title ?? `The server answered ${response.status}`);
  }

  /** Under --dev the server makes tokens for anybody; elsewhere one is given, or none is needed. */
  async #fetchToken() {
    if (this.token) return (this.#latest = this.token);
    const response = await fetch(`/dev/token?user=${encodeURIComponent(this.name)}`).catch(() => {
      throw new Error('The server cannot be reached');
    });
    if (response.status === 404) return undefined;
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(body.title ?? `The server answered ${response.status}`);
    return (this.#latest = body.token);
  }

  #onState(state, about = {}) {
    if (state === 'connecting' && this.state === 'lost') return; // an attempt is no good news yet
    const isRefusal = /^(authentication|invalid-user|token-expired)/.test(about.error?.code ?? '');
    if (state === 'closed' && isRefusal) return this.emit('refused', about.error);
    if (state !== 'connected') return this.#changed(state, about.error);
    this.me = { userId: about.userId, user: { name: this.name, ...about.user } };
    this.#changed('connected');
    this.emit('welcome', about);
  }

  #changed(state, error) {
    this.state = state;
    this.error = error;
    this.emit('state', state, error);
  }
}

function notConnected() {
  return Object.assign(new Error('Not connected'), { code: 'disconnected' });
}
