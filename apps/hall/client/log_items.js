// What the log shows of a talk, in order: messages, with the days and what is new between them, then what is
// on its way. Each is an item as match() in dom.js takes them.
import { element } from './dom.js';
import { callRow, editorRow, messageRow, pendingRow, quietRow, updateUpload, uploadRow } from './row.js';
import { dayOf } from './text.js';

const GROUP_MS = 5 * 60 * 1000; // messages of one person within it show the name once

/** @param context  session; uploads: those of this talk; acts: what rows can have done */
export function itemsOf(talk, { session, uploads, acts }) {
  const list = new List();
  if (talk.hasOlder) list.add('older', () => element('p', { class: 'older' }, 'Earlier messages…'));
  const quiet = [...talk.quiet];
  const addQuiet = (seq) => {
    while (quiet[0]?.after < seq) {
      const line = quiet.shift();
      list.line(`quiet ${line.key}`, line.timestamp, () => quietRow(line));
    }
  };
  for (const message of talk.messages) {
    if (message.seq !== undefined) addQuiet(message.seq);
    if (message.id === talk.firstUnread) list.line('new', message.timestamp, () => separator('New', 'new'));
    if (message.type === 'call') list.line(message.id, message.timestamp, callOf(message, session));
    else list.row(messageItem(talk, message, session, acts), message);
  }
  addQuiet(Infinity);
  for (const message of talk.pending) {
    if (message.guess && talk.find(message.guess)) continue; // it is there already
    list.row(pendingItem(talk, message, session, acts), { ...session.me, timestamp: message.timestamp });
  }
  for (const upload of uploads) {
    list.row(uploadItem(upload, session, acts), { ...session.me, timestamp: upload.startedAt });
  }
  return list.items;
}

/** Puts days between its items, and tells rows whether they follow one of the same person. */
class List {
  items = [];
  #day;
  #before; // { userId, timestamp } of the row before

  add(key, make) {
    this.items.push({ key, version: '', make });
  }

  line(key, timestamp, make) {
    this.#enter(timestamp);
    this.#before = undefined;
    this.add(key, make);
  }

  row(item, { userId, timestamp }) {
    this.#enter(timestamp);
    const isClose = timestamp - this.#before?.timestamp < GROUP_MS;
    this.items.push({ ...item, follows: isClose && this.#before.userId === userId });
    this.#before = { userId, timestamp };
  }

  #enter(timestamp) {
    const day = dayOf(timestamp);
    if (day === this.#day) return;
    this.#day = day;
    this.#before = undefined;
    this.add(`day ${day}`, () => separator(day));
  }
}

function separator(text, kind = '') {
  return element('p', { class: `quiet day ${kind}` }, text);
}

function callOf(message, session) {
  return () => callRow({ ...message, isMine: session.isMine(message.userId) });
}

function messageItem(talk, message, session, acts) {
  const key = message.key ?? message.id;
  if (talk.editing?.id === message.id) {
    const save = (text) => acts.save(talk, message, text);
    const cancel = () => acts.cancelEditing(talk);
    return { key, version: 'editing', make: () => editorRow(message, talk.editing, { save, cancel }) };
  }
  const isMine = session.isMine(message.userId);
  const quoted = quotedBy(message, talk);
  const role = talk.kind === 'room' && !isMine ? shownRole(talk.roleOf(message.userId)) : undefined;
  const version = [stamp(message), quoted && stamp(quoted), quoted === null, role].join();
  return { key, version, make: () => messageRow(message, { isMine, role, quoted }, acts) };
}

function pendingItem(talk, message, session, acts) {
  const version = `pending ${message.problem?.message ?? ''}`;
  const make = () => pendingRow(message, session.me, quotedBy(message, talk), acts);
  return { key: message.id, version, make };
}

function uploadItem(upload, session, acts) {
  const update = (row) => updateUpload(row, upload, session.isConnected);
  return { key: upload.id, version: '', make: () => uploadRow(upload, session.me, acts), update };
}

/** The message that is answered; null: it is not here. */
function quotedBy(message, talk) {
  return message.replyTo ? talk.find(message.replyTo) ?? null : undefined;
}

function shownRole(role) {
  return role === 'owner' || role === 'moderator' ? role : undefined;
}

// Whether a message has changed since its row was made; objects are made anew with every change.
const stamps = new WeakMap();

function stamp(message) {
  if (!stamps.has(message)) {
    let hash = 0;
    for (const character of message.content ?? '') hash = (hash * 31 + character.codePointAt(0)) | 0;
    stamps.set(message, [message.id, message.edited, message.deleted, message.read, hash].join());
  }
  return stamps.get(message);
}
