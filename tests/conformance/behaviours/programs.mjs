// Starts the two programs and listens to what they report.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../support/server.mjs";
import { Watch } from "./watch.mjs";

const here = path.join(root, "tests/conformance/behaviours");
const build = process.env.WIREHALL_BUILD ?? path.join(root, "build/release");
const binary = process.env.BEHAVIOUR_SERVER ?? path.join(build, "behaviour_server");
const threads = process.env.BEHAVIOUR_THREADS ?? "2";
const stockClient = path.join(root, "node_modules/socket.io/client-dist");
const unknownProfile = 3;

/** Node's program, and ours: null where it does not know the profile. */
export const startReference = profile => Program.start("Node", profile, [process.execPath, path.join(here, "reference.mjs"), profile]);
export const startWirehall = profile => Program.start("Wirehall", profile, [binary, profile, threads, stockClient]);

class Program {
  static async start(name, profile, command) {
    const program = new Program(name, spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "pipe"] }));
    program.again = () => Program.start(name, profile, command);
    return (await program.#listening()) ? program : null;
  }

  name;
  port = 0;
  operations = new Set();
  errors = "";
  #child;
  #watch = new Watch();
  #listeners = new Map();  // tag -> function
  #terminated = false;
  #marks = 0;
  #marked = 0;
  #freeNamespaces = Array.from({ length: 64 }, (_, i) => `/own-${i}`);

  constructor(name, child) {
    this.name = name;
    this.#child = child;
    child.stderr.on("data", data => { this.errors += data; });
    child.on("error", error => { this.errors += error.message; });
    child.stdin.on("error", () => {});  // it has ended
    child.on("close", () => this.#watch.changed());
    createInterface({ input: child.stdout }).on("line", line => this.#line(line));
  }

  get ended() { return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined; }
  get address() { return `127.0.0.1:${this.port}`; }

  async #listening() {
    await this.#watch.until(() => this.port !== 0 || this.ended, `start of ${this.name}: ${this.errors}`, 20000);
    if (this.port !== 0) return true;
    if (this.#child.exitCode === unknownProfile) return false;
    throw new Error(`${this.name} ended with ${this.#child.exitCode}: ${this.errors}`);
  }

  #line(line) {
    const [word, rest] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
    if (word === "listening") {
      const [port, operations] = rest.split(" ");
      this.port = Number(port);
      this.operations = new Set(operations.split(","));
    } else if (word === "mark") {
      this.#marked = Number(rest);
    } else if (word === "report") {
      const [tag, ...entry] = JSON.parse(rest);
      this.#listeners.get(tag)?.(entry);
    }
    this.#watch.changed();
  }

  /** Calls the listener with every report of the tag. */
  listen(tag, listener) { this.#listeners.set(tag, listener); }
  forget(tag) { this.#listeners.delete(tag); }

  /** Resolves when everything that was reported until now has been heard. */
  async mark() {
    if (this.ended) return;
    const mark = ++this.#marks;
    this.#child.stdin.write(`mark ${mark}\n`);
    await this.#watch.until(() => this.#marked >= mark || this.ended, "the mark");
  }

  /** A namespace that nobody else uses meanwhile. */
  takeNamespace() {
    const name = this.#freeNamespaces.shift();
    if (!name) throw new Error("no free namespace is left");
    return name;
  }
  returnNamespace(name) { this.#freeNamespaces.push(name); }

  /** Tells it to end. Once: a second signal ends it at once. */
  terminate() {
    if (!this.#terminated) this.#child.kill("SIGTERM");
    this.#terminated = true;
  }

  /** Ends it in order; resolves to its exit status, or to null when it had to be killed. */
  async stop() {
    if (!this.ended) {
      const killing = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
      this.terminate();
      await once(this.#child, "close");  // its last report has been read
      clearTimeout(killing);
    }
    return this.#child.exitCode;
  }
}
