// Pings, and what happens to those who do not answer or do not join: everything here runs with short times.
import WebSocket from "ws";
import { begin, joined } from "./polling_session.mjs";

const all = ["polling", "websocket", "upgrade"];
const silent = { answersPings: false };
const isPing = entry => entry === "2";
const pings = client => client.log.filter(isPing).length;

/** Waits for the n-th ping. */
const ping = (client, n) => client.until(() => pings(client) >= n || client.closed, `ping ${n}`);
/** The log without the pings: how many come in a time is nobody's promise. */
async function quiet(ctx, more) {
  const transcript = await ctx.transcript(more);
  for (const name of Object.keys(transcript.clients)) transcript.clients[name] = transcript.clients[name].filter(entry => !isPing(entry));
  return transcript;
}

const behaviours = [
  { name: "the handshake tells the times", transports: ["polling"], run: async ctx => {
    const client = await ctx.raw("a");
    return ctx.transcript({ open: client.open });
  } },
  { name: "pings come as long as they are answered", transports: all, run: async ctx => {
    const client = await ctx.rawIn("a", silent);
    for (let i = 1; i <= 3; ++i) {
      await ping(client, i);
      client.send("3");
    }
    client.send('42["echo",1]');
    await client.got("2[");
    return quiet(ctx);
  } },
  { name: "a ping that is not answered", transports: all, run: async ctx => {
    const client = await ctx.rawIn("a", silent);
    await client.ended();
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } },
  { name: "the second ping is not answered", transports: all, run: async ctx => {
    const client = await ctx.rawIn("a", silent);
    await ping(client, 1);
    client.send("3");
    await client.ended();
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } },
  { name: "a ping that is not answered, two namespaces", transports: all, run: async ctx => {
    const client = await ctx.rawIn("a", silent);
    await client.connect("/custom");
    await client.ended();
    await ctx.watch.until(() => ctx.reports("a").filter(entry => entry[1] === "disconnect").length === 2, "both ends");
    return ctx.transcript();
  } },
  { name: "nobody polls", transports: ["polling"], run: async ctx => {
    const session = await joined(ctx);
    await ctx.reported("a", "disconnect");
    return ctx.transcript({ after: await session.poll() });
  } },
  { name: "a GET brings the ping", transports: ["polling"], run: async ctx => {
    const session = await joined(ctx);
    const first = await session.poll();
    await session.post("3");
    return ctx.transcript({ first, second: await session.poll() });
  } },
  { name: "a GET that waits when the time is over", transports: ["polling"], run: async ctx => {
    const session = await joined(ctx);
    const responses = [await session.poll(), await session.poll(), await session.poll()];
    return ctx.transcript({ responses });
  } },
  { name: "no namespace is joined", transports: all, run: async ctx => {
    const client = await ctx.raw("a");
    await client.ended();
    return quiet(ctx);
  } },
  { name: "no namespace is joined, and nobody polls", transports: ["polling"], run: async ctx => {
    const session = await begin(ctx);
    const responses = [await session.poll(), await session.post("3"), await session.poll(), await session.poll()];
    return ctx.transcript({ responses });
  } },
  { name: "only an unknown namespace is asked for", transports: all, run: async ctx => {
    const client = await ctx.raw("a");
    await client.connect("/random");
    await client.ended();
    return quiet(ctx);
  } },
  { name: "a middleware takes too long", transports: all, run: async ctx => {
    const client = await ctx.raw("a");
    client.send("40/gate,");
    await client.ended();
    return quiet(ctx);
  } },
  { name: "a namespace is left again", transports: all, run: async ctx => {
    const client = await ctx.rawIn("a", silent);
    client.send("41");
    for (let i = 1; i <= 2; ++i) {
      await ping(client, i);
      client.send("3");
    }
    await client.connect("/custom");
    return quiet(ctx);
  } },
  { name: "an upgrade while a ping waits for its answer", transports: ["upgrade"], run: async ctx => {
    const session = await joined(ctx);
    await session.poll();  // the ping
    const socket = new WebSocket(`ws://${ctx.program.address}${ctx.path}/?EIO=4&transport=websocket&sid=${session.sid}`);
    socket.on("error", () => {});
    await new Promise(resolve => socket.on("open", resolve));
    socket.send("2probe");
    await new Promise(resolve => socket.once("message", resolve));
    socket.send("5");
    const closed = new Promise(resolve => socket.on("close", () => resolve("closed")));
    const open = new Promise(resolve => setTimeout(resolve, 1500, "open"));
    const outcome = await Promise.race([closed, open]);
    socket.terminate();
    return ctx.transcript({ outcome });
  } },
  { name: "socket.io-client lives through pings", transports: all, run: async ctx => {
    const client = await ctx.stock("a");
    let count = 0;
    client.manager.engine.on("ping", () => { ++count; });
    await new Promise(resolve => { client.manager.engine.on("heartbeat", () => { if (count >= 2) resolve(); }); });
    await client.do(["emit", "still", "here"]);
    return ctx.transcript();
  } },
];

export const heartbeat = { name: "heartbeat", profile: "short", alone: true, transports: ["polling"], behaviours };
