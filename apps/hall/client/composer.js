// Where one writes: a draft for each talk, the message that is answered, files by button, drop and paste.
import { element, iconButton, nameElement } from './dom.js';
import { icon } from './icons.js';
import { gist } from './row.js';
import { nameOf } from './text.js';

const TYPING_AGAIN_MS = 2000; // the server takes silence of 3 s for the end

const at = (id) => document.getElementById(id);

export class Composer {
  #talk;
  #context;
  #toldTyping = null; // when we last said so

  /** @param context  session; send (talk, text); attach (talk, files); editLast (talk) */
  constructor(context) {
    this.#context = context;
    at('attach').append(icon('attach'));
    at('send').append(icon('send'));
    at('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    at('text').addEventListener('input', () => this.#typed());
    at('text').addEventListener('keydown', (event) => this.#onKey(event));
    at('text').addEventListener('paste', (event) => {
      if (event.clipboardData.files.length === 0) return;
      event.preventDefault();
      this.#attach(event.clipboardData.files);
    });
    at('attach').addEventListener('click', () => this.choose());
    at('file').addEventListener('change', () => {
      this.#attach(at('file').files);
      at('file').value = ''; // the same one may be chosen again
    });
    this.#takeDrops();
  }

  show(talk) {
    if (this.#talk) {
      this.#stopTyping();
      this.#talk.draft = at('text').value;
    }
    this.#talk = talk;
    at('text').value = talk?.draft ?? '';
    this.draw();
    this.#fit();
  }

  draw() {
    const talk = this.#talk;
    const canWrite = Boolean(talk) && talk.error === null && talk.canWrite;
    for (const id of ['text', 'attach', 'send']) at(id).disabled = !canWrite;
    at('text').placeholder = !talk ? 'Join a room to write' : talk.error ? 'You are not in this room'
      : canWrite ? `Write to ${talk.title}` : 'Only owners and moderators write here';
    const { replyTo } = talk ?? {};
    at('answering').hidden = !replyTo;
    if (replyTo?.id === at('answering').dataset.id) return;
    at('answering').dataset.id = replyTo?.id ?? '';
    at('answering').replaceChildren(...(replyTo ? [icon('reply'),
      element('span', { class: 'to' }, 'Replying to ', nameElement(replyTo),
        element('span', { class: 'soft' }, ` ${gist(replyTo)}`)),
      iconButton('close', 'Do not reply', () => this.answer(undefined), { class: 'small' })] : []));
  }

  answer(message) {
    this.#talk.replyTo = message;
    this.#talk.changed();
    at('text').focus();
  }

  focus() {
    at('text').focus();
  }

  /** Asks for files. */
  choose() {
    at('file').click();
  }

  // -- writing ------------------------------------------------------------------------------------

  #submit() {
    const content = at('text').value.trimEnd();
    if (content.trim() === '' || !this.#talk || at('text').disabled) return;
    at('text').value = '';
    this.#fit();
    this.#stopTyping();
    this.#context.send(this.#talk, content);
  }

  #onKey(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === 'Escape' && this.#talk?.replyTo) {
      event.stopPropagation();
      this.answer(undefined);
    } else if (event.key === 'ArrowUp' && at('text').value === '' && this.#talk) {
      event.preventDefault();
      this.#context.editLast(this.#talk);
    }
  }

  #typed() {
    this.#fit();
    if (at('text').value.trim() === '') return this.#stopTyping();
    if (this.#talk.kind !== 'room') return;
    if (this.#toldTyping !== null && performance.now() - this.#toldTyping < TYPING_AGAIN_MS) return;
    this.#toldTyping = performance.now();
    this.#context.session.typing(this.#talk.name, true);
  }

  #stopTyping() {
    if (this.#toldTyping !== null) this.#context.session.typing(this.#talk.name, false);
    this.#toldTyping = null;
  }

  /** As many lines as are written, within what the style allows. */
  #fit() {
    const text = at('text');
    text.style.height = 'auto';
    text.style.height = `${text.scrollHeight + text.offsetHeight - text.clientHeight}px`;
  }

  // -- files --------------------------------------------------------------------------------------

  #attach(files) {
    if (this.#talk && !at('attach').disabled) this.#context.attach(this.#talk, [...files]);
  }

  // The whole place of the talk takes them; what is dropped elsewhere must not replace the page.
  #takeDrops() {
    const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
    const chat = at('chat');
    addEventListener('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      const canTake = chat.contains(event.target) && !at('attach').disabled;
      event.dataTransfer.dropEffect = canTake ? 'copy' : 'none';
      at('drop').hidden = !canTake;
      at('drop').textContent = canTake ? `Drop files to send them to ${this.#talk.title}` : '';
    });
    addEventListener('dragleave', (event) => { if (event.relatedTarget === null) at('drop').hidden = true; });
    addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      at('drop').hidden = true;
      if (chat.contains(event.target)) this.#attach(event.dataTransfer.files);
    });
  }
}

/** "bob is typing…" as nodes; nothing where nobody does. */
export function typingLine(typists) {
  const people = [...typists.values()];
  if (people.length === 0) return [];
  if (people.length > 2) return [`${people.length} people are typing…`];
  const names = people.flatMap((person, i) => [i === 0 ? '' : ' and ', nameElement(person)]);
  return [...names, people.length === 1 ? ' is typing…' : ' are typing…'];
}

export function newsText(talk, message) {
  const where = talk.kind === 'room' ? ` in ${talk.title}` : '';
  return `${nameOf(message)}${where}: ${gist(message)}`;
}
