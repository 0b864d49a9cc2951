// Engine.IO over HTTP: handshakes and what refuses them, payloads, and the rules of one GET and one POST at a time.
import { begin, both, handshake, joined, pollingPath, soon } from "./polling_session.mjs";

// -- handshakes -----------------------------------------------------------------------------------

const asked = (name, query, options = {}) => ({
  name, run: async ctx => ctx.transcript({ response: await handshake(ctx, query, options) }),
});

const handshakes = [
  asked("a handshake", "EIO=4&transport=polling"),
  asked("a handshake with parameters of the application", "EIO=4&transport=polling&user=a%20b&t=abc"),
  asked("a handshake with an empty session id", "EIO=4&transport=polling&sid="),
  asked("a handshake of a client that takes no bytes", "EIO=4&transport=polling&b64=1"),
  asked("a handshake of Internet Explorer", "EIO=4&transport=polling", { headers: { "user-agent": "Mozilla/4.0 (compatible;MSIE 10.0; Windows NT 6.2; Trident/6.0)" } }),
  asked("a handshake with an Origin, without CORS", "EIO=4&transport=polling", { headers: { origin: "http://other.example" } }),
  asked("a handshake with a JSONP parameter", "EIO=4&transport=polling&j=0"),
  asked("the version is missing", "transport=polling"),
  asked("the version is 3", "EIO=3&transport=polling"),
  asked("the version is 5", "EIO=5&transport=polling"),
  asked("the version is text", "EIO=abc&transport=polling"),
  asked("the version is empty", "EIO=&transport=polling"),
  asked("the version is written otherwise", "EIO=04&transport=polling"),
  asked("the version stands there twice", "EIO=3&EIO=4&transport=polling"),
  asked("the transport is missing", "EIO=4"),
  asked("the transport is unknown", "EIO=4&transport=tcp"),
  asked("the transport has another case", "EIO=4&transport=Polling"),
  asked("the transport is empty", "EIO=4&transport="),
  asked("the transport is a property of all objects", "EIO=4&transport=constructor"),
  asked("the transport is WebTransport", "EIO=4&transport=webtransport"),
  asked("the transport is websocket without an upgrade", "EIO=4&transport=websocket"),
  asked("the transport stands there twice", "EIO=4&transport=websocket&transport=polling"),
  asked("there is no query", ""),
  asked("names are percent-encoded", "%45IO=4&trans%70ort=polling"),
  asked("the method is POST", "EIO=4&transport=polling", { method: "POST", body: "40" }),
  asked("the method is PUT", "EIO=4&transport=polling", { method: "PUT" }),
  asked("the method is DELETE", "EIO=4&transport=polling", { method: "DELETE" }),
  asked("the method is OPTIONS, without CORS", "EIO=4&transport=polling", { method: "OPTIONS" }),
  asked("the method is HEAD", "EIO=4&transport=polling", { method: "HEAD" }),
  asked("the version and the transport are wrong", "EIO=3&transport=tcp"),
  asked("the version and the method are wrong", "EIO=3&transport=polling", { method: "POST" }),
  asked("the session is unknown", "EIO=4&transport=polling&sid=abcdefghijklmnopqrst"),
  asked("the session is unknown and the version wrong", "EIO=3&transport=polling&sid=abcdefghijklmnopqrst"),
  asked("the session is a property of all objects", "EIO=4&transport=polling&sid=__proto__"),
  asked("the session is unknown, and the method is POST", "EIO=4&transport=polling&sid=abcdefghijklmnopqrst", { method: "POST", body: "40" }),
  asked("the session is long", `EIO=4&transport=polling&sid=${"a".repeat(2000)}`),
  { name: "a path that only begins so", run: async ctx => ctx.transcript({ response: await ctx.shown(`/socket.io/more/of/it?EIO=4&transport=tcp`) }) },
  { name: "a path without its slash", run: async ctx => ctx.transcript({ status: (await ctx.request("/socket.io?EIO=4&transport=polling")).status }) },
  { name: "another path", run: async ctx => ctx.transcript({ status: (await ctx.request("/other/?EIO=4&transport=polling")).status }) },
  { name: "two handshakes have two ids", run: async ctx => {
    const [a, b] = [await begin(ctx, "a"), await begin(ctx, "b")];
    return ctx.transcript({ different: a.sid !== b.sid, form: [a.sid, b.sid].map(sid => /^[\w-]{20}$/.test(sid)) });
  } },
];

// -- what a session takes -------------------------------------------------------------------------

/** Posts each body and polls behind it; then whether the session is still there. */
const posted = (name, bodies, options = {}) => ({
  name, run: async ctx => {
    const session = await joined(ctx);
    const responses = [];
    for (const body of bodies) responses.push(await session.post(body, options));
    return ctx.transcript({ responses, rest: await session.rest() });
  },
});

const payloads = [
  posted("one packet", ['42["echo",1]']),
  posted("three packets", ['42["echo",1]\x1e42["echo",2]\x1e42["echo",3]']),
  posted("three bodies", ['42["echo",1]', '42["echo",2]', '42["echo",3]']),
  posted("a binary packet", ['451-["echo",{"_placeholder":true,"num":0}]\x1ebAQID']),
  posted("a binary packet in a body of its own", ['451-["echo",{"_placeholder":true,"num":0}]', "bAQID"]),
  posted("a binary packet without padding", ['451-["echo",{"_placeholder":true,"num":0}]\x1ebAQ']),
  posted("a binary packet that is empty", ['451-["echo",{"_placeholder":true,"num":0}]\x1eb']),
  posted("a binary packet that is no base64", ['451-["echo",{"_placeholder":true,"num":0}]\x1eb*?!']),
  posted("a binary packet in the other alphabet", ['451-["echo",{"_placeholder":true,"num":0}]\x1eb-_-_']),
  posted("characters of several bytes", ['42["echo","\u00e9\u2028\ud83d\ude00"]']),
  posted("a pong that nobody waits for", ["3", '42["echo",1]']),
  posted("a pong with data", ["3probe", '42["echo",1]']),
  posted("a noop", ["6", '42["echo",1]']),
  posted("an upgrade packet", ["5", '42["echo",1]']),
  posted("an open packet", ['0{"sid":"x"}', '42["echo",1]']),
  posted("a ping", ["2"]),
  posted("a probe", ["2probe"]),
  posted("a close packet", ["1"]),
  posted("a close packet behind another", ['42["echo",1]\x1e1']),
  posted("an unknown packet", ["7"]),
  posted("a word", ["abc"]),
  posted("an unknown packet behind another", ['42["echo",1]\x1e9']),
  posted("an empty body", [""]),
  posted("an empty packet behind another", ['42["echo",1]\x1e']),
  posted("an empty packet before another", ['\x1e42["echo",1]']),
  posted("a body of version 3", ['13:42["echo",1]']),
  posted("a form", ["d=4"], { headers: { "content-type": "application/x-www-form-urlencoded" } }),
  posted("text/plain", ['42["echo",1]'], { headers: { "content-type": "text/plain;charset=UTF-8" } }),
  posted("application/json", ['42["echo",1]'], { headers: { "content-type": "application/json" } }),
  posted("application/octet-stream", ['42["echo",1]'], { headers: { "content-type": "application/octet-stream" } }),
  posted("Internet Explorer", ['42["echo",1]'], { headers: { "user-agent": "x;MSIE 9" } }),
  posted("a body of 900 KB", [`42["echo","${"x".repeat(900_000)}"]`]),
  posted("a body that is too large", [`42["echo","${"x".repeat(1_000_001)}"]`, '42["echo",1]']),
  { name: "a body in chunks", run: async ctx => {
    const session = await joined(ctx);
    const response = await session.postChunks(['42["ec', 'ho","\u00e9', '"]']);
    return ctx.transcript({ response, rest: await session.rest() });
  } },
];

// -- other methods, parameters that do not fit -----------------------------------------------------

const sent = (name, make) => ({
  name, run: async ctx => {
    const session = await joined(ctx);
    return ctx.transcript({ response: await make(session, ctx), rest: await session.rest() });
  },
});

const requests = [
  ...["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"].map(method => sent(`${method} of a session`, session => session.request(method))),
  sent("GET with version 3", session => session.request("GET", { query: "EIO=3&transport=polling" })),
  sent("GET without a version", session => session.request("GET", { query: "transport=polling" })),
  sent("POST with version 3", session => session.request("POST", { query: "EIO=3&transport=polling", body: "3" })),
  sent("GET with transport websocket", session => session.request("GET", { query: "EIO=4&transport=websocket" })),
  sent("POST with transport websocket", session => session.request("POST", { query: "EIO=4&transport=websocket", body: "3" })),
  sent("GET with an unknown transport", session => session.request("GET", { query: "EIO=4&transport=tcp" })),
];

// -- one at a time --------------------------------------------------------------------------------

const sortedByStatus = responses => responses.sort((a, b) => (a.status ?? 0) - (b.status ?? 0));

const overlaps = [
  { name: "two GETs at once", run: async ctx => {
    const session = await joined(ctx);
    const responses = await both(session.poll(), () => session.poll());
    return ctx.transcript({ responses: sortedByStatus(responses), after: await session.poll() });
  } },
  { name: "two POSTs at once", run: async ctx => {
    const session = await joined(ctx);
    const first = session.postSlowly('42["echo",1]');
    await soon();
    const second = await session.post('42["echo",2]', { headers: { connection: "keep-alive" } });
    return ctx.transcript({ second, first: await first.finish(), after: await session.poll() });
  } },
  { name: "a second POST gets one response", run: async ctx => {
    const tries = Array.from({ length: 60 }, async () => {
      const session = await begin(ctx, "a");
      const first = session.postSlowly("40");
      await soon();
      const tcp = ctx.tcp();
      tcp.write(`POST ${session.path()} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n40`);
      await tcp.watch.until(() => tcp.ended, "the end");
      first.destroy();
      return tcp.rest.includes("HTTP/1.1");
    });
    return { twoResponses: (await Promise.all(tries)).some(Boolean) };
  } },
  { name: "volatile while a GET waits", run: async ctx => {
    const session = await joined(ctx);
    const [poll] = await both(session.poll(), () => session.post('42["do",["volatile","perhaps"]]'));
    return ctx.transcript({ poll, rest: await session.rest() });
  } },
  { name: "volatile while nobody polls", run: async ctx => {
    const session = await joined(ctx);
    await session.post('42["do",["volatile","perhaps"]]');
    return ctx.transcript({ rest: await session.rest() });
  } },
  { name: "a volatile broadcast while nobody polls", run: async ctx => {
    const session = await joined(ctx);
    const room = ctx.room("r");
    await session.post(`42["do",["join","${room}"],["chain","nsp",[["to","${room}"],["volatile"]],"emit","perhaps"]]`);
    return ctx.transcript({ rest: await session.rest() });
  } },
  { name: "a GET and a POST at once", run: async ctx => {
    const session = await joined(ctx);
    const responses = await both(session.poll(), () => session.post('42["echo",1]'));
    return ctx.transcript({ responses });
  } },
  { name: "a close packet frees the waiting GET", run: async ctx => {
    const session = await joined(ctx);
    const responses = await both(session.poll(), () => session.post("1"));
    return ctx.transcript({ responses, after: await session.poll() });
  } },
  { name: "a malformed packet frees the waiting GET", run: async ctx => {
    const session = await joined(ctx);
    const [poll] = await both(session.poll(), () => session.post("7"));
    return ctx.transcript({ poll, after: await session.poll() });
  } },
  { name: "a GET that is given up", run: async ctx => {
    const session = await joined(ctx);
    const poll = session.pollAnd(request => soon().then(() => request.destroy()));
    await poll;
    await ctx.reported("a", "disconnect");
    return ctx.transcript({ after: await session.poll() });
  } },
  { name: "a POST that is given up", run: async ctx => {
    const session = await joined(ctx);
    const post = session.postSlowly('42["echo",1]');
    await soon();
    post.destroy();
    await ctx.reported("a", "disconnect");
    return ctx.transcript({ after: await session.poll() });
  } },
  { name: "packets that came while nobody polled come together", run: async ctx => {
    const session = await joined(ctx);
    for (const i of [1, 2, 3]) await session.post(`42["echo",${i}]`);
    return ctx.transcript({ poll: await session.poll() });
  } },
  { name: "bytes come as base64", run: async ctx => {
    const session = await joined(ctx);
    await session.post('451-["echo",{"_placeholder":true,"num":0}]\x1ebAQIDBA==');
    return ctx.transcript({ poll: await session.poll() });
  } },
  { name: "the server disconnects while a GET waits", run: async ctx => {
    const session = await joined(ctx);
    const responses = await both(session.poll(), () => session.post('42["do",["disconnect",true]]'));
    return ctx.transcript({ responses, rest: await session.rest(3) });
  } },
  { name: "the server disconnects while nobody polls", run: async ctx => {
    const session = await joined(ctx);
    const post = await session.post('42["do",["disconnect",true]]');
    return ctx.transcript({ post, rest: await session.rest(3) });
  } },
  { name: "the server leaves one namespace while a GET waits", run: async ctx => {
    const session = await joined(ctx);
    const responses = await both(session.poll(), () => session.post('42["do",["disconnect",false]]'));
    return ctx.transcript({ responses, rest: await session.rest() });
  } },
  { name: "HTTP 1.0", run: async ctx => {
    const tcp = ctx.tcp();
    tcp.write(`GET ${pollingPath(ctx, "tcp")} HTTP/1.0\r\nHost: localhost\r\n\r\n`);
    await tcp.watch.until(() => tcp.ended, "the end");
    return ctx.transcript({ status: tcp.head.status, body: /^0\{"sid"/.test(tcp.rest) });
  } },
];

export const polling = {
  name: "polling", transports: ["polling"], behaviours: [...handshakes, ...payloads, ...requests, ...overlaps],
};

