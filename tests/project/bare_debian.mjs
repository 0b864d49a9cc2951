// Bare Debian systems, as tools/fresh makes them, for what needs one of its own; and an image built in them, step by
// step, as its Dockerfile says: where no container engine is at hand.
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import path from 'node:path';
import { root } from '../support/server.mjs';
import { parseCopy } from './dockerfile.mjs';

const STEP_MS_MAX = 1_200_000;

export class BareDebian {
  /** `folder`: where it lies, or will be made. */
  constructor(folder) {
    this.folder = folder;
  }

  /** Runs a script inside, as root. Errors: with its output, when it fails. */
  run(script) {
    if (existsSync(path.join(this.folder, 'root'))) writeFileSync(path.join(this.folder, 'root/step.sh'), script);
    else assert.equal(script, 'true', 'a new system runs `true` first');
    const command = script === 'true' ? ['true'] : ['bash', '-e', '/root/step.sh'];
    const { status, stdout, stderr } = spawnSync(path.join(root, 'tools/fresh'),
      ['--dir', this.folder, '--keep', '--', ...command], { encoding: 'utf8', timeout: STEP_MS_MAX, maxBuffer: 64 << 20 });
    assert.equal(status, 0, `${script}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Makes it. */
  make() {
    mkdirSync(this.folder, { recursive: true });
    this.run('true');
    return this;
  }

  /** Another one, the same as this. */
  copy(folder) {
    const { status, stderr } = spawnSync('cp', ['-a', '--', this.folder, folder], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return new BareDebian(folder);
  }
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** Builds stages one after another: what COPY copies comes from `context`, or from the system of an earlier stage. */
export class ImageBuild {
  systems = {};
  #folder = '/';
  #environment = {};

  constructor(context, values = {}) {
    this.context = context;
    this.values = values; // of ARG
    this.ignored = readFileSync(path.join(context, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
  }

  /** Does the steps of one stage in a system. */
  stage(name, system, steps) {
    this.systems[name] = system;
    this.#folder = '/';
    this.#environment = {};
    for (const step of steps) this.#step(system, step);
  }

  /** A script in the folder and the environment where the last stage ended. */
  script(command, environment = {}) {
    const variables = Object.entries({ ...this.#environment, ...environment });
    return [`cd ${this.#folder}`, ...variables.map(([name, value]) => `export ${name}=${quoted(value)}`), command].join('\n');
  }

  #step(system, { word, text }) {
    if (word === 'WORKDIR') {
      this.#folder = path.resolve(this.#folder, text);
      mkdirSync(path.join(system.folder, this.#folder), { recursive: true });
    } else if (word === 'ARG') {
      const [name, value] = text.split('=');
      this.#environment[name] = this.values[name] ?? value;
    } else if (word === 'ENV') {
      Object.assign(this.#environment, Object.fromEntries(text.split(' ').map((pair) => pair.split('='))));
    } else if (word === 'COPY') {
      this.#copy(system, parseCopy(text));
    } else if (word === 'RUN') {
      system.run(this.script(text));
    }
  }

  #copy(system, { from, sources, target }) {
    const base = from ? this.systems[from].folder : this.context;
    const place = path.join(system.folder, path.resolve(this.#folder, target));
    for (const source of sources) {
      const whole = path.join(base, source);
      const into = statSync(whole).isDirectory() ? place : /(^|\/)\.?\/?$/.test(target) ? path.join(place, path.basename(source)) : place;
      cpSync(whole, into, { recursive: true, filter: (each) =>
        from !== undefined || !this.ignored.includes(path.relative(this.context, each)) });
    }
  }
}
