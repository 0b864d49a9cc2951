// The image of a generated project, built step by step in bare Debian systems, then run as the image runs; and the
// Debian package, installed by apt. Minutes, and a network with Debian's packages: with `./dev test --full`.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../support/server.mjs';
import { BUILD, freePort, run } from '../installed/steps.mjs';
import { BareDebian, ImageBuild } from './bare_debian.mjs';
import { healthCheckOf, parseDockerfile } from './dockerfile.mjs';
import { CHOICES, writeTree } from './tree.mjs';

const FULL = process.env.WIREHALL_TEST_FULL === '1';
const VERSION = /project\(wirehall VERSION (\S+)/.exec(readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8'))[1];

describe('on a bare Debian', { skip: FULL ? false : 'only with ./dev test --full' }, () => {
  let folder;
  let deb;
  let bare;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'wirehall-image-'));
    const packed = path.join(folder, 'packed');
    await run('cpack', '--config', path.join(BUILD, 'CPackConfig.cmake'), '-B', packed);
    deb = path.join(packed, readdirSync(packed).find((name) => name.endsWith('.deb')));
    bare = new BareDebian(path.join(folder, 'bare')).make();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('the package is installed by apt and serves', () => {
    const system = bare.copy(path.join(folder, 'apt'));
    copyFileSync(deb, path.join(system.folder, 'root/wirehall.deb'));
    const said = system.run(`apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /root/wirehall.deb
      wirehall --version
      wirehall check /usr/share/wirehall/websocket.json 2>&1 | grep JWT_SECRET
      apt-get remove -y -qq wirehall
      ! test -e /usr/bin/wirehall && ! test -e /usr/share/wirehall`);
    assert.match(said, new RegExp(`^${VERSION}$`, 'm'));
  });

  it('the image is built, its tests pass, and it runs as its user until it is told to end', async () => {
    const tree = path.join(folder, 'tree');
    writeTree(tree, CHOICES.everything, { version: VERSION, sources: true });
    copyFileSync(deb, path.join(tree, 'vendor', path.basename(deb)));
    const [build, test, last] = parseDockerfile(readFileSync(path.join(tree, 'Dockerfile'), 'utf8'));
    assert.equal(build.from, 'debian:12');
    assert.equal(last.from, 'debian:12-slim');

    const image = new ImageBuild(tree);
    const builder = bare.copy(path.join(folder, 'builder'));
    image.stage('build', builder, build.steps);
    assert.equal(test.from, 'build');
    image.stage('test', builder, [build.steps.find(({ word }) => word === 'WORKDIR'), ...test.steps]);

    const runner = bare.copy(path.join(folder, 'runner'));
    image.stage('last', runner, last.steps);
    const [program] = JSON.parse(last.steps.find(({ word }) => word === 'ENTRYPOINT').text);
    const health = healthCheckOf(last.steps).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const user = last.steps.find(({ word }) => word === 'USER').text;
    const said = runner.run(image.script(`
      setpriv --reuid ${user} --regid ${user} --clear-groups ${program} &
      server=$!
      for attempt in {1..100}; do if ${health} 2>/dev/null; then break; fi; sleep 0.1; done
      ${health} && echo healthy
      grep -c '^Uid:.*${user}' /proc/$server/status
      test "$(stat -c %u /data)" = ${user}
      kill -TERM $server
      wait $server && echo ended in order`, { JWT_SECRET: 's'.repeat(32), PORT: `${await freePort()}`, WIREHALL_HOST: '127.0.0.1' }));
    assert.match(said, /^healthy$/m);
    assert.match(said, /^ended in order$/m);
  });
});
