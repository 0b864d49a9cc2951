#!/usr/bin/env node
// Writes the generated parts of docs/reference from what the program says of itself (`wirehall reference`).
//
//   tools/docs.mjs [--check] [PROGRAM]     (default: build/release/wirehall; `./dev docs` builds it first)
//
// A generated part stands between `<!-- generated: TOPIC … -->` and `<!-- end of generated -->`; all around
// it is written by hand. A command without a part of its own gets a heading at the end of cli.md, to be moved
// and explained. --check only says what is out of date.
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const END = '<!-- end of generated -->';
const PART = /^<!-- generated: ([^\n]*?) -->\n[^]*?^<!-- end of generated -->$/gm;

/** What the program knows of itself. */
export const factsOf = (program) =>
    JSON.parse(execFileSync(program, ['reference'], {encoding: 'utf8', maxBuffer: 16 << 20}));

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
const table =
    (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const capital = (text) => text && text[0].toUpperCase() + text.slice(1);
const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

// -- the command line -----------------------------------------------------------------------------

/** Every command with its whole name: `serve`, `add handler`. */
function commandsOf(facts) {
  const all = [];
  const walk = (command, words) => {
    for (const one of command.commands) {
      all.push({...one, name: [...words, one.name].join(' ')});
      walk(one, [...words, one.name]);
    }
  };
  walk(facts.commands, []);
  return all;
}

/** Which values are taken: CLI11 says `INT in [0 - 65535]`, or `{a,b}`. */
function boundsOf({checked}) {
  const range = /in \[(-?[\d.e+]+) - (-?[\d.e+]+)\]/.exec(checked);
  if (range) return `${number(Number(range[1]))} to ${number(Number(range[2]))}`;
  const choice = /\{(.*)\}/.exec(checked);
  if (choice) return choice[1].split(',').map((one) => `\`${one.trim()}\``).join(', ');
  return checked;
}

function optionRow(option) {
  const value = option.flag || option.positional ? '' : ` ${option.type}${option.many ? '…' : ''}`;
  const notes =
      [boundsOf(option), option.required ? 'required' : '', option.default && `default ${option.default}`];
  const name = option.positional && option.many ? `${option.names[0]}…` : option.names.join('`, `');
  return [`\`${name}${value}\``, cell([option.description, ...notes.filter(Boolean)].join('; '))];
}

function commandPart(facts, name) {
  const command = commandsOf(facts).find((one) => one.name === name);
  if (!command) throw new Error(`cli.md: there is no command "${name}"`);
  const options = command.options.filter((one) => !one.names.includes('--help'));
  const rows = [...options.filter((one) => one.positional), ...options.filter((one) => !one.positional)];
  const text = `${capital(command.description)}.`;
  return rows.length ? `${text}\n\n${table(['option', 'meaning'], rows.map(optionRow))}` : text;
}

const anchor = (name) => `#wirehall-${name.replaceAll(' ', '-')}`;
const overview = (facts) => table(
    ['command', 'does'],
    commandsOf(facts).map(
        (one) => [`[\`wirehall ${one.name}\`](${anchor(one.name)})`, cell(capital(one.description))]));

// -- errors and configuration ---------------------------------------------------------------------

function errorsPart(facts) {
  const head = ['code', 'C++', 'text', 'HTTP', 'close', 'again', 'cause', 'remedy'];
  const sections = new Map();
  for (const error of facts.errors) {
    const row = [
      `\`${error.code}\``, `\`${error.enumerator}\``, error.text, error.httpStatus, error.closeCode,
      error.retryable ? 'yes' : 'no', error.cause, error.remedy
    ];
    sections.set(error.section, [...(sections.get(error.section) ?? []), row.map(cell)]);
  }
  return [...sections].map(([name, rows]) => `### ${name}\n\n${table(head, rows)}`).join('\n\n');
}

function typeOf(key) {
  if (key.type === 'choice') return key.choices.split('|').map((one) => `\`${one || '""'}\``).join(' · ');
  if (key.type !== 'integer' && key.type !== 'milliseconds') return key.type;
  const bounds = `integer, ${number(key.minimum)} to ${number(key.maximum)}`;
  return key.type === 'milliseconds' ? `${bounds} ms` : bounds;
}

function configurationPart(facts, names) {
  const keys = names.flatMap((name) => {
    const found = facts.configuration.filter(({key}) => key.split('.')[0] === name);
    if (!found.length) throw new Error(`configuration.md: there is no key "${name}"`);
    return found;
  });
  return table(
      ['key', 'type', 'default', 'environment', 'meaning'],
      keys.map(
          (key) =>
              [`\`${key.key}\``, typeOf(key), `\`${JSON.stringify(key.default)}\``, `\`${key.environment}\``,
               cell(key.meaning)]));
}

// -- pages ----------------------------------------------------------------------------------------

function part(facts, topic) {
  const [kind, ...rest] = topic.split(' ');
  if (kind === 'errors') return errorsPart(facts);
  if (kind === 'configuration') return configurationPart(facts, rest);
  if (kind === 'cli') return rest.length ? commandPart(facts, rest.join(' ')) : overview(facts);
  throw new Error(`nothing is generated for "${topic}"`);
}

const topicsOf = (text) => [...text.matchAll(PART)].map((match) => match[1]);

/** cli.md with a heading for every command that it does not have yet. */
function withAllCommands(facts, text) {
  const there = new Set(topicsOf(text));
  for (const {name} of commandsOf(facts)) {
    const topic = `cli ${name}`;
    if (!there.has(topic)) text += `\n## wirehall ${name}\n\n<!-- generated: ${topic} -->\n${END}\n`;
  }
  return text;
}

/** Fails for a key that no part of configuration.md holds, or two. */
function checkKeys(facts, text) {
  const named = topicsOf(text)
                    .filter((topic) => topic.startsWith('configuration '))
                    .flatMap((t) => t.split(' ').slice(1));
  for (const name of new Set(facts.configuration.map(({key}) => key.split('.')[0]))) {
    const count = named.filter((one) => one === name).length;
    if (count !== 1)
      throw new Error(`configuration.md: "${name}" stands in ${
          count} of the lists "<!-- generated: configuration … -->"`);
  }
}

/** The pages as they should be: path below docs/reference → text. `read` gives them as they are. */
export function pagesOf(facts, read) {
  const pages = new Map();
  for (const name of ['cli.md', 'configuration.md', 'errors.md']) {
    let text = read(name);
    if (name === 'cli.md') text = withAllCommands(facts, text);
    if (name === 'configuration.md') checkKeys(facts, text);
    if (!topicsOf(text).length) throw new Error(`${name}: nothing of it is generated`);
    pages.set(
        name,
        text.replace(PART, (_, topic) => `<!-- generated: ${topic} -->\n${part(facts, topic)}\n${END}`));
  }
  return pages;
}

function main(words) {
  const check = words.includes('--check');
  const program = words.find((word) => !word.startsWith('-')) ?? path.join(root, 'build/release/wirehall');
  const file = (name) => path.join(root, 'docs/reference', name);
  let stale = 0;
  for (const [name, text] of pagesOf(factsOf(program), (one) => readFileSync(file(one), 'utf8'))) {
    if (text === readFileSync(file(name), 'utf8')) continue;
    ++stale;
    if (!check) writeFileSync(file(name), text);
    console.log(`docs/reference/${name}: ${check ? 'out of date' : 'written'}`);
  }
  if (!stale) console.log('docs/reference: up to date');
  if (check && stale) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
