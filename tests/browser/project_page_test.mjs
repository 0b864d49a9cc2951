// The page of generated projects in a real browser: all features over each protocol, and cuts of it.
//
//   node --test tests/browser/project_page_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
//
// Screenshots go to build/screenshots/.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { DESKTOP, faint, OUTAGE, overflow, person, PHONE } from './harness.mjs';
import { ends, FEATURES, press, projects, say, texts } from './project.mjs';

const project = projects();
const protocols = ['native', 'socketio'];
const SECRET = randomBytes(32).toString('base64');
const LEEWAY_S = 30; // for clocks that differ: so long a token is good behind its end

/** A token, as a backend makes it. */
function sign(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

for (const protocol of protocols) {
  project(`messages, people, typing: ${protocol}`, {
    protocol, environment: { WIREHALL_TYPING_TIMEOUT: '600000' }, // so that only saying so ends it
  }, async ({ open, enter }) => {
    const a = await open();
    await a.page.getByLabel('Your name').waitFor();
    await a.page.keyboard.type('alice'); // by the keyboard alone
    await a.page.keyboard.press('Enter');
    await a.reads('#state', 'Connected');
    await a.reads('#who', 'alice');
    await a.page.waitForFunction(() => document.activeElement.name === 'room');
    await a.page.keyboard.press('Enter');
    await a.reads('#room h2', 'lobby');
    await a.reads('#room [role=status]', 'Only you are here');

    const b = await enter('bob');
    await a.reads('#room [role=status]', 'bob joined');
    for (const tab of [a, b]) {
      await tab.reads('#people ul', /^alice online\s*bob online$/);
    }
    await say(a, 'from alice');
    await say(b, 'from <b>bob</b>');
    for (const tab of [a, b]) await ends(tab, ['from alice', 'from <b>bob</b>']);
    assert.deepEqual(await a.page.locator('#room li.own p').allTextContents(), ['from alice']);

    await b.page.locator('#composer').getByLabel('Message').pressSequentially('hm');
    await a.reads('#typing', 'bob is typing…');
    await b.page.locator('#composer').getByLabel('Message').fill('');
    await a.reads('#typing', '');

    await b.page.locator('#people').getByLabel('Your status').selectOption('busy');
    await a.reads('#people ul', /bob busy/);
    await press(b, '#join', 'Leave');
    await b.reads('#room [role=status]', 'You left lobby');
    await a.reads('#room [role=status]', 'bob left');
    await a.reads('#people ul', /^alice online$/);

    await a.page.reload(); // signs in again
    await a.reads('#state', 'Connected');
    assert.equal(await a.page.locator('#sign-in').isVisible(), false);
  });

  project(`changing and deleting, and earlier messages: ${protocol}`, { protocol }, async ({ server, enter, atEnd }) => {
    const wilma = await person(server, 'wilma', 'lobby');
    atEnd(() => wilma.close());
    for (let i = 1; i <= 60; ++i) await wilma.send('lobby', `message ${i}`);
    const [a, b] = [await enter('alice'), await enter('bob')];
    await ends(a, ['message 60']);
    assert.equal((await texts(a)).length, 50);
    await press(a, '#room', 'Earlier messages');
    await ends(a, Array.from({ length: 60 }, (_, i) => `message ${i + 1}`));
    assert.equal(await a.page.locator('#earlier').isVisible(), false, 'there is nothing before the first');

    await say(a, 'helo');
    await ends(b, ['helo']);
    await press(a, '#room .log', 'Edit');
    assert.equal(await a.page.locator('#composer').getByLabel('Message').inputValue(), 'helo');
    await say(a, 'hello');
    for (const tab of [a, b]) await ends(tab, ['message 60', 'hello']);
    await b.reads('#room .log li:last-child .meta', /edited$/);
    await press(a, '#room .log', 'Delete');
    for (const tab of [a, b]) await ends(tab, ['message 60', 'deleted']);
    assert.equal(await b.page.locator('#room .actions').count(), 0, 'of others there is nothing to change');
  });

  project(`private messages: ${protocol}`, { protocol }, async ({ enter }) => {
    const a = await enter('alice', { room: '' });
    const write = async (tab, target, text) => {
      await tab.page.locator('#private').getByLabel('To').fill(target);
      await tab.page.locator('#private').getByLabel('Text').fill(text);
      await press(tab, '#private', 'Send');
    };
    await write(a, 'bob', 'for later');
    await a.reads('#private .log .note', 'waits for them');
    const b = await enter('bob', { room: '' });
    await b.reads('#private .log p', 'for later');
    await a.reads('#private .log .note', 'read');
    assert.equal(await b.page.locator('#private').getByLabel('To').inputValue(), 'alice');
    await write(b, 'alice', 'here I am');
    for (const tab of [a, b]) await tab.reads('#private .log p', 'here I am');
    assert.deepEqual(await b.page.locator('#private .log p').allTextContents(), ['for later', 'here I am']);
  });

  project(`files: ${protocol}`, { protocol }, async ({ enter }) => {
    const [a, b] = [await enter('alice'), await enter('bob')];
    const bytes = randomBytes(600_000); // three pieces
    await a.page.setInputFiles('input[type=file]', { name: 'notes.bin', mimeType: 'application/x-notes', buffer: bytes });
    await b.reads('#room .log p', 'notes.bin 586 KiB');
    const [download] = await Promise.all([b.page.waitForEvent('download'), press(b, '#room .log', 'notes.bin')]);
    assert.equal(download.suggestedFilename(), 'notes.bin');
    assert.ok(readFileSync(await download.path()).equals(bytes));
    await a.page.waitForSelector('#room progress', { state: 'hidden' });
    await a.page.setInputFiles('input[type=file]', { name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(11 << 20) });
    await a.reads('.notice.problem p', /large/);
  });

  project(`a video call: ${protocol}`, { protocol }, async ({ enter }) => {
    const [a, b] = [await enter('alice', { room: '' }), await enter('bob', { room: '' })];
    const call = async (tab, target) => {
      await tab.page.locator('#calls').getByLabel('Person').fill(target);
      await press(tab, '#calls', 'Call');
    };
    await call(a, 'bob');
    await b.reads('.notice p', 'alice calls you, with video');
    await press(b, '#notices', 'Answer');
    for (const [tab, name] of [[a, 'bob'], [b, 'alice']]) {
      await tab.reads('#calls [role=status]', `Talking with ${name}`);
      await tab.page.waitForFunction(() => { // their picture moves
        const [video] = document.querySelectorAll('#calls video');
        return video.videoWidth > 0 && video.currentTime > 0.3;
      });
    }
    await a.screenshot(`project-call-${protocol}`);
    await press(a, '#calls', 'Hang up');
    for (const tab of [a, b]) {
      await tab.reads('#calls [role=status]', 'The call has ended');
      assert.equal(await tab.page.evaluate(() => document.querySelector('#calls video.own').srcObject), null);
    }

    await call(b, 'alice');
    await a.reads('.notice p', 'bob calls you, with video');
    await press(b, '#calls', 'Hang up');
    await a.gone('.notice');
    await call(b, 'alice');
    await press(a, '#notices', 'Decline');
    await b.reads('#calls [role=status]', 'They declined');
    await call(b, 'nobody');
    await b.reads('#calls [role=status]', 'They are not there');
    assert.equal(await a.page.locator('.notice').count(), 0);

    await a.page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('Permission denied', 'NotAllowedError'));
    });
    await call(a, 'bob');
    await a.reads('.notice.problem p', 'Permission denied');
    await a.reads('#calls [role=status]', 'The call failed');
  });

  project(`rooms that belong to somebody: ${protocol}`, { protocol }, async ({ enter }) => {
    const [a, b] = [await enter('alice', { room: '' }), await enter('bob', { room: '' })];
    await a.page.getByText('Manage rooms').click();
    await a.page.locator('#roles').getByLabel('New room').fill('team');
    await press(a, '#roles', 'Create');
    await a.reads('#room h2', 'team');
    const act = async (action) => {
      await a.page.locator('#roles').getByLabel('Person').fill('bob');
      await a.page.locator('#roles').getByLabel('Action').selectOption(action);
      await press(a, '#roles', 'Do it');
    };
    await act('Invite');
    await b.reads('.notice p', 'alice invites you to team');
    await press(b, '#notices', 'Join');
    await b.reads('#room h2', 'team');
    assert.equal(await b.page.locator('.notice').count(), 0);
    await act('Make moderator');
    await a.reads('#roles [role=status]', 'bob is now moderator');
    await act('Put out');
    await b.reads('#room [role=status]', 'You were put out of team');
    assert.equal(await b.page.locator('#composer').isVisible(), false);
  });

  project(`a lost connection: ${protocol}`, { protocol }, async ({ enter, cable }) => {
    const wire = await cable();
    const a = await enter('alice', { address: wire.url });
    const b = await enter('bob');
    a.allowed = OUTAGE;
    await say(b, 'before');
    await ends(a, ['before']);
    wire.cut();
    await a.reads('#state', 'Connection lost, trying again…');
    await say(a, 'from afar');
    await a.reads('#room .log li.pending p', 'from afar');
    for (const text of ['one', 'two', 'three']) await say(b, text);
    await ends(b, ['before', 'one', 'two', 'three']);
    await a.screenshot(`project-lost-${protocol}`);
    wire.mend();
    await a.reads('#state', 'Connected');
    for (const tab of [a, b]) await ends(tab, ['before', 'one', 'two', 'three', 'from afar']);
    assert.equal(await a.page.locator('.pending').count(), 0);
    assert.equal((await texts(a)).length, 5, 'each once');
  });

  project(`a message whose answer is lost: ${protocol}`, { protocol }, async ({ enter, cable }) => {
    const wire = await cable();
    const a = await enter('alice', { address: wire.url });
    const b = await enter('bob');
    a.allowed = OUTAGE;
    await say(a, 'before');
    await ends(a, ['before']);
    wire.deafen();
    await say(a, 'sent once');
    await ends(b, ['before', 'sent once']);
    wire.cut();
    wire.mend();
    await ends(a, ['before', 'sent once']);
    await a.gone('.pending');
    await say(a, 'after');
    for (const tab of [a, b]) await ends(tab, ['before', 'sent once', 'after']);
    assert.equal(await a.page.locator('.notice').count(), 0);
  });

  project(`an upload over a connection that is lost: ${protocol}`, { protocol }, async ({ enter, cable }) => {
    const wire = await cable();
    const a = await enter('alice', { address: wire.url });
    const b = await enter('bob');
    a.allowed = OUTAGE;
    const bytes = randomBytes(9_000_000);
    await a.page.setInputFiles('input[type=file]', { name: 'film.bin', mimeType: 'application/x-film', buffer: bytes });
    await a.page.waitForFunction(() => document.querySelector('#room progress').value > 0);
    wire.cut();
    await a.reads('#state', 'Connection lost, trying again…');
    assert.ok(await a.page.locator('#room progress').isVisible(), 'it is not done yet');
    wire.mend();
    await b.reads('#room .log p', /^film\.bin/);
    const [download] = await Promise.all([b.page.waitForEvent('download'), press(b, '#room .log', 'film.bin')]);
    assert.ok(readFileSync(await download.path()).equals(bytes));
    assert.equal(await a.page.locator('.notice').count(), 0);
  });

  project(`a token that is refused, and one that ends: ${protocol}`, { protocol, environment: { JWT_SECRET: SECRET } },
    async ({ open }) => {
      const a = await open();
      a.allowed = /closed before the connection is established/; // who is refused gives up an upgrade that is under way
      let token = sign({ sub: 'alice', exp: 1 });
      await a.page.route('**/dev/token?*', (route) => route.fulfill({ json: { token } }));
      await a.page.getByLabel('Your name').fill('alice');
      await press(a, '#sign-in', 'Sign in');
      await a.reads('.notice.problem p', /^Authentication failed/);
      assert.equal(await a.page.locator('.notice').count(), 1, 'it is said once');
      assert.equal(await a.page.locator('#hall').isVisible(), false);
      await a.reads('#state', 'Not connected');
      await press(a, '#notices', 'Close');

      token = sign({ sub: 'alice', exp: Math.floor(Date.now() / 1000) - LEEWAY_S + 4 });
      await press(a, '#sign-in', 'Sign in');
      await a.reads('#state', 'Connected');
      await press(a, '#join', 'Join');
      token = sign({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60 });
      await a.reads('#state', 'Connection lost, trying again…');
      await a.reads('#state', 'Connected'); // with the new one
      await say(a, 'still here');
      await ends(a, ['still here']);
      assert.equal(await a.page.locator('.notice').count(), 0);
    });
}

for (const protocol of protocols) {
  project(`who comes when too many did is let in later: ${protocol}`, {
    protocol, environment: { JWT_SECRET: SECRET, WIREHALL_RATE_LIMIT__CONNECTIONS_PER_MINUTE: '60' },
  }, async ({ server, open, atEnd }) => {
    const a = await open();
    a.allowed = new RegExp(`${OUTAGE.source}|status of 400`); // of a poll whose session was refused meanwhile
    const token = sign({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60 });
    await a.page.route('**/dev/token?*', (route) => route.fulfill({ json: { token } }));
    await a.page.getByLabel('Your name').fill('alice');
    // Not before the page is there: with every second that it takes one more may come.
    const others = Array.from({ length: 70 }, () => new WebSocket(`${server.url.replace('http', 'ws')}/ws?token=x`));
    atEnd(() => others.forEach((socket) => socket.terminate()));
    await Promise.all(others.map((socket) => new Promise((resolve) => {
      socket.on('error', () => {}).on('close', resolve); // the token is none: all are refused, the last ones for the rate
    })));
    await press(a, '#sign-in', 'Sign in');
    await a.reads('#state', 'Connection lost, trying again…');
    await a.reads('#state', 'Connected');
  });
}

project('a Socket.IO client that the server does not serve', {
  protocol: 'socketio', environment: { WIREHALL_CLIENT_DIRECTORY: '' },
}, async ({ open }) => {
  const a = await open('/?user=alice');
  a.allowed = /status of 40[04]/;
  await a.reads('.notice.problem p', /^The server does not serve the Socket\.IO client: run "npm install"/);
  await a.reads('#state', 'Not connected');
});

project('a room with very many messages keeps the newest, and history has the others', {
  environment: { WIREHALL_RATE_LIMIT__MESSAGES_PER_MINUTE: '1000000' },
}, async ({ server, enter, atEnd }) => {
  const wilma = await person(server, 'wilma', 'lobby');
  atEnd(() => wilma.close());
  const burst = (from) => Promise.all(Array.from({ length: 90 }, (_, i) => wilma.send('lobby', String(from + i))));
  const a = await enter('alice');
  for (let round = 0; round < 6; ++round) await burst(round * 90);
  const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => String(from + i));
  await ends(a, ['539']);
  assert.deepEqual(await texts(a), numbers(40, 540));
  await press(a, '#room', 'Earlier messages');
  await ends(a, numbers(0, 540));
  assert.equal(await a.page.locator('#earlier').isVisible(), false);
});

for (const protocol of protocols) {
  project(`a server that is started again: ${protocol}`, { protocol }, async ({ server, enter, cable }) => {
    const wire = await cable();
    const a = await enter('alice', { address: wire.url });
    const b = await enter('bob');
    for (const tab of [a, b]) tab.allowed = OUTAGE;
    await say(a, 'before');
    await ends(b, ['before']);
    wire.cut();
    await server.kill();
    await b.reads('#state', 'Connection lost, trying again…');
    await server.restart();
    await b.reads('#state', 'Connected');
    await say(b, 'meanwhile'); // the server has forgotten the connection of who is away
    await ends(b, ['before', 'meanwhile']);
    wire.mend();
    await a.reads('#state', 'Connected');
    await say(b, 'after');
    for (const tab of [a, b]) await ends(tab, ['before', 'meanwhile', 'after']);
    assert.equal((await texts(a)).length, 3, 'each once');
  });
}

const CUTS = {
  rooms: ['lobby', 'Manage rooms'],
  'rooms,presence': ['lobby', 'People', 'Manage rooms'],
  'rooms,history': ['lobby', 'Manage rooms'],
  'rooms,typing': ['lobby', 'Manage rooms'],
  'rooms,uploads': ['lobby', 'Manage rooms'],
  'private-messages': ['Private messages'],
  calls: ['Calls'],
  'private-messages,push': ['Private messages', 'Notifications'],
};
for (const [names, panels] of Object.entries(CUTS)) {
  const features = names.split(',');
  project(`a page with ${features.join(' and ')} alone`, { features }, async ({ enter }) => {
    const a = await enter('alice', { room: features.includes('rooms') ? 'lobby' : '' });
    assert.deepEqual(await a.page.locator('#hall .panel h2').allTextContents(), [...panels, 'Any event']);
    assert.deepEqual([await overflow(a.page), await faint(a.page)], [[], []]);
  });
}

project('any event by hand, without a single feature', { features: [], protocol: 'socketio' }, async ({ enter }) => {
  const a = await enter('alice', { room: '' });
  await press(a, '#events', 'Send');
  await a.reads('#events pre', /"code": "unknown-event"/);
  await a.page.locator('#events').getByLabel('Fields').fill('{ nonsense');
  await press(a, '#events', 'Send');
  await a.reads('#events pre', /"error": ".*JSON/);
  assert.deepEqual(await a.page.locator('.panel h2').allTextContents(), ['Sign in', 'Any event']);
  await a.screenshot('project-no-feature');
});

project('push without a key says what is missing', {}, async ({ enter }) => {
  const a = await enter('alice', { room: '' });
  await press(a, '#push', 'Turn on');
  await a.reads('.notice.problem p', /wirehall vapid/);
});

project('without tokens', { auth: 'no-auth', features: FEATURES.filter((each) => each !== 'push') }, async ({ enter }) => {
  const [a, b] = [await enter('alice'), await enter('bob')];
  await say(a, 'hello');
  await ends(b, ['hello']);
  await a.page.setInputFiles('input[type=file]', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('notes') });
  await b.reads('#room .log p', 'notes.txt 5 bytes');
  const [download] = await Promise.all([b.page.waitForEvent('download'), press(b, '#room .log', 'notes.txt')]);
  assert.equal(readFileSync(await download.path(), 'utf8'), 'notes');
});

project('a server in production makes no tokens, and the page says what to do', {
  environment: { JWT_SECRET: randomBytes(32).toString('base64') },
}, async ({ open }) => {
  const a = await open('/?user=alice');
  a.allowed = /404/;
  await a.reads('.notice.problem p', /put your own sign-in into client\/sign_in\.js/);
  assert.ok(await a.page.locator('#sign-in').isVisible());
  await press(a, '#notices', 'Close');
  assert.equal(await a.page.locator('.notice').count(), 0);
});

for (const device of ['desktop-light', 'desktop-dark', 'phone-light', 'phone-dark']) {
  const [size, colorScheme] = device.split('-');
  const how = { ...(size === 'phone' ? PHONE : DESKTOP), colorScheme };

  project(`it fits and can be read: ${device}`, {}, async ({ server, open, enter, atEnd }) => {
    const looks = async (tab, name) => {
      assert.deepEqual([await overflow(tab.page), await faint(tab.page)], [[], []], name);
      await tab.screenshot(`project-${name}-${device}`);
    };
    const door = await open('/', how);
    await door.page.getByLabel('Your name').waitFor();
    await looks(door, 'sign-in');

    const b = await person(server, 'bob', 'lobby');
    const c = await person(server, 'carol-with-quite-a-long-name-for-a-person', 'lobby');
    for (const each of [b, c]) atEnd(() => each.close());
    await b.send('lobby', 'Morning! Is the new build on staging?');
    await c.send('lobby', `It is: https://example.org/${'a/path/that/goes/on/and/on/'.repeat(6)}`);
    await b.upload(new Blob([new Uint8Array(48_211)]), { roomId: 'lobby', name: 'a report with a long name.pdf' });
    await c.request('update-status', { status: 'away' });
    const a = await enter('alice', how);
    await say(a, 'Thanks, I am looking at it now.');
    await ends(a, ['Thanks, I am looking at it now.']);
    await b.sendPrivate('alice', 'Lunch at twelve?');
    await a.reads('#private .log p', 'Lunch at twelve?');
    b.typing('lobby');
    await a.reads('#typing', 'bob is typing…');
    await looks(a, 'room');
    await a.page.getByText('Manage rooms').click();
    await a.page.locator('#roles').getByLabel('Person').fill('bob');
    await press(a, '#roles', 'Do it');
    await a.reads('#roles [role=status]', 'Invite: done');
    await a.page.locator('#calls').getByLabel('Person').fill('alice');
    await press(a, '#calls', 'Call');
    await a.page.waitForSelector('.notice.problem');
    await looks(a, 'side');
    await a.page.screenshot({ path: `build/screenshots/project-whole-${device}.png`, fullPage: true });
  });
}
