// What a client may ask for: ["operation", ...arguments]. operations.h has the same ones, but for those that Wirehall
// does not offer (`onlyHere`): behaviours that need one say so (`needs`).

/** Writes a line; what is written is what the runner hears. */
export const write = (...words) => process.stdout.write(words.join(" ") + "\n");
// Bytes as wirehall::Value writes them.
const writable = (key, value) =>
  value?.type === "Buffer" ? { $binary: Buffer.from(value.data).toString("base64") } : value;
export const reportAs = (tag, nsp, ...entry) => write("report", JSON.stringify([tag, nsp, ...entry], writable));
export const tagOf = socket => socket.handshake.query.tag ?? "";
export const report = (socket, ...entry) => reportAs(tagOf(socket), socket.nsp.name, ...entry);
export const dataOnly = args => args.filter(arg => typeof arg !== "function");
// One's own room first: ids are another each time.
export const roomsOf = socket =>
  [...socket.rooms].sort((a, b) => (b === socket.id) - (a === socket.id) || (a < b ? -1 : 1));
const byText = (a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

export function makeOperations(io) {
  // ["to", room | rooms], ["in", …], ["except", …], ["compress", on], ["volatile"], ["local"], ["timeout", ms] one
  // after another, beginning with the socket, its namespace, the server or another namespace.
  function chosen(socket, from, calls) {
    let target = from === "socket" ? socket : from === "nsp" ? socket.nsp : from === "server" ? io : io.of(from);
    if (from === "socket" && calls.length === 0) target = socket.broadcast;
    for (const [call, ...args] of calls) target = typeof target[call] === "function" ? target[call](...args) : target[call];
    return target;
  }
  // The operator: a member of a socket itself would be about that socket.
  const operator = (socket, from, calls) => chosen(socket, from, calls);
  const found = (socket, from, calls) => operator(socket, from, calls).fetchSockets();
  const said = call => {
    try {
      return call();
    } catch (error) {
      return error.message;
    }
  };
  const anyListener = (socket, kind, label) => (event, ...args) => report(socket, kind, label, event, dataOnly(args));

  const plain = {
    emit: (socket, event, ...args) => void socket.emit(event, ...args),
    send: (socket, ...args) => void socket.send(...args),
    volatile: (socket, event, ...args) => void socket.volatile.emit(event, ...args),
    compress: (socket, on, event, ...args) => void socket.compress(on).emit(event, ...args),
    repeat: (socket, times, event, ...args) => { for (let i = 0; i < times; ++i) socket.emit(event, i, ...args); },
    large: (socket, bytes, event) => void socket.emit(event, "x".repeat(bytes)),
    join: (socket, rooms) => void socket.join(rooms),
    leave: (socket, room) => void socket.leave(room),
    rooms: roomsOf,
    in: (socket, room) => socket.rooms.has(room),
    id: socket => socket.id,
    nsp: socket => socket.nsp.name,
    connected: socket => socket.connected,
    recovered: socket => socket.recovered,
    transport: socket => socket.conn.transport.name,
    session: socket => socket.conn.id,
    revision: socket => socket.conn.protocol,
    setData: (socket, value) => { socket.data = value; },
    data: socket => socket.data,
    auth: socket => socket.handshake.auth,
    url: socket => socket.handshake.url,
    address: socket => socket.handshake.address,
    secure: socket => socket.handshake.secure,
    xdomain: socket => socket.handshake.xdomain,
    issued: socket => Math.abs(Date.now() - socket.handshake.issued) < 60_000,
    query: (socket, name) => socket.handshake.query[name] ?? null,
    header: (socket, name) => socket.handshake.headers[name] ?? null,
    disconnect: (socket, close) => void socket.disconnect(close ?? false),
    on: (socket, event) => void socket.on(event, (...args) => report(socket, "on", event, dataOnly(args))),
    once: (socket, event) => void socket.once(event, (...args) => report(socket, "once", event, dataOnly(args))),
    off: (socket, event) => void socket.removeAllListeners(event),
    onAny: (socket, label) => void socket.onAny(anyListener(socket, "any", label)),
    prependAny: (socket, label) => void socket.prependAny(anyListener(socket, "any", label)),
    offAny: socket => void socket.offAny(),
    onAnyOutgoing: (socket, label) => void socket.onAnyOutgoing(anyListener(socket, "outgoing", label)),
    prependAnyOutgoing: (socket, label) => void socket.prependAnyOutgoing(anyListener(socket, "outgoing", label)),
    offAnyOutgoing: socket => void socket.offAnyOutgoing(),
    use: (socket, label, refused) => void socket.use(([event, ...args], next) => {
      report(socket, "packet", label, event, dataOnly(args));
      next(event === refused ? new Error(`${label} refuses ${event}`) : undefined);
    }),
    rewrite: (socket, event, ...args) => void socket.use((packet, next) => {
      if (packet[0] === event) packet.splice(1, packet.length - 1, ...args, ...packet.filter(arg => typeof arg === "function"));
      next();
    }),
    emitReserved: (socket, event) => said(() => socket.emit(event, 1)),
    broadcastReserved: (socket, event) => said(() => socket.nsp.emit(event, 1)),
    chain: (socket, from, calls, verb, ...args) => void chosen(socket, from, calls)[verb](...args),
  };

  // What the client answers, or why it did not.
  const waiting = {
    ask: (socket, event, ...args) =>
      new Promise(resolve => socket.emit(event, ...args, (...answers) => resolve({ answers }))),
    askWithin: (socket, milliseconds, event, ...args) => new Promise(resolve =>
      socket.timeout(milliseconds).emit(event, ...args, (error, ...answers) =>
        resolve(error ? { error: "timeout" } : { answers }))),
    // Whether it ever settles is told in a report: whoever asks may be gone by then.
    askAndReport: async (socket, milliseconds, event) => {
      const tell = (...args) => report(socket, "asked", milliseconds > 0 && args[0] ? "timeout" : args.slice(milliseconds > 0 ? 1 : 0));
      (milliseconds > 0 ? socket.timeout(milliseconds) : socket).emit(event, tell);
    },
    // Answers of many: in no order.
    askAll: (socket, from, calls, milliseconds, event, ...args) => {
      const target = from === "socket" && calls.length === 0 ? socket.broadcast : chosen(socket, from, calls);
      return target.timeout(milliseconds).emitWithAck(event, ...args).then(
        answers => ({ answers: answers.sort(byText) }),
        error => ({ error: error.message, answers: (error.responses ?? []).sort(byText) }));
    },
    fetchSockets: async (socket, from, calls) => (await found(socket, from, calls))
      .map(({ id, rooms, data }) => ({ id, rooms: [...rooms].filter(room => room !== id).sort(), data })).sort((a, b) => byText(a.data, b.data)),
    withFetched: async (socket, from, calls, member, ...args) => {
      for (const each of await found(socket, from, calls)) each[member](...args);
    },
    askFetched: async (socket, from, calls, milliseconds, event, ...args) => (await Promise.all((await found(socket, from, calls)).map(
      each => each.timeout(milliseconds).emitWithAck(event, ...args).catch(() => "timeout")))).sort(byText),
  };

  const kept = new WeakMap();  // socket -> label -> listener
  const listener = (socket, kind, label) => {
    if (!kept.has(socket)) kept.set(socket, new Map());
    const labels = kept.get(socket);
    if (!labels.has(kind + label)) labels.set(kind + label, anyListener(socket, kind, label));
    return labels.get(kind + label);
  };
  const onlyHere = {
    onAnyKept: (socket, label) => void socket.onAny(listener(socket, "any", label)),
    offAnyOne: (socket, label) => void socket.offAny(listener(socket, "any", label)),
    listenersAny: socket => socket.listenersAny().length,
    onAnyOutgoingKept: (socket, label) => void socket.onAnyOutgoing(listener(socket, "outgoing", label)),
    offAnyOutgoingOne: (socket, label) => void socket.offAnyOutgoing(listener(socket, "outgoing", label)),
    listenersAnyOutgoing: socket => socket.listenersAnyOutgoing().length,
    closeEngine: socket => void socket.conn.close(),
    time: socket => Math.abs(Date.parse(socket.handshake.time) - Date.now()) < 60_000,
    reportErrors: socket => void socket.on("error", error => report(socket, "error", error.message ?? error)),
    namespaces: (socket, like) => [...io._nsps.keys()].filter(name => name.startsWith(like)).sort(),
  };
  return { plain: { ...plain, ...onlyHere }, waiting };
}

/** Runs steps one after another. Those that need no waiting run at once, so that what they send precedes `done`. */
export function runSteps({ plain, waiting }, socket, steps, done) {
  const now = ([name, ...args]) => (plain[name] ? plain[name](socket, ...args) : `no operation ${name}`) ?? null;
  if (!steps.some(([name]) => waiting[name])) return done(steps.map(now));
  (async () => {
    const results = [];
    for (const step of steps) {
      const [name, ...args] = step;
      results.push(waiting[name] ? (await waiting[name](socket, ...args)) ?? null : now(step));
    }
    done(results);
  })();
}
