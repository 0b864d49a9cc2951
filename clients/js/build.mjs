// Makes the package: dist/ with what programs import, and types/wirehall.d.ts, which is committed.
//
//   node clients/js/build.mjs            both
//   node clients/js/build.mjs DIRECTORY  the same into dist/ and types/ of another directory: what tests compare
//
// It needs the repository's npm modules and CMake, and nothing from the network.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TARGET = 'es2022';

export function build(directory = HERE) {
  const [dist, types] = ['dist', 'types'].map((name) => join(directory, name));
  rmSync(dist, { recursive: true, force: true });
  for (const each of [dist, types]) mkdirSync(each, { recursive: true });

  const source = { entryPoints: [join(HERE, 'src/wirehall.js')], bundle: true, target: TARGET, charset: 'utf8' };
  buildSync({ ...source, format: 'esm', platform: 'neutral', outfile: join(dist, 'wirehall.mjs') });
  buildSync({ ...source, format: 'cjs', platform: 'neutral', outfile: join(dist, 'wirehall.cjs') });
  buildSync({ ...source, format: 'iife', globalName: 'Wirehall', minify: true, outfile: join(dist, 'wirehall.min.js') });

  writeFileSync(join(types, 'wirehall.d.ts'), declarations());
  for (const ending of ['d.mts', 'd.cts']) copyFileSync(join(types, 'wirehall.d.ts'), join(dist, `wirehall.${ending}`));
  copyFileSync(join(HERE, '../../LICENSE'), join(dist, 'LICENSE'));
}

/** Of the one-file module, so that they are one file too. */
function declarations() {
  const place = mkdtempSync(join(tmpdir(), 'wirehall-types-'));
  try {
    bundle({ MODULE: join(place, 'wirehall.js') });
    const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    run(process.execPath, [compiler, join(place, 'wirehall.js'), '--allowJs', '--checkJs', '--strict', '--declaration',
      '--emitDeclarationOnly', '--target', TARGET, '--module', 'esnext', '--moduleResolution', 'bundler',
      '--lib', 'es2022,dom,dom.iterable', '--typeRoots', place, '--outDir', join(place, 'out')]);
    const text = readFileSync(join(place, 'out/wirehall.d.ts'), 'utf8');
    return `// Made by clients/js/build.mjs from the comments of clients/js/src.\n${readable(text)}`;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Without the types in comments, which stand in the declarations themselves. */
function readable(text) {
  return text.replace(/^([ \t]*)\/\*\*([\s\S]*?)\*\/[ \n]*/gm, (_, indent, body) => {
    const [about, ...tags] = body.replace(/^[ \t]*\* ?/gm, '').trim().split(/\s*(?<!\S)@(?=[a-z]+\b)/);
    const lines = [about.trim()];
    for (const tag of tags) {
      const [, name, rest] = /^(\w+)\s*([\s\S]*)$/.exec(tag);
      const said = withoutType(rest).trim();
      if (name === 'param' && /\s/.test(said)) lines.push(`@param ${said.replace(/^\[([^\]]*)\]/, '$1')}`);
      if (['type', 'template'].includes(name) && said.includes(' ')) lines.push(said.replace(/^\[[^\]]*\]\s*/, ''));
    }
    const comment = lines.join('\n').trim().split('\n');
    if (comment.length === 1 && comment[0] === '') return indent;
    if (comment.length === 1 && comment[0].length < 110) return `${indent}/** ${comment[0]} */\n${indent}`;
    return `${indent}/**\n${comment.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n${indent}`;
  }).replace(/^ +/gm, (spaces) => ' '.repeat((spaces.length + spaces.length % 2) / 2));
}

/** What follows the first pair of braces. */
function withoutType(text) {
  if (!text.startsWith('{')) return text;
  let depth = 0;
  for (let at = 0; at < text.length; ++at) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}' && --depth === 0) return text.slice(at + 1);
  }
  return text;
}

/** The client as one file; `outputs` by the names of bundle.cmake. */
export function bundle(outputs) {
  const settings = Object.entries({ SOURCES: join(HERE, 'src'), ...outputs }).map(([name, value]) => `-D${name}=${value}`);
  run('cmake', [...settings, '-P', join(HERE, 'bundle.cmake')]);
}

function run(program, words) {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  if (error) throw new Error(`${program} cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ended with ${status}:\n${stdout}${stderr}`);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) build(process.argv[2] && resolve(process.argv[2]));
