// Private messages in a real browser: kept in it, waiting for who is away, and seen.
//
//   node --test tests/browser/people_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
import assert from 'node:assert/strict';
import { alice, bob, Cable, carol, demos, OUTAGE, person } from './harness.mjs';

const demo = demos();

const write = async (tab, userId) => {
  await tab.page.click('#add-person');
  await tab.answer({ Name: userId }, 'Open');
  await tab.reads('#title', userId);
};

for (const [from, to] of [[alice, bob], [bob, alice]]) {
  demo(`a conversation, begun by ${from.name} over ${from.protocol}`, {}, async ({ enter }) => {
    const a = await enter(from);
    const b = await enter(to);
    await a.page.locator('#people .place', { hasText: to.name }).click();
    await a.reads('.empty h2', `You and ${to.name}`);
    await a.reads('#note', 'Online');
    await a.say('psst');
    await a.sees('psst');
    await a.reads('.own .when', /\d/);
    await b.reads('#people .badge', '1 unread');
    assert.equal(await a.page.locator('.tick.seen').count(), 0);
    assert.equal(await b.page.locator('.message').count(), 0, 'it is not in the room');
    await b.goTo(from.name);
    await b.sees('psst');
    await a.page.waitForSelector('.tick.seen');
    await b.gone('.badge');
    await b.say('what is it?');
    await a.sees('what is it?');
    await b.page.waitForSelector('.tick.seen'); // it was open there

    for (const tab of [a, b]) {
      await tab.page.reload();
      await tab.reads('#title', tab === a ? to.name : from.name); // one is where one was
      await tab.sees('what is it?');
      assert.deepEqual(await tab.texts(), ['psst', 'what is it?']);
      await tab.page.waitForSelector('.tick.seen');
    }
    await a.say('nothing');
    await b.sees('nothing');
  });
}

for (const protocol of ['socketio', 'native']) {
  demo(`what is written to somebody who is away waits, ${protocol}`, {
    WIREHALL_PRESENCE__GRACE_PERIOD: '100',
  }, async ({ enter }) => {
    const a = await enter({ ...alice, protocol });
    await write(a, 'carol');
    await a.reads('#note', 'Offline');
    await a.say('one');
    await a.say('two');
    await a.sees('two');
    const c = await enter({ ...carol, protocol });
    await c.reads('#people .badge', '2 unread');
    await c.goTo('alice');
    assert.deepEqual(await c.texts(), ['one', 'two']);
    await a.page.waitForFunction(() => document.querySelectorAll('.tick.seen').length === 2);
    await a.reads('#note', 'Online');
    await c.page.reload(); // nothing comes twice
    await c.sees('two');
    assert.deepEqual(await c.texts(), ['one', 'two']);
    assert.equal(await c.page.locator('.badge').count(), 0);
    await c.close();
    await a.page.waitForFunction(() => /^Last seen/.test(document.querySelector('#note').textContent));
  });
}

demo('several tabs of one browser share conversations, another user does not see them', {}, async ({ server, enter }) => {
  const a = await enter(alice);
  const b = await enter(bob);
  const second = await a.context.newPage();
  await second.goto(`${server.url}/?name=alice&protocol=native`);
  await second.waitForFunction(() => /here$/.test(document.querySelector('#note').textContent));
  await write(a, 'bob');
  await a.say('from the first tab');
  await b.reads('#people .badge', '1 unread');
  await second.locator('#people .place', { hasText: 'bob' }).click();
  await second.locator('.text', { hasText: 'from the first tab' }).waitFor();
  await second.fill('#text', 'from the second');
  await second.press('#text', 'Enter');
  await a.sees('from the second');
  await b.goTo('alice');
  await b.say('to both');
  await a.sees('to both');
  await second.locator('.text', { hasText: 'to both' }).waitFor();
  for (const page of [a.page, second]) {
    await page.waitForFunction(() => document.querySelectorAll('.tick.seen').length === 2);
    assert.deepEqual(await page.locator('.message .text').allTextContents(),
      ['from the first tab', 'from the second', 'to both']);
  }
  await second.close();

  await a.page.click('#me');
  await a.page.getByRole('menuitem', { name: 'Sign out' }).click();
  await a.page.fill('#name', 'mallory');
  await a.page.press('#name', 'Enter');
  await a.isIn();
  await a.goTo('bob');
  await a.reads('.empty h2', 'You and bob');
  assert.deepEqual(await a.texts(), []);
});

demo('a private message outlives a lost connection, once', {}, async ({ server, open, enter, atEnd }) => {
  for (const protocol of ['socketio', 'native']) {
    const cable = await Cable.to(server);
    atEnd(() => cable.end());
    const b = await enter({ name: `bob-${protocol}`, protocol });
    const a = await open({}, `${cable.url}/?name=alice-${protocol}&protocol=${protocol}`);
    await a.isIn();
    await write(a, `bob-${protocol}`);
    a.allowed = OUTAGE;
    cable.cut();
    await a.reads('#state-text', 'Connection lost');
    await a.say('in between');
    await a.reads('.pending .when', 'sending…');
    await write(b, `alice-${protocol}`);
    await b.say('are you there?');
    cable.mend();
    await a.page.click('#lost-action').catch(() => {}); // it may be back by itself already
    await a.sees('in between');
    await a.gone('.pending');
    await b.sees('in between');
    await a.sees('are you there?');
    for (const tab of [a, b]) assert.deepEqual((await tab.texts()).sort(), ['are you there?', 'in between']);
    await b.close();
    await a.close();
  }
});

demo('whoever writes is found among the people, whatever they are called', {}, async ({ server, enter, atEnd }) => {
  const stranger = await person(server, encodeURIComponent('<i>eve</i> & co'));
  atEnd(() => stranger.close());
  const a = await enter(alice);
  const told = new Promise((resolve) => stranger.on('message-read', resolve));
  await stranger.sendPrivate('alice', '<img src=x onerror="window.attacked=1">');
  await a.reads('#people .name', '<i>eve</i> & co');
  await a.goTo('<i>eve</i> & co');
  await a.sees('<img src=x onerror="window.attacked=1">');
  assert.equal(await a.page.locator('.log img, .log i, .side i').count(), 0);
  assert.equal(await a.page.evaluate(() => window.attacked), undefined);
  await a.say('hello');
  await a.page.reload();
  await a.sees('hello');
  assert.equal((await told).userId, 'alice');
});
