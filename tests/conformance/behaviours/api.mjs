// More of the server's API: answers of many, sockets that are fetched, listeners of everything, room events.
const bytes = Buffer.from([1, 2, 3]);
const waits = (needs, behaviours) => behaviours.map(behaviour => ({ needs, ...behaviour }));

/** a, b, c in the behaviour's own namespace: r holds a and b; each has its name as data. */
async function three(ctx) {
  const all = await Promise.all(["a", "b", "c"].map(name => ctx.stock(name, { nsp: ctx.own })));
  await Promise.all(all.map(client => client.do(["setData", { name: client.name }])));
  for (const client of all.slice(0, 2)) await client.do(["join", ctx.room("r")]);
  return all;
}

const answersOfMany = waits(["askAll"], [
  { name: "broadcast acks: everybody answers", run: async ctx => {
    const all = await three(ctx);
    for (const client of all) client.answer("question", n => [`${client.name} ${n}`]);
    return ctx.transcript({ results: await all[0].do(["askAll", "nsp", [], 2000, "question", 7]) });
  } },
  { name: "broadcast acks: a room answers", run: async ctx => {
    const all = await three(ctx);
    for (const client of all) client.answer("question", () => [client.name]);
    return ctx.transcript({ results: await all[2].do(["askAll", "nsp", [["to", ctx.room("r")]], 2000, "question"]) });
  } },
  { name: "broadcast acks: all others answer", run: async ctx => {
    const all = await three(ctx);
    for (const client of all) client.answer("question", () => [client.name]);
    return ctx.transcript({ results: await all[0].do(["askAll", "socket", [], 2000, "question"]) });
  } },
  { name: "broadcast acks: one does not answer", run: async ctx => {
    const all = await three(ctx);
    for (const client of all.slice(1)) client.answer("question", () => [client.name]);
    return ctx.transcript({ results: await all[0].do(["askAll", "nsp", [], 150, "question"]) });
  } },
  { name: "broadcast acks: nobody answers", run: async ctx => {
    const all = await three(ctx);
    return ctx.transcript({ results: await all[0].do(["askAll", "nsp", [], 100, "question"]) });
  } },
  { name: "broadcast acks: nobody is asked", run: async ctx => {
    const all = await three(ctx);
    return ctx.transcript({ results: await all[0].do(["askAll", "nsp", [["to", ctx.room("none")]], 1000, "question"]) });
  } },
  { name: "broadcast acks: answers of several values, and none", run: async ctx => {
    const all = await three(ctx);
    all[0].answer("question", () => [1, 2]);
    all[1].answer("question", () => []);
    all[2].answer("question", () => [null]);
    return ctx.transcript({ results: await all[0].do(["askAll", "nsp", [], 1000, "question"]) });
  } },
  { name: "broadcast acks: bytes both ways", run: async ctx => {
    const all = await three(ctx);
    for (const client of all) client.answer("question", given => [[client.name, given]]);
    return ctx.transcript({ results: await all[0].do(["askAll", "nsp", [], 2000, "question", bytes]) });
  } },
  { name: "broadcast acks: one leaves instead of answering", run: async ctx => {
    const all = await three(ctx);
    for (const client of all.slice(0, 2)) client.answer("question", () => [client.name]);
    all[2].socket.on("question", () => all[2].socket.disconnect());
    return ctx.transcript({ results: await all[0].do(["askAll", "nsp", [], 300, "question"]) });
  } },
]);

const fetched = waits(["fetchSockets"], [
  ["everybody", "nsp", () => []],
  ["a room", "nsp", room => [["in", room("r")]]],
  ["a room that does not exist", "nsp", room => [["in", room("none")]]],
  ["all others", "socket", () => []],
  ["everybody except a room", "nsp", room => [["except", room("r")]]],
  ["an id", "nsp", (room, all) => [["in", all[1].socket.id]]],
].map(([name, from, calls]) => ({ name: `fetchSockets: ${name}`, run: async ctx => {
  const all = await three(ctx);
  return ctx.transcript({ results: await all[0].do(["fetchSockets", from, calls(ctx.room.bind(ctx), all)]) });
} })));
const withFetched = waits(["withFetched"], [
  ["join", room => [room("t")]], ["leave", room => [room("r")]], ["emit", () => ["news", 1, bytes]],
].map(([member, args]) => ({ name: `fetched sockets: ${member}`, run: async ctx => {
  const all = await three(ctx);
  await all[0].do(["withFetched", "nsp", [["in", ctx.room("r")]], member, ...args(ctx.room.bind(ctx))]);
  const rooms = await Promise.all(all.map(client => client.do(["rooms"])));
  return ctx.transcript({ rooms });
} })).concat([{ name: "fetched sockets: disconnect", run: async ctx => {
  const all = await three(ctx);
  await all[0].do(["withFetched", "nsp", [["except", ctx.room("r")]], "disconnect", true]);
  await all[2].disconnected();
  await ctx.reported("c", "disconnect");
  return ctx.transcript();
} }]));

const askFetched = waits(["askFetched"], [
  { name: "fetched sockets: each is asked", run: async ctx => {
    const all = await three(ctx);
    for (const client of all) client.answer("question", n => [`${client.name} ${n}`, "more"]);
    return ctx.transcript({ results: await all[0].do(["askFetched", "nsp", [], 2000, "question", 7]) });
  } },
  { name: "fetched sockets: one does not answer", run: async ctx => {
    const all = await three(ctx);
    for (const client of all.slice(1)) client.answer("question", () => [client.name]);
    return ctx.transcript({ results: await all[0].do(["askFetched", "nsp", [], 150, "question"]) });
  } },
]);

// What a and b emit is heard when the next question is answered.
const heard = (client, event, ...args) => {
  client.emit(event, ...args);
  return client.do(["nsp"]);
};
const listeners = [
  { name: "prependAny comes before onAny", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["onAny", "first"], ["onAny", "second"], ["prependAny", "zeroth"]);
    await heard(client, "x", 1);
    return eventsOnly(await ctx.transcript());
  } },
  { name: "offAny ends them all", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["onAny", "first"], ["prependAny", "zeroth"]);
    await heard(client, "x", 1);
    await client.do(["offAny"]);
    await heard(client, "y", 2);
    return eventsOnly(await ctx.transcript());
  } },
  { name: "onAnyOutgoing hears emit and broadcast", run: async ctx => {
    const client = await ctx.stock("a", { nsp: ctx.own });
    await client.do(["onAnyOutgoing", "first"], ["prependAnyOutgoing", "zeroth"], ["emit", "one", 1], ["chain", "nsp", [], "emit", "two", 2]);
    return ctx.transcript();
  } },
  { name: "onAnyOutgoing hears what others send to the socket", run: async ctx => {
    const [a, b] = [await ctx.stock("a", { nsp: ctx.own }), await ctx.stock("b", { nsp: ctx.own })];
    await a.do(["onAnyOutgoing", "first"], ["join", ctx.room("r")]);
    await b.do(["chain", "socket", [["to", ctx.room("r")]], "emit", "news", bytes], ["chain", "nsp", [["except", ctx.room("r")]], "emit", "others"], ["emit", "own"]);
    await a.got("news");
    return ctx.transcript();
  } },
  { name: "onAnyOutgoing hears no answers", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["onAnyOutgoing", "first"]);
    await client.ask("reply", 1);
    return ctx.transcript();
  } },
  { name: "onAnyOutgoing hears questions without their callback", run: async ctx => {
    const client = await ctx.stock("a");
    client.answer("question", () => []);
    await client.do(["onAnyOutgoing", "first"], ["ask", "question", 1]);
    return ctx.transcript();
  } },
  { name: "offAnyOutgoing ends them all", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["onAnyOutgoing", "first"], ["prependAnyOutgoing", "zeroth"], ["emit", "one"], ["offAnyOutgoing"], ["emit", "two"]);
    return ctx.transcript();
  } },
  ...waits(["onAnyKept", "offAnyOne", "listenersAny"], [{ name: "offAny of one listener", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["onAnyKept", "first"], ["onAnyKept", "second"]);
    const results = await client.do(["listenersAny"], ["offAnyOne", "first"], ["listenersAny"]);
    await heard(client, "y", 2);
    return eventsOnly(await ctx.transcript({ results }));
  } }]),
  ...waits(["onAnyOutgoingKept", "offAnyOutgoingOne", "listenersAnyOutgoing"], [{ name: "offAnyOutgoing of one listener", run: async ctx => {
    const client = await ctx.stock("a");
    const results = await client.do(["onAnyOutgoingKept", "first"], ["onAnyOutgoingKept", "second"], ["offAnyOutgoingOne", "first"], ["listenersAnyOutgoing"], ["emit", "one"]);
    return ctx.transcript({ results });
  } }]),
  ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map(
    event => ({ name: `the reserved event ${event} cannot be sent`, run: async ctx => {
      const client = await ctx.stock("a", { nsp: ctx.own });
      return ctx.transcript({ results: await client.do(["emitReserved", event], ["broadcastReserved", event]) });
    } })),
  ...waits(["reportErrors"], [
    { name: "a refused event is an error of the server's socket", run: async ctx => {
      const client = await ctx.stock("a");
      await client.do(["reportErrors"], ["use", "first", "x"]);
      client.emit("x", 1);
      await ctx.reported("a", "error");
      return eventsOnly(await ctx.transcript());
    } },
    { name: "an event named error is one", run: async ctx => {
      const client = await ctx.stock("a");
      await client.do(["reportErrors"]);
      client.emit("error", "of the client");
      await ctx.reported("a", "error");
      return ctx.transcript();
    } },
  ]),
];
const connections = [
  { name: "the session's id and revision", run: async ctx => {
    const client = await ctx.stock("a");
    return ctx.transcript({ results: await client.do(["session"], ["revision"]) });
  } },
  ...waits(["closeEngine"], [{ name: "the server closes the engine", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["closeEngine"]);
    await client.disconnected();
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } }]),
  ...waits(["time"], [{ name: "the time of the handshake", run: async ctx => {
    const client = await ctx.stock("a");
    return ctx.transcript({ results: await client.do(["time"]) });
  } }]),
];

/** a and b come and go in a room whose events are told. */
const roomEvents = waits(["roomEvents"], [
  ["a room comes and goes with its sockets", async (ctx, a, b, room) => {
    await a.do(["join", room]);
    await b.do(["join", room]);
    await a.do(["leave", room]);
    await b.do(["leave", room]);
  }],
  ["joining twice is told once", async (ctx, a, b, room) => {
    await a.do(["join", room], ["join", room], ["leave", room], ["leave", room]);
  }],
  ["a room is left by disconnecting", async (ctx, a, b, room) => {
    await a.do(["join", room]);
    await b.do(["join", room]);
    b.socket.disconnect();
    await ctx.reported("b", "disconnect");
  }],
  ["a room is joined and left through the namespace", async (ctx, a, b, room) => {
    await b.do(["chain", "nsp", [["in", a.socket.id]], "socketsJoin", room]);
    await a.do(["nsp"]);
    await b.do(["chain", "nsp", [["in", room]], "socketsLeave", room]);
    await a.do(["nsp"]);
  }],
].map(([name, act]) => ({ name: `room events: ${name}`, run: async ctx => {
  const told = [];
  ctx.program.listen(ctx.own, entry => told.push(entry.slice(1)));
  const [a, b] = [await ctx.stock("a", { nsp: ctx.own }), await ctx.stock("b", { nsp: ctx.own })];
  await act(ctx, a, b, ctx.room("watched"));
  return ctx.transcript({ told });
} })));

// What the harness itself asks is heard by onAny, too.
function eventsOnly(transcript) {
  transcript.reports.a = transcript.reports.a.filter(entry => entry[3] !== "sync" && entry[3] !== "do");
  return transcript;
}

export const api = {
  name: "more API", transports: ["polling", "websocket", "upgrade"], parsers: ["json", "msgpack"],
  behaviours: [...answersOfMany, ...fetched, ...withFetched, ...askFetched, ...listeners, ...connections, ...roomEvents],
};
