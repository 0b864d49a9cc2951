// Servers that lose, repeat, reorder or change one message in a hundred: the audit finds each, and only it.
import assert from 'node:assert/strict';
import {describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {AT_ONCE, bench, socketIoServer, startBench, using, webSocketServer} from './support/bench.mjs';

const COUNTED_AS = {lose: 'lost', repeat: 'duplicated', reorder: 'reordered'};
const ALL = ['lost', 'duplicated', 'reordered', 'corrupt', 'errors', 'closed'];

function only(figures, name, share) {
  for (const other of ALL)
    if (other !== name) assert.equal(figures[other], 0, `${other}: ${JSON.stringify(figures)}`);
  const wanted = figures.expected * share;
  assert.ok(figures[name] > 0.7 * wanted && figures[name] < 1.3 * wanted,
            `${name} is ${figures[name]}, about ${wanted} were planted`);
}

// 0.1 s of warm-up are to it: a little more than five, or four, times the hundred of a fault for each connection.
const ECHO = ['--connections', 4, '--rate', 1900, '--timeout', 1, '--duration', 1];
const FANOUT = ['--mode', 'fanout', '--connections', 8, '--rate', 400, '--timeout', 1, '--duration', 1];

for (const [fault, name] of Object.entries(COUNTED_AS)) {
  describe(`a server that would ${fault}`, AT_ONCE, () => {
    it('echo over WebSocket', () => using(webSocketServer({fault}), async ({url}) => {
      only((await bench(url, ...ECHO)).report.figures, name, 0.01);
    }));
    // Socket.IO on Node sends no ack twice.
    if (fault !== 'repeat')
      it('acks of Socket.IO', () => using(socketIoServer({fault}), async ({url}) => {
        only((await bench(url, ...ECHO)).report.figures, name, 0.01);
      }));
    it('a fan-out over WebSocket', () => using(webSocketServer({fault, broadcast: true}), async ({url}) => {
      only((await bench(url, ...FANOUT)).report.figures, name, 0.01);
    }));
    it('a fan-out over Socket.IO', () => using(socketIoServer({fault}), async ({url}) => {
      only((await bench(url, ...FANOUT, '--join', 'join', '--join-data', '"room"')).report.figures, name, 0.01);
    }));
  });
}

describe('the audit', AT_ONCE, () => {
  it('a closed loop goes on behind a loss', () => using(webSocketServer({fault: 'lose'}), async ({url}) => {
    const {report} = await bench(url, '--connections', 4, '--timeout', 0.3, '--duration', 1.5);
    assert.ok(report.figures.lost >= 8, JSON.stringify(report.figures));
    assert.ok(report.figures.rate > 100, JSON.stringify(report.figures));
  }));

  it('changed messages are corrupt', () => using(webSocketServer({corrupt: true}), async ({url}) => {
    const {figures} = (await bench(url, '--connections', 2, '--rate', 50, '--timeout', 0.5)).report;
    assert.ok(figures.corrupt > 20, JSON.stringify(figures));
    assert.equal(figures.corrupt, figures.lost);
  }));

  it('answers that are errors are no answers', () => using(socketIoServer(), async ({url}) => {
    const {report} = await bench(url, '--event', 'refuse', '--connections', 2, '--rate', 50);
    assert.ok(report.figures.errors > 20);
    assert.equal(report.latency_us.count, 0);
    assert.match(report.first_error, /Not today/);
  }));

  it('a server that closes is told', () => using(webSocketServer(), async (server) => {
    const run = startBench(server.url, '--connections', 3, '--warm-up', 0, '--duration', 20, '--progress');
    await until(() => /measuring/.test(run.errors()), 'the load', 10_000);
    for (const client of server.clients) client.close(1001, 'enough');
    const {status, errors} = await run.ended;
    assert.equal(status, 69);
    assert.match(errors, /every connection was closed: closed by the server with 1001 enough/);
  }));
});

describe('the gate', AT_ONCE, () => {
  it('passes what is within', () => using(webSocketServer(), async ({url}) => {
    const {status, report} = await bench(url, '--rate', 50, '--fail-if', 'lost>0', 'p99>10s', '--fail-if', 'rate<1');
    assert.equal(status, 0);
    assert.deepEqual(report.failed, []);
  }));
  it('fails what is not, with the value', () => using(webSocketServer({fault: 'lose'}), async ({url}) => {
    const {status, report, errors} = await bench(url, ...ECHO, '--fail-if', 'lost>0', 'errors>0');
    assert.equal(status, 1);
    assert.equal(report.failed.length, 1);
    assert.match(errors, /failed: lost>0 \(it is \d+\)/);
  }));
});
