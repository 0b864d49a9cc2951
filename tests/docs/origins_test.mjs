// docs/reference/errors.md, what a browser's page of another origin sees: CORS, with the texts of a real
// browser.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import {createServer} from 'node:http';
import {after, before, test} from 'node:test';
import {chromium} from 'playwright-core';

import {Hall, sign} from '../hall/support/hall.mjs';
import {hallServer} from '../support/server.mjs';

import {textOf} from './support/blocks.mjs';

const PAGE = textOf('docs/reference/errors.md');

let browser, pages, origin, stock;
before(async () => {
  stock = await hallServer();  // it lends the stock client's file
  const client = await (await fetch(`${stock.url}/socket.io/socket.io.js`)).text();
  pages = createServer((request, response) => {
            response.setHeader('Content-Type', request.url.endsWith('.js') ? 'text/javascript' : 'text/html');
            response.end(request.url.endsWith('.js') ? client : '<script src="/socket.io.js"></script>');
          }).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  origin = `http://www.example:${pages.address().port}`;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium-headless-shell',
    args: [
      '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
      '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
      '--host-resolver-rules=MAP www.example 127.0.0.1'
    ]
  });
});
after(async () => {
  await browser.close();
  pages.close();
  await stock.stop();
});

/** What a page at `origin` sees of a hall: by polling, by a WebSocket on /ws, and in the console. */
async function seen(hall) {
  const page = await browser.newPage();
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  await page.goto(`${origin}/`);
  const {polling, native} = await page.evaluate(async ({url, token}) => {
    const socket = io(url, {auth: {token}, transports: ['polling'], reconnection: false});
    const polling = await new Promise(
        (resolve) => socket.on('connect', () => resolve('connect'))
                         .on('connect_error', (error) => resolve(`${error.message} ${error.description}`)));
    socket.close();
    const native = await new Promise((resolve) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?token=${token}`);
      socket.onopen = () => resolve('open');
      socket.onclose = ({code}) => resolve(`close ${code}`);
    });
    return {polling, native};
  }, {url: hall.url, token: sign('ann')});
  await page.close();
  return {polling, native, said: said.join('\n')};
}

test(
    'a page of an origin that is not listed cannot connect, and the console says CORS', {timeout: 60_000},
    async () => {
      const hall = await Hall.start();
      const {polling, native, said} = await seen(hall);
      assert.equal(polling, 'xhr poll error 0');
      assert.equal(native, 'close 1006');
      assert.match(said, /blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present/);
      assert.match(said, /Unexpected response code: 403/);
      for (const text of ['`xhr poll error`', '"Blocked by CORS policy"', '1006'])
        assert.ok(PAGE.includes(text), text);
      await hall.stop();
    });

test('listed, exactly as location.origin shows it, it can', {timeout: 60_000}, async () => {
  const hall = await Hall.start({cors: {origin: [origin]}});
  const {polling, native} = await seen(hall);
  assert.deepEqual([polling, native], ['connect', 'open']);
  await hall.stop();
});
