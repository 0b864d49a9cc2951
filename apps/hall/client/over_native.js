// The hall over a plain WebSocket, by Wirehall's own client, which reconnects, re-enters its rooms and
// sends unanswered messages again.
import { Client } from '/wirehall.js';

export async function open({ name, token, onState, onEvent }) {
  const url = new URL('/ws', location.href);
  url.searchParams.set('userId', name); // counts where the server asks for no token
  const client = new Client(url, { token });

  client.on('connecting', () => onState('connecting'));
  client.on('connected', ({ userId, user }) => onState('connected', { userId, user }));
  client.on('disconnected', ({ error, retryIn }) => onState(retryIn === undefined ? 'closed' : 'lost', { error }));
  client.on('chat', (message) => onEvent('new-message', message));
  for (const type of ['user-joined', 'user-left', 'user-typing', 'user-stopped-typing', 'rejoined', 'rejoin-failed']) {
    client.on(type, (fields) => onEvent(type, fields));
  }
  const connect = () => client.connect().catch(() => {}); // `disconnected` tells
  connect();

  return {
    connect,
    close: () => client.close(),
    join: (room) => client.join(room),
    leave: (room) => client.leave(room),
    send: (room, content, clientMessageId) => client.send(room, content, { clientMessageId }),
    typing: (room, active) => client.typing(room, active),
  };
}
