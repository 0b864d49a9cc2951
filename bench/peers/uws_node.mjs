// A plain WebSocket server on uWebSockets, by the pattern that its authors publish: topics, and ws.publish().
//
//   node uws_node.mjs --mode echo|fanout [--port N]
import { parseArgs } from "node:util";
import { load, listen } from "./uws.mjs";

const { values } = parseArgs({
  options: { port: { type: "string", default: "0" }, mode: { type: "string", default: "echo" } },
});
const uws = load();
const app = uws.App();
const echo = values.mode === "echo";

app.ws("/*", {
  compression: uws.DISABLED,
  maxPayloadLength: 1024 * 1024,
  // The sender of many messages in one turn must not be what is measured as a slow consumer.
  maxBackpressure: 16 * 1024 * 1024,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  open: (socket) => {
    if (!echo) socket.subscribe("news");
  },
  message: (socket, data, isBinary) => {
    if (echo) socket.send(data, isBinary);
    else socket.publish("news", data, isBinary);
  },
});
listen(uws, app, Number(values.port));
