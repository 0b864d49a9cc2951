// The messages of the room: reading, writing, changing and deleting.
import { button, element, field, form, makeId, nameOf, timeOf } from './dom.js';

const SHOWN_MAX = 500; // the oldest go when there are more

export function addMessages(page) {
  const { connection, room } = page;
  const rows = new Map(); // id of a message → its row
  const log = element('ol', { class: 'log', role: 'log', 'aria-label': 'Messages', tabindex: 0 });
  const text = element('input', { name: 'text', required: true, maxlength: 4000, autocomplete: 'off' });
  const send = element('button', { class: 'primary' }, 'Send');
  const cancel = button('Cancel', () => edit(undefined), { hidden: true });
  let editing; // the message that is being changed

  const composer = form({ class: 'row', id: 'composer' }, submit, field('Message', text), send, cancel);
  const parts = element('div', { hidden: true, class: 'talk' }, log, composer);
  room.panel.append(parts);
  Object.assign(room, { log, composer, text, show });

  function submit() {
    const content = text.value;
    const change = editing;
    text.value = '';
    edit(undefined);
    const { id: roomId } = room;
    page.attempt(change ? connection.emit('edit-message', { roomId, messageId: change.id, content })
      : post(roomId, content));
  }

  // It appears when it comes back as `new-message`; until then a line says that it is on its way.
  async function post(roomId, content) {
    const pending = element('li', { class: 'pending' }, element('p', {}, content), element('span', { class: 'meta' }, 'Sending…'));
    log.append(pending);
    toEnd();
    try {
      await connection.emit('message', { roomId, content, clientMessageId: makeId() });
    } catch (error) {
      text.value ||= content; // to try again
      throw error;
    } finally {
      pending.remove();
    }
  }

  function edit(message) {
    editing = message;
    send.textContent = message ? 'Save' : 'Send';
    cancel.hidden = !message;
    text.value = message?.content ?? text.value;
    text.focus();
  }

  /** Puts a message where its `seq` says; one that is there already is shown anew. */
  function show(message) {
    const row = draw(message);
    rows.get(message.id)?.remove();
    rows.set(message.id, row);
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    const next = [...log.children].find((each) => Number(each.dataset.seq ?? Infinity) > message.seq);
    log.insertBefore(row, next ?? null);
    while (isAtEnd && !next && rows.size > SHOWN_MAX) { // nobody reads the oldest now
      const oldest = log.querySelector('[data-id]');
      rows.delete(oldest.dataset.id);
      oldest.remove();
    }
    page.tell('message', message, row);
    if (isAtEnd) toEnd();
  }

  function draw(message) {
    const { id, seq, userId, user, content, deleted, edited, timestamp } = message;
    const isOwn = userId === connection.userId;
    const row = element('li', { 'data-id': id, 'data-seq': seq, class: isOwn ? 'own' : '' },
      element('span', { class: 'meta' }, element('b', {}, nameOf(userId, user)), ' ', timeOf(timestamp),
        edited && !deleted ? ' edited' : ''),
      element('p', { class: deleted ? 'soft' : '' }, deleted ? 'deleted' : content));
    row.message = message;
    if (isOwn && !deleted) row.append(actionsOf(row));
    return row;
  }

  function actionsOf({ message }) {
    const { id: messageId, roomId, type } = message;
    const erase = () => {
      text.focus(); // the button goes with the message
      page.attempt(connection.emit('delete-message', { roomId, messageId }));
    };
    return element('span', { class: 'actions' },
      ...(type === 'text' ? [button('Edit', () => edit(message))] : []), button('Delete', erase));
  }

  function change({ id, ...changed }) {
    const row = rows.get(id);
    if (row) show({ ...row.message, ...changed });
  }

  function toEnd() {
    log.scrollTop = log.scrollHeight;
  }

  page.on('entered', ({ roomId, recovered, recentMessages }) => {
    parts.hidden = false;
    if (!recovered) { // a new room, or more was missed than is told
      log.replaceChildren();
      rows.clear();
      for (const message of recentMessages) show(message);
      toEnd();
    }
    log.setAttribute('aria-label', `Messages in ${roomId}`);
  });
  page.on('left', () => { parts.hidden = true; });
  connection.on('new-message', (message) => {
    if (message.roomId === room.id) show(message);
  });
  connection.on('message-edited', ({ id, content }) => change({ id, content, edited: true }));
  connection.on('message-deleted', ({ id }) => change({ id, content: null, deleted: true, file: undefined }));
}
