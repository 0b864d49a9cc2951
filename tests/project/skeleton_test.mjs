// The skeleton of a generated project, file by file, for choices that hold every term; and its script, which brings
// Wirehall and builds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync,
  writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hallServer, root, until } from '../support/server.mjs';
import { BUILD, filesOf, freePort, run, tried } from '../installed/steps.mjs';
import { environmentOf, healthCheckOf, parseCopy, parseDockerfile, stepsOf } from './dockerfile.mjs';
import { CHOICES, writeTree } from './tree.mjs';

const VERSION = /project\(wirehall VERSION (\S+)/.exec(readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8'))[1];
const NOBODY_HAS = '9.9.9';

let folder;
let deb;
before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wirehall-skeleton-'));
  await run('cpack', '--config', path.join(BUILD, 'CPackConfig.cmake'), '-B', path.join(folder, 'packed'));
  deb = path.join(folder, 'packed', readdirSync(path.join(folder, 'packed')).find((name) => name.endsWith('.deb')));
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [name, terms] of Object.entries(CHOICES)) {
  describe(`a project with ${name}`, () => {
    let tree;
    const read = (file) => readFileSync(path.join(tree, file), 'utf8');
    before(() => {
      tree = path.join(folder, name.replace(/\W+/g, '-'));
      writeTree(tree, terms, { version: VERSION });
    });

    it('has no marker and no placeholder left', () => {
      // The SDK has no line that could be cut, and @-signs of its own.
      for (const file of filesOf(tree).filter((each) => !/^client\/wirehall\./.test(each))) assert.doesNotMatch(read(file), /feature: [a-z]|@[A-Z]+@|[ \t]$|\n\n\n/m, file);
    });

    it('has scripts that the shell understands', async () => {
      await run('bash', '-n', path.join(tree, 'dev'));
      await run('bash', '-n', path.join(tree, 'vendor/wirehall.sh'));
      assert.match((await tried(path.join(tree, 'dev'))).output, /^Usage: \.\/dev COMMAND/);
      assert.equal((await tried(path.join(tree, 'dev'), 'fly')).status, 2);
    });

    it('has settings that the server takes, with the secrets of .env', async () => {
      const variables = read('.env').split('\n').filter((line) => /^[A-Z]/.test(line));
      await run('env', ...variables, path.join(BUILD, 'wirehall'), 'check', path.join(tree, 'config/websocket.json'));
      const secrets = variables.map((line) => line.split('=')[1]).filter((value) => !value.startsWith('mailto:'));
      assert.ok(secrets.every((secret) => secret.length >= 32), `${variables}`);
      assert.equal(new Set(secrets).size, secrets.length);
      assert.equal(variables.some((line) => line.startsWith('JWT_SECRET=')), terms.includes('jwt'));
      for (const secret of secrets) assert.ok(!read('.env.example').includes(secret));
      // Every name stands in both, and is one that the server reads.
      const names = (file) => [...read(file).matchAll(/^#?([A-Z_]+)=/gm)].map((found) => found[1]);
      assert.deepEqual(names('.env'), names('.env.example'));
      const reference = readFileSync(path.join(root, 'docs/reference/configuration.md'), 'utf8');
      for (const each of names('.env')) assert.ok(reference.includes(`\`${each}\``), each);
    });

    it('has the settings of its choice', () => {
      const settings = JSON.parse(read('config/websocket.json').replace(/^\s*\/\/.*$/gm, ''));
      assert.equal(settings.auth.mode, terms.includes('jwt') ? 'jwt' : 'none');
      assert.equal(settings.store, terms.includes('sqlite') ? 'sqlite' : 'memory');
      assert.equal(settings.native ?? true, terms.includes('native'));
      for (const [key, feature] of Object.entries({ pingInterval: 'socketio', heartbeatInterval: 'native',
        history: 'history', rooms: 'rooms', typingTimeout: 'typing', presence: 'presence',
        privateMessages: 'private-messages', uploads: 'uploads', calls: 'calls' }))
        assert.equal(key in settings, terms.includes(feature), key);
    });

    it('has JSON that can be read, and with a page the modules, locked', () => {
      JSON.parse(read('CMakePresets.json'));
      assert.equal(existsSync(path.join(tree, 'package.json')), terms.includes('js'));
      if (!terms.includes('js')) return;
      const { dependencies, devDependencies } = JSON.parse(read('package.json'));
      const locked = JSON.parse(read('package-lock.json')).packages;
      assert.deepEqual([locked[''].dependencies, locked[''].devDependencies], [dependencies, devDependencies]);
      const wanted = { ...dependencies, ...devDependencies };
      assert.equal('socket.io-client' in wanted, terms.includes('socketio'));
      for (const [module, version] of Object.entries(wanted)) assert.equal(locked[`node_modules/${module}`].version, version);
    });

    it('has an image whose stages find what they copy, run as nobody in particular, and are watched', async () => {
      const stages = parseDockerfile(read('Dockerfile'));
      assert.deepEqual(stages.map((stage) => stage.name), ['build', 'test', undefined]);
      const ignored = read('.dockerignore').split('\n').filter(Boolean);
      for (const stage of stages) {
        for (const { text } of stage.steps.filter(({ word }) => word === 'COPY')) {
          const { from, sources } = parseCopy(text);
          if (from) assert.ok(stages.indexOf(stage) > stages.findIndex((each) => each.name === from), text);
          const places = sources.map((source) => (from ? path.relative('/src', source) : source));
          for (const place of places.filter((each) => !/^(build|node_modules|client)\b/.test(each))) {
            assert.ok(existsSync(path.join(tree, place)), text);
            assert.ok(!ignored.includes(place), text);
          }
        }
      }
      const last = stepsOf(stages, stages.at(-1));
      const words = last.map(({ word }) => word);
      assert.ok(words.lastIndexOf('USER') > words.lastIndexOf('RUN'));
      assert.notEqual(last.find(({ word }) => word === 'USER').text, '0');
      assert.equal(last.find(({ word }) => word === 'EXPOSE').text, environmentOf(last).PORT);
      assert.equal(last.find(({ word }) => word === 'VOLUME').text, environmentOf(last).WIREHALL_DATA);
      for (const secret of ['.env', '.git']) assert.ok(ignored.includes(secret));
    });

    it('installs the libraries that programs are linked with: the server in the image, `wirehall` where it is unpacked', async () => {
      const needed = (await run('dpkg-deb', '-f', deb, 'Depends')).trim().split(', ').map((each) => each.split(' ')[0])
        .filter((each) => !each.endsWith('-dev') && !['libc6', 'libgcc-s1'].includes(each)).sort();
      const wordsOf = (text) => text.trim().split(/\s+/);
      const line = parseDockerfile(read('Dockerfile')).at(-1).steps.find(({ word }) => word === 'RUN').text;
      const [, unpacked] = /^packages_of_program=\(([^)]*)\)/m.exec(read('vendor/wirehall.sh'));
      assert.deepEqual([...wordsOf(/--no-install-recommends ([^&]*)/.exec(line)[1]), ...wordsOf(unpacked)].sort(), needed);
    });
  });
}

it('the health of the image is that of the server', async () => {
  const tree = path.join(folder, 'healthy');
  writeTree(tree, CHOICES.everything, { version: VERSION });
  const stages = parseDockerfile(readFileSync(path.join(tree, 'Dockerfile'), 'utf8'));
  const [program, ...words] = healthCheckOf(stepsOf(stages, stages.at(-1)));
  const server = await hallServer(['--data', path.join(folder, 'data-healthy')]);
  await run('env', `PORT=${server.port}`, program, ...words);
  await server.stop();
  assert.notEqual((await tried('env', `PORT=${server.port}`, program, ...words)).status, 0);
});

describe('./dev', () => {
  let tree;
  const dev = (...words) => tried('env', 'HOME=/root', path.join(tree, 'dev'), ...words);
  const fresh = (name, version = VERSION) => {
    tree = path.join(folder, name);
    writeTree(tree, CHOICES['native alone, with a page'], { version, sources: true });
    mkdirSync(path.join(tree, 'vendor'), { recursive: true });
  };

  it('says how to bring Wirehall where there is none', async () => {
    fresh('none', NOBODY_HAS);
    const { status, output } = await dev('setup');
    assert.equal(status, 1);
    for (const way of [`Wirehall ${NOBODY_HAS} is not installed`, 'vendor/', 'WIREHALL_DEB', 'WIREHALL_SOURCE', 'CMAKE_PREFIX_PATH'])
      assert.ok(output.includes(way), `${way} is missing in: ${output}`);
  });

  it('says so where what it is given is not what it needs', async () => {
    fresh('other', NOBODY_HAS);
    for (const [value, text] of [[deb, `this is not Wirehall ${NOBODY_HAS}`], ['/nowhere.deb', 'there is no file /nowhere.deb']]) {
      const { status, output } = await tried('env', 'HOME=/root', `WIREHALL_DEB=${value}`, path.join(tree, 'dev'), 'setup');
      assert.equal(status, 1);
      assert.ok(output.includes(text), output);
    }
  });

  it('takes the package of vendor/, builds and tests, without a warning, and again where it was moved', async () => {
    fresh('packed-project');
    await run('cp', deb, path.join(tree, 'vendor'));
    const { status, output } = await tried('env', 'HOME=/root', 'CI=1', path.join(tree, 'dev'), 'test');
    assert.equal(status, 0, output);
    assert.match(output, /100% tests passed, 0 tests failed out of 1/);
    // Where the machine has this version, that is taken.
    assert.equal(existsSync(path.join(tree, '.wirehall/lib/libwirehall.a')), !existsSync('/usr/lib/cmake/wirehall'));
    assert.equal(statSync(path.join(tree, '.env')).mode & 0o777, 0o600);

    const moved = path.join(folder, 'moved-project');
    renameSync(tree, moved);
    tree = moved;
    writeFileSync(path.join(tree, 'tests/fails.test.mjs'), 'process.exit(1);\n');
    const again = await dev('test', 'starts', 'stops');
    assert.equal(again.status, 0, again.output);
    assert.match(again.output, /100% tests passed, 0 tests failed out of 1/);
    rmSync(path.join(tree, 'tests/fails.test.mjs'));
    assert.doesNotMatch(again.output, /unpacking/);
    assert.equal((await dev('format', '--check')).status, 0);
  });

  it('serves with what .env says, unless the environment says otherwise', async () => {
    appendFileSync(path.join(tree, '.env'), 'WIREHALL_NATIVE_PATH=/of-the-file\n# WIREHALL_NATIVE_PATH=/of-a-comment\n');
    for (const [variables, place] of [[{}, '/of-the-file'], [{ WIREHALL_NATIVE_PATH: '/of-the-environment' }, '/of-the-environment']]) {
      const port = await freePort();
      const child = spawn(path.join(tree, 'dev'), ['serve', '--port', `${port}`, '--data', path.join(folder, 'data-served')],
        { env: { ...process.env, ...variables }, stdio: 'ignore' });
      const answers = () => fetch(`http://127.0.0.1:${port}${place}`)
        .then((response) => response.status === 426, () => false); // it wants a WebSocket
      const ended = once(child, 'exit');
      try {
        await until(answers, `an answer at ${place}`, 60_000);
      } finally {
        child.kill('SIGTERM');
      }
      assert.deepEqual(await ended, [0, null]);
    }
  });

  it('says which sources are not formatted, and formats them', async () => {
    writeFileSync(path.join(tree, 'src/ugly.h'), 'int   ugly( ) ;\n');
    const { status, output } = await dev('format', '--check');
    assert.notEqual(status, 0);
    assert.match(output, /src\/ugly\.h:1:/);
    assert.equal((await dev('format')).status, 0);
    assert.equal(readFileSync(path.join(tree, 'src/ugly.h'), 'utf8'), 'int ugly();\n');
  });

  it('finds the program that adds to a project where it finds the library', async () => {
    const { status, output } = await dev('add', '--help');
    assert.doesNotMatch(output, /not found/);
    assert.match(output, /wirehall|Wirehall/);
    assert.equal(status, 0, output);
  });

  it('makes the .env that a clone lacks, with a secret of its own', async () => {
    const secret = () => /^JWT_SECRET=(.*)$/m.exec(readFileSync(path.join(tree, '.env'), 'utf8'))[1];
    const before = secret();
    rmSync(path.join(tree, '.env'));
    assert.equal((await dev('setup')).status, 0);
    assert.ok(secret().length >= 32 && secret() !== before);
    assert.equal(statSync(path.join(tree, '.env')).mode & 0o777, 0o600);
  });
});
