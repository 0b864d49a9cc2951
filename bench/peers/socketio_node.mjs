// The peer that most people run today: Socket.IO on Node, with what is measured and nothing else; its engine on
// `ws`, or on uWebSockets.
//
//   node socketio_node.mjs [--engine ws|uws] [--port N]
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { answer } from "./socketio_handlers.mjs";
import { load, listen } from "./uws.mjs";

// require() and not import: it also looks where NODE_PATH says.
const { Server } = createRequire(import.meta.url)("socket.io");

const { values } = parseArgs({
  options: { port: { type: "string", default: "0" }, engine: { type: "string", default: "ws" } },
});
const options = { perMessageDeflate: false, serveClient: false };

if (values.engine === "uws") {
  const uws = load();
  const app = uws.App();
  const io = new Server(options);
  io.attachApp(app);
  answer(io);
  listen(uws, app, Number(values.port));
} else {
  const http = createServer();
  answer(new Server(http, options));
  http.listen({ port: Number(values.port), host: "127.0.0.1", backlog: 4096 }, () => {
    console.log(`listening ${http.address().port}`);
  });
}
