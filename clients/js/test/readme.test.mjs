// The snippets of the README, as a reader would try them: the JavaScript runs in one program in their order, the
// TypeScript compiles, and the rest is of the language that it says.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import { RealServer } from './real_server.mjs';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const README = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
const { resolve } = createRequire(import.meta.url);

function snippets(language) {
  const found = [...README.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text);
  assert.ok(found.length > 0, `no snippet of ${language}`);
  return found;
}

function folder(t) {
  const place = mkdtempSync(join(tmpdir(), 'wirehall-readme-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  return place;
}

test('the JavaScript runs', { timeout: 60_000 }, async (t) => {
  const server = await RealServer.start(t);
  const place = folder(t);
  const program = `import { webcrypto } from 'node:crypto'; globalThis.crypto ??= webcrypto; // Node 18\n${snippets('js').join('\n')}
    console.log('all of it'); process.exit();`
    .replaceAll("'wirehall'", JSON.stringify(pathToFileURL(join(PACKAGE, 'src/wirehall.js')).href))
    .replaceAll("'ws'", JSON.stringify(pathToFileURL(resolve('ws').replace(/index\.js$/, 'wrapper.mjs')).href))
    .replaceAll('http://127.0.0.1:3000', server.url);
  writeFileSync(join(place, 'readme.mjs'), program);
  const { stdout } = await promisify(execFile)(process.execPath, [join(place, 'readme.mjs')], { timeout: 30_000 });
  for (const said of ['alice hello', 'Unknown event unknown-event', 'alice once', '[ \'alice: online\' ]', '9 of 9', '/files/', 'all of it']) {
    assert.ok(stdout.includes(said), `${said} is not in\n${stdout}`);
  }
  assert.match(stdout, /^\d+ true$/m, 'the duplicate');
});

test('the TypeScript compiles', (t) => {
  const place = folder(t);
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      strict: true, noEmit: true, target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [],
      paths: { wirehall: [join(PACKAGE, 'types/wirehall.d.ts')] },
    },
  }));
  writeFileSync(join(place, 'readme.ts'), snippets('ts').join('\n'));
  const { status, stdout } = spawnSync(process.execPath, [resolve('typescript/bin/tsc'), '-p', place], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('the rest is what it says', () => {
  for (const text of snippets('jsx')) transformSync(text, { loader: 'jsx' });
  for (const text of snippets('html')) {
    for (const [, script] of text.matchAll(/<script>([\s\S]*?)<\/script>/g)) transformSync(script, { loader: 'js' });
  }
});

test('the options and their defaults are those of the declarations', () => {
  const declared = /export type Options = \{([\s\S]*?)\n\};/.exec(readFileSync(join(PACKAGE, 'types/wirehall.d.ts'), 'utf8'))[1];
  const names = [...declared.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name).filter((name) => name !== 'clock');
  const table = README.slice(README.indexOf('## Options'), README.indexOf('## Events'));
  assert.deepEqual([...table.matchAll(/`(\w+)`(?=,| \|)/g)].map(([, name]) => name).filter((name) => names.includes(name)).sort(), names.sort());
});
