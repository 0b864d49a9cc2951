// The commands as somebody at a terminal meets them: questions, refusals, interruptions.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { mountNamespace } from '../support/namespace.mjs';
import { hashOf, isFormatted, make, onTerminal, tried, WIREHALL, wirehall, workshop } from './projects.mjs';

let shop;
let folder;
let count = 0;
before(() => { shop = workshop(); });
beforeEach(() => {
  folder = path.join(shop.folder, String(++count));
  mkdirSync(folder);
});
after(() => shop.dispose());

async function refused(args, status, text) {
  const answer = await wirehall(args, { cwd: folder });
  assert.equal(answer.status, status, answer.stdout + answer.stderr);
  assert.match(answer.stderr, text);
  assert.equal(answer.stdout, '');
  return answer;
}

describe('on a terminal', () => {
  it('what was not said is asked, and the same can be had without a question', async () => {
    const { status, screen } = await onTerminal(`${WIREHALL} new my-app --store memory`, [
      ['What should it do?', ''], ['--features', 'rooms, typin\r'], ['did you mean "typing"?', ''], ['--features', 'typing\r'],
      ['--protocol [both]: ', 'nativ\r'], ['--protocol cannot be "nativ"; did you mean "native"?', ''], ['--protocol [both]: ', ' native \r'],
      ['--auth [jwt]: ', '\r'], ['--client [js]: ', 'none\r']], { cwd: folder });
    assert.equal(status, 0, screen);
    assert.doesNotMatch(screen, /--store \[/);
    assert.match(screen, /The feature rooms is needed by another one, and comes with it\./);
    const [, command] = /^ {4}(wirehall new .*--yes)$/m.exec(screen);
    assert.equal(command, 'wirehall new my-app --features rooms,typing --protocol native --auth jwt --store memory --client none --yes');
    const settings = readFileSync(path.join(folder, 'my-app/wirehall.json'), 'utf8');
    mkdirSync(path.join(folder, 'again'));
    const again = await wirehall(command.split(' ').slice(1), { cwd: path.join(folder, 'again') });
    assert.equal(again.status, 0, again.stderr);
    assert.equal(readFileSync(path.join(folder, 'again/my-app/wirehall.json'), 'utf8'), settings);
    assert.match(screen, /cd my-app\n {4}\.\/dev serve .*\n {4}\.\/dev test/);
  });
  it('the end of the input, and an interruption, leave nothing', async () => {
    for (const key of ['\x04', '\x03']) {
      const { status, screen } = await onTerminal(`${WIREHALL} new my-app`, [['--features', key]], { cwd: folder });
      assert.equal(status, 130, screen);
      assert.match(screen, /stopped; nothing was written/);
      assert.deepEqual(readdirSync(folder), []);
    }
  });
  it('what does not fit is said before the next question, and before the first', async () => {
    const { status, screen } = await onTerminal(`${WIREHALL} new my-app --features push`, [['--protocol [both]: ', '\r'],
      ['--auth [jwt]: ', 'none\r'], ['"push" needs --auth jwt', ''], ['--auth [jwt]: ', '\r'], ['--store', '\r'], ['--client', '\r']], { cwd: folder });
    assert.equal(status, 0, screen);
    const wrong = await onTerminal(`${WIREHALL} new other --protocol websocket`, [], { cwd: folder });
    assert.equal(wrong.status, 64);
    assert.doesNotMatch(wrong.screen, /\]: /);
  });
  it('--yes asks nothing', async () => {
    const { status, screen } = await onTerminal(`${WIREHALL} new my-app --yes`, [], { cwd: folder });
    assert.equal(status, 0);
    assert.doesNotMatch(screen, /\]: /);
  });
});

describe('new refuses', () => {
  it('an unknown feature, with the one that was meant', () =>
    refused(['new', 'a', '--features', 'room'], 64, /there is no feature "room"; did you mean "rooms"\?\nFeatures are: rooms, /));
  it('an unknown word of a choice, with those that there are', () =>
    refused(['new', 'a', '--protocol', 'websocket'], 64, /--protocol cannot be "websocket".*\nIt is one of: both, socketio, native/));
  it('what cannot be together, with the reason', () =>
    refused(['new', 'a', '--features', 'push', '--auth', 'none'], 64, /"push" needs --auth jwt: without tokens anybody/));
  it('an empty list of features', () => refused(['new', 'a', '--features', ''], 64, /--features is empty/));
  it('"none" together with a feature', () =>
    refused(['new', 'a', '--features', 'none,rooms'], 64, /"none" stands alone/));
  it('a name that is none, with the reason', async () => {
    await refused(['new', 'My-App'], 64, /cannot be called "My-App": a name begins with a letter from a to z/);
    await refused(['new', 'a_b'], 64, /letters from a to z, digits and "-" alone/);
    await refused(['new', 'test'], 64, /the build has something of that name already/);
    await refused(['new', 'x'.repeat(65)], 64, /at most 64 letters/);
  });
  it('a folder that is there, and leaves it as it is', async () => {
    mkdirSync(path.join(folder, 'mine'));
    writeFileSync(path.join(folder, 'mine/file'), 'mine');
    await refused(['new', 'mine'], 73, /mine exists already; nothing is ever overwritten/);
    assert.deepEqual(readdirSync(path.join(folder, 'mine')), ['file']);
    writeFileSync(path.join(folder, 'file'), 'a file');
    await refused(['new', 'file'], 73, /file exists already/);
  });
  it('a folder that cannot be written', async () => {
    await refused(['new', '/proc/my-app'], 73, /cannot make a folder in \/proc: /);
    await refused(['new', 'no/where/my-app'], 73, /cannot make a folder in no\/where: No such file/);
    writeFileSync(path.join(folder, 'plain'), '');
    await refused(['new', 'plain/my-app'], 73, /plain/);
  });
  it('an option that it does not know', async () => {
    const answer = await wirehall(['new', 'a', '--colour', 'red'], { cwd: folder });
    assert.notEqual(answer.status, 0);
    assert.match(answer.stdout + answer.stderr, /--colour/);
    assert.deepEqual(readdirSync(folder), []);
  });
});

it('takes a folder as shells complete and write it', async () => {
  mkdirSync(path.join(folder, 'my games/chess'), { recursive: true });
  const { status, stdout, stderr } = await wirehall(['new', 'my games/chess/', '--yes', '--client', 'none'], { cwd: folder });
  assert.equal(status, 0, stderr);
  assert.equal(JSON.parse(readFileSync(path.join(folder, 'my games/chess/wirehall.json'), 'utf8')).name, 'chess');
  assert.deepEqual(readdirSync(path.join(folder, 'my games')), ['chess']);
  assert.match(stdout, /wirehall new 'my games\/chess\/' --features/);
  assert.match(stdout, /cd 'my games\/chess\/'\n/);
});

it('a full disk leaves nothing', async () => {
  const script = `mount -t tmpfs -o size=64k none ${folder} && cd ${folder} && ${WIREHALL} new my-app; status=$?; ls -A ${folder}; exit $status`;
  const answer = await tried('unshare', [...mountNamespace(), 'sh', '-c', script]);
  assert.equal(answer.status, 73, answer.stdout + answer.stderr);
  assert.match(answer.stderr, /No space left on device/);
  assert.equal(answer.stdout, '');
});

describe('add', () => {
  it('says what it changed, and then that there is nothing to do', async () => {
    const project = await make(folder, 'app', []);
    const first = await wirehall(['add', 'handler', 'move-player'], { cwd: path.join(project, 'src') });
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /new +src\/handlers\/move_player\.cpp/);
    assert.match(first.stdout, /changed +src\/app\.cpp\n +\+ on_move_player\(io, hall\);/);
    assert.match(first.stdout, /new +tests\/move_player\.test\.mjs/);
    const now = hashOf(project);
    const second = await wirehall(['add', 'handler', 'move-player'], { cwd: project });
    assert.equal(second.stdout, 'The handler move-player is there already; nothing was changed.\n');
    assert.equal(hashOf(project), now);
  });
  it('refuses outside of a project, and what does not fit', async () => {
    await refused(['add', 'handler', 'a'], 64, /this is no project of `wirehall new`/);
    folder = await make(folder, 'app', ['--features', 'none', '--protocol', 'native']);
    const before = hashOf(folder);
    await refused(['add', 'room-type', 'a'], 64, /made without the feature rooms/);
    await refused(['add', 'namespace', 'a'], 64, /namespaces are Socket\.IO's/);
    await refused(['add', 'handler', 'Move'], 64, /a name begins with a letter from a to z/);
    await refused(['add', 'handler', 'x'.repeat(41)], 64, /1 to 40 letters/);
    await refused(['add', 'handler', '../x'], 64, /a name begins with a letter/);
    writeFileSync(path.join(folder, 'src/app.cpp'), readFileSync(path.join(folder, 'src/app.cpp'), 'utf8').replace('// wirehall add: handler', ''));
    const cut = hashOf(folder);
    await refused(['add', 'handler', 'a'], 64, /src\/app\.cpp has no line "\/\/ wirehall add: handler".*by hand:\n +on_a\(io, hall\);/s);
    assert.equal(hashOf(folder), cut);
    assert.notEqual(before, cut);
    assert.ok(!existsSync(path.join(folder, 'src/handlers/a.cpp')));
  });
  it('writes formatted files, whatever the name', async () => {
    const project = await make(folder, 'app', []);
    for (const name of ['sample-rate', 'user', 'abcdefghij-abcdefghij-abcdefghij-abcdefg']) {
      for (const kind of ['handler', 'middleware', 'room-type', 'namespace']) {
        const { status, stderr } = await wirehall(['add', kind, name], { cwd: project });
        assert.equal(status, 0, `${kind} ${name}: ${stderr}`);
      }
    }
    await isFormatted(project);
  });
  it('refuses a name that something else has', async () => {
    folder = await make(folder, 'app', []);
    const before = hashOf(folder);
    await refused(['add', 'handler', 'create-room'], 64, /cannot be called "create-room": src\/handlers\/manage_room\.cpp has it already/);
    await refused(['add', 'room-type', 'team'], 64, /src\/rooms\/room_types\.cpp has it already/);
    assert.equal(hashOf(folder), before);
  });
  it('refuses a project whose own file cannot be read', async () => {
    writeFileSync(path.join(folder, 'wirehall.json'), '{"name":"a","client":"java"}');
    await refused(['add', 'handler', 'a'], 64, /wirehall\.json: --client cannot be "java"/);
  });
});
