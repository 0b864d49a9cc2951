// engine.io-client, unmodified, against the engine below Socket.IO: its messages are Socket.IO packets.
const bytes = new Uint8Array([1, 2, 3]);

/** Open, upgraded where the variant wants that, and in "/". */
async function joined(ctx, options) {
  const client = await ctx.engine("a", options);
  if (ctx.variant.transport === "upgrade") await client.has("upgrade");
  client.send("0");
  await client.until(() => client.messages().some(message => `${message}`.startsWith("0{")), "CONNECT");
  return client;
}

const behaviours = [
  { name: "open, and what the handshake says", run: async ctx => {
    const client = await ctx.engine("a");
    if (ctx.variant.transport === "upgrade") await client.has("upgrade");
    return ctx.transcript({ upgrades: client.socket.upgrades });
  } },
  { name: "open, message, close", run: async ctx => {
    const client = await joined(ctx);
    client.send('2["echo",1]');
    await client.got('2["echoed",1]');
    client.close();
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } },
  { name: "messages in order", run: async ctx => {
    const client = await joined(ctx);
    for (let i = 0; i < 40; ++i) client.send(`2["echo",${i}]`);
    await client.got('2["echoed",39]');
    return ctx.transcript();
  } },
  { name: "bytes", run: async ctx => {
    const client = await joined(ctx);
    client.send('51-["echo",{"_placeholder":true,"num":0}]');
    client.send(bytes);
    await client.until(() => client.messages().some(message => message.bytes), "bytes");
    return ctx.transcript();
  } },
  { name: "bytes as base64", run: async ctx => {
    const client = await joined(ctx, { forceBase64: true });
    client.send('51-["echo",{"_placeholder":true,"num":0}]');
    client.send(bytes);
    await client.until(() => client.messages().some(message => message.bytes), "bytes");
    return ctx.transcript();
  } },
  { name: "bytes to a client that wants base64", run: async ctx => {
    const client = await joined(ctx, { forceBase64: true });
    client.send('2["do",["emit","has",1]]');
    await client.got('2["has",1]');
    return ctx.transcript();
  } },
  { name: "messages around the upgrade keep their order", transports: ["upgrade"], run: async ctx => {
    const client = await ctx.engine("a");
    client.send("0");
    await client.until(() => client.messages().some(message => `${message}`.startsWith("0{")), "CONNECT");
    for (let i = 0; i < 200; ++i) {
      client.send(`2["echo",${i}]`);
      if (i % 10 === 0) await new Promise(resolve => setTimeout(resolve, 5));
    }
    await client.got('2["echoed",199]');
    return ctx.transcript({ messages: client.messages().slice(1), log: null, upgraded: client.socket.transport.name })
      .then(transcript => ({ ...transcript, clients: null }));
  } },
  { name: "the server's messages around the upgrade keep their order", transports: ["upgrade"], run: async ctx => {
    const client = await ctx.engine("a");
    client.send("0");
    await client.until(() => client.messages().some(message => `${message}`.startsWith("0{")), "CONNECT");
    for (let i = 0; i < 20; ++i) {
      client.send('2["do",["repeat",10,"tick"]]');
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    await client.until(() => client.messages().length === 201, "all");
    return ctx.transcript({ messages: client.messages().slice(1) }).then(transcript => ({ ...transcript, clients: null }));
  } },
  { name: "large messages", run: async ctx => {
    const client = await joined(ctx);
    const text = JSON.stringify("x".repeat(200_000));
    client.send(`2["echo",${text}]`);
    await client.until(() => client.messages().some(message => message === `2["echoed",${text}]`), "the echo");
    return ctx.transcript();
  } },
  { name: "several large messages go in several bodies", run: async ctx => {
    const client = await joined(ctx);
    const text = JSON.stringify("x".repeat(400_000));
    for (const i of [1, 2, 3, 4]) client.send(`2["reply",${i},${text}]`);
    client.send('2["echo","behind"]');
    await client.got('2["echoed","behind"]');
    return ctx.transcript();
  } },
  { name: "the server closes", run: async ctx => {
    const client = await joined(ctx);
    client.send('2["do",["disconnect",true]]');
    await client.has("close");
    return ctx.transcript();
  } },
  { name: "a malformed message", run: async ctx => {
    const client = await joined(ctx);
    client.send("9");
    await client.has("close");
    return ctx.transcript();
  } },
  { name: "upgrade is not wanted", transports: ["upgrade"], run: async ctx => {
    const client = await ctx.engine("a", { upgrade: false });
    client.send("0");
    await client.until(() => client.messages().length === 1, "CONNECT");
    return ctx.transcript({ transport: client.socket.transport.name });
  } },
  { name: "timestamps in the query", run: async ctx => {
    const client = await joined(ctx, { timestampRequests: true, timestampParam: "ts" });
    client.send('2["echo",1]');
    await client.got('2["echoed",1]');
    return ctx.transcript();
  } },
  { name: "another path", transports: ["polling", "websocket"], run: async ctx => {
    const client = ctx.engineLater("a", { path: "/other/" });
    await client.has("close");
    return ctx.transcript();
  } },
  { name: "a subprotocol", transports: ["websocket"], run: async ctx => {
    const client = ctx.engineLater("a", { protocols: ["chat"] });
    await client.until(() => client.log.some(([kind]) => kind === "open" || kind === "close"), "an outcome");
    return ctx.transcript();
  } },
  { name: "a client that asks for polling where only WebSocket is allowed", profile: "websocket", transports: ["polling"], run: async ctx => {
    const client = ctx.engineLater("a");
    await client.has("close");
    return ctx.transcript();
  } },
  { name: "a client that tries WebSocket where only polling is allowed", profile: "polling", transports: ["websocket", "upgrade"], run: async ctx => {
    const client = ctx.engineLater("a");
    await client.until(() => client.log.some(([kind]) => kind === "open" || kind === "close"), "an outcome");
    return ctx.transcript();
  } },
  { name: "a message that is too large", profile: "options", run: async ctx => {
    const client = await joined(ctx);
    client.send(`2["echo","${"x".repeat(3000)}"]`);
    await client.has("close");
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } },
  { name: "compression", profile: "websocket", transports: ["websocket"], run: async ctx => {
    const client = await joined(ctx, { perMessageDeflate: { threshold: 100 } });
    const text = JSON.stringify("abc".repeat(2000));
    for (const i of [1, 2]) {
      client.send(`2["echo",${i},${text}]`);
      await client.got(`2["echoed",${i},${text}]`);
    }
    return ctx.transcript();
  } },
];

export const engineClient = { name: "engine.io-client", transports: ["polling", "websocket", "upgrade"], behaviours };
