// The connection to the server, over Wirehall's own protocol: by ./wirehall.js, which reconnects, comes back
// into the rooms, and tells what was missed meanwhile.
import { Client } from './wirehall.js';

const NAMES = { 'new-message': 'chat' }; // what this protocol calls otherwise
const AGAIN = ['join-room', 'leave-room', 'history', 'presence'];

export class Connection {
  /** Who the server says we are. */
  userId;
  /** connecting, connected, waiting (for the next attempt), closed */
  state = 'closed';

  #client;
  #handlers = [];
  #watchers = [];

  /** Calls handler(fields) for each such event of the server. */
  on(event, handler) {
    this.#handlers.push([event, handler]);
    this.#client?.on(NAMES[event] ?? event, handler);
  }

  /** Calls handler(state, error) whenever the state changes; error: why it is not connected. */
  onState(handler) {
    this.#watchers.push(handler);
  }

  /**
   * Connects, and keeps connected from then on. Resolves when the server has let us in.
   * Errors: the server's refusal.
   */
  async connect({ name, token }) {
    this.close();
    const address = token ? '/ws' : `/ws?userId=${encodeURIComponent(name)}`;
    const client = (this.#client = new Client(new URL(address, location.href), { token }));
    client.on('connecting', () => this.#changed(this.state === 'waiting' ? 'waiting' : 'connecting'));
    client.on('connected', ({ userId }) => {
      this.userId = userId;
      this.#changed('connected');
    });
    client.on('disconnected', ({ error, retryIn }) => this.#changed(retryIn === undefined ? 'closed' : 'waiting', error));
    for (const [event, handler] of this.#handlers) client.on(NAMES[event] ?? event, handler);
    await client.connect();
  }

  /** Says goodbye: others see us leave at once. */
  close() {
    this.#client?.close();
  }

  /**
   * Sends an event. Resolves to the server's answer; waits for a connection where there is none.
   * Errors: the server's, with `message`, `code`, and `retryAfter` (ms) where it knows; `disconnected` when the
   * connection went before the answer came. What carries a clientMessageId is sent again then.
   */
  async emit(event, fields = {}) {
    if (!this.#client) throw new Error('Not connected');
    const again = fields.clientMessageId !== undefined || AGAIN.includes(event);
    return this.#client.request(event, fields, { again });
  }

  #changed(state, error) {
    this.state = state;
    for (const watcher of this.#watchers) watcher(state, error);
  }
}
