// The package as people get it: what is in it, that it installs into an empty folder, and how large it is.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';
import { transformSync } from 'esbuild';
import { build, bundle } from '../build.mjs';
import { FakeServer } from './fake_server.mjs';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const GZIPPED_BYTES_MAX = 8192;
const { resolve } = createRequire(import.meta.url);
const TSC = resolve('typescript/bin/tsc');
const NAMES = ['Client', 'Room', 'WirehallError', 'connect', 'sendFile'];

let place;
before(() => {
  place = mkdtempSync(join(tmpdir(), 'wirehall-package-'));
  build(join(place, 'built'));
});
after(() => rmSync(place, { recursive: true, force: true }));

function run(program, words, cwd = place, environment = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, words,
    { cwd, encoding: 'utf8', env: { ...process.env, npm_config_update_notifier: 'false', ...environment } });
  if (error) throw error;
  assert.equal(status, 0, `${program} ${words.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

const sizeOf = (bytes) => gzipSync(bytes, { level: 9 }).length;

test('the sources have no errors of types', () => {
  run(process.execPath, [TSC, '-p', PACKAGE]);
});

test('the committed declarations are those of the sources', () => {
  assert.equal(readFileSync(join(PACKAGE, 'types/wirehall.d.ts'), 'utf8'),
    readFileSync(join(place, 'built/types/wirehall.d.ts'), 'utf8'), 'run node clients/js/build.mjs');
});

test('the files for browsers are small enough, and work', async (t) => {
  const [served, global, module] = ['served.mjs', 'global.js', 'module.mjs'].map((name) => join(place, name));
  bundle({ SERVED: served, GLOBAL: global, MODULE: module });
  const sizes = {
    '/wirehall.js': sizeOf(readFileSync(served)),
    '/wirehall.global.js': sizeOf(readFileSync(global)),
    'wirehall.min.js': sizeOf(readFileSync(join(place, 'built/dist/wirehall.min.js'))),
  };
  t.diagnostic(`bytes gzipped: ${JSON.stringify(sizes)}`);
  for (const [name, bytes] of Object.entries(sizes)) assert.ok(bytes <= GZIPPED_BYTES_MAX, `${name} has ${bytes} bytes`);

  // Taking the comments out by lines has changed nothing else.
  const minified = (file) => transformSync(readFileSync(file, 'utf8'), { minify: true, format: 'esm' }).code;
  assert.equal(minified(served), minified(module));
  for (const file of [served, module]) assert.deepEqual(Object.keys(await import(pathToFileURL(file))).sort(), NAMES);
  for (const file of [global, join(place, 'built/dist/wirehall.min.js')]) {
    const page = vm.createContext({});
    vm.runInContext(readFileSync(file, 'utf8'), page);
    assert.deepEqual(Object.keys(page), ['Wirehall'], 'one global');
    assert.deepEqual(Object.keys(page.Wirehall).sort(), NAMES);
  }
});

test('npm pack gives a package that installs into an empty folder, and runs there', async (t) => {
  const app = join(place, 'app');
  mkdirSync(app);
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', place], PACKAGE));
  assert.deepEqual(files.map(({ path }) => path).sort(), ['README.md', 'dist/LICENSE', 'dist/wirehall.cjs', 'dist/wirehall.d.cts',
    'dist/wirehall.d.mts', 'dist/wirehall.min.js', 'dist/wirehall.mjs', 'package.json']);
  writeFileSync(join(app, 'package.json'), '{"private": true}');
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(place, filename)], app);

  const server = await FakeServer.start(t);
  const body = `
    connect(${JSON.stringify(server.url)}, { WebSocket: ws.WebSocket }).then((client) => {
      console.log(client.state, client.userId, new WirehallError('text', 'code').code);
      client.close();
    });`;
  const ws = JSON.stringify(resolve('ws'));
  writeFileSync(join(app, 'run.mjs'), `import { connect, WirehallError } from 'wirehall'; import ws from ${ws};${body}`);
  writeFileSync(join(app, 'run.cjs'), `const { connect, WirehallError } = require('wirehall'); const ws = require(${ws});${body}`);
  for (const file of ['run.mjs', 'run.cjs']) {
    assert.equal(await outputOf(file, app), 'connected alice code\n', file);
  }

  for (const file of ['usage.mts', 'usage.cts', 'usage.ts']) copyFileSync(join(PACKAGE, 'test/types/usage.ts'), join(app, file));
  const compile = (resolution, module, ...files) => run(process.execPath, [TSC, ...files, '--noEmit', '--strict',
    '--target', 'es2022', '--lib', 'es2022,dom', '--moduleResolution', resolution, '--module', module], app);
  compile('node16', 'node16', 'usage.mts', 'usage.cts');
  compile('bundler', 'esnext', 'usage.ts');
});

/** The fake server runs here: it must be able to answer meanwhile. */
async function outputOf(file, cwd) {
  return (await promisify(execFile)(process.execPath, [file], { cwd, timeout: 20_000 })).stdout;
}
