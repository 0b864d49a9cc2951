// Drives `wirehall connect` as a script does: commands in, lines of JSON out.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { root } from "./server.mjs";

const build = process.env.WIREHALL_BUILD ?? path.join(root, "build/release");

export class Connect {
  static start(...args) { return new Connect(args); }

  constructor(args, env = {}) {
    this.child = spawn(path.join(build, "wirehall"), ["connect", ...args], { env: { ...process.env, ...env } });
    this.lines = [];
    this.errors = "";
    this.waiting = [];
    let rest = "";
    this.child.stdout.on("data", data => {
      const parts = (rest + data).split("\n");
      rest = parts.pop();
      for (const part of parts) this.#put(JSON.parse(part));
    });
    this.child.stderr.on("data", data => { this.errors += data; });
    this.child.stdin.on("error", () => {}); // it may have ended
    this.ended = once(this.child, "close").then(([code]) => code);
  }

  #put(line) {
    this.lines.push(line);
    for (const wait of [...this.waiting]) this.#try(wait);
  }
  #try(wait) {
    const at = this.lines.findIndex(wait.matches);
    if (at < 0) return;
    this.waiting.splice(this.waiting.indexOf(wait), 1);
    clearTimeout(wait.timer);
    wait.resolve(this.lines.splice(at, 1)[0]);
  }

  send(line) { this.child.stdin.write(line + "\n"); }

  /** The next line that matches; it is taken out. */
  next(matches, what = String(matches), milliseconds = 10000) {
    return new Promise((resolve, reject) => {
      const wait = { matches, resolve };
      wait.timer = setTimeout(
          () => reject(new Error(`no line ${what}; there are ${JSON.stringify(this.lines)} ${this.errors}`)), milliseconds);
      this.waiting.push(wait);
      this.#try(wait);
    });
  }
  event(name) { return this.next(line => line.event === name, `of the event ${name}`); }
  answer(event) { return this.next(line => line.answer === event, `that answers ${event}`); }
  async ask(event, ...args) {
    this.send(["emit", event, ...args.map(arg => JSON.stringify(arg))].join(" "));
    return this.answer(event);
  }

  /** Ends its input; resolves to its exit status. */
  async end() {
    this.child.stdin.end();
    return this.ended;
  }
}
