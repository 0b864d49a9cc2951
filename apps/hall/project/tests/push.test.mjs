// Web Push: who is away is told of private messages, by the push service of their browser. Here that is a
// server of this test.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { behaviour } from './support/behaviour.mjs';

/** A key pair, as `wirehall vapid` makes it. */
function makeKeys() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { x, y, d } = privateKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { publicKey: point.toString('base64url'), privateKey: d };
}

const keys = makeKeys();
const settings = {
  WIREHALL_PUSH__VAPID__PUBLIC_KEY: keys.publicKey,
  WIREHALL_PUSH__VAPID__PRIVATE_KEY: keys.privateKey,
  WIREHALL_PUSH__VAPID__SUBJECT: 'mailto:test@example.org',
  WIREHALL_PUSH__ALLOW_PRIVATE_ENDPOINTS: 'true', // the push service is on this machine
};

/** What a browser gives. */
function subscriptionAt(endpoint) {
  return { endpoint, keys: { p256dh: makeKeys().publicKey, auth: randomBytes(16).toString('base64url') } };
}

/** A push service. `received`: resolves to the headers of the first push. */
async function pushService(atEnd) {
  const server = http.createServer();
  const received = once(server, 'request').then(([request, response]) => {
    request.resume();
    response.writeHead(201).end();
    return request.headers;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}/push`, received };
}

behaviour('who is away is told of a private message', async ({ connect, atEnd }) => {
  const service = await pushService(atEnd);
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  assert.equal((await bob.ask('push-subscribe', { subscription: subscriptionAt(service.url) })).success, true);
  bob.close();
  while ((await alice.ask('private-message', { targetUserId: 'bob', content: 'are you there?' })).delivered);
  const headers = await service.received;
  assert.equal(headers['content-encoding'], 'aes128gcm', 'only the browser can read it');
  assert.match(headers.authorization, /^vapid t=/);
}, { settings });

behaviour('a subscription is given up', async ({ connect }) => {
  const bob = await connect('bob');
  const subscription = subscriptionAt('https://push.example.org/1');
  await bob.ask('push-subscribe', { subscription });
  await bob.ask('push-unsubscribe', { subscription });
  await assert.rejects(bob.ask('push-unsubscribe', { subscription }), { code: 'not-found' });
}, { settings });

behaviour('what is no subscription is refused', async ({ connect }) => {
  const bob = await connect('bob');
  await assert.rejects(bob.ask('push-subscribe', { subscription: { endpoint: 'nowhere' } }), { code: 'invalid-format' });
}, { settings });
