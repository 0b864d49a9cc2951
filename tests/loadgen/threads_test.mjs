// What the threads of a generator share, under a sanitizer: short runs with two of them, on a server that is
// built likewise.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import {bench, unlimitedHall} from './support/bench.mjs';

describe('two threads', () => {
  let server;
  before(async () => { server = await unlimitedHall(); });
  after(() => server.stop());
  const runs = {
    'echo': ['--rate', 400],
    // A publisher of each thread has receivers in the other.
    'fanout': ['--publishers', 2],
    'chat': ['--rooms', 2, '--rate', 200],
    'connect': [],
  };
  for (const [mode, args] of Object.entries(runs)) {
    it(mode, async () => {
      const {status, report, errors} = await bench(
          `${server.ws}/ws`, '--mode', mode, '--connections', 8, '--threads', 2, '--timeout', 20, '--progress', ...args);
      assert.equal(status, 0, errors);
      assert.equal(report.generator.threads, 2);
      assert.ok(report.figures.rate > 0, errors);
      for (const name of ['lost', 'failed', 'closed']) assert.equal(report.figures[name], 0, `${name}: ${errors}`);
      assert.doesNotMatch(errors, /Sanitizer/);
    });
  }
});
