// A client made of bytes: Engine.IO over polling, WebSocket, or the one and then the other; Socket.IO packets are
// what a behaviour writes down.
import http from "node:http";
import WebSocket from "ws";
import { exchange, packetsOf, payloadOf } from "./wire.mjs";
import { Watch } from "./watch.mjs";

const firstBarrier = 900_000;

export class RawClient {
  log = [];
  watch = new Watch();
  closed = false;
  open = null;  // what the open packet said
  #ctx;
  #options;
  #acks = 0;
  #serverAcks = new Map();
  #barriers = firstBarrier;
  #passed = 0;
  #posts = Promise.resolve();
  #polling = null;  // the agent, while this client polls
  #poll = null;     // the request that waits
  #stopPolling = false;
  #socket = null;

  constructor(ctx, name, options = {}) {
    this.#ctx = ctx;
    this.name = name;
    this.#options = { transport: ctx.variant.transport, answersPings: true, ...options };
  }

  get transport() { return this.#socket ? "websocket" : "polling"; }
  path(transport, sid) {
    const { query = "", path = this.#ctx.path } = this.#options;
    return `${path}/?EIO=4&transport=${transport}${sid ? `&sid=${sid}` : `&tag=${this.#ctx.tag(this.name)}`}${query}`;
  }

  // -- Engine.IO ---------------------------------------------------------------------------------

  /** Opens the session in the variant's way. */
  async begin() {
    if (this.#options.transport === "websocket") {
      this.#socket = this.#connect(this.path("websocket"));
      await this.until(() => this.open || this.closed, "the open packet");
    } else {
      await this.#handshake();
      if (this.#options.transport === "upgrade") await this.upgrade();
    }
    return this;
  }

  async #handshake() {
    this.#polling = new http.Agent({ keepAlive: true });
    const response = await this.#request("GET", this.path("polling"));
    for (const packet of packetsOf(response.body.toString())) this.#receive(packet);
    this.#pollOn();
  }

  /** Moves to WebSocket as the stock client does: probe, wait for the poll, "5". */
  async upgrade() {
    const socket = this.#connect(this.path("websocket", this.open.sid));
    await new Promise(resolve => socket.on("open", resolve));
    socket.send("2probe");
    await this.until(() => this.probed, "the probe's answer");
    this.#stopPolling = true;
    await this.until(() => this.#poll === null, "the end of the poll");
    await this.#posts;
    socket.send("5");
    this.#socket = socket;
    this.#polling.destroy();
    this.#polling = null;
  }

  #connect(path) {
    const socket = new WebSocket(`ws://${this.#ctx.program.address}${path}`, { perMessageDeflate: false, headers: this.#options.headers });
    socket.on("message", (data, binary) => {
      if (!binary && data.toString() === "3probe") this.probed = true;
      else return this.#receive(binary ? data : data.toString());
      this.watch.changed();
    });
    socket.on("close", code => this.#ended(["closed", code]));
    socket.on("error", () => {});
    return socket;
  }

  #request(method, path, body, onRequest) {
    return exchange({ port: this.#ctx.program.port, agent: this.#polling, method, path, body, headers: this.#options.headers, onRequest });
  }

  async #pollOn() {
    while (!this.closed && !this.#stopPolling) {
      const response = await this.#request("GET", this.path("polling", this.open.sid), undefined, request => { this.#poll = request; });
      this.#poll = null;
      if (response.status !== 200) return this.#ended(["closed"]);
      for (const packet of packetsOf(response.body.toString())) this.#receive(packet);
      this.watch.changed();
    }
  }

  #receive(packet) {
    if (this.closed) return;
    if (Buffer.isBuffer(packet)) return this.#note({ bytes: packet.toString("hex") });
    if (packet === "2" && this.#options.answersPings) return this.send("3");
    if (packet === "6") return;
    if (packet === "1" && !this.#socket) return this.#ended(["closed"]);
    if (packet[0] === "0" && !this.open) {
      this.open = JSON.parse(packet.slice(1));
      this.#ctx.name(this.open.sid, `<sid ${this.name}>`);
      return this.watch.changed();
    }
    if (packet[0] !== "4") return this.#note(packet);
    this.#message(packet.slice(1));
  }

  #ended(entry) {
    if (this.closed) return;
    this.closed = true;
    this.#note(entry);
  }
  #note(entry) {
    this.log.push(entry);
    this.watch.changed();
  }

  /** Sends engine packets, several in one body where the client polls: text, or a buffer for a binary message. */
  send(...packets) {
    if (this.#socket) {
      for (const packet of packets) if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(packet);
      return;
    }
    this.#posts = this.#posts.then(() => this.closed ? null : this.#request("POST", this.path("polling", this.open.sid), payloadOf(packets)));
  }

  /** Leaves without a word. */
  close() {
    this.#stopPolling = true;
    this.closed = true;
    this.#socket?.terminate();
    this.#poll?.destroy();
    this.#polling?.destroy();
  }
  /** Leaves as WebSocket has it. */
  closeSocket(code, reason) { this.#socket.close(code, reason); }

  until(condition, what, milliseconds) {
    return this.watch.until(condition, () => `${this.name}: ${what}; it has ${JSON.stringify(this.log)}`, milliseconds);
  }

  // -- Socket.IO ---------------------------------------------------------------------------------

  #message(text) {
    const match = /^(\d)(\d+-)?(\/[^,]*,?)?(\d+)?(.*)$/s.exec(text);
    if (!match) return this.#note(text);
    let [, type, attachments = "", nsp = "", id = "", json] = match;
    if (type === "4" && /^\/nowhere-/.test(nsp)) {
      this.#passed = Number(/\d+/.exec(nsp)[0]);
      return this.watch.changed();
    }
    if ((type === "2" || type === "5") && id !== "") id = this.#serverAck(id);
    if (type === "0" && json) this.#named(nsp, json);
    this.#note(type + attachments + nsp + id + canonical(json));
  }
  // Which numbers a server gives is its own affair, as long as they differ.
  #serverAck(id) {
    if (![...this.#serverAcks.values()].includes(id)) this.#serverAcks.set(`#${this.#serverAcks.size}`, id);
    return [...this.#serverAcks].find(([, known]) => known === id)[0];
  }
  #named(nsp, json) {
    const { sid, pid } = JSON.parse(json);
    const at = nsp ? " " + nsp.replace(",", "") : "";
    if (sid) this.#ctx.name(sid, `<${this.name}${at}>`);
    if (pid) this.#ctx.name(pid, `<pid ${this.name}${at}>`);
  }

  /** Joins a namespace; resolves when it was let in or refused. */
  async connect(nsp = "/", auth) {
    const where = nsp === "/" ? "" : `${nsp},`;
    this.send(`40${where}${auth === undefined ? "" : JSON.stringify(auth)}`);
    const answer = new RegExp(`^[04]${where}(?![^{])`);
    const before = this.log.length;
    await this.until(() => this.closed || this.log.slice(before).some(entry => answer.test(entry)), `an answer to CONNECT ${nsp}`);
    return this;
  }

  /** Emits, and resolves to the arguments of the answer. */
  async ask(nsp, event, ...args) {
    const id = this.#acks++;
    const where = nsp === "/" ? "" : `${nsp},`;
    this.send(`42${where}${id}${JSON.stringify([event, ...args])}`);
    const head = `3${where}${id}[`;
    const answer = await this.until(() => this.closed ? "closed" : this.log.find(entry => typeof entry === "string" && entry.startsWith(head)), `an answer to ${event}`);
    return answer === "closed" ? null : JSON.parse(answer.slice(head.length - 1));
  }
  /** Has the server do something: lists of an operation and its arguments. */
  async do(...steps) { return (await this.ask("/", "do", ...steps))?.[0]; }
  async doIn(nsp, ...steps) { return (await this.ask(nsp, "do", ...steps))?.[0]; }
  tell(...steps) { this.send(`42${JSON.stringify(["do", ...steps])}`); }

  /** Answers the n-th event that asks for it. */
  answer(n, ...args) { this.send(`43${this.#serverAcks.get(`#${n}`)}${JSON.stringify(args)}`); }
  serverAck(n) { return this.#serverAcks.get(`#${n}`); }

  /** Waits for a packet that begins so. */
  got(beginning) {
    return this.until(() => this.log.find(entry => typeof entry === "string" && entry.startsWith(beginning)), beginning);
  }
  ended() { return this.until(() => this.closed, "the end"); }

  /** Everything that was sent before has been seen, and the answers are here; or the session has ended. */
  async barrier() {
    if (this.closed || !this.open) return;
    const mark = ++this.#barriers;
    this.send(`40/nowhere-${mark}`);
    await this.until(() => this.closed || this.#passed >= mark, "the barrier");
  }
}

// JSON as JavaScript reads it: how a number or a character was written does not matter, what it is does.
const exact = (key, value) => Object.is(value, -0) ? "<-0>" : value === Infinity ? "<Infinity>" : value;
function canonical(json) {
  if (json === "") return "";
  try {
    return JSON.stringify(JSON.parse(json), exact);
  } catch {
    return `not JSON: ${json}`;
  }
}
