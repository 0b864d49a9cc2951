// What the page looks like: every view with real content, on a phone and a desktop, light and dark; nothing
// sticks out, and every text can be read.
//
//   node --test tests/browser/looks_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
import { File } from 'node:buffer'; // Node 18 has no global one
import assert from 'node:assert/strict';
import { alice, bob, carol, demos, DESKTOP, faint, overflow, person, PHONE, png } from './harness.mjs';

const demo = demos();

async function looks(tab, name) {
  assert.deepEqual([await overflow(tab.page), await faint(tab.page)], [[], []], name);
  const stands = await tab.page.evaluate(() => document.scrollingElement.scrollHeight <= innerHeight);
  assert.ok(stands, `${name}: the page itself does not scroll`);
  await tab.screenshot(name);
}

/** A few people who have talked for a while. */
async function talk(server, atEnd) {
  const people = {};
  for (const name of ['bob', 'carol', 'dave']) {
    people[name] = await person(server, name, 'lobby', 'deploys');
    atEnd(() => people[name].close());
  }
  const { bob: b, carol: c, dave: d } = people;
  await c.send('lobby', 'Morning! I came in over Socket.IO: polling first, then upgraded.');
  const { messageId } = await b.send('lobby', 'And I am on the plain WebSocket.');
  await b.send('lobby', 'Same room, same history.');
  await d.send('lobby', 'Which one is faster?', { replyTo: messageId });
  const { messageId: wrong } = await c.send('lobby', 'Hard to say. Both are fast enuogh.');
  await c.request('edit-message', { roomId: 'lobby', messageId: wrong, content: 'Hard to say. Both are fast enough.' });
  const link = 'https://example.org/a/path/that/goes/on/and/on/without/any/break/until/the/end';
  await d.send('lobby', `A link without a space: ${link}`);
  const { messageId: gone } = await d.send('lobby', 'Wrong room, sorry.');
  await d.request('delete-message', { roomId: 'lobby', messageId: gone });
  const lobby = { roomId: 'lobby' };
  await b.upload(new File([png(320, 240)], 'throughput.png', { type: 'image/png' }), lobby);
  const report = 'a report with quite a long name for a file.pdf';
  await b.upload(new File([new Uint8Array(48_211)], report, { type: 'application/pdf' }), lobby);
  await b.request('create-room', { roomId: 'release-team', type: 'team', name: 'Release Team' });
  await b.join('release-team');
  for (const userId of ['alice', 'carol']) await b.request('invite', { roomId: 'release-team', userId });
  await c.join('release-team');
  await b.request('set-role', { roomId: 'release-team', userId: 'carol', role: 'moderator' });
  await b.send('release-team', 'Shall we ship 1.4 today?');
  await d.request('update-status', { status: 'out for lunch, back at two' });
  await c.request('update-status', { status: 'busy' });
  await b.sendPrivate('alice', 'Have you seen the numbers?');
  await b.sendPrivate('alice', 'They are better than I thought.');
  await d.sendPrivate('alice', 'Lunch?');
  return people;
}

for (const device of ['desktop-light', 'phone-dark', 'desktop-dark', 'phone-light']) {
  const [size, colorScheme] = device.split('-');
  const options = { ...(size === 'phone' ? PHONE : DESKTOP), colorScheme };
  const isPhone = device.startsWith('phone');

  demo(`every view fits, ${device}`, {}, async ({ server, open, enter, atEnd }) => {
    const { bob: b, carol: c } = await talk(server, atEnd);
    const door = await open(options);
    await door.page.waitForSelector('#door:not([hidden])');
    await looks(door, `door-${device}`);
    await door.close();

    const a = await enter({ ...alice, room: ['lobby', 'deploys', 'release-team'] }, options);
    const side = async () => { if (isPhone) await a.page.click('#open-side'); };
    await a.say('Seen on this machine, too.');
    await b.send('deploys', 'wirehall 1.4.0-rc1 is on staging');
    c.typing('lobby');
    await a.reads('#typing', 'carol is typing…');
    await a.page.waitForSelector('.picture[data-state=there]');
    await a.gone('#people li:nth-child(4)');
    await looks(a, `room-${device}`);
    if (isPhone) {
      await side();
      await a.page.waitForFunction(() => document.activeElement.id === 'close-side');
      await looks(a, `side-${device}`);
      await a.page.keyboard.press('Escape');
      await a.page.waitForFunction(() => document.activeElement.id === 'open-side');
      await a.page.click('#open-panel');
      await a.page.waitForFunction(() => document.activeElement.id === 'close-panel');
      await looks(a, `members-${device}`);
      await a.page.keyboard.press('Escape');
      await a.page.waitForFunction(() => document.activeElement.id === 'open-panel');
    }
    const row = a.row('Which one is faster?');
    if (!isPhone) await row.hover();
    await row.locator('.more').click();
    await looks(a, `message-menu-${device}`);
    await a.page.getByRole('menuitem', { name: 'Reply' }).click();
    await a.page.fill('#text', 'The native one, by a whisker.');
    await looks(a, `replying-${device}`);
    await a.page.press('#text', 'Enter');
    await a.sees('The native one, by a whisker.');
    await a.chooseOf('The native one, by a whisker.', 'Edit');
    await a.page.waitForSelector('.editor');
    await looks(a, `editing-${device}`);
    await a.page.keyboard.press('Escape');

    await side();
    await a.goTo('Release Team');
    await a.isIn();
    await looks(a, `team-${device}`);
    await side();
    await a.goTo('bob');
    const told = new Promise((resolve) => b.on('private-message', resolve));
    await a.say('I have. We should tell everybody.');
    await a.sees('I have. We should tell everybody.');
    const { id } = await told;
    await b.request('mark-read', { messageIds: [id] });
    await a.page.waitForSelector('.tick.seen');
    await looks(a, `person-${device}`);

    await side();
    await a.page.click('#add-room');
    await a.page.getByRole('dialog').getByLabel('Create a room').check({ force: true });
    await a.page.getByRole('dialog').getByLabel('Name').fill('Board of Directors');
    await looks(a, `create-room-${device}`);
    await a.page.keyboard.press('Escape');
    await a.gone('dialog');
    await a.page.click('#me');
    await looks(a, `me-${device}`);
    await a.page.keyboard.press('Escape');
    if (isPhone) await a.page.keyboard.press('Escape');
    await b.request('create-room', { roomId: 'offsite', name: 'Offsite' });
    await b.join('offsite');
    await b.request('invite', { roomId: 'offsite', userId: 'alice' });
    await a.page.locator('.notice').getByRole('button', { name: 'Join' }).waitFor();
    await looks(a, `invited-${device}`);
  });
}

demo('every module of the page is fetched at once', {}, async ({ enter }) => {
  const a = await enter(bob);
  const [told, loaded] = await a.page.evaluate(() => [
    [...document.querySelectorAll('link[rel=modulepreload]')].map((link) => link.href),
    performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /(?<!\/app)\.js$/.test(name)),
  ]);
  assert.deepEqual([...new Set(loaded)].sort(), [...told].sort());
});

demo('a room with very many messages keeps the newest', {
  WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE: '1000000',
}, async ({ server, enter, atEnd }) => {
  const writes = await person(server, 'wilma', 'lobby');
  atEnd(() => writes.close());
  const a = await enter(carol);
  const burst = (from) => Promise.all(Array.from({ length: 90 }, (_, i) => writes.send('lobby', String(from + i))));
  for (let round = 0; round < 7; ++round) await burst(round * 90);
  await a.sees('629');
  assert.deepEqual(await a.texts(), Array.from({ length: 400 }, (_, i) => String(230 + i)));
});
