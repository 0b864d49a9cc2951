// The page: the door (name, room, protocol) and the hall behind it. The two protocols look the same from
// here (over_native.js, over_socketio.js); a room and its messages are in room.js.
import { avatar, button, element, nameElement } from './dom.js';
import { open as openNative } from './over_native.js';
import { open as openSocketio } from './over_socketio.js';
import { Room, sentence, sortedMembers, typingLine } from './room.js';

const PROTOCOLS = { socketio: openSocketio, native: openNative };
const MEMBERS_SHOWN_MAX = 200;
const TYPING_AGAIN_MS = 2000; // the server takes silence of 3 s for the end

const at = (id) => document.getElementById(id);
const rooms = new Map();
let name = ''; // as it was given; who we are then is the server's word
let me = { userId: '', user: {} };
let token; // given by hand
let protocol;
let current; // Room
let link; // to the server, over either protocol
let turn = 0; // links come and go: what an earlier one tells is too late
let state = 'closed';
let toldTyping = null; // when we last said so

// -- what is kept ----------------------------------------------------------------------------------

// Browsers may refuse to keep anything; then nothing is remembered.
function recall(storage, key) {
  try {
    return JSON.parse(globalThis[storage].getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function remember(storage, key, value) {
  try {
    globalThis[storage].setItem(key, JSON.stringify(value));
  } catch { /* see above */ }
}

// -- the door --------------------------------------------------------------------------------------

function showDoor(problem = '') {
  const parameters = new URLSearchParams(location.search);
  const before = recall('localStorage', 'wirehall');
  at('hall').hidden = true;
  at('door').hidden = false;
  document.title = 'Wirehall';
  at('name').value = name || (parameters.get('name') ?? before.name ?? '');
  at('first-room').value = current?.name || parameters.get('room') || before.room || 'lobby';
  const wanted = [protocol, parameters.get('protocol'), before.protocol, 'socketio'].find(isProtocol);
  document.querySelector(`[name=protocol][value=${wanted}]`).checked = true;
  at('refusal').textContent = problem;
  at(at('name').value === '' ? 'name' : 'first-room').focus();
}

function isProtocol(value) {
  return Object.hasOwn(PROTOCOLS, value ?? '');
}

async function enter(givenName, roomNames, wanted, shown = roomNames[0]) {
  name = givenName;
  me = { userId: name, user: { name } };
  at('refusal').textContent = '';
  try {
    await fetchToken();
  } catch (error) {
    return showDoor(sentence(error.message));
  }
  remember('localStorage', 'wirehall', { name, room: shown, protocol: wanted });
  at('door').hidden = true;
  at('hall').hidden = false;
  connect(wanted);
  for (const roomName of roomNames) addRoom(roomName);
  show(rooms.get(shown) ?? rooms.values().next().value);
  focusText();
}

/** Under --dev the server makes tokens for anybody; elsewhere one is given, or none is needed. */
async function fetchToken() {
  if (token) return token;
  const response = await fetch(`/dev/token?user=${encodeURIComponent(name)}`).catch(() => {
    throw new Error('The server cannot be reached');
  });
  if (response.status === 404) return undefined;
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.title ?? `The server answered ${response.status}`);
  return body.token;
}

function leaveHall() {
  forgetHall();
  history.replaceState(null, '', '/'); // else a name in the address would enter again
  showDoor();
}

function forgetHall() {
  disconnect();
  for (const room of rooms.values()) room.panel.remove();
  rooms.clear();
  current = undefined;
  at('text').value = '';
  remember('sessionStorage', 'wirehall', {});
}

// -- the connection --------------------------------------------------------------------------------

async function connect(wanted) {
  const mine = ++turn;
  protocol = wanted;
  document.querySelector(`[name=live-protocol][value=${wanted}]`).checked = true;
  state = 'closed';
  for (const room of rooms.values()) room.asked = false;
  onState('connecting');
  const ifMine = (action) => (...values) => { if (mine === turn) action(...values); };
  try {
    const opened = await PROTOCOLS[wanted]({
      name, token: fetchToken, onState: ifMine(onState), onEvent: ifMine(onEvent),
    });
    if (mine !== turn) return opened.close();
    link = opened;
    joinAll();
  } catch (error) {
    if (mine === turn) onState('closed', { error });
  }
}

function disconnect() {
  turn += 1;
  link?.close();
  link = undefined;
}

const STATES = {
  connecting: 'Connecting', connected: 'Connected', lost: 'Connection lost', closed: 'Not connected',
};

function onState(next, { userId, user, error } = {}) {
  if (next === 'connecting' && state === 'lost') return; // an attempt is no good news yet
  state = next;
  if (next === 'connected') {
    me = { userId, user: { name, ...user } };
    joinAll();
  } else {
    for (const room of rooms.values()) room.lost();
  }
  if (next === 'closed' && /^(authentication|invalid-user|token-expired)/.test(error?.code)) return refused(error);
  at('state').dataset.state = next;
  at('state-text').textContent = STATES[next];
  if (error) notice(error);
  else at('notice').hidden = true;
  draw();
}

function notice(error) {
  const over = state === 'closed';
  at('notice-text').textContent = over ? sentence(error.message)
    : `${sentence(error.message)} Trying again; what you write is kept.`;
  at('notice-action').textContent = error.code === 'no-client' ? 'Use WebSocket' : over ? 'Connect' : 'Try now';
  at('notice-action').onclick = () => {
    if (error.code === 'no-client') connect('native');
    else if (link) link.connect();
    else connect(protocol);
  };
  at('notice').hidden = false;
}

function refused(error) {
  const asked = token ? '' : ' Give an access token, or start the server with --dev.';
  forgetHall();
  token = undefined;
  at('token-field').hidden = false;
  showDoor(`${sentence(error.message)}${asked}`);
}

function onEvent(type, fields) {
  const room = rooms.get(fields.roomId);
  if (!room) return;
  if (type === 'new-message') {
    room.message(fields);
    if (room !== current || document.hidden) room.unread += 1;
  } else if (type === 'rejoined') {
    room.entered(fields);
  } else if (type === 'rejoin-failed') {
    room.asked = false;
    room.failed(fields.error);
  } else if (type === 'user-joined') {
    room.userJoined(fields);
  } else if (type === 'user-left') {
    room.userLeft(fields);
  } else if (!isMine(fields.userId)) {
    if (type === 'user-typing') room.typists.set(fields.userId, fields);
    else room.typists.delete(fields.userId);
  }
  draw();
}

function isMine(userId) {
  return userId === me.userId;
}

// -- rooms -----------------------------------------------------------------------------------------

function addRoom(roomName) {
  if (rooms.has(roomName)) return;
  const room = new Room(roomName, {
    isMine,
    send: (content, id) => (link ? link.send(roomName, content, id) : Promise.reject(new Error('Not connected'))),
    rejoin: () => join(room),
  });
  rooms.set(roomName, room);
  at('stage').append(room.panel);
  join(room);
}

/** Once a room was entered, the link enters it again after a reconnection. */
async function join(room) {
  if (!link || room.asked) return;
  const mine = turn;
  room.asked = true;
  try {
    const answer = await link.join(room.name);
    if (mine === turn) room.entered(answer);
  } catch (error) {
    if (mine !== turn) return;
    if (state === 'connected') room.failed(error);
    if (state === 'connected' || state === 'closed') room.asked = false;
  }
  draw();
}

function joinAll() {
  for (const room of rooms.values()) if (!room.error) join(room);
}

function leaveRoom(room) {
  link?.leave(room.name).catch(() => {}); // what fails here ends with the connection
  room.panel.remove();
  rooms.delete(room.name);
  if (room === current) show(rooms.values().next().value);
  else draw();
}

function show(room) {
  if (current) {
    stopTyping();
    current.draft = at('text').value;
    current.panel.hidden = true;
  }
  current = room;
  at('text').value = room?.draft ?? '';
  room?.show();
  fit();
  openSide(false);
  draw();
}

// -- drawing ---------------------------------------------------------------------------------------

function draw() {
  if (at('hall').hidden) return;
  remember('sessionStorage', 'wirehall', { name, protocol, rooms: [...rooms.keys()], shown: current?.name });
  at('me').replaceChildren(avatar(me), nameElement(me));
  drawRooms();
  drawMembers();
  at('room-name').textContent = current?.name ?? 'No room';
  at('room-note').textContent = current ? noteOf(current) : 'Join one to talk';
  at('typing').replaceChildren(...typingLine(current?.typists ?? new Map()));
  at('text').disabled = !current || current.error !== null;
  const unread = [...rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  at('unread-elsewhere').hidden = unread === 0;
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${current?.name ?? 'Wirehall'} · Wirehall`;
}

function noteOf(room) {
  if (room.error) return 'Not in this room';
  if (!room.joined) return state === 'connected' ? 'Entering…' : 'Waiting for the connection';
  return room.memberCount === 1 ? 'Only you are here' : `${room.memberCount} people here`;
}

// Only what differs is made anew: a button that has the focus must not vanish under it.
let drawn = '';

function drawRooms() {
  const now = JSON.stringify([...rooms.values()].map((room) => [room.name, room.unread, room === current]));
  if (now === drawn) return;
  drawn = now;
  const focused = at('rooms').contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  at('rooms').replaceChildren(...[...rooms.values()].map((room) => element('li', {},
    button('', () => { show(room); focusText(); }, {
      class: 'room', 'aria-current': room === current && 'true', 'data-focus': `show ${room.name}`,
    }),
    button('', () => leaveRoom(room), {
      class: 'icon leave', 'aria-label': `Leave ${room.name}`, title: 'Leave this room', 'data-focus': `leave ${room.name}`,
    }))));
  for (const [i, room] of [...rooms.values()].entries()) {
    const [open, leave] = at('rooms').children[i].children;
    open.append(element('bdi', { class: 'name' }, room.name), ' ');
    if (room.unread > 0) {
      open.append(element('span', { class: 'badge' }, String(Math.min(room.unread, 99)),
        element('span', { class: 'unseen' }, ' unread')));
    }
    leave.append('×');
  }
  const next = [...at('rooms').querySelectorAll('button')].find((each) => each.dataset.focus === focused);
  if (focused !== undefined) (next ?? at('another-room')).focus();
}

function drawMembers() {
  const members = current ? sortedMembers(current.members, isMine) : [];
  at('member-count').textContent = current?.joined ? current.memberCount : '';
  at('members').replaceChildren(...members.slice(0, MEMBERS_SHOWN_MAX).map((member) => element('li', {},
    avatar(member), nameElement(member), isMine(member.userId) ? element('span', { class: 'soft' }, 'you') : '')));
  const more = (current?.memberCount ?? 0) - Math.min(members.length, MEMBERS_SHOWN_MAX);
  if (more > 0) at('members').append(element('li', { class: 'soft' }, `and ${more} more`));
}

// On a narrow page the side is a drawer: closed, it is out of the way of the keyboard too.
const narrow = matchMedia('(max-width: 51.99rem)');

function openSide(open) {
  const wasOpen = at('hall').dataset.side === 'open';
  at('hall').dataset.side = open ? 'open' : 'closed';
  at('side').inert = narrow.matches && !open;
  at('chat').inert = narrow.matches && open;
  at('open-side').setAttribute('aria-expanded', String(open));
  if (open) at('close-side').focus();
  else if (wasOpen && narrow.matches) at('open-side').focus();
}

// -- the composer ----------------------------------------------------------------------------------

function typed() {
  fit();
  if (at('text').value.trim() === '') return stopTyping();
  if (toldTyping !== null && performance.now() - toldTyping < TYPING_AGAIN_MS) return;
  toldTyping = performance.now();
  link?.typing(current.name, true);
}

function stopTyping() {
  if (toldTyping !== null && current) link?.typing(current.name, false);
  toldTyping = null;
}

/** As many lines as are written, within what the style allows. */
function fit() {
  const text = at('text');
  text.style.height = 'auto';
  text.style.height = `${text.scrollHeight + text.offsetHeight - text.clientHeight}px`;
}

/** Not on a phone, where it would bring up the keyboard. */
function focusText() {
  if (!narrow.matches) at('text').focus();
}

function submit() {
  const content = at('text').value.trimEnd();
  if (content.trim() === '' || !current) return;
  at('text').value = '';
  fit();
  stopTyping();
  current.say(me, content);
}

// -- what people do --------------------------------------------------------------------------------

at('enter').addEventListener('submit', (event) => {
  event.preventDefault();
  token = at('token').value.trim() || undefined;
  const form = new FormData(at('enter'));
  enter(at('name').value.trim(), [at('first-room').value.trim() || 'lobby'], form.get('protocol'));
});
at('add-room').addEventListener('submit', (event) => {
  event.preventDefault();
  const roomName = at('another-room').value.trim();
  if (roomName === '') return;
  at('another-room').value = '';
  addRoom(roomName);
  show(rooms.get(roomName));
  focusText();
});
at('switch').addEventListener('change', ({ target }) => {
  disconnect();
  connect(target.value);
});
at('leave').addEventListener('click', leaveHall);
at('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  submit();
});
at('text').addEventListener('input', typed);
at('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
at('open-side').addEventListener('click', () => openSide(true));
at('close-side').addEventListener('click', () => openSide(false));
at('veil').addEventListener('click', () => openSide(false));
addEventListener('keydown', (event) => event.key === 'Escape' && at('hall').dataset.side === 'open' && openSide(false));
narrow.addEventListener('change', () => openSide(false));
document.addEventListener('visibilitychange', () => {
  if (document.hidden || !current) return;
  current.unread = 0;
  draw();
});
// Closing the page is leaving, not a lost connection. One that comes back out of the browser's cache begins anew.
addEventListener('pagehide', disconnect);
addEventListener('pageshow', (event) => event.persisted && location.reload());

// -- the beginning ---------------------------------------------------------------------------------

const parameters = new URLSearchParams(location.search);
const session = recall('sessionStorage', 'wirehall');
openSide(false);
if (session.rooms?.length > 0 && isProtocol(session.protocol) && [null, session.name].includes(parameters.get('name'))) {
  enter(session.name, session.rooms, session.protocol, session.shown);
} else if (parameters.get('name')) {
  const wanted = parameters.get('protocol');
  const names = parameters.getAll('room');
  enter(parameters.get('name'), names.length > 0 ? names : ['lobby'], isProtocol(wanted) ? wanted : 'socketio');
} else {
  showDoor();
}
