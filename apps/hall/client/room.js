// One room: who is in it, who types, and its messages on the page.
//
// Messages of the server stand in the order of `seq`, which has no holes; those that are still on their way
// come behind them. A message that was sent again is known by its place: what lies at or before the last
// place shown is on the page already.
import { avatar, button, dayOf, element, nameElement, nameOf, timeElement } from './dom.js';

const ROWS_MAX = 400;
const GROUP_MS = 5 * 60 * 1000;

export class Room {
  joined = false;
  asked = false; // to be in it, over the present link
  error = null; // why we are not in it
  unread = 0;
  draft = '';
  members = new Map();
  typists = new Map();

  #epoch;
  #lastSeq = 0;
  #lastDay;
  #hiddenMembers = 0; // the server lists no more than 1,000
  #pending = new Map(); // clientMessageId → row
  #expected = new Map(); // messageId → clientMessageId, once it was answered
  #stuck = true; // to the bottom
  #below = 0;

  /** @param hooks isMine(userId), send(content, clientMessageId) → promise of the answer, rejoin() */
  constructor(name, hooks) {
    this.name = name;
    this.hooks = hooks;
    this.rows = element('div', { class: 'rows' });
    this.log = element('div', { class: 'log', role: 'log', tabindex: '0', 'aria-label': `Messages in ${name}` }, this.rows);
    this.empty = element('div', { class: 'empty' });
    this.down = button('', () => this.scrollDown(), { class: 'down', hidden: true });
    this.panel = element('section', { class: 'panel', hidden: true }, this.log, this.empty, this.down);
    this.log.addEventListener('scroll', () => this.#scrolled());
    new ResizeObserver(() => this.#stuck && this.scrollDown()).observe(this.log);
    this.#showEmpty();
  }

  // -- being there ----------------------------------------------------------------------------------

  entered({ members, memberCount, recentMessages, seq, epoch }) {
    this.joined = true;
    this.error = null;
    this.members = new Map(members.map((member) => [member.userId, member]));
    this.#hiddenMembers = Math.max(0, memberCount - members.length);
    this.typists.clear();
    if (epoch !== this.#epoch) this.#forget(epoch);
    // The past is not news: it is not read out.
    this.log.setAttribute('aria-live', 'off');
    for (const message of recentMessages) this.#place(message);
    setTimeout(() => this.log.setAttribute('aria-live', 'polite'));
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    this.#showEmpty();
  }

  failed(error) {
    this.joined = false;
    this.error = error;
    this.members.clear();
    this.typists.clear();
    this.#showEmpty();
  }

  lost() {
    this.joined = false;
    this.typists.clear();
  }

  get memberCount() {
    return this.members.size + this.#hiddenMembers;
  }

  userJoined(person) {
    if (this.members.has(person.userId)) return;
    this.members.set(person.userId, person);
    this.#quiet(person, 'joined');
  }

  userLeft({ userId, timestamp }) {
    const person = this.members.get(userId) ?? { userId };
    this.members.delete(userId);
    this.typists.delete(userId);
    this.#quiet({ ...person, timestamp }, 'left');
  }

  #quiet(person, verb) {
    this.#insertDay(person.timestamp);
    this.#insert(element('p', { class: 'quiet' }, nameElement(person), ` ${verb} · `, timeElement(person.timestamp)));
    this.#showEmpty();
  }

  // -- messages ------------------------------------------------------------------------------------

  message(message) {
    this.typists.delete(message.userId);
    this.#place(message);
    this.#showEmpty();
  }

  #place(message) {
    if (message.seq <= this.#lastSeq) return;
    if (message.seq > this.#lastSeq + 1) {
      this.#insert(element('p', { class: 'quiet' }, 'Earlier messages are not shown here'));
    }
    this.#lastSeq = message.seq;
    this.#insertDay(message.timestamp);
    const id = this.#expected.get(message.id);
    const row = this.#pending.get(id) ?? this.#row(message);
    this.#pending.delete(id);
    this.#expected.delete(message.id);
    row.dataset.time = message.timestamp;
    row.querySelector('.when').replaceChildren(timeElement(message.timestamp));
    this.#insert(row);
  }

  /** Shows a message of ours at once, and sends it. */
  say(me, content) {
    const id = globalThis.crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    const row = this.#row({ ...me, content, timestamp: Date.now() });
    this.#pending.set(id, row);
    this.rows.append(row);
    this.#regroup(row);
    this.#showEmpty();
    this.scrollDown();
    this.#send(id, row, content);
  }

  async #send(id, row, content) {
    row.classList.add('pending');
    row.querySelector('.when').replaceChildren('sending…');
    row.querySelector('.problem')?.remove();
    try {
      const { messageId, seq, timestamp } = await this.hooks.send(content, id);
      row.classList.remove('pending');
      row.querySelector('.when').replaceChildren(timeElement(timestamp));
      if (seq <= this.#lastSeq) this.#drop(id, row);
      else this.#expected.set(messageId, id);
    } catch (error) {
      const wait = error.retryAfter > 0 ? ` Wait ${Math.ceil(error.retryAfter / 1000)} s.` : '';
      row.querySelector('.when').replaceChildren('not sent');
      row.querySelector('.body').append(element('p', { class: 'problem', role: 'alert' },
        element('span', {}, `${sentence(error.message)}${wait}`),
        button('Retry', () => this.#send(id, row, content)),
        button('Discard', () => this.#drop(id, row))));
      this.#keepDown();
    }
  }

  #drop(id, row) {
    const next = row.nextElementSibling;
    row.remove();
    this.#pending.delete(id);
    if (next) this.#regroup(next);
    this.#showEmpty();
  }

  #row(message) {
    const mine = this.hooks.isMine(message.userId);
    const text = element('span', { class: 'text' }, message.deleted ? 'This message was deleted' : message.content);
    const row = element('div', { class: `message${mine ? ' own' : ''}${message.deleted ? ' deleted' : ''}` },
      avatar(message),
      element('div', { class: 'body' },
        element('p', { class: 'who' }, nameElement(message)),
        element('p', { class: 'bubble', dir: 'auto' }, text, element('span', { class: 'when' }, timeElement(message.timestamp)))));
    row.dataset.user = message.userId;
    row.dataset.time = message.timestamp;
    return row;
  }

  /** Before what is on its way. */
  #insert(row) {
    const [first] = this.#pending.values();
    if (row.parentNode !== this.rows || row.nextElementSibling !== (first ?? null)) this.rows.insertBefore(row, first ?? null);
    this.#regroup(row);
    if (row.nextElementSibling) this.#regroup(row.nextElementSibling);
    while (this.rows.childElementCount > ROWS_MAX + this.#pending.size) this.rows.firstElementChild.remove();
    if (!this.#stuck && row.matches('.message:not(.own)')) this.#below += 1;
    this.#keepDown();
  }

  #insertDay(timestamp) {
    const day = dayOf(timestamp);
    if (day === this.#lastDay) return;
    this.#lastDay = day;
    this.#insert(element('p', { class: 'quiet day' }, day));
  }

  /** Messages of one person in a row show the name once. */
  #regroup(row) {
    const before = row.previousElementSibling;
    row.classList.toggle('follows', row.dataset.user !== undefined && before?.dataset.user === row.dataset.user &&
      row.dataset.time - before.dataset.time < GROUP_MS);
  }

  #forget(epoch) {
    this.#epoch = epoch;
    this.#lastSeq = 0;
    this.#lastDay = undefined;
    this.rows.replaceChildren(...this.#pending.values());
  }

  // -- what is seen --------------------------------------------------------------------------------

  show() {
    this.panel.hidden = false;
    this.unread = 0;
    this.scrollDown();
  }

  scrollDown() {
    this.#stuck = true;
    this.#below = 0;
    this.log.scrollTop = this.log.scrollHeight;
    this.#showDown();
  }

  #scrolled() {
    if (this.panel.hidden) return;
    this.#stuck = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 48;
    if (this.#stuck) this.#below = 0;
    this.#showDown();
  }

  #keepDown() {
    if (this.#stuck) this.log.scrollTop = this.log.scrollHeight;
    else this.#showDown();
  }

  #showDown() {
    this.down.hidden = this.#stuck;
    this.down.textContent = this.#below === 0 ? 'To the newest' : `${this.#below} new ${this.#below === 1 ? 'message' : 'messages'}`;
  }

  #showEmpty() {
    const has = this.rows.querySelector('.message') !== null;
    this.empty.hidden = has && !this.error;
    if (this.error) {
      this.empty.replaceChildren(
        element('h2', {}, 'You are not in this room'),
        element('p', {}, sentence(this.error.message)),
        button('Try again', () => this.hooks.rejoin(), { class: 'primary' }));
    } else if (!has) {
      const alone = element('a', { href: `/?room=${encodeURIComponent(this.name)}&name=`, target: '_blank', rel: 'noopener' },
        'Open another tab');
      this.empty.replaceChildren(
        element('h2', {}, this.joined ? 'Nothing was said here yet' : 'Entering the room…'),
        ...(this.joined ? [element('p', {}, 'Write the first message. ', alone, ' to answer under another name.')] : []));
    }
  }
}

/** Texts of errors come with and without a full stop. */
export function sentence(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** "bob is typing…" as nodes; nothing where nobody does. */
export function typingLine(typists) {
  const people = [...typists.values()];
  if (people.length === 0) return [];
  if (people.length > 2) return [`${people.length} people are typing…`];
  const names = people.flatMap((person, i) => (i === 0 ? [nameElement(person)] : [' and ', nameElement(person)]));
  return [...names, people.length === 1 ? ' is typing…' : ' are typing…'];
}

/** Ourselves first, then by name. */
export function sortedMembers(members, isMine) {
  return [...members.values()].sort((a, b) =>
    Number(isMine(b.userId)) - Number(isMine(a.userId)) || nameOf(a).localeCompare(nameOf(b)));
}
