// What each option puts into a project and leaves out: files, and the lines by which they are known.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { filesOf, isFormatted, make, run, tried, WIREHALL, workshop } from './projects.mjs';

const FEATURES = ['rooms', 'presence', 'history', 'private-messages', 'typing', 'uploads', 'calls', 'push'];

// feature → the file that is its own, the call in src/app.cpp, an event that has a rate of its own.
const OWN = {
  rooms: ['src/handlers/join_room.cpp', 'on_join_room(io, hall);', 'join-room'],
  presence: ['src/presence/presence.cpp', 'on_presence(io, hall);', 'update-status'],
  history: ['src/handlers/history.cpp', 'on_history(io, hall);', 'history'],
  'private-messages': ['src/handlers/private_message.cpp', 'on_private_message(io, hall);'],
  typing: ['src/handlers/typing.cpp', 'on_typing(io, hall);', 'stop-typing'],
  uploads: ['src/handlers/uploads.cpp', 'on_uploads(io, hall);', 'upload-start'],
  calls: ['src/handlers/calls.cpp', 'on_calls(io, hall);', 'call-user'],
  push: ['src/handlers/push.cpp', 'on_push(io, hall);', 'push-subscribe'],
};
const NEEDS = { presence: ['rooms'], history: ['rooms'], typing: ['rooms'], uploads: ['rooms'], push: ['private-messages'] };
const ALWAYS = ['.clang-format', '.dockerignore', '.env', '.env.example', '.github/workflows/ci.yml', '.gitignore',
  'CMakeLists.txt', 'CMakePresets.json', 'Dockerfile', 'README.md', 'compose.yaml', 'config/websocket.json', 'dev',
  'nginx.conf', 'src/app.cpp', 'src/app.h', 'src/main.cpp', 'src/middleware/authentication.cpp',
  'src/middleware/logging.cpp', 'src/middleware/rate_limit.cpp', 'src/middleware/validation.cpp', 'wirehall.json'];

let shop;
before(() => { shop = workshop(); });
after(() => shop.dispose());

/** A project, with read() and has(). */
async function project(name, ...args) {
  const folder = await make(shop.folder, name, args);
  const files = filesOf(folder);
  return { folder, files, has: (file) => files.includes(file), read: (file) => readFileSync(path.join(folder, file), 'utf8') };
}

it('every project has what a project needs', async () => {
  const made = await project('bare', '--features', 'none', '--client', 'none');
  for (const file of ALWAYS) assert.ok(made.has(file), file);
  assert.equal(statSync(path.join(made.folder, 'dev')).mode & 0o111, 0o111);
  assert.equal(statSync(path.join(made.folder, '.env')).mode & 0o777, 0o600);
});

describe('each feature alone', () => {
  for (const feature of FEATURES) {
    it(feature, async () => {
      const made = await project(`only-${feature}`, '--features', feature);
      const chosen = [feature, ...NEEDS[feature] ?? []];
      assert.deepEqual(JSON.parse(made.read('wirehall.json')).features.sort(), chosen.sort());
      for (const [each, [file, call, event]] of Object.entries(OWN)) {
        const there = chosen.includes(each);
        assert.equal(made.has(file), there, file);
        assert.equal(made.read('src/app.cpp').includes(call), there, call);
        if (event) assert.equal(made.read('src/middleware/rate_limit.cpp').includes(`"${event}"`), there, event);
        assert.equal(made.has(`client/${each.replace('-', '_')}.js`), there, each);
        if (each !== 'rooms') assert.equal(made.has(`tests/${each.replace('-', '_')}.test.mjs`), there, each);
      }
    });
  }
});

describe('each choice', () => {
  it('protocol', async () => {
    const both = await project('both');
    const native = await project('native', '--protocol', 'native');
    const socketio = await project('socketio', '--protocol', 'socketio');
    assert.match(native.read('config/websocket.json'), /"socketio": false/);
    assert.match(socketio.read('config/websocket.json'), /"native": false/);
    assert.doesNotMatch(both.read('config/websocket.json'), /"(native|socketio)": false/);
    for (const [made, names] of [[both, true], [native, true], [socketio, false]]) {
      assert.equal(made.has('src/handlers/native_names.cpp'), names);
      assert.equal(made.has('client/wirehall.js'), names);
      assert.equal(made.read('src/handlers/join_room.cpp').includes('kNative'), names);
    }
    assert.match(socketio.read('client/connection.js'), /socket\.io/);
    assert.match(socketio.read('package.json'), /"socket.io-client"/);
    assert.doesNotMatch(native.read('package.json'), /socket\.io/);
  });
  it('auth', async () => {
    const none = await project('open', '--auth', 'none');
    const jwt = await project('closed');
    assert.match(none.read('config/websocket.json'), /"mode": "none"/);
    assert.match(jwt.read('config/websocket.json'), /"mode": "jwt"/);
    assert.ok(!none.has('src/handlers/refresh_token.cpp') && jwt.has('src/handlers/refresh_token.cpp'));
    assert.ok(!none.has('tests/auth.test.mjs') && jwt.has('tests/auth.test.mjs'));
    assert.doesNotMatch(none.read('.env'), /JWT_SECRET/);
    assert.match(jwt.read('.env'), /^JWT_SECRET=[\w-]{64}$/m);
    assert.doesNotMatch(none.read('src/app.cpp'), /serve_dev_tokens/);
  });
  it('store', async () => {
    assert.match((await project('lasting')).read('config/websocket.json'), /"store": "sqlite"/);
    assert.match((await project('passing', '--store', 'memory')).read('config/websocket.json'), /"store": "memory"/);
  });
  it('client', async () => {
    const [js, cpp, none] = [await project('js'), await project('cpp', '--client', 'cpp'), await project('none', '--client', 'none')];
    assert.ok(js.has('client/index.html') && js.has('package.json'));
    assert.match(js.read('src/main.cpp'), /serve_directory\("client"\)/);
    for (const made of [cpp, none]) {
      assert.ok(!made.has('client/index.html') && !made.has('package.json') && made.has('tests/CMakeLists.txt'));
      assert.doesNotMatch(made.read('src/main.cpp'), /serve_directory/);
    }
    assert.ok(cpp.has('client/main.cpp') && !none.files.some((file) => file.startsWith('client/')));
    assert.match(cpp.read('CMakeLists.txt'), /add_subdirectory\(client\)/);
    assert.doesNotMatch(none.read('CMakeLists.txt'), /add_subdirectory\(client\)/);
    const tests = (made) => made.files.filter((file) => /^tests\/.*_test\.cpp$/.test(file));
    assert.deepEqual(tests(js), []);
    assert.deepEqual(tests(cpp).map((file) => file.replace('_test.cpp', '.test.mjs')),
      js.files.filter((file) => file.endsWith('.test.mjs')), 'the same behaviours');
    assert.deepEqual(tests(none), tests(cpp));
    const bare = await project('cpp-bare', '--client', 'cpp', '--features', 'none', '--protocol', 'native', '--auth', 'none');
    assert.deepEqual(tests(bare), ['connect', 'rate_limit', 'reconnection'].map((name) => `tests/${name}_test.cpp`));
    assert.ok(cpp.has('client/rooms.cpp') && !bare.has('client/rooms.cpp'));
    assert.doesNotMatch(bare.read('tests/support/protocols.h'), /kSocketIo/);
  });
});

it('pieces are formatted under the shortest and the longest name', async () => {
  const made = await project('grown', '--client', 'cpp');
  for (const name of ['x', `${'abcdefghi-'.repeat(3)}abcdefghij`]) {
    for (const kind of ['handler', 'middleware', 'room-type', 'namespace']) await run(WIREHALL, ['add', kind, name], { cwd: made.folder });
  }
  await isFormatted(made.folder);
});

it('secrets are fresh for every project, and stand in .env alone', async () => {
  const [one, two] = [await project('one', '--features', 'all'), await project('two', '--features', 'all')];
  const secrets = (made) => made.read('.env').split('\n')
    .filter((line) => /^[A-Z_]+=./.test(line) && !/^\w+__(PUBLIC_KEY|SUBJECT)=/.test(line)).map((line) => line.slice(line.indexOf('=') + 1));
  assert.ok(secrets(one).length >= 2);
  for (const secret of secrets(one)) {
    assert.ok(!secrets(two).includes(secret), secret);
    for (const file of one.files.filter((each) => each !== '.env')) assert.ok(!one.read(file).includes(secret), file);
  }
  assert.match(one.read('.gitignore'), /^\/?\.env$/m);
  const key = /PUBLIC_KEY=(.*)/.exec(one.read('.env'))[1];
  assert.ok(one.read('client/push.js').includes(`'${key}'`), 'the page has the public key of the pair');
});

it('nothing of the templates shows: no marker, no placeholder, no trailing blank', async () => {
  for (const args of [['--features', 'all'], ['--features', 'none', '--protocol', 'native', '--auth', 'none'],
    ['--client', 'cpp', '--protocol', 'socketio'], ['--client', 'none', '--store', 'memory', '--features', 'calls']]) {
    const made = await project(`clean-${args.join('').replace(/\W/g, '')}`.slice(0, 60), ...args);
    for (const file of made.files) {
      if (/^client\/wirehall\./.test(file)) continue; // the SDK as it is
      assert.doesNotMatch(made.read(file), /feature: [a-z]|@[A-Z_]{3,}@|[ \t]$|\n\n\n/m, `${args} ${file}`);
    }
  }
});

it('the settings are ones that the program takes', async () => {
  for (const args of [['--features', 'all'], ['--features', 'none', '--protocol', 'native', '--auth', 'none', '--client', 'none']]) {
    const made = await project(`checked${args.length}`, ...args);
    const env = Object.fromEntries(made.read('.env').split('\n').filter((line) => /^[A-Z_]+=/.test(line)).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    await run(WIREHALL, ['check', 'config/websocket.json'], { cwd: made.folder, env });
  }
});

it('the help names every option, and the manifest every feature', async () => {
  const { stdout } = await tried(WIREHALL, ['new', '--help']);
  for (const word of [...FEATURES, '--protocol', '--auth', '--store', '--client', '--yes', 'socketio', 'native', 'both'])
    assert.ok(stdout.includes(word), word);
});
