// A polling session in single requests: every GET and POST is the behaviour's.
import http from "node:http";
import { exchange, shown, tellingHeaders } from "./wire.mjs";
import { sleep } from "./watch.mjs";

/** A request on its way cannot be awaited: it has arrived when nothing else happens. */
export const soon = () => sleep(25);

/** Starts the second request when the first has arrived; resolves to both responses. */
export async function both(first, second) {
  await soon();
  return Promise.all([first, second()]);
}

export const pollingPath = (ctx, client, query = "EIO=4&transport=polling") => `${ctx.path}/?${query}&tag=${ctx.tag(client)}`;

/** The response to a handshake, its session id named. */
export async function handshake(ctx, query, options = {}) {
  const response = await ctx.request(`${ctx.path}/?${query}`, options);
  const sid = /"sid\\?":\\?"([\w-]+)/.exec(response.body?.toString() ?? "");
  if (sid) ctx.name(sid[1], "<sid>");
  return shown(response);
}

export async function begin(ctx, client = "a", { query, headers } = {}) {
  const response = await ctx.request(pollingPath(ctx, client, query), { headers });
  const { sid } = JSON.parse(response.body.toString().slice(1));
  ctx.name(sid, `<sid ${client}>`);
  return new PollingSession(ctx, sid);
}

/** A session that has joined "/". */
export async function joined(ctx, client = "a", options) {
  const session = await begin(ctx, client, options);
  await session.post("40");
  const connect = await session.poll();
  ctx.name(/"sid":"([^"]+)"/.exec(connect.body)[1], `<${client}>`);
  return session;
}

export class PollingSession {
  #ctx;
  constructor(ctx, sid) {
    this.#ctx = ctx;
    this.sid = sid;
  }
  path(query = "EIO=4&transport=polling") { return `${this.#ctx.path}/?${query}&sid=${this.sid}`; }
  request(method, { query, ...options } = {}) { return this.#ctx.shown(this.path(query), { method, ...options }); }
  poll(options) { return this.request("GET", options); }
  post(body, options = {}) { return this.request("POST", { body, ...options }); }
  /** A GET whose request is handed out. */
  pollAnd(onRequest) { return exchange({ port: this.#ctx.program.port, path: this.path(), onRequest }); }

  /** A POST whose end is kept back. */
  postSlowly(body) {
    const half = body.length >> 1;
    const request = http.request({
      host: "127.0.0.1", port: this.#ctx.program.port, agent: false, method: "POST", path: this.path(),
      headers: { "content-length": Buffer.byteLength(body) },
    });
    const response = new Promise(resolve => {
      request.on("error", () => resolve({ failed: "cut" }));
      request.on("response", async incoming => {
        const parts = await incoming.toArray().catch(() => []);
        resolve({ status: incoming.statusCode, headers: tellingHeaders(incoming.headers), body: Buffer.concat(parts).toString() });
      });
    });
    request.write(body.slice(0, half));
    return { destroy: () => request.destroy(), finish: () => { request.end(body.slice(half)); return response; } };
  }
  async postChunks(parts) {
    return shown(await exchange({
      port: this.#ctx.program.port, method: "POST", path: this.path(), headers: { "transfer-encoding": "chunked" },
      onRequest: request => { for (const part of parts) request.write(part); },
    }));
  }

  /** What still comes: the bodies of GETs, until the session is unknown or an event comes back; at most so many. */
  async rest(most = 6) {
    await this.post('42["echo","rest"]');
    const bodies = [];
    while (bodies.length < most) {
      const { status, body = "" } = await this.#ctx.shown(this.path());
      bodies.push([status, body]);
      if (status !== 200 || body.includes('"rest"')) break;
    }
    return bodies;
  }
}
