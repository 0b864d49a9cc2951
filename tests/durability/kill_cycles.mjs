#!/usr/bin/env node
// kill -9 under load, again and again, with a ledger kept by another process (README.md).
//
//   kill_cycles.mjs [--cycles N] [--seconds S] [--seed N] [--server BINARY] [--at-acknowledgement SHARE]
//                   [--until-loss] [--keep]
//
// Each cycle: publishers go on for 0 to 2,000 ms; the server is killed by its process id, at that moment or, in a SHARE
// of the cycles (0.5), by a publisher at the next acknowledgement; it is started again on the same data and port, and
// compared with the ledger while nobody publishes. At the end every message is answered, and every room is read again.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from './content.mjs';
import { BUILD, HallServer, keepFolder, remove, ROOT, temporaryFolder } from './server.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOMS = 16;
// Each room has one publisher of either protocol, and no two rooms have the same two. The killer has a room of its own
// and little to do, so that it knows of an acknowledgement before anybody else.
const KILLER = { name: 'k', protocol: 'native', count: 1, inFlight: 1, has: (room) => room === ROOMS };
const PUBLISHERS = [
  { name: 'n', protocol: 'native', count: 4, inFlight: 64, has: (room, index) => room < ROOMS && room % 4 === index },
  { name: 's', protocol: 'socketio', count: 4, inFlight: 64, has: (room, index) => Math.floor(room / 4) === index },
  KILLER,
];
const RUN_MS_MAX = 2000;
// One cycle in so many kills the server also while it starts.
const KILLED_TWICE = 8;
const STARTING_MS_MAX = 60;
// How long is waited for an acknowledgement at which a publisher kills the server.
const PREY_MS = 1000;
// Reading everything at the end of a long run takes the longest.
const ORDER_MS = 300_000;
const INTEGRITY_CHECK = `import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check"): print(row[0])`;
// Whole histories are read after each restart, so rooms that hold this many messages together give way to new ones.
// The old ones are read again at the end.
const ROOM_MESSAGES_MAX = 20_000;

/** A process of this harness that is told what to do, one order at a time. */
class Worker {
  #settle; // the order that waits for its answer

  constructor(program, ...args) {
    this.child = fork(path.join(HERE, program), args.map(String));
    this.child.on('message', (answer) => this.#settle?.resolve(answer));
    this.child.once('exit', (code) => {
      this.died = new Error(`${program} ended with ${code}`);
      this.#settle?.reject(this.died);
    });
  }

  tell(order) {
    if (this.died) throw this.died;
    this.child.send(order);
  }

  /** Resolves with the next thing that it says. */
  async answer(to = 'start') {
    if (this.died) throw this.died;
    let overdue;
    const answer = await new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      overdue = setTimeout(() => reject(new Error(`no answer to "${to}" within ${ORDER_MS} ms`)), ORDER_MS);
    });
    clearTimeout(overdue);
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  ask(order) {
    this.tell(order);
    return this.answer(order.order);
  }

  async end() {
    if (this.died) return;
    this.child.disconnect();
    await once(this.child, 'exit');
  }
}

class KillCycles {
  #generation = 0;
  #allRooms = [];
  cycles = 0;
  killedTwice = 0;
  restarts = [];

  constructor(options) {
    this.options = options;
    this.random = new Random(options.seed);
    this.folder = temporaryFolder('kill');
    this.server = new HallServer(options.server, this.folder);
  }

  async begin() {
    const { seed } = this.options;
    const socketPath = path.join(this.folder, 'ledger.sock');
    this.ledger = new Worker('ledger_process.mjs', socketPath, path.join(this.folder, 'ledger'), seed);
    await this.ledger.answer(); // it listens
    this.publishers = PUBLISHERS.map(({ name, protocol, count, inFlight }, index) => new Worker(
      'publisher_process.mjs', name, protocol, socketPath, seed * 10 + index, count, inFlight));
    await this.server.start();
    this.#openRooms();
    await this.#askLedger({ order: 'resume' });
  }

  /** Ends everything that was started. */
  async end() {
    await Promise.all([...this.publishers ?? [], this.ledger].map((worker) => worker?.end()));
    await this.server.kill();
    if (!this.options.keep) return remove(this.folder);
    keepFolder(this.folder);
    console.log(`kept: ${this.folder}`);
  }

  async cycle() {
    ++this.cycles;
    const runMs = this.random.below(RUN_MS_MAX);
    const leaveMs = this.random.below(runMs + 1);
    const atAcknowledgement = this.random.next() < this.options.atAcknowledgement;
    this.#publish(false, atAcknowledgement ? { pid: this.server.pid, afterMs: runMs } : undefined);
    await sleep(leaveMs);
    await this.#askLedger({ order: 'leave' });
    if (atAcknowledgement) await this.server.killedByOther(runMs - leaveMs + PREY_MS);
    else await sleep(runMs - leaveMs);
    if (!atAcknowledgement) this.server.assertRunning();
    await this.server.kill();
    await this.#hold();
    if (this.random.below(KILLED_TWICE) === 0) await this.#killStarting();
    this.restarts.push(await this.server.start());
    const { value } = await this.#read(this.rooms);
    if (value > ROOM_MESSAGES_MAX) this.#openRooms();
    return this.#askLedger({ order: 'resume' });
  }

  /** Lets every message be answered, reads all rooms, and ends the server in order. */
  async finish() {
    this.#publish(true);
    await this.#hold();
    const answer = await this.#read(this.#allRooms);
    await this.#askLedger({ order: 'end' });
    await this.#askLedger({ order: 'flush' });
    const problems = [];
    const status = await this.server.stop();
    if (status !== 0) problems.push(`the server ended with ${status}: ${this.server.log()}`);
    return { ...answer, problems: [...problems, ...checkDatabases(this.server.data)], stored: answer.value };
  }

  #openRooms() {
    const generation = this.#generation++;
    this.rooms = Array.from({ length: ROOMS + 1 }, (_, index) => `room-${generation}-${index}`);
    this.#allRooms.push(...this.rooms);
  }

  #publish(draining, kill) {
    PUBLISHERS.forEach((kind, at) => this.publishers[at].tell({
      order: 'publish', url: this.server.url, draining, kill: kind === KILLER ? kill : undefined,
      publishers: Array.from({ length: kind.count }, (_, index) => ({
        token: this.server.token(`publisher-${kind.name}${index}`),
        rooms: this.rooms.filter((_, room) => kind.has(room, index)),
      })),
    }));
  }

  async #hold() {
    const mark = `cycle ${this.cycles}${this.server.pid}`;
    for (const worker of this.publishers) worker.tell({ order: 'hold', mark });
    await this.#askLedger({ order: 'marked', mark, processes: PUBLISHERS.length });
  }

  async #killStarting() {
    ++this.killedTwice;
    this.server.spawn();
    await sleep(this.random.below(STARTING_MS_MAX));
    await this.server.kill();
  }

  #read(rooms) {
    // Joins of one user are bounded: a user for each reader, new ones for each reading.
    const tokens = Array.from({ length: 4 }, (_, index) => this.server.token(`reader-${this.cycles}-${index}`));
    return this.ledger.ask({ order: 'read', url: this.server.url, tokens, rooms, backwards: this.cycles % 2 === 1 });
  }

  #askLedger(order) {
    const subscribers = ['staying', 'leaving', `probe-${this.cycles}`].map((name) => this.server.token(name));
    return this.ledger.ask({ url: this.server.url, rooms: this.rooms, subscribers, ...order });
  }
}

/** What SQLite itself finds wrong in the databases of a stopped server. */
function checkDatabases(data) {
  const isDatabase = (name) => readFileSync(path.join(data, name)).subarray(0, 15).toString() === 'SQLite format 3';
  const databases = readdirSync(data, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(db|sqlite3?)$/.test(entry.name) && isDatabase(entry.name));
  if (databases.length === 0) return [`no database in ${data}`];
  return databases.flatMap(({ name }) => {
    const said = execFileSync('python3', ['-c', INTEGRITY_CHECK, path.join(data, name)], { encoding: 'utf8' }).trim();
    return said === 'ok' ? [] : [`${name}: ${said.slice(0, 500)}`];
  });
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const number = (value) => Math.round(value).toLocaleString('en');

function progress(run, answer) {
  const { acknowledged, duplicates, retried, findings } = answer;
  return `cycle ${String(run.cycles).padStart(4)}: ${number(acknowledged)} acknowledged, ${number(retried)} retried, `
    + `${number(duplicates)} duplicates suppressed, restart ${number(median(run.restarts))} ms; `
    + (findings.total === 0 ? 'nothing wrong' : `WRONG: ${JSON.stringify(findings.counts)}`);
}

function table(summary) {
  const { findings } = summary;
  const { lost = 0, hole = 0, duplicate = 0 } = findings.counts;
  const rows = {
    cycles: `${summary.cycles} (${summary.killedTwice} killed while starting, too)`,
    'messages acknowledged': number(summary.acknowledged),
    'messages stored': summary.stored === undefined ? 'not read in the end' : number(summary.stored),
    retried: number(summary.retried),
    'duplicates suppressed': number(summary.duplicates),
    'replays, their messages': `${number(summary.recovered)}, ${number(summary.missed)}`,
    'replays refused': number(summary.refusedRecoveries),
    'acknowledged and lost': lost,
    holes: hole,
    'stored twice': duplicate,
    'anything else wrong': findings.total - lost - hole - duplicate + summary.problems.length,
    'restart to ready, median, max': `${number(summary.restartMedian)}, ${number(summary.restartMax)} ms`,
  };
  const width = Math.max(...Object.keys(rows).map((name) => name.length));
  return Object.entries(rows).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}

/**
 * @param options  cycles; seconds: no new cycle is begun later; seed; server: the binary; atAcknowledgement: the
 *                 share of the cycles; untilLoss: ends with the first loss, without the final readings; say: for lines
 * @returns        a summary; what was found wrong is in `findings` and `problems`
 */
export async function killCycles({ cycles = 100, seconds = Infinity, seed = 1, server = path.join(BUILD, 'wirehall'),
  atAcknowledgement = 0.5, untilLoss = false, keep = false, say = console.log }) {
  const run = new KillCycles({ seed, server, atAcknowledgement, keep });
  const begin = performance.now();
  try {
    await run.begin();
    let answer;
    let problems = [];
    while (run.cycles < cycles && performance.now() - begin < seconds * 1000) {
      answer = await run.cycle();
      if (run.cycles % 10 === 0) say(progress(run, answer));
      if (untilLoss && answer.findings.counts.lost) break;
    }
    if (!(untilLoss && answer.findings.counts.lost)) ({ problems, ...answer } = await run.finish());
    const summary = {
      ...answer, problems, cycles: run.cycles, killedTwice: run.killedTwice,
      restartMedian: median(run.restarts), restartMax: Math.max(...run.restarts),
    };
    summary.table = table(summary);
    say(`seed ${seed}, ${path.relative(ROOT, server)}, ${number((performance.now() - begin) / 1000)} s`);
    say(summary.table);
    for (const text of [...problems, ...summary.findings.examples]) say(`  ${text}`);
    return summary;
  } finally {
    await run.end();
  }
}

if (path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: {
    cycles: { type: 'string', default: '100' }, seconds: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) }, server: { type: 'string' },
    'at-acknowledgement': { type: 'string', default: '0.5' },
    'until-loss': { type: 'boolean' }, keep: { type: 'boolean' },
  } });
  const { findings, problems } = await killCycles({
    cycles: Number(values.cycles), seconds: Number(values.seconds), seed: Number(values.seed),
    server: values.server && path.resolve(values.server), atAcknowledgement: Number(values['at-acknowledgement']),
    untilLoss: values['until-loss'], keep: values.keep,
  });
  process.exitCode = findings.total + problems.length === 0 ? 0 : 1;
}
