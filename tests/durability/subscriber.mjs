// A client that reads rooms, loses its connection and comes back with `since`: it must get exactly what it missed, in
// order, or be told that it was not recovered.
import { Disconnected, NativeClient } from './clients.mjs';

export class Subscriber {
  #rooms = new Map(); // name -> {seq, epoch} of the newest message seen
  #client;
  recovered = 0; // joins that were
  missed = 0; // messages that those joins gave
  refusedRecoveries = 0;

  constructor(name, ledger) {
    this.name = name;
    this.ledger = ledger;
  }

  /** Comes back, with the server quiet: joins `rooms`, the known ones with `since`. */
  async resume(url, token, rooms) {
    this.#client = new NativeClient();
    this.#client.onEvent = (event, frame) => { if (event === 'chat') this.#receive(frame); };
    await this.#client.connect(url, token);
    for (const room of this.#rooms.keys()) if (!rooms.includes(room)) this.#rooms.delete(room);
    for (const roomId of rooms) {
      const since = this.#rooms.get(roomId);
      this.#joined(roomId, since, await this.#client.request('join', { roomId, since }));
    }
  }

  /** Goes, if it has not been cut off. */
  async leave() {
    this.#client?.close();
    await this.#client?.ended;
  }

  #joined(room, since, answer) {
    if (since && answer.recovered) {
      ++this.recovered;
      this.missed += answer.missed.length;
      checkReplay(this.ledger, this.name, room, since, answer);
    } else if (since) {
      ++this.refusedRecoveries;
    }
    this.#rooms.set(room, { seq: answer.seq, epoch: answer.epoch });
  }

  #receive(message) {
    const position = this.#rooms.get(message.roomId);
    if (!position) return; // a room of before, which the server puts its users back into
    if (message.seq !== position.seq + 1)
      this.ledger.findings.add('order', `${this.name}: ${message.roomId} ${message.seq} came behind ${position.seq}`);
    position.seq = message.seq;
    this.ledger.deliver(message.roomId, message);
  }
}

/** Whether `missed` is what lies between `since` and the answer's position, each message as the history has it. */
function checkReplay(ledger, name, room, since, answer) {
  const wanted = answer.seq - since.seq;
  if (answer.epoch !== since.epoch || answer.missed.length !== wanted
      || answer.missed.some((message, index) => message.seq !== since.seq + 1 + index))
    ledger.findings.add('resume', `${name}: ${room} since ${JSON.stringify(since)}: ${answer.missed.length} of `
      + `${wanted} messages up to ${answer.seq} ${answer.epoch}`);
  for (const message of answer.missed) ledger.replayed(room, message);
}

/** Asks one room for replays from positions that it has, and from two that it cannot know. */
export async function probe(ledger, url, token, room, random) {
  const client = await new NativeClient().connect(url, token);
  try {
    const { seq, epoch } = await client.request('join', { roomId: room });
    const since = { seq: random.below(seq + 1), epoch };
    const answer = await client.request('join', { roomId: room, since });
    if (answer.recovered) checkReplay(ledger, 'a probe', room, since, answer);
    for (const unknown of [{ seq: seq + 5, epoch }, { seq: 0, epoch: `${epoch.slice(1)}x` }]) {
      const refused = await client.request('join', { roomId: room, since: unknown });
      if (refused.recovered)
        ledger.findings.add('resume', `a probe: ${room} at ${seq} ${epoch} recovered from ${JSON.stringify(unknown)}`);
    }
    return answer.recovered;
  } catch (error) {
    if (error instanceof Disconnected) ledger.findings.add('resume', `${room}: a probe was disconnected`);
    else throw error;
    return false;
  } finally {
    client.close();
  }
}
