// Elements from values. Text goes in as text and never as markup: names and messages come from strangers.

/** element('p', { class: 'quiet', hidden: true }, 'some text', anotherElement) */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

export function button(text, onClick, attributes = {}) {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', onClick);
  return made;
}

export function nameOf({ userId, user }) {
  return typeof user?.name === 'string' && user.name.trim() !== '' ? user.name : String(userId);
}

/** A name in a sentence: its writing direction must not turn the sentence around. */
export function nameElement(person) {
  const name = nameOf(person);
  return element('bdi', { class: 'name', title: name }, name);
}

/** A coloured letter; the same for the same user everywhere. */
export function avatar(person) {
  let hash = 0;
  for (const character of String(person.userId)) hash = (hash * 31 + character.codePointAt(0)) % 4096;
  const [letter] = nameOf(person).trim().toUpperCase();
  return element('span', { class: `avatar tone-${hash % 8}`, 'aria-hidden': 'true' }, letter ?? '?');
}

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const date = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

export function timeElement(timestamp) {
  const when = new Date(timestamp);
  return element('time', { datetime: when.toISOString(), title: full.format(when) }, clock.format(when));
}

export function dayOf(timestamp) {
  const day = new Date(timestamp).toDateString();
  if (day === new Date().toDateString()) return 'Today';
  if (day === new Date(Date.now() - 24 * 3600 * 1000).toDateString()) return 'Yesterday';
  return date.format(timestamp);
}
