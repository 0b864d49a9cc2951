// The server ends: each behaviour has a server of its own.
import { soon } from "./polling_session.mjs";

const behaviours = [
  { name: "SIGTERM with a client", run: async ctx => {
    await ctx.ownProgram();
    const client = await ctx.stock("a");
    await client.do(["join", ctx.room("r")]);
    await soon();  // a GET waits
    ctx.program.terminate();
    await client.disconnected();
    return { status: await ctx.program.stop(), ...await ctx.transcript() };
  } },
  { name: "SIGTERM with a client in two namespaces", run: async ctx => {
    await ctx.ownProgram();
    const client = await ctx.stock("a");
    await client.in("/custom");
    await soon();  // a GET waits
    ctx.program.terminate();
    await client.disconnected();
    return { status: await ctx.program.stop(), ...await ctx.transcript() };
  } },
  { name: "SIGTERM with a session that joined nothing", run: async ctx => {
    await ctx.ownProgram();
    const client = await ctx.raw("a");
    await soon();  // a GET waits
    ctx.program.terminate();
    await client.ended();
    return { status: await ctx.program.stop() };
  } },
  { name: "SIGTERM while a middleware waits", run: async ctx => {
    await ctx.ownProgram();
    const client = await ctx.raw("a");
    client.send("40/gate,");
    await ctx.reported("a", "gate");
    await soon();  // a GET waits
    ctx.program.terminate();
    await client.ended();
    return { status: await ctx.program.stop() };
  } },
  { name: "SIGTERM without anybody", transports: ["-"], run: async ctx => {
    await ctx.ownProgram();
    await ctx.request("/");  // it has started
    return { status: await ctx.program.stop() };
  } },
];

export const shutdown = { name: "shutdown", transports: ["polling", "websocket", "upgrade"], alone: true, behaviours };
