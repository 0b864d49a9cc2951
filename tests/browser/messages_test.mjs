// Messages of a room in a real browser: the past, changes in place, replies, and lost connections.
//
//   node --test tests/browser/messages_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
import assert from 'node:assert/strict';
import { alice, bob, Cable, demos, OUTAGE, person } from './harness.mjs';

const demo = demos();
const UNLIMITED = { WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE: '1000000' };

/** Somebody who has written so many messages in the lobby. */
async function writer(server, many, atEnd) {
  const client = await person(server, 'wilma', 'lobby');
  atEnd(() => client.close());
  for (let i = 1; i <= many; ++i) await client.send('lobby', `message ${i}`);
  return client;
}

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `message ${from + i}`);
const offset = (tab, text) => tab.row(text).evaluate((row) => Math.round(row.getBoundingClientRect().top));
const scrollUp = (tab, pixels) => tab.page.evaluate((to) => { document.querySelector('#log').scrollTop = to; }, pixels);

for (const protocol of ['socketio', 'native']) {
  demo(`the past comes by scrolling up, and keeps its place, ${protocol}`, UNLIMITED, async ({ server, enter, atEnd }) => {
    const writes = await writer(server, 130, atEnd);
    const a = await enter({ ...alice, protocol });
    await a.sees('message 130');
    assert.deepEqual(await a.texts(), numbers(81, 130));
    assert.equal(await a.page.evaluate(() => {
      const { scrollTop, scrollHeight, clientHeight } = document.querySelector('#log');
      return scrollHeight - scrollTop - clientHeight < 2;
    }), true, 'at the newest');

    await scrollUp(a, 300);
    const before = await offset(a, 'message 90');
    await a.sees('message 31');
    assert.ok(Math.abs(await offset(a, 'message 90') - before) <= 1, 'what one reads stays where it is');
    await writes.send('lobby', 'message 131');
    await a.reads('#down', '1 new message');
    assert.ok(Math.abs(await offset(a, 'message 90') - before) <= 1);
    await scrollUp(a, 0);
    await a.sees('message 1');
    await a.page.waitForFunction(() => !document.querySelector('.older'));
    assert.deepEqual(await a.texts(), numbers(1, 131), 'all of them, once, in order');
    await a.page.click('#down');
    await a.page.waitForSelector('#down', { state: 'hidden' });
    await a.page.waitForFunction(() =>
      document.querySelector('.message:last-child').getBoundingClientRect().bottom <= innerHeight);
  });

  demo(`what was missed comes back, complete and changed, ${protocol}`, UNLIMITED, async ({ server, open, atEnd }) => {
    const cable = await Cable.to(server);
    atEnd(() => cable.end());
    const writes = await writer(server, 60, atEnd);
    const { recentMessages } = await writes.request('join-room', { roomId: 'lobby' });
    const a = await open({}, `${cable.url}/?name=alice&protocol=${protocol}`);
    await a.isIn();
    await a.sees('message 60');
    await scrollUp(a, 0);
    await a.sees('message 1');
    await a.page.click('#down');

    a.allowed = OUTAGE;
    cable.cut();
    await a.reads('#state-text', 'Connection lost');
    await a.say('alice meanwhile');
    await a.reads('.pending .when', 'sending…');
    for (let i = 61; i <= 130; ++i) await writes.send('lobby', `message ${i}`);
    const [oldest, newest] = [recentMessages[0].id, recentMessages.at(-1).id];
    await writes.request('edit-message', { roomId: 'lobby', messageId: newest, content: 'message 60, changed' });
    await writes.request('delete-message', { roomId: 'lobby', messageId: oldest });
    cable.mend();
    await a.page.click('#lost-action').catch(() => {}); // it may be back by itself already
    await a.isIn();
    await a.sees('message 130');
    await a.sees('message 60, changed');
    await a.sees('alice meanwhile');
    await a.gone('.pending');
    const expected = [...numbers(1, 130), 'alice meanwhile'];
    expected[59] = 'message 60, changed';
    expected[10] = 'This message was deleted';
    await a.page.waitForFunction(([place, text]) =>
      document.querySelectorAll('.message .text')[place].textContent === text, [10, expected[10]]);
    assert.deepEqual(await a.texts(), expected);
  });
}

for (const [a, b] of [[alice, bob], [bob, alice]]) {
  demo(`changed, deleted and answered, by ${a.name} over ${a.protocol}`, {}, async ({ enter }) => {
    const mine = await enter(a);
    const theirs = await enter(b);
    await mine.say('a mistkae');
    await theirs.sees('a mistkae');
    await mine.chooseOf('a mistkae', 'Edit');
    await mine.page.waitForFunction(() => document.activeElement.matches('.editor textarea'));
    await mine.page.keyboard.press('Escape');
    await mine.sees('a mistkae');
    await mine.page.press('#text', 'ArrowUp'); // the last one, without the pointer
    await mine.page.fill('.editor textarea', 'a mistake, mended');
    await mine.page.press('.editor textarea', 'Enter');
    for (const tab of [mine, theirs]) {
      await tab.sees('a mistake, mended');
      await tab.reads('.when', /^\(edited\) /);
    }

    await theirs.chooseOf('a mistake, mended', 'Reply');
    await theirs.reads('#answering .to', `Replying to ${a.name} a mistake, mended`);
    await theirs.say('no harm done');
    for (const tab of [mine, theirs]) {
      await tab.sees('no harm done');
      await tab.reads('.quote', `${a.name}a mistake, mended`);
    }
    assert.equal(await theirs.page.isHidden('#answering'), true);
    await mine.page.click('.quote');
    await mine.page.waitForFunction(() => document.activeElement.matches('.message.flash'));

    await theirs.page.hover('.message.other');
    await theirs.page.click('.message.other .more');
    assert.deepEqual(await theirs.page.getByRole('menuitem').allTextContents(),
      ['Reply', 'Copy text', `Write to ${a.name}`]);
    await theirs.page.keyboard.press('Escape');
    await mine.chooseOf('a mistake, mended', 'Delete');
    await mine.answer({}, 'Delete');
    for (const tab of [mine, theirs]) {
      await tab.sees('This message was deleted');
      await tab.reads('.quote', `${a.name}This message was deleted`);
    }
    assert.doesNotMatch(await mine.page.locator('.deleted .when').textContent(), /edited/);
  });
}

demo('a reply leads to a message that has to be fetched first', UNLIMITED, async ({ server, enter, atEnd }) => {
  const writes = await writer(server, 120, atEnd);
  const { messages } = await writes.history('lobby', { after: 2, before: 4 });
  await writes.send('lobby', 'you said?', { replyTo: messages[0].id });
  const a = await enter(alice);
  await a.reads('.quote', 'An earlier message');
  await a.page.click('.quote');
  await a.page.waitForFunction(() => document.activeElement.querySelector?.('.text')?.textContent === 'message 3');
  await a.page.click('#down');
  await a.reads('.quote', 'wilmamessage 3');
});

demo('messages are reached by the keyboard, links are links', {}, async ({ enter }) => {
  const a = await enter(alice);
  const b = await enter(bob);
  await b.say('see https://example.org/a?b=1. javascript:alert(1) http://\u202Egro.live/');
  await a.say('mine');
  await a.sees('mine');
  await a.sees('see https://example.org/a?b=1. javascript:alert(1) http://\u202Egro.live/');
  const links = await a.page.locator('.text a').evaluateAll((all) =>
    all.map((each) => [each.textContent, each.href, each.rel, each.target]));
  const address = 'https://example.org/a?b=1';
  assert.deepEqual(links, [[address, address, 'noopener noreferrer nofollow ugc', '_blank']]);
  await a.page.focus('#log');
  await a.page.keyboard.press('ArrowUp');
  await a.page.keyboard.press('ArrowUp');
  await a.page.waitForFunction(() => document.activeElement.getAttribute('aria-label')?.startsWith('bob, '));
  await a.page.keyboard.press('Enter');
  await a.page.keyboard.press('ArrowDown');
  await a.page.keyboard.press('ArrowUp');
  await a.page.keyboard.press('Enter'); // Reply
  await a.page.waitForFunction(() => document.activeElement.id === 'text');
  await a.page.keyboard.type('by hand');
  await a.page.keyboard.press('Enter');
  await b.sees('by hand');
  await b.reads('.quote', /^bobsee https/);
  assert.match(await b.page.textContent('#announcer'), /^alice in lobby: by hand$/);
});

demo('what was not sent survives a reload, and is sent once', {}, async ({ server, open, enter }) => {
  const b = await enter(bob);
  const a = await open();
  a.allowed = /WebSocket connection to .* failed/;
  let isOff = false;
  await a.page.routeWebSocket(/\/ws/, (socket) => (isOff ? socket.close({ code: 1013 }) : socket.connectToServer()));
  await a.page.goto(`${server.url}/?name=alice&protocol=native`);
  await a.isIn();
  isOff = true;
  await a.page.reload();
  await a.reads('#state-text', 'Connection lost');
  await a.say('kept over a reload');
  await a.page.reload();
  await a.reads('.pending .text', 'kept over a reload');
  isOff = false;
  await b.sees('kept over a reload');
  await a.sees('kept over a reload');
  await a.gone('.pending');
  await a.page.reload();
  await a.sees('kept over a reload');
  await b.say('done');
  await a.sees('done');
  for (const tab of [a, b]) assert.deepEqual(await tab.texts(), ['kept over a reload', 'done']);
});

demo('days are told apart', {}, async ({ server, open, enter }) => {
  const b = await enter(bob);
  await b.say('long ago');
  await b.reads('.quiet.day', 'Today');
  const a = await open();
  await a.page.clock.setFixedTime(Date.now() + 24 * 3600 * 1000);
  await a.page.goto(`${server.url}/?name=alice&protocol=native`);
  await a.sees('long ago');
  await a.reads('.quiet.day', 'Yesterday');
  await a.page.clock.setFixedTime(Date.now() + 4 * 24 * 3600 * 1000);
  await a.page.reload();
  await a.sees('long ago');
  // As this browser writes it: others put a comma behind the weekday.
  const date = await a.page.evaluate((ms) => new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })
    .format(ms), Date.now());
  await a.reads('.quiet.day', date);
});
