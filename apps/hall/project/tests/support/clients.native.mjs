// A client of the tests over Wirehall's own protocol: by the same file that the page uses.
import { WebSocket } from 'ws';
import { Client } from '../../client/wirehall.js';
import { EVENTS } from './events.mjs';
import { Inbox } from './inbox.mjs';

export const name = 'native';

const NAMES = { 'new-message': 'chat' }; // what this protocol calls otherwise

/** Connects, and comes back by itself. Errors: the server's refusal, with its `code`. */
export async function connect(url, { token, userId }) {
  const inbox = new Inbox();
  const address = userId === undefined ? '/ws' : `/ws?userId=${encodeURIComponent(userId)}`;
  const heard = new Set();
  const hear = (type, event = type) => {
    if (!heard.has(type)) client.on(type, (fields) => inbox.add(event, fields));
    heard.add(type);
  };
  // Events of your own are heard from their first one on: here they are seen before the client sees them.
  class Watched extends WebSocket {
    constructor(...words) {
      super(...words);
      this.on('message', (frame) => hear(JSON.parse(frame).type));
    }
  }
  const client = new Client(new URL(address, url), { token, WebSocket: Watched, reconnectionDelay: 50 });
  for (const event of EVENTS) hear(NAMES[event] ?? event, event);
  await client.connect();
  return {
    /** Sends an event. Resolves to the answer; errors: the server's, with `code`. */
    async ask(event, fields = {}) {
      return client.request(event, fields, { again: fields.clientMessageId !== undefined });
    },
    /** Takes an event that was told: next('user-joined', ({ userId }) => userId === 'bob'). */
    next: (event, fits) => inbox.next(event, fits),
    /** Those that were told and not taken. */
    all: (event) => inbox.all(event),
    close: () => client.close(),
  };
}
