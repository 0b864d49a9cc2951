// Generated projects as files: what `wirehall new` writes for a choice of terms.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BUILD } from '../installed/steps.mjs';

const FEATURES = ['rooms', 'presence', 'history', 'private-messages', 'typing', 'uploads', 'calls', 'push'];
/** Choices that between them hold every term. */
export const CHOICES = {
  everything: ['socketio', 'native', 'jwt', 'sqlite', 'js', ...FEATURES],
  nothing: ['native', 'no-socketio', 'no-auth', 'memory', 'no-client'],
  'Socket.IO alone': ['socketio', 'no-native', 'jwt', 'memory', 'cpp', 'rooms', 'typing'],
  'native alone, with a page': ['native', 'no-socketio', 'jwt', 'sqlite', 'js', 'calls'],
  'Socket.IO alone, with a page': ['socketio', 'no-native', 'no-auth', 'sqlite', 'js', 'rooms', 'uploads'],
};

// What the skeleton is built with where only itself is looked at: the smallest server and test.
const SOURCES = {
  'src/main.cpp': `#include <wirehall/hall.h>
#include <wirehall/server.h>

int main(int argc, char** argv) {
  wirehall::Server io{wirehall::Config::load(argc, argv)};
  wirehall::Hall hall{io};
  io.serve_file("/healthz", "application/json", R"({"status":"ok"})");
  return io.run();
}
`,
  'tests/starts.test.mjs': `import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

test('it is built', () => assert.match(String(execFileSync(process.env.SERVER, ['--help'])), /--port/));
`,
  'client/index.html': '<!doctype html>\n<title>A page</title>\n',
};

const wordsOf = (terms) => {
  const has = (term) => terms.includes(term);
  return {
    features: FEATURES.filter(has).join(',') || 'none',
    protocol: has('no-native') ? 'socketio' : has('no-socketio') ? 'native' : 'both',
    auth: has('jwt') ? 'jwt' : 'none',
    store: has('sqlite') ? 'sqlite' : 'memory',
    client: has('js') ? 'js' : has('cpp') ? 'cpp' : 'none',
  };
};

/** Writes the tree into a folder. `version`: another one of Wirehall than the program's; `sources`: see SOURCES. */
export function writeTree(folder, terms, { name = 'my-app', version, sources = false }) {
  const put = (file, text) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  const made = path.join(path.dirname(folder), `.made-${path.basename(folder)}`, name);
  mkdirSync(path.dirname(made), { recursive: true });
  const words = Object.entries(wordsOf(terms)).flatMap(([flag, word]) => [`--${flag}`, word]);
  execFileSync(path.join(BUILD, 'wirehall'), ['new', made, '--yes', ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  mkdirSync(path.dirname(folder), { recursive: true });
  renameSync(made, folder);
  rmSync(path.dirname(made), { recursive: true });
  const { wirehall: own } = JSON.parse(readFileSync(path.join(folder, 'wirehall.json'), 'utf8'));
  if (version && version !== own) {
    for (const file of ['CMakeLists.txt', 'vendor/wirehall.sh', 'vendor/README.md', 'dev'])
      put(file, readFileSync(path.join(folder, file), 'utf8').replaceAll(own, version));
  }
  if (sources) {
    const tests = readFileSync(path.join(folder, 'tests/CMakeLists.txt'), 'utf8');
    for (const part of ['src', 'tests', 'client']) rmSync(path.join(folder, part), { recursive: true, force: true });
    for (const [file, text] of Object.entries(SOURCES)) put(file, text);
    put('tests/CMakeLists.txt', tests);
  }
}
