// The ledger: what publishers were told, and what the server must therefore still have after any crash.
//
// Nothing here talks to anybody; ledger_process.mjs feeds it. The invariants are those of the durability tests:
//   I1  every acknowledged message is in its room, at the acknowledged (epoch, seq), with the same content;
//   I2  the numbers of a room are 1..N without hole or repetition;
//   I3  each message is stored at most once, over all rooms;
//   I4  the epoch of a room that has messages does not change;
//   I7  a retry never gets another place than the message has.
// What a subscriber was given counts like what was acknowledged: delivery comes after the commit as well.
import { hashOf, readContent } from './content.mjs';

const EXAMPLES_OF_A_KIND = 3;

/** What was found wrong, by kind: every case is counted, the first ones are kept. */
export class Findings {
  counts = {};
  examples = [];

  add(kind, text) {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    if (this.counts[kind] <= EXAMPLES_OF_A_KIND) this.examples.push(`${kind}: ${text}`);
  }

  get total() {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }
}

export class Ledger {
  findings;
  acknowledged = 0; // messages, each once
  duplicates = 0; // answers with `duplicate: true`
  #messages = new Map(); // id -> entry
  #ids = new Map(); // the server's messageId -> entry
  #rooms = new Map(); // name -> {epoch, places: seq -> entry, entries}
  #sent = new Map(); // publisher -> how many messages it has begun

  constructor(findings = new Findings()) {
    this.findings = findings;
  }

  // -- what publishers report -------------------------------------------------------------------------

  /** A message was acknowledged. */
  acknowledge({ id, room, seq, messageId, epoch, hash, duplicate }) {
    const entry = this.#claim(id, room, seq, messageId, 'an acknowledgement');
    const known = this.#room(room);
    known.epoch ??= epoch;
    if (epoch !== undefined && epoch !== known.epoch)
      this.findings.add('epoch', `${room} ${seq}: acknowledged in ${epoch}, the room was in ${known.epoch}`);
    if (duplicate) ++this.duplicates;
    if (entry.acknowledged) return;
    entry.acknowledged = true;
    entry.hash = hash;
    ++this.acknowledged;
  }

  /** An edit or a deletion is about to be sent: from now on the room may show either. */
  intend({ id, version, deletes }) {
    const entry = this.#messages.get(id);
    if (deletes) entry.deletion = 'sent';
    else entry.versionSent = version;
  }

  /** An edit or a deletion was acknowledged. */
  change({ id, version, deletes }) {
    const entry = this.#messages.get(id);
    if (deletes) entry.deletion = 'acknowledged';
    else entry.version = version;
  }

  /** So many messages a publisher has begun: their ids end in 0 to count - 1, to the base of 36. */
  begun(publisher, count) {
    this.#sent.set(publisher, count);
  }

  // -- what the server shows --------------------------------------------------------------------------

  /** A subscriber was given a message, so it is committed. */
  deliver(room, message) {
    if (message.deleted) return;
    const read = readContent(message.content);
    if (!read) return this.findings.add('content', `${room} ${message.seq}: a subscriber got ${excerpt(message)}`);
    const entry = this.#claim(read.id, room, message.seq, message.id, 'a delivery');
    entry.delivered = true;
  }

  /** Compares a message of a replay with what is known of its place. */
  replayed(room, message) {
    const entry = this.#room(room).places.get(message.seq);
    if (!entry || entry.messageId !== message.id) {
      this.findings.add('resume', `${room} ${message.seq}: a replay shows ${message.id}, the history `
        + `${entry?.messageId}`);
      return;
    }
    this.#compareContent(room, message, entry, readContent(message.content));
  }

  /** The whole history of a room, `position` being what a join says: checks it, and learns from it. */
  check(room, position, messages) {
    const known = this.#room(room);
    this.#checkEpoch(room, known, position);
    this.#checkNumbers(room, position, messages);
    const present = new Set();
    for (const message of messages) {
      const read = message.deleted ? null : readContent(message.content);
      const entry = this.#identify(room, message, read);
      if (!entry) continue;
      if (present.has(entry)) this.findings.add('duplicate', `${room} ${message.seq}: ${entry.id} is stored twice`);
      present.add(entry);
      this.#compareContent(room, message, entry, read);
    }
    for (const entry of known.entries) {
      if (present.has(entry)) continue;
      this.#lose(room, entry, `missing from ${messages.length} messages up to ${position.seq}`);
    }
  }

  #checkEpoch(room, known, position) {
    const changed = known.epoch !== undefined && known.epoch !== position.epoch;
    // A room without messages has no stream that could be told from another.
    if (changed && known.entries.size !== 0)
      this.findings.add('epoch', `${room}: ${known.epoch} became ${position.epoch}`);
    known.epoch = position.epoch;
    if (changed) known.entries.forEach((entry) => this.#lose(room, entry, 'gone with its epoch'));
  }

  #checkNumbers(room, position, messages) {
    let expected = 1;
    for (const message of messages) {
      if (message.seq > expected) this.findings.add('hole', `${room}: ${expected} to ${message.seq - 1} are missing`);
      if (message.seq < expected) this.findings.add('order', `${room}: ${message.seq} comes behind ${expected - 1}`);
      expected = Math.max(expected, message.seq + 1);
    }
    if (expected - 1 !== position.seq)
      this.findings.add('hole', `${room}: the history ends at ${expected - 1}, the room at ${position.seq}`);
  }

  // The entry of a stored message; learns where it is. A deleted one shows no content, so its id tells.
  #identify(room, message, read) {
    if (message.deleted) {
      const entry = this.#ids.get(message.id);
      if (!entry) this.findings.add('phantom', `${room} ${message.seq}: nobody deleted ${message.id}`);
      else this.#claim(entry.id, room, message.seq, message.id, 'the history');
      return entry;
    }
    if (!read) {
      this.findings.add('content', `${room} ${message.seq}: ${excerpt(message)}`);
      return this.#ids.get(message.id);
    }
    if (!this.#wasSent(read.id)) this.findings.add('phantom', `${room} ${message.seq}: ${read.id} was never sent`);
    return this.#claim(read.id, room, message.seq, message.id, 'the history');
  }

  #wasSent(id) {
    const [publisher, number] = id.split('-');
    const count = this.#sent.get(publisher);
    return count === undefined || Number.parseInt(number, 36) < count;
  }

  // What is shown must be what was acknowledged last, or an edit or deletion that was sent and not answered.
  #compareContent(room, message, entry, read) {
    const where = `${room} ${message.seq} (${entry.id})`;
    if (message.deleted) {
      if (entry.deletion === undefined) this.findings.add('edit', `${where}: deleted by nobody`);
      if (message.content) this.findings.add('edit', `${where}: deleted, and shows ${excerpt(message)}`);
      return;
    }
    if (entry.deletion === 'acknowledged') this.findings.add('edit', `${where}: its deletion was acknowledged`);
    if (!read) return;
    if (entry.acknowledged && read.version === 0 && hashOf(message.content) !== entry.hash)
      this.findings.add('content', `${where}: not what was acknowledged`);
    if ((read.version !== entry.version && read.version !== entry.versionSent)
        || message.edited !== (read.version !== 0))
      this.findings.add('edit', `${where}: shows version ${read.version}, edited: ${message.edited}, acknowledged `
        + `was version ${entry.version}`);
  }

  // Everybody who names a message's place must name the same one.
  #claim(id, room, seq, messageId, source) {
    let entry = this.#messages.get(id);
    if (!entry || entry.lost) {
      entry = { id, room, seq, messageId, version: 0, versionSent: 0 };
      this.#messages.set(id, entry);
    } else if (entry.room !== room || entry.seq !== seq || entry.messageId !== messageId) {
      this.findings.add(source === 'the history' ? 'duplicate' : 'moved',
        `${id} is ${entry.room} ${entry.seq} ${entry.messageId}, and by ${source} ${room} ${seq} ${messageId}`);
      return entry;
    }
    const { places, entries } = this.#room(room);
    const holder = places.get(seq);
    if (holder && holder !== entry)
      this.findings.add('duplicate', `${room} ${seq} is ${holder.id}, and by ${source} ${id}`);
    places.set(seq, entry);
    entries.add(entry);
    this.#ids.set(messageId, entry);
    return entry;
  }

  #lose(room, entry, how) {
    const { places, entries } = this.#room(room);
    entry.lost = true;
    entries.delete(entry);
    if (places.get(entry.seq) === entry) places.delete(entry.seq);
    if (this.#ids.get(entry.messageId) === entry) this.#ids.delete(entry.messageId);
    const where = `${room} ${entry.seq} (${entry.id})`;
    if (entry.acknowledged) this.findings.add('lost', `${where}, acknowledged: ${how}`);
    else if (entry.delivered) this.findings.add('undelivered', `${where}, that a subscriber was given: ${how}`);
    else this.findings.add('vanished', `${where}, in an earlier history: ${how}`);
  }

  #room(name) {
    let room = this.#rooms.get(name);
    if (!room) this.#rooms.set(name, room = { epoch: undefined, places: new Map(), entries: new Set() });
    return room;
  }
}

const excerpt = (message) => JSON.stringify(String(message.content).slice(0, 40));
