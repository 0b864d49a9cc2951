// Notifications of the page of generated projects, in the whole browser: the one without windows shows none.
//
//   node --test tests/browser/project_push_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { WHOLE } from './harness.mjs';
import { press, projects } from './project.mjs';

const project = projects(WHOLE);

/** A key pair, as `wirehall vapid` makes it, and what a browser gives who subscribes. */
function makeKeys() {
  const { x, y, d } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { publicKey: point.toString('base64url'), privateKey: d };
}

const vapid = makeKeys();
project('notifications while the page is closed', {
  vapidKey: vapid.publicKey,
  environment: {
    WIREHALL_PUSH__VAPID__PUBLIC_KEY: vapid.publicKey,
    WIREHALL_PUSH__VAPID__PRIVATE_KEY: vapid.privateKey,
    WIREHALL_PUSH__VAPID__SUBJECT: 'mailto:test@example.org',
  },
}, async ({ server, enter }) => {
  const a = await enter('alice', { room: '', permissions: ['notifications'] });
  // This browser has no push service: what it would give is made up.
  await a.page.evaluate((keys) => {
    const endpoint = 'https://push.example.org/alice';
    const subscription = { endpoint, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => { globalThis.isOver = true; } };
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      globalThis.serverKey = applicationServerKey;
      return subscription;
    };
    PushManager.prototype.getSubscription = async () => subscription;
  }, { p256dh: makeKeys().publicKey, auth: randomBytes(16).toString('base64url') });
  await press(a, '#push', 'Turn on');
  await a.reads('#push [role=status]', /^On/);
  assert.equal(await a.page.evaluate(() => globalThis.serverKey), vapid.publicKey);

  // What is pushed to a worker that is not active yet is lost.
  await a.page.waitForFunction(async () => (await navigator.serviceWorker.ready).active?.state === 'activated');
  const browser = await a.context.newCDPSession(a.page);
  const registered = new Promise((resolve) => {
    browser.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations.forEach(resolve));
  });
  await browser.send('ServiceWorker.enable');
  const { registrationId } = await registered;
  // On a loaded machine a delivery of the developer tools is lost now and then: it is made again until it shows. The
  // same sender's notifications are one, so a second delivery changes nothing.
  const shown = async (payload) => {
    const tag = (payload.message ?? payload.call).fromUserId;
    for (;;) {
      await browser.send('ServiceWorker.deliverPushMessage', { origin: server.url, registrationId, data: JSON.stringify(payload) });
      const notices = await a.page.evaluate(async (sender) => {
        const registration = await navigator.serviceWorker.ready;
        for (const end = performance.now() + 2000; performance.now() < end; await new Promise(requestAnimationFrame)) {
          const there = await registration.getNotifications({ tag: sender });
          if (there.length > 0) return there.map(({ title, body }) => `${title}: ${body}`);
        }
        return [];
      }, tag);
      if (notices.length > 0) return notices;
    }
  };
  const message = { fromUserId: 'bob', fromUser: { name: 'Bob' }, content: 'are you there?' };
  assert.deepEqual(await shown({ type: 'private-message', message }), ['Bob: are you there?']);
  assert.deepEqual(await shown({ type: 'call-missed', call: { fromUserId: 'carol' } }), ['carol: has called']);

  await press(a, '#push', 'Turn off');
  await a.reads('#push [role=status]', 'Off');
  assert.equal(await a.page.evaluate(() => globalThis.isOver), true);
});
