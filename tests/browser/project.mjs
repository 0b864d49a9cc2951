// The page that `wirehall new` writes for chosen features, served by the server of this build: the harness of its
// tests.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cable, Server, stage, Tab } from './harness.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const FEATURES = ['rooms', 'presence', 'history', 'private-messages', 'typing', 'uploads', 'calls', 'push'];
const PROGRAM = process.env.WIREHALL_BIN ?? join(ROOT, 'build/release/wirehall');

/** Writes a project into a new folder. Returns: the folder of its page. */
function generate(folder, { features = FEATURES, protocol = 'native', auth = 'jwt', vapidKey = '' }) {
  execFileSync(PROGRAM, ['new', join(folder, 'my-chat'), '--yes', '--features', features.join(',') || 'none',
    '--protocol', protocol, '--auth', auth === 'jwt' ? 'jwt' : 'none', '--client', 'js'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const client = join(folder, 'my-chat/client');
  if (features.includes('push')) { // the tests bring keys of their own
    const push = join(client, 'push.js');
    writeFileSync(push, readFileSync(push, 'utf8').replace(/PUBLIC_KEY = '[^']*'/, `PUBLIC_KEY = '${vapidKey}'`));
  }
  return client;
}

/**
 * Gives a file its browser, and a function for its tests: each has a page, a server, and tabs; see stage().
 *
 * @param program  which browser, where it is not the usual one
 */
export function projects(program) {
  return stage(async ({ environment = {}, ...options }) => {
    const folder = mkdtempSync(join(tmpdir(), 'wirehall-page-'));
    const client = generate(folder, options);
    const auth = options.auth === 'no-auth' ? { WIREHALL_AUTH__MODE: 'none' } : {};
    const server = await Server.start({ ...auth, ...environment }, ['--client', client]);
    return { server, end: () => rmSync(folder, { recursive: true, force: true }) };
  }, ({ browser, server, keep, atEnd }) => {
    const open = async (path = '/', how, address = server.url) => keep(await Tab.open(browser, address + path, how));
    return {
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
        atEnd(() => cable.end());
        return cable;
      },
    };
  }, program);
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
