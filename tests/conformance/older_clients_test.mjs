// Older stock clients, the MessagePack parser, and connection state recovery as the stock client does it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { io } from "socket.io-client";
import io2 from "socket.io-client-v2";
import { io as io3 } from "socket.io-client-v3";
import * as msgpackParser from "socket.io-msgpack-parser";
import { conformanceServer, next, until } from "../support/server.mjs";

const kinds = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
const emitWithAck = (socket, ...args) => new Promise(resolve => socket.emit(...args, resolve));

/** What every client must be able to do, whichever protocol lies below. */
function basics(connect, { bytes = true } = {}) {
  it("gets back what it sends", async () => {
    const socket = await connect("/");
    const sent = [1, -2.5, "ü\u2028\ud83d\ude00", true, null, [], { nested: [{ deep: "x" }] }];
    socket.emit("message", ...sent);
    assert.deepEqual(await next(socket, "message-back"), sent);
    socket.disconnect();
  });
  it("gets its answers", async () => {
    const socket = await connect("/");
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => emitWithAck(socket, "message-with-ack", i)));
    assert.deepEqual(answers, Array.from({ length: 100 }, (_, i) => i));
    socket.disconnect();
  });
  if (bytes) {
    it("sends and receives bytes", async () => {
      const socket = await connect("/");
      const data = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 256));
      socket.emit("message", data, { inner: [data.subarray(0, 3)] });
      const [first, second] = await next(socket, "message-back");
      assert.deepEqual(Buffer.from(first), data);
      assert.deepEqual(Buffer.from(second.inner[0]), data.subarray(0, 3));
      assert.deepEqual(Buffer.from(await emitWithAck(socket, "message-with-ack", data)), data);
      socket.disconnect();
    });
  }
  it("joins another namespace", async () => {
    const socket = await connect("/custom");
    assert.equal(await emitWithAck(socket, "message-with-ack", "x"), "x");
    socket.disconnect();
  });
  it("stays through several heartbeats", async () => {
    const socket = await connect("/");
    let lost = false;
    socket.on("disconnect", () => { lost = true; });
    const start = Date.now();
    await until(() => lost || Date.now() - start > 1300, "some heartbeats");
    assert.equal(lost, false);
    assert.equal(await emitWithAck(socket, "message-with-ack", 1), 1);
    socket.disconnect();
  });
}

describe("socket.io-client 3", () => {
  let server;
  before(async () => { server = await conformanceServer("--threads", "2"); });
  after(async () => { assert.equal(await server.stop(), 0); });
  for (const [kind, transports] of Object.entries(kinds)) {
    describe(kind, () => basics(async path => {
      const socket = io3(server.url + path, { transports, forceNew: true, reconnection: false });
      await next(socket, "connect");
      return socket;
    }));
  }
});

describe("socket.io-client 2", () => {
  let server;
  before(async () => { server = await conformanceServer("--threads", "2", "--allow-eio3"); });
  after(async () => { assert.equal(await server.stop(), 0); });
  for (const [kind, transports] of Object.entries(kinds)) {
    for (const forceBase64 of [false, true]) {
      describe(`${kind}${forceBase64 ? " in base64" : ""}`, () => basics(async path => {
        const socket = io2(server.url + path, { transports, forceBase64, forceNew: true, reconnection: false });
        await next(socket, "connect");
        if (kind === "upgrade") await until(() => socket.io.engine.transport.name === "websocket", "the upgrade");
        return socket;
      }));
    }
  }
  it("knows its ids as the server does", async () => {
    const socket = io2(server.url + "/custom?token=x&a=%20b", { forceNew: true, reconnection: false });
    const [auth] = await next(socket, "auth");
    assert.deepEqual(auth, { token: "x", a: " b" });
    assert.equal(socket.id, `/custom#${socket.io.engine.id}`);
    socket.disconnect();
  });
  it("is told of a namespace that is none", async () => {
    const socket = io2(server.url + "/nobody", { forceNew: true, reconnection: false });
    const [error] = await next(socket, "error");
    assert.deepEqual(error, { message: "Invalid namespace" });
    socket.io.close();
  });
  it("is refused where it is not allowed", async () => {
    const strict = await conformanceServer();
    try {
      const socket = io2(strict.url, { forceNew: true, reconnection: false });
      await next(socket, "connect_error");
      socket.close();
    } finally {
      await strict.stop();
    }
  });
});

describe("the MessagePack parser", () => {
  let server;
  before(async () => { server = await conformanceServer("--threads", "2", "--msgpack"); });
  after(async () => { assert.equal(await server.stop(), 0); });
  for (const [kind, transports] of Object.entries(kinds)) {
    describe(kind, () => basics(async path => {
      const socket = io(server.url + path, { transports, parser: msgpackParser, forceNew: true, reconnection: false });
      await next(socket, "connect");
      return socket;
    }));
  }
  it("ends a client that speaks JSON", async () => {
    const socket = io(server.url, { transports: ["websocket"], forceNew: true, reconnection: false });
    await until(() => socket.io.engine?.readyState === "closed", "the end");
    socket.close();
  });
});

for (const parser of ["json", "msgpack"]) {
  describe(`connection state recovery, ${parser}`, () => {
    let server;
    const options = parser === "json" ? {} : { parser: msgpackParser };
    before(async () => {
      const more = parser === "json" ? [] : ["--msgpack"];
      server = await conformanceServer("--threads", "2", "--slow", "--recovery", "60000", ...more);
    });
    after(async () => { assert.equal(await server.stop(), 0); });
    const open = async (more = {}) => {
      const socket = io(server.url, { forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 50, ...options, ...more });
      await next(socket, "connect");
      return socket;
    };

    for (const [kind, transports] of Object.entries(kinds)) {
      it(`gives what was missed, over ${kind}`, async () => {
        const socket = await open({ transports });
        const other = await open();
        const room = `room-${kind}`;
        const seen = [];
        socket.on("from-room", value => seen.push(value));
        await emitWithAck(socket, "join", room);
        other.emit("to-room", room, 1);
        await until(() => seen.length === 1, "the first");
        const id = socket.id;
        socket.io.engine.close(); // as a lost transport
        for (let i = 2; i <= 20; ++i) other.emit("to-room", room, i);
        await next(socket, "connect");
        assert.equal(socket.recovered, true);
        assert.equal(socket.id, id);
        other.emit("to-room", room, 21);
        await until(() => seen.length === 21, "all");
        assert.deepEqual(seen, Array.from({ length: 21 }, (_, i) => i + 1));
        socket.disconnect();
        other.disconnect();
      });
    }
    it("starts over after a disconnect on purpose", async () => {
      // Over polling the engine closes when the POST that carries the DISCONNECT has been answered. A connection made
      // before the server has read it would take the session over, as of a client whose old transport is half open.
      const socket = await open({ transports: ["polling"] });
      const id = socket.id;
      const closed = new Promise(resolve => socket.io.engine.once("close", resolve));
      socket.disconnect();
      await closed;
      socket.connect();
      await next(socket, "connect");
      assert.equal(socket.recovered, false);
      assert.notEqual(socket.id, id);
      socket.disconnect();
    });
  });
}
