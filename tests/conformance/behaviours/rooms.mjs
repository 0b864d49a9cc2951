// Rooms: joining, leaving, and who gets what is sent to them. Everybody here is in a namespace of the behaviour's own.
const bytes = Buffer.from([1, 2, 3]);

/** Clients of these names in the behaviour's own namespace. */
const people = (ctx, ...names) => Promise.all(names.map(name => ctx.stock(name, { nsp: ctx.own })));

/** a, b, c and d: r holds a, b; s holds b, c; d is alone. */
async function four(ctx) {
  const all = await people(ctx, "a", "b", "c", "d");
  const [a, b, c] = all;
  await Promise.all([a.do(["join", ctx.room("r")]), b.do(["join", [ctx.room("r"), ctx.room("s")]]), c.do(["join", ctx.room("s")])]);
  return all;
}

/** a sends "news" through a chain of calls; `calls` gets the room namer and the clients. */
const sends = (name, from, calls, args = ["news"]) => ({
  name, run: async ctx => {
    const clients = await four(ctx);
    await clients[0].do(["chain", from, calls(ctx.room.bind(ctx), clients), "emit", "news", ...args]);
    return ctx.transcript();
  },
});
const id = client => client.socket.id;

const membership = [
  { name: "a new socket is in its own room", run: async ctx => {
    const [a] = await people(ctx, "a");
    return ctx.transcript({ results: await a.do(["rooms"], ["in", id(a)], ["in", "x"]) });
  } },
  { name: "join and leave", run: async ctx => {
    const [a] = await people(ctx, "a");
    const [r, s] = [ctx.room("r"), ctx.room("s")];
    const results = await a.do(["join", r], ["rooms"], ["join", s], ["rooms"], ["leave", r], ["rooms"], ["in", r], ["in", s]);
    return ctx.transcript({ results });
  } },
  { name: "join a list", run: async ctx => {
    const [a] = await people(ctx, "a");
    return ctx.transcript({ results: await a.do(["join", [ctx.room("r"), ctx.room("s"), ctx.room("t")]], ["rooms"]) });
  } },
  { name: "join twice, leave once", run: async ctx => {
    const [a] = await people(ctx, "a");
    const r = ctx.room("r");
    return ctx.transcript({ results: await a.do(["join", r], ["join", r], ["rooms"], ["leave", r], ["rooms"]) });
  } },
  { name: "leave a room one is not in", run: async ctx => {
    const [a] = await people(ctx, "a");
    return ctx.transcript({ results: await a.do(["leave", ctx.room("r")], ["rooms"]) });
  } },
  { name: "join one's own id", run: async ctx => {
    const [a] = await people(ctx, "a");
    return ctx.transcript({ results: await a.do(["join", id(a)], ["rooms"]) });
  } },
  { name: "leave one's own id", run: async ctx => {
    const [a, b] = await people(ctx, "a", "b");
    const results = await a.do(["leave", id(a)], ["rooms"]);
    await b.do(["chain", "nsp", [["to", id(a)]], "emit", "news"], ["chain", "nsp", [], "emit", "all"]);
    return ctx.transcript({ results });
  } },
  { name: "join the id of somebody else", run: async ctx => {
    const [a, b, c] = await people(ctx, "a", "b", "c");
    const results = await a.do(["join", id(b)], ["rooms"]);
    await c.do(["chain", "nsp", [["to", id(b)]], "emit", "secret"]);
    return ctx.transcript({ results });
  } },
  { name: "names of all kinds", run: async ctx => {
    const [a, b] = await people(ctx, "a", "b");
    const names = ["with space", "\u00fc\ud83d\ude00", "a/b", "a,b", "__proto__", "constructor", "x".repeat(200)].map(name => ctx.room(name));
    const results = await a.do(["join", names], ["rooms"]);
    for (const name of names) await b.do(["chain", "nsp", [["to", name]], "emit", "news", name]);
    return ctx.transcript({ results });
  } },
  { name: "an empty name", run: async ctx => {
    const [a] = await people(ctx, "a");
    return ctx.transcript({ results: await a.do(["join", ""], ["rooms"]) });
  } },
  { name: "a name of 300 bytes", run: async ctx => {
    const [a] = await people(ctx, "a");
    return ctx.transcript({ results: await a.do(["join", "x".repeat(300)], ["rooms"]) });
  } },
  { name: "a hundred rooms", run: async ctx => {
    const [a, b] = await people(ctx, "a", "b");
    const results = await a.do(["join", Array.from({ length: 100 }, (_, i) => ctx.room(`r${i}`))], ["rooms"]);
    await b.do(["chain", "nsp", [["to", ctx.room("r99")]], "emit", "news"]);
    return ctx.transcript({ results });
  } },
  { name: "two hundred rooms", run: async ctx => {
    const [a] = await people(ctx, "a");
    return ctx.transcript({ results: await a.do(["join", Array.from({ length: 200 }, (_, i) => ctx.room(`r${i}`))], ["rooms"]) });
  } },
  { name: "the same room in two namespaces", run: async ctx => {
    const [a, b] = await people(ctx, "a", "b");
    const other = await b.in("/custom");
    await a.do(["join", ctx.room("r")]);
    await other.do(["join", ctx.room("r")]);
    await b.do(["chain", "nsp", [["to", ctx.room("r")]], "emit", "here"], ["chain", "/custom", [["to", ctx.room("r")]], "emit", "there"]);
    return ctx.transcript();
  } },
  { name: "who left gets nothing more", run: async ctx => {
    const [a, b] = await four(ctx);
    await b.do(["leave", ctx.room("r")]);
    await a.do(["chain", "nsp", [["to", ctx.room("r")]], "emit", "news"]);
    return ctx.transcript();
  } },
  { name: "who disconnected leaves all rooms", run: async ctx => {
    const [a, b] = await four(ctx);
    b.socket.disconnect();
    await ctx.reported("b", "disconnect");
    await a.do(["chain", "nsp", [["to", [ctx.room("r"), ctx.room("s")]]], "emit", "news"]);
    return ctx.transcript();
  } },
  { name: "who comes again is in no room", run: async ctx => {
    const [a, b] = await four(ctx);
    b.socket.disconnect();
    await ctx.reported("b", "disconnect");
    const again = await ctx.stock("b2", { nsp: ctx.own });
    const results = await again.do(["rooms"]);
    await a.do(["chain", "nsp", [["to", ctx.room("r")]], "emit", "news"]);
    return ctx.transcript({ results });
  } },
];

const fromSocket = [
  sends("socket.to a room: not the sender", "socket", room => [["to", room("r")]]),
  sends("socket.to a room one is not in", "socket", room => [["to", room("s")]]),
  sends("socket.in is socket.to", "socket", room => [["in", room("r")]]),
  sends("socket.to two rooms: each once", "socket", room => [["to", room("r")], ["to", room("s")]]),
  sends("socket.to a list", "socket", room => [["to", [room("r"), room("s")]]]),
  sends("socket.to an empty list is to everybody else", "socket", () => [["to", []]]),
  sends("socket.to a room that does not exist", "socket", room => [["to", room("none")]]),
  sends("socket.to somebody's id", "socket", (room, [, , , d]) => [["to", id(d)]]),
  sends("socket.to one's own id", "socket", (room, [a]) => [["to", id(a)]]),
  sends("socket.broadcast", "socket", () => []),
  sends("socket.except a room", "socket", room => [["except", room("s")]]),
  sends("socket.except a list", "socket", room => [["except", [room("r"), room("s")]]]),
  sends("socket.to a room, except another", "socket", room => [["to", room("r")], ["except", room("s")]]),
  sends("socket.except a room, to another", "socket", room => [["except", room("s")], ["to", room("r")]]),
  sends("socket.except somebody's id", "socket", (room, [, b]) => [["except", id(b)]]),
  sends("socket.except a room that does not exist", "socket", room => [["except", room("none")]]),
  sends("socket.local", "socket", () => [["local"]]),
  sends("socket.local to a room", "socket", room => [["local"], ["to", room("s")]]),
  sends("socket.to a room with compress(false)", "socket", room => [["to", room("s")], ["compress", false]]),
  sends("socket.to a room with bytes", "socket", room => [["to", room("s")]], [bytes, { deep: [bytes] }]),
  sends("socket.broadcast with bytes", "socket", () => [], [{ a: bytes }]),
];

const fromNamespace = [
  sends("nsp.emit: everybody", "nsp", () => []),
  sends("nsp.emit with bytes", "nsp", () => [], [bytes]),
  sends("nsp.to a room: the sender too", "nsp", room => [["to", room("r")]]),
  sends("nsp.in is nsp.to", "nsp", room => [["in", room("r")]]),
  sends("nsp.to two rooms: each once", "nsp", room => [["to", room("r")], ["to", room("s")]]),
  sends("nsp.to a list", "nsp", room => [["to", [room("s"), room("r"), room("s")]]]),
  sends("nsp.to a room and an id: each once", "nsp", (room, [a, , , d]) => [["to", room("r")], ["to", id(a)], ["to", id(d)]]),
  sends("nsp.except a room", "nsp", room => [["except", room("r")]]),
  sends("nsp.except two rooms", "nsp", room => [["except", room("r")], ["except", room("s")]]),
  sends("nsp.to a room, except another", "nsp", room => [["to", room("s")], ["except", room("r")]]),
  sends("nsp.to a room, except itself", "nsp", room => [["to", room("s")], ["except", room("s")]]),
  sends("nsp.except an id", "nsp", (room, [a]) => [["except", id(a)]]),
  sends("nsp.to somebody's id", "nsp", (room, [, , c]) => [["to", id(c)]]),
  sends("nsp.to an id that does not exist", "nsp", () => [["to", "abcdefghijklmnopqrst"]]),
  sends("nsp.local", "nsp", () => [["local"]]),
  sends("nsp.compress", "nsp", () => [["compress", true]]),
  sends("nsp.compress, to a room", "nsp", room => [["compress", false], ["to", room("r")]]),
];

const orders = [
  { name: "everybody gets what one sends in order", run: async ctx => {
    const [a, b, c] = await people(ctx, "a", "b", "c");
    const steps = Array.from({ length: 30 }, (_, i) => ["chain", i % 2 ? "nsp" : "socket", [], "emit", "news", i, ...(i % 5 ? [] : [bytes])]);
    await a.do(...steps);
    await Promise.all([b.got("news", 30), c.got("news", 30)]);
    return ctx.transcript();
  } },
  { name: "emit and broadcast keep their order", run: async ctx => {
    const [a] = await people(ctx, "a");
    await a.do(["emit", "one"], ["chain", "nsp", [], "emit", "two"], ["emit", "three"], ["chain", "nsp", [["to", id(a)]], "emit", "four"]);
    return ctx.transcript();
  } },
  { name: "nsp.send is the event message", run: async ctx => {
    const [a] = await four(ctx);
    await a.do(["chain", "nsp", [], "send", "words", { a: 1 }]);
    return ctx.transcript();
  } },
  { name: "a chain does not change what it began with", run: async ctx => {
    const [a] = await four(ctx);
    await a.do(["chain", "nsp", [["to", ctx.room("r")]], "emit", "first"], ["chain", "nsp", [], "emit", "second"]);
    return ctx.transcript();
  } },
  { name: "server.to, server.in and server.except are those of the main namespace", run: async ctx => {
    const [a, b] = [await ctx.stock("a"), await ctx.stock("b")];
    const r = ctx.room("r");
    await a.do(["join", r]);
    await b.do(["join", [r, ctx.room("s")]]);
    await a.do(["chain", "server", [["to", r]], "emit", "to"], ["chain", "server", [["in", r]], "emit", "in"],
      ["chain", "server", [["except", ctx.room("s")], ["to", r]], "emit", "except"]);
    return ctx.transcript();
  } },
  { name: "a room of a client that polls and one that does not", transports: ["-"], run: async ctx => {
    const [a, b] = [await ctx.stock("a", { nsp: ctx.own, transports: ["polling"] }), await ctx.stock("b", { nsp: ctx.own, transports: ["websocket"] })];
    for (const client of [a, b]) await client.do(["join", ctx.room("r")]);
    for (const client of [a, b]) {
      await client.do(["chain", "nsp", [["to", ctx.room("r")]], "emit", "news", "text"], ["chain", "socket", [["to", ctx.room("r")]], "emit", "others", { is: bytes }]);
      await Promise.all([a.got("news", client === a ? 1 : 2), b.got("news", client === a ? 1 : 2)]);
    }
    await Promise.all([a.got("others"), b.got("others")]);
    return ctx.transcript();
  } },
];

/** a makes others join, leave or disconnect; then everybody in the rooms gets news. */
const moves = (name, steps, more = async () => {}) => ({
  name, run: async ctx => {
    const clients = await four(ctx);
    await clients[0].do(...steps(ctx.room.bind(ctx), clients));
    await more(ctx, clients);
    const asked = clients.filter(client => client.socket.connected);
    // What goes to another shard has arrived when its sockets have answered once.
    for (const client of asked) await client.do(["nsp"]);
    const rooms = await Promise.all(asked.map(async client => [client.name, (await client.do(["rooms"]))[0]]));
    return ctx.transcript({ rooms });
  },
});
const gone = (...names) => async (ctx, clients) => {
  for (const client of clients.filter(({ name }) => names.includes(name))) {
    await ctx.reported(client.name, "disconnect");
    await client.disconnected();
  }
};

const utilities = [
  moves("socketsJoin of a room", room => [["chain", "nsp", [["in", room("r")]], "socketsJoin", room("t")]]),
  moves("socketsJoin of everybody", room => [["chain", "nsp", [], "socketsJoin", room("t")]]),
  moves("socketsJoin of a list of rooms", room => [["chain", "nsp", [["in", room("s")]], "socketsJoin", [room("t"), room("u")]]]),
  moves("socketsJoin of an id", (room, [, , , d]) => [["chain", "nsp", [["in", id(d)]], "socketsJoin", room("t")]]),
  moves("socketsJoin of all others", room => [["chain", "socket", [], "socketsJoin", room("t")]]),
  moves("socketsJoin, except a room", room => [["chain", "nsp", [["except", room("r")]], "socketsJoin", room("t")]]),
  moves("socketsLeave of a room", room => [["chain", "nsp", [["in", room("r")]], "socketsLeave", room("r")]]),
  moves("socketsLeave of everybody", room => [["chain", "nsp", [], "socketsLeave", room("s")]]),
  moves("socketsLeave of a list of rooms", room => [["chain", "nsp", [], "socketsLeave", [room("r"), room("s")]]]),
  moves("socketsJoin, then a message to the room", room => [
    ["chain", "nsp", [["in", room("s")]], "socketsJoin", room("t")], ["chain", "nsp", [["to", room("t")]], "emit", "news"]]),
  moves("socketsLeave, then a message to the room", room => [
    ["chain", "nsp", [["in", room("s")]], "socketsLeave", room("r")], ["chain", "nsp", [["to", room("r")]], "emit", "news"]]),
  moves("disconnectSockets of a room", room => [["chain", "nsp", [["in", room("s")]], "disconnectSockets"]], gone("b", "c")),
  moves("disconnectSockets of a room, with their connections", room => [["chain", "nsp", [["in", room("s")]], "disconnectSockets", true]], gone("b", "c")),
  moves("disconnectSockets of an id", (room, [, , , d]) => [["chain", "nsp", [["in", id(d)]], "disconnectSockets"]], gone("d")),
  moves("disconnectSockets of all others", () => [["chain", "socket", [], "disconnectSockets"]], gone("b", "c", "d")),
  moves("disconnectSockets, except a room", room => [["chain", "nsp", [["except", room("r")]], "disconnectSockets"]], gone("c", "d")),
  moves("disconnectSockets of a room that does not exist", room => [["chain", "nsp", [["in", room("none")]], "disconnectSockets"]]),
];

export const rooms = {
  name: "rooms", transports: ["polling", "websocket", "upgrade"], parsers: ["json", "msgpack"],
  behaviours: [...membership, ...fromSocket, ...fromNamespace, ...orders, ...utilities],
};
