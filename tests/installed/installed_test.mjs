// Somebody installs Wirehall and builds a program with it: from `cmake --install`, and from the Debian package.
import assert from 'node:assert/strict';
import { cpus, tmpdir } from 'node:os';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../support/server.mjs';
import { BUILD, buildConsumer, converse, filesOf, run, tried } from './steps.mjs';

const HEADERS = filesOf(path.join(root, 'include/wirehall'));
const VERSION = /project\(wirehall VERSION (\S+)/.exec(readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8'))[1];

/** What any installation holds, below its prefix. */
const CONTENTS = [
  'bin/wirehall',
  ...HEADERS.map((header) => `include/wirehall/${header}`),
  'lib/cmake/wirehall/wirehallConfig.cmake',
  'lib/cmake/wirehall/wirehallConfigVersion.cmake',
  'lib/cmake/wirehall/wirehallTargets-release.cmake',
  'lib/cmake/wirehall/wirehallTargets.cmake',
  'lib/libwirehall.a',
  'share/doc/wirehall/copyright',
  'share/wirehall/websocket.json',
  'share/wirehall/websocket.schema.json',
].sort();

let folder;
before(() => { folder = mkdtempSync(path.join(tmpdir(), 'wirehall-installed-')); });
after(() => rmSync(folder, { recursive: true, force: true }));

/** The text files of an installation: they must not know where it was made. */
function assertRelocatable(prefix) {
  for (const file of CONTENTS.filter((name) => /\.(cmake|json|h|inc)$/.test(name))) {
    const text = readFileSync(path.join(prefix, file), 'utf8');
    for (const place of [root, BUILD, folder]) assert.ok(!text.includes(place), `${file} names ${place}`);
  }
}

describe('cmake --install', () => {
  let prefix;
  before(async () => {
    prefix = path.join(folder, 'first');
    await run('cmake', '--install', BUILD, '--prefix', prefix);
  });

  it('writes the program, the headers, the library and its description, and nothing else', () => {
    assert.deepEqual(filesOf(prefix), CONTENTS);
    assertRelocatable(prefix);
  });

  it('writes what the program can use', async () => {
    const program = path.join(prefix, 'bin/wirehall');
    assert.equal((await run(program, '--version')).trim(), VERSION);
    const example = path.join(prefix, 'share/wirehall/websocket.json');
    assert.match(await run('env', `JWT_SECRET=${'s'.repeat(32)}`, program, 'check', example), /: fine$/m);
    const schema = JSON.parse(readFileSync(path.join(prefix, 'share/wirehall/websocket.schema.json'), 'utf8'));
    assert.ok(schema.properties.rateLimit.properties.messagesPerMinute);
  });

  it('lets a program be built with its own flags alone, and the program answers', async () => {
    const build = path.join(folder, 'build-first');
    const program = await buildConsumer(prefix, build, '-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror');
    const [{ command }] = JSON.parse(readFileSync(path.join(build, 'compile_commands.json'), 'utf8'));
    assert.match(command, /-std=(gnu|c)\+\+20/);
    assert.deepEqual(command.split(' ').filter((word) => /^-(W|f|D|O)/.test(word)),
      ['-Wall', '-Wextra', '-Wpedantic', '-Werror'], command);
    assert.doesNotMatch(readFileSync(path.join(build, 'build.ninja'), 'utf8'), /-z,|-pie/);
    await converse(program, path.join(folder, 'data-first'));
  });

  it('gives headers that compile alone', async () => {
    const places = HEADERS.filter((header) => header.endsWith('.h'));
    const work = path.join(folder, 'headers');
    mkdirSync(work);
    async function worker() {
      for (let header = places.pop(); header; header = places.pop()) {
        const source = path.join(work, `${header}.cc`);
        writeFileSync(source, `#include <wirehall/${header}>\n#include <wirehall/${header}>\n`);
        await run('g++', '-std=c++20', '-fsyntax-only', '-Wall', '-Wextra', '-Wpedantic', '-Werror',
          '-I', path.join(prefix, 'include'), source);
      }
    }
    assert.ok(places.length > 10, `${places.length} headers`);
    await Promise.all(cpus().map(worker));
  });

  it('says which version is there where an older or a newer one is wanted', async () => {
    for (const wanted of ['0.0.9', '0.2']) {
      const wanting = path.join(folder, `wanting-${wanted}`);
      mkdirSync(wanting);
      writeFileSync(path.join(wanting, 'CMakeLists.txt'), 'cmake_minimum_required(VERSION 3.25)\n' +
        `project(wanting LANGUAGES NONE)\nfind_package(wirehall ${wanted} REQUIRED)\n`);
      const { status, output } = await tried('cmake', '-S', wanting, '-B', path.join(wanting, 'build'),
        `-DCMAKE_PREFIX_PATH=${prefix}`);
      assert.notEqual(status, 0, wanted);
      assert.match(output, new RegExp(`wirehallConfig\\.cmake, version: ${VERSION.replaceAll('.', '\\.')}`));
    }
  });

  it('can be moved', async () => {
    const moved = path.join(folder, 'second');
    renameSync(prefix, moved);
    await converse(await buildConsumer(moved, path.join(folder, 'build-second')), path.join(folder, 'data-second'));
  });
});

describe('the Debian package', () => {
  let deb;
  let unpacked;
  before(async () => {
    const packed = path.join(folder, 'packed');
    await run('cpack', '--config', path.join(BUILD, 'CPackConfig.cmake'), '-B', packed);
    const [name, ...others] = readdirSync(packed).filter((file) => file.endsWith('.deb'));
    assert.deepEqual(others, []);
    assert.match(name, new RegExp(`^wirehall_${VERSION}_[a-z0-9]+\\.deb$`));
    deb = path.join(packed, name);
    unpacked = path.join(folder, 'unpacked');
    await run('dpkg-deb', '-x', deb, unpacked);
  });

  it('holds the same below /usr, owned by root', async () => {
    assert.deepEqual(filesOf(unpacked), CONTENTS.map((file) => `usr/${file}`));
    assertRelocatable(path.join(unpacked, 'usr'));
    for (const line of (await run('dpkg-deb', '-c', deb)).trim().split('\n')) {
      assert.match(line, /^[d-]rw[x-]r-[x-]r-[x-] root\/root /);
    }
  });

  it('depends on what its program is linked with and on what a program of others links', async () => {
    const field = async (name) => (await run('dpkg-deb', '-f', deb, name)).trim();
    assert.equal(await field('Package'), 'wirehall');
    assert.equal(await field('Version'), VERSION);
    assert.equal(await field('Architecture'), (await run('dpkg', '--print-architecture')).trim());
    assert.equal(await field('Section'), 'net');
    assert.match(await field('Maintainer'), /^Wirehall maintainers </);
    assert.match(await field('Description'), /^Real-time server .*\n .*Rooms, stored messages/s);
    const depends = (await field('Depends')).split(', ').map((entry) => entry.split(' ')[0]);
    for (const name of ['libc6', 'libstdc++6', 'libssl3', 'libsqlite3-0', 'libcurl4', 'libsimdjson14', 'zlib1g',
      'libspdlog1.10-fmt9', 'libssl-dev', 'libsqlite3-dev', 'libcurl4-openssl-dev', 'libsimdjson-dev', 'zlib1g-dev',
      'libspdlog-dev', 'libfmt-dev', 'ca-certificates']) {
      assert.ok(depends.includes(name), `${name} is missing in: ${depends.join(', ')}`);
    }
  });

  it('brings a program that finds its libraries, without debug information', async () => {
    const program = path.join(unpacked, 'usr/bin/wirehall');
    assert.doesNotMatch(await run('ldd', program), /not found/);
    assert.doesNotMatch(await run('readelf', '--section-headers', '--wide', program), /\.debug_|RPATH|RUNPATH/);
    assert.equal((await run(program, '--version')).trim(), VERSION);
    const library = path.join(unpacked, 'usr/lib/libwirehall.a');
    assert.ok(existsSync(library) && statSync(library).size < statSync(path.join(BUILD, 'src/libwirehall.a')).size / 2,
      `${statSync(library).size} bytes`);
  });

  it('lets a program be built', async () => {
    const program = await buildConsumer(path.join(unpacked, 'usr'), path.join(folder, 'build-deb'));
    await converse(program, path.join(folder, 'data-deb'));
  });
});
