// Behaviours of servers with more switched on: dynamic namespaces, recovery, Engine.IO 3, hooks of the engine.
import WebSocket from "ws";
import { Watch } from "./watch.mjs";

// -- dynamic namespaces ---------------------------------------------------------------------------

const fresh = (ctx, prefix) => `/${prefix}-${ctx.room("x")}`;
/** Listens to what is told about a namespace. */
function watched(ctx, name) {
  const entries = [];
  ctx.program.listen(name, entry => {
    entries.push(entry.slice(1));
    ctx.watch.changed();
  });
  return entries;
}
/** Its making is told in its own time: by the thread that owns the name, not by the one that answers the client. */
const made = (ctx, told, count = 1) => ctx.watch.until(() => told.length >= count, () => `${count} told; there are ${JSON.stringify(told)}`);
const gone = (ctx, count = 1) => ctx.watch.until(() => ctx.reports("a").filter(entry => entry[1] === "disconnect").length >= count, "the end");

const dynamic = [
  { name: "a namespace that a pattern allows", run: async ctx => {
    const name = fresh(ctx, "dynamic");
    const told = watched(ctx, name);
    const client = await ctx.stock("a", { nsp: name });
    client.emit("echo", 1);
    await client.got("echoed");
    await made(ctx, told);
    return ctx.transcript({ results: await client.do(["nsp"]), told });
  } },
  { name: "two clients in it", run: async ctx => {
    const name = fresh(ctx, "dynamic");
    const told = watched(ctx, name);
    const [a, b] = await Promise.all([ctx.stock("a", { nsp: name }), ctx.stock("b", { nsp: name })]);
    await a.do(["chain", "nsp", [], "emit", "news"], ["chain", "socket", [], "emit", "others"]);
    await b.got("others");
    await made(ctx, told);
    return ctx.transcript({ told });
  } },
  { name: "the parent's middleware refuses", run: async ctx => {
    const name = fresh(ctx, "dynamic");
    const told = watched(ctx, name);
    const main = await ctx.stock("a");
    await main.in(name, { refuse: "no" });
    await main.in(name, { refuse: "no again" });
    await made(ctx, told, 2);
    return ctx.transcript({ told });
  } },
  { name: "it goes with its last socket", run: async ctx => {
    const name = fresh(ctx, "dynamic");
    const told = watched(ctx, name);
    const main = await ctx.stock("a");
    const client = await main.in(name);
    client.socket.disconnect();
    await gone(ctx);
    await client.connect();
    await made(ctx, told, 2);
    return ctx.transcript({ told });
  } },
  { name: "it is not among the namespaces any more", needs: ["namespaces"], run: async ctx => {
    const name = fresh(ctx, "dynamic");
    const main = await ctx.stock("a");
    const client = await main.in(name);
    const before = await main.do(["namespaces", name]);
    client.socket.disconnect();
    await gone(ctx);
    return ctx.transcript({ before, after: await main.do(["namespaces", name]) });
  } },
  { name: "a namespace that no pattern allows", run: async ctx => {
    await ctx.stock("a", { nsp: `/dynamic/${ctx.room("x")}` });
    return ctx.transcript();
  } },
  { name: "a namespace that a function allows", run: async ctx => {
    const client = await ctx.stock("a", { nsp: fresh(ctx, "asked"), auth: { token: "good" } });
    return ctx.transcript({ results: await client.do(["nsp"]) });
  } },
  { name: "a namespace that a function does not allow", run: async ctx => {
    await ctx.stock("a", { nsp: fresh(ctx, "asked"), auth: { token: "bad" } });
    return ctx.transcript();
  } },
];

export const dynamicNamespaces = {
  name: "dynamic namespaces", profile: "dynamic", transports: ["polling", "websocket", "upgrade"], behaviours: dynamic,
};

// -- connection state recovery --------------------------------------------------------------------

const again = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20 };
const connects = (client, n) => client.until(() => client.log.filter(([kind]) => kind === "connect").length >= n, `connect ${n}`);
const bytes = Buffer.from([1, 2, 3]);
// Offsets and pids are each server's own.
const withoutNumbers = transcript => JSON.parse(JSON.stringify(transcript).replaceAll(/,\\"[\w.~-]+\\"\]/g, ',\\"<offset>\\"]'));
const withoutOffsets = client => { client.log = client.log.map(entry => entry[0] === "event" ? entry.slice(0, -1) : entry); };

const recoveries = [
  { name: "CONNECT has a pid", transports: ["polling", "websocket"], run: async ctx => {
    const client = await ctx.raw("a");
    await client.connect();
    return ctx.transcript();
  } },
  { name: "events have an offset, answers have none", transports: ["polling", "websocket"], run: async ctx => {
    const client = await ctx.rawIn("a");
    client.send('42["echo",1]');
    await client.got("2");
    await client.ask("/", "reply", 1);
    const [event] = client.log.filter(entry => entry.startsWith("2"));
    return ctx.transcript({ event: JSON.parse(event.slice(1)).map((part, i) => i === 2 ? typeof part : part) })
      .then(transcript => ({ ...transcript, clients: null }));
  } },
  { name: "a short break is recovered", run: async ctx => {
    const client = await ctx.stock("a", again);
    await client.do(["join", ctx.room("r")], ["setData", { user: "x" }], ["emit", "first"]);
    await client.got("first");
    const before = client.socket.id;
    await client.closeEngine();
    await connects(client, 2);
    const results = await client.do(["rooms"], ["data"], ["recovered"]);
    withoutOffsets(client);
    return ctx.transcript({ results, same: before === client.socket.id, recovered: client.socket.recovered });
  } },
  { name: "missed events come in order", run: async ctx => {
    const sender = await ctx.stock("s", { nsp: ctx.own, quiet: ["news"] });
    const client = await ctx.stock("a", { nsp: ctx.own, reconnection: false });
    await client.do(["join", ctx.room("r")], ["emit", "first"]);
    await client.got("first");
    await client.closeEngine();
    await ctx.reported("a", "disconnect");
    await sender.do(...[1, 2, 3].map(i => ["chain", "nsp", [["to", ctx.room("r")]], "emit", "news", i]), ["chain", "nsp", [["to", ctx.room("none")]], "emit", "news", 4]);
    client.socket.connect();
    await connects(client, 2);
    await client.got("news", 3);
    withoutOffsets(client);
    return ctx.transcript({ recovered: client.socket.recovered });
  } },
  { name: "missed events come before CONNECT", transports: ["websocket"], run: async ctx => {
    const sender = await ctx.stock("s", { nsp: ctx.own, quiet: ["news"] });
    const first = await ctx.raw("a");
    await first.connect(ctx.own);
    await first.doIn(ctx.own, ["join", ctx.room("r")], ["emit", "first"]);
    const pid = /"pid":"([^"]+)"/.exec(first.log[0])[1];
    const offset = JSON.parse(/\[.*/.exec(first.log.find(entry => entry.includes('"first"')))[0]).at(-1);
    first.close();
    await ctx.reported("a", "disconnect");
    await sender.do(...[1, 2].map(i => ["chain", "nsp", [["to", ctx.room("r")]], "emit", "news", i, bytes]));
    const second = await ctx.raw("b");
    await second.connect(ctx.own, { pid, offset });
    const results = await second.doIn(ctx.own, ["recovered"], ["rooms"]);
    return withoutNumbers(await ctx.transcript({ results }));
  } },
  { name: "volatile events and questions are not replayed", run: async ctx => {
    const sender = await ctx.stock("s", { nsp: ctx.own, quiet: ["news", "perhaps"] });
    const client = await ctx.stock("a", { nsp: ctx.own });
    await client.do(["join", ctx.room("r")], ["emit", "first"]);
    await client.got("first");
    await client.closeEngine();
    await ctx.reported("a", "disconnect");
    await sender.do(["chain", "nsp", [["to", ctx.room("r")], ["volatile"]], "emit", "perhaps"], ["chain", "nsp", [["to", ctx.room("r")]], "emit", "news"]);
    client.socket.connect();
    await connects(client, 2);
    await client.got("news");
    withoutOffsets(client);
    return ctx.transcript({ recovered: client.socket.recovered });
  } },
  { name: "what others were sent is not replayed", run: async ctx => {
    const sender = await ctx.stock("s", { nsp: ctx.own, quiet: ["news"] });
    const client = await ctx.stock("a", { nsp: ctx.own });
    await client.do(["join", [ctx.room("r"), ctx.room("s")]], ["emit", "first"]);
    await client.got("first");
    await client.closeEngine();
    await ctx.reported("a", "disconnect");
    await sender.do(["chain", "nsp", [["to", ctx.room("r")], ["except", ctx.room("s")]], "emit", "news", "excepted"], ["chain", "nsp", [["to", "somebody"]], "emit", "news", "others"],
      ["chain", "nsp", [], "emit", "news", "all"]);
    client.socket.connect();
    await connects(client, 2);
    await client.got("news");
    withoutOffsets(client);
    return ctx.transcript({ recovered: client.socket.recovered });
  } },
  { name: "twice", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["emit", "first"]);
    await client.got("first");
    const ids = [client.socket.id];
    for (const n of [2, 3]) {
      await client.closeEngine();
      await ctx.watch.until(() => ctx.reports("a").filter(entry => entry[1] === "disconnect").length === n - 1, "the end");
      client.socket.connect();
      await connects(client, n);
      ids.push(client.socket.id);
    }
    withoutOffsets(client);
    return ctx.transcript({ same: new Set(ids).size, recovered: client.socket.recovered });
  } },
  { name: "a client that has received nothing", run: async ctx => {
    const client = await ctx.stock("a");
    await client.closeEngine();
    await ctx.reported("a", "disconnect");
    client.socket.connect();
    await connects(client, 2);
    return ctx.transcript({ recovered: client.socket.recovered });
  } },
  { name: "the server's disconnect is final", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["emit", "first"]);
    await client.got("first");
    client.tell(["disconnect", true]);
    await client.disconnected();
    await ctx.reported("a", "disconnect");
    await client.connect();
    withoutOffsets(client);
    return ctx.transcript({ recovered: client.socket.recovered });
  } },
  { name: "the middleware runs again", run: async ctx => {
    const client = await ctx.stock("a", { nsp: "/auth", auth: { token: "good" } });
    await client.do(["emit", "first"]);
    await client.got("first");
    await client.closeEngine();
    await ctx.reported("a", "disconnect");
    client.socket.connect();
    await connects(client, 2);
    withoutOffsets(client);
    const transcript = await ctx.transcript({ recovered: client.socket.recovered });
    return { ...transcript, reports: transcript.reports.a.filter(entry => entry[1] === "middleware").length };
  } },
  { name: "an unknown pid", transports: ["polling", "websocket"], run: async ctx => {
    const client = await ctx.raw("a");
    await client.connect("/", { pid: "abcdefghijklmnopqrst", offset: "x" });
    return ctx.transcript({ results: await client.do(["recovered"]) });
  } },
  { name: "the client's own disconnect is final", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["emit", "first"]);
    await client.got("first");
    const before = client.socket.id;
    client.socket.disconnect();
    await ctx.reported("a", "disconnect");
    await client.connect();
    withoutOffsets(client);
    return ctx.transcript({ same: before === client.socket.id, recovered: client.socket.recovered });
  } },
];
export const recovery = {
  name: "recovery", profile: "recovery", transports: ["polling", "websocket", "upgrade"], behaviours: recoveries,
};

// -- Engine.IO 3 ----------------------------------------------------------------------------------

const path3 = (ctx, more) => `${ctx.path}/?EIO=3&transport=polling&${more}`;
async function handshake3(ctx, more = "") {
  const { body } = await ctx.request(path3(ctx, `tag=${ctx.tag("a")}${more}`));
  const sid = /"sid\\?":\\?"([\w-]+)/.exec(body.toString())[1];
  ctx.name(sid, "<sid a>");
  return { sid, body: body.toString(), path: path3(ctx, `sid=${sid}${more}`) };
}
const encoded = (...packets) => packets.map(packet => `${packet.length}:${packet}`).join("");

const version3 = [
  { name: "the handshake, and CONNECT by itself", run: async ctx => {
    const session = await handshake3(ctx);
    return ctx.transcript({ open: session.body, connect: await ctx.shown(session.path) });
  } },
  { name: "an event and an answer", run: async ctx => {
    const session = await handshake3(ctx);
    await ctx.request(session.path);
    const post = await ctx.shown(session.path, { method: "POST", body: encoded('42["echo",1,"\u00fc"]', '420["reply",2]') });
    return ctx.transcript({ post, poll: await ctx.shown(session.path) });
  } },
  { name: "a ping of the client", run: async ctx => {
    const session = await handshake3(ctx);
    await ctx.request(session.path);
    await ctx.request(session.path, { method: "POST", body: encoded("2") });
    return ctx.transcript({ poll: await ctx.shown(session.path) });
  } },
  { name: "bytes to a client that takes none", run: async ctx => {
    const session = await handshake3(ctx, "&b64=1");
    await ctx.request(session.path);
    await ctx.request(session.path, { method: "POST", body: encoded('451-["echo",{"_placeholder":true,"num":0}]', "b4AQI=") });
    return ctx.transcript({ poll: await ctx.shown(session.path) });
  } },
  { name: "JSONP", run: async ctx => {
    const session = await handshake3(ctx, "&j=0");
    const connect = await ctx.shown(session.path);
    // As the client's form has it: a backslash before an n is doubled.
    const form = encoded('42["echo","a\\nb"]').replaceAll("\\n", "\\\\n");
    const post = await ctx.shown(session.path, {
      method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: `d=${encodeURIComponent(form)}`,
    });
    return ctx.transcript({ open: session.body, connect, post, poll: await ctx.shown(session.path) });
  } },
  { name: "a namespace", run: async ctx => {
    const session = await handshake3(ctx);
    await ctx.request(session.path);
    await ctx.request(session.path, { method: "POST", body: encoded("40/custom?x=1,") });
    await ctx.request(session.path, { method: "POST", body: encoded("40/random") });
    return ctx.transcript({ poll: await ctx.shown(session.path) });
  } },
  { name: "version 4 beside it", run: async ctx => {
    const response = await ctx.request(`${ctx.path}/?EIO=4&transport=polling`);
    return ctx.transcript({ status: response.status, first: response.body.toString()[0] });
  } },
];

/** A WebSocket of version 3. */
async function socket3(ctx, query = `&tag=${ctx.tag("a")}`) {
  const client = ctx.keep(new Messages(`ws://${ctx.program.address}${ctx.path}/?EIO=3&transport=websocket${query}`));
  await client.watch.until(() => client.log.includes("40"), "CONNECT");
  const sid = /^0.*"sid":"([^"]+)"/.exec(client.log[0]);
  if (sid) ctx.name(sid[1], "<sid a>");
  return client;
}
const over3 = (name, first, ...packets) => ({ name: `WebSocket: ${name}`, run: async ctx => {
  const client = await socket3(ctx);
  for (const packet of [first, ...packets]) {
    const before = client.log.length;
    client.socket.send(packet);
    if (/^40\//.test(packet)) await client.watch.until(() => client.log.length > before, "an answer to CONNECT");
  }
  client.socket.send('42["echo","behind"]');
  await client.watch.until(() => client.log.includes('42["echoed","behind"]') || client.closed, () => `the end; there is ${JSON.stringify(client.log)}`);
  return ctx.transcript({ log: client.log });
} });
const websocket3 = [
  over3("an event", '42["echo",1]'),
  over3("an answer", '425["reply",1]'),
  over3("an event of another namespace", "40/custom?x=1,", '42/custom,["do",["auth"]]', '42/custom,["echo",1]'),
  over3("an unknown namespace", "40/random,"),
  over3("a refused namespace", '40/auth?refuse=no,'),
  over3("the main namespace again", "40"),
  over3("a ping", "2"),
  over3("a ping with data", "2hello"),
  over3("a pong", "3"),
  over3("a noop", "6"),
  over3("bytes", '451-["echo",{"_placeholder":true,"num":0}]', Buffer.from([4, 1, 2])),
  over3("bytes of another type", Buffer.from([2, 1, 2])),
  over3("a word", "abc"),
  over3("the ids", '420["do",["id"],["session"],["revision"]]'),
  { name: "WebSocket: bytes as base64", run: async ctx => {
    const client = await socket3(ctx, `&tag=${ctx.tag("a")}&b64=1`);
    client.socket.send('451-["echo",{"_placeholder":true,"num":0}]');
    client.socket.send("b4AQI=");
    await client.watch.until(() => client.log.some(entry => `${entry}`.startsWith("b4")) || client.closed, "the bytes");
    return ctx.transcript({ log: client.log });
  } },
  { name: "an upgrade", run: async ctx => {
    const session = await handshake3(ctx);
    await ctx.request(session.path);
    const client = await upgrading(ctx, session);
    client.socket.send("5");
    client.socket.send('42["echo",1]');
    await client.watch.until(() => client.log.includes('42["echoed",1]'), "the echo");
    return ctx.transcript({ log: client.log, poll: (await ctx.request(session.path)).status });
  } },
  { name: "bytes over polling", run: async ctx => {
    const session = await handshake3(ctx);
    await ctx.request(session.path);
    await ctx.request(session.path, { method: "POST", body: encoded('451-["echo",{"_placeholder":true,"num":0}]', "b4AQI=") });
    const { status, headers, body } = await ctx.request(session.path);
    return ctx.transcript({ status, headers, body: body.toString("hex") });
  } },
  { name: "bytes as bytes in a body", run: async ctx => {
    const session = await handshake3(ctx);
    await ctx.request(session.path);
    const text = Buffer.from('451-["echo",{"_placeholder":true,"num":0}]');
    const body = Buffer.concat([Buffer.from([0, ...digits(text.length), 255]), text, Buffer.from([1, 3, 255, 4, 1, 2])]);
    const post = await ctx.shown(session.path, { method: "POST", body, headers: { "content-type": "application/octet-stream" } });
    return ctx.transcript({ post, body: (await ctx.request(session.path)).body.toString("hex") });
  } },
  { name: "characters beyond the basic plane count twice", run: async ctx => {
    const session = await handshake3(ctx);
    await ctx.request(session.path);
    await ctx.request(session.path, { method: "POST", body: encoded('42["echo","\u20ac\ud83d\ude00"]') });
    return ctx.transcript({ poll: await ctx.shown(session.path) });
  } },
  { name: "a length that is wrong", run: async ctx => {
    const session = await handshake3(ctx);
    await ctx.request(session.path);
    await ctx.request(session.path, { method: "POST", body: '99:42["echo",1]' });
    return ctx.transcript({ status: (await ctx.request(session.path)).status });
  } },
];
const digits = number => [...String(number)].map(Number);
async function upgrading(ctx, { sid }) {
  const client = ctx.keep(new Messages(`ws://${ctx.program.address}${ctx.path}/?EIO=3&transport=websocket&sid=${sid}`));
  await client.watch.until(() => client.open, "the WebSocket");
  client.socket.send("2probe");
  await client.watch.until(() => client.log.includes("3probe"), "the probe's answer");
  return client;
}

/** A WebSocket with a log of its messages. */
class Messages {
  log = [];
  watch = new Watch();
  open = false;
  closed = false;
  constructor(url) {
    this.socket = new WebSocket(url, { perMessageDeflate: false });
    const note = entry => {
      this.log.push(entry);
      this.watch.changed();
    };
    this.socket.on("open", () => {
      this.open = true;
      this.watch.changed();
    });
    this.socket.on("message", (data, isBinary) => note(isBinary ? { bytes: data.toString("hex") } : data.toString()));
    this.socket.on("close", code => {
      this.closed = true;
      note(["closed", code]);
    });
    this.socket.on("error", () => {});
  }
  async barrier() {}
  close() { this.socket.terminate(); }
}
export const engine3 = { name: "Engine.IO 3", profile: "eio3", transports: ["-"], behaviours: [...version3, ...websocket3] };

// -- what the engine tells of refused connections -------------------------------------------------

const refusals = [
  ["an unknown transport", "EIO=4&transport=tcp"], ["an unknown session", "EIO=4&transport=polling&sid=abcdefghijklmnopqrst"],
  ["a wrong method", "EIO=4&transport=polling", "POST"], ["a wrong version", "EIO=3&transport=polling"], ["a missing upgrade", "EIO=4&transport=websocket"],
].map(([name, query, method]) => ({ name: `connection_error: ${name}`, needs: ["connectionErrors"], run: async ctx => {
  await ctx.request(`${ctx.path}/?${query}&errors=${ctx.tag("a")}`, { method });
  await ctx.reported("a", "connection_error");
  return ctx.transcript();
} }));
const mismatches = [["another transport", "EIO=4&transport=websocket"], ["another version", "EIO=3&transport=polling"]].map(
  ([name, query]) => ({ name: `connection_error: ${name} than the session's`, needs: ["connectionErrors"], run: async ctx => {
    const { body } = await ctx.request(`${ctx.path}/?EIO=4&transport=polling`);
    const sid = /"sid":"([^"]+)"/.exec(body.toString())[1];
    await ctx.request(`${ctx.path}/?${query}&sid=${sid}&errors=${ctx.tag("a")}`);
    await ctx.reported("a", "connection_error");
    return ctx.transcript();
  } }));
export const connectionErrors = { name: "connection errors", transports: ["-"], behaviours: [...refusals, ...mismatches] };

// -- allowRequest, initialPacket, headers, addTrailingSlash, no compression ------------------------

/** A request with the headers that the hooks add. */
async function hooked(ctx, path, options = {}) {
  const answer = await fetch(`http://${ctx.program.address}${path}`, options);
  const body = await answer.text();
  const sid = /"sid":"([\w-]+)/.exec(body);
  if (sid) ctx.name(sid[1], "<sid>");
  const headers = Object.fromEntries(["x-initial", "x-every", "content-encoding"].map(name => [name, answer.headers.get(name)]));
  return { status: answer.status, headers, body, sid: sid?.[1] };
}
const handshakePath = "/socket.io?EIO=4&transport=polling";
const hooks4 = [
  { name: "the initial packet stands behind the open packet", run: async ctx => ctx.transcript({ response: await hooked(ctx, handshakePath) }) },
  { name: "the initial packet over WebSocket", run: async ctx => {
    const tcp = ctx.tcp();
    await tcp.upgrade("/socket.io?EIO=4&transport=websocket");
    await tcp.watch.until(() => tcp.log.length === 2, "two packets");
    return ctx.transcript({ second: tcp.log[1], initial: tcp.head.headers["x-initial"], every: tcp.head.headers["x-every"] });
  } },
  { name: "headers of a session's later requests", run: async ctx => {
    const { sid } = await hooked(ctx, handshakePath);
    const post = await hooked(ctx, `${handshakePath}&sid=${sid}`, { method: "POST", body: "40" });
    return ctx.transcript({ post, get: (await hooked(ctx, `${handshakePath}&sid=${sid}`)).headers });
  } },
  { name: "headers of refused requests", run: async ctx => ctx.transcript({ response: await hooked(ctx, "/socket.io?EIO=4&transport=tcp") }) },
  { name: "allowRequest refuses a handshake", run: async ctx => ctx.transcript({ response: await ctx.shown(`${handshakePath}&deny=not%20today`) }) },
  { name: "allowRequest refuses a WebSocket", run: async ctx => {
    const tcp = ctx.tcp();
    await tcp.upgrade("/socket.io?EIO=4&transport=websocket&deny=not%20today");
    return ctx.transcript({ status: tcp.head.status, body: await tcp.body() });
  } },
  { name: "allowRequest is not asked for a session's requests", run: async ctx => {
    const { sid } = await hooked(ctx, handshakePath);
    return ctx.transcript({ response: await hooked(ctx, `${handshakePath}&sid=${sid}&deny=no`, { method: "POST", body: "40" }) });
  } },
  { name: "allowRequest comes before the version", run: async ctx => ctx.transcript({ response: await ctx.shown("/socket.io?EIO=3&transport=polling&deny=no") }) },
  { name: "a refusal by allowRequest is a connection error", needs: ["connectionErrors"], run: async ctx => {
    await ctx.request(`${handshakePath}&deny=no&errors=${ctx.tag("a")}`);
    await ctx.reported("a", "connection_error");
    return ctx.transcript();
  } },
  { name: "a path with a slash, where none is added", run: async ctx => ctx.transcript({ status: (await ctx.request("/socket.io/?EIO=4&transport=polling")).status }) },
  { name: "a path that goes on, where no slash is added", run: async ctx => ctx.transcript({ status: (await ctx.request("/socket.io.more?EIO=4&transport=polling")).status }) },
  { name: "a large body without httpCompression", run: async ctx => {
    const { sid } = await hooked(ctx, handshakePath);
    const path = `${handshakePath}&sid=${sid}`;
    await hooked(ctx, path, { method: "POST", body: "40" });
    await hooked(ctx, path);
    await hooked(ctx, path, { method: "POST", body: '42["do",["large",3000,"big"]]' });
    return ctx.transcript({ headers: (await hooked(ctx, path, { headers: { "accept-encoding": "gzip" } })).headers });
  } },
];
export const engineHooks = { name: "hooks", profile: "hooks", transports: ["-"], behaviours: hooks4 };
