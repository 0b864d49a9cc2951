// What may differ. `behaviours` are "group: behaviour"; `at` says where in their transcripts (a pattern over paths);
// `in` names the transports and `parsers` the parsers, if it is not all of the behaviour's. A difference elsewhere fails the run, and so does an
// entry whose difference has gone.

const named = (group, ...names) => names.map(name => `${group}: ${name}`);
const everything = /./;

/** Differences that we want, each with its reason. */
export const deliberate = [
  // -- Socket.IO packets ---------------------------------------------------------------------------
  { reason: "RELIABILITY S1: an id has at most 16 digits and is exact", at: everything, behaviours: named("packets", "an ack id that is too large") },
  { reason: "RELIABILITY S2: a packet is decoded by a schema: an event has a list with a name, an ack has a list", at: everything,
    behaviours: named("packets", "no payload", "an ack without a payload", "an ack without anything") },
  { reason: "RELIABILITY S2: the number of a placeholder is an integer, and each attachment is used once", at: everything,
    behaviours: named("packets", "a placeholder whose number is a fraction", "one attachment used twice") },
  { reason: "the reference takes a byte order mark for the digit 0", at: everything, behaviours: named("packets", "a byte order mark before the JSON") },
  { reason: "RELIABILITY 5: JSON has a depth of at most 32 (limits.json_depth_max)", at: everything, behaviours: named("packets", "nesting of 40") },
  { reason: "RELIABILITY S11: a name has at most 128 bytes (limits.event_name_bytes_max)", at: everything, behaviours: named("packets", "a name of 200 bytes") },
  { reason: "value.h: JSON that nobody looked into is passed on as it came; the reference writes null and 0", at: /^clients\.a\[1\]$/,
    behaviours: named("packets", "a number that is too large", "minus zero") },
  { reason: "the reference joins and leaves a tick later than the packet, and so loses or refuses what stands behind it in the same read", at: everything,
    behaviours: named("packets", "CONNECT and an event in one body", "DISCONNECT and an event in one body", "DISCONNECT and CONNECT in one body",
      "two CONNECTs in one body", "an attachment too many in one body") },
  { reason: "the same: the reference makes two sockets", at: everything, behaviours: named("middleware", "CONNECT again while the middleware waits") },

  // -- Engine.IO over HTTP -------------------------------------------------------------------------
  { reason: "the official protocol suite wants 400 for a malformed body; the reference closes the session and answers ok", at: /^responses/,
    behaviours: named("polling", "an unknown packet", "a word", "an unknown packet behind another", "an empty body", "an empty packet behind another",
      "an empty packet before another", "a form") },
  { reason: "RELIABILITY E3: every request is answered; the reference cuts the one that was under way", at: /^(first|response)/,
    behaviours: [...named("polling", "two POSTs at once"), ...named("upgrade", "a POST that is under way when the upgrade comes")] },
  { reason: "docs/reference/errors.md: a refusal of HTTP has a problem document", at: /^responses\[0\]\.(headers\.content-type|body)$/,
    behaviours: named("polling", "a body that is too large") },

  // -- WebSocket -----------------------------------------------------------------------------------
  { reason: "RELIABILITY W12: a wrong version is refused before the switch; the reference writes HTTP into the open WebSocket", at: everything,
    behaviours: named("websocket", "the version is missing", "the version is 3", "the version is text") },
  { reason: "RELIABILITY W12: what is no WebSocket transport is refused before the switch", at: everything, behaviours: named("websocket", "the transport is polling") },
  { reason: "RELIABILITY W12: a wrong WebSocket version is 426 with the right one", at: /^response/,
    behaviours: named("websocket", "the WebSocket version is missing", "the WebSocket version is 12", "Connection does not name Upgrade") },
  { reason: "docs/reference/errors.md: a refusal of HTTP has a problem document", at: /^response\.(headers\.content-type|body)$/,
    behaviours: named("websocket", "the key is missing", "the key is short", "Upgrade is something else") },
  { reason: "RELIABILITY W12: no tunnel stays open behind another path; the reference waits for a second", at: everything, behaviours: named("websocket", "another path") },
  { reason: "RELIABILITY W2: a length is written as short as it can be", at: everything,
    behaviours: named("websocket", "a length written longer than needed", "a length written much longer than needed") },
  { reason: "RELIABILITY W1: a length with the highest bit is 1002", at: /^seen\[0\]\[1\]$/, behaviours: named("websocket", "a length with the highest bit") },
  { reason: "RELIABILITY D2: no context takeover, both ways", at: /^response\.(headers\.sec-websocket-extensions|first)/,
    behaviours: named("websocket", "compression: what is agreed on") },
  { reason: "RELIABILITY W14: an offer that cannot be read is declined", at: everything, behaviours: named("websocket", "compression: an offer that cannot be read") },
  { reason: "compress(false) does not compress; the reference's WebSocket transport forgets it", at: /^seen\[0\]/,
    behaviours: named("websocket", "compress(false) leaves a text as it is") },
  { reason: "CORS says nothing to a WebSocket", at: /^response\.headers\.access-control-allow-origin$/, behaviours: named("websocket", "an upgrade with an Origin and CORS") },
  { reason: "only a polling session is upgraded", at: /^probe/, behaviours: named("upgrade", "a try for a session that is a WebSocket") },
  { reason: "PROTOCOLS 5, bug 1: the reference forgets the heartbeat when a ping is under way", at: /^(outcome|reports)/,
    behaviours: named("heartbeat", "an upgrade while a ping waits for its answer") },

  { reason: "of two encodings that are equally welcome the smaller one is taken", at: /^headers\.content-encoding$/,
    behaviours: named("options", "httpCompression: a large body for both") },
  { reason: "RFC 9110 12.5.5: what is compressed for some says so to caches", at: /^headers\.vary$/,
    behaviours: named("options", "client: socket.io.js", "client: socket.io.min.js", "client: socket.io.esm.min.js", "client: socket.io.msgpack.min.js",
      "client: with a query", "client: for gzip", "client: with CORS") },

  // -- the server's API ----------------------------------------------------------------------------
  { reason: "RELIABILITY S5: a question to who has gone ends at once", at: /^reports\.a\[3\]/,
    behaviours: named("acks", "the client leaves without answering, and there is no timeout", "the client leaves without answering, and there is a timeout") },
  { reason: "socket.h: an answer does nothing after the socket's end; stock clients ignore the reference's", at: /^clients\.a\[2\]$/,
    behaviours: named("lifecycle", "the answer to an event that disconnects the socket") },
  { reason: "socket.h: a refusal by a middleware is the event's answer", at: /^outcome$/,
    behaviours: named("middleware", "a middleware refuses an event that asks for an answer") },
  { reason: "RELIABILITY S7: a room named like a socket's id is that socket's own", at: everything, behaviours: named("rooms", "join the id of somebody else") },
  { reason: "RELIABILITY S7: a socket always has its own room", at: everything, behaviours: named("rooms", "leave one's own id") },
  { reason: "RELIABILITY 5: names of rooms have 1 to 255 bytes", at: /^results/, behaviours: named("rooms", "an empty name", "a name of 300 bytes") },
  { reason: "RELIABILITY S6: at most 128 rooms for a socket", at: /^(results|reports)/, behaviours: named("rooms", "two hundred rooms") },
  { reason: "docs/explain/recovery.md: a client that has received nothing yet can come back", at: /^recovered$/,
    behaviours: named("recovery", "a client that has received nothing") },
  { reason: "value.h: what is undefined, or a date, is null, or text: as in JSON", at: /^(results\[0\]\.answers|clients\.a\[1\]\[2\])/, parsers: ["msgpack"],
    behaviours: [...named("more API", "broadcast acks: answers of several values, and none"), ...named("events", "echo: undefined", "echo: members that are undefined", "echo: a date")] },
  { reason: "RELIABILITY S6: at most 16 namespaces for a connection", at: everything, behaviours: named("namespaces", "twenty namespaces") },
];

/** Differences that we do not want: each waits for its defect to be repaired, and then goes. */
export const knownDefects = [
];

/** Operations whose API Wirehall does not have; behaviours that need them wait. Any other one that is missing fails. */
export const absentOperations = [
  "onAnyKept", "offAnyOne", "listenersAny", "onAnyOutgoingKept", "offAnyOutgoingOne", "listenersAnyOutgoing",
  "closeEngine", "time", "reportErrors", "namespaces",
];
