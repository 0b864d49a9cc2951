// The program of the behaviours on npm socket.io. server.cc is the same program on Wirehall: whoever changes one
// changes the other. README.md says what it offers.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Server } from "socket.io";
import { dataOnly, makeOperations, report, reportAs, roomsOf, runSteps, tagOf, write } from "./reference_operations.mjs";

const require = createRequire(import.meta.url);

const profiles = {
  main: {},
  short: { pingInterval: 300, pingTimeout: 200, connectTimeout: 400, upgradeTimeout: 300 },
  options: {
    path: "/opts",
    cors: { origin: ["http://one.example", "http://two.example"], credentials: true },
    cookie: true,
    maxHttpBufferSize: 2000,
    serveClient: false,
  },
  websocket: { transports: ["websocket"], perMessageDeflate: { threshold: 1024 } },
  polling: { transports: ["polling"] },
  fixed: { allowUpgrades: false, cors: { origin: "*" } },
  msgpack: { parser: require("socket.io-msgpack-parser") },
  recovery: { connectionStateRecovery: { maxDisconnectionDuration: 60_000, skipMiddlewares: false } },
  eio3: { allowEIO3: true },
  dynamic: { cleanupEmptyChildNamespaces: true },
  hooks: {
    initialPacket: "hello",
    addTrailingSlash: false,
    httpCompression: false,
    allowRequest: (request, decide) => decide(request._query.deny, !request._query.deny),
  },
};
const ownNamespaces = 64;
const manyNamespaces = 20;

// -- the events that every namespace handles ------------------------------------------------------

function serve(socket) {
  const held = [];
  report(socket, "connect", roomsOf(socket));
  socket.on("disconnecting", reason => report(socket, "disconnecting", reason, roomsOf(socket)));
  socket.on("disconnect", reason => report(socket, "disconnect", reason, roomsOf(socket)));
  socket.on("do", (...args) => {
    const done = typeof args.at(-1) === "function" ? args.pop() : () => {};
    runSteps(operations, socket, args, done);
  });
  socket.on("echo", (...args) => socket.emit("echoed", ...dataOnly(args)));
  socket.on("reply", (...args) => { if (typeof args.at(-1) === "function") args.at(-1)(...args.slice(0, -1)); });
  socket.on("reply-twice", (...args) => { args.at(-1)("first"); args.at(-1)("second"); });
  socket.on("hold", (...args) => { if (typeof args.at(-1) === "function") held.push(args.at(-1)); });
  socket.on("release", (...args) => { for (const ack of held.splice(0)) ack(...dataOnly(args)); });
  socket.on("gate", decision => openGate(tagOf(socket), decision));
  socket.on("sync", ack => ack());
  if (socket.handshake.query.greet) socket.emit("greeting", socket.handshake.query.greet, socket.connected);
}

// Of rooms that want it: ["room", what, room, id].
function watchRooms(nsp) {
  for (const what of ["create-room", "join-room", "leave-room", "delete-room"]) {
    nsp.adapter.on(what, (room, id) => { if (room.includes("watched")) reportAs(nsp.name, nsp.name, "room", what, room, id ?? null); });
  }
}

// -- middlewares ----------------------------------------------------------------------------------

const refuse = (message, data) => Object.assign(new Error(message), data === undefined ? {} : { data });

// /auth does what the payload says.
function obeyPayload(socket, next) {
  const auth = socket.handshake.auth;
  report(socket, "middleware", auth, socket.connected);
  for (const room of auth.join ?? []) socket.join(room);
  if (auth.data !== undefined) socket.data = auth.data;
  if (auth.emit !== undefined) socket.emit("early", auth.emit);
  next(auth.refuse === undefined ? undefined : refuse(auth.refuse, auth.refuseData));
}

// /gate lets in, or not, when an event "gate" of the same connection says so.
const gates = new Map();
function gate(socket, next) {
  report(socket, "gate");
  gates.set(tagOf(socket), decision => next(decision === "open" ? undefined : refuse(decision)));
}
function openGate(tag, decision) {
  const pass = gates.get(tag);
  gates.delete(tag);
  pass?.(decision);
}

function registerMiddlewares() {
  io.of("/auth").use(obeyPayload);
  io.of("/gate").use(gate);
  for (const label of ["first", "second", "third"]) {
    io.of("/chain").use((socket, next) => {
      report(socket, "middleware", label);
      next(socket.handshake.auth.refuseIn === label ? refuse(`${label} says no`) : undefined);
    });
  }
}

// -- namespaces that are made for who asks, and hooks of the engine --------------------------------

function registerDynamic() {
  const byPattern = io.of(/^\/dynamic-[\w~-]+$/);
  byPattern.use((socket, next) => next(socket.handshake.auth.refuse ? refuse(socket.handshake.auth.refuse) : undefined));
  byPattern.on("connection", serve);
  io.of((name, auth, next) => next(null, name.startsWith("/asked-") && auth.token === "good")).on("connection", serve);
  io.on("new_namespace", nsp => reportAs(nsp.name, nsp.name, "new_namespace"));
}
function registerHooks() {
  io.engine.on("initial_headers", headers => { headers["x-initial"] = "yes"; });
  io.engine.on("headers", headers => { headers["x-every"] = "yes"; });
}
function reportRefusedConnections() {
  io.engine.on("connection_error", ({ req, code, message, context }) => {
    const tag = req._query?.errors;
    if (tag) reportAs(tag, "engine", "connection_error", code, message, context?.name ?? null);
  });
}

// -- life -----------------------------------------------------------------------------------------

const profile = process.argv[2] ?? "main";
const httpServer = createServer((request, response) => response.writeHead(404).end());
const io = new Server(httpServer, profiles[profile]);
const operations = makeOperations(io);
registerMiddlewares();
for (const name of ["/", "/custom", "/auth", "/gate", "/chain"]) io.of(name).on("connection", serve);
for (let i = 0; i < ownNamespaces; ++i) watchRooms(io.of(`/own-${i}`).on("connection", serve));
for (let i = 0; i < manyNamespaces; ++i) io.of(`/many-${i}`).on("connection", serve);
if (profile === "dynamic") registerDynamic();
if (profile === "hooks") registerHooks();
reportRefusedConnections();

const offered = [...Object.keys(operations.plain), ...Object.keys(operations.waiting), "roomEvents", "connectionErrors", "newNamespaces"];
httpServer.listen(0, "127.0.0.1", () => write("listening", httpServer.address().port, offered.join(",")));
// "mark <word>" comes back behind everything that was reported before; the end of the input is the end.
const input = createInterface({ input: process.stdin }).on("line", line => write(line)).on("close", end);
process.once("SIGTERM", () => input.close());
async function end() {
  await io.close();
  setTimeout(() => process.exit(0), 30);  // the last responses go out
}
