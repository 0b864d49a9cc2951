// Middlewares of namespaces and of sockets: in which order they run, and what a refusal is for the client.

/** A client of /auth with that payload. */
const auth = (ctx, name, payload) => ctx.stock(name, { nsp: "/auth", auth: payload });
const refused = (name, payload) => ({
  name: `refused: ${name}`, run: async ctx => {
    const client = await auth(ctx, "a", payload);
    return ctx.transcript({ connected: client.socket.connected, active: client.socket.active });
  },
});

const connecting = [
  { name: "let in", run: async ctx => {
    await auth(ctx, "a", { token: "good" });
    return ctx.transcript();
  } },
  { name: "let in without a payload", run: async ctx => {
    await ctx.stock("a", { nsp: "/auth" });
    return ctx.transcript();
  } },
  refused("with a message", { refuse: "not you" }),
  refused("with an empty message", { refuse: "" }),
  refused("with a message of all kinds", { refuse: "\u00fc \"quoted\" \u2028 \ud83d\ude00" }),
  refused("with data", { refuse: "not you", refuseData: { code: 7, list: [1, null] } }),
  refused("with data that is text", { refuse: "not you", refuseData: "why" }),
  refused("with data that is empty", { refuse: "not you", refuseData: {} }),
  { name: "refused, and let in with another payload", run: async ctx => {
    const client = await auth(ctx, "a", { refuse: "not yet" });
    client.socket.auth = { token: "good" };
    await client.connect();
    client.emit("echo", 1);
    await client.got("echoed");
    return ctx.transcript();
  } },
  { name: "refused twice", run: async ctx => {
    const client = await auth(ctx, "a", { refuse: "first" });
    client.socket.auth = { refuse: "second", refuseData: 2 };
    await client.connect();
    return ctx.transcript();
  } },
  { name: "refused, and another namespace goes on", run: async ctx => {
    const main = await ctx.stock("a");
    await main.in("/auth", { refuse: "not you" });
    main.emit("echo", 1);
    await main.got("echoed");
    return ctx.transcript();
  } },
  { name: "rooms that were joined in the middleware", run: async ctx => {
    const client = await auth(ctx, "a", { join: [ctx.room("r"), ctx.room("s")] });
    const results = await client.do(["rooms"], ["chain", "nsp", [["to", ctx.room("s")]], "emit", "news"]);
    return ctx.transcript({ results });
  } },
  { name: "rooms that were joined before a refusal", run: async ctx => {
    await auth(ctx, "a", { join: [ctx.room("r")], refuse: "not you" });
    const other = await auth(ctx, "b", { join: [ctx.room("r")] });
    await other.do(["chain", "nsp", [["to", ctx.room("r")]], "emit", "news"]);
    return ctx.transcript();
  } },
  { name: "data that was set in the middleware", run: async ctx => {
    const client = await auth(ctx, "a", { data: { user: "x", list: [1] } });
    return ctx.transcript({ results: await client.do(["data"]) });
  } },
  { name: "an event that was sent in the middleware", run: async ctx => {
    await auth(ctx, "a", { emit: "early" });
    return ctx.transcript();
  } },
  { name: "three middlewares run in their order", run: async ctx => {
    await ctx.stock("a", { nsp: "/chain" });
    return ctx.transcript();
  } },
  ...["first", "second", "third"].map(label => ({ name: `the ${label} of three refuses`, run: async ctx => {
    await ctx.stock("a", { nsp: "/chain", auth: { refuseIn: label } });
    return ctx.transcript();
  } })),
  { name: "middlewares run again for every try", run: async ctx => {
    const client = await ctx.stock("a", { nsp: "/chain", auth: { refuseIn: "second" } });
    client.socket.auth = {};
    await client.connect();
    return ctx.transcript();
  } },
];

/** A connection whose second namespace waits at the gate. */
async function waiting(ctx) {
  const main = await ctx.stock("a");
  const gated = main.in("/gate");
  await ctx.reported("a", "gate");
  return { main, gated };
}
const gates = [
  { name: "a middleware that waits, and lets in", run: async ctx => {
    const { main, gated } = await waiting(ctx);
    main.emit("gate", "open");
    await gated;
    return ctx.transcript();
  } },
  { name: "a middleware that waits, and refuses", run: async ctx => {
    const { main, gated } = await waiting(ctx);
    main.emit("gate", "too late");
    await gated;
    return ctx.transcript();
  } },
  { name: "other namespaces go on while a middleware waits", run: async ctx => {
    const { main, gated } = await waiting(ctx);
    main.emit("echo", "meanwhile");
    await main.got("echoed");
    main.emit("gate", "open");
    await gated;
    return ctx.transcript();
  } },
  { name: "the connection goes while a middleware waits", run: async ctx => {
    const { main, gated } = await waiting(ctx);
    gated.catch(() => {});
    await main.closeEngine();
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } },
  { name: "the client leaves the namespace while its middleware waits", transports: ["websocket"], run: async ctx => {
    const client = await ctx.rawIn("a");
    client.send("40/gate,");
    await ctx.reported("a", "gate");
    client.send("41/gate,");
    await client.ended();
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } },
  { name: "an event for a namespace whose middleware waits", transports: ["websocket"], run: async ctx => {
    const client = await ctx.rawIn("a");
    client.send("40/gate,");
    await ctx.reported("a", "gate");
    client.send('42/gate,["echo",1]');
    await client.ended();
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } },
  { name: "CONNECT again while the middleware waits", transports: ["websocket"], run: async ctx => {
    const client = await ctx.rawIn("a");
    client.send("40/gate,");
    await ctx.reported("a", "gate");
    client.send("40/gate,");
    await client.barrier();
    return ctx.transcript();
  } },
];

const packets = [
  { name: "a socket's middleware sees every event", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["use", "first"]);
    client.emit("x", 1, { a: 2 });
    await client.barrier();
    client.emit("nobody");
    await client.barrier();
    return withoutSync(await ctx.transcript());
  } },
  { name: "two middlewares run in their order, before the listeners", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["use", "first"], ["use", "second"], ["on", "x"]);
    client.emit("x", 1);
    await ctx.reported("a", "on");
    return withoutSync(await ctx.transcript());
  } },
  { name: "onAny comes before the middlewares", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["use", "first"], ["onAny", "any"], ["on", "x"]);
    client.emit("x", 1);
    await ctx.reported("a", "on");
    return withoutSync(await ctx.transcript());
  } },
  { name: "a middleware refuses an event", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["use", "first", "x"], ["use", "second"], ["on", "x"], ["on", "y"]);
    client.emit("x", 1);
    client.emit("y", 2);
    await ctx.reported("a", "on");
    return withoutSync(await ctx.transcript());
  } },
  { name: "a middleware refuses an event that asks for an answer", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["use", "first", "reply"]);
    const outcome = await client.socket.timeout(150).emitWithAck("reply", 1).then(() => "answered", error => error.message);
    return withoutSync(await ctx.transcript({ outcome }));
  } },
  { name: "a middleware changes the arguments", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["rewrite", "reply", "other", { a: 1 }]);
    const answer = await new Promise(resolve => client.emit("reply", "mine", (...answers) => resolve(answers)));
    return ctx.transcript({ answer });
  } },
  { name: "a middleware of one socket sees no other's events", run: async ctx => {
    const [a, b] = [await ctx.stock("a"), await ctx.stock("b")];
    await a.do(["use", "first"]);
    b.emit("x", 1);
    await b.do(["emit", "behind"]);
    return withoutSync(await ctx.transcript());
  } },
];
// The transcript's own question is seen by middlewares, too.
function withoutSync(transcript) {
  transcript.reports.a = transcript.reports.a.filter(entry => entry[3] !== "sync");
  return transcript;
}

export const middleware = {
  name: "middleware", transports: ["polling", "websocket", "upgrade"], parsers: ["json", "msgpack"],
  behaviours: [...connecting, ...gates.map(gate => gate.transports ? { ...gate, parsers: ["json"] } : gate), ...packets],
};
