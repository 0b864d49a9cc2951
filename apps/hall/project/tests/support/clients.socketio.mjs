// A client of the tests over Socket.IO: the stock one.
import { io } from 'socket.io-client';
import { Inbox } from './inbox.mjs';

export const name = 'socketio';

const ANSWER_MS = 5_000;
const LISTS = { 'pending-messages': 'messages' }; // an event whose payload is a list, and what we call it

/**
 * Connects, and comes back by itself. Errors: the server's refusal, with its `code`.
 * @param options  namespace; byCable: over a WebSocket at once, since of who polls nobody can say when they went
 */
export async function connect(url, identity, { namespace = '/', byCable = false } = {}) {
  const inbox = new Inbox();
  const transports = byCable ? ['websocket'] : ['polling', 'websocket'];
  const socket = io(new URL(namespace, url).href, { auth: identity, forceNew: true, reconnectionDelay: 50, transports });
  socket.onAny((event, payload, ...more) => {
    inbox.add(event, LISTS[event] ? { [LISTS[event]]: payload } : payload);
    if (typeof more.at(-1) === 'function') more.at(-1)({}); // it wants to know that we have it
  });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve).once('connect_error', (error) => reject(Object.assign(error, error.data)));
  }).catch((error) => {
    socket.disconnect();
    throw error;
  });
  return {
    /** Sends an event. Resolves to the answer; errors: the server's, with `code`. */
    async ask(event, fields = {}) {
      const answer = await socket.timeout(ANSWER_MS).emitWithAck(event, fields);
      if (answer.error !== undefined) throw Object.assign(new Error(answer.error), answer);
      return answer;
    },
    /** Takes an event that was told: next('user-joined', ({ userId }) => userId === 'bob'). */
    next: (event, fits) => inbox.next(event, fits),
    /** Those that were told and not taken. */
    all: (event) => inbox.all(event),
    close: () => socket.disconnect(),
  };
}
