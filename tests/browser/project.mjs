// The page of a generated project, cut to chosen features as `wirehall new` cuts it, and served by the server
// of this build: the harness of its tests.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cable, launch, Server, Tab } from './harness.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIENT = join(ROOT, 'apps/hall/project/client');
export const FEATURES = ['rooms', 'presence', 'history', 'private-messages', 'typing', 'uploads', 'calls', 'push'];
// Whole files and what they belong to; those that are not named here are always there.
const CONDITIONS = {
  'connection.native.js': 'native', 'connection.socketio.js': 'socketio', 'sign_in.jwt.js': 'jwt',
  'sign_in.no_auth.js': 'no-auth', 'rooms.js': 'rooms', 'messages.js': 'rooms', 'roles.js': 'rooms',
  'history.js': 'history', 'typing.js': 'typing', 'uploads.js': 'uploads', 'presence.js': 'presence',
  'private_messages.js': 'private-messages', 'calls.js': 'calls', 'push.js': 'push', 'push_worker.js': 'push',
};

/** Writes a page into a new folder. Returns: the folder. */
function generate({ features = FEATURES, protocol = 'native', auth = 'jwt', vapidKey = '' }) {
  const folder = mkdtempSync(join(tmpdir(), 'wirehall-page-'));
  const terms = new Set([...features, auth, protocol]);
  for (const name of readdirSync(CLIENT)) {
    if (CONDITIONS[name] && !terms.has(CONDITIONS[name])) continue;
    const lines = readFileSync(join(CLIENT, name), 'utf8').split('\n').flatMap((line) => {
      const [, kept, condition] = /^(.*?)\s*\/\/ feature: (\S+)$/.exec(line) ?? [];
      if (condition === undefined) return [line];
      return terms.has(condition) ? [kept] : [];
    });
    writeFileSync(join(folder, name.replace(/\.(native|socketio|jwt|no_auth)\.js$/, '.js')),
      lines.join('\n').replaceAll('@NAME@', 'my-chat').replaceAll('@VAPID_PUBLIC_KEY@', vapidKey));
  }
  if (terms.has('native')) {
    writeFileSync(join(folder, 'wirehall.js'), readFileSync(join(ROOT, 'clients/js/src/wirehall.js')));
  }
  return folder;
}

/**
 * Gives a file its browser, and a function for its tests: each has a page, a server, and tabs in which nothing
 * may have gone wrong in the end.
 */
export function projects() {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser.close());
  return (title, { environment = {}, ...options }, run) => test(title, { timeout: 120_000 }, async () => {
    const folder = generate(options);
    const auth = options.auth === 'no-auth' ? { WIREHALL_AUTH__MODE: 'none' } : {};
    const server = await Server.start({ ...auth, ...environment }, ['--client', folder]);
    const tabs = [];
    const ends = []; // of what else was begun
    const open = async (path = '/', how, address = server.url) => {
      const tab = await Tab.open(browser, address + path, how);
      tabs.push(tab);
      return tab;
    };
    try {
      await run({
        server,
        open,
        /** Somebody who has signed in and, with a room, is in it. */
        enter: async (name, { room = 'lobby', address, ...how } = {}) => {
          const tab = await open(`/?user=${name}`, how, address);
          await tab.page.waitForSelector('#state[data-state=connected]');
          if (room) await joinRoom(tab, room);
          return tab;
        },
        cable: async () => {
          const cable = await Cable.to(server);
          ends.push(() => cable.end());
          return cable;
        },
        atEnd: (action) => ends.push(action),
      });
      assert.deepEqual(tabs.flatMap((tab) => tab.problems), [], 'console errors, policy violations, dialogs');
    } catch (error) {
      await Promise.all(tabs.map((tab, i) => tab.screenshot(`failure-${i}`).catch(() => {}))); // a closed tab has none
      throw error;
    } finally {
      await Promise.all(tabs.map((tab) => tab.close()));
      for (const action of ends) await action();
      await server.end();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function joinRoom({ page }, room) {
  const form = page.locator('#join');
  await form.getByLabel('Room').fill(room);
  await form.getByRole('button', { name: 'Join' }).click();
  await page.locator('#room h2', { hasText: room }).waitFor();
  await page.waitForSelector('#composer');
}

/** Writes into the room, and sends it. */
export async function say({ page }, text) {
  await page.locator('#composer').getByLabel('Message').fill(text);
  await page.keyboard.press('Enter');
}

/** The texts of the room, in order; those that are on their way are not there yet. */
export function texts({ page }) {
  return page.locator('#room .log li[data-id] p').allTextContents();
}

/** Waits until the room's last texts are these. */
export function ends({ page }, wanted) {
  return page.waitForFunction((list) => {
    const there = [...document.querySelectorAll('#room .log li[data-id] p')].map((each) => each.textContent);
    return JSON.stringify(there.slice(-list.length)) === JSON.stringify(list);
  }, wanted);
}

/** The button of a form or a panel. */
export function press({ page }, where, name) {
  return page.locator(where).getByRole('button', { name, exact: true }).click();
}
