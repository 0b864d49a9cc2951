// The page: what there is (session, rooms, conversations, files, calls), and what is shown of it.
import { Calls, noticeOf, outcomeOf } from './calls.js';
import { CallView } from './call_view.js';
import { Composer, newsText, typingLine } from './composer.js';
import { askForPerson, askForRoom, askForStatus, confirm } from './dialogs.js';
import { Direct } from './direct.js';
import { nameElement } from './dom.js';
import { closeDoor, openDoor, showDoor } from './door.js';
import { Files } from './files.js';
import { Frame } from './frame.js';
import { look } from './lightbox.js';
import { Log } from './log.js';
import { Members } from './members.js';
import { closeMenu, openMenu } from './menu.js';
import { announce, clearNotices, notify } from './notices.js';
import { People } from './people.js';
import { Rooms } from './rooms.js';
import { isProtocol, Session } from './session.js';
import { Side } from './side.js';
import { recall, remember } from './storage.js';
import { forgetOutbox } from './talk.js';
import { nameOf, reasonOf, sentence, withStop } from './text.js';
import { Uploads } from './uploads.js';

const TAB = 'wirehall'; // what this tab comes back to after a reload
const HIDDEN_MS = 200;

const session = new Session();
const people = new People(session);
const rooms = new Rooms(session, people);
const direct = new Direct(session, people);
const uploads = new Uploads(session);
const files = new Files(session);
const calls = new Calls(session, people);
let current; // the talk that is shown
let wanted; // what is to be shown once it is there: the key of a talk
let isDue = false;

// -- what is shown -----------------------------------------------------------------------------------

const context = { session, people, rooms, direct, uploads, files, calls, failed, open, write, call };
const log = new Log({ ...context, acts: messageActs(), rejoin: (room) => rooms.enter(room) });
const composer = new Composer({ ...context, send: (talk, text) => talk.say(text), attach, editLast });
const side = new Side({
  ...context, switchTo, signOut,
  setStatus,
  askStatus: (text) => askForStatus(text, (status) => setStatus(status)),
});
const members = new Members({ ...context, openMine: () => document.getElementById('me').click() });
const frame = new Frame({
  ...context, invite, leave, findRoom, findPerson,
  retry: () => (session.error?.code === 'no-client' ? switchTo('native') : session.tryAgain()),
});
new CallView(calls);

function show(talk) {
  closeMenu();
  current = talk;
  log.show(talk);
  composer.show(talk);
  frame.show(talk);
  draw();
  keepTab();
}

/** With the next frame: many changes are drawn once. A page that is not looked at has time. */
function changed() {
  if (isDue) return;
  isDue = true;
  const later = document.hidden ? (action) => setTimeout(action, HIDDEN_MS) : requestAnimationFrame;
  later(() => {
    isDue = false;
    draw();
  });
}

function draw() {
  if (document.getElementById('hall').hidden) return;
  log.draw();
  composer.draw();
  side.draw(current);
  members.draw(current?.kind === 'room' ? current : undefined);
  document.getElementById('typing').replaceChildren(...typingLine(current?.typists ?? new Map()));
  frame.draw(current);
}

for (const source of [people, rooms, direct, uploads, calls]) source.on('change', changed);
document.addEventListener('visibilitychange', changed);

/** Opens a talk, and writes in it where that does not bring up a keyboard. */
function open(talk) {
  wanted = undefined;
  show(talk);
  if (!frame.isNarrow) composer.focus();
  if (talk.kind === 'person') people.ask([talk.userId], othersAsked);
}

function write(userId) {
  open(direct.with(userId));
}

// -- coming and going --------------------------------------------------------------------------------

async function enter({ name, room, rooms: names = [room], protocol, token, shown }) {
  try {
    await session.begin(name, token);
  } catch (error) {
    return showDoor({ name, room: names[0], protocol, problem: sentence(error.message) });
  }
  closeDoor({ name, room: names[0], protocol });
  wanted = shown ?? `room:${names[0]}`;
  session.connect(protocol);
  for (const each of names) rooms.add(each);
  show(rooms.get(wanted.slice('room:'.length)) ?? rooms.all[0]);
  if (!frame.isNarrow) composer.focus();
}

function forget() {
  session.disconnect();
  rooms.clear();
  direct.clear();
  uploads.clear();
  people.forget();
  clearNotices();
  show(undefined);
  remember('sessionStorage', TAB, undefined);
  forgetOutbox();
}

function signOut() {
  const { name, protocol } = session;
  const room = current?.kind === 'room' ? current.name : undefined;
  forget();
  history.replaceState(null, '', '/'); // else a name in the address would enter again
  showDoor({ name, room, protocol });
}

function switchTo(protocol) {
  if (protocol !== session.protocol) session.connect(protocol);
}

function keepTab() {
  if (document.getElementById('hall').hidden) return;
  const { name, protocol } = session;
  const names = rooms.all.map((room) => room.name);
  remember('sessionStorage', TAB, { name, protocol, rooms: names, shown: wanted ?? current?.key });
}

session.on('state', changed);
session.on('refused', (error) => {
  const { name, protocol, token } = session;
  const asked = token ? '' : ' Give an access token, or start the server with --dev.';
  forget();
  showDoor({ name, protocol, problem: `${sentence(error.message)}${asked}`, wantsToken: true });
});
session.on('welcome', ({ rooms: names }) => {
  for (const name of new Set([...rooms.all.map((room) => room.name), ...names])) rooms.add(name);
  if (wanted?.startsWith('user:')) show(direct.with(wanted.slice('user:'.length)));
  wanted = undefined;
  if (!current) show(rooms.all[0]);
  people.ask(direct.all.map(({ userId }) => userId), othersAsked);
  const status = recall('localStorage', `wirehall.status:${session.me.userId}`, 'online');
  if (status !== 'online') setStatus(status);
  keepTab();
});

/** People of whom no room tells. */
function othersAsked() {
  return direct.all.map(({ userId }) => userId).filter((userId) => !rooms.has(userId));
}

async function setStatus(status) {
  try {
    await people.setMyStatus(status);
    remember('localStorage', `wirehall.status:${session.me.userId}`, status);
  } catch (error) {
    failed(error);
  }
}

function failed(error) {
  notify(reasonOf(error), { kind: 'problem' });
}

// -- rooms -------------------------------------------------------------------------------------------

function findRoom() {
  askForRoom({
    join: (name) => open(rooms.add(name)),
    create: async (about) => open(await rooms.create(about)),
  });
}

function invite(room) {
  const known = everybody().filter(({ userId }) => !room.members.has(userId));
  askForPerson({
    title: `Invite to ${room.title}`, label: 'Name', action: 'Invite', people: known,
    text: 'They are told at once if they are there, and may come in from now on.',
    async submit(userId) {
      await rooms.invite(room, userId);
      notify([nameElement(people.get(userId)), ` was invited to ${room.title}.`]);
    },
  });
}

function everybody() {
  const all = new Map(direct.all.map(({ person }) => [person.userId, person]));
  for (const room of rooms.all) for (const [userId, member] of room.members) all.set(userId, member);
  all.delete(session.me.userId);
  return [...all.values()];
}

function leave(room) {
  rooms.leave(room);
  if (current === room) show(rooms.all[0] ?? direct.all[0]);
  keepTab();
}

rooms.on('problem', failed);
rooms.on('news', (room, message) => tell(room, message));
rooms.on('invited', ({ roomId, byUserId, byUser }) => {
  notify([nameElement({ userId: byUserId, user: byUser }), ` invites you to ${roomId}.`], {
    key: `invited ${roomId}`,
    actions: [{ text: 'Join', isPrimary: true, choose: () => open(rooms.add(roomId)) }],
  });
});
rooms.on('kicked', (room, { byUserId, byUser, reason }) => {
  const why = reason ? `: ${reason}` : '.';
  const by = nameElement({ userId: byUserId, user: byUser });
  notify([by, ` removed you from ${room.title}${why}`], { kind: 'problem' });
  if (current === room) show(rooms.all[0] ?? direct.all[0]);
  keepTab();
});

// -- people ------------------------------------------------------------------------------------------

function findPerson() {
  askForPerson({
    title: 'Write to somebody', label: 'Name', action: 'Open', people: everybody(),
    text: 'What you write waits for them if they are not there.',
    submit: (userId) => write(userId),
  });
}

direct.on('news', (conversation, message) => tell(conversation, message));

// What is not before one's eyes anyway is only counted.
function tell(talk, message) {
  if (talk === current || talk.kind === 'person') announce(newsText(talk, message));
}

// -- messages ----------------------------------------------------------------------------------------

function messageActs() {
  return {
    reply: (message) => composer.answer(message),
    menu: openMessageMenu,
    look: (file) => look(file, files, failed),
    download,
    choose: () => composer.choose(),
    failed,
    async save(talk, message, text) {
      const content = text.trimEnd();
      if (content.trim() === '') return removeMessage(talk, message);
      talk.editing = undefined;
      talk.changed();
      if (!frame.isNarrow) composer.focus();
      if (content !== message.content) await talk.edit(message, content).catch(failed);
    },
    cancelEditing(talk) {
      talk.editing = undefined;
      talk.changed();
      composer.focus();
    },
  };
}

function openMessageMenu(message, anchor) {
  const talk = current;
  const isMine = session.isMine(message.userId);
  openMenu(anchor, 'Message', [
    talk.canReply(message) && { text: 'Reply', icon: 'reply', choose: () => composer.answer(message) },
    message.file ? { text: 'Download', icon: 'download', choose: () => download(message.file) }
      : { text: 'Copy text', icon: 'file', choose: () => copyText(message.content) },
    !isMine && talk.kind === 'room' &&
      { text: `Write to ${nameOf(message)}`, icon: 'message', choose: () => write(message.userId) },
    talk.canEdit(message) && { text: 'Edit', icon: 'edit', choose: () => edit(talk, message) },
    talk.canDelete(message) &&
      { text: 'Delete', icon: 'trash', isDanger: true, choose: () => removeMessage(talk, message) },
  ]);
}

function edit(talk, message) {
  talk.editing = { id: message.id, text: message.content };
  talk.changed();
}

/** The last message that we wrote ourselves. */
function editLast(talk) {
  const message = talk.messages.findLast((each) => talk.canEdit(each));
  if (message) edit(talk, message);
}

function removeMessage(talk, message) {
  const whose = session.isMine(message.userId) ? 'your message' : `the message of ${nameOf(message)}`;
  confirm('Delete the message?', `Nobody will see ${whose} any more.`, 'Delete', () => talk.remove(message));
}

function copyText(text) {
  navigator.clipboard?.writeText(text).then(() => notify('Copied.'), failed);
}

// -- files -------------------------------------------------------------------------------------------

function attach(talk, chosen) {
  for (const file of chosen) uploads.add(talk, file);
}

function download(file) {
  files.download(file).catch(failed);
}

uploads.on('sent', ({ key }, answer) => {
  if (key.startsWith('user:')) direct.with(key.slice('user:'.length)).sent(answer);
});

// -- calls -------------------------------------------------------------------------------------------

function call(userId, media) {
  if (calls.now) return notify('You are in a call.', { kind: 'problem' });
  if (!session.isConnected) return notify('There is no connection.', { kind: 'problem' });
  calls.call(userId, media);
}

calls.on('over', (over, reason) => {
  const text = noticeOf(over, reason);
  if (text) notify(withStop(text), { kind: ['taken', 'missed'].includes(reason) ? 'info' : 'problem' });
  if (!over.id || reason === 'taken' || reason === 'crossed') return;
  const isMine = over.direction === 'out';
  direct.note(over.userId, {
    id: `call ${over.id}`, type: 'call', media: over.media, content: 'A call', timestamp: over.beganAt,
    userId: isMine ? session.me.userId : over.userId, read: reason !== 'missed', outcome: outcomeOf(reason),
    duration: over.startedAt ? Date.now() - over.startedAt : undefined,
  });
});

// -- the beginning -----------------------------------------------------------------------------------

// Closing the page is leaving, not a lost connection. One that comes out of the browser's cache begins anew.
addEventListener('pagehide', () => session.disconnect());
addEventListener('pageshow', (event) => event.persisted && location.reload());

const parameters = new URLSearchParams(location.search);
const tab = recall('sessionStorage', TAB);
openDoor(enter);
if (tab.rooms && isProtocol(tab.protocol) && [null, tab.name].includes(parameters.get('name'))) {
  enter({ ...tab, rooms: tab.rooms.length > 0 ? tab.rooms : [] });
} else if (parameters.get('name')) {
  const protocol = parameters.get('protocol');
  const names = parameters.getAll('room');
  enter({ name: parameters.get('name'), rooms: names.length > 0 ? names : ['lobby'],
    protocol: isProtocol(protocol) ? protocol : 'socketio' });
} else {
  showDoor();
}
