// What a behaviour gets: clients of one program, names of its own, and the transcript of what was seen.
import { EngineClient, StockClient, plain } from "./stock_clients.mjs";
import { RawClient } from "./raw_client.mjs";
import { RawSocket, exchange, shown } from "./wire.mjs";
import { Watch } from "./watch.mjs";

let runs = 0;

export class Context {
  program;
  variant;  // {transport, parser, profile}
  watch = new Watch();
  #run = `~${++runs}~`;
  #clients = [];
  #names = new Map();    // what differs between runs -> what the transcript shows
  #reports = new Map();  // client -> entries
  #namespaces = [];
  #ownProgram = null;

  constructor(program, variant) {
    this.program = program;
    this.variant = variant;
    this.name(`${this.#run}`, "");
    this.name(program.address, "<address>");
  }

  /** From here on, a program that nobody else talks to. */
  async ownProgram() {
    this.program = this.#ownProgram = await this.program.again();
    this.name(this.program.address, "<address>");
  }

  // -- names -------------------------------------------------------------------------------------

  get path() { return this.variant.profile === "options" ? "/opts" : "/socket.io"; }
  /** A room that no other behaviour uses. */
  room(name) { return this.#run + name; }
  /** A namespace that no other behaviour uses. */
  get own() {
    if (this.#namespaces.length === 0) {
      this.#namespaces.push(this.program.takeNamespace());
      this.name(this.#namespaces[0], "/own");
    }
    return this.#namespaces[0];
  }
  name(what, shown) { this.#names.set(what, shown); }
  tag(client) {
    const tag = this.#run + client;
    if (!this.#reports.has(client)) {
      this.#reports.set(client, []);
      this.program.listen(tag, entry => {
        this.#reports.get(client).push(entry);
        this.watch.changed();
      });
    }
    return tag;
  }

  // -- clients -----------------------------------------------------------------------------------

  keep(client) {
    this.#clients.push(client);
    return client;
  }
  /** A client of bytes with its session open. */
  raw(name, options) { return this.keep(new RawClient(this, name, options)).begin(); }
  /** …that has joined "/". */
  async rawIn(name, options) { return (await this.raw(name, options)).connect(options?.nsp ?? "/"); }
  /** socket.io-client, connected (or refused). */
  stock(name, options) { return this.keep(new StockClient(this, name, options)).connect(); }
  stockLater(name, options) { return this.keep(new StockClient(this, name, options)); }
  /** engine.io-client, open. */
  engine(name, options) { return this.keep(new EngineClient(this, name, options)).opened(); }
  engineLater(name, options) { return this.keep(new EngineClient(this, name, options)); }
  /** One HTTP request. */
  request(path, options = {}) { return exchange({ port: this.program.port, path, ...options }); }
  async shown(path, options) { return shown(await this.request(path, options)); }
  /** A TCP connection. */
  tcp() { return this.keep(new RawSocket(this.program.port)); }

  // -- reports -----------------------------------------------------------------------------------

  /** What the server told about a client, and waiting for such an entry. */
  reports(client) { return this.#reports.get(client) ?? []; }
  reported(client, kind) {
    return this.watch.until(() => this.reports(client).find(entry => entry[1] === kind),
      () => `a report "${kind}" of ${client}; there are ${JSON.stringify(this.reports(client))}`);
  }

  // -- the end -----------------------------------------------------------------------------------

  /** Waits until everything is settled; then all logs and reports, with `more`, as plain comparable data. */
  async transcript(more = {}) {
    for (let round = 0; round < 2; ++round) for (const client of this.#clients) await client.barrier?.();
    await this.program.mark();
    const clients = {};
    for (const client of this.#clients) {
      if (client.name) clients[client.name + (client.nsp && client.nsp !== "/" ? " " + client.nsp : "")] = client.log;
    }
    return this.#normal({ ...more, clients, reports: Object.fromEntries(this.#reports) });
  }
  #normal(value) {
    let text = JSON.stringify(plain(value));
    const names = [...this.#names].filter(([what]) => what).sort(([a], [b]) => b.length - a.length);
    for (const [what, shown] of names) text = text.replaceAll(what, shown);
    return JSON.parse(text.replaceAll(/([?&])t=[\w-]+/g, "$1t=<t>"));
  }

  async close() {
    for (const client of this.#clients) client.close();
    const gone = () => [...this.#reports.values()].every(entries =>
      entries.filter(entry => entry[1] === "connect").length === entries.filter(entry => entry[1] === "disconnect").length);
    if (this.#namespaces.length > 0) {
      // Others may have it when nobody is left in it.
      const empty = await this.watch.until(gone, "the end of all", 1500).then(() => true, () => false);
      if (empty) for (const name of this.#namespaces) this.program.returnNamespace(name);
    }
    for (const client of this.#reports.keys()) this.program.forget(this.#run + client);
    await this.#ownProgram?.stop();
  }
}
