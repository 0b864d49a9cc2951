// Rows of the log: a message, one on its way, a file on its way, and the lines between them.
import { avatar, button, element, iconButton, nameElement } from './dom.js';
import { isPicture } from './files.js';
import { icon } from './icons.js';
import { durationOf, linked, nameOf, reasonOf, sizeOf, timeElement, timeOf } from './text.js';

const QUOTED_MAX = 160;

export const DELETED = 'This message was deleted';

/** What stands in a message, in one line. */
export function gist(message) {
  if (message.deleted) return DELETED;
  return message.content.length > QUOTED_MAX ? `${message.content.slice(0, QUOTED_MAX)}…` : message.content;
}

// -- messages --------------------------------------------------------------------------------------

/**
 * @param about  isMine, person, role, quoted: the message that is answered (null: it is not here)
 * @param acts   what a row can have done, see log.js
 */
export function messageRow(message, { isMine, role, quoted }, acts) {
  const bubble = element('div', { class: 'bubble' });
  if (message.replyTo && !message.deleted) bubble.append(quote(message.replyTo, quoted, acts));
  const when = whenOf(message, isMine);
  if (message.file && !message.deleted) bubble.append(fileCard(message.file, when, acts));
  else bubble.append(textOf(message), when);
  const row = frame(message, isMine, role, bubble);
  if (message.deleted) row.classList.add('deleted');
  if (!message.deleted) row.append(tools(message, acts));
  const name = isMine ? 'You' : nameOf(message);
  row.setAttribute('aria-label', `${name}, ${timeOf(message.timestamp)}: ${gist(message)}`);
  return row;
}

function frame(message, isMine, role, ...content) {
  return element('div', { class: `message ${isMine ? 'own' : 'other'}`, role: 'article', tabindex: '-1' },
    avatar(message),
    element('div', { class: 'body' },
      element('p', { class: 'who' }, nameElement(message), role && element('span', { class: 'role' }, role)),
      ...content));
}

function textOf(message) {
  if (message.deleted) return element('span', { class: 'text' }, DELETED);
  const text = element('span', { class: 'text', dir: 'auto' });
  const rel = 'noopener noreferrer nofollow ugc';
  for (const { text: part, href } of linked(message.content)) {
    text.append(href === undefined ? part : element('a', { href, target: '_blank', rel }, part));
  }
  return text;
}

function whenOf(message, isMine) {
  const when = element('span', { class: 'when' });
  if (message.edited && !message.deleted) when.append('(edited) ');
  when.append(timeElement(message.timestamp));
  // Of private messages we know whether they were read.
  if (isMine && message.seq === undefined) {
    const text = message.read ? 'Seen' : 'Sent';
    const attributes = { class: `tick ${text.toLowerCase()}`, title: text, role: 'img', 'aria-label': text };
    const tick = element('span', attributes, icon('check'));
    if (message.read) tick.append(icon('check'));
    when.append(tick);
  }
  return when;
}

function quote(id, quoted, acts) {
  const text = quoted ? gist(quoted) : 'An earlier message';
  const shown = element('span', { class: 'quoted' }, quoted ? nameElement(quoted) : '',
    element('span', { class: 'quoted-text', dir: 'auto' }, text));
  return button(shown, () => acts.jumpTo(id), { class: 'quote', 'aria-label': `In reply to: ${text}` });
}

function tools(message, acts) {
  const box = element('div', { class: 'tools' });
  if (acts.canReply(message)) {
    box.append(iconButton('reply', 'Reply', () => acts.reply(message), { class: 'small', tabindex: '-1' }));
  }
  box.append(iconButton('more', 'More', ({ currentTarget }) => acts.menu(message, currentTarget),
    { class: 'small more', tabindex: '-1', 'aria-haspopup': 'menu' }));
  return box;
}

// -- files -----------------------------------------------------------------------------------------

function fileCard(file, when, acts) {
  const card = element('span', { class: 'file' },
    element('span', { class: 'file-icon' }, icon('file')),
    element('span', { class: 'file-text' },
      element('bdi', { class: 'file-name text', title: file.name }, file.name),
      element('span', { class: 'file-note' }, sizeOf(file.size), when)),
    iconButton('download', `Download ${file.name}`, () => acts.download(file), { class: 'small' }));
  if (!isPicture(file)) return card;
  const box = element('span', { class: 'with-file' });
  box.append(picture(file, acts), card);
  return box;
}

// Its place is there before it has come: nothing moves.
function picture(file, acts) {
  const image = element('img', { alt: file.name, decoding: 'async' });
  const shown = button(image, () => acts.look(file),
    { class: 'picture', 'aria-label': `Look at ${file.name}`, 'data-state': 'loading' });
  acts.copy(file).then((address) => {
    image.src = address;
    return image.decode();
  }).then(() => { shown.dataset.state = 'there'; }, () => { shown.dataset.state = 'missing'; });
  return shown;
}

export function uploadRow(upload, me, { resume, cancel, choose }) {
  const row = frame({ ...me }, true, undefined,
    element('div', { class: 'bubble' },
      element('span', { class: 'file' },
        element('span', { class: 'file-icon' }, icon('file')),
        element('span', { class: 'file-text' },
          element('bdi', { class: 'file-name', title: upload.name }, upload.name),
          element('progress', { max: '1', 'aria-label': `Progress of ${upload.name}` }),
          element('span', { class: 'soft upload-note', role: 'status' })),
        iconButton('close', `Cancel ${upload.name}`, () => cancel(upload), { class: 'small' }))),
    element('p', { class: 'problem', hidden: true }, element('span', {}),
      button('Go on', () => (upload.file ? resume(upload) : choose()))));
  row.classList.add('upload');
  row.setAttribute('aria-label', `File on its way: ${upload.name}`);
  return row;
}

export function updateUpload(row, upload, isConnected) {
  const part = upload.size === 0 ? 0 : upload.sent / upload.size;
  const texts = {
    reading: 'Reading…',
    sending: isConnected ? `${sizeOf(upload.sent)} of ${sizeOf(upload.size)}` : 'Waiting for the connection',
    waiting: `Stopped at ${Math.floor(part * 100)} %`,
    failed: 'Not sent',
  };
  row.dataset.state = upload.state;
  row.querySelector('progress').value = part;
  row.querySelector('.upload-note').textContent = texts[upload.state];
  const problem = row.querySelector('.problem');
  problem.hidden = !['waiting', 'failed'].includes(upload.state);
  problem.firstChild.textContent = upload.state === 'failed' ? reasonOf(upload.problem)
    : 'Choose the file again to go on.';
  problem.lastChild.textContent = upload.state === 'failed' ? 'Try again' : 'Choose';
}

// -- on their way ----------------------------------------------------------------------------------

export function pendingRow(message, me, quoted, { retry, discard, jumpTo }) {
  const when = element('span', { class: 'when' }, message.problem ? 'not sent' : 'sending…');
  const bubble = element('div', { class: 'bubble' });
  if (message.replyTo) bubble.append(quote(message.replyTo, quoted, { jumpTo }));
  bubble.append(element('span', { class: 'text', dir: 'auto' }, message.content), when);
  const row = frame(me, true, undefined, bubble);
  row.classList.add('pending');
  row.setAttribute('aria-label', `You, ${when.textContent}: ${message.content}`);
  if (message.problem) {
    row.querySelector('.body').append(element('p', { class: 'problem', role: 'alert' },
      element('span', {}, reasonOf(message.problem)),
      button('Retry', () => retry(message)),
      button('Discard', () => discard(message))));
  }
  return row;
}

/** A message that is being changed, in its place. */
export function editorRow(message, editing, { save, cancel }) {
  const text = element('textarea', { rows: '1', dir: 'auto', 'aria-label': 'Change the message' });
  text.value = editing.text;
  const fit = () => {
    text.style.height = 'auto';
    text.style.height = `${text.scrollHeight + text.offsetHeight - text.clientHeight}px`;
  };
  text.addEventListener('input', () => {
    editing.text = text.value;
    fit();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      cancel();
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save(text.value);
    }
  });
  const form = element('form', { class: 'editor' }, text, element('p', {},
    element('span', { class: 'soft' }, 'Esc cancels, Enter saves'),
    button('Cancel', cancel), element('button', { type: 'submit', class: 'primary' }, 'Save')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    save(text.value);
  });
  const row = frame(message, true, undefined, form);
  row.classList.add('changing');
  queueMicrotask(() => {
    fit();
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
  });
  return row;
}

// -- between them ----------------------------------------------------------------------------------

export function quietRow({ person, what, timestamp }) {
  return element('p', { class: 'quiet' }, nameElement(person), ` ${what} · `, timeElement(timestamp));
}

/** A call with somebody, as a line. */
export function callRow({ media, isMine, outcome, duration, timestamp }) {
  const kind = media === 'video' ? 'Video call' : 'Call';
  const end = duration === undefined ? outcome : durationOf(duration);
  return element('p', { class: `quiet with-icon ${duration === undefined ? 'missed' : ''}` },
    icon(media === 'video' ? 'camera' : 'phone'),
    element('span', {}, `${isMine ? kind : `${kind} from them`} · ${end} · `), timeElement(timestamp));
}
