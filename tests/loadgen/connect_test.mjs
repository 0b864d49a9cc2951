// Handshakes: connections that come and go, each of them counted.
import assert from 'node:assert/strict';
import {describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {AT_ONCE, bench, socketIoServer, startBench, unlimitedHall, using, webSocketServer} from './support/bench.mjs';

const CONNECT = ['--mode', 'connect', '--connections', 10, '--warm-up', 0];

/** A run whose every handshake was completed. */
function complete({status, report, errors}) {
  assert.equal(status, 0, errors);
  const {figures} = report;
  assert.ok(figures.rate > 0, errors);
  assert.equal(report.operations_per_second, figures.rate);
  assert.equal(figures.delivered, 1);
  for (const name of ['lost', 'failed', 'closed', 'skipped'])
    assert.equal(figures[name], 0, `${name}: ${JSON.stringify(figures)} ${errors}`);
  assert.ok(report.latency_us.count > 0);
  return report;
}

describe('handshakes', AT_ONCE, () => {
  it('of WebSocket: as many as the server saw, each with a goodbye', () => using(webSocketServer(), async (server) => {
    let seen = 0;
    const codes = new Map();
    server.server.on('connection', (socket) => {
      ++seen;
      socket.on('close', (code) => codes.set(code, (codes.get(code) ?? 0) + 1));
    });
    const report = complete(await bench(server.url, ...CONNECT, '--threads', 2));
    await until(() => server.clients.size === 0, 'every connection has ended');
    // Besides: the first one of all, and those that were there before the load.
    assert.equal(seen, report.figures.sent + 11);
    assert.ok(codes.get(1000) >= report.figures.sent, JSON.stringify([...codes]));
  }));
  for (const transport of ['websocket', 'upgrade'])
    it(`of Socket.IO over ${transport}`, () => using(socketIoServer(), async (server) => {
      let seen = 0;
      const reasons = new Map();
      server.io.on('connection', (socket) => {
        ++seen;
        socket.on('disconnect', (why) => reasons.set(why, (reasons.get(why) ?? 0) + 1));
      });
      const report = complete(await bench(server.url, ...CONNECT, '--transport', transport));
      await until(() => server.io.engine.clientsCount === 0, 'every session has ended');
      assert.equal(seen, report.figures.sent + 11);
      assert.ok(reasons.get('client namespace disconnect') >= report.figures.sent, JSON.stringify([...reasons]));
    }));
  it('of a hall, which is empty afterwards, with what each costs it', async () => {
    const server = await unlimitedHall();
    try {
      const report = complete(await bench(server.url, ...CONNECT, '--duration', 1, '--server-pid', server.pid));
      const {cpu_us_per_operation: all, user_us_per_operation: user, system_us_per_operation: system} = report.server;
      assert.ok(user > 0 && system > 0 && Math.abs(user + system - all) < 0.01 * all, JSON.stringify(report.server));
      const stats = async () => (await fetch(`${server.url}/ws/stats`)).json();
      await until(async () => (await stats()).connections === 0, 'the hall is empty');
    } finally {
      await server.stop();
    }
  });
  it('by a schedule', () => using(webSocketServer(), async (server) => {
    const report = complete(await bench(
        server.url, '--mode', 'connect', '--connections', 100, '--warm-up', 0, '--rate', 200, '--duration', 1));
    assert.equal(report.open_loop, true);
    assert.ok(Math.abs(report.figures.rate - 200) < 20, `${report.figures.rate}`);
  }));
});

it('handshakes that fail are counted, and tried again without haste', () => using(webSocketServer(), async (server) => {
  const run = startBench(server.url, ...CONNECT, '--duration', 2, '--progress', '--fail-if', 'lost>0');
  await until(() => /measuring/.test(run.errors()), 'the load', 10_000);
  server.http.close();
  const {status, report} = await run.ended;
  const {figures} = report;
  assert.equal(status, 1);
  // Ten clients, a try each tenth of a second.
  assert.ok(figures.lost > 20 && figures.lost < 300, JSON.stringify(figures));
  assert.ok(figures.delivered < 1);
  assert.equal(Math.round(figures.delivered * figures.expected) + figures.lost, figures.sent);
  assert.match(report.first_failure, /Connection refused|connection ended/);
}));

it('polling alone has no goodbye that could be waited for', () => using(socketIoServer(), async (server) => {
  const {status, errors} = await bench(server.url, ...CONNECT, '--transport', 'polling');
  assert.equal(status, 64);
  assert.match(errors, /--mode connect is for --transport websocket or upgrade/);
}));
