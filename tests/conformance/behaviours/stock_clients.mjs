// socket.io-client and engine.io-client, unmodified, with a log of everything they tell.
import { createRequire } from "node:module";
import { Socket as EngineSocket } from "engine.io-client";
import { Manager } from "socket.io-client";
import { Watch } from "./watch.mjs";

const require = createRequire(import.meta.url);
const transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
const parsers = { json: undefined, msgpack: require("socket.io-msgpack-parser") };

/** Arguments as a transcript shows them: bytes as text, functions by their kind. */
export function plain(value) {
  if (typeof value === "function") return "<ack>";
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return { bytes: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return { date: value.toISOString() };
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, plain(of)]));
  return value === undefined ? "<undefined>" : value;
}

export class StockClient {
  log = [];
  watch = new Watch();
  #ctx;

  constructor(ctx, name, { nsp = "/", auth, manager, quiet = [], query = {}, ...options } = {}) {
    this.#ctx = ctx;
    this.name = name;
    this.nsp = nsp;
    this.manager = manager ?? new Manager(`http://${ctx.program.address}`, {
      path: ctx.path + "/", transports: transports[ctx.variant.transport], parser: parsers[ctx.variant.parser],
      query: { tag: ctx.tag(name), ...query }, reconnection: false, forceNew: true, autoConnect: false, ...options,
    });
    this.socket = this.manager.socket(nsp, { auth });
    this.socket.on("connect", () => {
      ctx.name(this.socket.id, `<${name}${nsp === "/" ? "" : " " + nsp}>`);
      ctx.name(this.manager.engine.id, `<sid ${name}>`);
      this.note(["connect"]);
    });
    this.socket.on("connect_error", error => this.note(["connect_error", error.message, plain(error.data ?? null)]));
    this.socket.on("disconnect", reason => this.note(["disconnect", reason]));
    this.socket.onAny((event, ...args) => { if (!quiet.includes(event)) this.note(["event", event, ...plain(args)]); });
  }

  note(entry) {
    this.log.push(entry);
    this.watch.changed();
  }

  /** Connects; resolves when it was let in (and has upgraded, where the variant wants that) or refused. */
  async connect() {
    const before = this.log.length;
    this.socket.connect();
    await this.until(() => this.log.slice(before).some(([kind]) => kind === "connect" || kind === "connect_error"), "an answer to CONNECT");
    if (this.#ctx.variant.transport === "upgrade" && this.socket.connected) await this.upgraded();
    return this;
  }
  async upgraded() {
    const engine = this.manager.engine;
    if (engine.transport.name === "websocket") return;
    await new Promise(resolve => engine.on("upgrade", resolve));
  }

  /** The same connection in another namespace. */
  in(nsp, auth) {
    const other = this.#ctx.keep(new StockClient(this.#ctx, this.name, { nsp, auth, manager: this.manager }));
    return other.connect();
  }

  emit(event, ...args) { this.socket.emit(event, ...args); }
  ask(event, ...args) { return this.socket.timeout(4000).emitWithAck(event, ...args); }
  /** Has the server do something: lists of an operation and its arguments. Resolves to the results. */
  do(...steps) { return this.ask("do", ...steps); }
  tell(...steps) { this.emit("do", ...steps); }
  /** Answers the server's event with what the function returns. */
  answer(event, make) {
    this.socket.on(event, (...args) => {
      const ack = args.pop();
      ack(...make(...args));
    });
  }

  until(condition, what, milliseconds) {
    return this.watch.until(condition, () => `${this.name}: ${what}; it has ${JSON.stringify(this.log)}`, milliseconds);
  }
  /** Waits for the event; resolves to its arguments. */
  async got(event, count = 1) {
    const events = () => this.log.filter(entry => entry[0] === "event" && entry[1] === event);
    await this.until(() => events().length >= count, `${count} × "${event}"`);
    return events()[count - 1].slice(2);
  }
  disconnected() { return this.until(() => this.log.some(([kind]) => kind === "disconnect"), "the disconnect"); }

  /** Closes the engine when nothing is on its way: else the client waits for that, and drops what is emitted meanwhile. */
  async closeEngine() {
    const { engine } = this.manager;
    if (engine.writeBuffer.length > 0) await new Promise(resolve => engine.once("drain", resolve));
    engine.close();
  }

  async barrier() {
    if (!this.socket.connected) return;
    // A connection that ends instead is settled, too.
    await this.socket.timeout(4000).emitWithAck("sync").catch(error => { if (this.socket.connected) throw error; });
  }
  close() {
    this.manager.reconnection(false);
    this.manager.engine?.transport?.ws?.terminate?.();
    this.manager._close();
  }
}

/** engine.io-client against the Socket.IO server: messages are Socket.IO packets. */
export class EngineClient {
  log = [];
  watch = new Watch();
  #ctx;

  constructor(ctx, name, { query = {}, ...options } = {}) {
    this.#ctx = ctx;
    this.name = name;
    this.socket = new EngineSocket(`http://${ctx.program.address}`, {
      path: ctx.path + "/", transports: transports[ctx.variant.transport], query: { tag: ctx.tag(name), ...query }, ...options,
    });
    this.socket.binaryType = "arraybuffer";
    const note = entry => {
      this.log.push(entry);
      this.watch.changed();
    };
    this.socket.on("open", () => {
      ctx.name(this.socket.id, `<sid ${name}>`);
      note(["open", this.socket.transport.name]);
    });
    this.socket.on("handshake", data => note(["handshake", data]));
    this.socket.on("message", data => {
      const sid = typeof data === "string" && /^0.*"sid":"([^"]+)"/.exec(data);
      if (sid) ctx.name(sid[1], `<${name}>`);
      note(["message", plain(data)]);
    });
    this.socket.on("upgrade", transport => note(["upgrade", transport.name]));
    this.socket.on("ping", () => note(["ping"]));
    this.socket.on("error", error => note(["error", error.message ?? error]));
    this.socket.on("close", reason => note(["close", reason]));
  }

  messages() { return this.log.filter(([kind]) => kind === "message").map(([, data]) => data); }
  send(data) { this.socket.send(data); }
  until(condition, what, milliseconds) {
    return this.watch.until(condition, () => `${this.name}: ${what}; it has ${JSON.stringify(this.log)}`, milliseconds);
  }
  async opened() {
    await this.until(() => this.log.some(([kind]) => kind === "open"), "open");
    return this;
  }
  got(message) { return this.until(() => this.messages().includes(message), message); }
  has(kind) { return this.until(() => this.log.some(entry => entry[0] === kind), kind); }
  async barrier() {}
  close() { this.socket.close(); }
}
