// What npm's socket.io-msgpack-parser writes and reads, on the vectors that src/socketio/msgpack_packet_test.cc
// is held to: live, between npm's server and client, and packet by packet.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import parser from "socket.io-msgpack-parser";
import { next } from "../support/server.mjs";

const vectors = JSON.parse(readFileSync(new URL("../data/msgpack_vectors.json", import.meta.url)));
const date = new Date("2023-11-14T22:13:20.000Z");

/** What `$undefined`, `$binary` and `$number` stand for. */
function revived(value) {
  if (Array.isArray(value)) return value.map(revived);
  if (value === null || typeof value !== "object") return value;
  if ("$undefined" in value) return undefined;
  if ("$binary" in value) return Buffer.from(value.$binary, "base64");
  if ("$number" in value) return Number(value.$number);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, revived(member)]));
}

/** What a value is to those who have no undefined, no ArrayBuffer and no Date. */
function plain(value) {
  if (value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof ArrayBuffer || Buffer.isBuffer(value)) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

const encoded = packet => new parser.Encoder().encode(packet)[0].toString("hex");

/** The packet of the bytes; throws what the decoder throws. */
function decoded(hex) {
  let packet;
  const decoder = new parser.Decoder();
  decoder.on("decoded", value => { packet = value; });
  decoder.add(Buffer.from(hex, "hex"));
  return packet;
}

/** The members that mean something, where undefined is as good as missing. */
function meaning({ type, nsp, id, data }) {
  return { type, nsp, ...(id === undefined ? {} : { id }), ...(data === undefined ? {} : { data: plain(data) }) };
}

const valueBefore = "84a2696400a47479706503a46461746191", valueAfter = "a36e7370a12f";
function encodedValue(value) {
  const hex = encoded({ id: 0, type: 3, data: [value], nsp: "/" });
  assert.ok(hex.startsWith(valueBefore) && hex.endsWith(valueAfter));
  return hex.slice(valueBefore.length, -valueAfter.length);
}

describe("between npm's server and client", () => {
  const sent = { server: new Set(), client: new Set() };
  const secrets = [];  // ids that differ in every run, and what stands for them
  const servers = [];

  /** The parser, remembering what `who` sent to the side that reads with it. */
  const recorded = who => ({
    ...parser,
    Decoder: class extends parser.Decoder {
      add(bytes) {
        sent[who].add(Buffer.from(bytes).toString("latin1"));
        super.add(bytes);
      }
    },
  });
  async function started(options) {
    const http = createServer();
    const server = new Server(http, { parser: recorded("client"), ...options });
    servers.push(server);
    await new Promise(resolve => http.listen(0, "127.0.0.1", resolve));
    return { server, url: `http://127.0.0.1:${http.address().port}` };
  }
  const opened = (url, options) => io(url, {
    parser: recorded("server"), transports: ["websocket"], forceNew: true, reconnection: false, ...options,
  });
  const remember = socket => {
    secrets.push([socket.id, "S".repeat(20)]);
    if (socket.pid !== undefined) secrets.push([socket.pid, "P".repeat(20)]);
  };

  function serve(nsp) {
    const { list, text, none } = vectors.server[1].packet.data[3];
    nsp.on("connection", socket => {
      remember(socket);
      socket.on("q", (_, answer) => answer("ok", Buffer.from([9])));
      socket.on("nothing", answer => answer());
      socket.emit("foo", 1, "b", { list, text, none });
      socket.emit("bytes", Buffer.from([1, 2]), { in: Buffer.alloc(0) });
      // The number of an ack is the namespace's next: only the first connection asks.
      if (nsp.asked !== undefined) return;
      nsp.asked = new Promise(resolve => socket.emit("ask", { a: [] }, (...answer) => resolve(answer)));
    });
  }

  async function talk(server, url, name, options) {
    const nsp = server.of(name);
    serve(nsp);
    const first = opened(url + name, options);
    first.on("ask", (_, answer) => answer("yes", 7));
    await next(first, "connect");
    first.emit("hi", 1);
    assert.equal(await first.emitWithAck("q", { y: 1 }), "ok");
    await first.emitWithAck("nothing");
    assert.deepEqual(await nsp.asked, ["yes", 7]);
    const left = next(nsp.sockets.get(first.id), "disconnect");
    first.disconnect();
    assert.equal((await left)[0], "client namespace disconnect");
    const second = opened(url + name);
    await next(second, "connect");
    nsp.sockets.get(second.id).disconnect();
    assert.equal((await next(second, "disconnect"))[0], "io server disconnect");
  }

  before(async () => {
    const { server, url } = await started({});
    await talk(server, url, "/", {});
    await talk(server, url, "/admin", { auth: { token: "123", list: [1, null] } });
    for (const { packet: { nsp, data } } of vectors.server.filter(({ packet }) => packet.type === 4)) {
      const { message, data: more } = revived(data);
      if (nsp !== "/nowhere") server.of(nsp).use((_, done) => done(Object.assign(new Error(message), { data: more })));
      const [error] = await next(opened(url + nsp), "connect_error");
      assert.deepEqual([error.message, error.data], [message, more]);
    }
    const last = opened(url);
    await next(last, "connect");
    const all = next(server.of("/").sockets.get(last.id), "all");
    last.compress(false).emit("hi", 2);
    last.emit(5, 1);
    last.emit("all", Buffer.from([9]), new Uint8Array([7]), new Uint8Array([1, 2, 3]), new ArrayBuffer(8), date,
              undefined, { u: undefined }, null);
    assert.deepEqual((await all)[4], date);
    await recover();
  });

  async function recover() {
    const { server, url } = await started({ connectionStateRecovery: {} });
    const nsp = server.of("/recovery");
    nsp.on("connection", remember);
    const socket = opened(url + "/recovery");
    await next(socket, "connect");
    // The offset comes at the end of an event, which itself is not among the vectors.
    nsp.emit("offset");
    const [offset] = await next(socket, "offset");
    secrets.push([offset, "O".repeat(7)]);
    for (const bytes of sent.server) {
      if (bytes.includes(offset)) sent.server.delete(bytes);
    }
    const left = next(nsp.sockets.get(socket.id), "disconnect");
    socket.io.engine.close();
    await left;
    socket.connect();
    await next(socket, "connect");
    assert.ok(socket.recovered);
  }

  after(async () => { for (const server of servers) await server.close(); });

  const hidden = bytes => {
    const text = secrets.reduce((result, [secret, mark]) => result.replaceAll(secret, mark), bytes);
    return Buffer.from(text, "latin1").toString("hex");
  };
  const named = list => new Map(list.map(({ hex, name }) => [hex, name]));

  for (const who of ["server", "client"]) {
    it(`the ${who} sends the vectors and nothing else`, () => {
      const expected = named(vectors[who]);
      const seen = new Set([...sent[who]].map(hidden));
      for (const [hex, name] of expected) assert.ok(seen.has(hex), `not sent: ${name} ${hex}`);
      for (const hex of seen) assert.ok(expected.has(hex), `not among the vectors: ${hex}`);
    });
  }
});

describe("packet by packet", () => {
  it("npm's encoder writes what the server sends", () => {
    for (const { name, packet, hex } of vectors.server) assert.equal(encoded(revived(packet)), hex, name);
  });

  it("npm's encoder writes values in these widths", () => {
    for (const { value, hex } of vectors.values) assert.equal(encodedValue(revived(value)), hex, JSON.stringify(value));
  });

  it("npm's encoder begins long values so", () => {
    const made = {
      text: size => "x".repeat(size),
      bytes: size => Buffer.alloc(size),
      array: size => Array(size).fill(null),
      object: size => Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, 0])),
    };
    for (const { kind, size, head } of vectors.sizes) {
      const hex = encodedValue(made[kind](size));
      assert.equal(hex.slice(0, head.length), head, `${kind} ${size}`);
      if (kind !== "object") assert.equal(hex.length, head.length + 2 * size, `${kind} ${size}`);
    }
  });

  it("npm's encoder writes another number for one beyond 64 bits, and reads ours", () => {
    for (const { value, npm, hex } of vectors.larger) {
      const number = revived(value);
      assert.equal(encodedValue(number), npm, value.$number);
      assert.notEqual(decoded(valueBefore + npm + valueAfter).data[0], number, value.$number);
      assert.equal(decoded(valueBefore + hex + valueAfter).data[0], number, value.$number);
    }
  });

  it("npm's decoder reads the same packets", () => {
    for (const { name, packet, hex } of [...vectors.server, ...vectors.client, ...vectors.both])
      assert.deepEqual(meaning(decoded(hex)), meaning(revived(packet)), name);
  });

  it("npm's decoder refuses what both refuse", () => {
    for (const { name, hex } of [...vectors.refused, ...vectors.looser]) assert.throws(() => decoded(hex), name);
  });

  it("npm's decoder takes what ours alone refuses", () => {
    for (const { name, hex } of vectors.stricter) assert.doesNotThrow(() => decoded(hex), name);
  });
});
