// A server of its own and pages of a real Chromium, which write down everything that goes wrong in them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { WebSocket } from 'ws';
import { Client } from '../../clients/js/src/wirehall.js';
import { until } from '../support/server.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = resolve(ROOT, process.env.WIREHALL_BIN ?? 'build/release/wirehall');
const SCREENSHOTS = join(ROOT, 'build/screenshots');
export const TIMEOUT = 20_000;

// The same engine without what only a window needs: it takes half the processor time.
const SHELL = process.env.CHROMIUM || '/usr/bin/chromium-headless-shell';
/** The whole browser, for what the other one has not: it shows no notifications. */
export const WHOLE = process.env.CHROMIUM || '/usr/bin/chromium';

export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const DESKTOP = { viewport: { width: 1280, height: 800 } };

export const alice = { name: 'alice', protocol: 'socketio' };
export const bob = { name: 'bob', protocol: 'native' };
export const carol = { name: 'carol', protocol: 'socketio' };

// What a browser says of a server that is away.
export const OUTAGE = new RegExp(['ERR_CONNECTION_REFUSED', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE',
  'ERR_SOCKET_NOT_CONNECTED', 'WebSocket connection to .* failed'].join('|'));

/**
 * Gives a file its browser, and a function for its tests: each has a server of its own and tabs, in which
 * nothing may have gone wrong in the end.
 */
export function demos() {
  return stage(async (environment) => ({ server: await Server.start(environment) }), ({ browser, server, keep }) => ({
    open: async (options, address = server.url) => keep(await Tab.open(browser, address, options)),
    enter: async (...values) => keep(await Tab.enter(browser, server, ...values)),
  }));
}

/**
 * What demos() does, for tests of other pages too.
 *
 * @param begin  (options) => {server, end?}, for one test
 * @param tools  ({browser, server, keep, atEnd}) => what the test gets besides server and atEnd; keep(tab) has the tab
 *               looked at and closed
 * @param program  which browser
 */
export function stage(begin, tools, program = SHELL) {
  let browser;
  before(async () => { browser = await launch(program); });
  after(() => browser.close());
  return (title, options, run) => test(title, { timeout: 120_000 }, async () => {
    const { server, end } = await begin(options);
    const tabs = [];
    const ends = []; // of what else was begun
    const keep = (tab) => { tabs.push(tab); return tab; };
    const atEnd = (action) => ends.push(action);
    try {
      await run({ server, atEnd, ...tools({ browser, server, keep, atEnd }) });
      assert.deepEqual(tabs.flatMap((tab) => tab.problems), [], 'console errors, policy violations, dialogs');
    } catch (error) {
      await Promise.all(tabs.map((tab, i) => tab.screenshot(`failure-${i}`).catch(() => {}))); // a closed tab has none
      throw error;
    } finally {
      await Promise.all(tabs.map((tab) => tab.close()));
      for (const action of ends) await action();
      await server.end();
      await end?.();
    }
  });
}

// -- the server --------------------------------------------------------------------------------------

export class Server {
  #data = mkdtempSync(join(tmpdir(), 'wirehall-demo-'));
  #process;

  /**
   * @param environment  settings, by their names in the environment. With a JWT_SECRET, or where it asks for
   *                     no tokens, it is a server as it stands in production: without --dev.
   * @param flags        more of them
   */
  static async start(environment = {}, flags = []) {
    const server = new Server();
    server.environment = environment;
    server.flags = flags;
    await server.run(0);
    return server;
  }

  async run(port) {
    const environment = {
      ...process.env,
      JWT_SECRET: undefined, // under --dev a restart makes a new one: old tokens must not be of use
      WIREHALL_CLIENT_DIRECTORY: join(ROOT, 'node_modules/socket.io-client/dist'),
      ...this.environment,
    };
    const dev = environment.JWT_SECRET || environment.WIREHALL_AUTH__MODE ? [] : ['--dev'];
    this.#process = spawn(PROGRAM, ['serve', ...dev, '--port', String(port), '--data', this.#data, ...this.flags],
      { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    this.#process.stderr.on('data', (text) => (said += text));
    this.url = await new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
      let printed = '';
      this.#process.stdout.on('data', (text) => {
        printed += text;
        const found = /Wirehall listens on (\S+)\n/.exec(printed);
        if (found) resolve(found[1]);
      });
    });
  }

  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  restart() {
    return this.run(new URL(this.url).port);
  }

  async end() {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
  }
}

/** Somebody without a page, by the client of the native protocol. */
export async function person(server, name, ...rooms) {
  const token = async () => (await (await fetch(`${server.url}/dev/token?user=${name}`)).json()).token;
  const client = await new Client(server.url, { WebSocket, token }).connect();
  for (const room of rooms) await client.join(room);
  return client;
}

/** A cable between a page and the server, which can be pulled out. */
export class Cable {
  #sockets = new Set();
  #answers = new Set(); // the ends at the server
  #isCut = false;

  static async to(server) {
    const cable = new Cable();
    const { hostname, port } = new URL(server.url);
    cable.listener = net.createServer((near) => {
      if (cable.#isCut) return near.destroy();
      const far = net.connect(port, hostname);
      cable.#answers.add(far.on('close', () => cable.#answers.delete(far)));
      for (const [socket, other] of [[near, far], [far, near]]) {
        cable.#sockets.add(socket);
        socket.on('error', () => {}); // `close` follows
        socket.on('close', () => {
          cable.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    cable.listener.listen(0, '127.0.0.1');
    await once(cable.listener, 'listening');
    cable.url = `http://127.0.0.1:${cable.listener.address().port}`;
    return cable;
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  /** From now on nothing that the server says comes through the connections that there are. */
  deafen() {
    for (const far of this.#answers) far.unpipe().resume();
  }

  end() {
    this.cut();
    this.listener.close();
  }
}

// -- pages -------------------------------------------------------------------------------------------

function launch(program) {
  return chromium.launch({
    executablePath: program,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      // A camera and a microphone that are made up, and browsers that reach each other on this machine.
      '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection'],
  });
}

/** One person's browser with one page; what goes wrong in it is in `problems`. */
export class Tab {
  problems = [];
  allowed = /(?!)/; // problems that the test brings about
  upgraded = false; // by Socket.IO, from polling

  static async open(browser, address, options = {}) {
    const tab = new Tab();
    const permissions = ['camera', 'microphone'];
    tab.context = await browser.newContext({ locale: 'en-GB', permissions, ...DESKTOP, ...options });
    tab.context.setDefaultTimeout(TIMEOUT);
    tab.page = await tab.context.newPage();
    const note = (text) => tab.allowed.test(text) || tab.problems.push(text);
    tab.page.on('console', (message) => ['error', 'warning'].includes(message.type()) && note(message.text()));
    tab.page.on('pageerror', (error) => note(error.stack));
    tab.page.on('dialog', (dialog) => { note(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    tab.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => { tab.upgraded ||= payload === '5'; }));
    await tab.page.addInitScript(() => document.addEventListener('securitypolicyviolation', (violation) =>
      console.error(`policy: ${violation.effectiveDirective} refuses ${violation.blockedURI}`)));
    await tab.page.goto(address);
    return tab;
  }

  /**
   * A tab that is in its rooms, and that says goodbye when it is closed: over Socket.IO it cannot while it polls or
   * upgrades, and then the server waits for it to come back.
   */
  static async enter(browser, server, { name, protocol, room = 'lobby' }, options) {
    const parameters = new URLSearchParams({ name, protocol });
    for (const each of [room].flat()) parameters.append('room', each);
    const tab = await Tab.open(browser, `${server.url}/?${parameters}`, options);
    await tab.isIn();
    if (protocol === 'socketio') await until(() => tab.upgraded, "Socket.IO's upgrade", TIMEOUT);
    return tab;
  }

  isIn() {
    return this.page.waitForFunction(() => document.querySelector('#state').dataset.state === 'connected' &&
      /here$/.test(document.querySelector('#note').textContent));
  }

  async say(text) {
    await this.page.fill('#text', text);
    await this.page.press('#text', 'Enter');
  }

  /** Waits for a message with just this text, from the server. */
  sees(text) {
    return this.page.waitForFunction((wanted) => [...document.querySelectorAll('.message:not(.pending):not(.changing)')]
      .some((row) => row.querySelector('.text')?.textContent === wanted), text);
  }

  /** The texts of the talk that is shown. */
  texts() {
    return this.page.locator('.message .text').allTextContents();
  }

  /** The row with this text. */
  row(text) {
    return this.page.locator('.message').filter({ has: this.page.locator('.text', { hasText: exactly(text) }) });
  }

  /** Chooses from the menu behind a button. */
  async choose(button, text) {
    await button.click();
    await this.page.getByRole('menu').getByText(text, { exact: true }).click();
  }

  /** Chooses from the menu of a message. */
  async chooseOf(message, text) {
    const row = this.row(message);
    await row.hover();
    await this.choose(row.locator('.more'), text);
  }

  /** Opens a room or a conversation by what stands in the list. */
  async goTo(name) {
    await this.page.locator('.place').filter({ has: this.page.getByText(name, { exact: true }) }).click();
    await this.reads('#title', name);
  }

  /** Answers the question that stands in front. */
  async answer(values, action) {
    for (const [label, value] of Object.entries(values)) {
      const field = this.page.getByRole('dialog').getByLabel(label);
      if (value === true) await field.check({ force: true });
      else await field.fill(value);
    }
    await this.page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();
  }

  /** Waits until something is not there any more. */
  gone(selector) {
    return this.page.waitForSelector(selector, { state: 'detached' });
  }

  /** Waits until an element's text is, or matches, this. */
  async reads(selector, wanted) {
    const [source, flags] = wanted instanceof RegExp ? [wanted.source, wanted.flags] : [`^${escaped(wanted)}$`, ''];
    await this.page.waitForFunction(([where, pattern, how]) =>
      [...document.querySelectorAll(where)].some((each) => new RegExp(pattern, how).test(each.textContent)),
    [selector, source, flags]);
  }

  async screenshot(name) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    // Things that move are shown where they come to rest.
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' });
  }

  close() {
    return this.context.close({ runBeforeUnload: false });
  }
}

function exactly(text) {
  return new RegExp(`^${escaped(text)}$`);
}

function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

// -- what holds for every page -------------------------------------------------------------------------

/** What sticks out to the right, by selector-like names; nothing should. */
export function overflow(page) {
  return page.evaluate(() => [...document.querySelectorAll('body *')]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }))
    .filter((each) => !each.matches('.unseen, .unseen *, .name, svg *'))
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5 ||
      (['auto', 'scroll'].includes(getComputedStyle(each).overflowX) && each.scrollWidth > each.clientWidth))
    .map((each) => `${each.localName}#${each.id}.${each.className}`)
    .concat(document.documentElement.scrollWidth > innerWidth ? ['the page'] : []));
}

/** Texts whose contrast with the ground behind them is below 4.5. */
export function faint(page) {
  return page.evaluate(() => {
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = (colour) => {
      const [r, g, b] = channels(colour).map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (each) => {
      for (let at = each; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if ((channels(colour)[3] ?? 1) === 1) return colour;
      }
      return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('body *')]
      .filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
        [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== ''))
      .map((each) => {
        const [a, b] = [luminance(getComputedStyle(each).color), luminance(ground(each))].sort((x, y) => y - x);
        const what = `${each.localName}.${each.className} "${each.textContent.trim().slice(0, 20)}"`;
        return [what, (a + 0.05) / (b + 0.05)];
      })
      .filter(([, contrast]) => contrast < 4.5)
      .map(([what, contrast]) => `${what}: ${contrast.toFixed(2)}`);
  });
}

/** Where the fixed parts of the hall are: they must not move when something appears. */
export function places(page) {
  return page.evaluate(() => ['.bar', '.stage', '#text', '#note'].map((selector) => {
    const { x, y, height } = document.querySelector(selector).getBoundingClientRect();
    return [selector, x, y, height];
  }));
}

/** A picture of so many by so many points. */
export function png(width, height) {
  const crcs = Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; ++k) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
  });
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    let crc = 0xffffffff;
    for (const byte of body) crc = crcs[(crc ^ byte) & 255] ^ (crc >>> 8);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const rows = Array.from({ length: height }, (_, y) => Buffer.from([0, ...Array.from({ length: width }, (_, x) =>
    [(x * 255) / width, (y * 255) / height, 128]).flat().map(Math.floor)]));
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))]);
}
