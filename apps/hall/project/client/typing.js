// Who is typing in the room.
import { element, nameOf } from './dom.js';

const REPEAT_MS = 2_000; // the server forgets after 3 s that somebody types

export function addTyping(page) {
  const { connection, room } = page;
  const typists = new Map(); // user id → name
  const line = element('p', { class: 'soft', id: 'typing', role: 'status' });
  let toldAt = 0;
  room.composer.before(line);

  // Nobody needs to hear of it later: without a connection it is not sent.
  function tell(event) {
    toldAt = event === 'typing' ? Date.now() : 0;
    if (connection.state === 'connected') connection.emit(event, { roomId: room.id }).catch(() => {});
  }
  room.text.addEventListener('input', () => {
    if (room.text.value === '') tell('stop-typing');
    else if (Date.now() - toldAt > REPEAT_MS) tell('typing');
  });
  room.composer.addEventListener('submit', () => {
    if (toldAt > 0) tell('stop-typing');
  });

  function show() {
    const names = [...typists.values()];
    line.textContent = names.length === 0 ? '' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`;
  }
  connection.on('user-typing', ({ roomId, userId, user }) => {
    if (roomId === room.id) typists.set(userId, nameOf(userId, user));
    show();
  });
  connection.on('user-stopped-typing', ({ roomId, userId }) => {
    if (roomId === room.id) typists.delete(userId);
    show();
  });
  for (const event of ['entered', 'left']) {
    page.on(event, () => {
      typists.clear();
      show();
    });
  }
}
