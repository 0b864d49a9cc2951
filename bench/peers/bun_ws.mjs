// A plain WebSocket server on Bun, by the pattern of its documentation: topics, and ws.publish().
//
//   bun bun_ws.mjs --mode echo|fanout [--port N]
import { parseArgs } from "node:util";

const { values } = parseArgs({
  args: Bun.argv.slice(2),
  options: { port: { type: "string", default: "0" }, mode: { type: "string", default: "echo" } },
});
const echo = values.mode === "echo";
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(values.port),
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("WebSocket only", { status: 426 })),
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    sendPings: false,
    open: (socket) => {
      if (!echo) socket.subscribe("news");
    },
    message: (socket, data) => {
      if (echo) socket.send(data);
      else socket.publish("news", data);
    },
  },
});
console.log(`listening ${server.port}`);
