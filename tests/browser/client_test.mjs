// The JavaScript client in a real browser, as the server serves it: as a module and as a script, over a reload of
// the page, and what only pages do.
//
//   node --test tests/browser/client_test.mjs      WIREHALL_BIN and CHROMIUM name other programs
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Cable, demos, OUTAGE, person } from './harness.mjs';

const demo = demos();
const PLAIN = '/healthz'; // a page of the server without scripts of its own

/** A tab with it; browsers ask for an icon beside it. */
async function plain(open, url) {
  const tab = await open({}, 'about:blank');
  await tab.page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  await tab.page.goto(`${url}${PLAIN}`);
  return tab;
}

/** Waits in the page until a list has so many entries, and gives it. */
const list = (tab, name, length) =>
  tab.page.waitForFunction(([key, wanted]) => globalThis[key]?.length >= wanted && globalThis[key], [name, length])
    .then((handle) => handle.jsonValue());

/** Connects in the page as somebody. Handlers note in `told` what is told, and in the session how far it was. */
const enter = (tab, name, options = {}) => tab.page.evaluate(async ([user, more]) => {
  const { Client } = await import('/wirehall.js');
  const auth = async () => ({ token: (await (await fetch(`/dev/token?user=${user}`)).json()).token });
  const client = new Client(undefined, { auth, ...more });
  globalThis.client = client;
  globalThis.told = [];
  globalThis.states = [];
  for (const state of ['connecting', 'connected', 'disconnected', 'rejoined']) client.on(state, () => states.push(state));
  const room = client.room('lobby');
  room.on('chat', ({ content }) => {
    told.push(content);
    sessionStorage.setItem('position', JSON.stringify(room.position));
  });
  await client.connect();
  const since = JSON.parse(sessionStorage.getItem('position')) ?? undefined;
  const { recovered, seq, epoch } = await room.join({ since });
  if (!since) sessionStorage.setItem('position', JSON.stringify({ seq, epoch }));
  return recovered;
}, [name, options]);

demo('the module and the script that are served', {}, async ({ server, open }) => {
  const tab = await plain(open, server.url);
  await enter(tab, 'ann');
  await tab.page.evaluate(() => client.send('lobby', 'from a module'));
  assert.deepEqual(await list(tab, 'told', 1), ['from a module']);

  const other = await plain(open, server.url);
  await other.page.addScriptTag({ url: '/wirehall.global.js' });
  const answer = await other.page.evaluate(async () => {
    const { token } = await (await fetch('/dev/token?user=bob')).json();
    const client = await Wirehall.connect(undefined, { auth: { token } });
    const { recentMessages } = await client.join('lobby');
    await client.send('lobby', 'from a script');
    const failure = await client.join('').catch((error) => [error instanceof Wirehall.WirehallError, error.code]);
    return [client.userId, recentMessages.map(({ content }) => content), failure];
  });
  assert.deepEqual(answer, ['bob', ['from a module'], [true, 'invalid-format']]);
  assert.deepEqual(await list(tab, 'told', 2), ['from a module', 'from a script']);
});

demo('after a reload of the page it is told what it missed, once', { WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE: '100000' }, async ({ server, open, atEnd }) => {
  const bob = await person(server, 'bob', 'lobby');
  atEnd(() => bob.close());
  const tab = await plain(open, server.url);
  await enter(tab, 'ann');
  await bob.send('lobby', 'one');
  await list(tab, 'told', 1);
  await tab.page.goto('about:blank');
  for (const content of ['two', 'three']) await bob.send('lobby', content);
  await tab.page.goto(`${server.url}${PLAIN}`);
  assert.equal(await enter(tab, 'ann'), true);
  await bob.send('lobby', 'four');
  assert.deepEqual(await list(tab, 'told', 3), ['two', 'three', 'four']);

  // A reload while messages come: none is lost in between, and none comes twice.
  let isOver = false;
  const sending = (async () => {
    let n = 0;
    while (!isOver || n < 50) await bob.send('lobby', `${n++}`);
    return n;
  })();
  const all = [];
  for (let reloads = 0; reloads < 3; ++reloads) {
    await list(tab, 'told', 4);
    await tab.page.evaluate(() => client.close());
    all.push(...await list(tab, 'told', 0));
    await tab.page.reload();
    await enter(tab, 'ann');
  }
  isOver = true;
  const count = await sending;
  await bob.send('lobby', 'end');
  await tab.page.waitForFunction(() => told.includes('end'));
  all.push(...await list(tab, 'told', 1));
  assert.deepEqual(all, ['two', 'three', 'four', ...Array.from({ length: count }, (_, n) => `${n}`), 'end']);
});

/** Sends a file that the page can make again, and remembers its upload. Without `most` it waits for the end. */
const upload = (tab, most) => tab.page.evaluate(async (pieces) => {
  const bytes = Uint8Array.from({ length: 1_500_001 }, (_, i) => (i * 31) >> 4);
  const progress = [];
  const controller = {};
  const stopped = new Promise((resolve) => (controller.stop = resolve));
  const sending = client.upload(new File([bytes], 'again.bin'), {
    roomId: 'lobby',
    uploadId: sessionStorage.getItem('upload') ?? undefined,
    onStart: ({ uploadId }) => sessionStorage.setItem('upload', uploadId),
    onProgress: (sent) => progress.push(sent) > pieces && controller.stop(),
  });
  const answer = await Promise.race([sending, stopped]);
  return { progress, url: answer?.file.url };
}, most ?? Infinity);

demo('an upload goes on after a reload of the page', {}, async ({ server, open }) => {
  const tab = await plain(open, server.url);
  await enter(tab, 'ann');
  const before = await upload(tab, 2);
  await tab.page.reload();
  await enter(tab, 'ann');
  const after = await upload(tab);
  assert.ok(after.progress[0] >= before.progress.at(-1) && before.progress.at(-1) > 0, `${before.progress} and ${after.progress}`);
  const bytes = await tab.page.evaluate(async (url) => {
    const { token } = await (await fetch('/dev/token?user=ann')).json();
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', await (await fetch(`${url}?token=${token}`)).arrayBuffer()))];
  }, after.url);
  const expected = createHash('sha256').update(Uint8Array.from({ length: 1_500_001 }, (_, i) => (i * 31) >> 4)).digest();
  assert.deepEqual(bytes, [...expected]);
  // Once more: it was published, and is found.
  await tab.page.reload();
  await enter(tab, 'ann');
  assert.equal((await upload(tab)).url, after.url);
  const { messages } = await tab.page.evaluate(() => client.history('lobby'));
  assert.deepEqual(messages.map(({ content }) => content), ['again.bin']);
});

demo('a page whose cable broke comes back when the browser is online again', {}, async ({ server, open, atEnd }) => {
  const cable = await Cable.to(server);
  atEnd(() => cable.end());
  const bob = await person(server, 'bob', 'lobby');
  atEnd(() => bob.close());
  const tab = await plain(open, cable.url);
  tab.allowed = OUTAGE;
  await enter(tab, 'ann', { reconnectionDelay: 1e6, reconnectionDelayMax: 1e6 });
  await bob.send('lobby', 'one');
  await list(tab, 'told', 1);
  cable.cut();
  await tab.page.waitForFunction(() => client.state === 'waiting');
  await bob.send('lobby', 'two');
  const sending = tab.page.evaluate(() => client.send('lobby', 'three').then(({ seq }) => seq));
  cable.mend();
  await tab.page.evaluate(() => { dispatchEvent(new Event('online')); });
  assert.equal(await sending, 3);
  assert.deepEqual(await list(tab, 'told', 3), ['one', 'two', 'three']);
  assert.deepEqual(await list(tab, 'states', 5), ['connecting', 'connected', 'disconnected', 'connecting', 'connected', 'rejoined']);
});

demo('a page is told that it may not come in', {}, async ({ server, open }) => {
  const tab = await plain(open, server.url);
  const told = await tab.page.evaluate(async () => {
    const { Client } = await import('/wirehall.js');
    const client = new Client(undefined, { auth: { token: 'not a token' } });
    return client.connect().catch(({ code }) => [code, client.state]);
  });
  assert.deepEqual(told, ['authentication-failed', 'closed']);
});
