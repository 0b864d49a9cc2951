// The hall over a plain WebSocket, by Wirehall's own client, which reconnects, re-enters its rooms and
// sends unanswered messages again.
import { Client } from '/wirehall.js';
import { EVENTS } from './events.js';

export async function open({ name, token, onState, onEvent }) {
  const url = new URL('/ws', location.href);
  url.searchParams.set('userId', name); // counts where the server asks for no token
  const client = new Client(url, { token });

  client.on('connecting', () => onState('connecting'));
  client.on('connected', (welcome) => onState('connected', welcome));
  client.on('disconnected', ({ error, retryIn }) =>
    onState(retryIn === undefined ? 'closed' : 'lost', { error }));
  client.on('chat', (message) => onEvent('new-message', message));
  for (const type of EVENTS) client.on(type, (fields) => onEvent(type, fields));
  const connect = () => client.connect().catch(() => {}); // `disconnected` tells
  connect();

  return {
    connect,
    close: () => client.close(),
    ask: (type, fields, options) => client.request(type, fields, options),
    join: (room, since) => client.join(room, { since: since() }), // later it knows by itself
    leave: (room) => client.leave(room),
    typing: (room, active) => client.typing(room, active),
  };
}
