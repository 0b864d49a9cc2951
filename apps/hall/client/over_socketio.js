// The hall over Socket.IO, by the stock client. That one reconnects; rooms and unanswered messages are
// looked after here, since the server knows a returning client by neither.

const SCRIPT = '/socket.io/socket.io.js';
const ANSWER_TIMEOUT = 20000;
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
  const rooms = new Map(); // name → whether we are in it over this connection
  const outbox = new Map(); // clientMessageId → what was not answered yet
  const waiting = []; // joins before there is a connection

  async function ask(...event) {
    const answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck(...event);
    if (answer?.error === undefined) return answer;
    throw Object.assign(new Error(answer.error), { code: answer.code, retryAfter: answer.retryAfter });
  }

  async function join(room) {
    if (!socket.connected) await new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    rooms.set(room, false);
    try {
      const answer = await ask('join-room', room);
      rooms.set(room, true);
      deliverAll(room);
      return answer;
    } catch (error) {
      if (socket.connected) rooms.delete(room); // else the next connection tries again
      throw error;
    }
  }

  async function deliver(id, message) {
    message.busy = true;
    try {
      const answer = await ask('message', { roomId: message.room, content: message.content, clientMessageId: id });
      outbox.delete(id);
      message.resolve(answer);
    } catch (error) {
      message.busy = false;
      if (!socket.connected && socket.active) return; // it goes out again when we are back in the room
      outbox.delete(id);
      message.reject(error);
    }
  }

  function deliverAll(room) {
    for (const [id, message] of outbox) if (message.room === room && !message.busy) deliver(id, message);
  }

  async function rejoin(room) {
    try {
      onEvent('rejoined', { roomId: room, ...(await join(room)) });
    } catch (error) {
      if (socket.connected) onEvent('rejoin-failed', { roomId: room, error });
    }
  }

  function ended(error) {
    for (const { reject } of [...waiting.splice(0), ...outbox.values()]) reject(error);
    outbox.clear();
    onState('closed', { error });
  }

  socket.on('connected', ({ userId, user }) => {
    for (const { resolve } of waiting.splice(0)) resolve();
    for (const room of rooms.keys()) rejoin(room);
    onState('connected', { userId, user });
  });
  socket.on('disconnect', (reason) => {
    for (const room of rooms.keys()) rooms.set(room, false);
    const error = new Error(`Connection lost (${reason})`);
    if (socket.active) onState('lost', { error });
    else ended(error);
  });
  socket.on('connect_error', (cause) => {
    const error = Object.assign(new Error(cause.message), { code: cause.data?.code });
    if (socket.active) onState('lost', { error });
    else ended(error);
  });
  socket.io.on('reconnect_attempt', () => onState('connecting'));
  for (const type of ['new-message', 'user-joined', 'user-left', 'user-typing', 'user-stopped-typing']) {
    socket.on(type, (fields) => onEvent(type, fields));
  }
  onState('connecting');

  return {
    connect: () => socket.disconnect().connect(),
    close: () => socket.disconnect(),
    join,
    async leave(room) {
      rooms.delete(room);
      if (socket.connected) await ask('leave-room', room);
    },
    send: (room, content, id) => new Promise((resolve, reject) => {
      if (!socket.active) return reject(new Error('Not connected'));
      const message = { room, content, resolve, reject, busy: false };
      outbox.set(id, message);
      if (rooms.get(room)) deliver(id, message);
    }),
    typing: (room, active) => socket.connected && socket.emit(active ? 'typing' : 'stop-typing', { roomId: room }),
  };
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
      reject(response?.ok === false ? Object.assign(new Error(
        'This server does not serve the Socket.IO client. Install it (npm install socket.io-client) and start ' +
          'the server with WIREHALL_CLIENT_DIRECTORY=node_modules/socket.io-client/dist, or choose WebSocket.'),
      { code: 'no-client' }) : new Error('The Socket.IO client could not be loaded. Is the server running?'));
    };
    document.head.append(script);
  });
}
