// What happened and needs a word: refusals, invitations, calls that were missed. They stand on top, go away
// by themselves unless they want an answer, and are read out.
import { button, element, iconButton } from './dom.js';
import { icon } from './icons.js';

const SHOWN_MS = 7000;
const SHOWN_MAX = 5;

/**
 * @param content  a text, or a list of texts and elements
 * @param options  kind: info or problem; actions: [{ text, choose }]: then it stays; key: a later one
 *                 with the same key takes its place
 */
export function notify(content, { kind = 'info', actions = [], key } = {}) {
  const parts = [content].flat();
  const text = element('p', {}, ...parts);
  const known = key ?? text.textContent;
  const box = document.getElementById('notices');
  for (const other of box.children) if (other.dataset.key === known) other.remove();
  const made = element('div', { class: `notice ${kind}`, role: kind === 'problem' ? 'alert' : 'status' },
    icon(kind === 'problem' ? 'alert' : 'bell'), text);
  made.dataset.key = known;
  const close = () => {
    clearTimeout(made.timer);
    made.remove();
  };
  for (const { text: label, choose, isPrimary } of actions) {
    made.append(button(label, () => {
      close();
      choose();
    }, { class: isPrimary && 'primary' }));
  }
  made.append(iconButton('close', 'Dismiss', close, { class: 'small' }));
  const wait = () => { if (actions.length === 0) made.timer = setTimeout(close, SHOWN_MS); };
  made.addEventListener('pointerenter', () => clearTimeout(made.timer));
  made.addEventListener('pointerleave', wait);
  made.addEventListener('focusin', () => clearTimeout(made.timer));
  made.addEventListener('focusout', wait);
  wait();
  box.append(made);
  while (box.childElementCount > SHOWN_MAX) box.firstElementChild.remove();
}

export function clearNotices() {
  document.getElementById('notices').replaceChildren();
}

/** For who does not see the page. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}
