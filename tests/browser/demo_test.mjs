// The demo page in a real browser: people over both protocols meet in one room.
//
//   node tests/browser/demo_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
//
// Screenshots go to build/screenshots/.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test, { after, before } from 'node:test';
import { DESKTOP, faint, launch, overflow, PHONE, places, Server, Tab } from './harness.mjs';

const OUTAGE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|WebSocket connection to .* failed/;
const NOT_SERVED = /status of 40[04]/;
// A client that is refused gives up its upgrade too, which may be under way.
const REFUSED = /status of 40[04]|closed before the connection is established/;

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** A test with a server of its own and tabs, in which nothing may have gone wrong in the end. */
function demo(title, environment, run) {
  test(title, { timeout: 120_000 }, async () => {
    const server = await Server.start(environment);
    const tabs = [];
    const keep = (tab) => { tabs.push(tab); return tab; };
    const open = async (...values) => keep(await Tab.open(browser, server.url, ...values));
    const enter = async (...values) => keep(await Tab.enter(browser, server, ...values));
    try {
      await run({ server, open, enter });
      assert.deepEqual(tabs.flatMap((tab) => tab.problems), [], 'console errors, policy violations, dialogs');
    } catch (error) {
      await Promise.all(tabs.map((tab, i) => tab.screenshot(`failure-${i}`).catch(() => {}))); // a closed tab has none
      throw error;
    } finally {
      await Promise.all(tabs.map((tab) => tab.close()));
      await server.end();
    }
  });
}

const alice = { name: 'alice', protocol: 'socketio' };
const bob = { name: 'bob', protocol: 'native' };

demo('messages, typing, members and leaving, over both protocols', {}, async ({ enter }) => {
  const a = await enter(alice);
  await a.reads('.empty h2', 'Nothing was said here yet');
  await a.reads('#room-note', 'Only you are here');
  const [another] = await Promise.all([a.context.waitForEvent('page'), a.page.click('.empty a')]);
  await another.waitForSelector('#door:not([hidden])');
  assert.deepEqual([await another.inputValue('#name'), await another.inputValue('#first-room')], ['', 'lobby']);
  await another.close();
  const b = await enter(bob);
  await a.reads('.quiet', /^bob joined · /);
  for (const tab of [a, b]) await tab.reads('#member-count', '2');
  assert.deepEqual(await a.page.locator('#members .name').allTextContents(), ['alice', 'bob']);
  assert.deepEqual(await b.page.locator('#members .name').allTextContents(), ['bob', 'alice'], 'oneself first');

  await a.say('from alice');
  await b.sees('from alice');
  await b.say('from bob\nin two lines');
  for (const tab of [a, b]) {
    await tab.sees('from bob\nin two lines');
    await tab.sees('from alice');
    assert.deepEqual(await tab.texts(), ['from alice', 'from bob\nin two lines'], 'each once, in order');
  }
  assert.deepEqual(await a.page.locator('.own .text').allTextContents(), ['from alice']);
  assert.match(await b.page.locator('time').last().getAttribute('datetime'), /^\d{4}-/);

  for (const [from, to, name] of [[a, b, 'alice'], [b, a, 'bob']]) {
    const before = await places(to.page);
    await from.page.locator('#text').pressSequentially('hm');
    await to.reads('#typing', `${name} is typing…`);
    assert.deepEqual(await places(to.page), before, 'nothing jumps');
    await to.reads('#typing', ''); // by itself
    await from.page.locator('#text').pressSequentially('m');
    await to.reads('#typing', `${name} is typing…`);
    await from.page.press('#text', 'Enter');
    await to.sees('hmm');
    await to.reads('#typing', '');
  }

  const c = await enter({ name: 'carol', protocol: 'socketio' });
  await c.sees('from alice'); // the past
  await b.reads('.quiet', /^carol joined · /);
  await c.close();
  await b.close();
  await a.reads('.quiet', /^carol left · /);
  await a.reads('.quiet', /^bob left · /);
  await a.reads('#room-note', 'Only you are here');
});

demo('several rooms, by the keyboard alone', {}, async ({ server, open, enter }) => {
  const b = await enter({ ...bob, room: ['lobby', 'other'] });
  const a = await open();
  await a.page.waitForSelector('#door:not([hidden])');
  await a.page.keyboard.type('alice');
  await a.page.keyboard.press('Tab');
  await a.page.keyboard.press('Tab');
  await a.page.keyboard.press('ArrowRight'); // WebSocket
  await a.page.keyboard.press('Enter');
  await a.isIn();
  await a.page.keyboard.type('typed');
  await a.page.keyboard.press('Shift+Enter');
  await a.page.keyboard.type('twice');
  await a.page.keyboard.press('Enter');
  await b.sees('typed\ntwice');

  await a.page.focus('#another-room');
  await a.page.keyboard.type('other');
  await a.page.keyboard.press('Enter');
  await a.reads('#room-name', 'other');
  await a.isIn();
  await b.say('you are in the other room');
  await a.reads('#rooms .badge', /^1/);
  await a.page.focus('#rooms li:first-child .room');
  await a.page.keyboard.press('Enter');
  await a.sees('you are in the other room');
  await a.page.waitForFunction(() => !document.querySelector('#rooms .badge'));
  await a.page.focus('#rooms li:first-child .leave');
  await a.page.keyboard.press('Enter');
  await b.reads('.quiet', /^alice left · /);
  await a.reads('#room-name', 'other');

  await a.page.reload(); // one is where one was
  await a.isIn();
  await a.reads('#room-name', 'other');
  await a.page.click('#leave');
  await a.page.waitForSelector('#door:not([hidden])');
  assert.equal(await a.page.inputValue('#name'), 'alice', 'the name is remembered');
  assert.equal(await a.page.isChecked('[name=protocol][value=native]'), true);
  assert.equal(a.page.url(), `${server.url}/`);
});

demo('the protocol can be changed on the way', {}, async ({ enter }) => {
  const a = await enter(alice);
  const b = await enter(bob);
  for (const [tab, protocol, other] of [[a, 'native', b], [b, 'socketio', a]]) {
    await tab.page.check(`[name=live-protocol][value=${protocol}]`);
    await tab.isIn();
    await tab.say(`now over ${protocol}`);
    await other.sees(`now over ${protocol}`);
  }
});

demo('the server goes away and comes back', {}, async ({ server, enter }) => {
  const tabs = [await enter(alice), await enter(bob)];
  const [a, b] = tabs;
  await a.say('before');
  await b.sees('before');
  for (const tab of tabs) tab.allowed = OUTAGE;
  const before = await places(a.page);
  await server.kill();
  for (const tab of tabs) await tab.reads('#notice-text', /^Connection lost.* Trying again/);
  await a.reads('#state-text', 'Connection lost');
  assert.deepEqual(await places(a.page), before, 'nothing jumps');
  for (const tab of tabs) assert.deepEqual(await faint(tab.page), []);
  await a.say('alice in between');
  await b.say('bob in between');
  await a.reads('.own .when', 'sending…');
  await a.screenshot('lost-desktop-light');

  await server.restart();
  await b.page.click('#notice-action').catch(() => {}); // it may be back by itself already
  for (const tab of tabs) {
    await tab.isIn();
    await tab.sees('alice in between');
    await tab.sees('bob in between');
  }
  for (const tab of tabs) tab.allowed = /(?!)/;
  await a.say('after');
  for (const tab of tabs) {
    await tab.sees('after');
    const texts = (await tab.texts()).filter((text) => text !== 'before'); // which a store in memory forgot
    assert.deepEqual(texts.sort(), ['after', 'alice in between', 'bob in between'], 'each once');
    await tab.reads('#member-count', '2');
  }
  assert.deepEqual(await a.texts(), await b.texts(), 'in one order');
});

demo('strangers\' names and messages stay text', {}, async ({ enter }) => {
  const attack = '<img src=x onerror="window.attacked=1">';
  const room = '<b>room</b> "\'&';
  const mallory = { name: `${attack}<script>`, protocol: 'native', room };
  const m = await enter(mallory);
  const a = await enter({ ...alice, room });
  const longest = `${'x'.repeat(4_990)} 5,000 now`;
  const texts = [attack, '<script>window.attacked=1</script>', longest, '👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301', 'مرحبا بالعالم <b>', '\u202Eesrever',
    '{"$binary":"AAAA"}', '  indented\n\n\tcode', 'javascript:window.attacked=1', '&lt;b&gt;'];
  for (const text of texts) {
    await m.say(text);
    await a.sees(text);
    await m.sees(text);
  }
  await m.page.locator('#text').pressSequentially('x');
  await a.reads('#typing', `${mallory.name} is typing…`);
  for (const tab of [a, m]) {
    assert.deepEqual(await tab.texts(), texts);
    assert.equal(await tab.page.locator('.chat img, .side li img, .rows script, .title b').count(), 0);
    assert.equal(await tab.page.evaluate(() => window.attacked), undefined);
    assert.equal(await tab.page.textContent('#room-name'), room);
  }
  assert.ok((await a.page.locator('#members .name').allTextContents()).includes(mallory.name));
  for (const size of [PHONE.viewport, DESKTOP.viewport]) {
    await a.page.setViewportSize(size);
    assert.deepEqual(await overflow(a.page), []);
  }
});

demo('a message that failed is sent again by hand', {
  WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE: '60', WIREHALL_RATE_LIMIT__BURST: '1',
}, async ({ enter }) => {
  for (const who of [alice, bob]) {
    const tab = await enter({ ...who, room: who.protocol });
    await tab.say('one');
    await tab.sees('one');
    await tab.say('two');
    await tab.reads('.own .problem', /^Rate limit exceeded\. Wait \d+ s\./);
    await tab.screenshot(`failed-desktop-${who.protocol}`);
    while (await tab.page.locator('.own .problem').count() > 0) {
      await tab.page.getByRole('button', { name: 'Retry' }).click();
      await tab.page.waitForFunction(() => document.querySelector('.own .problem') || !document.querySelector('.pending'));
    }
    await tab.sees('two');
    assert.deepEqual(await tab.texts(), ['one', 'two']);

    await tab.say('x'.repeat(70_000));
    await tab.reads('.own .problem', /^(Too large|Rate limit exceeded)/);
    await tab.page.getByRole('button', { name: 'Discard' }).click();
    assert.deepEqual(await tab.texts(), ['one', 'two']);
  }
});

demo('without the stock client Socket.IO says what to do', { WIREHALL_SERVE_CLIENT: 'false' }, async ({ server, open }) => {
  const a = await open();
  a.allowed = NOT_SERVED;
  await a.page.goto(`${server.url}/?name=alice&protocol=socketio`);
  await a.reads('#notice-text', /does not serve the Socket\.IO client/);
  await a.page.getByRole('button', { name: 'Use WebSocket' }).click();
  await a.isIn();
});

demo('a name that is none is refused at the door', {}, async ({ server, open }) => {
  const a = await open();
  a.allowed = /status of 401/;
  await a.page.goto(`${server.url}/?protocol=native&name=${'n'.repeat(300)}`);
  await a.reads('#refusal', 'Invalid user.');
  await a.page.fill('#name', 'alice');
  await a.page.press('#name', 'Enter');
  await a.isIn();
});

const secret = 'a secret of this test, long enough to be one';

function tokenFor(user) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, exp: Math.floor(Date.now() / 1000) + 600 })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

for (const protocol of ['socketio', 'native']) {
  demo(`a server that wants a token gets one, ${protocol}`, { JWT_SECRET: secret }, async ({ server, open }) => {
    const a = await open();
    a.allowed = REFUSED;
    await a.page.goto(`${server.url}/?protocol=${protocol}&name=alice`);
    await a.reads('#refusal', /^Authentication .*Give an access token/);
    await a.page.fill('#token', tokenFor('alice-by-token'));
    await a.page.press('#token', 'Enter');
    await a.isIn();
    await a.say('with a token');
    await a.sees('with a token');
    assert.deepEqual(await a.page.locator('.own .text').allTextContents(), ['with a token']);
  });

  demo(`a server that asks for none takes the name, ${protocol}`, { WIREHALL_AUTH__MODE: 'none' }, async ({ server, open }) => {
    const a = await open();
    a.allowed = NOT_SERVED;
    await a.page.goto(`${server.url}/?protocol=${protocol}&name=alice`);
    await a.isIn();
    assert.deepEqual(await a.page.locator('#members .name').allTextContents(), ['alice']);
  });
}

demo('a room that nobody may enter is told', {}, async ({ enter }) => {
  const a = await enter(bob);
  await a.page.evaluate(() => { document.querySelector('#another-room').maxLength = 1000; });
  await a.page.fill('#another-room', 'r'.repeat(300));
  await a.page.press('#another-room', 'Enter');
  await a.reads('.panel:not([hidden]) .empty h2', 'You are not in this room');
  await a.reads('#room-note', 'Not in this room');
  assert.deepEqual(await overflow(a.page), []);
});

for (const colorScheme of ['light', 'dark']) {
  demo(`it fits a phone and a desktop, ${colorScheme}`, {}, async ({ open, enter }) => {
    const b = await enter({ ...bob, room: ['lobby', 'deploys'] }, { ...DESKTOP, colorScheme });
    const c = await enter({ name: 'carol', protocol: 'socketio' });
    const d = await enter({ name: 'dave', protocol: 'native', room: ['lobby', 'deploys'] });
    await c.say('Morning! I came in over Socket.IO: polling first, then upgraded.');
    await b.sees('Morning! I came in over Socket.IO: polling first, then upgraded.');
    await b.say('And I am on the plain WebSocket.');
    await b.say('Same room, same history.');
    await d.sees('Same room, same history.');
    await d.say('A link without a space: https://example.org/a/path/that/goes/on/and/on/without/any/break/until/the/end');
    await b.sees('A link without a space: https://example.org/a/path/that/goes/on/and/on/without/any/break/until/the/end');
    await d.close();
    await b.reads('.quiet', /^dave left · /);
    await b.say('He will be back.');
    await c.sees('He will be back.');

    for (const [device, options] of [['phone', PHONE], ['desktop', DESKTOP]]) {
      const door = await open({ ...options, colorScheme });
      await door.page.waitForSelector('#door:not([hidden])');
      assert.deepEqual([await overflow(door.page), await faint(door.page)], [[], []]);
      await door.screenshot(`door-${device}-${colorScheme}`);
      await door.close();

      const a = await enter({ ...alice, room: ['lobby', 'deploys'] }, { ...options, colorScheme });
      await a.say(`Seen on a ${device}.`);
      await b.sees(`Seen on a ${device}.`);
      await c.page.fill('#text', ''); // who comes in is told of the next change
      await c.page.locator('#text').pressSequentially('…');
      await a.reads('#typing', 'carol is typing…');
      assert.deepEqual([await overflow(a.page), await faint(a.page)], [[], []]);
      await a.screenshot(`hall-${device}-${colorScheme}`);
      if (device === 'phone') {
        await a.page.click('#open-side');
        await a.page.waitForFunction(() => document.activeElement.id === 'close-side');
        assert.deepEqual([await overflow(a.page), await faint(a.page)], [[], []]);
        await a.screenshot(`side-phone-${colorScheme}`);
        await a.page.keyboard.press('Escape');
        await a.page.waitForFunction(() => document.activeElement.id === 'open-side');
      }
      await a.page.evaluate(() => [...document.querySelectorAll('#rooms .room')][1].click());
      await a.reads('.panel:not([hidden]) .empty h2', 'Nothing was said here yet');
      await a.screenshot(`empty-${device}-${colorScheme}`);
      await a.close();
      await b.reads('.quiet', /^alice left · /);
    }
  });
}
