// socket.io-client: events both ways, what they carry, and in which order they come.
const bytes = Buffer.from([0, 1, 2, 127, 128, 255]);
// The transcript's own question is heard by onAny, too.
function withoutSync(transcript) {
  transcript.reports.a = transcript.reports.a.filter(entry => entry[3] !== "sync");
  return transcript;
}

/** The server sends back what the client sent. */
const echoes = (name, ...args) => ({
  name: `echo: ${name}`, run: async ctx => {
    const client = await ctx.stock("a");
    client.emit("echo", ...args);
    await client.got("echoed");
    return ctx.transcript();
  },
});

const values = [
  echoes("nothing"),
  echoes("text", "hello"),
  echoes("empty text", ""),
  echoes("text of all kinds", "\u0000\u0001\n\r\t\"\\/\u00e9\u2028\u2029\ufeff\ud83d\ude00"),
  echoes("text that looks like a packet", '451-["x",{"_placeholder":true,"num":0}]', "\x1e4", "b64"),
  echoes("integers", 0, 1, -1, 255, 256, 65536, -2147483648, 4294967296, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  echoes("fractions", 0.5, -0.1, 1e21, 1e-7, Number.MAX_VALUE, Number.MIN_VALUE),
  echoes("minus zero", -0),
  echoes("numbers that JSON lacks", NaN, Infinity, -Infinity),
  echoes("truth and null", true, false, null),
  echoes("undefined", undefined, 1),
  echoes("a date", new Date(1700000000123)),
  echoes("empty collections", [], {}, [[]], { a: {} }),
  echoes("nested collections", { list: [1, [2, { three: [3] }]], "": "empty", "with space": 1, 5: "five" }),
  echoes("members that are undefined", { a: undefined, b: [undefined], c: 1 }),
  echoes("twenty arguments", ...Array.from({ length: 20 }, (_, i) => i)),
  echoes("an object with toJSON", { toJSON: () => ({ replaced: true }) }),
  echoes("an object that looks like a placeholder", { _placeholder: true, num: 0 }),
  echoes("100 KB of text", "x".repeat(100_000)),
  echoes("300 KB of text of several bytes", "\u20ac".repeat(100_000)),
  echoes("bytes", bytes),
  echoes("no bytes", Buffer.alloc(0)),
  echoes("bytes among others", "before", bytes, { after: 1 }),
  echoes("bytes of three kinds", bytes, new Uint8Array([1, 2]), new Uint8Array([3, 4]).buffer),
  echoes("bytes deep inside", { a: [{ b: bytes }, bytes], c: bytes }),
  echoes("ten times bytes", ...Array(10).fill(bytes)),
  echoes("the same bytes twice", [bytes, bytes]),
  echoes("bytes and what looks like a placeholder", bytes, { _placeholder: false, num: 0 }),
  echoes("200 KB of bytes", Buffer.alloc(200_000, 7)),
];

const names = ["a b", "\u00fcn\u00efc\u00f6de", "constructor", "toString", "hasOwnProperty", "__proto__", "error", "message", "open", "close", "1", "n".repeat(128)]
  .map(name => ({
    name: `an event named ${name.slice(0, 16)}`, run: async ctx => {
      const client = await ctx.stock("a");
      await client.do(["on", name]);
      client.emit(name, 1);
      await client.do(["emit", name, 2]);
      return ctx.transcript();
    },
  }));

const orders = [
  { name: "a hundred events come in order", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["repeat", 100, "tick"]);
    return ctx.transcript();
  } },
  { name: "fifty events go in order", run: async ctx => {
    const client = await ctx.stock("a");
    for (let i = 0; i < 50; ++i) client.emit("echo", i);
    await client.got("echoed", 50);
    return ctx.transcript();
  } },
  { name: "events with and without bytes keep their order", run: async ctx => {
    const client = await ctx.stock("a");
    for (let i = 0; i < 12; ++i) client.emit("echo", i, ...(i % 3 === 0 ? [Buffer.from([i])] : i % 3 === 1 ? [{ deep: [Buffer.from([i])] }] : []));
    await client.got("echoed", 12);
    return ctx.transcript();
  } },
  { name: "what is sent in the connection handler comes behind CONNECT", run: async ctx => {
    const client = await ctx.stock("a", { query: { greet: "hello" } });
    await client.got("greeting");
    return ctx.transcript();
  } },
  { name: "what was emitted before the connection goes when it stands", run: async ctx => {
    const client = ctx.stockLater("a");
    client.emit("echo", "early");
    client.emit("echo", bytes);
    await client.connect();
    client.emit("echo", "late");
    await client.got("echoed", 3);
    return ctx.transcript();
  } },
  { name: "an answer stands behind what was sent before it", run: async ctx => {
    const client = await ctx.stock("a");
    const results = await client.do(["emit", "one"], ["emit", "two", 2], ["rooms"]);
    return ctx.transcript({ results });
  } },
  { name: "both sides send at once", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["repeat", 20, "tick"]);
    for (let i = 0; i < 20; ++i) client.emit("echo", i);
    await client.got("tick", 20);
    await client.got("echoed", 20);
    return ctx.transcript();
  } },
];

const flags = [
  { name: "send is the event message", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["on", "message"], ["send", "from the server"]);
    client.socket.send("from the client", { a: 1 });
    return ctx.transcript();
  } },
  { name: "emit without arguments", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["emit", "bare"]);
    return ctx.transcript();
  } },
  { name: "volatile while the client can be written to", transports: ["websocket", "upgrade"], run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["volatile", "perhaps", 1, bytes]);
    return ctx.transcript();
  } },
  { name: "volatile of the client", transports: ["websocket", "upgrade"], run: async ctx => {
    const client = await ctx.stock("a");
    client.socket.volatile.emit("echo", "perhaps");
    return ctx.transcript({ connected: client.socket.connected });
  } },
  { name: "compress on and off", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["compress", true, "large", "x".repeat(3000)], ["compress", false, "large", "y".repeat(3000)]);
    return ctx.transcript();
  } },
  { name: "an event that nobody handles", run: async ctx => {
    const client = await ctx.stock("a");
    client.emit("nobody", 1, bytes);
    await client.do(["emit", "alive"]);
    return ctx.transcript();
  } },
];

const listeners = [
  { name: "on hears every event, once hears one", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["on", "x"], ["once", "x"]);
    for (const i of [1, 2, 3]) client.emit("x", i);
    return ctx.transcript();
  } },
  { name: "two listeners of one event", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["on", "x"], ["on", "x"]);
    client.emit("x", "twice");
    return ctx.transcript();
  } },
  { name: "off ends it", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["on", "x"], ["once", "x"], ["on", "y"]);
    await client.do(["off", "x"]);
    client.emit("x", 1);
    client.emit("y", 2);
    return ctx.transcript();
  } },
  { name: "off of what nobody listens to", run: async ctx => {
    const client = await ctx.stock("a");
    const results = await client.do(["off", "x"], ["rooms"]);
    return ctx.transcript({ results });
  } },
  { name: "onAny hears everything, in the order of adding", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["onAny", "first"], ["onAny", "second"], ["on", "x"]);
    client.emit("x", 1);
    await ctx.reported("a", "on");
    client.emit("nobody", 2, "b");
    await ctx.watch.until(() => ctx.reports("a").filter(entry => entry[1] === "any").length === 4, "both reports");
    await client.ask("reply", 3);
    await client.do(["emit", "behind"]);
    return withoutSync(await ctx.transcript());
  } },
  { name: "a listener of one socket hears no other's events", run: async ctx => {
    const [a, b] = [await ctx.stock("a"), await ctx.stock("b")];
    await a.do(["on", "x"]);
    b.emit("x", "b");
    a.emit("x", "a");
    return ctx.transcript();
  } },
  { name: "a listener hears bytes", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["on", "x"]);
    client.emit("x", bytes, { deep: [bytes] });
    return ctx.transcript();
  } },
];

export const events = {
  name: "events", transports: ["polling", "websocket", "upgrade"], parsers: ["json", "msgpack"],
  behaviours: [...values, ...names, ...orders, ...flags, ...listeners],
};
