// Random sequences of events against a model (support/model.mjs): five users with two connections each, over
// all protocols, in three rooms. Every answer, every event of every connection and, in the end, every
// history, membership and inbox must be the model's.
//
//   WIREHALL_HALL_SEEDS=1000 node --test tests/hall/property_test.mjs     more of them
//   WIREHALL_HALL_SEED=7 node --test tests/hall/property_test.mjs         one of them, in each kind of hall
import {after, before, describe, it} from 'node:test';

import {Hall} from './support/hall.mjs';
import {RandomRun} from './support/random_run.mjs';

const STEPS = 80;
const NEVER_MS = 600_000;
const ONE = process.env.WIREHALL_HALL_SEED;
const COUNT = Number(process.env.WIREHALL_HALL_SEEDS ?? 20);

const presence = {
  gracePeriod: NEVER_MS
};
const KINDS = [
  ['where every end is one at once', {threads: 3, presence}, false],
  ['of one shard, in memory', {threads: 1, store: 'memory', presence}, false],
  [
    'where lost connections come back',
    {threads: 3, presence, connectionStateRecovery: {maxDisconnectionDuration: NEVER_MS}}, true
  ],
];

for (const [at, [kind, config, lingers]] of KINDS.entries()) {
  describe(`random events in a hall ${kind}`, () => {
    let hall;
    before(async () => {
      hall = await Hall.start(config);
    });
    after(() => hall.stop());

    const all = Array.from({length: COUNT}, (_, i) => i + 1).filter((seed) => seed % KINDS.length === at);
    for (const seed of ONE ? [Number(ONE)] : all) {
      it(`seed ${seed}`, async () => {
        const run = new RandomRun(hall, seed, {lingers});
        await run.run(STEPS).catch((cause) => {
          const last = run.story.slice(-12).map((line) => `\n  ${line}`).join('');
          throw new Error(`seed ${seed}, step ${run.story.length}, after${last}\n`, {cause});
        });
      });
    }
  });
}
