// The connection to the server, over Socket.IO: by the stock client, which reconnects. Coming back into the
// rooms, and what was missed there, is looked after here.
const CLIENT = '/socket.io/socket.io.esm.min.js';
const ANSWER_TIMEOUT_MS = 20_000;
const AGAIN = ['join-room', 'leave-room', 'history', 'presence'];
const LISTS = { 'pending-messages': 'messages' }; // events whose payload is a list, and what we call it

export class Connection {
  /** Who the server says we are. */
  userId;
  /** connecting, connected, waiting (for the next attempt), closed */
  state = 'closed';

  #socket;
  #handlers = [];
  #watchers = [];
  #listening = new Set();
  #rooms = new Map(); // name → { seq, epoch }: how far we are; `held`: what came while we ask what we missed
  #ready; // a promise: connected, and back in the rooms
  #setReady;

  /** Calls handler(fields) for each such event of the server. */
  on(event, handler) {
    this.#handlers.push([event, handler]);
    if (this.#socket) this.#listen(event);
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
    this.#changed('connecting');
    const { io } = await import(CLIENT).catch(() => {
      this.#changed('closed');
      throw new Error('The server does not serve the Socket.IO client: run "npm install", then start it again ' +
        'with WIREHALL_CLIENT_DIRECTORY=node_modules/socket.io-client/dist');
    });
    const giveToken = (give) => token().then((value) => give({ token: value }), () => this.#socket.io.engine?.close());
    const socket = (this.#socket = io({ forceNew: true, auth: token ? giveToken : { userId: name } }));
    this.#wait();
    socket.on('connected', (welcome) => this.#welcome(welcome));
    socket.on('disconnect', () => this.#lost(new Error('Connection lost')));
    for (const event of ['new-message', ...this.#handlers.map(([name]) => name)]) this.#listen(event);
    await new Promise((resolve, reject) => {
      socket.once('connected', resolve);
      socket.on('connect_error', ({ message, data }) => {
        const error = Object.assign(new Error(message), data);
        this.#lost(error);
        if (this.state === 'closed') reject(error);
      });
    });
  }

  /** Says goodbye: others see us leave at once. */
  close() {
    this.#socket?.off().disconnect();
    this.#rooms.clear();
    this.#listening.clear();
    this.#changed('closed');
  }

  /**
   * Sends an event. Resolves to the server's answer; waits for a connection where there is none.
   * Errors: the server's, with `message`, `code`, and `retryAfter` (ms) where it knows; `disconnected` when the
   * connection went before the answer came. What carries a clientMessageId is sent again then.
   */
  async emit(event, fields = {}) {
    await this.#ready;
    const answer = await this.#ask(event, fields).catch((error) => {
      const isAgain = fields.clientMessageId !== undefined || AGAIN.includes(event);
      if (error.code !== 'disconnected' || !isAgain || this.state === 'closed') throw error;
      return this.emit(event, fields);
    });
    if (event === 'join-room') this.#rooms.set(fields.roomId, { seq: answer.seq, epoch: answer.epoch });
    if (event === 'leave-room') this.#rooms.delete(fields.roomId);
    return answer;
  }

  async #ask(event, fields) {
    const socket = this.#socket;
    if (!socket?.connected) throw Object.assign(new Error('Not connected'), { code: 'disconnected' });
    const answer = await socket.timeout(ANSWER_TIMEOUT_MS).emitWithAck(event, fields).catch(() => {
      throw socket.connected ? Object.assign(new Error('No answer in time'), { code: 'timeout' })
        : Object.assign(new Error('Connection lost'), { code: 'disconnected' });
    });
    if (answer?.error === undefined) return answer;
    throw Object.assign(new Error(answer.error), answer);
  }

  #listen(event) {
    if (this.#listening.has(event)) return;
    this.#listening.add(event);
    this.#socket.on(event, (payload, ...more) => {
      const fields = LISTS[event] ? { [LISTS[event]]: payload } : payload;
      if (event === 'room-kicked') this.#rooms.delete(fields.roomId);
      if (event !== 'new-message' || this.#isNext(fields)) this.#tell(event, fields);
      if (typeof more.at(-1) === 'function') more.at(-1)({}); // it wants to know that we have it
    });
  }

  #tell(event, fields) {
    for (const [wanted, handler] of this.#handlers) if (wanted === event) handler(fields);
  }

  // -- reconnecting ----------------------------------------------------------------------------------

  async #welcome({ userId, recovered }) {
    this.userId = userId;
    const socketId = this.#socket.id;
    if (!recovered) await Promise.all([...this.#rooms.keys()].map((roomId) => this.#rejoin(roomId)));
    if (socketId !== this.#socket.id) return; // lost again
    this.#setReady();
    this.#changed('connected');
  }

  async #rejoin(roomId) {
    const { seq, epoch } = this.#rooms.get(roomId);
    const held = [];
    this.#rooms.set(roomId, { seq, epoch, held });
    try {
      const answer = await this.#ask('join-room', { roomId, since: { seq, epoch } });
      for (const message of answer.missed) this.#tell('new-message', message);
      this.#tell('rejoined', { roomId, ...answer });
      this.#rooms.set(roomId, { seq: answer.seq, epoch: answer.epoch });
      for (const message of held) if (this.#isNext(message)) this.#tell('new-message', message);
    } catch (error) {
      if (error.code === 'disconnected') return this.#rooms.set(roomId, { seq, epoch }); // the next one tries again
      this.#rooms.delete(roomId);
      this.#tell('rejoin-failed', { roomId, error });
    }
  }

  // Each message is told once: what is sent while we come back may also be in the answer.
  #isNext(message) {
    const place = this.#rooms.get(message.roomId);
    if (!place) return true;
    place.held?.push(message);
    if (place.held || message.seq <= place.seq) return false;
    place.seq = message.seq;
    return true;
  }

  // The stock client comes back by itself, unless the server has refused it or sent it away.
  #lost(error) {
    const isLater = error.retryAfter !== undefined; // too many came at once
    if (isLater) setTimeout(() => this.#socket.connect(), error.retryAfter);
    const isOver = !this.#socket.active && !isLater;
    if (this.state === 'connected') this.#wait();
    if (isOver) this.#setReady(); // what waits fails
    this.#changed(isOver ? 'closed' : 'waiting', error);
  }

  #wait() {
    this.#ready = new Promise((resolve) => { this.#setReady = resolve; });
  }

  #changed(state, error) {
    this.state = state;
    for (const watcher of this.#watchers) watcher(state, error);
  }
}
