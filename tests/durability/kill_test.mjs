// What was acknowledged survives kill -9, once, in its place; and the harness that says so notices a server that
// acknowledges too early.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { killCycles } from './kill_cycles.mjs';
import { BUILD, FULL } from './server.mjs';

const SLICE = FULL ? { cycles: 100 } : { seconds: 22 };
const CYCLES_MIN = FULL ? 100 : 5;
const EARLY_ACK_CYCLES_MAX = 20;
// Stands in a failure's message, so that it can be played again.
const seed = Number(process.env.WIREHALL_TEST_SEED ?? 20_240_601);

// A diagnostic shows a line break as two signs.
const say = (t, text) => text.split('\n').forEach((line) => t.diagnostic(line));

describe(`kill -9 under load, seed ${seed}`, () => {
  it('loses nothing that was acknowledged, stores nothing twice, leaves no hole', async (t) => {
    const summary = await killCycles({ ...SLICE, seed, say: (text) => say(t, text) });
    assert.deepEqual({ ...summary.findings.counts, problems: summary.problems }, { problems: [] },
      summary.findings.examples.join('\n'));
    assert.ok(summary.cycles >= CYCLES_MIN, `${summary.cycles} cycles`);
    // Otherwise nothing of this was tested.
    for (const figure of ['acknowledged', 'retried', 'duplicates', 'recovered', 'missed', 'probes'])
      assert.ok(summary[figure] > 0, `${figure} is ${summary[figure]}`);
  });

  it('is noticed where the acknowledgement comes before the commit', async (t) => {
    const server = path.join(BUILD, 'wirehall_early_ack');
    assert.ok(existsSync(server), `${server} is not built`);
    // What it has acknowledged is in the system's hands a millisecond later, so few moments show the fault.
    const summary = await killCycles({
      server, seed, cycles: EARLY_ACK_CYCLES_MAX, atAcknowledgement: 1, untilLoss: true,
      say: (text) => say(t, text),
    });
    assert.ok(summary.findings.counts.lost > 0, `no loss was found in ${summary.cycles} cycles`);
  });
});
