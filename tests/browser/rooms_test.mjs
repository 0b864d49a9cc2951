// Rooms in a real browser: coming and going, who may do what, and what is new in them.
//
//   node --test tests/browser/rooms_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
import assert from 'node:assert/strict';
import { alice, bob, carol, demos } from './harness.mjs';

const demo = demos();

/** Makes a room through the page, and is in it. */
async function create(tab, name, type) {
  await tab.page.click('#add-room');
  await tab.answer({ 'Create a room': true, Name: name, [type]: true }, 'Create');
  await tab.reads('#title', name);
  await tab.isIn();
}

async function invite(tab, userId) {
  await tab.choose(tab.page.locator('#room-menu'), 'Invite somebody…');
  await tab.answer({ Name: userId }, 'Invite');
}

const member = (tab, name) => tab.page.locator('.member').filter({ has: tab.page.getByText(name, { exact: true }) });
const memberNames = (tab) => tab.page.locator('#members .name').allTextContents();

for (const [a, b] of [[alice, bob], [{ ...alice, protocol: 'native' }, { ...bob, protocol: 'socketio' }]]) {
  demo(`a team: invited, made a moderator, put out; its owner over ${a.protocol}`, {}, async ({ enter }) => {
    const owner = await enter(a);
    const guest = await enter(b);
    await create(owner, 'Release Team', 'Team');
    await owner.reads('#note', 'Team · Only you are here');
    await owner.reads('.member .role', 'owner');

    await guest.page.click('#add-room');
    await guest.answer({ Name: 'release-team' }, 'Join');
    await guest.reads('.empty h2', 'You are not in this room');
    await guest.reads('.empty p', 'Access denied: the room is for who was invited.');
    assert.equal(await guest.page.isDisabled('#text'), true);

    await invite(owner, b.name);
    await owner.reads('.notice', /^bob was invited to Release Team\./);
    await guest.reads('.notice', /^alice invites you to release-team\./);
    await guest.page.locator('.notice').getByRole('button', { name: 'Join' }).click();
    await guest.reads('#title', 'Release Team');
    await guest.isIn();
    await owner.reads('.quiet', /^bob joined · /);
    await guest.choose(member(guest, 'alice'), 'Write privately'); // nothing else: a member manages nobody
    await guest.goTo('Release Team');

    await owner.choose(member(owner, 'bob'), 'Make moderator');
    for (const tab of [owner, guest]) {
      await tab.reads('.quiet', /^bob is now a moderator · /);
      await tab.reads('.member .role', 'moderator');
    }
    await owner.say('to be moderated');
    await guest.sees('to be moderated');
    await guest.chooseOf('to be moderated', 'Delete');
    await guest.answer({}, 'Delete');
    for (const tab of [owner, guest]) await tab.sees('This message was deleted');

    await owner.choose(member(owner, 'bob'), 'Remove from the room');
    await owner.answer({}, 'Remove');
    await guest.reads('.notice', /^alice removed you from Release Team\./);
    await guest.reads('#title', 'lobby');
    await owner.reads('.quiet', /^bob left · /);
    assert.deepEqual(await memberNames(owner), ['alice']);
    await guest.page.reload();
    await guest.isIn();
    assert.deepEqual(await guest.page.locator('#rooms .name').allTextContents(), ['lobby'], 'it is not gone back to');
  });
}

demo('announcements: who looks after the room writes, the others read', {}, async ({ enter }) => {
  const a = await enter(alice);
  const b = await enter(bob);
  await create(a, 'news', 'Announcements');
  await b.page.click('#add-room');
  await b.answer({ Name: 'news' }, 'Join');
  await b.isIn();
  await b.reads('.empty p', 'What its owner and moderators write will stand here.');
  assert.equal(await b.page.getAttribute('#text', 'placeholder'), 'Only owners and moderators write here');
  assert.equal(await b.page.isDisabled('#attach'), true);
  await a.say('Version 1.4 is out');
  await b.sees('Version 1.4 is out');
  await a.choose(member(a, 'bob'), 'Make owner');
  await b.page.waitForSelector('#text:enabled');
  await b.say('So it is');
  await a.sees('So it is');
  // Two owners: neither stands above the other.
  await a.choose(member(a, 'bob'), 'Make member');
  await a.reads('.notice.problem', /^Access denied/).catch(() => a.reads('.quiet', /^bob is now a member/));
});

demo('a room that exists, or that nobody may have, is refused in words', {}, async ({ enter }) => {
  const a = await enter(alice);
  await enter(bob);
  await a.page.click('#add-room');
  await a.answer({ 'Create a room': true, Name: 'lobby' }, 'Create');
  await a.reads('dialog .problem', 'Conflict: the room exists.');
  await a.page.keyboard.press('Escape');
  await a.gone('dialog');
  await a.choose(member(a, 'bob'), 'Write privately');
  await a.goTo('lobby');
  await invite(a, 'x'.repeat(200));
  await a.reads('.notice', /was invited to lobby\./);
  await a.page.evaluate(() => document.querySelector('#add-room').click());
  await a.page.evaluate(() => { document.querySelector('dialog input:not([type])').maxLength = 1000; });
  await a.answer({ Name: 'r'.repeat(300) }, 'Join');
  await a.reads('.empty h2', 'You are not in this room');
  await a.reads('#note', 'Not in this room');
});

demo('what was not read is counted, on all devices of a user', {}, async ({ enter }) => {
  const a = await enter({ ...alice, room: ['lobby', 'deploys'] });
  const b = await enter({ ...bob, room: ['deploys', 'lobby'] });
  const phone = await enter({ ...alice, protocol: 'native', room: ['lobby', 'deploys'] });
  for (const text of ['one', 'two', 'three']) await b.say(text);
  for (const tab of [a, phone]) {
    await tab.reads('#rooms .badge', '3 unread');
    await tab.page.waitForFunction(() => document.title.startsWith('(3) '));
  }
  await a.goTo('deploys');
  await a.sees('three');
  for (const tab of [a, phone]) await tab.gone('.badge');
  await b.say('four');
  await phone.reads('#rooms .badge', '1 unread');
  await a.sees('four'); // it is open there: it has been seen
  await phone.gone('.badge');

  // What came while one was away is marked.
  await a.goTo('lobby');
  await phone.close();
  await a.page.click('#me');
  await a.page.getByRole('menuitem', { name: 'Sign out' }).click();
  await b.reads('.quiet', /^alice left · /);
  await b.say('five');
  await b.say('six');
  await a.page.press('#first-room', 'Enter');
  await a.isIn();
  await a.reads('#rooms .badge', '2 unread');
  await a.goTo('deploys');
  await a.sees('six');
  const [mark, next] = await a.page.evaluate(() => {
    const line = document.querySelector('.quiet.new');
    return [line.textContent, line.nextElementSibling.querySelector('.text').textContent];
  });
  assert.deepEqual([mark, next], ['New', 'five']);
});

demo('who is there, and how', {}, async ({ enter }) => {
  const a = await enter(alice);
  const b = await enter(bob);
  const statusOf = (tab, name, dot) => tab.page.waitForFunction(([who, kind]) =>
    [...document.querySelectorAll('.member')].some((each) => each.querySelector('.name').textContent === who &&
      each.querySelector(`.dot.${kind}`)), [name, dot]);
  const mine = (tab) => tab.page.locator('#me');
  for (const [tab, other, name] of [[a, b, 'alice'], [b, a, 'bob']]) {
    await statusOf(other, name, 'online');
    for (const [text, dot] of [['Away', 'away'], ['Busy', 'busy'], ['Invisible', 'offline'], ['Online', 'online']]) {
      await tab.choose(mine(tab), text);
      await statusOf(other, name, dot);
      await tab.reads('#me', new RegExp(text));
    }
    await tab.choose(mine(tab), 'A text of your own…');
    await tab.answer({ 'What are you up to?': `lunch of ${name}` }, 'Set');
    await other.reads('.member .soft', `lunch of ${name}`);
    await other.reads('#people .soft', `lunch of ${name}`);
  }
  await b.page.reload(); // one's status is one's own
  await b.isIn();
  await b.reads('#me', /lunch of bob/);
  await b.close();
  await a.reads('.quiet', /^bob left · /);
  const c = await enter(carol);
  await a.reads('#member-count', '2');
  assert.deepEqual(await memberNames(a), ['alice', 'carol']);
  await c.close();
  await a.reads('#note', 'Only you are here');
});

demo('rooms are left, and come back with who was in them', {}, async ({ enter }) => {
  const a = await enter({ ...alice, room: ['lobby', 'deploys'] });
  const b = await enter({ ...bob, room: ['lobby', 'deploys'] });
  await a.choose(a.page.locator('#room-menu'), 'Leave the room');
  await a.reads('#title', 'deploys');
  await b.reads('.quiet', /^alice left · /);
  await a.close();
  const again = await enter({ ...alice, protocol: 'native', room: 'third' });
  await again.page.waitForFunction(() => document.querySelectorAll('#rooms .name').length === 2);
  assert.deepEqual(await again.page.locator('#rooms .name').allTextContents(), ['third', 'deploys']);
  for (const room of ['third', 'deploys']) {
    await again.goTo(room);
    await again.choose(again.page.locator('#room-menu'), 'Leave the room');
  }
  await again.reads('.empty h2', 'You are in no room');
  await again.page.reload();
  await again.reads('.empty h2', 'You are in no room');
});
