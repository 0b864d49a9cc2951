// The page: it signs in, shows how the connection is, and has a place for the panel of each feature.
//
// A feature is one file with one function, addX(page). It makes its panel and says which events it wants; to
// be rid of it, delete its two lines here and its file. What a feature finds in `page` stands below.
import { Connection } from './connection.js';
import { button, element } from './dom.js';
import { signIn, note } from './sign_in.js';
import { addRooms } from './rooms.js'; // feature: rooms
import { addMessages } from './messages.js'; // feature: rooms
import { addRoles } from './roles.js'; // feature: rooms
import { addHistory } from './history.js'; // feature: history
import { addTyping } from './typing.js'; // feature: typing
import { addUploads } from './uploads.js'; // feature: uploads
import { addPresence } from './presence.js'; // feature: presence
import { addPrivateMessages } from './private_messages.js'; // feature: private-messages
import { addCalls } from './calls.js'; // feature: calls
import { addPush } from './push.js'; // feature: push
import { addEvents } from './events.js';

const find = (id) => document.getElementById(id);
const NOTICES_MAX = 3; // the oldest goes when there are more
const handlers = [];
let isStarting = false;
const STATES = {
  connecting: 'Connecting…',
  connected: 'Connected',
  waiting: 'Connection lost, trying again…',
  closed: 'Not connected',
};

const page = {
  /** connection.on(event, handler), await connection.emit(event, fields), connection.userId */
  connection: new Connection(),
  /** What signIn() gave. */
  identity: undefined,

  /** A panel at the side, which can be folded; with an id, which style.css may name. */
  panel(id, title, isOpen = true) {
    const panel = element('details', { id, class: 'panel', open: isOpen }, element('summary', {}, element('h2', {}, title)));
    find('side').append(panel);
    return panel;
  },

  /** Tells the user something until a button is pressed: one of these, or else Close. Either removes it. */
  notice(text, ...buttons) {
    const plain = find('notices').querySelectorAll('.plain');
    if (plain.length >= NOTICES_MAX) plain[0].remove();
    const made = element('div', { class: buttons.length > 0 ? 'notice' : 'notice plain' }, element('p', {}, text),
      ...(buttons.length > 0 ? buttons : [button('Close', () => {})]));
    made.addEventListener('click', (event) => event.target.matches('button') && made.remove());
    find('notices').append(made);
    return made;
  },

  /** Waits for what may fail, and shows the failure. Resolves to undefined then. */
  async attempt(doing) {
    try {
      return await doing;
    } catch (error) {
      const wait = error.retryAfter ? ` (again in ${Math.ceil(error.retryAfter / 1000)} s)` : '';
      page.notice(`${error.message}${wait}`).classList.add('problem');
      return undefined;
    }
  },

  /** What features tell each other: `entered`, `left`, `message`. */
  on(event, handler) {
    handlers.push([event, handler]);
  },
  tell(event, ...values) {
    for (const [wanted, handler] of handlers) if (wanted === event) handler(...values);
  },
};

page.connection.onState((state, error) => {
  find('state').dataset.state = state;
  find('state').textContent = STATES[state];
  if (state === 'connected') find('who').textContent = page.connection.userId;
  if (state !== 'closed') return;
  // What tries again by itself is said above; here somebody has to sign in again.
  find('sign-in').hidden = false;
  if (error && !isStarting) page.attempt(Promise.reject(error));
});

addRooms(page); // feature: rooms
addMessages(page); // feature: rooms
addPresence(page); // feature: presence
addTyping(page); // feature: typing
addUploads(page); // feature: uploads
addHistory(page); // feature: history
addPrivateMessages(page); // feature: private-messages
addCalls(page); // feature: calls
addPush(page); // feature: push
addRoles(page); // feature: rooms
addEvents(page);

async function start(name) {
  const submit = find('sign-in').querySelector('button');
  submit.disabled = isStarting = true;
  await page.attempt((async () => {
    page.identity = await signIn(name);
    await page.connection.connect(page.identity);
    find('sign-in').hidden = true;
    find('hall').hidden = false;
    find('hall').querySelector('input:not([hidden]), button')?.focus();
    history.replaceState(null, '', addressOf(name)); // a reload signs in again
  })());
  submit.disabled = isStarting = false;
}

const addressOf = (name) => `?user=${encodeURIComponent(name)}`;

find('sign-in-note').textContent = note;
find('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = event.target.elements.name.value.trim();
  if (find('hall').hidden) start(name);
  else location.assign(addressOf(name)); // it may be somebody else: nothing of the last one is left
});

const known = new URLSearchParams(location.search).get('user');
if (known) {
  find('sign-in').elements.name.value = known;
  start(known);
}
