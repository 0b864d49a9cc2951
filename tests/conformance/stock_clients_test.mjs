// The stock clients against the conformance server: socket.io-client over polling, websocket and with upgrade,
// engine.io-client, ws.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Socket as EngineSocket } from "engine.io-client";
import { io } from "socket.io-client";
import WebSocket from "ws";
import { conformanceServer, next, until } from "../support/server.mjs";

let server;
before(async () => { server = await conformanceServer("--threads", "2"); });
after(async () => { assert.equal(await server.stop(), 0, "the server ends in order"); });

const kinds = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };

for (const [kind, transports] of Object.entries(kinds)) {
  describe(`socket.io-client over ${kind}`, () => {
    const open = async (path = "/", options = {}) => {
      const socket = io(server.url + path, { transports, forceNew: true, reconnection: false, ...options });
      await next(socket, "connect");
      if (kind === "upgrade") await until(() => socket.io.engine.transport.name === "websocket", "the upgrade");
      return socket;
    };
    const closed = async socket => { socket.disconnect(); };

    it("connects, and is told its auth payload", async () => {
      const socket = io(server.url, { transports, forceNew: true, auth: { token: "abc", list: [1, { a: null }] } });
      const [auth] = await next(socket, "auth");
      assert.deepEqual(auth, { token: "abc", list: [1, { a: null }] });
      assert.match(socket.id, /^[\w-]{20}$/);
      assert.notEqual(socket.id, socket.io.engine.id);
      await closed(socket);
    });

    it("gets back what it sends, of every type", async () => {
      const socket = await open();
      const sent = [1, -2.5, 1e21, "ü\u2028\ud83d\ude00", true, null, [], {}, { nested: [{ deep: "x" }] }, "a\u0000b"];
      socket.emit("message", ...sent);
      assert.deepEqual(await next(socket, "message-back"), sent);
      await closed(socket);
    });

    it("sends and receives bytes", async () => {
      const socket = await open();
      const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256));
      socket.emit("message", bytes, "between", { inner: [bytes.subarray(0, 3), Buffer.alloc(0)] });
      const [first, text, object] = await next(socket, "message-back");
      assert.deepEqual(Buffer.from(first), bytes);
      assert.equal(text, "between");
      assert.deepEqual(Buffer.from(object.inner[0]), bytes.subarray(0, 3));
      assert.equal(Buffer.from(object.inner[1]).length, 0);
      const answer = await socket.emitWithAck("message-with-ack", bytes);
      assert.deepEqual(Buffer.from(answer), bytes);
      await closed(socket);
    });

    it("gets its answers, each to its own question", async () => {
      const socket = await open();
      const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => socket.emitWithAck("message-with-ack", i)));
      assert.deepEqual(answers, Array.from({ length: 200 }, (_, i) => i));
      await closed(socket);
    });

    it("keeps the order of many events", async () => {
      const socket = await open();
      const seen = [];
      socket.on("message-back", i => seen.push(i));
      for (let i = 0; i < 2000; ++i) socket.emit("message", i);
      await until(() => seen.length === 2000, "all echoes", 20000);
      assert.deepEqual(seen, Array.from({ length: 2000 }, (_, i) => i));
      await closed(socket);
    });

    it("sends half a megabyte", async () => {
      const socket = await open();
      const text = "x".repeat(500_000);
      assert.equal(await socket.emitWithAck("message-with-ack", text), text);
      await closed(socket);
    });

    it("joins a second namespace and leaves it", async () => {
      const socket = await open();
      const custom = socket.io.socket("/custom", { auth: { in: "custom" } });
      const [auth] = await next(custom, "auth");
      assert.deepEqual(auth, { in: "custom" });
      custom.emit("message", 1);
      assert.deepEqual(await next(custom, "message-back"), [1]);
      custom.disconnect();
      socket.emit("message", 2);
      assert.deepEqual(await next(socket, "message-back"), [2]);
      await closed(socket);
    });

    it("is refused a namespace that does not exist", async () => {
      const socket = io(server.url + "/nobody", { transports, forceNew: true });
      const [error] = await next(socket, "connect_error");
      assert.equal(error.message, "Invalid namespace");
      await closed(socket);
    });

    it("stays connected over several heartbeats", async () => {
      const socket = await open();
      let lost = null;
      socket.on("disconnect", reason => { lost = reason; });
      let pings = 0;
      socket.io.engine.on("ping", () => ++pings);
      await until(() => pings >= 3, "three pings");
      assert.equal(lost, null);
      await closed(socket);
    });

    it("comes back by itself after the connection broke", async () => {
      const socket = await open("/", { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50 });
      const id = socket.id;
      const back = next(socket, "connect", 10000);
      socket.io.engine.close();
      await back;
      assert.notEqual(socket.id, id);
      socket.emit("message", "again");
      assert.deepEqual(await next(socket, "message-back"), ["again"]);
      await closed(socket);
    });
  });
}

describe("an upgrade under traffic", () => {
  it("loses nothing and keeps the order", async () => {
    for (let round = 0; round < 5; ++round) {
      const socket = io(server.url, { transports: kinds.upgrade, forceNew: true, reconnection: false });
      const seen = [];
      socket.on("message-back", i => seen.push(i));
      await next(socket, "connect");
      let sent = 0;
      while (socket.io.engine.transport.name !== "websocket") {
        socket.emit("message", sent++);
        await new Promise(resolve => setImmediate(resolve));
      }
      for (let i = 0; i < 50; ++i) socket.emit("message", sent++);
      await until(() => seen.length === sent, "all echoes");
      assert.deepEqual(seen, Array.from({ length: sent }, (_, i) => i));
      socket.disconnect();
    }
  });
});

describe("engine.io-client", () => {
  for (const [kind, transports] of Object.entries(kinds)) {
    it(`speaks Socket.IO packets by hand over ${kind}`, async () => {
      const socket = new EngineSocket(server.url, { path: "/socket.io/", transports });
      const messages = [];
      socket.on("message", data => messages.push(data));
      await next(socket, "open");
      socket.send("0");
      await until(() => messages.length === 2, "CONNECT and auth");
      assert.match(messages[0], /^0\{"sid":"[\w-]{20}"\}$/);
      assert.equal(messages[1], '2["auth",{}]');
      socket.send('27["message-with-ack","hi"]');
      await until(() => messages.length === 3, "the answer");
      assert.equal(messages[2], '37["hi"]');
      socket.close();
    });
  }

  it("is closed when it joins no namespace", async () => {
    const socket = new EngineSocket(server.url, { path: "/socket.io/", transports: ["websocket"] });
    await next(socket, "open");
    const [reason] = await next(socket, "close");
    assert.equal(reason, "transport close");
  });
});

describe("ws on the native endpoint", () => {
  it("gets its answers and its echoes", async () => {
    const socket = new WebSocket(server.ws + "/ws");
    const frames = [];
    socket.on("message", data => frames.push(JSON.parse(data)));
    await next(socket, "open");
    await until(() => frames.length === 1, "the auth event");
    socket.send('{"type":"message-with-ack","id":5,"x":[1.50]}');
    socket.send('{"type":"message","y":{"$binary":"AQID"}}');
    socket.send('{"type":"ping","id":"p"}');
    await until(() => frames.length === 4, "the answers");
    assert.deepEqual(frames[0], { type: "auth" });
    assert.deepEqual(frames[1], { type: "ack", id: 5, x: [1.5] });
    assert.deepEqual(frames[2], { type: "message-back", y: { $binary: "AQID" } });
    assert.equal(frames[3].id, "p");
    socket.close(1000);
    const [code] = await next(socket, "close");
    assert.equal(code, 1000);
  });

  it("answers a ping of the protocol", async () => {
    const socket = new WebSocket(server.ws + "/ws");
    await next(socket, "open");
    socket.ping("hello");
    const [data] = await next(socket, "pong");
    assert.equal(data.toString(), "hello");
    socket.terminate();
  });
});
