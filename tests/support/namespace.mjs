// A mount namespace of a test's own: what it mounts is nobody else's, and goes with it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

// The first is for everybody whom the kernel lets have a user namespace, the second for root.
const NAMESPACES = [['--user', '--map-root-user', '--mount'], ['--mount']];

/** Options of `unshare` that give one. Fails where there is none: a test that needs it must not pass without. */
export function mountNamespace() {
  const options = NAMESPACES.find((each) => spawnSync('unshare', [...each, 'true']).status === 0);
  assert.ok(options, 'no mount namespace: this test must run as root or where user namespaces are allowed');
  return options;
}
