// What the engine's and the server's options change: CORS, cookie, sizes, path, transports, the client's files.
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { joined } from "./polling_session.mjs";
import { RawClient } from "./raw_client.mjs";
import { exchange, shown } from "./wire.mjs";

const asked = (name, profile, options, path = ctx => `${ctx.path}/?EIO=4&transport=polling`) => ({
  name, profile, run: async ctx => {
    const response = await ctx.request(path(ctx), options);
    const sid = /"sid":"([\w-]+)/.exec(response.body?.toString() ?? "");
    if (sid) ctx.name(sid[1], "<sid>");
    return ctx.transcript({ response: shown(response) });
  },
});
const from = origin => ({ headers: { origin } });
const preflight = (origin, headers = {}) =>
  ({ method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", ...headers } });

const cors = [
  asked("CORS: an origin of the list", "options", from("http://one.example")),
  asked("CORS: another origin of the list", "options", from("http://two.example")),
  asked("CORS: an origin that is not in the list", "options", from("http://three.example")),
  asked("CORS: an origin with another port", "options", from("http://one.example:81")),
  asked("CORS: the origin null", "options", from("null")),
  asked("CORS: no origin", "options", {}),
  asked("CORS: a preflight of the list", "options", preflight("http://one.example")),
  asked("CORS: a preflight that asks for headers", "options", preflight("http://one.example", { "access-control-request-headers": "content-type,x-more" })),
  asked("CORS: a preflight that is not in the list", "options", preflight("http://three.example")),
  asked("CORS: a refused handshake of the list", "options", from("http://one.example"), ctx => `${ctx.path}/?EIO=4&transport=tcp`),
  asked("CORS: everybody", "fixed", from("http://three.example")),
  asked("CORS: everybody, a preflight", "fixed", preflight("http://three.example", { "access-control-request-headers": "content-type" })),
  asked("CORS: everybody, no origin", "fixed", {}),
  { name: "CORS: a GET and a POST of a session", profile: "options", run: async ctx => {
    const session = await joined(ctx);
    const post = await session.post('42["echo",1]', from("http://one.example"));
    return ctx.transcript({ post, get: await session.poll(from("http://one.example")) });
  } },
];

const cookies = [
  { name: "the cookie comes with the handshake alone", profile: "options", run: async ctx => {
    const handshake = await ctx.request(`${ctx.path}/?EIO=4&transport=polling`);
    const { sid } = JSON.parse(handshake.body.toString().slice(1));
    ctx.name(sid, "<sid>");
    const path = `${ctx.path}/?EIO=4&transport=polling&sid=${sid}`;
    const post = await ctx.request(path, { method: "POST", body: "40" });
    const get = await ctx.request(path);
    return ctx.transcript({ handshake: handshake.headers, post: post.headers, get: get.headers });
  } },
  { name: "a WebSocket gets no cookie", profile: "options", run: async ctx => {
    const tcp = ctx.tcp();
    await tcp.upgrade(`${ctx.path}/?EIO=4&transport=websocket`);
    return ctx.transcript({ cookie: tcp.head.headers["set-cookie"] ?? null });
  } },
];

// 42["echo","…"] of so many bytes.
const event = bytes => `42["echo","${"x".repeat(bytes - 12)}"]`;
const sizes = [
  { name: "the handshake tells the largest size", profile: "options", run: async ctx => {
    const client = await ctx.raw("a", { transport: "polling" });
    return ctx.transcript({ open: client.open });
  } },
  ...[2000, 2001].map(size => ({ name: `a POST of ${size} bytes where 2000 are allowed`, profile: "options", run: async ctx => {
    const session = await joined(ctx);
    const { status } = await session.post(event(size));
    return ctx.transcript({ status, rest: await session.rest() });
  } })),
  { name: "a POST in chunks of more than is allowed", profile: "options", run: async ctx => {
    const session = await joined(ctx);
    const { status, failed } = await session.postChunks([event(1500), "x".repeat(1000)]);
    return ctx.transcript({ status: status ?? failed, rest: await session.rest() });
  } },
  ...[2000, 2001].map(size => ({ name: `a WebSocket message of ${size} bytes where 2000 are allowed`, profile: "options", run: async ctx => {
    const client = await ctx.keep(new RawClient(ctx, "a", { transport: "websocket" })).begin();
    await client.connect();
    client.send(event(size));
    await client.until(() => client.closed || client.log.length === 2, "an answer");
    if (client.closed) await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } })),
];

const ways = [
  asked("transports: polling where only WebSocket is allowed", "websocket", {}),
  asked("transports: polling where only polling is allowed", "polling", {}),
  asked("transports: websocket without an upgrade where only polling is allowed", "polling", {}, ctx => `${ctx.path}/?EIO=4&transport=websocket`),
  asked("allowUpgrades: nothing is offered", "fixed", {}),
  { name: "transports: an upgrade where only polling is allowed", profile: "polling", run: async ctx => {
    const session = await joined(ctx);
    const tcp = ctx.tcp();
    await tcp.upgrade(`${ctx.path}/?EIO=4&transport=websocket&sid=${session.sid}`);
    return ctx.transcript({ status: tcp.head.status, rest: await session.rest() });
  } },
  { name: "transports: a WebSocket where only polling is allowed", profile: "polling", run: async ctx => {
    const tcp = ctx.tcp();
    await tcp.upgrade(`${ctx.path}/?EIO=4&transport=websocket`);
    return ctx.transcript({ status: tcp.head.status });
  } },
  { name: "transports: a WebSocket where only WebSocket is allowed", profile: "websocket", run: async ctx => {
    const client = await ctx.keep(new RawClient(ctx, "a", { transport: "websocket" })).begin();
    await client.connect();
    client.send('42["echo",1]');
    await client.got("2");
    return ctx.transcript({ open: client.open });
  } },
  asked("path: the default path where another is set", "options", {}, () => "/socket.io/?EIO=4&transport=polling"),
  asked("path: more behind it", "options", {}, ctx => `${ctx.path}/more?EIO=4&transport=tcp`),
  asked("path: only its beginning", "options", {}, ctx => `${ctx.path}more/?EIO=4&transport=polling`),
].map(behaviour => /path: (the default|only)/.test(behaviour.name) ? { ...behaviour, run: statusAlone(behaviour.run) } : behaviour);

// What others answer is the HTTP server's affair.
function statusAlone(run) {
  return async ctx => ({ status: (await run(ctx)).response.status });
}

const compressed = (name, encoding, bytes, step = ["large", bytes, "big"]) => ({
  name, run: async ctx => {
    const session = await joined(ctx);
    await session.post(`42${JSON.stringify(["do", step])}`);
    const response = await exchange({ port: ctx.program.port, path: session.path(), headers: encoding ? { "accept-encoding": encoding } : {} });
    return ctx.transcript({ status: response.status, headers: response.headers });
  },
});
const compression = [
  compressed("httpCompression: a large body for gzip", "gzip", 3000),
  compressed("httpCompression: a large body for deflate", "deflate", 3000),
  compressed("httpCompression: a large body for both", "deflate, gzip", 3000),
  compressed("httpCompression: a large body for brotli alone", "br", 3000),
  compressed("httpCompression: a large body for nobody", null, 3000),
  compressed("httpCompression: a small body for gzip", "gzip", 500),
  compressed("httpCompression: compress(false)", "gzip", 3000, ["compress", false, "big", "x".repeat(3000)]),
];

const digest = bytes => createHash("sha256").update(bytes).digest("hex");
const file = (name, path, options = {}, profile = "main") => ({
  name, profile, run: async ctx => {
    const { status, headers, body: sent } = await ctx.request(path, options);
    const body = headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
    return ctx.transcript({ status, headers, bytes: body.length, digest: digest(body) });
  },
});
const files = [
  ...["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js", "socket.io.js.map", "socket.io.min.js.map",
    "socket.io.esm.min.js.map", "socket.io.msgpack.min.js.map"].map(name => file(`client: ${name}`, `/socket.io/${name}`)),
  file("client: with a query", "/socket.io/socket.io.min.js?v=1"),
  file("client: for gzip", "/socket.io/socket.io.min.js", { headers: { "accept-encoding": "gzip" } }),
  file("client: an unknown file", "/socket.io/socket.io.other.js"),
  file("client: not served", "/opts/socket.io.js", {}, "options"),
  file("client: with CORS", "/socket.io/socket.io.min.js", from("http://three.example"), "fixed"),
  { name: "client: a tag that is known", run: async ctx => {
    const path = "/socket.io/socket.io.min.js";
    const etag = await new Promise(resolve => fetch(`http://${ctx.program.address}${path}`).then(async response => {
      await response.arrayBuffer();
      resolve(response.headers.get("etag"));
    }));
    const asks = await Promise.all([etag, `W/${etag}`, '"other"'].map(tag => ctx.request(path, { headers: { "if-none-match": tag } })));
    return ctx.transcript({ hasTag: etag !== null, statuses: asks.map(({ status }) => status), bodies: asks.map(({ body }) => body.length) });
  } },
];

export const options = {
  name: "options", transports: ["-"], behaviours: [...cors, ...cookies, ...sizes, ...ways, ...compression, ...files],
};
