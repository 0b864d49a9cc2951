// docs/tutorial.md as a new user goes through it: its commands in order, in a clean folder. Without
// WIREHALL_TEST_FULL the project is not compiled: `./dev` is a stand-in that runs `wirehall serve` with the
// project's page.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {chromium} from 'playwright-core';
import {io} from 'socket.io-client';

import {root, until} from '../support/server.mjs';

import {blocksOf, noteOf, textOf, whereIs} from './support/blocks.mjs';
import {withNginx} from './support/nginx.mjs';
import {freePort, Sandbox} from './support/sandbox.mjs';
import {checkPrinted, stepsOf} from './support/steps.mjs';

const PAGE = 'docs/tutorial.md';
const full = process.env.WIREHALL_TEST_FULL === '1';
const build = process.env.WIREHALL_BUILD ?? path.join(root, 'build/release');
const MINUTES = 60_000;

const blocks = blocksOf(PAGE);
const steps = stepsOf(blocks);

let sandbox, deployed = false;
before(async () => {
  sandbox = new Sandbox(await freePort(), await freePort(), {outside: full});
});
after(() => sandbox.remove());

/** Wirehall's package, made from what is built. */
function packaged() {
  const folder = path.join(sandbox.directory, 'package');
  execFileSync('cpack', ['--config', path.join(build, 'CPackConfig.cmake'), '-B', folder], {stdio: 'pipe'});
  const [name] = execFileSync('ls', [folder], {encoding: 'utf8'}).match(/^wirehall_.*\.deb$/m);
  return path.join(folder, name);
}

/** What stands for the project's `./dev`: the hall without the project's own sources. */
const STAND_IN = `#!/bin/sh
set -eu
case $1 in
  serve) exec wirehall serve --dev --client client ;;
  add) exec wirehall "$@" ;;
  test) node --check tests/$2.test.mjs ;;
  build) mkdir -p build/release; printf '#!/bin/sh\\nexec wirehall serve --client client "$@"\\n' >build/release/my-chat
         chmod +x build/release/my-chat ;;
  *) echo "no $1" >&2; exit 2 ;;
esac
`;

/** The steps, with the stand-in put in place behind `wirehall new`. */
function textsOf(list) {
  if (full) return list.map(({text}) => text);
  const made = list.findIndex(({text}) => text.includes('wirehall new my-chat'));
  assert.ok(made >= 0, 'the page makes a project');
  return list.map(
      ({text}, at) => at === made ?
          `${text}\nmv dev dev.real\ncat >dev <<'END OF FILE'\n${STAND_IN}END OF FILE\nchmod +x dev` :
          text);
}

/** nginx with what the page put into /etc/nginx, on a port of the test; `use(url)` while it runs. */
async function throughNginx(use) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const site = sandbox.adapt(readFileSync(sandbox.adapt('/etc/nginx/conf.d/my-chat.conf'), 'utf8'));
  assert.ok(site.includes('listen 80;'));
  const answers = () => fetch(`${url}/nothing`).then(() => true, () => false);
  await withNginx(site.replace('listen 80;', `listen 127.0.0.1:${port};`), answers, () => use(url));
}

/** Ann and Bob open the page, each with a password, and talk. */
async function talkInBrowsers(url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium-headless-shell',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
  });
  try {
    const people = await Promise.all(['ann', 'bob'].map(async (username) => {
      const httpCredentials = {username, password: `a password for ${username}`};
      const page = await (await browser.newContext({httpCredentials})).newPage();
      await page.goto(url);
      await page.getByLabel('Your name').fill('whoever');
      await page.getByRole('button', {name: 'Sign in'}).click();
      await page.locator('#join').getByLabel('Room').fill('lobby');
      await page.locator('#join').getByRole('button', {name: 'Join'}).click();
      await page.locator('#composer').getByLabel('Message').fill(`it is ${username}`);
      await page.locator('#composer').getByRole('button', {name: 'Send'}).click();
      return page;
    }));
    for (const page of people) {
      for (const username of ['ann', 'bob']) {
        // Who wrote stands there when the server has the message.
        const row = page.locator('#room li', {hasText: `it is ${username}`, hasNotText: 'Sending'});
        await row.waitFor();
        assert.match(
            await row.textContent(), new RegExp(`^${username} `), 'the token says who it is, not the form');
      }
    }
  } finally {
    await browser.close();
  }
}

/** Starts what the page has installed once more, as its units say: it ended with the page's shell. */
const WHAT_RUNS = 'systemctl enable --now my-chat my-chat-token';

test('its commands run, in order, and print what it shows', {timeout: 20 * MINUTES}, async () => {
  const env = full ? {WIREHALL_DEB: packaged(), JWT_SECRET: undefined, WIREHALL_AUTH__API_KEYS: undefined} :
                     {JWT_SECRET: undefined, WIREHALL_AUTH__API_KEYS: undefined};
  mkdirSync(sandbox.adapt('/etc/nginx/conf.d'), {recursive: true});
  mkdirSync(sandbox.adapt('/etc/systemd/system'), {recursive: true});
  const outputs = await sandbox.shell(textsOf(steps), {env, milliseconds: 15 * MINUTES});
  checkPrinted(steps, outputs, (text) => sandbox.adapt(text));

  assert.ok(existsSync(sandbox.adapt('/opt/my-chat/client/index.html')));
  assert.match(readFileSync(sandbox.adapt('/opt/my-chat/client/sign_in.js'), 'utf8'), /fetch\(`\/token`\)/);
  const main = readFileSync(path.join(sandbox.directory, 'my-chat/src/app.cpp'), 'utf8');
  assert.match(main, /on_roll_dice\(io, hall\);/);
  deployed = true;
});

test('what is deployed lets those in who know a password', {timeout: MINUTES}, async () => {
  assert.ok(deployed, 'the commands of the page have failed');
  const answers = (port) => fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false);
  // It ends with what it has started: the shell's group.
  const running = spawn('bash', ['-c', `${WHAT_RUNS}; sleep 60`], {
    cwd: sandbox.directory,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: sandbox.environment({JWT_SECRET: undefined, WIREHALL_AUTH__API_KEYS: undefined})
  });
  try {
    await until(
        async () => await answers(sandbox.port) && await answers(sandbox.backendPort), 'both units run');
    await throughNginx(async (url) => {
      assert.equal((await fetch(`${url}/`)).status, 200);
      assert.equal((await fetch(`${url}/token`)).status, 401);
      assert.equal(
          (await fetch(`${url}/dev/token?user=ann`)).status, 404, 'nobody gets a token without a password');
      const wrong = await fetch(`${url}/token`, {headers: {Authorization: `Basic ${btoa('ann:guess')}`}});
      assert.equal(wrong.status, 401);
      const right =
          await fetch(`${url}/token`, {headers: {Authorization: `Basic ${btoa('ann:a password for ann')}`}});
      const {token} = await right.json();
      const socket = io(url, {auth: {token}, reconnection: false});
      const [welcome] = await once(socket, 'connected');
      assert.equal(welcome.userId, 'ann');
      await socket.emitWithAck('join-room', 'lobby');
      const rolled = await socket.emitWithAck('roll-dice', {roomId: 'lobby'});
      if (full)
        assert.ok(rolled.value >= 1 && rolled.value <= 6, JSON.stringify(rolled));
      else
        assert.equal(rolled.code, 'unknown-event');
      socket.close();
      await talkInBrowsers(url);
    });
  } finally {
    process.kill(-running.pid, 'SIGKILL');
  }
});

test('every command says what it is, and those that are left out say why', () => {
  for (const block of blocks.filter(({language}) => language === 'sh')) {
    const reason = noteOf(block, 'not run');
    if (reason !== undefined) assert.ok(reason.length > 10, whereIs(block));
  }
  assert.ok(steps.length >= 15, String(steps.length));
  assert.match(textOf(PAGE), /\n## 5\. Deploy it\n/);
});
