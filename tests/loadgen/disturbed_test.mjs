// What happens when connections are lost: a client's, the server's, or one that nobody reads.
import assert from 'node:assert/strict';
import {rmSync} from 'node:fs';
import {after, before, describe, it} from 'node:test';

import {hallServer, start, until} from '../support/server.mjs';

import {
  AT_ONCE, bench, newFolder, program, startBench, UNLIMITED, unlimitedHall, using, webSocketServer,
} from './support/bench.mjs';

describe('connections that end', AT_ONCE, () => {
  describe('jitter: who was away gets what it missed, in order and once', AT_ONCE, () => {
    let server;
    before(async () => { server = await unlimitedHall(); });
    after(() => server.stop());
    for (const protocol of ['native', 'socketio']) {
      it(protocol, async () => {
        const {status, report, errors} = await bench(
            protocol === 'native' ? `${server.ws}/ws` : server.url, '--mode', 'jitter', '--connections', 30, '--rate',
            100, '--away-every', 1, '--away-for', 0.3, '--duration', 3, '--threads', 2);
        assert.equal(status, 0, errors);
        const {figures} = report;
        assert.equal(report.protocol, protocol);
        assert.ok(figures.returned > 30, JSON.stringify(figures));
        assert.equal(figures.expected, figures.sent * 29);
        for (const name of ['lost', 'duplicated', 'reordered', 'corrupt', 'errors', 'unrecovered', 'closed'])
          assert.equal(figures[name], 0, `${name}: ${JSON.stringify(figures)} ${errors}`);
        assert.equal(figures.delivered, 1);
        assert.ok(report.replay_us.p99 > 0 && report.replay_us.p99 < 1_000_000, JSON.stringify(report.replay_us));
      });
    }
  });

  it('jitter against a hall without recovery: native clients still have `since`; over Socket.IO too', async () => {
    const server = await unlimitedHall({WIREHALL_CONNECTION_STATE_RECOVERY__MAX_DISCONNECTION_DURATION: '0'});
    try {
      const {report, errors} = await bench(server.url, '--mode', 'jitter', '--connections', 10, '--rate', 50,
                                           '--away-every', 1, '--away-for', 0.2, '--duration', 3);
      assert.ok(report.figures.returned > 5, errors);
      assert.equal(report.figures.lost, 0, JSON.stringify(report.figures));
      assert.equal(report.figures.duplicated, 0, JSON.stringify(report.figures));
    } finally {
      await server.stop();
    }
  });

  it('restart: everybody is back, and how soon', async () => {
    const folder = newFolder();
    const environment = {...UNLIMITED, JWT_SECRET: 'a secret that outlives a process, of 32 bytes'};
    let server = await hallServer(['--data', folder], environment);
    try {
      const run = startBench(`${server.ws}/ws`, '--mode', 'restart', '--connections', 50, '--duration', 60, '--progress');
      await until(() => /waiting for the server to go/.test(run.errors()), 'the connections', 10_000);
      await server.stop('SIGKILL');
      const {port} = server;
      server = await start(program, ['serve', '--dev', '--data', folder, '--port', String(port)], environment);
      const {status, report, errors} = await run.ended;
      assert.equal(status, 0, errors);
      assert.equal(report.figures.returned, 50);
      assert.equal(report.figures.away, 0);
      assert.ok(report.figures.back_ms > 0 && report.figures.back_ms < 10_000, `${report.figures.back_ms}`);
      assert.ok(report.seconds < 30, 'it ends when all are back');
    } finally {
      await server.stop();
      rmSync(folder, {recursive: true});
    }
  });

  it('restart: who never comes back is counted', async () => {
    const server = await webSocketServer();
    const run = startBench(server.url, '--mode', 'restart', '--connections', 5, '--duration', 2, '--progress',
                           '--fail-if', 'away>0');
    await until(() => /waiting for the server to go/.test(run.errors()), 'the connections', 10_000);
    server.stop();
    const {status, report} = await run.ended;
    assert.equal(report.figures.away, 5);
    assert.equal(status, 1);
  });

  it('slow: who does not read is closed, and harms nobody', async () => {
    const server = await unlimitedHall({WIREHALL_LIMITS__BACKPRESSURE_BYTES: '2000000'});
    try {
      const {report, errors} = await bench(`${server.ws}/ws`, '--mode', 'slow', '--connections', 12, '--slow', 3,
                                           '--size', 50000, '--rate', 200, '--duration', 2);
      assert.equal(report.figures['slow.closed'], 3, `${JSON.stringify(report.figures)} ${errors}`);
      assert.equal(report.figures.lost, 0, JSON.stringify(report.figures));
      assert.equal(report.figures.closed, 0);
      assert.equal(report.figures.expected, report.figures.sent * 8);
    } finally {
      await server.stop();
    }
  });

  it('interrupted: the figures so far', () => using(webSocketServer(), async (server) => {
    const run = startBench(server.url, '--warm-up', 0, '--duration', 60, '--progress');
    await until(() => /measuring/.test(run.errors()), 'the load', 10_000);
    run.child.kill('SIGINT');
    const {status, report} = await run.ended;
    assert.equal(status, 130);
    assert.equal(report.interrupted, true);
    assert.ok(report.figures.rate > 0);
    assert.ok(report.seconds < 30);
  }));
});
