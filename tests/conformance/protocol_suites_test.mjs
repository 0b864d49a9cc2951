// What the official Engine.IO 4 and Socket.IO 5 protocol suites require, in our own words, over raw fetch and
// WebSocket.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { conformanceServer, next, until } from "../support/server.mjs";

let server;
before(async () => { server = await conformanceServer("--threads", "2"); });
after(async () => { assert.equal(await server.stop(), 0); });

const interval = 300;
const timeout = 200;
const polling = (more = "") => `${server.url}/socket.io/?EIO=4&transport=polling${more}`;
const socketUrl = (more = "") => `${server.ws}/socket.io/?EIO=4&transport=websocket${more}`;
const pollText = async sid => (await fetch(polling(`&sid=${sid}`))).text();
const post = (sid, body) => fetch(polling(`&sid=${sid}`), { method: "POST", body });

async function handshake() {
  const text = await (await fetch(polling())).text();
  return JSON.parse(text.slice(1)).sid;
}

/**
 * A WebSocket whose messages are read one by one. It answers pings by itself, so that the server closes it for
 * no other reason than the one that is tested; with `silent` pings are messages like the others.
 */
class Reader {
  constructor(url, { silent = false } = {}) {
    this.messages = [];
    this.socket = new WebSocket(url);
    this.socket.on("message", (data, binary) => {
      if (!binary && !silent && data.toString() === "2") this.socket.send("3");
      else this.messages.push(binary ? data : data.toString());
    });
    this.closed = new Promise(resolve => this.socket.on("close", code => resolve(code)));
    this.opened = next(this.socket, "open");
    this.opened.catch(() => {});
    this.socket.on("error", () => {});
  }
  async read() {
    await until(() => this.messages.length > 0, "a message", 2000);
    return this.messages.shift();
  }
  send(data) { this.socket.send(data); }
  close() { this.socket.close(); }
}
async function open(more = "", options = {}) {
  const reader = new Reader(socketUrl(more), options);
  await reader.opened;
  return reader;
}

describe("Engine.IO", () => {
  describe("handshake", () => {
    it("opens a session over polling", async () => {
      const response = await fetch(polling());
      assert.equal(response.status, 200);
      const text = await response.text();
      assert.equal(text[0], "0");
      const open = JSON.parse(text.slice(1));
      assert.deepEqual(Object.keys(open).sort(), ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"]);
      assert.deepEqual(open.upgrades, ["websocket"]);
      assert.equal(open.pingInterval, interval);
      assert.equal(open.pingTimeout, timeout);
      assert.equal(open.maxPayload, 1000000);
    });
    it("opens a session over WebSocket", async () => {
      const reader = await open();
      const first = await reader.read();
      assert.equal(first[0], "0");
      assert.deepEqual(JSON.parse(first.slice(1)).upgrades, []);
      reader.close();
    });
    for (const query of ["?transport=polling", "?EIO=abc&transport=polling", "?EIO=4", "?EIO=4&transport=abc"]) {
      it(`refuses ${query}`, async () => assert.equal((await fetch(`${server.url}/socket.io/${query}`)).status, 400));
    }
    it("refuses a POST without a session", async () => assert.equal((await fetch(polling(), { method: "POST" })).status, 400));
    for (const query of ["?transport=websocket", "?EIO=abc&transport=websocket", "?EIO=4", "?EIO=4&transport=abc"]) {
      it(`refuses an upgrade to ${query}`, async () => {
        const reader = new Reader(`${server.ws}/socket.io/${query}`);
        await reader.closed;
      });
    }
  });

  describe("messages", () => {
    it("sends and receives payloads with several packets", async () => {
      const sid = await handshake();
      assert.equal(await (await post(sid, "40")).text(), "ok");
      await pollText(sid);
      await post(sid, '42["message","a"]\x1e42["message","b"]\x1e42["message","c"]');
      let seen = "";
      while (!seen.includes('"c"')) seen += (await pollText(sid)) + "\x1e";
      assert.equal(seen.split("\x1e").filter(p => p.includes("message-back")).join(), '42["message-back","a"],42["message-back","b"],42["message-back","c"]');
    });
    it("closes the session on a malformed packet", async () => {
      const sid = await handshake();
      // A connection that is cut is as good as an answer.
      const status = await post(sid, "abc").then((response) => response.status, () => 400);
      assert.equal(status, 400);
      assert.equal((await fetch(polling(`&sid=${sid}`))).status, 400);
    });
    it("closes the session on two polls at once", async () => {
      const sid = await handshake();
      const answers = await Promise.all([fetch(polling(`&sid=${sid}`)), new Promise(resolve => setTimeout(resolve, 20)).then(() => fetch(polling(`&sid=${sid}`)))]);
      assert.deepEqual(answers.map(a => a.status).sort(), [200, 400]);
      assert.equal(await answers.find(a => a.status === 200).text(), "1");
    });
    it("closes the WebSocket on a malformed packet", async () => {
      const reader = await open();
      await reader.read();
      reader.send("abc");
      await reader.closed;
    });
  });

  describe("heartbeat", () => {
    it("pings over polling and goes on while it is answered", async () => {
      const sid = await handshake();
      await post(sid, "40");
      let body = "";
      for (let i = 0; i < 3; ++i) {
        do body = await pollText(sid); while (!body.split("\x1e").includes("2"));
        assert.equal((await post(sid, "3")).status, 200);
      }
    });
    it("closes a polling session that does not answer", async () => {
      const sid = await handshake();
      await until(async () => (await fetch(polling(`&sid=${sid}`))).status === 400, "the end of the session", 3000);
    });
    it("pings over WebSocket, and closes when it is not answered", async () => {
      const reader = await open("", { silent: true });
      await reader.read();
      reader.send("40");
      await reader.read();
      await reader.read();
      for (let i = 0; i < 2; ++i) {
        assert.equal(await reader.read(), "2");
        reader.send("3");
      }
      assert.equal(await reader.read(), "2");
      await reader.closed;
    });
  });

  describe("close", () => {
    it("ends a waiting poll", async () => {
      const sid = await handshake();
      const [poll] = await Promise.all([fetch(polling(`&sid=${sid}`)), new Promise(resolve => setTimeout(resolve, 20)).then(() => post(sid, "1"))]);
      assert.equal(await poll.text(), "6");
      assert.equal((await fetch(polling(`&sid=${sid}`))).status, 400);
    });
  });

  describe("upgrade", () => {
    it("goes from polling to WebSocket", async () => {
      const sid = await handshake();
      await post(sid, "40");
      await pollText(sid);
      const reader = await open(`&sid=${sid}`);
      reader.send("2probe");
      assert.equal(await reader.read(), "3probe");
      reader.send("5");
      reader.send('42["message","x"]');
      let text = "";
      do text = await reader.read(); while (!text.includes("message-back"));
      assert.equal(text, '42["message-back","x"]');
      reader.close();
    });
    it("refuses the old transport afterwards", async () => {
      const sid = await handshake();
      const reader = await open(`&sid=${sid}`);
      reader.send("2probe");
      await reader.read();
      reader.send("5");
      await until(async () => (await fetch(polling(`&sid=${sid}`))).status === 400, "the refusal");
      reader.close();
    });
    it("closes a second upgrade of the same session", async () => {
      const sid = await handshake();
      const first = await open(`&sid=${sid}`);
      first.send("2probe");
      await first.read();
      first.send("5");
      await until(async () => (await fetch(polling(`&sid=${sid}`))).status === 400, "the upgrade");
      const second = new Reader(socketUrl(`&sid=${sid}`));
      await second.closed;
      first.close();
    });
  });
});

describe("Socket.IO", () => {
  async function connected(nsp = "") {
    const reader = await open();
    await reader.read();
    reader.send("40" + nsp);
    const answer = await reader.read();
    await reader.read();  // auth
    return { reader, answer };
  }

  describe("connect", () => {
    it("joins the main namespace", async () => {
      const { reader, answer } = await connected();
      assert.deepEqual(Object.keys(JSON.parse(answer.slice(2))), ["sid"]);
      reader.close();
    });
    it("hands the auth payload over", async () => {
      const reader = await open();
      await reader.read();
      reader.send('40{"token":"123"}');
      await reader.read();
      assert.equal(await reader.read(), '42["auth",{"token":"123"}]');
      reader.close();
    });
    it("joins a custom namespace, with and without a payload", async () => {
      for (const packet of ["40/custom,", '40/custom,{"token":"abc"}']) {
        const reader = await open();
        await reader.read();
        reader.send(packet);
        assert.match(await reader.read(), /^40\/custom,\{"sid":"[\w-]{20}"\}$/);
        assert.equal(await reader.read(), packet.includes("token") ? '42/custom,["auth",{"token":"abc"}]' : '42/custom,["auth",{}]');
        reader.close();
      }
    });
    it("refuses an unknown namespace", async () => {
      const reader = await open();
      await reader.read();
      reader.send("40/random");
      assert.equal(await reader.read(), '44/random,{"message":"Invalid namespace"}');
      reader.close();
    });
    for (const packet of ["4abc", "42[]", "42{}", '42["message","x"]']) {
      it(`closes on ${packet} before anything was joined`, async () => {
        const reader = await open();
        await reader.read();
        reader.send(packet);
        await reader.closed;
      });
    }
    it("closes when nothing is joined in time", async () => {
      const reader = await open();
      await reader.closed;
    });
  });

  describe("disconnect", () => {
    it("leaves one namespace and stays in the other", async () => {
      const { reader } = await connected();
      reader.send("40/custom");
      await reader.read();
      await reader.read();
      reader.send("41/custom");
      reader.send('42["message","main"]');
      assert.equal(await reader.read(), '42["message-back","main"]');
      reader.close();
    });
  });

  describe("events", () => {
    it("carries JSON both ways", async () => {
      const { reader } = await connected();
      reader.send('42["message",1,"2",{"3":[true]}]');
      assert.equal(await reader.read(), '42["message-back",1,"2",{"3":[true]}]');
      reader.close();
    });
    it("carries bytes both ways", async () => {
      const { reader } = await connected();
      reader.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
      reader.send(Buffer.from([1, 2, 3]));
      reader.send(Buffer.from([4, 5, 6]));
      assert.equal(await reader.read(), '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
      assert.deepEqual(await reader.read(), Buffer.from([1, 2, 3]));
      assert.deepEqual(await reader.read(), Buffer.from([4, 5, 6]));
      reader.close();
    });
    it("answers, with JSON and with bytes", async () => {
      const { reader } = await connected();
      reader.send('42456["message-with-ack",1,"2",{"3":[false]}]');
      assert.equal(await reader.read(), '43456[1,"2",{"3":[false]}]');
      reader.send('452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
      reader.send(Buffer.from([1, 2, 3]));
      reader.send(Buffer.from([4, 5, 6]));
      assert.equal(await reader.read(), '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
      assert.deepEqual(await reader.read(), Buffer.from([1, 2, 3]));
      assert.deepEqual(await reader.read(), Buffer.from([4, 5, 6]));
      reader.close();
    });
    for (const packet of ["4abc", "42{}", "42abc", '42["', "42[null]"]) {
      it(`closes on ${packet}`, async () => {
        const { reader } = await connected();
        reader.send(packet);
        await reader.closed;
      });
    }
  });
});
