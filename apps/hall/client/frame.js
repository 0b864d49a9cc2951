// What stands around the talk: its title and what can be done with it, the connection, and the two drawers.
import { element, iconButton, match } from './dom.js';
import { openMenu } from './menu.js';
import { icon } from './icons.js';
import { roomIcon } from './side.js';
import { count, dotOf, sentence, statusText } from './text.js';
import { recall, remember } from './storage.js';
import { PROTOCOLS } from './session.js';

const STATES = {
  connecting: 'Connecting', connected: 'Connected', lost: 'Connection lost', closed: 'Not connected',
};
const PICTURES = {
  'add-room': 'add', 'add-person': 'add', 'open-side': 'menu', 'close-side': 'close', 'close-panel': 'close',
};
const KINDS = { team: 'Team', announcements: 'Announcements' };

const at = (id) => document.getElementById(id);
// Where there is no room beside the talk, the side and the members are drawers.
const narrow = matchMedia('(max-width: 51.99rem)');
const tight = matchMedia('(max-width: 71.99rem)');

export class Frame {
  #context;
  #talk;

  /** @param context  session, rooms, direct; call; invite, leave (room); findRoom, findPerson, retry */
  constructor(context) {
    this.#context = context;
    for (const [id, name] of Object.entries(PICTURES)) at(id).append(icon(name));
    at('open-side').append(element('span', { class: 'mark', id: 'unread-elsewhere', hidden: true }));
    at('add-room').addEventListener('click', () => context.findRoom());
    at('add-person').addEventListener('click', () => context.findPerson());
    at('open-side').addEventListener('click', () => this.#openSide(true));
    at('close-side').addEventListener('click', () => this.#openSide(false));
    at('close-panel').addEventListener('click', () => this.#openPanel(false));
    at('veil').addEventListener('click', () => this.#closeDrawers());
    at('lost-action').addEventListener('click', () => context.retry());
    addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !document.querySelector('dialog[open]')) this.#closeDrawers();
    });
    for (const query of [narrow, tight]) query.addEventListener('change', () => this.#begin());
    this.#begin();
  }

  get isNarrow() {
    return narrow.matches;
  }

  show(talk) {
    this.#talk = talk;
    this.#closeDrawers();
  }

  draw(talk) {
    at('title').textContent = talk?.title ?? 'No room';
    at('note').replaceChildren(...(talk ? this.#note(talk) : ['Join one to talk']));
    at('hall').dataset.kind = talk?.kind ?? 'none';
    match(at('actions'), this.#actions(talk), (item) => item.make());
    this.#drawState();
    this.#drawUnread(talk);
  }

  #actions(talk) {
    if (!talk || talk.error) return [];
    return talk.kind === 'room' ? this.#roomActions(talk) : this.#personActions(talk);
  }

  // -- the title ----------------------------------------------------------------------------------

  #note(talk) {
    if (talk.error) return ['Not in this room'];
    if (talk.kind === 'person') {
      const { status, lastSeen } = talk.person;
      if (!status) return ['\u00a0']; // its place stays
      return [element('span', { class: `dot ${dotOf(status)}` }), statusText(status, lastSeen)];
    }
    const { isConnected } = this.#context.session;
    if (!talk.joined) return [isConnected ? 'Entering…' : 'Waiting for the connection'];
    const many = talk.memberCount;
    const here = many === 1 ? 'Only you are here' : `${count(many, 'person', 'people')} here`;
    const kind = KINDS[talk.info.type];
    return [icon(roomIcon(talk.info.type)), kind ? `${kind} · ${here}` : here];
  }

  #roomActions(room) {
    return [
      { key: 'members', version: '', make: () => {
        const made = iconButton('people', 'Members', () => this.#openPanel(!this.#isPanelOpen),
          { id: 'open-panel', 'aria-controls': 'panel' });
        made.setAttribute('aria-expanded', String(this.#isPanelOpen));
        return made;
      } },
      { key: 'room', version: room.key, make: () => {
        const made = iconButton('more', 'This room', () => this.#openRoomMenu(made, room),
          { 'aria-haspopup': 'menu', id: 'room-menu' });
        return made;
      } },
    ];
  }

  #openRoomMenu(anchor, room) {
    const { invite, leave } = this.#context;
    openMenu(anchor, `Room ${room.title}`, [
      room.canInvite && { text: 'Invite somebody…', icon: 'plusPerson', choose: () => invite(room) },
      { text: 'Leave the room', icon: 'leave', isDanger: true, choose: () => leave(room) },
    ]);
  }

  #personActions({ userId, key }) {
    const { call, session } = this.#context;
    if (session.isMine(userId)) return [];
    return [['audio', 'phone', 'Call'], ['video', 'camera', 'Video call']].map(([media, name, text]) => ({
      key: media, version: key,
      make: () => iconButton(name, text, () => call(userId, media), { id: `call-${media}` }),
    }));
  }

  #drawUnread(talk) {
    const { rooms, direct } = this.#context;
    const elsewhere = [...rooms.all, ...direct.all].filter((each) => each !== talk || document.hidden)
      .reduce((sum, each) => sum + each.unread, 0);
    at('unread-elsewhere').hidden = elsewhere === 0;
    document.title = `${elsewhere > 0 ? `(${elsewhere}) ` : ''}${talk?.title ?? 'Wirehall'} · Wirehall`;
  }

  // -- the connection -----------------------------------------------------------------------------

  #drawState() {
    const { state, protocol, error } = this.#context.session;
    at('state').dataset.state = state;
    at('state').title = PROTOCOLS[protocol] ?? '';
    at('state-text').textContent = STATES[state];
    at('lost').hidden = !error;
    if (!error) return;
    const isOver = state === 'closed';
    const kept = isOver ? '' : ' Trying again; what you write is kept.';
    const action = isOver ? 'Connect' : 'Try now';
    at('lost-text').textContent = `${sentence(error.message)}${kept}`;
    at('lost-action').textContent = error.code === 'no-client' ? 'Use WebSocket' : action;
  }

  // -- drawers ------------------------------------------------------------------------------------

  get #isPanelOpen() {
    return at('hall').dataset.panel === 'open';
  }

  // Beside the talk the members are there unless they were put away.
  #begin() {
    const isOpen = !tight.matches && recall('localStorage', 'wirehall.panel', true);
    at('hall').dataset.side = 'closed';
    at('hall').dataset.panel = isOpen ? 'open' : 'closed';
    this.#drawDrawers();
  }

  #openSide(open) {
    const wasOpen = at('hall').dataset.side === 'open';
    at('hall').dataset.side = open ? 'open' : 'closed';
    if (open && tight.matches) at('hall').dataset.panel = 'closed';
    this.#drawDrawers();
    if (open) at('close-side').focus();
    else if (wasOpen && narrow.matches) at('open-side').focus();
  }

  #openPanel(open) {
    const wasOpen = this.#isPanelOpen;
    at('hall').dataset.panel = open ? 'open' : 'closed';
    if (!tight.matches) remember('localStorage', 'wirehall.panel', open);
    this.#drawDrawers();
    if (open && tight.matches) at('close-panel').focus();
    else if (wasOpen && !open) at('open-panel')?.focus();
  }

  #closeDrawers() {
    if (narrow.matches && at('hall').dataset.side === 'open') this.#openSide(false);
    if (tight.matches && this.#isPanelOpen) this.#openPanel(false);
  }

  // A drawer that is closed is out of the way of the keyboard too, and so is what lies under an open one.
  #drawDrawers() {
    const side = at('hall').dataset.side === 'open';
    const panel = this.#isPanelOpen;
    at('side').inert = narrow.matches ? !side : tight.matches && panel;
    at('panel').inert = !panel;
    at('chat').inert = (narrow.matches && side) || (tight.matches && panel);
    at('open-side').setAttribute('aria-expanded', String(side));
    at('open-panel')?.setAttribute('aria-expanded', String(panel));
  }
}
