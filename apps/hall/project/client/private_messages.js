// Messages from one person to another. Who is away gets them later. They are shown as long as this page is
// open: the server keeps them for a while, but lists only those that nobody has taken yet.
import { element, field, form, makeId, nameOf, timeOf } from './dom.js';

const SHOWN_MAX = 100;

export function addPrivateMessages(page) {
  const { connection } = page;
  const rows = new Map(); // id → row
  const unread = new Set();
  const panel = page.panel('private', 'Private messages');
  const target = element('input', { name: 'target', required: true, maxlength: 64, autocomplete: 'off' });
  const text = element('input', { name: 'text', required: true, maxlength: 4000, autocomplete: 'off' });
  const list = element('ol', { class: 'log', role: 'log', 'aria-label': 'Private messages', tabindex: 0 });
  panel.append(list, form({ class: 'stack' }, () => page.attempt(send()), field('To', target), field('Text', text),
    element('button', { class: 'primary' }, 'Send')));

  async function send() {
    const fields = { targetUserId: target.value.trim(), content: text.value, clientMessageId: makeId() };
    text.value = '';
    try {
      const { messageId, timestamp, delivered } = await connection.emit('private-message', fields);
      show({ id: messageId, fromUserId: connection.userId, toUserId: fields.targetUserId, content: fields.content,
        timestamp }, delivered ? 'sent' : 'waits for them');
    } catch (error) {
      text.value ||= fields.content; // to try again
      throw error;
    }
  }

  /** The same one may come twice, with the same id. */
  function show({ id, fromUserId, fromUser, toUserId, content, timestamp, read }, note = read ? 'read' : '') {
    if (rows.has(id)) return;
    const isOwn = fromUserId === connection.userId;
    const who = isOwn ? `to ${toUserId}` : nameOf(fromUserId, fromUser);
    const row = element('li', { class: isOwn ? 'own' : '' },
      element('span', { class: 'meta' }, element('b', {}, who), ' ', timeOf(timestamp), ' ',
        element('span', { class: 'note' }, note)),
      element('p', {}, content));
    rows.set(id, row);
    list.append(row);
    list.scrollTop = list.scrollHeight;
    if (!isOwn) unread.add(id);
    if (!isOwn) target.value ||= fromUserId;
    if (rows.size > SHOWN_MAX) {
      const [[oldest]] = rows;
      rows.get(oldest).remove();
      rows.delete(oldest);
    }
  }

  // Read is what somebody can have seen.
  function markRead() {
    if (document.hidden || unread.size === 0) return;
    const messageIds = [...unread];
    unread.clear();
    connection.emit('mark-read', { messageIds }).catch(() => messageIds.forEach((id) => unread.add(id)));
  }

  connection.on('private-message', (message) => {
    show(message);
    markRead();
  });
  connection.on('pending-messages', ({ messages }) => {
    messages.forEach((message) => show(message));
    markRead();
  });
  connection.on('message-read', ({ messageIds }) => {
    for (const id of messageIds) rows.get(id)?.querySelector('.note').replaceChildren('read');
  });
  document.addEventListener('visibilitychange', markRead);
  connection.onState((state) => {
    if (state === 'connected') markRead();
  });
}
