// WebSocket by hand: the upgrade request and what refuses it, frames that should not be, the closing handshake.
import { acceptOf, frame, tellingHeaders } from "./wire.mjs";

const text = 1, binary = 2, close = 8, ping = 9, pong = 10;
const closing = (code, reason = "") => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
};

// -- upgrade requests -----------------------------------------------------------------------------

/** What came back: status, telling headers, whether the key was answered rightly, the first frames or the body. */
async function answerTo(tcp, named) {
  const { status, headers } = tcp.head;
  const { "sec-websocket-accept": accept, ...others } = tellingHeaders(headers);
  if (status !== 101) return { status, headers: others, body: await tcp.body() };
  await tcp.watch.until(() => tcp.log.length > 0, "a frame");
  named(tcp.log[0][1]);
  return { status, headers: others, accept: accept === acceptOf(tcp.key), first: tcp.log[0] };
}

const asked = (name, query, fields = {}, more = {}) => ({
  name, ...more, run: async ctx => {
    const tcp = ctx.tcp();
    await tcp.upgrade(`${ctx.path}/?${query}`, fields);
    const response = await answerTo(tcp, open => nameSession(ctx, open));
    return ctx.transcript({ response });
  },
});
function nameSession(ctx, open) {
  const sid = /"sid":"([^"]+)"/.exec(open);
  if (sid) ctx.name(sid[1], "<sid>");
}

const good = "EIO=4&transport=websocket";
const upgrades = [
  asked("an upgrade", good),
  asked("an upgrade of a client that takes no bytes", good + "&b64=1"),
  asked("an upgrade with an Origin", good, { Origin: "http://other.example" }),
  asked("an upgrade with a subprotocol", good, { "Sec-WebSocket-Protocol": "chat" }),
  asked("an upgrade with two subprotocols", good, { "Sec-WebSocket-Protocol": "chat, superchat" }),
  asked("an upgrade with an extension, where none is configured", good, { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" }),
  asked("an upgrade with an Origin and CORS", good, { Origin: "http://other.example" }, { profile: "fixed" }),
  asked("Connection has more tokens", good, { Connection: "keep-alive, Upgrade" }),
  asked("Upgrade has another case", good, { Upgrade: "WebSocket" }),
  asked("the version is missing", "transport=websocket"),
  asked("the version is 3", "EIO=3&transport=websocket"),
  asked("the version is text", "EIO=abc&transport=websocket"),
  asked("the transport is missing", "EIO=4"),
  asked("the transport is unknown", "EIO=4&transport=tcp"),
  asked("the transport is polling", "EIO=4&transport=polling"),
  asked("the session is unknown", good + "&sid=abcdefghijklmnopqrst"),
  asked("the session is a property of all objects", good + "&sid=constructor"),
  asked("the WebSocket version is missing", good, { "Sec-WebSocket-Version": null }),
  asked("the WebSocket version is 12", good, { "Sec-WebSocket-Version": "12" }),
  asked("the key is missing", good, { "Sec-WebSocket-Key": null }),
  asked("the key is short", good, { "Sec-WebSocket-Key": "abc" }),
  asked("the method is POST", good, { ":method": "POST" }),
  asked("Connection does not name Upgrade", good, { Connection: "keep-alive" }),
  asked("Upgrade is something else", good, { Upgrade: "h2c" }),
  { name: "another path", run: async ctx => {
    const tcp = ctx.tcp();
    tcp.upgrade("/other/?" + good).catch(() => {});
    await tcp.watch.until(() => tcp.ended || tcp.head, "an answer");
    return ctx.transcript({ status: tcp.head?.status ?? "no response" });
  } },
];

// -- frames ---------------------------------------------------------------------------------------

/** A session over WebSocket that has joined "/". */
class FrameSession {
  #barriers = 0;
  static async open(ctx, query = good, fields = {}) {
    const session = new FrameSession();
    session.tcp = ctx.tcp();
    await session.tcp.upgrade(`${ctx.path}/?${query}&tag=${ctx.tag("a")}`, fields);
    session.send(frame(text, "40"));
    const connect = await session.tcp.watch.until(() => session.tcp.log.find(([, data]) => /^40\{/.test(data)), "CONNECT");
    nameSession(ctx, session.tcp.log[0][1]);
    ctx.name(/"sid":"([^"]+)"/.exec(connect[1])[1], "<a>");
    return session;
  }
  send(...frames) { this.tcp.write(Buffer.concat(frames.flat())); }
  async barrier() {
    for (let round = 0; round < 2; ++round) {
      const name = `/nowhere-${++this.#barriers}`;
      this.send(frame(text, `40${name}`));
      await this.tcp.watch.until(() => this.tcp.closing || this.tcp.log.some(([, data]) => `${data}`.startsWith(`44${name},`)), "the barrier");
    }
  }
  /** What was received behind CONNECT. */
  seen() { return this.tcp.log.slice(2).filter(([, data]) => !`${data}`.startsWith("44/nowhere-")); }
}

const framed = (name, ...frames) => ({
  name, run: async ctx => {
    const session = await FrameSession.open(ctx);
    session.send(frames);
    await session.barrier();
    return ctx.transcript({ seen: session.seen() });
  },
});
/** The session ends: the server's close frame, and the connection, which the client ends when it has that. */
const ends = (name, ...frames) => ({
  name, run: async ctx => {
    const session = await FrameSession.open(ctx);
    session.send(frames);
    await session.tcp.watch.until(() => session.tcp.closing, "the end");
    session.tcp.close();
    await ctx.reported("a", "disconnect");
    return ctx.transcript({ seen: session.seen().filter(([kind]) => kind !== "end") });
  },
});

const echo = '42["echo",1]';
const halves = [frame(text, '42["ec', { fin: false }), frame(0, 'ho",1]')];
const frames = [
  framed("a text frame", frame(text, echo)),
  framed("a text frame in three fragments", frame(text, '42["', { fin: false }), frame(0, "echo", { fin: false }), frame(0, '",1]')),
  framed("a text frame with empty fragments", frame(text, "", { fin: false }), frame(0, "", { fin: false }), frame(0, echo, { fin: false }), frame(0, "")),
  framed("a ping between two fragments", halves[0], frame(ping, "x"), halves[1]),
  framed("a pong that nobody asked for", frame(pong, "x"), frame(text, echo)),
  framed("a ping", frame(ping, "hello")),
  framed("an empty ping", frame(ping)),
  framed("a ping of 125 bytes", frame(ping, "x".repeat(125))),
  framed("two frames in one segment", frame(text, '42["echo",1]'), frame(text, '42["echo",2]')),
  framed("a message with 16 bits of length", frame(text, `42["echo","${"x".repeat(300)}"]`)),
  framed("a message with 64 bits of length", frame(text, `42["echo","${"x".repeat(70_000)}"]`)),
  framed("an attachment in fragments", frame(text, '451-["echo",{"_placeholder":true,"num":0}]'), frame(binary, "ab", { fin: false }), frame(0, "cd")),
  framed("a length written longer than needed", frame(text, echo, { length: 16 })),
  framed("a length written much longer than needed", frame(text, echo, { length: 64 })),
  framed("characters of several bytes in two fragments", frame(text, Buffer.from('42["echo","\u00e9').subarray(0, 12), { fin: false }), frame(0, Buffer.concat([Buffer.from("\u00e9").subarray(1), Buffer.from('"]')]))),
  framed("a noop packet", frame(text, "6"), frame(text, echo)),
  framed("a pong packet", frame(text, "3"), frame(text, echo)),
  framed("an open packet", frame(text, "0"), frame(text, echo)),
  framed("an upgrade packet", frame(text, "5"), frame(text, echo)),
  framed("a close packet", frame(text, "1"), frame(text, echo)),
  framed("base64 in a text frame", frame(text, '451-["echo",{"_placeholder":true,"num":0}]'), frame(text, "bAQID")),
  ends("a ping packet", frame(text, "2")),
  ends("a probe packet", frame(text, "2probe")),
  ends("an unknown packet", frame(text, "7")),
  ends("an empty text frame", frame(text, "")),
  ends("a frame without a mask", frame(text, echo, { masked: false })),
  ends("a frame with RSV1", frame(text, echo, { rsv: 4 })),
  ends("a frame with RSV2", frame(text, echo, { rsv: 2 })),
  ends("a frame with RSV3", frame(text, echo, { rsv: 1 })),
  ends("the reserved opcode 3", frame(3, echo)),
  ends("the reserved opcode 11", frame(11, "")),
  ends("a continuation of nothing", frame(0, echo)),
  ends("a message inside another", halves[0], frame(text, echo)),
  ends("a ping in fragments", frame(ping, "x", { fin: false })),
  ends("a ping of 126 bytes", frame(ping, "x".repeat(126))),
  ends("text that is no UTF-8", frame(text, Buffer.from([0x34, 0x32, 0xff]))),
  ends("text that is no UTF-8 across fragments", frame(text, Buffer.from([0x34, 0xc3]), { fin: false }), frame(0, Buffer.from([0x28]))),
  ends("a surrogate in UTF-8", frame(text, Buffer.from([0x34, 0xed, 0xa0, 0x80]))),
  ends("a frame that is announced as too large", frame(text, "", { announce: 1_000_001n })),
  ends("fragments that are too large together", frame(text, "4".repeat(600_000), { fin: false }), frame(0, "4".repeat(600_000))),
  ends("a length with the highest bit", frame(text, "", { announce: 1n << 63n })),
  ends("a length beyond exact integers", frame(text, "", { announce: 1n << 53n })),
];

const closes = [
  ends("close without a code", frame(close)),
  ends("close 1000", frame(close, closing(1000))),
  ends("close 1000 with a reason", frame(close, closing(1000, "bye"))),
  ends("close 1001", frame(close, closing(1001))),
  ends("close 3000", frame(close, closing(3000))),
  ends("close 4999", frame(close, closing(4999))),
  ends("close 1005", frame(close, closing(1005))),
  ends("close 1006", frame(close, closing(1006))),
  ends("close 1004", frame(close, closing(1004))),
  ends("close 1012", frame(close, closing(1012))),
  ends("close 999", frame(close, closing(999))),
  ends("close 2999", frame(close, closing(2999))),
  ends("close 5000", frame(close, closing(5000))),
  ends("close with one byte", frame(close, "x")),
  ends("close with a reason that is no UTF-8", frame(close, Buffer.from([0x03, 0xe8, 0xff]))),
  ends("close of 126 bytes", frame(close, closing(1000, "x".repeat(124)))),
  { name: "the connection is cut", run: async ctx => {
    const session = await FrameSession.open(ctx);
    session.tcp.close();
    await ctx.reported("a", "disconnect");
    return ctx.transcript();
  } },
  { name: "the client ends its half of the connection", run: async ctx => {
    const session = await FrameSession.open(ctx);
    session.tcp.socket.end();
    await ctx.reported("a", "disconnect");
    return ctx.transcript({ seen: session.seen().filter(([kind]) => kind !== "end") });
  } },
  { name: "the server closes the connection", run: async ctx => {
    const session = await FrameSession.open(ctx);
    session.send(frame(text, '42["do",["disconnect",true]]'));
    await session.tcp.watch.until(() => session.tcp.log.some(([kind]) => kind === "close"), "the close frame");
    session.send(frame(close, closing(1000)));
    await session.tcp.watch.until(() => session.tcp.ended, "the end");
    return ctx.transcript({ seen: session.seen() });
  } },
];

// -- base64, compression --------------------------------------------------------------------------

const attachment = [frame(text, '451-["echo",{"_placeholder":true,"num":0}]'), frame(binary, "abc")];
const noTakeover = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
const others = [
  { name: "bytes go as base64 to a client that takes none", run: async ctx => {
    const session = await FrameSession.open(ctx, good + "&b64=1");
    session.send(attachment);
    await session.barrier();
    return ctx.transcript({ seen: session.seen() });
  } },
  { name: "a text of 2000 bytes is compressed, one of 100 is not", profile: "websocket", run: async ctx => {
    const session = await FrameSession.open(ctx, good, { "Sec-WebSocket-Extensions": noTakeover });
    session.send(frame(text, '42["do",["large",2000,"big"],["large",100,"small"]]'));
    await session.tcp.watch.until(() => session.seen().length >= 2, "both");
    return ctx.transcript({ agreed: /^permessage-deflate/.test(session.tcp.head.headers["sec-websocket-extensions"]), seen: session.seen() });
  } },
  { name: "compress(false) leaves a text as it is", profile: "websocket", run: async ctx => {
    const session = await FrameSession.open(ctx, good, { "Sec-WebSocket-Extensions": noTakeover });
    session.send(frame(text, `42["do",["compress",false,"big","${"x".repeat(2000)}"]]`));
    await session.tcp.watch.until(() => session.seen().length >= 1, "the event");
    return ctx.transcript({ seen: session.seen() });
  } },
  asked("compression: what is agreed on", good, { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" }, { profile: "websocket" }),
  asked("compression: what is agreed on without takeover", good, { "Sec-WebSocket-Extensions": noTakeover }, { profile: "websocket" }),
  asked("compression: an extension that nobody knows", good, { "Sec-WebSocket-Extensions": "x-webkit-deflate-frame" }, { profile: "websocket" }),
  asked("compression: an offer that cannot be read", good, { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=99" }, { profile: "websocket" }),
];

export const websocket = {
  name: "websocket", transports: ["websocket"], behaviours: [...upgrades, ...frames, ...closes, ...others],
};
