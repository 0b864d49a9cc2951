// socket.io-client: several namespaces over one connection.
const namespaces = [
  { name: "two namespaces over one connection", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in("/custom");
    const results = [await main.do(["nsp"], ["rooms"]), await other.do(["nsp"], ["rooms"])];
    return ctx.transcript({ results, different: main.socket.id !== other.socket.id, one: main.manager === other.manager });
  } },
  { name: "one namespace, and not the main one", run: async ctx => {
    const other = await ctx.stock("a", { nsp: "/custom" });
    other.emit("echo", 1);
    await other.got("echoed");
    return ctx.transcript();
  } },
  { name: "an unknown namespace", run: async ctx => {
    const client = await ctx.stock("a", { nsp: "/random" });
    return ctx.transcript({ connected: client.socket.connected, active: client.socket.active });
  } },
  { name: "an unknown namespace beside one that is known", run: async ctx => {
    const main = await ctx.stock("a");
    const unknown = await main.in("/random", { some: "auth" });
    main.emit("echo", 1);
    await main.got("echoed");
    return ctx.transcript({ connected: unknown.socket.connected });
  } },
  { name: "events stay in their namespace", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in("/custom");
    await main.do(["on", "x"]);
    await other.do(["on", "x"]);
    main.emit("x", "main");
    other.emit("x", "other");
    await main.do(["emit", "to", "main"]);
    await other.do(["emit", "to", "other", Buffer.from([1])]);
    return ctx.transcript();
  } },
  { name: "bytes in a namespace", run: async ctx => {
    const other = await ctx.stock("a", { nsp: "/custom" });
    other.emit("echo", Buffer.from([1, 2]), { deep: [Buffer.from([3])] });
    await other.got("echoed");
    return ctx.transcript();
  } },
  { name: "the client leaves one namespace", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in("/custom");
    other.socket.disconnect();
    await ctx.reported("a", "disconnect");
    main.emit("echo", "still here");
    await main.got("echoed");
    return ctx.transcript();
  } },
  { name: "the client leaves the main namespace", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in("/custom");
    main.socket.disconnect();
    await ctx.reported("a", "disconnect");
    other.emit("echo", "still here");
    await other.got("echoed");
    return ctx.transcript();
  } },
  { name: "the client leaves a namespace and comes back", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in("/custom");
    const before = other.socket.id;
    await other.do(["join", ctx.room("r")]);
    other.socket.disconnect();
    await ctx.reported("a", "disconnect");
    await other.connect();
    const results = await other.do(["rooms"]);
    return ctx.transcript({ results, another: before !== other.socket.id });
  } },
  { name: "the server disconnects one namespace", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in("/custom");
    other.tell(["disconnect", false]);
    await other.disconnected();
    main.emit("echo", "still here");
    await main.got("echoed");
    return ctx.transcript();
  } },
  { name: "the server closes the connection from one namespace", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in("/custom");
    other.tell(["disconnect", true]);
    await Promise.all([main.disconnected(), other.disconnected()]);
    await ctx.watch.until(() => ctx.reports("a").filter(entry => entry[1] === "disconnect").length === 2, "both ends");
    return ctx.transcript();
  } },
  { name: "the connection goes, and both namespaces with it", run: async ctx => {
    const main = await ctx.stock("a");
    await main.in("/custom");
    await main.closeEngine();
    await ctx.watch.until(() => ctx.reports("a").filter(entry => entry[1] === "disconnect").length === 2, "both ends");
    return ctx.transcript();
  } },
  { name: "each namespace has its own auth", run: async ctx => {
    const main = await ctx.stock("a", { auth: { in: "main" } });
    const other = await main.in("/custom", { in: "other", deep: { list: [1, null] } });
    return ctx.transcript({ results: [await main.do(["auth"]), await other.do(["auth"])] });
  } },
  { name: "auth from a function", run: async ctx => {
    const client = await ctx.stock("a", { auth: callback => callback({ token: "made" }) });
    return ctx.transcript({ results: await client.do(["auth"]) });
  } },
  { name: "without auth", run: async ctx => {
    const client = await ctx.stock("a");
    return ctx.transcript({ results: await client.do(["auth"]) });
  } },
  { name: "auth with bytes of text", run: async ctx => {
    const client = await ctx.stock("a", { auth: { text: "\u00fc\u2028\ud83d\ude00", empty: "", zero: 0, no: false, nothing: null } });
    return ctx.transcript({ results: await client.do(["auth"]) });
  } },
  { name: "the handshake is that of the connection", run: async ctx => {
    const main = await ctx.stock("a", { query: { user: "x y" } });
    const other = await main.in("/custom");
    const asked = [["query", "user"], ["address"], ["secure"], ["issued"], ["transport"]];
    return ctx.transcript({ results: [await main.do(...asked), await other.do(...asked)] });
  } },
  { name: "one namespace sends to another", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in(ctx.own);
    await main.do(["chain", ctx.own, [], "emit", "hello", "from main"], ["chain", ctx.own, [["to", other.socket.id]], "emit", "hello", "by id"]);
    return ctx.transcript();
  } },
  { name: "data is apart", run: async ctx => {
    const main = await ctx.stock("a");
    const other = await main.in("/custom");
    await main.do(["setData", { of: "main" }]);
    await other.do(["setData", { of: "other" }]);
    return ctx.transcript({ results: [await main.do(["data"]), await other.do(["data"])] });
  } },
  { name: "ten namespaces", run: async ctx => {
    const first = await ctx.stock("a", { nsp: "/many-0" });
    const others = [];
    for (let i = 1; i < 10; ++i) others.push(await first.in(`/many-${i}`));
    const answers = await Promise.all([first, ...others].map((client, i) => client.ask("reply", i)));
    return ctx.transcript({ answers });
  } },
  { name: "twenty namespaces", run: async ctx => {
    const first = await ctx.stock("a", { nsp: "/many-0" });
    for (let i = 1; i < 20; ++i) await first.in(`/many-${i}`);
    return ctx.transcript();
  } },
];

export const namespacesGroup = {
  name: "namespaces", transports: ["polling", "websocket", "upgrade"], parsers: ["json", "msgpack"], behaviours: namespaces,
};
