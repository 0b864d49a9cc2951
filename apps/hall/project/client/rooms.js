// The room we are in, and who comes and goes. One at a time is shown; the server would let us be in many.
import { button, element, field, form, nameOf } from './dom.js';

export function addRooms(page) {
  const { connection } = page;
  const heading = element('h2', {}, 'Room');
  const panel = element('section', { id: 'room', class: 'panel', 'aria-label': 'Room' }, heading);
  document.getElementById('main').append(panel);
  const name = element('input', { name: 'room', required: true, maxlength: 64, value: 'lobby' });
  const news = element('p', { class: 'soft', role: 'status' });
  const leave = button('Leave', () => page.attempt(leaveRoom()), { hidden: true });
  panel.append(form({ class: 'row', id: 'join' }, () => enterRoom(name.value.trim()), field('Room', name),
    element('button', { class: 'primary' }, 'Join'), leave), news);

  // What the other features of rooms build on: the room's name, and its panel.
  page.room = { id: undefined, panel, enter: enterRoom };

  async function enterRoom(roomId) {
    const answer = await page.attempt((async () => {
      if (page.room.id && page.room.id !== roomId) await leaveRoom();
      return connection.emit('join-room', { roomId });
    })());
    if (answer) entered({ roomId, ...answer });
  }

  function entered(answer) {
    page.room.id = answer.roomId;
    name.value = answer.roomId;
    heading.textContent = answer.room.name ?? answer.roomId;
    leave.hidden = false;
    const others = answer.memberCount - 1;
    news.textContent = others === 0 ? 'Only you are here' : `You and ${others === 1 ? 'one other' : `${others} others`} are here`;
    page.tell('entered', answer);
  }

  async function leaveRoom() {
    const roomId = page.room.id;
    await connection.emit('leave-room', { roomId });
    left(`You left ${roomId}`);
  }

  function left(why) {
    page.room.id = undefined;
    heading.textContent = 'Room';
    leave.hidden = true;
    news.textContent = why;
    page.tell('left');
  }

  const isHere = ({ roomId }) => roomId === page.room.id;
  connection.on('user-joined', (event) => {
    if (isHere(event)) news.textContent = `${nameOf(event.userId, event.user)} joined`;
  });
  connection.on('user-left', (event) => {
    if (isHere(event)) news.textContent = `${event.userId} left`;
  });
  connection.on('room-kicked', (event) => {
    if (isHere(event)) left(`You were put out of ${event.roomId}${event.reason ? `: ${event.reason}` : ''}`);
  });
  // After a reconnection. Messages of the meantime have been told already, unless they were too many.
  connection.on('rejoined', (answer) => {
    if (isHere(answer)) entered(answer);
  });
  connection.on('rejoin-failed', ({ roomId, error }) => {
    if (roomId === page.room.id) left(`You are no longer in ${roomId}: ${error.message}`);
  });
}
