// The C++ client, as `wirehall connect` has it, against npm socket.io: over a WebSocket, and by polling with upgrade.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { describe, it } from "node:test";
import { Server } from "socket.io";
import { Connect } from "../support/connect.mjs";
import { next, until } from "../support/server.mjs";

async function start(t, options = {}, port = 0) {
  const web = http.createServer();
  const io = new Server(web, options);
  await new Promise(resolve => web.listen(port, "127.0.0.1", resolve));
  const server = { io, url: `http://127.0.0.1:${web.address().port}`, port: web.address().port };
  server.stop = () => new Promise(resolve => { io.close(() => resolve()); web.closeAllConnections(); });
  t.after(server.stop);
  return server;
}

function client(t, server, args = [], path = "") {
  const connect = Connect.start(server.url + path, "--protocol", "socketio", ...args);
  t.after(() => connect.child.kill("SIGKILL"));
  return connect;
}

const kinds = { websocket: [], upgrade: ["--polling"] };

for (const [kind, args] of Object.entries(kinds)) {
  describe(`the C++ client over ${kind}`, () => {
    const open = async (t, options, more = [], path = "") => {
      const server = await start(t, options);
      const connection = next(server.io.of(path || "/"), "connection");
      const cpp = client(t, server, [...args, ...more], path);
      const [socket] = await connection;
      await until(() => socket.conn.transport.name === "websocket", "the upgrade");
      return { server, cpp, socket };
    };

    it("connects with its auth payload, and says goodbye", async t => {
      const { cpp, socket } = await open(t, {}, ["--auth", JSON.stringify({ token: "abc", list: [1, { a: null }] })]);
      assert.deepEqual(socket.handshake.auth, { token: "abc", list: [1, { a: null }] });
      const gone = next(socket, "disconnect");
      assert.equal(await cpp.end(), 0);
      assert.deepEqual((await gone)[0], "client namespace disconnect");
    });

    it("sends and receives values of every type, in order", async t => {
      const { cpp, socket } = await open(t);
      socket.on("echo", (...all) => all.pop()(...all));
      const sent = [1, -2.5, "ü\u{1f600}", true, null, [], {}, { nested: [{ deep: "x y" }] }, "a\u0000b"];
      assert.deepEqual((await cpp.ask("echo", ...sent)).value, sent);
      for (let i = 0; i < 200; ++i) socket.emit("count", i);
      for (let i = 0; i < 200; ++i) assert.deepEqual((await cpp.event("count")).args, [i]);
      assert.equal(await cpp.end(), 0);
    });

    it("answers what the server asks", async t => {
      const { socket } = await open(t);
      assert.deepEqual(await socket.timeout(5000).emitWithAck("question", 1), { success: true });
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => socket.timeout(5000).emitWithAck("question", i)));
      assert.equal(answers.length, 50);
    });

    it("sends and receives bytes", async t => {
      const { cpp, socket } = await open(t);
      const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256));
      const arrived = next(socket, "bytes");
      cpp.send(`emit bytes ${JSON.stringify({ data: { $binary: bytes.toString("base64") }, empty: { $binary: "" } })}`);
      const [{ data, empty }] = await arrived;
      assert.deepEqual(data, bytes);
      assert.equal(empty.length, 0);
      socket.emit("bytes", bytes, "between", [bytes.subarray(0, 3)]);
      const { args: got } = await cpp.event("bytes");
      assert.deepEqual(Buffer.from(got[0].$binary, "base64"), bytes);
      assert.equal(got[1], "between");
      assert.deepEqual(Buffer.from(got[2][0].$binary, "base64"), bytes.subarray(0, 3));
    });

    it("takes and sends large messages", async t => {
      const { cpp, socket } = await open(t);
      const text = "ü".repeat(450_000);
      socket.on("echo", (value, answer) => answer(value));
      assert.equal((await cpp.ask("echo", text)).value, text);
      socket.emit("large", text + text);
      assert.equal((await cpp.event("large")).args[0].length, 900_000);
    });

    it("lives in a namespace", async t => {
      const { cpp, socket, server } = await open(t, {}, [], "/admin");
      assert.equal(socket.nsp.name, "/admin");
      socket.on("echo", (value, answer) => answer(value));
      server.io.emit("elsewhere", 1);
      assert.equal((await cpp.ask("echo", 5)).value, 5);
      assert.deepEqual(cpp.lines, [], "what another namespace is told is not ours");
    });

    it("says why it was refused, and ends with a status", async t => {
      const server = await start(t);
      server.io.use((socket, go) => go(Object.assign(new Error("not authorized"), { data: { code: "authentication-failed" } })));
      const refused = client(t, server, args);
      assert.equal(await refused.ended, 1);
      assert.match(refused.errors, /Authentication failed: not authorized/);
      const elsewhere = client(t, server, args, "/nowhere");
      assert.equal(await elsewhere.ended, 1);
      assert.match(elsewhere.errors, /Invalid namespace: \/nowhere/);
    });

    it("takes the server's disconnection as final", async t => {
      const { cpp, socket } = await open(t);
      socket.disconnect();
      assert.equal((await cpp.next(line => line.disconnected)).disconnected, "io server disconnect");
      assert.equal(await cpp.ended, 1);
    });

    it("comes back when the server does", async t => {
      const { cpp, server } = await open(t);
      await server.stop();
      const lost = await cpp.next(line => line.disconnected);
      assert.equal(lost.disconnected, "transport close");
      assert.ok(lost.retryIn > 0);
      const again = await start(t, {}, server.port);
      const [socket] = await next(again.io, "connection", 10000);
      socket.on("echo", (value, answer) => answer(value));
      await cpp.next(line => line.connected);
      assert.equal((await cpp.ask("echo", "back")).value, "back");
    });

    it("recovers what it missed", async t => {
      const { cpp, socket, server } = await open(t, { connectionStateRecovery: {} });
      socket.join("room");
      server.io.to("room").emit("news", 1);
      assert.equal((await cpp.event("news")).args[0], 1);
      socket.conn.transport.socket.terminate();
      await next(socket, "disconnect");
      server.io.to("room").emit("news", 2);
      server.io.to("room").emit("news", 3);
      const [recovered] = await next(server.io, "connection", 10000);
      assert.equal(recovered.recovered, true);
      assert.equal(recovered.id, socket.id);
      assert.equal((await cpp.next(line => line.connected)).recovered, true);
      server.io.to("room").emit("news", 4);
      for (const number of [2, 3, 4]) assert.equal((await cpp.event("news")).args[0], number);
    });

    it("answers heartbeats, and notices when they stop", async t => {
      const { cpp, socket } = await open(t, { pingInterval: 60, pingTimeout: 500 });
      let pongs = 0;
      socket.conn.on("heartbeat", () => { ++pongs; });
      await until(() => pongs >= 5, "five answered heartbeats");
      socket.conn.transport.socket.pause();
      clearTimeout(socket.conn.pingIntervalTimer);
      const lost = await cpp.next(line => line.disconnected);
      assert.equal(lost.disconnected, "ping timeout");
    });
  });
}

describe("the C++ client by polling", () => {
  it("works where there is no WebSocket", async t => {
    const server = await start(t, { transports: ["polling"], pingInterval: 100, pingTimeout: 500 });
    const connection = next(server.io, "connection");
    const cpp = client(t, server, ["--polling"]);
    const [socket] = await connection;
    socket.on("echo", (...all) => all.pop()(...all));
    const bytes = { $binary: Buffer.from("bytes").toString("base64") };
    assert.deepEqual((await cpp.ask("echo", 1, "two", bytes)).value, [1, "two", bytes]);
    for (let i = 0; i < 50; ++i) socket.emit("count", i);
    for (let i = 0; i < 50; ++i) assert.deepEqual((await cpp.event("count")).args, [i]);
    let pongs = 0;
    socket.conn.on("heartbeat", () => { ++pongs; });
    await until(() => pongs >= 3, "three answered heartbeats");
    const text = "x".repeat(900_000);
    assert.equal((await cpp.ask("echo", text)).value, text);
    assert.equal(socket.conn.transport.name, "polling");
    const gone = next(socket, "disconnect");
    assert.equal(await cpp.end(), 0);
    await gone;
  });

  it("stays there when the upgrade fails", async t => {
    const server = await start(t);
    server.io.engine.removeAllListeners("upgrade");
    server.io.httpServer.removeAllListeners("upgrade");
    server.io.httpServer.on("upgrade", (request, socket) => socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
    const connection = next(server.io, "connection");
    const cpp = client(t, server, ["--polling"]);
    const [socket] = await connection;
    socket.on("echo", (value, answer) => answer(value));
    assert.equal((await cpp.ask("echo", 5)).value, 5);
    assert.equal(socket.conn.transport.name, "polling");
  });
});

describe("the C++ client where there is something else", () => {
  const failure = async (...args) => {
    const cpp = Connect.start(...args);
    assert.equal(await cpp.end(), 1);
    return cpp.errors;
  };

  it("says what is wrong", async t => {
    const web = http.createServer((request, response) => response.writeHead(404).end("nothing"));
    await new Promise(resolve => web.listen(0, "127.0.0.1", resolve));
    t.after(() => web.close());
    const url = `http://127.0.0.1:${web.address().port}`;
    assert.match(await failure(url, "--protocol", "socketio"), /there is no Socket\.IO server at 127\.0\.0\.1:\d+\/socket\.io\/ \(HTTP 404\)/);
    assert.match(await failure(url, "--protocol", "socketio", "--polling"), /there is no Socket\.IO server at .* \(HTTP 404\)/);
    assert.match(await failure(url), /nobody speaks Wirehall's native protocol at 127\.0\.0\.1:\d+\/ws \(HTTP 404\)/);
    assert.match(await failure(url.replace("http", "https")), /does not speak TLS: is the URL http or ws\?/);
    assert.match(await failure("localhost"), /begins with none of http/);

    const banner = net.createServer(socket => socket.on("error", () => {}).write("220 mail ready\r\n"));
    await new Promise(resolve => banner.listen(0, "127.0.0.1", resolve));
    t.after(() => banner.close());
    assert.match(await failure(`http://127.0.0.1:${banner.address().port}`), /speaks no HTTP\/1\.1/);

    const silent = net.createServer(() => {});
    await new Promise(resolve => silent.listen(0, "127.0.0.1", resolve));
    t.after(() => silent.close());
    assert.match(await failure(`http://127.0.0.1:${silent.address().port}`, "--timeout", "300"), /no connection to .* within 300 ms/);

    const closed = net.createServer();
    await new Promise(resolve => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address();
    closed.close();
    await once(closed, "close");
    assert.match(await failure(`http://127.0.0.1:${port}`), new RegExp(`127\\.0\\.0\\.1:${port} refused: nothing listens there`));
    assert.match(await failure("http://name.invalid"), /the name name\.invalid is not known/);
  });

  it("says that a Socket.IO server is none of Wirehall's own", async t => {
    const server = await start(t);
    assert.match(await failure(server.url), /without an answer; does it speak Wirehall's native protocol\?/);
  });
});
