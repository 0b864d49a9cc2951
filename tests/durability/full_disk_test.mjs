// A full disk: what cannot be stored is refused, what was acknowledged stays, and space that returns is enough.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mountNamespace } from '../support/namespace.mjs';
import { remove, temporaryFolder } from './server.mjs';

const SCENARIO = fileURLToPath(new URL('full_disk_scenario.mjs', import.meta.url));

it('a full disk refuses what it cannot store, loses nothing, and recovers by itself', (t) => {
  const namespace = mountNamespace();
  const folder = temporaryFolder('full');
  try {
    const { status, signal, stdout, stderr } = spawnSync(
      'unshare', [...namespace, process.execPath, SCENARIO, folder], { encoding: 'utf8', timeout: 120_000 });
    for (const line of stdout.trim().split('\n')) t.diagnostic(line);
    assert.equal(status, 0, `${signal ?? ''}${stdout}${stderr}`);
  } finally {
    remove(folder);
  }
});
