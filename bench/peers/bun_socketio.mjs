// Socket.IO on Bun, with the engine that its authors made for it.
//
//   bun bun_socketio.mjs [--port N]
import { parseArgs } from "node:util";
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { answer } from "./socketio_handlers.mjs";

const { values } = parseArgs({ args: Bun.argv.slice(2), options: { port: { type: "string", default: "0" } } });
const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);
answer(io);
const server = Bun.serve({ ...engine.handler(), hostname: "127.0.0.1", port: Number(values.port) });
console.log(`listening ${server.port}`);
