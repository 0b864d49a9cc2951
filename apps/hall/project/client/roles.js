// Rooms that belong to somebody: creating them, inviting, and who may do what there.
import { button, element, field, form, nameOf } from './dom.js';

const ACTIONS = {
  Invite: (fields) => ['invite', fields],
  'Put out': (fields) => ['kick', fields],
  'Make member': (fields) => ['set-role', { ...fields, role: 'member' }],
  'Make moderator': (fields) => ['set-role', { ...fields, role: 'moderator' }],
  'Make owner': (fields) => ['set-role', { ...fields, role: 'owner' }],
};

export function addRoles(page) {
  const { connection, room } = page;
  const panel = page.panel('roles', 'Manage rooms', false);
  const name = element('input', { name: 'new-room', required: true, maxlength: 64, autocomplete: 'off' });
  const user = element('input', { name: 'user', required: true, maxlength: 64, autocomplete: 'off' });
  const action = element('select', { name: 'action' }, ...Object.keys(ACTIONS).map((each) => element('option', {}, each)));
  const told = element('p', { class: 'soft', role: 'status' });

  panel.append(
    form({ class: 'stack' }, create, field('New room', name), element('button', {}, 'Create')),
    form({ class: 'stack' }, act, field('Person', user), field('Action', action), element('button', {}, 'Do it')), told);

  async function create() {
    const roomId = name.value.trim();
    if (!await page.attempt(connection.emit('create-room', { roomId }))) return;
    name.value = '';
    await room.enter(roomId);
  }

  async function act() {
    if (!room.id) return page.notice('Join a room first');
    const [event, fields] = ACTIONS[action.value]({ roomId: room.id, userId: user.value.trim() });
    if (await page.attempt(connection.emit(event, fields))) told.textContent = `${action.value}: done`;
  }

  connection.on('room-invited', ({ roomId, byUserId, byUser }) => {
    page.notice(`${nameOf(byUserId, byUser)} invites you to ${roomId}`, button('Join', () => room.enter(roomId)),
      button('Not now', () => {}));
  });
  connection.on('role-changed', ({ roomId, userId, role }) => {
    if (roomId === room.id) told.textContent = `${userId} is now ${role}`;
  });
}
