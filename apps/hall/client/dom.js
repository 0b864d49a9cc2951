// Elements from values. Text goes in as text and never as markup: names and messages come from strangers.
import { icon } from './icons.js';
import { nameOf } from './text.js';

/** element('p', { class: 'quiet', hidden: true }, 'some text', anotherElement) */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

export function button(content, onClick, attributes = {}) {
  const made = element('button', { type: 'button', ...attributes }, content);
  made.addEventListener('click', onClick);
  return made;
}

/** A button that shows a picture; its label is read out, and shown by the pointer. */
export function iconButton(name, label, onClick, attributes = {}) {
  return button(icon(name), onClick, {
    ...attributes, class: `icon ${attributes.class ?? ''}`, 'aria-label': label, title: label,
  });
}

// -- people ----------------------------------------------------------------------------------------

/** A coloured letter; the same for the same user everywhere. */
export function avatar(person) {
  let hash = 0;
  for (const character of String(person.userId)) hash = (hash * 31 + character.codePointAt(0)) % 4096;
  const [letter] = nameOf(person).trim().toUpperCase();
  return element('span', { class: `avatar tone-${hash % 8}`, 'aria-hidden': 'true' }, letter ?? '?');
}

/** A name in a sentence: its writing direction must not turn the sentence around. */
export function nameElement(person) {
  const name = nameOf(person);
  return element('bdi', { class: 'name', title: name }, name);
}

// -- lists -----------------------------------------------------------------------------------------

/**
 * Makes the children of an element match a list, and touches only what differs: who has the focus keeps it.
 *
 * @param items  each with a `key`, unique in the list, and a `version`: with another one it is made anew
 * @param make   (item) => element
 * @param update (element, item): called for each, also the new ones
 */
export function match(parent, items, make, update = () => {}) {
  const wanted = new Set(items.map((item) => item.key));
  const known = new Map();
  for (const child of [...parent.children]) {
    if (wanted.has(child.dataset.key)) known.set(child.dataset.key, child);
    else child.remove();
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    let child = known.get(item.key);
    if (child && child.dataset.version !== String(item.version)) {
      if (child === next) next = child.nextElementSibling;
      const fresh = make(item);
      takeFocus(child, fresh);
      child = undefined;
      parent.insertBefore(fresh, next);
      known.get(item.key).remove();
      mark(fresh, item);
      update(fresh, item);
      continue;
    }
    if (!child) {
      child = make(item);
      mark(child, item);
    }
    if (child === next) next = child.nextElementSibling;
    else parent.insertBefore(child, next);
    update(child, item);
  }
}

function mark(made, item) {
  made.dataset.key = item.key;
  made.dataset.version = item.version;
}

// What had the focus in the old element has it in the new one: found by its place among what can have it.
function takeFocus(old, fresh) {
  if (!old.contains(document.activeElement)) return;
  const all = (within) => [within, ...within.querySelectorAll('button, a, input, textarea, [tabindex]')];
  const place = all(old).indexOf(document.activeElement);
  queueMicrotask(() => {
    if (document.activeElement !== document.body) return; // somebody has taken it meanwhile
    (all(fresh)[place] ?? fresh).focus({ preventScroll: true });
  });
}
