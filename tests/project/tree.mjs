// The skeleton of a generated project as files: apps/hall/project, cut to a choice of terms.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { root } from '../support/server.mjs';

const SKELETON = path.join(root, 'apps/hall/project');

/** What of apps/hall/project becomes which file of a project, and when. */
export const FILES = [
  ['dev', 'dev'],
  ['CMakeLists.txt', 'CMakeLists.txt'],
  ['CMakePresets.json', 'CMakePresets.json'],
  ['README.md', 'README.md'],
  ['Dockerfile', 'Dockerfile'],
  ['compose.yaml', 'compose.yaml'],
  ['nginx.conf', 'nginx.conf'],
  ['env.example', '.env.example'],
  ['env', '.env'],
  ['gitignore', '.gitignore'],
  ['dockerignore', '.dockerignore'],
  ['clang-format', '.clang-format'],
  ['github/ci.yml', '.github/workflows/ci.yml'],
  ['config/websocket.json', 'config/websocket.json'],
  ['vendor/README.md', 'vendor/README.md'],
  ['vendor/wirehall.sh', 'vendor/wirehall.sh'],
  ['package.json', 'package.json', 'js'],
  ['package-lock.json', 'package-lock.json', 'js'],
  ['ctest/node.cmake', 'tests/CMakeLists.txt', 'js'],
  ['ctest/gtest.cmake', 'tests/CMakeLists.txt', 'cpp|no-client'],
];

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

const KNOWN = new Set(Object.values(CHOICES).flat());

function holds(condition, terms) {
  if (!condition) return true;
  for (const term of condition.split(/[|+]/)) if (!KNOWN.has(term)) throw new Error(`no term "${term}"`);
  return condition.split('|').some((all) => all.split('+').every((term) => terms.includes(term)));
}

const MARKER = /[ \t]*(?:\/\/|#|<!--|\/\*) feature: ([a-z+|-]+)(?: -->| \*\/)?$/;

function cut(text, terms) {
  const lines = [];
  for (const line of text.split('\n')) {
    const marker = MARKER.exec(line);
    if (marker === null) lines.push(line);
    else if (holds(marker[1], terms)) lines.push(line.slice(0, marker.index));
  }
  return lines.join('\n');
}

/** Writes the tree into a folder. */
export function writeTree(folder, terms, { name = 'my-app', version, sources = false }) {
  const put = (file, text) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  for (const [from, to, condition] of FILES) {
    if (!holds(condition, terms)) continue;
    put(to, cut(readFileSync(path.join(SKELETON, from), 'utf8'), terms).replaceAll('@NAME@', name)
      .replaceAll('@VERSION@', version).replace(/@SECRET@/g, () => randomBytes(36).toString('base64url')));
  }
  chmodSync(path.join(folder, 'dev'), 0o755);
  chmodSync(path.join(folder, '.env'), 0o600);
  if (sources) for (const [file, text] of Object.entries(SOURCES)) put(file, text);
}
