// The door: name, room and protocol, and a token where the server wants one.
import { isProtocol } from './session.js';
import { recall, remember } from './storage.js';

const at = (id) => document.getElementById(id);
const MEMORY = 'wirehall';

/** @param enter ({ name, room, protocol, token }) */
export function openDoor(enter) {
  at('enter').addEventListener('submit', (event) => {
    event.preventDefault();
    at('refusal').textContent = '';
    enter({
      name: at('name').value.trim(), room: at('first-room').value.trim() || 'lobby',
      protocol: new FormData(at('enter')).get('protocol'), token: at('token').value.trim() || undefined,
    });
  });
}

export function showDoor({ name, room, protocol, problem = '', wantsToken = false } = {}) {
  const parameters = new URLSearchParams(location.search);
  const before = recall('localStorage', MEMORY);
  at('hall').hidden = true;
  at('door').hidden = false;
  document.title = 'Wirehall';
  at('name').value = name || (parameters.get('name') ?? before.name ?? '');
  at('first-room').value = room || parameters.get('room') || before.room || 'lobby';
  const wanted = [protocol, parameters.get('protocol'), before.protocol, 'socketio'].find(isProtocol);
  document.querySelector(`[name=protocol][value=${wanted}]`).checked = true;
  at('refusal').textContent = problem;
  if (wantsToken) at('token-field').hidden = false;
  at(at('name').value === '' ? 'name' : wantsToken ? 'token' : 'first-room').focus();
}

export function closeDoor({ name, room, protocol }) {
  remember('localStorage', MEMORY, { name, room, protocol });
  at('door').hidden = true;
  at('hall').hidden = false;
}
