// Files on their way to the server. An upload that was not finished is remembered, so that it goes on when
// the same file is chosen again, after a reload too.
//
//   state       means
//   reading     the file is being read, for its sum
//   sending     it goes; without a connection it waits for one
//   waiting     of an earlier page: the file must be chosen again
//   failed      `problem` says why
//
// It emits `change` (key of the talk); `sent` (upload, answer).
import { sendFile } from '/wirehall.js';
import { Emitter } from './emitter.js';
import { recall, remember } from './storage.js';

const STORE = 'wirehall.uploads';
const KEPT_MAX = 20;
const HASHED_BYTES_MAX = 256 * 1024 * 1024; // what is larger is known by its time instead

export class Uploads extends Emitter {
  all = [];

  #session;
  #number = 0;

  constructor(session) {
    super();
    this.#session = session;
    session.on('welcome', () => this.#welcome());
    session.on('event', (type, fields) => this.#onEvent(type, fields));
  }

  of(key) {
    return this.all.filter((upload) => upload.key === key);
  }

  clear() {
    for (const upload of this.all) upload.controller?.abort(new Error('Gone')); // it can go on another time
    this.all = [];
  }

  /** `talk`: a room or a conversation. A file that was begun before goes on. */
  async add(talk, file) {
    const upload = this.#make({ key: talk.key, name: file.name, size: file.size });
    upload.state = 'reading';
    this.emit('change', upload.key);
    upload.sum = await sumOf(file);
    if (!this.all.includes(upload)) return;
    const before = this.all.find((other) => other !== upload && this.#isSame(other, upload));
    if (before && !['waiting', 'failed'].includes(before.state)) return this.#drop(upload); // it goes already
    if (before) {
      upload.uploadId = before.uploadId;
      this.#drop(before);
    }
    this.#send(upload, file);
  }

  /** Goes on with what failed. */
  resume(upload) {
    if (upload.file) this.#send(upload, upload.file);
  }

  cancel(upload) {
    upload.isCancelled = true;
    upload.controller?.abort(new Error('Cancelled'));
    if (!upload.controller && upload.uploadId) {
      // Where that fails it ends by itself, in time.
      this.#session.askAgain('upload-abort', { uploadId: upload.uploadId }).catch(() => {});
    }
    this.#drop(upload);
    this.#keep();
  }

  // -- sending --------------------------------------------------------------------------------------

  async #send(upload, file) {
    upload.file = file;
    upload.state = 'sending';
    upload.problem = undefined;
    upload.controller = new AbortController();
    const name = upload.key.slice('room:'.length); // or of `user:`
    const to = upload.key.startsWith('room:') ? { roomId: name } : { targetUserId: name };
    const { size, uploadId } = upload;
    const sha256 = upload.sum.startsWith('sha256:') ? upload.sum.slice(7) : undefined;
    this.emit('change', upload.key);
    try {
      const answer = await sendFile((...question) => this.#session.ask(...question), file, {
        ...to, uploadId, sha256, name: nameFor(upload.name), signal: upload.controller.signal,
        onStart: (begun) => {
          upload.uploadId = begun.uploadId;
          this.#keep();
        },
        onProgress: (sent) => {
          Object.assign(upload, { sent, size });
          this.#keep();
          this.emit('change', upload.key);
        },
      });
      this.#done(upload, answer);
    } catch (error) {
      upload.controller = undefined;
      if (this.all.includes(upload)) await this.#failed(upload, error);
    }
  }

  // Its message may have come while the answer was lost: then all is well.
  async #failed(upload, error) {
    const wasLost = error.code === 'not-found' && upload.sent > 0;
    if (wasLost && await this.#isThere(upload)) return this.#done(upload);
    if (!this.all.includes(upload)) return; // its message came meanwhile
    if (error.code === 'disconnected') {
      upload.state = 'sending'; // it goes on with the next link
      return this.emit('change', upload.key);
    }
    // What the server has dropped, or never took, begins anew.
    if (error.code !== 'timeout') upload.uploadId = undefined;
    upload.state = 'failed';
    upload.problem = error;
    this.#keep();
    this.emit('change', upload.key);
  }

  #isThere(upload) {
    const asking = this.#session.fetch(`/files/${encodeURIComponent(upload.uploadId)}`, { method: 'HEAD' });
    return asking.then(() => true, () => false);
  }

  #done(upload, answer) {
    this.#drop(upload);
    this.#keep();
    if (answer) this.emit('sent', upload, answer);
  }

  #onEvent(type, { userId, file }) {
    if (type !== 'new-message' || !file || !this.#session.isMine(userId)) return;
    const upload = this.all.find(({ uploadId }) => uploadId === file.id);
    if (upload) this.#done(upload);
  }

  #welcome() {
    this.#restore();
    for (const upload of this.all) {
      if (upload.state === 'sending' && !upload.controller) this.#send(upload, upload.file);
    }
  }

  // -- the list -------------------------------------------------------------------------------------

  #make(fields) {
    const upload = { id: `upload ${++this.#number}`, sent: 0, startedAt: Date.now(), ...fields };
    this.all.push(upload);
    return upload;
  }

  #drop(upload) {
    this.all = this.all.filter((each) => each !== upload);
    this.emit('change', upload.key);
  }

  #isSame(a, b) {
    return a.key === b.key && a.name === b.name && a.size === b.size && a.sum === b.sum;
  }

  #keep() {
    const { user, entries } = this.#kept();
    const ours = this.all.filter(({ uploadId }) => uploadId !== undefined);
    for (const { uploadId } of ours) this.#known.add(uploadId);
    const others = entries.filter(({ uploadId }) => !this.#known.has(uploadId)); // of other tabs
    const entryOf = ({ key, name, size, sum, uploadId, sent }) => ({ key, name, size, sum, uploadId, sent });
    const all = [...others, ...ours.map(entryOf)].slice(-KEPT_MAX);
    remember('localStorage', STORE, { user, entries: all });
  }

  #known = new Set(); // ids that this page has looked after: it says when they are over

  #kept() {
    const { user, entries } = recall('localStorage', STORE);
    const mine = this.#session.me.userId;
    return { user: mine, entries: user === mine && Array.isArray(entries) ? entries : [] };
  }

  #restore() {
    for (const entry of this.#kept().entries) {
      if (this.#known.has(entry.uploadId)) continue;
      this.#known.add(entry.uploadId);
      this.#make({ ...entry, state: 'waiting' });
      this.emit('change', entry.key);
    }
  }
}

// By its bytes, where the browser can tell: that needs a secure context.
async function sumOf(file) {
  if (!globalThis.crypto?.subtle || file.size > HASHED_BYTES_MAX) return `time:${file.lastModified}`;
  try {
    const sum = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
    return `sha256:${[...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  } catch {
    return `time:${file.lastModified}`; // it cannot be read now; sending will say why
  }
}

/** The server takes no separators in a name, and 255 bytes. */
function nameFor(name) {
  const encoder = new TextEncoder();
  let short = name.replace(/[/\\\u0000-\u001f\u007f]/g, '_') || 'file';
  const [, ending] = /(\.[^.]{1,16})$/.exec(short) ?? ['', ''];
  while (encoder.encode(short).length > 255) {
    short = `${[...short.slice(0, short.length - ending.length)].slice(0, -1).join('')}${ending}`;
  }
  return short;
}
