// The log of the talk that is open. It stays at the newest while one reads there; further up it keeps the
// place, whatever comes or goes above and below.
import { button, element, match } from './dom.js';
import { itemsOf } from './log_items.js';
import { count, sentence } from './text.js';

const NEAR_END_PX = 48;
const NEAR_BEGINNING_PX = 400;
const JUMP_PAGES_MAX = 20;

export class Log {
  #talk;
  #stuck = true; // to the newest
  #context;
  #log = document.getElementById('log');
  #rows = document.getElementById('rows');
  #empty = document.getElementById('empty');
  #down = document.getElementById('down');

  /**
   * @param context  session, uploads, files; rejoin (room); acts: what rows can have done: menu, reply,
   *                 download, look, choose, save, cancelEditing, failed
   */
  constructor(context) {
    this.#context = context;
    this.#log.addEventListener('scroll', () => this.#scrolled());
    this.#log.addEventListener('keydown', (event) => this.#onKey(event));
    this.#down.addEventListener('click', () => this.toNewest());
    new ResizeObserver(() => this.#stuck && this.toNewest()).observe(this.#log);
    document.addEventListener('visibilitychange', () => this.#look());
    this.#acts = {
      ...context.acts,
      copy: (file) => context.files.copy(file),
      canReply: (message) => this.#talk.canReply(message),
      jumpTo: (id) => this.jumpTo(id),
      retry: (message) => this.#talk.send(message),
      discard: (message) => this.#talk.discard(message),
      resume: (upload) => context.uploads.resume(upload),
      cancel: (upload) => context.uploads.cancel(upload),
    };
  }

  #acts;

  show(talk) {
    this.#talk = talk;
    this.#stuck = true;
    this.#rows.replaceChildren();
    talk?.opened();
    this.#log.setAttribute('aria-label', talk ? `Messages in ${talk.title}` : 'Messages');
    this.draw();
  }

  draw() {
    const talk = this.#talk;
    this.#drawEmpty();
    if (!talk) return this.#rows.replaceChildren();
    if (this.#stuck) talk.trim();
    const anchor = this.#stuck ? undefined : this.#anchor();
    const { session, uploads } = this.#context;
    const items = itemsOf(talk, { session, uploads: uploads.of(talk.key), acts: this.#acts });
    match(this.#rows, items, (item) => item.make(), (row, item) => {
      row.classList.toggle('follows', Boolean(item.follows));
      item.update?.(row);
    });
    if (this.#stuck) this.#log.scrollTop = this.#log.scrollHeight;
    else if (anchor?.row.isConnected) this.#log.scrollTop += topOf(anchor.row) - anchor.top;
    this.#drawDown();
    this.#look();
    this.#fetchOlder();
  }

  #drawEmpty() {
    const talk = this.#talk;
    const has = talk && (talk.messages.length > 0 || talk.pending.length > 0 ||
      this.#context.uploads.of(talk.key).length > 0);
    this.#empty.hidden = Boolean(has && !talk.error);
    const parts = talk ? emptyTexts(talk, this.#context) : [element('h2', {}, 'You are in no room'),
      element('p', {}, 'Join one, or create one, in the list of rooms.')];
    const text = parts.map((part) => part.textContent).join('\n');
    if (this.#empty.dataset.text === text) return; // a button that has the focus must not vanish
    this.#empty.dataset.text = text;
    this.#empty.replaceChildren(...parts);
  }

  // -- where one reads ----------------------------------------------------------------------------

  toNewest() {
    this.#stuck = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#drawDown();
    this.#look();
  }

  /** Goes to a message, which may have to be fetched first. */
  async jumpTo(id) {
    const talk = this.#talk;
    for (let page = 0; page < JUMP_PAGES_MAX && !talk.find(id) && talk.hasOlder; ++page) {
      this.#stuck = false;
      const before = talk.messages[0];
      await talk.loadOlder();
      if (this.#talk !== talk || talk.messages[0] === before) break;
    }
    if (this.#talk !== talk) return;
    this.draw();
    const message = talk.find(id);
    const row = message && this.#rows.querySelector(`[data-key="${CSS.escape(message.key ?? id)}"]`);
    if (!row) return this.#acts.failed(new Error('The message is not there any more'));
    this.#stuck = false;
    row.scrollIntoView({ block: 'center' });
    row.focus({ preventScroll: true });
    row.classList.remove('flash');
    void row.offsetWidth; // begins the animation anew
    row.classList.add('flash');
    this.#scrolled();
  }

  #anchor() {
    const top = topOf(this.#log);
    const isSeen = (row) => row.getBoundingClientRect().bottom > top && !row.matches('.older');
    const row = [...this.#rows.children].find(isSeen);
    return row && { row, top: topOf(row) };
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.#stuck = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.#drawDown();
    this.#look();
    this.#fetchOlder();
  }

  // What is on the screen has been seen.
  #look() {
    if (this.#talk && this.#stuck && !document.hidden) this.#talk.seen();
  }

  #fetchOlder() {
    if (this.#talk?.hasOlder && this.#log.scrollTop < NEAR_BEGINNING_PX) this.#talk.loadOlder();
  }

  #drawDown() {
    this.#down.hidden = this.#stuck;
    const unread = this.#talk?.unread ?? 0;
    this.#down.textContent = unread === 0 ? 'To the newest' : count(unread, 'new message');
  }

  // -- by the keyboard ----------------------------------------------------------------------------

  #onKey(event) {
    const onRow = event.target.matches('.message');
    if (event.target !== this.#log && !onRow) return;
    const rows = [...this.#rows.querySelectorAll('.message')];
    const place = rows.indexOf(event.target);
    const next = {
      ArrowUp: place === -1 ? rows.length - 1 : place - 1, ArrowDown: place === -1 ? rows.length : place + 1,
      Home: 0, End: rows.length - 1,
    }[event.key];
    if (next !== undefined && rows[next]) {
      event.preventDefault();
      rows[next].focus({ preventScroll: true });
      rows[next].scrollIntoView({ block: 'nearest' });
    } else if (onRow && ['Enter', 'ContextMenu'].includes(event.key)) {
      event.preventDefault();
      event.target.querySelector('.more')?.click();
    }
  }
}

function topOf(box) {
  return box.getBoundingClientRect().top;
}

function emptyTexts(talk, { session, rejoin }) {
  if (talk.error) {
    return [element('h2', {}, 'You are not in this room'), element('p', {}, sentence(talk.error.message)),
      button('Try again', () => rejoin(talk), { class: 'primary' })];
  }
  if (talk.kind === 'person') {
    return [element('h2', {}, `You and ${talk.title}`),
      element('p', {}, 'Only the two of you see what is written here. It is kept in this browser.')];
  }
  const waiting = session.isConnected ? 'Entering the room…' : 'Waiting for the connection…';
  if (!talk.joined) return [element('h2', {}, waiting)];
  const href = `/?room=${encodeURIComponent(talk.name)}&name=`;
  const another = element('a', { href, target: '_blank', rel: 'noopener' }, 'Open another tab');
  return [element('h2', {}, 'Nothing was said here yet'), talk.canWrite
    ? element('p', {}, 'Write the first message. ', another, ' to answer under another name.')
    : element('p', {}, 'What its owner and moderators write will stand here.')];
}
