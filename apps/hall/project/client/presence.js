// Who is in the room and how they are, and how we are.
import { element, field, nameOf } from './dom.js';

const OWN = ['online', 'away', 'busy', 'invisible'];
const COLOURED = [...OWN, 'offline']; // any other text means online, too

export function addPresence(page) {
  const { connection, room } = page;
  const people = new Map(); // user id → { user, status }
  const list = element('ul', { class: 'people' });
  const status = element('select', { onchange: () => page.attempt(setStatus()) },
    ...OWN.map((each) => element('option', {}, each)));
  const panel = page.panel('people', 'People');
  panel.append(field('Your status', status), list);

  const setStatus = () => connection.emit('update-status', { status: status.value });

  function draw() {
    const names = [...people].sort(([a], [b]) => a.localeCompare(b));
    list.replaceChildren(...names.map(([userId, { user, status: how }]) =>
      element('li', { 'data-status': COLOURED.includes(how) ? how : 'online' }, element('b', {}, nameOf(userId, user)), ' ',
        element('span', { class: 'soft' }, how))));
  }

  const join = ({ userId, user, status: how = 'online' }) => people.set(userId, { user, status: how });
  const leave = ({ userId }) => people.delete(userId);
  const update = ({ userId, status: how }) => {
    const person = people.get(userId);
    if (person) person.status = how;
  };

  page.on('entered', ({ members }) => {
    people.clear();
    members.forEach(join);
    draw();
  });
  page.on('left', () => {
    people.clear();
    draw();
  });
  for (const [event, change] of [['user-joined', join], ['user-left', leave]]) {
    connection.on(event, (fields) => {
      if (fields.roomId === room.id) change(fields);
      draw();
    });
  }
  connection.on('presence-update', (fields) => {
    update(fields);
    draw();
  });
  // Large rooms tell of many at once, and not of all.
  connection.on('presence-diff', ({ roomId, joins, leaves, updates }) => {
    if (roomId !== room.id) return;
    leaves.forEach(leave);
    joins.forEach(join);
    updates.forEach(update);
    draw();
  });
  // A status lasts until we were offline: after that it is told again.
  connection.onState((state) => {
    if (state === 'connected' && status.value !== 'online') page.attempt(setStatus());
  });
}
