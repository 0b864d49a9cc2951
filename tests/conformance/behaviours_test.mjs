// One behaviour script against npm socket.io and against Wirehall; the transcripts must be equal. How it works and
// how to add a behaviour: behaviours/README.md.
//
//   BEHAVIOURS=rooms           only groups and behaviours ("group: behaviour") that match
//   BEHAVIOURS_SELF=1          Node against Node: whether the behaviours themselves are repeatable
//   BEHAVIOURS_SHOW=1          prints every transcript
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { differences, table, told } from "./behaviours/compare.mjs";
import { Context } from "./behaviours/context.mjs";
import { absentOperations, deliberate, knownDefects } from "./behaviours/differences.mjs";
import { groups } from "./behaviours/groups.mjs";
import { startReference, startWirehall } from "./behaviours/programs.mjs";

const atOnce = Number(process.env.BEHAVIOURS_AT_ONCE ?? 16);
const oneBehaviourMs = 15_000;
const comparedAgainMax = 20;
const filter = new RegExp(process.env.BEHAVIOURS ?? "");
const self = process.env.BEHAVIOURS_SELF === "1";

const pairs = new Map();  // profile -> {reference, wirehall}: wirehall is null where it has no such profile
const results = [];

// -- one run --------------------------------------------------------------------------------------

function variantsOf(group, behaviour) {
  const transports = behaviour.transports ?? group.transports ?? ["-"];
  const parsers = behaviour.parsers ?? group.parsers ?? ["json"];
  return transports.flatMap(transport => parsers.map(parser => ({
    group: group.name, behaviour: behaviour.name, key: `${group.name}: ${behaviour.name}`, transport, parser,
    profile: parser === "json" ? behaviour.profile ?? group.profile ?? "main" : parser,
    needs: behaviour.needs ?? [], run: behaviour.run, alone: behaviour.alone ?? group.alone ?? false,
  })));
}

async function transcriptOf(program, job) {
  const context = new Context(program, job);
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("it takes too long")), oneBehaviourMs); });
  try {
    return { transcript: await Promise.race([job.run(context), late]) };
  } catch (error) {
    return { error: `${program.name}: ${error.message}` };
  } finally {
    clearTimeout(timer);
    await context.close();
  }
}

async function compare(job) {
  const { reference, wirehall } = pairs.get(job.profile);
  if (!wirehall) return { outcome: "different", message: `    Wirehall's program has no profile ${job.profile}` };
  const missing = self ? [] : job.needs.filter(operation => !wirehall.operations.has(operation));
  const lost = missing.filter(operation => !absentOperations.includes(operation));
  if (lost.length > 0) return { outcome: "different", message: `    Wirehall's program does not offer ${lost.join(", ")}` };
  if (missing.length > 0) return { outcome: "waiting" };
  const [theirs, ours] = await Promise.all([transcriptOf(reference, job), transcriptOf(wirehall, job)]);
  if (process.env.BEHAVIOURS_SHOW) console.log(job.key, job.transport, job.parser, JSON.stringify(theirs, null, 1), "\n");
  if (theirs.error) return { outcome: "different", message: `    ${theirs.error}` };
  const found = ours.error ? [["the whole", "a transcript", ours.error]] : differences(theirs.transcript, ours.transcript);
  return judged(job, found);
}

function judged(job, found) {
  const entries = self ? [] : [...deliberate, ...knownDefects].filter(
    entry => entry.behaviours.includes(job.key) && (entry.in ?? [job.transport]).includes(job.transport) &&
      (entry.parsers ?? [job.parser]).includes(job.parser));
  const unknown = found.filter(([path]) => !entries.some(entry => entry.at.test(path)));
  if (unknown.length > 0) return { outcome: "different", message: told(unknown) };
  const gone = entries.find(entry => !found.some(([path]) => entry.at.test(path)));
  if (gone) return { outcome: "different", message: `    it is no longer different (${gone.defect ?? gone.reason}): correct differences.mjs` };
  return { outcome: entries.length === 0 ? "equal" : entries.some(entry => entry.defect) ? "defect" : "deliberate" };
}

// -- all of them ----------------------------------------------------------------------------------

async function startPair(profile) {
  const [reference, wirehall] = await Promise.all([startReference(profile), self ? startReference(profile) : startWirehall(profile)]);
  pairs.set(profile, { reference, wirehall });
}

async function work(jobs, workers) {
  const next = jobs.values();
  const worker = async () => { for (const job of next) results.push({ ...job, ...await compare(job) }); };
  await Promise.all(Array.from({ length: workers }, worker));
}

// Two programs that time out by their own clocks differ by chance on a machine that is busy with something else.
// What differed is compared again with nothing beside it, and counts when it differs again; a real difference does.
async function compareAgain() {
  const doubtful = results.filter(result => result.outcome === "different");
  if (doubtful.length > comparedAgainMax) return;
  for (const result of doubtful) {
    console.log(`compared again: ${result.key} (${result.transport}, ${result.parser})\n${result.message}`);
    Object.assign(result, { message: undefined }, await compare(result));
  }
}

const jobs = groups.flatMap(group => group.behaviours.flatMap(behaviour => variantsOf(group, behaviour)))
  .filter(job => filter.test(job.key));

describe("behaviours", () => {
  before(async () => {
    const started = Date.now();
    await Promise.all([...new Set(jobs.map(job => job.profile))].map(startPair));
    await work(jobs.filter(job => !job.alone), atOnce);
    await work(jobs.filter(job => job.alone), 4);
    await compareAgain();
    console.log(`${jobs.length} comparisons in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  });
  after(async () => {
    const order = new Map(jobs.map((job, i) => [job.key + job.transport + job.parser, i]));
    results.sort((a, b) => order.get(a.key + a.transport + a.parser) - order.get(b.key + b.transport + b.parser));
    console.log(table(results));
    const run = new Set(results.filter(result => result.outcome !== "waiting").map(result => result.key));
    console.log(`${run.size} behaviours, ${new Set(jobs.map(job => job.key)).size - run.size} more wait for their operations`);
    for (const { reference, wirehall } of pairs.values()) await Promise.all([reference.stop(), wirehall?.stop()]);
  });

  for (const { name } of groups.filter(group => jobs.some(job => job.group === group.name))) {
    it(`are the same: ${name}`, () => {
      const failed = results.filter(result => result.group === name && result.outcome === "different");
      const text = failed.map(result => `\n  ${result.key} (${result.transport}, ${result.parser})\n${result.message}`).join("");
      assert.equal(failed.length, 0, `${failed.length} differ:${text}`);
    });
  }
  it("every entry of differences.mjs names a behaviour", () => {
    const names = groups.flatMap(group => group.behaviours.map(behaviour => `${group.name}: ${behaviour.name}`));
    assert.equal(new Set(names).size, names.length, "names of behaviours are unique");
    assert.deepEqual([...deliberate, ...knownDefects].flatMap(entry => entry.behaviours).filter(key => !names.includes(key)), []);
  });
  it("the programs end in order", async () => {
    for (const { reference, wirehall } of pairs.values()) {
      assert.equal(await reference.stop(), 0);
      if (wirehall) assert.equal(await wirehall.stop(), 0, wirehall.errors);
    }
  });
});
