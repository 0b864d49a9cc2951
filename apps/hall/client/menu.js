// Menus behind buttons: by the pointer and by the keyboard, in the way of other menus.
import { element } from './dom.js';
import { icon } from './icons.js';

let opened; // { menu, anchor }

/**
 * Opens a menu at an element, which gets the focus back.
 *
 * @param entries  'line', or { text, icon?, dot?, note?, checked?, isDanger?, choose }
 */
export function openMenu(anchor, label, entries) {
  const wasAt = opened?.anchor;
  closeMenu();
  if (wasAt === anchor) return;
  const menu = element('div', { class: 'menu', role: 'menu', 'aria-label': label, popover: 'manual' },
    ...entries.filter(Boolean).map((entry) => (entry === 'line' ? element('hr') : entryElement(entry))));
  menu.addEventListener('keydown', onKey);
  document.body.append(menu);
  opened = { menu, anchor };
  anchor.setAttribute('aria-expanded', 'true');
  menu.showPopover?.();
  place(menu, anchor);
  menu.querySelector('[role^=menuitem]').focus({ preventScroll: true });
}

export function closeMenu({ giveFocusBack = false } = {}) {
  if (!opened) return;
  const { menu, anchor } = opened;
  opened = undefined;
  menu.remove();
  anchor.setAttribute('aria-expanded', 'false');
  if (giveFocusBack) anchor.focus({ preventScroll: true });
}

export function isMenuOpen(anchor) {
  return opened?.anchor === anchor;
}

function entryElement({ text, icon: picture, dot, note, checked, isDanger, choose }) {
  const role = checked === undefined ? { role: 'menuitem' }
    : { role: 'menuitemradio', 'aria-checked': String(checked) };
  const made = element('button', { type: 'button', tabindex: '-1', class: isDanger && 'danger', ...role });
  if (picture) made.append(icon(picture));
  if (dot) made.append(element('span', { class: `dot ${dot}`, 'aria-hidden': 'true' }));
  made.append(element('span', { class: 'label' }, text));
  if (note) made.append(element('span', { class: 'soft' }, note));
  if (checked) made.append(icon('check'));
  made.addEventListener('click', () => {
    closeMenu({ giveFocusBack: true });
    choose();
  });
  return made;
}

// Below the anchor, or above it where there is more room; always within the window.
function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = innerHeight - at.bottom > height + 12 || at.top < innerHeight - at.bottom;
  const left = at.left + width + 8 > innerWidth ? at.right - width : at.left;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  const top = below ? at.bottom + 4 : at.top - height - 4;
  menu.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
}

function onKey(event) {
  const items = [...event.currentTarget.querySelectorAll('[role^=menuitem]')];
  const place = items.indexOf(document.activeElement);
  const goTo = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: items.length - 1 }[event.key];
  if (goTo !== undefined) {
    event.preventDefault();
    items.at(goTo % items.length).focus();
  } else if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault();
    event.stopPropagation();
    closeMenu({ giveFocusBack: true });
  }
}

addEventListener('pointerdown', ({ target }) => {
  if (opened && !opened.menu.contains(target) && !opened.anchor.contains(target)) closeMenu();
}, true);
addEventListener('resize', () => closeMenu());
addEventListener('blur', () => closeMenu());
