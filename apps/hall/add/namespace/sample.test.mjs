// The namespace /sample, over Socket.IO: the native protocol has none. It is src/namespaces/sample.cpp.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';
import * as socketio from './support/clients.socketio.mjs';

const over = [socketio];
const namespace = '/sample';

behaviour('who connects to /sample is greeted', async ({ connect }) => {
  const alice = await connect('alice', { namespace });
  assert.deepEqual(await alice.ask('hello'), { success: true, hello: 'alice' });
}, { over });

behaviour('events of /sample are not events of other namespaces', async ({ connect }) => {
  const alice = await connect('alice');
  await assert.rejects(alice.ask('hello'), { code: 'unknown-event' });
}, { over });

behaviour('without a token nobody is let into /sample', async ({ connectAs }) => { // feature: jwt
  await assert.rejects(connectAs({}, { namespace }), { code: 'authentication-required' }); // feature: jwt
}, { over }); // feature: jwt
