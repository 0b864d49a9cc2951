// The ledger in a process of its own: neither the publishers' nor the server's death takes it along. It appends what
// publishers report to a file, follows the rooms with two subscribers, and after each restart compares the server
// with what it has written down.
import { createWriteStream } from 'node:fs';
import net from 'node:net';
import readline from 'node:readline';
import { NativeClient, readHistory, Refused } from './clients.mjs';
import { Random } from './content.mjs';
import { Ledger } from './ledger.mjs';
import { probe, Subscriber } from './subscriber.mjs';

const READERS = 4;

const [socketPath, filePath, seed] = process.argv.slice(2);
const file = createWriteStream(filePath);
const random = new Random(Number(seed));
const ledger = new Ledger();
const staying = new Subscriber('the staying subscriber', ledger);
const leaving = new Subscriber('the leaving subscriber', ledger);
const retried = {};
const marks = new Map(); // mark -> how many publisher processes have set it
let wakeMark = () => {};
let probes = 0;

// -- what publishers report ---------------------------------------------------------------------------

function take(line) {
  file.write(`${line}\n`);
  const report = JSON.parse(line);
  switch (report.kind) {
    case 'ack': return ledger.acknowledge(report);
    case 'intend': return ledger.intend(report);
    case 'change': return ledger.change(report);
    case 'begun': return ledger.begun(report.publisher, report.count);
    case 'refused': return ledger.findings.add('refused', report.text);
    case 'mark':
      retried[report.name] = report.retried;
      marks.set(report.mark, (marks.get(report.mark) ?? 0) + 1);
      return wakeMark();
    default: throw new Error(`an unknown report: ${line}`);
  }
}

net.createServer((socket) => {
  readline.createInterface({ input: socket, crlfDelay: Infinity }).on('line', take);
}).listen(socketPath, () => process.send({ listening: true }));

/** Resolves when so many publisher processes have set the mark: nothing that they were told is under way then. */
async function marked(mark, count) {
  while ((marks.get(mark) ?? 0) < count) await new Promise((resolve) => { wakeMark = resolve; });
}

// -- what the server shows ----------------------------------------------------------------------------

async function readRooms({ url, tokens, rooms, backwards }) {
  let messages = 0;
  const waiting = [...rooms];
  await Promise.all(Array.from({ length: READERS }, async (_, index) => {
    const client = await new NativeClient().connect(url, tokens[index % tokens.length]);
    client.ignored = '{"type":"user-';
    for (let roomId = waiting.shift(); roomId !== undefined; roomId = waiting.shift()) {
      try {
        const { seq, epoch } = await client.request('join', { roomId });
        const history = await readHistory(client, roomId, seq, backwards);
        ledger.check(roomId, { seq, epoch }, history);
        messages += history.length;
        await client.request('leave', { roomId });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        ledger.findings.add('unreadable', `${roomId}: ${error.message}`);
      }
    }
    client.close();
  }));
  return messages;
}

async function resume({ url, subscribers, rooms }) {
  await staying.resume(url, subscribers[0], rooms);
  await leaving.resume(url, subscribers[1], rooms);
  const room = rooms[random.below(rooms.length)];
  probes += await probe(ledger, url, subscribers[2], room, random);
}

const ORDERS = {
  marked: ({ mark, processes }) => marked(mark, processes),
  read: (order) => readRooms(order),
  resume: (order) => resume(order),
  leave: () => leaving.leave(),
  end: () => Promise.all([leaving.leave(), staying.leave()]),
  flush: () => new Promise((resolve) => { file.write('', resolve); }),
};

process.on('message', async (order) => {
  try {
    const value = await ORDERS[order.order](order);
    const { findings } = ledger;
    process.send({
      value: typeof value === 'number' ? value : undefined,
      findings: { counts: findings.counts, examples: findings.examples, total: findings.total },
      acknowledged: ledger.acknowledged, duplicates: ledger.duplicates,
      retried: Object.values(retried).reduce((sum, count) => sum + count, 0),
      recovered: staying.recovered + leaving.recovered, missed: staying.missed + leaving.missed,
      refusedRecoveries: staying.refusedRecoveries + leaving.refusedRecoveries, probes,
    });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
process.on('disconnect', () => process.exit(0));
