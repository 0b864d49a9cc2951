// The side: rooms, people, and ourselves.
import { avatar, button, element, match, nameElement } from './dom.js';
import { icon } from './icons.js';
import { openMenu } from './menu.js';
import { PROTOCOLS } from './session.js';
import { dotOf, nameOf, STATUSES, statusText } from './text.js';

const STRANGERS_MAX = 50; // people to whom one has not talked yet
const UNREAD_MAX = 99;

const at = (id) => document.getElementById(id);

/** An avatar with the presence of its person. */
export function presenceAvatar(person, status = person.status) {
  const made = avatar(person);
  const box = element('span', { class: 'with-dot' }, made);
  if (status) {
    box.append(element('span', { class: `dot ${dotOf(status)}` }),
      element('span', { class: 'unseen' }, `${statusText(status)}, `));
  }
  return box;
}

export class Side {
  #context;

  /** @param context  session, rooms, direct, people; open (talk); setStatus, askStatus, switchTo, signOut */
  constructor(context) {
    this.#context = context;
    at('me').addEventListener('click', () => this.#openMine());
  }

  draw(current) {
    const { rooms } = this.#context;
    const make = (item) => this.#placeElement(item);
    match(at('rooms'), rooms.all.map((room) => roomItem(room, room === current)), make);
    match(at('people'), this.#people(current), make);
    this.#drawMe();
  }

  // -- lists --------------------------------------------------------------------------------------

  #people(current) {
    const { rooms, direct, people, session } = this.#context;
    const talks = direct.all;
    const talkedTo = new Set(talks.map(({ userId }) => userId));
    const strangers = new Map();
    for (const { members } of rooms.all) {
      for (const { userId } of members.values()) {
        if (!talkedTo.has(userId) && !session.isMine(userId)) strangers.set(userId, people.get(userId));
      }
    }
    const others = [...strangers.values()].sort((a, b) =>
      Number(a.status === 'offline') - Number(b.status === 'offline') || nameOf(a).localeCompare(nameOf(b)));
    return [
      ...talks.map((talk) => personItem(talk.person, talk.unread, talk === current)),
      ...others.slice(0, STRANGERS_MAX).map((person) => personItem(person, 0, false)),
    ];
  }

  #placeElement({ key, talkOf, draw, isCurrent }) {
    return element('li', {}, button(draw(), () => this.#context.open(talkOf(this.#context)), {
      class: 'place', 'aria-current': isCurrent && 'true', 'data-place': key,
    }));
  }

  // -- ourselves ----------------------------------------------------------------------------------

  #drawMe() {
    const { session, people } = this.#context;
    const version = JSON.stringify([session.me, people.myStatus, session.protocol]);
    if (at('me').dataset.version === version) return;
    at('me').dataset.version = version;
    const how = `${statusText(people.myStatus)} · ${PROTOCOLS[session.protocol] ?? ''}`;
    at('me').replaceChildren(presenceAvatar(session.me, people.myStatus),
      element('span', { class: 'who-i-am' }, nameElement(session.me),
        element('span', { class: 'soft' }, how)),
      icon('more'));
  }

  #openMine() {
    const { session, people, setStatus, askStatus, switchTo, signOut } = this.#context;
    const mine = people.myStatus;
    const text = Object.hasOwn(STATUSES, mine) ? '' : mine;
    openMenu(at('me'), 'You', [
      ...['online', 'away', 'busy', 'invisible'].map((status) => (
        { text: STATUSES[status], dot: status, checked: mine === status, choose: () => setStatus(status) })),
      { text: text || 'A text of your own…', dot: 'online', checked: text !== '',
        choose: () => askStatus(text) },
      'line',
      ...Object.entries(PROTOCOLS).map(([protocol, text]) => (
        { text: `Over ${text}`, checked: session.protocol === protocol, choose: () => switchTo(protocol) })),
      'line',
      { text: 'Sign out', icon: 'leave', choose: signOut },
    ]);
  }
}

function roomItem(room, isCurrent) {
  const unread = isCurrent && !document.hidden ? 0 : room.unread;
  return {
    key: room.key, isCurrent,
    version: JSON.stringify([room.title, room.info.type, unread, isCurrent, room.error !== null]),
    talkOf: ({ rooms }) => rooms.get(room.name),
    draw: () => parts(icon(room.error ? 'lock' : roomIcon(room.info.type)),
      element('bdi', { class: 'name', title: room.title }, room.title), badge(unread)),
  };
}

function personItem(person, unread, isCurrent) {
  const note = person.status && !Object.hasOwn(STATUSES, person.status) ? person.status : '';
  return {
    key: `user:${person.userId}`, version: JSON.stringify([person, unread, isCurrent]), isCurrent,
    talkOf: ({ direct }) => direct.with(person.userId),
    draw: () => parts(presenceAvatar(person), element('span', { class: 'name-and-note' }, nameElement(person),
      note && element('span', { class: 'soft', title: note }, note)), badge(unread)),
  };
}

export function roomIcon(type) {
  return { team: 'lock', announcements: 'megaphone' }[type] ?? 'hash';
}

function badge(unread) {
  const shown = unread > UNREAD_MAX ? `${UNREAD_MAX}+` : String(unread);
  return unread > 0 && element('span', { class: 'badge' }, shown,
    element('span', { class: 'unseen' }, ' unread'));
}

function parts(...children) {
  const made = document.createDocumentFragment();
  made.append(...children.filter(Boolean));
  return made;
}
