// What each mode measures, on Wirehall's hall and on npm's servers: nothing is lost where nothing was.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, rmSync} from 'node:fs';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {
  AT_ONCE, bench, newFolder, socketIoServer, startBench, unlimitedHall, using, webSocketServer,
} from './support/bench.mjs';

/** A run that went well: something was measured, and the audit found nothing. */
function whole({status, report, errors}, connections) {
  assert.equal(status, 0, errors);
  const {figures} = report;
  assert.equal(figures.connected, connections, errors);
  assert.ok(figures.rate > 0, `nothing came: ${errors}`);
  assert.ok(figures.expected > 0);
  for (const name of ['lost', 'duplicated', 'reordered', 'corrupt', 'errors', 'failed', 'closed'])
    assert.equal(figures[name], 0, `${name}: ${JSON.stringify(figures)} ${errors}`);
  assert.equal(figures.delivered, 1);
  assert.ok(report.latency_us.count > 0);
  assert.ok(report.latency_us.p50 <= report.latency_us.p99 && report.latency_us.p99 <= report.latency_us.max);
  return report;
}

let hall;
before(async () => { hall = await unlimitedHall(); });
after(() => hall.stop());

describe('a hall in development', AT_ONCE, () => {
  it('is known by its greeting, and gives tokens', async () => {
    const {report, errors, status} = await bench(`${hall.ws}/ws`, '--connections', 10);
    whole({report, errors, status}, 10);
    assert.equal(report.protocol, 'native');
    assert.equal(report.hall, true);
    assert.match(errors, /tokens come from the server's \/dev\/token/);
  });
  it('is found at /ws where no path was given', async () => {
    whole(await bench(hall.ws, '--connections', 4, '--in-flight', 3), 4);
  });
  it('takes signed tokens too', async () => {
    const {status, errors} = await bench(`${hall.ws}/ws`, '--secret', 'not the secret of this server at all');
    assert.equal(status, 69);
    assert.match(errors, /The token was not accepted/);
  });
  for (const url of ['ws', 'http']) {
    it(`broadcasts (${url})`, async () => {
      const report = whole(
          await bench(hall[url === 'ws' ? 'ws' : 'url'] + (url === 'ws' ? '/ws' : ''), '--mode', 'fanout',
                      '--connections', 40, '--publishers', 4, '--rooms', 2, '--threads', 2), 40);
      // Two rooms of 20: each message goes to 19.
      assert.equal(report.figures.expected, report.figures.sent * 19);
      assert.ok(report.answer_us.count > 0);
    });
    it(`stores messages (${url})`, async () => {
      whole(await bench(hall[url === 'ws' ? 'ws' : 'url'] + (url === 'ws' ? '/ws' : ''), '--mode', 'fanout',
                        '--event', 'message', '--connections', 20, '--rate', 200, '--random'), 20);
    });
  }
  it('chats, with two generators at once that do not take each other for themselves', async () => {
    const runs = await Promise.all([`${hall.ws}/ws`, hall.url].map((url) => bench(
        url, '--mode', 'chat', '--connections', 40, '--rooms', 4, '--rate', 400, '--threads', 2)));
    for (const run of runs) assert.ok(whole(run, 40).answer_us.count > 60);
  });
});

// One by one: what else the server does meanwhile would be counted too.
describe('what a hall costs', () => {
  it('holds idle connections and tells what they cost', async () => {
    const {status, report, errors} = await bench(
        hall.url, '--mode', 'idle', '--connections', 300, '--server-pid', hall.pid, '--connect-rate', 1000);
    assert.equal(status, 0, errors);
    assert.equal(report.figures.connected, 300);
    assert.ok(report.server.rss_bytes_per_connection > 0);
    assert.ok(report.opened_per_second < 1100, `${report.opened_per_second}`);
  });
  it('measures the CPU time of the server', async () => {
    const report = whole(await bench(`${hall.ws}/ws`, '--server-pid', hall.pid, '--busy', '--threads', 1), 100);
    assert.ok(report.server.cpu_us_per_operation > 0);
    assert.ok(report.server.user_share >= 0 && report.server.user_share <= 1);
    assert.ok(report.server.opening_cpu_us_per_connection > 0);
    assert.ok(report.generator.cpu_us_per_operation > 0);
  });
});

describe('npm servers', AT_ONCE, () => {
  for (const transport of ['websocket', 'polling', 'upgrade']) {
    it(`Socket.IO over ${transport}`, () => using(socketIoServer(), async (server) => {
      const report =
          whole(await bench(server.url, '--transport', transport, '--connections', 20, '--threads', 2), 20);
      assert.equal(report.protocol, 'socketio');
      assert.equal(report.hall, false);
    }));
    it(`Socket.IO fan-out over ${transport}`, () => using(socketIoServer(), async (server) => {
      whole(await bench(server.url, '--transport', transport, '--connections', 20, '--mode', 'fanout', '--rooms', 2,
                        '--publishers', 2, '--join', 'join'), 20);
    }));
  }
  for (const transport of ['websocket', 'polling'])
    it(`heartbeats are answered over ${transport}`, () => using(
        socketIoServer({pingInterval: 100, pingTimeout: 400}), async (server) => {
      const {report, errors, status} = await bench(
          server.url, '--mode', 'idle', '--transport', transport, '--connections', 5, '--duration', 0.8);
      assert.equal(status, 0, errors);
      assert.equal(report.figures.closed, 0, errors);
    }));
  it('a namespace', () => using(socketIoServer(), async (server) => {
    whole(await bench(`${server.url}/chat`, '--connections', 5), 5);
  }));
  for (const fragments of [false, true])
    it(`plain WebSocket${fragments ? ' in fragments' : ''}`, () => using(webSocketServer({fragments}), async (server) => {
      const report = whole(await bench(server.url, '--connections', 20, '--size', 70000), 20);
      assert.equal(report.protocol, 'websocket');
    }));
  it('plain WebSocket fan-out', () => using(webSocketServer({broadcast: true}), async (server) => {
    whole(await bench(server.url, '--mode', 'fanout', '--connections', 20, '--publishers', 3, '--data',
                      '{"text":"{data}"}'), 20);
  }));
  it('from many addresses', () => using(webSocketServer(), async (server) => {
    const seen = new Set();
    const timer = setInterval(() => {
      for (const client of server.clients) seen.add(client._socket.remoteAddress);
    }, 20);
    whole(await bench(server.url, '--connections', 20, '--source-addresses', '127.0.0.2,127.0.0.3'), 20);
    clearInterval(timer);
    seen.delete('127.0.0.1');  // the first connection of all may come from anywhere
    assert.deepEqual([...seen].sort(), ['127.0.0.2', '127.0.0.3']);
  }));
});

describe('TLS', () => {
  it('with a certificate that is trusted, or any; never with a strange one', async () => {
    const folder = newFolder();
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                             '-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext',
                             'subjectAltName=IP:127.0.0.1'], {stdio: 'ignore'});
    try {
      await using(socketIoServer({}, {key: readFileSync(key), cert: readFileSync(cert)}), async ({url}) => {
        const runs = await Promise.all([
          ...['websocket', 'polling', 'upgrade'].map((transport) => bench(
              url, '--ca', cert, '--transport', transport, '--connections', 10, '--size', 50000)),
          bench(url, '--insecure', '--connections', 10)]);
        for (const run of runs) whole(run, 10);
        const {status, errors} = await bench(url);
        assert.equal(status, 69);
        assert.match(errors, /no TLS with the server: self-signed certificate/);
      });
    } finally {
      rmSync(folder, {recursive: true});
    }
  });
});

// One by one: the servers are in this process, and one of them stops it.
describe('an open loop', () => {
  const OPEN = ['--connections', 4, '--rate', 500, '--warm-up', 0, '--duration', 2];  // its second line of progress comes behind one
  const measuring = (run) => until(() => /measuring/.test(run.errors()), 'the load', 10_000);
  const stall = (milliseconds) => {
    const end = Date.now() + milliseconds;
    while (Date.now() < end);
  };

  it('shows a server that stalls in every message that was due meanwhile', () => using(webSocketServer(), async ({url}) => {
    const run = startBench(url, ...OPEN, '--progress');
    await measuring(run);
    stall(300);
    const {latency_us: latency, figures} = (await run.ended).report;
    // 150 of 1,000, in all lengths up to the whole stall.
    assert.ok(latency.p99 > 250_000 && latency.p90 > 50_000, JSON.stringify(latency));
    assert.ok(latency.p50 < 50_000, JSON.stringify(latency));
    assert.equal(figures.lost, 0);
  }));
  it('which a closed loop hides', () => using(webSocketServer(), async ({url}) => {
    const run = startBench(url, '--connections', 4, '--warm-up', 0, '--duration', 2, '--progress');
    await measuring(run);
    stall(300);
    const {latency_us: latency, open_loop: open} = (await run.ended).report;
    assert.equal(open, false);
    // Four messages, of thousands.
    assert.ok(latency.max > 250_000 && latency.p99 < 50_000, JSON.stringify(latency));
  }));
  it('counts from the time at which a message was due, when the generator was late itself', () => using(
      webSocketServer(), async ({url}) => {
    const run = startBench(url, ...OPEN, '--progress');
    await measuring(run);
    run.child.kill('SIGSTOP');
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    run.child.kill('SIGCONT');
    const {report: {latency_us: latency, lag_us: lag, warnings, figures}} = await run.ended;
    assert.ok(latency.p99 > 250_000 && lag.p99 > 250_000, JSON.stringify([latency, lag]));
    assert.ok(latency.p50 < 50_000, JSON.stringify(latency));
    assert.match(warnings.join(), /messages left late/);
    assert.ok(figures.sent >= 995 && figures.sent <= 1050, `${figures.sent}`);  // what was due is made up for
    assert.equal(figures.lost, 0);
  }));
  it('keeps its rate', () => using(webSocketServer(), async ({url}) => {
    const {report} = await bench(url, '--connections', 10, '--threads', 2, '--rate', 300, '--duration', 1);
    assert.ok(Math.abs(report.figures.rate - 300) < 15, `${report.figures.rate}`);
    assert.equal(report.open_loop, true);
  }));
});
