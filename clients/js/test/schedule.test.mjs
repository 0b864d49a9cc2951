// Random schedules of messages, cuts at any byte and kills of the server, compared with what must be in the end:
// every message once, for everybody in the same order, each sender's in the order of sending.
//
// A run is repeated by its seed: WIREHALL_SEED=7 node --test clients/js/test/schedule.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { Cable, RealServer, until } from './real_server.mjs';

const SEEDS = process.env.WIREHALL_SEED ? [Number(process.env.WIREHALL_SEED)] : [1, 2, 3];
const STEPS = 120;
const ROOM = 'lobby';

/** Numbers from 0 to 1 that a seed decides. */
function randomFrom(seed) {
  let state = seed % 2147483646 + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return (state - 1) / 2147483646;
  };
}

class Person {
  told = [];
  sent = [];

  static async enter(t, server, name) {
    const person = new Person();
    person.name = name;
    person.cable = await Cable.to(t, server);
    person.client = await server.client(name, { via: person.cable, queueMax: 10_000 }).connect();
    person.client.on('chat', ({ seq, content }) => person.told.push([seq, content]));
    person.client.on('rejoined', ({ recovered }) => assert.equal(recovered, true));
    person.client.on('rejoin-failed', ({ error }) => assert.fail(error));
    await person.client.join(ROOM);
    return person;
  }

  send() {
    const content = `${this.name} ${this.sent.length}`;
    this.sent.push({ content, answer: this.client.send(ROOM, content) });
  }
}

for (const seed of SEEDS) {
  test(`schedule ${seed}`, { timeout: 60_000 }, async (t) => {
    const random = randomFrom(seed);
    const below = (n) => Math.floor(random() * n);
    const server = await RealServer.start(t);
    const people = [];
    for (const name of ['ann', 'bob', 'carol']) people.push(await Person.enter(t, server, name));
    let kills = 0;
    for (let step = 0; step < STEPS; ++step) {
      const person = people[below(people.length)];
      const what = random();
      if (what < 0.5) for (let n = 1 + below(4); n > 0; --n) person.send();
      else if (what < 0.8) person.cable.cutAfter(random() < 0.5 ? 'up' : 'down', below(600));
      else if (what < 0.9) person.cable.cut();
      else if (what < 0.92) {
        await server.kill();
        await server.run();
        kills += 1;
      } else await Promise.allSettled(person.sent.slice(0, below(person.sent.length + 1)).map(({ answer }) => answer));
      if (random() < 0.5) await new Promise(setImmediate);
    }
    for (const { cable } of people) for (const direction of ['up', 'down']) cable.cutAfter(direction, Infinity);

    const all = people.flatMap(({ sent }) => sent);
    const answers = await Promise.all(all.map(({ answer }) => answer));
    const expected = all.map(({ content }, i) => [answers[i].seq, content]).sort(([a], [b]) => a - b);
    assert.deepEqual(expected.map(([seq]) => seq), all.map((_, i) => i + 1), 'numbers without holes, each once');
    for (const { name, told, sent } of people) {
      await until(() => told.length >= all.length, () => `${name} has ${told.length} of ${all.length}`);
      assert.deepEqual(told, expected, name);
      assert.deepEqual(told.map(([, content]) => content).filter((content) => content.startsWith(`${name} `)),
        sent.map(({ content }) => content), `${name}'s are in their order`);
    }
    t.diagnostic(`${all.length} messages, ${people.reduce((sum, { cable }) => sum + cable.cuts, 0)} cuts, ${kills} kills`);
  });
}
