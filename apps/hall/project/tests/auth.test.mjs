// Nobody comes in without a token that this server trusts.
import assert from 'node:assert/strict';
import { behaviour } from './support/behaviour.mjs';
import { identityOf } from './support/identity.mjs';

behaviour('a good token lets its user in', async ({ connectAs, server }) => {
  const alice = await connectAs(await identityOf(server, 'alice'));
  assert.equal((await alice.next('connected')).userId, 'alice');
});

behaviour('without a token nobody is let in', async ({ connectAs }) => {
  await assert.rejects(connectAs({}), { code: /^authentication-(required|failed)$/ });
});

behaviour('a token that was signed by somebody else is refused', async ({ connectAs, server }) => {
  const { token } = await identityOf(server, 'alice');
  const [head, claims] = token.split('.');
  await assert.rejects(connectAs({ token: `${head}.${claims}.${'A'.repeat(43)}` }), { code: 'authentication-failed' });
});

behaviour('a token whose user was changed is refused', async ({ connectAs, server }) => {
  const { token } = await identityOf(server, 'alice');
  const [head, claims, signature] = token.split('.');
  const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'bob' };
  const forged = [head, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
  await assert.rejects(connectAs({ token: forged }), { code: 'authentication-failed' });
});
