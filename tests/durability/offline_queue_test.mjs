// Private messages that wait for users who are away: each is delivered at least once, and never again once its
// acknowledgement is known to be stored, however often the server dies while they are fetched.
import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Disconnected, NativeClient, SocketIoClient } from './clients.mjs';
import { contentOf, Random } from './content.mjs';
import { BUILD, FULL, HallServer, remove, temporaryFolder } from './server.mjs';

const USERS = 50;
const MESSAGES_EACH = 20;
const SENDERS = 4;
const ROUNDS = FULL ? 10 : 2;
const DRAINS_KILLED = 3; // of each round; after these comes one that is let finish
const ARRIVAL_MS = 150; // over which the users come back
const KILL_MS_MAX = 300;
// How long somebody waits for more when all that was due has come, and when not.
const QUIET_MS = 300;
const LATE_MS = 10_000;
const seed = Number(process.env.WIREHALL_TEST_SEED ?? 20_240_601);

// Each time over another transport.
const OPEN = [
  () => new NativeClient(), () => new SocketIoClient(['websocket']), () => new SocketIoClient(['polling'])];

/** One user who was away, over all connections. */
class Receiver {
  owed = new Map(); // messageId -> {content, number}
  delivered = new Map(); // messageId -> how often
  problems = [];
  acknowledged = new Set(); // messageIds whose acknowledgement was sent: it may be stored
  settled = new Set(); // messageIds whose acknowledgement is known to be stored

  constructor(name, index) {
    this.name = name;
    this.index = index;
  }

  /** Comes, takes what is pending, and settles it in its way; until the connection ends or nothing more comes. */
  async drain(server, phase, patient) {
    const client = OPEN[(this.index + phase) % OPEN.length]();
    let heard = performance.now();
    const settling = [];
    client.onEvent = (event, fields, acknowledge) => {
      if (event !== 'pending-messages' && event !== 'private-message') return;
      heard = performance.now();
      const messages = event === 'private-message' ? [fields] : fields.messages ?? fields;
      this.#take(messages);
      settling.push(this.#settle(client, phase, messages, acknowledge));
    };
    try {
      await client.connect(server.url, server.token(this.name));
      while (client.connected && !(patient && this.#isDone(performance.now() - heard))) await sleep(10);
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    }
    await Promise.all(settling);
    client.close();
    await client.ended;
  }

  #isDone(quietMs) {
    return quietMs > (this.acknowledged.size === this.owed.size ? QUIET_MS : LATE_MS);
  }

  #take(messages) {
    const numbers = new Map(); // sender -> number of the last message
    for (const message of messages) {
      const owed = this.owed.get(message.id);
      const complain = (what) => this.problems.push(`${this.name}: ${message.id} ${what}`);
      if (!owed) {
        complain('was sent by nobody');
        continue;
      }
      if (message.content !== owed.content) complain('has another content');
      if (this.settled.has(message.id)) complain('came again, after its acknowledgement was stored');
      if (owed.number <= (numbers.get(message.fromUserId) ?? -1)) complain('is out of order');
      numbers.set(message.fromUserId, owed.number);
      this.delivered.set(message.id, (this.delivered.get(message.id) ?? 0) + 1);
    }
  }

  // A third acknowledges the event, a third marks as read; the last third does nothing until the second drain.
  async #settle(client, phase, messages, acknowledge) {
    const way = this.index % 3;
    if (way === 2 && phase < 1) return;
    const messageIds = messages.map(({ id }) => id);
    messageIds.forEach((id) => this.acknowledged.add(id));
    try {
      if (way === 1) {
        await client.request('mark-read', { messageIds });
      } else {
        if (acknowledge) acknowledge();
        else this.problems.push(`${this.name}: pending messages want no acknowledgement`);
        // Nobody answers an acknowledgement. What the same client asks for next is committed behind it.
        await client.request('private-message', { targetUserId: `sink-${this.name}`, content: 'done' });
      }
      messageIds.forEach((id) => this.settled.add(id));
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    }
  }
}

async function send(server, receivers, round) {
  let count = 0;
  await Promise.all(Array.from({ length: SENDERS }, async (_, sender) => {
    const client = await new NativeClient().connect(server.url, server.token(`sender-${sender}`));
    for (let number = sender; number < MESSAGES_EACH; number += SENDERS) {
      await Promise.all(receivers.map(async (receiver) => {
        const clientMessageId = `p${round}-${(receiver.index * MESSAGES_EACH + number).toString(36)}`;
        const content = contentOf(clientMessageId).slice(0, 500);
        const fields = { targetUserId: receiver.name, content, clientMessageId };
        // One in eight is sent twice at once.
        const answers = await Promise.all(Array.from({ length: ++count % 8 === 0 ? 2 : 1 },
          () => client.request('private-message', fields)));
        assert.equal(new Set(answers.map(({ messageId }) => messageId)).size, 1, 'a retry is another message');
        receiver.owed.set(answers[0].messageId, { content, number });
      }));
    }
    client.close();
  }));
}

/** Lets everybody come back at once; kills the server meanwhile, or waits until all have what they should. */
async function drainAll(server, receivers, phase, random, killed) {
  await server.kill();
  await server.start();
  const drained = Promise.all(receivers.map(async (receiver) => {
    await sleep(random.below(ARRIVAL_MS));
    await receiver.drain(server, phase, !killed);
  }));
  drained.catch(() => {}); // it is awaited below
  if (killed) {
    await sleep(random.below(KILL_MS_MAX));
    server.assertRunning();
    await server.kill();
  }
  await drained;
}

async function playRound(server, round, random) {
  const receivers = Array.from({ length: USERS }, (_, index) => new Receiver(`away-${round}-${index}`, index));
  await send(server, receivers, round);
  for (let phase = 0; phase <= DRAINS_KILLED; ++phase)
    await drainAll(server, receivers, phase, random, phase < DRAINS_KILLED);
  // Once more: nothing is pending any longer.
  await drainAll(server, receivers, DRAINS_KILLED + 1, random, false);
  assert.deepEqual(receivers.flatMap(({ problems }) => problems), []);
  for (const { name, owed, delivered, acknowledged } of receivers) {
    assert.equal(owed.size, MESSAGES_EACH);
    assert.deepEqual([...owed.keys()].filter((id) => !delivered.has(id)), [], `${name}: never delivered`);
    assert.equal(acknowledged.size, MESSAGES_EACH, `${name}: not all could be acknowledged`);
  }
  return receivers;
}

it(`an offline queue is drained through kill -9, seed ${seed}`, async (t) => {
  const folder = temporaryFolder('queue');
  const server = new HallServer(path.join(BUILD, 'wirehall'), folder);
  const random = new Random(seed);
  try {
    await server.start();
    let again = 0;
    for (let round = 0; round < ROUNDS; ++round) {
      const receivers = await playRound(server, round, random);
      const times = receivers.flatMap(({ delivered }) => [...delivered.values()]);
      const settled = receivers.reduce((sum, receiver) => sum + receiver.settled.size, 0);
      again += times.filter((count) => count > 1).length;
      t.diagnostic(`round ${round}: ${times.length} messages, ${times.reduce((sum, count) => sum + count, 0)} `
        + `deliveries, ${settled} acknowledgements known to be stored`);
    }
    // Otherwise no delivery was ever interrupted.
    assert.ok(again > 0, 'nothing was delivered twice');
    assert.equal(await server.stop(), 0);
  } finally {
    await server.kill();
    remove(folder);
  }
});
