// The peer that most people run today: Socket.IO on Node, with what is measured and nothing else.
//
//   node socketio_node.mjs [--port N]
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

// require() and not import: it also looks where NODE_PATH says.
const { Server } = createRequire(import.meta.url)("socket.io");

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });

io.on("connection", (socket) => {
  socket.on("echo", (data, ack) => ack(data));
  socket.on("subscribe", (ack) => {
    socket.join("news");
    ack({ success: true });
  });
  socket.on("publish", (data) => {
    socket.to("news").emit("news", data);
  });
});

http.listen({ port: Number(values.port), host: "127.0.0.1", backlog: 4096 }, () => {
  console.log(`listening ${http.address().port}`);
});
