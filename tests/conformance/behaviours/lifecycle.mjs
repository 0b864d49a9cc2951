// Connecting, what the server knows of a connection, and all the ways in which one ends.
const ended = (ctx, client = "a", times = 1) =>
  ctx.watch.until(() => ctx.reports(client).filter(entry => entry[1] === "disconnect").length >= times, () => `the end of ${client}`);

const handshakes = [
  { name: "parameters of the query", run: async ctx => {
    const client = await ctx.stock("a", { query: { user: "x y", empty: "", list: "1,2", "\u00fc": "\u20ac&=+%" } });
    const results = await client.do(["query", "user"], ["query", "empty"], ["query", "list"], ["query", "\u00fc"], ["query", "none"], ["query", "EIO"], ["query", "transport"]);
    return ctx.transcript({ results });
  } },
  { name: "headers of the application", run: async ctx => {
    const client = await ctx.stock("a", { extraHeaders: { "X-Test": "some value" } });
    return ctx.transcript({ results: await client.do(["header", "x-test"], ["header", "x-none"]) });
  } },
  { name: "the address, no TLS, no other origin", run: async ctx => {
    const client = await ctx.stock("a");
    return ctx.transcript({ results: await client.do(["address"], ["secure"], ["xdomain"], ["issued"]) });
  } },
  { name: "another origin", run: async ctx => {
    const client = await ctx.stock("a", { extraHeaders: { origin: "http://other.example" } });
    return ctx.transcript({ results: await client.do(["xdomain"]) });
  } },
  { name: "the URL", run: async ctx => {
    const client = await ctx.raw("a", { query: "&user=%C3%BC" });
    await client.connect();
    return ctx.transcript({ results: await client.do(["url"]) });
  } },
  { name: "the transport", run: async ctx => {
    const client = await ctx.stock("a");
    return ctx.transcript({ results: await client.do(["transport"]) });
  } },
  { name: "connected, recovered, id", run: async ctx => {
    const client = await ctx.stock("a");
    return ctx.transcript({
      results: await client.do(["connected"], ["recovered"], ["id"]), form: /^[\w-]{20}$/.test(client.socket.id),
      differs: client.socket.id !== client.manager.engine.id, recovered: client.socket.recovered,
    });
  } },
  { name: "data stays", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["setData", { list: [1, { deep: "x" }], none: null }]);
    return ctx.transcript({ results: await client.do(["data"]) });
  } },
];

const ends = [
  { name: "the client disconnects", run: async ctx => {
    const client = await ctx.stock("a");
    client.socket.disconnect();
    await ended(ctx);
    return ctx.transcript({ connected: client.socket.connected });
  } },
  { name: "the client closes its engine", run: async ctx => {
    const client = await ctx.stock("a");
    await client.closeEngine();
    await ended(ctx);
    return ctx.transcript();
  } },
  { name: "the connection is cut", transports: ["websocket", "upgrade"], run: async ctx => {
    const client = await ctx.stock("a");
    client.manager.engine.transport.ws.terminate();
    await client.disconnected();
    await ended(ctx);
    return ctx.transcript();
  } },
  { name: "the server disconnects the socket", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["disconnect", false]);
    await client.disconnected();
    await ended(ctx);
    return ctx.transcript({ connected: client.socket.connected, active: client.socket.active });
  } },
  { name: "the server closes the connection", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["disconnect", true]);
    await client.disconnected();
    await ended(ctx);
    return ctx.transcript({ connected: client.socket.connected, active: client.socket.active });
  } },
  { name: "the server sends, and disconnects the socket", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["emit", "last", "words"], ["emit", "bytes", Buffer.from([1, 2])], ["disconnect", false]);
    await client.disconnected();
    return ctx.transcript();
  } },
  { name: "the server sends, and closes the connection", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["repeat", 20, "last"], ["emit", "bytes", Buffer.from([1, 2])], ["disconnect", true]);
    await client.disconnected();
    return ctx.transcript();
  } },
  { name: "the server sends much, and closes the connection", run: async ctx => {
    const client = await ctx.stock("a", { quiet: ["big"] });
    let received = 0;
    client.socket.on("big", text => { received += text.length; });
    client.tell(...Array.from({ length: 5 }, () => ["large", 100_000, "big"]), ["disconnect", true]);
    await client.disconnected();
    return ctx.transcript({ received });
  } },
  { name: "the server disconnects twice", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["disconnect", false], ["disconnect", false], ["disconnect", true]);
    await client.disconnected();
    await ended(ctx);
    return ctx.transcript();
  } },
  { name: "what the server does after disconnecting", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["disconnect", false], ["emit", "late"], ["join", ctx.room("r")], ["chain", "nsp", [["to", ctx.room("r")]], "emit", "later"]);
    await client.disconnected();
    return ctx.transcript();
  } },
  { name: "the answer to an event that disconnects the socket", run: async ctx => {
    const client = await ctx.rawIn("a");
    client.send('420["do",["disconnect",false]]');
    await client.got("1");
    await client.barrier();
    return ctx.transcript();
  } },
  { name: "an event behind the server's disconnect", run: async ctx => {
    const client = await ctx.rawIn("a");
    client.tell(["disconnect", false]);
    await client.got("1");
    client.send('42["echo",1]');
    await client.ended();
    return ctx.transcript();
  } },
  { name: "an event behind the server's disconnect, another namespace is there", run: async ctx => {
    const client = await ctx.rawIn("a");
    await client.connect("/custom");
    client.tell(["disconnect", false]);
    await client.got("1");
    client.send('42["echo",1]');
    await client.ended();
    await ended(ctx, "a", 2);
    return settledReason(ctx, await ctx.transcript());
  } },
  { name: "rooms are there while disconnecting, and not behind it", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["join", [ctx.room("r"), ctx.room("s")]]);
    client.socket.disconnect();
    await ended(ctx);
    return ctx.transcript();
  } },
  { name: "a malformed packet", run: async ctx => {
    const client = await ctx.stock("a");
    client.manager.engine.write("9");
    await client.disconnected();
    await ended(ctx);
    return ctx.transcript();
  } },
];

// Which of the two a polling session is told depends on whether its poll has arrived.
function settledReason(ctx, transcript) {
  if (ctx.variant.transport !== "polling") return transcript;
  return JSON.parse(JSON.stringify(transcript).replaceAll("forced server close", "forced close"));
}

// The end of the old connection and the beginning of the new one are told in no order.
const inNoOrder = run => async ctx => {
  const transcript = await run(ctx);
  transcript.reports.a.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return transcript;
};
const again = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 20 };
const connects = (client, n) => client.until(() => client.log.filter(([kind]) => kind === "connect").length >= n, `connect ${n}`);
const returns = [
  { name: "the client disconnects and connects", run: async ctx => {
    const client = await ctx.stock("a");
    const before = client.socket.id;
    client.socket.disconnect();
    await ended(ctx);
    await client.connect();
    client.emit("echo", 1);
    await client.got("echoed");
    return ctx.transcript({ another: client.socket.id !== before });
  } },
  { name: "the client comes back when the connection was closed", run: async ctx => {
    const client = await ctx.stock("a", again);
    const before = client.socket.id;
    await client.closeEngine();
    await connects(client, 2);
    await ended(ctx);
    client.emit("echo", 1);
    await client.got("echoed");
    return ctx.transcript({ another: client.socket.id !== before });
  } },
  { name: "the client comes back, and all its namespaces", run: async ctx => {
    const client = await ctx.stock("a", again);
    const other = await client.in("/custom", { some: "auth" });
    await client.closeEngine();
    await Promise.all([connects(client, 2), connects(other, 2)]);
    await ended(ctx, "a", 2);
    return ctx.transcript({ results: await other.do(["auth"]) });
  } },
  { name: "what was emitted meanwhile goes when the client is back", run: async ctx => {
    const client = await ctx.stock("a", again);
    await client.closeEngine();
    client.emit("echo", "meanwhile");
    await client.got("echoed");
    await ended(ctx);
    return ctx.transcript();
  } },
  { name: "the client does not come back when the server disconnected it", run: async ctx => {
    const client = await ctx.stock("a", again);
    client.tell(["disconnect", true]);
    await client.disconnected();
    await new Promise(resolve => setTimeout(resolve, 100));
    return ctx.transcript({ active: client.socket.active });
  } },
  { name: "the client comes back behind a malformed packet", run: async ctx => {
    const client = await ctx.stock("a", again);
    client.manager.engine.write("9");
    await connects(client, 2);
    await ended(ctx);
    return ctx.transcript();
  } },
  { name: "twenty clients come and go", run: async ctx => {
    const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const clients = await Promise.all(names.map(name => ctx.stock(name)));
    const answers = await Promise.all(clients.map((client, i) => client.ask("reply", i)));
    for (const client of clients) client.socket.disconnect();
    await Promise.all(names.map(name => ended(ctx, name)));
    return ctx.transcript({ answers });
  } },
].map(behaviour => behaviour.name.startsWith("the client") || behaviour.name.startsWith("what was") ? { ...behaviour, run: inNoOrder(behaviour.run) } : behaviour);

const raw = new Set(["the URL", "the answer to an event that disconnects the socket",
  "an event behind the server's disconnect", "an event behind the server's disconnect, another namespace is there"]);
export const lifecycle = {
  name: "lifecycle", transports: ["polling", "websocket", "upgrade"], parsers: ["json", "msgpack"],
  behaviours: [...handshakes, ...ends, ...returns].map(row => raw.has(row.name) ? { ...row, parsers: ["json"] } : row),
};
