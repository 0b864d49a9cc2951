// From polling to WebSocket, packet by packet.
import WebSocket from "ws";
import { begin, both, joined, soon } from "./polling_session.mjs";
import { Watch } from "./watch.mjs";

/** A WebSocket that is to take a session over; every packet is the behaviour's. */
class Probe {
  log = [];
  watch = new Watch();
  constructor(ctx, sid, query = "EIO=4&transport=websocket") {
    this.socket = new WebSocket(`ws://${ctx.program.address}${ctx.path}/?${query}&sid=${sid}`, { perMessageDeflate: false });
    const note = entry => {
      this.log.push(entry);
      this.watch.changed();
    };
    this.socket.on("message", (data, isBinary) => note(isBinary ? { bytes: data.toString("hex") } : data.toString()));
    this.socket.on("open", () => this.watch.changed());
    this.socket.on("unexpected-response", (request, response) => {
      note(["refused", response.statusCode]);
      request.destroy();
    });
    this.socket.on("close", code => note(["closed", code]));
    this.socket.on("error", () => {});
  }
  static async open(ctx, session, query) {
    const probe = ctx.keep(new Probe(ctx, session.sid, query));
    await probe.watch.until(() => probe.socket.readyState === WebSocket.OPEN || probe.ended, "the WebSocket");
    return probe;
  }
  get ended() { return this.log.some(entry => Array.isArray(entry)); }
  send(...packets) { for (const packet of packets) this.socket.send(packet); }
  got(packet) { return this.watch.until(() => this.log.includes(packet), () => `${packet}; there is ${JSON.stringify(this.log)}`); }
  end() { return this.watch.until(() => this.ended, () => `the end; there is ${JSON.stringify(this.log)}`); }
  async barrier() {}
  close() { this.socket.terminate(); }
}

/** A session that has joined "/", and a WebSocket whose probe was answered. */
async function probed(ctx) {
  const session = await joined(ctx);
  const probe = await Probe.open(ctx, session);
  probe.send("2probe");
  await probe.got("3probe");
  return { session, probe };
}
/** …and that has taken the session over. */
async function upgraded(ctx) {
  const { session, probe } = await probed(ctx);
  probe.send("5", '42["echo","over"]');
  await probe.got('42["echoed","over"]');
  return { session, probe };
}
const echo = '42["echo",1]';
const echoed = '42["echoed",1]';

const probing = (name, ...packets) => ({
  name, run: async ctx => {
    const session = await joined(ctx);
    const probe = await Probe.open(ctx, session);
    probe.send(...packets);
    await probe.end();
    return ctx.transcript({ probe: probe.log, rest: await session.rest() });
  },
});
const afterProbe = (name, ...packets) => ({
  name, run: async ctx => {
    const { session, probe } = await probed(ctx);
    probe.send(...packets);
    await probe.end();
    return ctx.transcript({ probe: probe.log, rest: await session.rest() });
  },
});

const behaviours = [
  { name: "probe, upgrade, events", run: async ctx => {
    const { session, probe } = await upgraded(ctx);
    return ctx.transcript({ probe: probe.log, get: await session.poll(), post: await session.post(echo) });
  } },
  { name: "before a namespace is joined", run: async ctx => {
    const session = await begin(ctx);
    const probe = await Probe.open(ctx, session);
    probe.send("2probe");
    await probe.got("3probe");
    probe.send("5", "40");
    await probe.watch.until(() => probe.log.some(entry => `${entry}`.startsWith("40")), "CONNECT");
    ctx.name(/"sid":"([^"]+)"/.exec(probe.log[1])[1], "<a>");
    return ctx.transcript({ probe: probe.log });
  } },
  { name: "the waiting GET is freed while the probe waits", run: async ctx => {
    const { session, probe } = await probed(ctx);
    return ctx.transcript({ poll: await session.poll(), again: await session.poll(), probe: probe.log });
  } },
  { name: "the waiting GET is closed by the upgrade", run: async ctx => {
    // The GET waits already: a noop frees it 100 ms behind the probe.
    const session = await joined(ctx);
    const probe = await Probe.open(ctx, session);
    const [poll] = await both(session.poll(), async () => {
      probe.send("2probe");
      await probe.got("3probe");
      probe.send("5", echo);
    });
    await probe.got(echoed);
    return ctx.transcript({ poll, probe: probe.log });
  } },
  { name: "events between probe and upgrade come over polling", run: async ctx => {
    const { session, probe } = await probed(ctx);
    await session.post(echo);
    const rest = await session.rest();
    probe.send("5", '42["echo",2]');
    await probe.got('42["echoed",2]');
    return ctx.transcript({ rest, probe: probe.log });
  } },
  { name: "events that nobody polled for come over the WebSocket", run: async ctx => {
    const { session, probe } = await probed(ctx);
    await session.post(echo);
    await session.post('42["echo",2]');
    probe.send("5");
    await probe.got('42["echoed",2]');
    return ctx.transcript({ probe: probe.log });
  } },
  { name: "bytes that nobody polled for come over the WebSocket", run: async ctx => {
    const { session, probe } = await probed(ctx);
    await session.post('451-["echo",{"_placeholder":true,"num":0}]\x1ebAQID');
    probe.send("5", echo);
    await probe.got(echoed);
    return ctx.transcript({ probe: probe.log });
  } },
  { name: "an event begins over polling, and its attachment comes over the WebSocket", run: async ctx => {
    const { session, probe } = await probed(ctx);
    await session.post('451-["echo",{"_placeholder":true,"num":0}]');
    probe.send("5", Buffer.from([7]), echo);
    await probe.got(echoed);
    return ctx.transcript({ probe: probe.log });
  } },
  { name: "the transport that the server sees", run: async ctx => {
    const { session, probe } = await probed(ctx);
    await session.post('42["do",["emit","is",1],["transport"]]');
    await session.post('420["do",["transport"]]');
    const rest = await session.rest();
    probe.send("5", '421["do",["transport"]]');
    await probe.got('431[["websocket"]]');
    return ctx.transcript({ rest, probe: probe.log });
  } },
  { name: "the probe is asked twice", run: async ctx => {
    const { session, probe } = await probed(ctx);
    probe.send("2probe");
    await probe.watch.until(() => probe.log.length === 2, "another answer");
    return ctx.transcript({ probe: probe.log, rest: await session.rest() });
  } },
  { name: "upgrade without a probe", run: async ctx => {
    const session = await joined(ctx);
    const probe = await Probe.open(ctx, session);
    probe.send("5", echo);
    await probe.got(echoed);
    return ctx.transcript({ probe: probe.log, get: await session.poll() });
  } },
  probing("a ping that is no probe", "2"),
  probing("a ping with another word", "2other"),
  probing("an event instead of the probe", echo),
  probing("a pong instead of the probe", "3"),
  probing("a word instead of the probe", "abc"),
  probing("an empty message instead of the probe", ""),
  probing("bytes instead of the probe", Buffer.from("2probe")),
  probing("a close packet instead of the probe", "1"),
  afterProbe("an event instead of the upgrade", echo),
  afterProbe("a noop instead of the upgrade", "6"),
  afterProbe("a word instead of the upgrade", "abc"),
  { name: "the WebSocket goes before the probe", run: async ctx => {
    const session = await joined(ctx);
    const probe = await Probe.open(ctx, session);
    probe.socket.close();
    await probe.end();
    return ctx.transcript({ rest: await session.rest() });
  } },
  { name: "the WebSocket goes behind the probe", run: async ctx => {
    const { session, probe } = await probed(ctx);
    probe.socket.close();
    await probe.end();
    return ctx.transcript({ rest: await session.rest() });
  } },
  { name: "another try behind one that failed", run: async ctx => {
    const { session, probe } = await probed(ctx);
    probe.socket.close();
    await probe.end();
    await session.rest();
    const second = await Probe.open(ctx, session);
    second.send("2probe");
    await second.got("3probe");
    second.send("5", echo);
    await second.got(echoed);
    return ctx.transcript({ first: probe.log, second: second.log });
  } },
  { name: "two tries at once", run: async ctx => {
    const { session, probe } = await probed(ctx);
    const second = await Probe.open(ctx, session);
    await second.end();
    probe.send("5", echo);
    await probe.got(echoed);
    return ctx.transcript({ first: probe.log, second: second.log });
  } },
  { name: "a try behind the upgrade", run: async ctx => {
    const { session, probe } = await upgraded(ctx);
    const second = await Probe.open(ctx, session);
    await second.end();
    probe.send(echo);
    await probe.got(echoed);
    return ctx.transcript({ first: probe.log, second: second.log });
  } },
  { name: "a try with version 3", run: async ctx => {
    const session = await joined(ctx);
    const probe = await Probe.open(ctx, session, "EIO=3&transport=websocket");
    await probe.end();
    return ctx.transcript({ probe: probe.log, rest: await session.rest() });
  } },
  { name: "a try for a session that is a WebSocket", run: async ctx => {
    const client = await ctx.rawIn("a", { transport: "websocket" });
    const probe = await Probe.open(ctx, { sid: client.open.sid });
    if (!probe.ended) probe.send("2probe");
    await probe.watch.until(() => probe.log.length > 0, "an answer");
    return ctx.transcript({ probe: probe.log });
  } },
  { name: "the session ends while the probe waits", run: async ctx => {
    const { session, probe } = await probed(ctx);
    await session.post("1");
    await probe.end();
    return ctx.transcript({ probe: probe.log, get: await session.poll() });
  } },
  { name: "the server disconnects while the probe waits", run: async ctx => {
    const { session, probe } = await probed(ctx);
    const [poll] = await both(session.poll(), () => session.post('42["do",["disconnect",false]]'));
    probe.send("5");
    await soon();
    probe.send("40/random,");
    await probe.watch.until(() => probe.log.length === 2, "an answer");
    return ctx.transcript({ poll: poll.body, probe: probe.log });
  } },
  { name: "a POST that is under way when the upgrade comes", run: async ctx => {
    const { session, probe } = await probed(ctx);
    const post = session.postSlowly(echo);
    await soon();
    probe.send("5", '42["echo",2]');
    await probe.got('42["echoed",2]');
    const response = await post.finish();
    await soon();
    return ctx.transcript({ response: response.failed ?? response.status, probe: probe.log });
  } },
  { name: "the WebSocket of an upgraded session goes", run: async ctx => {
    const { session, probe } = await upgraded(ctx);
    probe.socket.close(1000);
    await ctx.reported("a", "disconnect");
    return ctx.transcript({ get: await session.poll() });
  } },
  { name: "a try where upgrades are not offered", profile: "fixed", run: async ctx => {
    const { probe } = await upgraded(ctx);
    return ctx.transcript({ probe: probe.log });
  } },
  { name: "a probe that is not followed by the upgrade", profile: "short", alone: true, run: async ctx => {
    const session = await joined(ctx);
    const probe = await Probe.open(ctx, session);
    probe.send("2probe");
    await probe.end();
    return ctx.transcript({ probe: probe.log });
  } },
  { name: "a WebSocket that never probes", profile: "short", alone: true, run: async ctx => {
    const session = await joined(ctx);
    const probe = await Probe.open(ctx, session);
    await probe.end();
    return ctx.transcript({ probe: probe.log });
  } },
];

export const upgrade = { name: "upgrade", transports: ["upgrade"], behaviours };
