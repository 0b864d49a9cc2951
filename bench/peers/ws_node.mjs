// A plain WebSocket server on Node's `ws`: the floor's modes, in JavaScript.
//
//   node ws_node.mjs --mode echo|fanout [--port N]
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

// require() and not import: it also looks where NODE_PATH says.
const { WebSocketServer } = createRequire(import.meta.url)("ws");

const { values } = parseArgs({
  options: { port: { type: "string", default: "0" }, mode: { type: "string", default: "echo" } },
});
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });

server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    if (values.mode === "echo") {
      socket.send(data, { binary: isBinary });
      return;
    }
    for (const other of server.clients) {
      if (other !== socket) other.send(data, { binary: isBinary });
    }
  });
});

http.listen({ port: Number(values.port), host: "127.0.0.1", backlog: 4096 }, () => {
  console.log(`listening ${http.address().port}`);
});
