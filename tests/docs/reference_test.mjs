// The reference pages say what the program has: what is generated is not out of date, and what is written by
// hand names every event and route, and no other.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import {describe, test} from 'node:test';

import {factsOf, pagesOf} from '../../tools/docs.mjs';
import {root} from '../support/server.mjs';

import {textOf} from './support/blocks.mjs';
import {program} from './support/sandbox.mjs';

const facts = factsOf(program);
const sorted = (names) => [...new Set(names)].sort();
const ticked = (text) => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
/** The cells of every row of the first table behind a text. */
function rowsBehind(text, start) {
  const at = text.indexOf(start);
  assert.ok(at >= 0, start);
  const lines = text.slice(at).split('\n');
  const first = lines.findIndex((line) => line.startsWith('| ---'));
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  return lines.slice(first + 1, end)
      .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

describe('generated parts', () => {
  for (const [name, text] of pagesOf(facts, (one) => textOf(`docs/reference/${one}`))) {
    test(`${name} is as ./dev docs writes it`, () => {
      assert.equal(textOf(`docs/reference/${name}`), text);
    });
  }

  test('a command that the page does not have gets its place', () => {
    const option = {
      names: ['NAME'],
      positional: true,
      flag: false,
      type: 'TEXT',
      checked: '',
      many: false,
      required: true,
      default: '',
      description: 'what it is called'
    };
    const grown = {
      ...facts,
      commands: {
        ...facts.commands,
        commands: [
          ...facts.commands.commands,
          {name: 'grow', description: 'Grow a project', options: [option], commands: []}
        ]
      }
    };
    const page = pagesOf(grown, (one) => textOf(`docs/reference/${one}`)).get('cli.md');
    assert.match(page, /\n## wirehall grow\n\n<!-- generated: cli grow -->\nGrow a project\.\n/);
    assert.match(page, /\| `NAME` \| what it is called; required \|/);
    assert.match(page, /\| \[`wirehall grow`\]\(#wirehall-grow\) \| Grow a project \|/);
  });

  test('a key that stands in no list is refused', () => {
    const grown = {
      ...facts,
      configuration: [...facts.configuration, {...facts.configuration[0], key: 'brandNew.key'}]
    };
    assert.throws(
        () => pagesOf(grown, (one) => textOf(`docs/reference/${one}`)),
        /"brandNew" stands in 0 of the lists/);
  });

  test('an error that has another text makes the page out of date', () => {
    const other = {...facts, errors: facts.errors.map((one) => ({...one, remedy: `${one.remedy} Or not.`}))};
    const page = pagesOf(other, (one) => textOf(`docs/reference/${one}`)).get('errors.md');
    assert.notEqual(page, textOf('docs/reference/errors.md'));
  });
});

// -- events ---------------------------------------------------------------------------------------

const accepted = facts.hall.events.map(({name}) => name);
const aliases = facts.hall.events.flatMap((event) => event.aliases);
const hall = textOf('docs/reference/hall.md');
const readme = rowsBehind(textOf('README.md'), '## The hall\'s events');

/** Names of events that the sources tell somebody, and those under which native clients get them. */
function toldEvents() {
  const files =
      execFileSync(
          'git', ['ls-files', 'apps/hall', 'src/services', 'src/server'], {cwd: root, encoding: 'utf8'})
          .split('\n')
          .filter((name) => /\.cc$/.test(name) && !/_(test|fuzz|bench)\.cc$/.test(name));
  const functions =
      'tell_|tell_user|event_of|to_connection|to_devices|to_others|await_acknowledgement|give|emit';
  const name = '"([a-z-]+)"';
  const telling = new RegExp(
      `\\b(?:${functions}|EncodedMessage>?)\\(([^"{};]*(?:"/", )?)${name}(?:\\s*:\\s*${name})?`, 'g');
  const names = [], native = ['pong'];
  for (const file of files) {
    const text = readFileSync(path.join(root, file), 'utf8').replaceAll(/\/\/.*$/gm, '');
    for (const [, , first, second] of text.matchAll(telling)) names.push(first, ...(second ? [second] : []));
    for (const [, name] of text.matchAll(/\.sent_type = "([a-z-]+)"/g)) native.push(name);
  }
  return {names: sorted(names), native: sorted(native)};
}
const told = toldEvents();
/** Told to native clients alone: by the handlers of joining and leaving, and as an answer. */
const ONLY_NATIVE = ['joined', 'left', 'pong'];

test('the events of clients are those that the application registers, on both pages', () => {
  const rows = rowsBehind(hall, '| client sends |');
  assert.deepEqual(sorted(rows.flatMap(([name]) => ticked(name))), sorted([...accepted, 'ping']), 'hall.md');
  assert.deepEqual(
      sorted(rows.flatMap(([, alias]) => ticked(alias))), sorted(aliases), 'hall.md: native names');
  const inReadme = readme.flatMap(([, sent]) => ticked(sent)).filter((name) => !name.includes('/'));
  assert.deepEqual(sorted(inReadme), sorted([...accepted, ...aliases, 'ping']), 'README.md');
});

test('the events of the server are those that the sources tell, on both pages', () => {
  assert.ok(told.names.length > 20, told.names.join());
  const rows = rowsBehind(hall, '| server tells |');
  const here = rows.flatMap(([name]) => ticked(name));
  const nativeHere = rows.flatMap(([, name]) => ticked(name));
  assert.deepEqual(sorted(here), told.names.filter((name) => !ONLY_NATIVE.includes(name)), 'hall.md');
  assert.deepEqual(sorted(nativeHere), sorted([...told.native, ...ONLY_NATIVE]), 'hall.md: native names');
  const inReadme = readme.flatMap(([, , tells]) => ticked(tells));
  assert.deepEqual(
      sorted(inReadme.filter((name) => name !== 'file')), sorted([...told.names, ...told.native]),
      'README.md');
});

test('each event is described behind the tables', () => {
  const described = hall.slice(hall.indexOf('## How events are written'));
  for (const name of [...accepted, ...told.names, ...told.native, ...aliases])
    assert.match(described, new RegExp(`(^### .*\\b${name}\\b|\`${name}[\` {])`, 'm'), name);
});

// -- routes ---------------------------------------------------------------------------------------

test('the routes are those that the server has', () => {
  const rows = rowsBehind(textOf('docs/reference/http.md'), '| route | answers');
  const here =
      rows.flatMap(([route]) => ticked(route)).filter((route) => /^(GET|POST|PUT|DELETE) /.test(route));
  const ofThePage = (route) =>
      /^GET \/[a-z_]+\.(js|css|svg|html)$/.test(route) && route !== 'GET /wirehall.js';
  const engine =
      ['GET /ws', 'GET /socket.io/socket.io.js'];  // not in the table of routes: the protocols' own
  assert.deepEqual(
      sorted(here), sorted([...facts.hall.routes.filter((route) => !ofThePage(route)), ...engine]));
});
