// Every fenced block of README.md and docs is compiled or run, or says why it is not. How: README.md beside.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {generateKeyPairSync} from 'node:crypto';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import {promisify} from 'node:util';
import {WebSocket} from 'ws';

import {hallServer, root, token} from '../support/server.mjs';

import {blocksOf, noteOf, notesOf, pages, shows, textOf, whereIs} from './support/blocks.mjs';
import {API_KEY, freePort, Sandbox, SECRET} from './support/sandbox.mjs';
import {checkPrinted, isRun, stepsOf} from './support/steps.mjs';

const run = promisify(execFile);
const END = '\x1eend';
/** Pages whose commands a test of their own runs. */
const ELSEWHERE = {
  'docs/tutorial.md': 'tutorial_test.mjs'
};

const all = pages().flatMap((page) => blocksOf(page));
const inLanguage = (...languages) => all.filter(({language}) => languages.includes(language));
const hasOwnServer = (page) => textOf(page).includes('<!-- test page: own server -->');

let server, shared;
before(async () => {
  shared = new Sandbox(0);
  server = await hallServer(
      ['--data', path.join(shared.directory, 'data')],
      {JWT_SECRET: SECRET, WIREHALL_AUTH__API_KEYS: API_KEY, PORT: undefined});
  shared.port = server.port;
  const issuer =
      generateKeyPairSync('ec', {namedCurve: 'P-256'}).publicKey.export({type: 'spki', format: 'pem'});
  shared.file('etc/wirehall/issuer.pem', issuer);
});
after(async () => {
  const status = await server.stop();
  shared.remove();
  assert.equal(status, 0, server.stderr());
});

// -- nothing is left out --------------------------------------------------------------------------

const CHECKED = ['cpp', 'js', 'json', 'sh', 'python', 'nginx', 'ini', 'frames'];
const ONLY_SHOWN = ['text', 'http', 'html', 'yaml', 'dockerfile', 'cmake'];

test('every block is checked in some way, or says why not', () => {
  const faults = [];
  for (const block of all) {
    const reason = noteOf(block, 'not run');
    const checked = CHECKED.includes(block.language) || noteOf(block, 'printed') !== undefined ||
        noteOf(block, 'file') !== undefined;
    if (reason === '') faults.push(`${whereIs(block)}: "not run" needs a reason`);
    if (!CHECKED.includes(block.language) && !ONLY_SHOWN.includes(block.language))
      faults.push(`${whereIs(block)}: the language "${block.language}" has no check here`);
    else if (!checked && reason === undefined)
      faults.push(
          `${whereIs(block)}: "${block.language}" is only shown: say <!-- test: not run, because … -->`);
    for (const note of block.notes) {
      if (!/^(not run|printed|file|given|until|coroutine|serves|stops|with|as)\b/.test(note))
        faults.push(`${whereIs(block)}: there is no note "${note}"`);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(all.length > 40, `only ${all.length} blocks were found`);
});

// -- C++ ------------------------------------------------------------------------------------------

const GIVEN = 'using namespace wirehall; using namespace std::chrono_literals;';

/** One source of all blocks, each in a namespace of its own; lines are those of the pages. */
function sourceOf(blocks) {
  const includes = new Set([
    '#include <wirehall/client.h>', '#include <wirehall/hall.h>', '#include <wirehall/server.h>',
    '#include <chrono>', '#include <regex>'
  ]);
  const parts = blocks.map((block, at) => {
    const text = block.text.replaceAll(/^#(include .*|pragma once)$/gm, (line) => {
      if (line.startsWith('#include')) includes.add(line);
      return '';
    });
    const line = `#line ${block.line} "${block.page}"\n`;
    const given = notesOf(block, 'given').join(' ');
    if (/^#include|^namespace /m.test(block.text))
      return `namespace block_${at} {\n${given}\n${line}${text}}\n`;
    const kind = noteOf(block, 'coroutine') === undefined ? 'void' : 'Task<>';
    return `namespace block_${at} {\n${GIVEN}\n${given}\n${
               kind} fragment([[maybe_unused]] Server& io, [[maybe_unused]] Hall& hall, ` +
        `[[maybe_unused]] Socket& socket) {\n${line}${text}}\n}\n`;
  });
  return `${[...includes].join('\n')}\n${parts.join('')}`;
}

test('C++ compiles', async () => {
  const blocks = inLanguage('cpp').filter(isRun);
  assert.ok(blocks.length >= 4);
  const file = shared.file('blocks.cc', sourceOf(blocks));
  await run(
      process.env.CXX ?? 'g++',
      [
        '-std=c++20', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-Wno-unused', '-Wno-main',
        '-Wno-missing-field-initializers', '-I', 'include', '-I', 'apps/hall', file
      ],
      {cwd: root});
});

// -- JavaScript, Python ---------------------------------------------------------------------------

/** The module as it is run: what the page supposes in front, on the same line, so that lines stay right. */
function moduleOf(block) {
  const given = notesOf(block, 'given').join(' ');
  const connected = path.join(root, 'tests/docs/support/connected.mjs');
  return `globalThis.WebSocket ??= (await import('ws')).WebSocket; const {connected, tokenOf} = await import(${
      JSON.stringify(
          connected)}); ${given} ${shared.adapt(block.text)}\nconsole.log(${JSON.stringify(END)});\n`;
}

describe('JavaScript', {concurrency: 2}, () => {
  for (const block of inLanguage('js').filter(({page}) => !(page in ELSEWHERE))) {
    const alone = !isRun(block) || noteOf(block, 'file') !== undefined;
    test(`${whereIs(block)} ${alone ? 'is well formed' : 'runs'}`, async () => {
      const name = `${path.basename(block.page, '.md')}-${block.line}.mjs`;
      if (alone) {
        await run(process.execPath, ['--check', shared.file(name, block.text)]);
      } else {
        const file = shared.file(name, moduleOf(block));
        const {code, errors} =
            await shared.run(process.execPath, [file], {until: noteOf(block, 'until') ?? END});
        assert.equal(code, 'until', errors);
      }
    });
  }
});

describe('Python', () => {
  for (const block of inLanguage('python')) {
    test(`${whereIs(block)} is well formed`, async () => {
      const file = shared.file(`${path.basename(block.page, '.md')}-${block.line}.py`, block.text);
      await run('python3', ['-c', 'import ast, sys; ast.parse(open(sys.argv[1]).read())', file]);
    });
  }
});

// -- shell ----------------------------------------------------------------------------------------

describe('shell', () => {
  const withCommands =
      [...new Set(inLanguage('sh').map(({page}) => page))].filter((page) => !(page in ELSEWHERE));
  for (const page of withCommands) {
    const steps = stepsOf(all.filter((block) => block.page === page));
    if (!steps.length) continue;
    test(`the commands of ${page} run`, async () => {
      const sandbox =
          hasOwnServer(page) ? new Sandbox(await freePort(), await freePort()) : new Sandbox(server.port);
      try {
        const env = hasOwnServer(page) ? {} : {TOKEN: await token(server, 'ann')};
        const data = sandbox.adapt('/var/lib/wirehall');
        if (steps.some(({text}) => text.includes('/var/lib/wirehall')))
          await sandbox.run(
              'wirehall', ['serve', '--dev', '--port', '0', '--data', data],
              {until: 'listens on', env: {PORT: undefined}});
        const outputs = await sandbox.shell(steps.map(({text}) => text), {env});
        checkPrinted(steps, outputs, (text) => sandbox.adapt(text));
      } finally {
        sandbox.remove();
      }
    });
  }

  for (const block of inLanguage('sh').filter((one) => !isRun(one))) {
    test(`${whereIs(block)} is well formed`, async () => {
      await run('bash', ['-n', '-c', block.text]);
    });
  }
});

test('what is printed stands behind a command that is run', () => {
  for (const block of all.filter((one) => noteOf(one, 'printed') !== undefined)) {
    const before = all[all.indexOf(block) - 1];
    assert.ok(before.page === block.page && before.language === 'sh' && isRun(before), whereIs(block));
  }
});

// -- JSON, systemd --------------------------------------------------------------------------------

/** `with NAME=VALUE`: what the page sets beside the file. */
const environmentOf = (block) =>
    Object.fromEntries(notesOf(block, 'with').map((note) => note.split(/=(.*)/s, 2)));

describe('JSON', {concurrency: 2}, () => {
  for (const block of inLanguage('json')) {
    const asConfiguration = isRun(block) && noteOf(block, 'file') === undefined;
    test(`${whereIs(block)} ${asConfiguration ? 'is a configuration' : 'is well formed'}`, async () => {
      if (!asConfiguration) return void JSON.parse(block.text);
      const file = shared.file(`configuration-${all.indexOf(block)}.json`, shared.adapt(block.text));
      const {code, output, errors} =
          await shared.run('wirehall', ['check', file], {env: environmentOf(block)});
      assert.equal(code, 0, errors);
      assert.equal(output, `${file}: fine\n`);
    });
  }
});

test('units of systemd start the program with options that it has', async () => {
  const blocks = inLanguage('ini');
  assert.ok(blocks.length);
  const {output} = await shared.run('wirehall', ['serve', '--help']);
  for (const block of blocks) {
    for (const line of block.text.trimEnd().split('\n'))
      assert.match(line, /^(|\[[A-Z][a-z]+\]|[A-Z][A-Za-z]+=\S.*)$/, `${whereIs(block)}: ${line}`);
    const start = /^ExecStart=\/\S+ .*$/m.exec(block.text);
    assert.ok(start, `${whereIs(block)}: no ExecStart`);
    for (const option of start[0].match(/(?<= )--[a-z-]+/g) ?? [])
      assert.ok(output.includes(option), `${whereIs(block)}: ${option}`);
  }
});

// -- the native protocol --------------------------------------------------------------------------

/** Says the block's `→` lines as they come and waits for each `←` line among what arrives. */
async function converse(block) {
  const user = noteOf(block, 'as') ?? 'ann';
  const socket = new WebSocket(`${server.ws}/ws?token=${await token(server, user)}`);
  const arrived = [];
  let wake = () => {};
  socket.on('message', (data) => {
    arrived.push(String(data));
    wake();
  });
  const failed = new Promise((_, reject) => socket.once('error', reject));
  await Promise.race([failed, new Promise((resolve) => socket.once('open', resolve))]);
  const deadline = setTimeout(() => socket.terminate(), 5000);
  socket.once('close', () => wake());
  for (const line of block.text.trim().split(/\n(?=[→←])/)) {
    const text = line.slice(1).replaceAll(/\n\s+/g, '').trim();
    if (line.startsWith('→')) {
      socket.send(text.replace(/ {2,}\(.*\)$/, ''));
      continue;
    }
    for (;;) {
      const at = arrived.findIndex((frame) => shows(text, frame));
      if (at >= 0) {
        arrived.splice(0, at + 1);
        break;
      }
      if (socket.readyState !== WebSocket.OPEN)
        assert.fail(`${whereIs(block)}: never came: ${text}\nbut\n${arrived.join('\n')}`);
      await new Promise((resolve) => wake = resolve);
    }
  }
  clearTimeout(deadline);
  socket.terminate();
}

describe('frames of the native protocol', () => {
  for (const block of inLanguage('frames').filter(isRun)) {
    test(`${whereIs(block)} is what is said`, () => converse(block));
  }
});
