// What cannot be measured, and what was mistyped: a text that says what to do, and a status that is not 0.
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {createServer} from 'node:http';
import {createServer as createTcpServer} from 'node:net';
import {once} from 'node:events';
import {describe, it} from 'node:test';

import {hallServer} from '../support/server.mjs';

import {AT_ONCE, bench, program, socketIoServer, using, webSocketServer} from './support/bench.mjs';

const listening = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {port: server.address().port, stop: () => { server.closeAllConnections?.(); server.close(); }};
};
const refused = async (pattern, status, ...args) => {
  const run = await bench(...args);
  assert.match(run.errors, pattern);
  assert.equal(run.status, status, run.errors);
  assert.equal(run.report, undefined);
};

describe('servers that are none', AT_ONCE, () => {
  it('nobody listens', async () => {
    const server = await listening(createTcpServer());
    server.stop();
    await refused(/no connection to 127\.0\.0\.1:\d+: Connection refused/, 69, `http://127.0.0.1:${server.port}`);
  });
  it('a host that does not exist', () =>
      refused(/the host "nowhere\.invalid" was not found/, 64, 'ws://nowhere.invalid:1'));
  for (const scheme of ['http', 'ws'])
    it(`a plain HTTP server, as ${scheme}`, () => using(
        listening(createServer((request, response) => response.end('<html>hello'))),
        ({port}) => refused(/refused with HTTP 200 OK[^]*Is it a (Socket\.IO|WebSocket) server/, 69,
                            `${scheme}://127.0.0.1:${port}`)));
  it('a plain HTTP server, by polling', () => using(
      listening(createServer((request, response) => response.end('<html>hello'))),
      ({port}) => refused(/no Socket\.IO answers under \/socket\.io\/: <html>hello/, 69, `http://127.0.0.1:${port}`,
                          '--transport', 'polling')));
  it('a server that says nothing', () => using(
      listening(createTcpServer()),
      ({port}) => refused(/no answer to the HTTP request within the timeout/, 69, `ws://127.0.0.1:${port}`, '--timeout', 0.5)));
  it('a server that speaks something else', () => using(
      listening(createTcpServer((socket) => socket.end('220 mail.example ESMTP\r\n'))),
      ({port}) => refused(/no HTTP/, 69, `ws://127.0.0.1:${port}`)));
  it('Socket.IO as WebSocket', () => using(socketIoServer(), ({port}) => refused(
      /it speaks Socket\.IO: give the URL as http:/, 69,
      `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)));
  it('WebSocket as Socket.IO', () => using(webSocketServer(), ({port}) => refused(
      /a plain WebSocket server by ws:/, 69, `http://127.0.0.1:${port}`, '--timeout', 0.5)));
  it('a namespace that does not exist', () => using(socketIoServer(), ({url}) => refused(
      /Invalid namespace/, 69, `${url}/nowhere`)));
  it('a hall that wants tokens', () => using(
      hallServer(), ({url}) => refused(/The token was not accepted/, 69, url, '--token', 'nonsense')));
  it('a join that is refused', () => using(
      socketIoServer(), ({url}) => refused(/the join was refused: .*Not today/, 69, url, '--join', 'refuse',
                                           '--join-data', '1')));
});

describe('options', AT_ONCE, () => {
  const url = 'ws://127.0.0.1:9';
  const cases = [
    [/begins with none of http/, 'localhost:3000'],
    [/--mode/, url, '--mode', 'everything'],
    [/--connections/, url, '--connections', '-3'],
    [/more --publishers than --connections/, url, '--mode', 'fanout', '--publishers', 200],
    [/more --rooms than/, url, '--rooms', 200],
    [/--slow is for --mode slow/, url, '--slow', 3],
    [/nobody is left who reads/, url, '--mode', 'slow', '--slow', 99],
    [/"p99>5" judges a time: its limit wants a unit/, url, '--fail-if', 'p99>5'],
    [/judges "speed", which is no figure of this mode; these are: mean, p50/, url,
     '--fail-if', 'speed<3'],
    [/--header wants "Name: value"/, url, '--header', 'nonsense'],
    [/--user-prefix takes letters/, url, '--user-prefix', 'a b'],
    [/"elsewhere" is no address/, url, '--source-addresses', 'elsewhere'],
    [/names 1, and 50000 connections want 3/, url, '--connections', 50000, '--source-addresses', '127.0.0.2'],
    [/\/dev\/null cannot be used/, 'wss://127.0.0.1:9', '--ca', '/dev/null'],
  ];
  for (const [pattern, ...args] of cases) {
    it(args.slice(1).join(' ') || args[0], async () => {
      const run = await bench(...args);
      assert.match(run.errors, pattern);
      assert.notEqual(run.status, 0);
    });
  }
  it('modes of the hall want one', () => using(webSocketServer(), async (server) => {
    for (const mode of ['chat', 'jitter'])
      await refused(/speaks the events of Wirehall's hall/, 64, server.url, '--mode', mode);
  }));
  it('--data without {data}', () => using(webSocketServer(), (server) => refused(
      /--data has no \{data\}/, 64, server.url, '--data', 'hello')));
  it('a transport that WebSocket has not', () => using(webSocketServer(), (server) => refused(
      /--transport polling is for Socket\.IO/, 64, server.url, '--transport', 'polling')));
  it('too few descriptors: the command that mends it', () => {
    const run = spawnSync('bash', ['-c', 'ulimit -n 200; exec "$0" bench ws://127.0.0.1:9 --connections 1000', program],
                          {encoding: 'utf8'});
    assert.equal(run.status, 64);
    assert.match(run.stderr, /wants 1\d\d\d descriptors, and this process may have 200/);
    assert.match(run.stderr, /\n {4}ulimit -n 1\d\d\d\n/);
  });
  it('a report that cannot be written', () => using(webSocketServer(), async (server) => {
    // The server is in this process: nothing here may wait for the program.
    const child = spawn(program, ['bench', server.url, '--warm-up', '0', '--duration', '0.2', '--json', '/nonexistent/report.json'],
                        {stdio: ['ignore', 'ignore', 'pipe']});
    let errors = '';
    child.stderr.on('data', (data) => { errors += data; });
    const [status] = await once(child, 'close');
    assert.equal(status, 73);
    assert.match(errors, /report\.json could not be written/);
  }));
});
