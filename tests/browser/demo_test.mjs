// The demo page in a real browser: the door, one room, both protocols, and servers of all kinds.
//
//   node --test tests/browser/*_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
//
// Screenshots go to build/screenshots/.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { alice, bob, carol, demos, DESKTOP, faint, OUTAGE, overflow, PHONE, places } from './harness.mjs';

const demo = demos();
const NOT_SERVED = /status of 40[04]/;
// A client that is refused gives up its upgrade too, which may be under way.
const REFUSED = /status of 40[04]|closed before the connection is established/;

demo('messages, typing, members and leaving, over both protocols', {
  WIREHALL_TYPING_TIMEOUT: '1500',
}, async ({ enter }) => {
  const a = await enter(alice);
  await a.reads('.empty h2', 'Nothing was said here yet');
  await a.reads('#note', 'Only you are here');
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
    await from.page.press('#text', 'Enter');
    await to.sees('hm');
    await to.reads('#typing', '');
  }
  await a.page.locator('#text').pressSequentially('hm');
  await b.reads('#typing', 'alice is typing…');
  await b.reads('#typing', ''); // by itself

  const c = await enter(carol);
  await c.sees('from alice'); // the past
  await b.reads('.quiet', /^carol joined · /);
  await c.close();
  await b.close();
  await a.reads('.quiet', /^carol left · /);
  await a.reads('.quiet', /^bob left · /);
  await a.reads('#note', 'Only you are here');
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

  await a.page.focus('#add-room');
  await a.page.keyboard.press('Enter');
  await a.page.waitForFunction(() => document.activeElement.matches('dialog input'));
  await a.page.keyboard.type('other');
  await a.page.keyboard.press('Enter');
  await a.reads('#title', 'other');
  await a.isIn();
  await b.goTo('other');
  await b.say('you are in the other room');
  await a.sees('you are in the other room');
  await b.goTo('lobby');
  await b.say('and here');
  await a.reads('#rooms .badge', '1 unread');
  await a.page.focus('#rooms li:first-child .place');
  await a.page.keyboard.press('Enter');
  await a.sees('and here');
  await a.gone('.badge');
  await a.page.waitForFunction(() => document.activeElement.id === 'text');
  await a.page.focus('#room-menu');
  await a.page.keyboard.press('Enter');
  await a.page.keyboard.press('End');
  await a.page.keyboard.press('Enter'); // Leave the room
  await b.reads('.quiet', /^alice left · /);
  await a.reads('#title', 'other');

  await a.page.reload(); // one is where one was
  await a.isIn();
  await a.reads('#title', 'other');
  await a.page.focus('#me');
  await a.page.keyboard.press('Enter');
  await a.page.keyboard.press('End');
  await a.page.keyboard.press('Enter'); // Sign out
  await a.page.waitForSelector('#door:not([hidden])');
  assert.equal(await a.page.inputValue('#name'), 'alice', 'the name is remembered');
  assert.equal(await a.page.isChecked('[name=protocol][value=native]'), true);
  assert.equal(a.page.url(), `${server.url}/`);
});

demo('the protocol can be changed on the way', {}, async ({ enter }) => {
  const a = await enter(alice);
  const b = await enter(bob);
  for (const [tab, protocol, other] of [[a, 'native', b], [b, 'socketio', a]]) {
    await tab.choose(tab.page.locator('#me'), protocol === 'native' ? 'Over WebSocket' : 'Over Socket.IO');
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
  for (const tab of tabs) await tab.reads('#lost-text', /^Connection lost.* Trying again/);
  await a.reads('#state-text', 'Connection lost');
  assert.deepEqual(await places(a.page), before, 'nothing jumps');
  for (const tab of tabs) assert.deepEqual(await faint(tab.page), []);
  await a.say('alice in between');
  await b.say('bob in between');
  await a.reads('.own .when', 'sending…');
  await a.screenshot('lost-desktop-light');

  await server.restart();
  await b.page.click('#lost-action').catch(() => {}); // it may be back by itself already
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
  const texts = [attack, '<script>window.attacked=1</script>', longest,
    '👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301', 'مرحبا بالعالم <b>', '\u202Eesrever',
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
    assert.equal(await tab.page.locator('.chat img, .side li img, .panel img, .rows script, .title b').count(), 0);
    assert.equal(await tab.page.evaluate(() => window.attacked), undefined);
    assert.equal(await tab.page.textContent('#title'), room);
  }
  assert.ok((await a.page.locator('#members .name').allTextContents()).includes(mallory.name));
  await a.page.locator('.member', { hasText: mallory.name }).click();
  assert.equal(await a.page.getByRole('menu').getAttribute('aria-label'), mallory.name);
  await a.page.getByRole('menuitem', { name: 'Write privately' }).click();
  await a.reads('#title', mallory.name);
  await a.say(attack);
  await a.sees(attack);
  await m.reads('#people .badge', '1 unread');
  assert.equal(await a.page.locator('.chat img, .side li img, .menu img, .empty img').count(), 0);
  await a.goTo(room);
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
    await tab.page.getByRole('button', { name: 'Retry' }).click();
    await tab.page.waitForFunction(() => {
      document.querySelector('.own .problem button')?.click(); // it may be too early again
      return !document.querySelector('.pending');
    }, undefined, { polling: 100 });
    await tab.sees('two');
    assert.deepEqual(await tab.texts(), ['one', 'two']);

    await tab.say('x'.repeat(70_000));
    await tab.reads('.own .problem', /^(Too large|Rate limit exceeded)/);
    await tab.page.getByRole('button', { name: 'Discard' }).click();
    await tab.gone('.pending');
    assert.deepEqual(await tab.texts(), ['one', 'two']);
  }
});

demo('without the stock client Socket.IO says what to do', {
  WIREHALL_SERVE_CLIENT: 'false',
}, async ({ server, open }) => {
  const a = await open();
  a.allowed = NOT_SERVED;
  await a.page.goto(`${server.url}/?name=alice&protocol=socketio`);
  await a.reads('#lost-text', /does not serve the Socket\.IO client/);
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
  const exp = Math.floor(Date.now() / 1000) + 600;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, exp })}`;
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

  demo(`a server that asks for none takes the name, ${protocol}`, {
    WIREHALL_AUTH__MODE: 'none',
  }, async ({ server, open }) => {
    const a = await open();
    a.allowed = NOT_SERVED;
    await a.page.goto(`${server.url}/?protocol=${protocol}&name=alice`);
    await a.isIn();
    assert.deepEqual(await a.page.locator('#members .name').allTextContents(), ['alice']);
  });
}
