// A server of its own and pages of a real Chromium, which write down everything that goes wrong in them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = resolve(ROOT, process.env.WIREHALL_BIN ?? 'build/release/wirehall');
const SCREENSHOTS = join(ROOT, 'build/screenshots');
export const TIMEOUT = 20_000;

export const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const DESKTOP = { viewport: { width: 1280, height: 800 } };

// -- the server --------------------------------------------------------------------------------------

export class Server {
  #data = mkdtempSync(join(tmpdir(), 'wirehall-demo-'));
  #process;

  /**
   * @param environment  settings, by their names in the environment. With a JWT_SECRET, or where it asks for
   *                     no tokens, it is a server as it stands in production: without --dev.
   */
  static async start(environment = {}) {
    const server = new Server();
    server.environment = environment;
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
    this.#process = spawn(PROGRAM, ['serve', ...dev, '--port', String(port), '--data', this.#data],
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

// -- pages -------------------------------------------------------------------------------------------

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

/** One person's browser with one page; what goes wrong in it is in `problems`. */
export class Tab {
  problems = [];
  allowed = /(?!)/; // problems that the test brings about

  static async open(browser, address, options = DESKTOP) {
    const tab = new Tab();
    tab.context = await browser.newContext({ locale: 'en-GB', ...options });
    tab.context.setDefaultTimeout(TIMEOUT);
    tab.page = await tab.context.newPage();
    const note = (text) => tab.allowed.test(text) || tab.problems.push(text);
    tab.page.on('console', (message) => ['error', 'warning'].includes(message.type()) && note(message.text()));
    tab.page.on('pageerror', (error) => note(error.stack));
    tab.page.on('dialog', (dialog) => { note(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    await tab.page.addInitScript(() => document.addEventListener('securitypolicyviolation', (violation) =>
      console.error(`policy: ${violation.effectiveDirective} refuses ${violation.blockedURI}`)));
    await tab.page.goto(address);
    return tab;
  }

  /** A tab that is in its rooms. */
  static async enter(browser, server, { name, protocol, room = 'lobby' }, options) {
    const parameters = new URLSearchParams({ name, protocol });
    for (const each of [room].flat()) parameters.append('room', each);
    const tab = await Tab.open(browser, `${server.url}/?${parameters}`, options);
    await tab.isIn();
    return tab;
  }

  isIn() {
    return this.page.waitForFunction(() => document.querySelector('#state').dataset.state === 'connected' &&
      /here$/.test(document.querySelector('#room-note').textContent));
  }

  async say(text) {
    await this.page.fill('#text', text);
    await this.page.press('#text', 'Enter');
  }

  /** Waits for a message with just this text, from the server. */
  sees(text) {
    return this.page.waitForFunction((wanted) => [...document.querySelectorAll('.panel:not([hidden]) .message:not(.pending)')]
      .some((row) => row.querySelector('.text').textContent === wanted), text);
  }

  /** The texts of the room that is shown. */
  texts() {
    return this.page.locator('.panel:not([hidden]) .text').allTextContents();
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

function escaped(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

// -- what holds for every page -------------------------------------------------------------------------

/** What sticks out to the right, by selector-like names; nothing should. */
export function overflow(page) {
  return page.evaluate(() => [...document.querySelectorAll('body *')]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.matches('.unseen, .unseen *, .name'))
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
      const [r, g, b] = channels(colour).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
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
        return [`${each.localName}.${each.className} "${each.textContent.trim().slice(0, 20)}"`, (a + 0.05) / (b + 0.05)];
      })
      .filter(([, contrast]) => contrast < 4.5)
      .map(([what, contrast]) => `${what}: ${contrast.toFixed(2)}`);
  });
}

/** Where the fixed parts of the hall are: they must not move when something appears. */
export function places(page) {
  return page.evaluate(() => ['.bar', '.stage', '#text', '#room-note'].map((selector) => {
    const { x, y, height } = document.querySelector(selector).getBoundingClientRect();
    return [selector, x, y, height];
  }));
}
