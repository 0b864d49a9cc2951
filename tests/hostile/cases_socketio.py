"""Socket.IO packets, over a WebSocket and over polling. An event that the hall does not know is answered as such,
which shows that it was delivered."""
import json

from cases_engineio import PROFILE as ENGINE_PROFILE
from steps import (UNKNOWN, Case, acked, answer, emitted, engine_ended, late, ok, packet, packet_like, poll,
                   post, session_gone, socketio_goes_on, timed, use)
from wire import binary, text

TABLE = "RELIABILITY 3.4"
PROFILE = ENGINE_PROFILE


def fatal(name, *packets, row=TABLE, over="socketio"):
    """The last packet ends the session; nothing is said before."""
    sent = b"".join(one if isinstance(one, bytes) else emitted(one) for one in packets)
    return Case(name, row, (sent + emitted('2999["after"]'), engine_ended()), over=over)


def delivered(name, *packets, row=TABLE, number=1):
    """What was sent is an event with the ack id 1, and the hall gets it."""
    sent = b"".join(one if isinstance(one, bytes) else emitted(one) for one in packets)
    return Case(name, row, (sent, acked(number), socketio_goes_on()), over="socketio")


BYTES = binary(b"\x01\x02\x03")


def placeholder(number):
    return '{"_placeholder":true,"num":' + number + "}"


ATTACHMENTS = [
    delivered("an attachment is put where its placeholder is", f'51-1["x",{placeholder("0")}]', BYTES,
              row="PROTOCOLS 3.3"),
    *[fatal(f"a placeholder with the number {number} ends the session", f'51-1["x",{placeholder(number)}]', BYTES)
      for number in ('"splice"', "-1", "0.5", "99", "1", "1e9", "null", "{}", "true", '"0"')],
    fatal("a placeholder without a number ends the session", '51-1["x",{"_placeholder":true}]', BYTES,
          row="RELIABILITY S2"),
    fatal("a number that is used twice ends the session",
          f'51-1["x",{placeholder("0")},{placeholder("0")}]', BYTES),
    fatal("ten thousand placeholders for one attachment end the session",
          '51-1["x",' + ",".join([placeholder("0")] * 10_000) + "]", BYTES, row="RELIABILITY S2"),
    delivered("what is marked with 1 instead of true is no placeholder", '51-1["x",{"_placeholder":1,"num":"splice"}]',
              BYTES, row="RELIABILITY S2"),
    delivered("a placeholder in an event without attachments is an object like any other",
              f'21["x",{placeholder("0")}]', row="PROTOCOLS 3.3"),
    delivered("ten attachments are as many as are taken",
              '510-1["x",' + ",".join(placeholder(str(i)) for i in range(10)) + "]", BYTES * 10, row="RELIABILITY S3"),
    fatal("eleven attachments are too many at once", '511-1["x"]'),
    fatal("5999 attachments are too many at once", '5999-1["x"]', row="RELIABILITY S3"),
    *[fatal(f"the attachment count of {head!r} ends the session", head + '["x"]', row="RELIABILITY S3")
      for head in ("5", "5-", "5x-", "5-1-", "51.5-", "5+1-", "51e1-", "51", "5 1-")],
    fatal("an attachment count of 999,000 digits ends the session", "5" + "1" * 999_000 + '-["x"]',
          row="RELIABILITY S1"),
    fatal("text inside a reassembly ends the session", f'51-1["x",{placeholder("0")}]', '2["y"]'),
    fatal("a second binary event inside a reassembly ends the session", f'51-1["x",{placeholder("0")}]',
          f'51-2["x",{placeholder("0")}]', row="RELIABILITY S3"),
    fatal("binary data with none expected ends the session", BYTES),
    fatal("binary data behind the last attachment ends the session",
          f'51-["x",{placeholder("0")}]', BYTES + BYTES),
    fatal("binary data before CONNECT ends the session", BYTES, over="engine"),
    fatal("a binary event that announces no attachments ends the session", '50-1["x"]', '22["y"]',
          row="RELIABILITY S4"),
    fatal("attachments of more than a million bytes together end the session",
          '53-1["x",' + ",".join(placeholder(str(i)) for i in range(3)) + "]", binary(b"b" * 400_000) * 3,
          row="RELIABILITY S3"),
    fatal("a binary ack that is no array ends the session", "61-1{}", BYTES, row="PROTOCOLS 3.3"),
    Case("attachments that have not come after 30 s end the session", TABLE,
         (emitted(f'51-1["x",{placeholder("0")}]'), timed(engine_ended(within=34), 28, 33)), over="socketio",
         slow=True),
]

IDS = [
    fatal("an ack id of 17 digits ends the session", '212345678901234567["x"]'),
    delivered("the largest ack id is 2^53 - 1", '29007199254740991["x"]', number=9007199254740991,
              row="RELIABILITY S1"),
    fatal("an ack id of 2^53 ends the session", '29007199254740992["x"]', row="RELIABILITY S1"),
    fatal("an ack id of 999,000 digits ends the session", "2" + "1" * 999_000 + '["x"]', row="RELIABILITY S1"),
    *[Case(f"the answer {packet_text} to a question that was not asked is passed over", TABLE,
           (emitted(packet_text), socketio_goes_on()), over="socketio")
      for packet_text in ("399[]", '30["x"]', "39007199254740991[1,2,3]")],
    fatal("an answer that is no array ends the session", "31{}", row="PROTOCOLS 3.3"),
    fatal("an answer without data ends the session", "31", row="PROTOCOLS 3.3"),
    *[fatal(f"the ack id of {packet_text} is none", packet_text, row="PROTOCOLS 3.3")
      for packet_text in ('2-1["x"]', '21.5["x"]', '2 1["x"]', '2+1["x"]', '20x1["x"]')],
]


def event(*arguments):
    return "21" + json.dumps(arguments)


EVENTS = [
    *[fatal(f"the reserved event {name} ends the session", event(name))
      for name in ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")],
    *[fatal(f"the event payload {payload or 'nothing'} ends the session", "21" + payload)
      for payload in ("{}", "[]", "[null]", "[true]", "[{}]", "[[]]", "[[1]]", '"x"', "null", "", "x", "[undefined]")],
    delivered("an event may be a number", "21[1]"),
    delivered("an event may be a negative fraction", "21[-1.5]", row="RELIABILITY S11"),
    *[delivered(f"an event named {json.dumps(name)} is nothing special", event(name), row="RELIABILITY S11")
      for name in ("__proto__", "constructor", "hasOwnProperty", "", "\u202e", "a\0b", "Connect", "message\n")],
    delivered("an event name of 128 bytes is taken", event("n" * 128),
              row="RELIABILITY S11"),
    fatal("an event name of 129 bytes ends the session", event("n" * 129),
          row="RELIABILITY S11"),
    fatal("an event name of 900,000 bytes ends the session", '21["' + "n" * 900_000 + '"]', row="RELIABILITY S11"),
    *[fatal(f"the packet type {kind!r} ends the session", kind + '["x"]', row="PROTOCOLS 3.3")
      for kind in ("7", "8", "9", "x", "-1", " 2", "\u0662")],
    fatal("an empty packet ends the session", "", row="PROTOCOLS 3.3"),
    fatal("a CONNECT_ERROR of the client's ends the session", '4{"message":"no"}', row="PROTOCOLS 3.3"),
]


def nested(depth):
    """An event nested so deeply: one array for the event, and others in it."""
    return '21["x",' + "[" * (depth - 1) + "]" * (depth - 1) + "]"


JSON = [
    delivered("nesting of 32 is as deep as is taken", nested(32)),
    fatal("nesting of 33 is too deep", nested(33)),
    fatal("500,000 opening brackets are too deep, and cost no stack", '21["x",' + "[" * 500_000),
    fatal("150,000 opening objects are too deep", '21["x",' + '{"a":' * 150_000, row="RELIABILITY J1"),
    *[fatal(f"{what} is no JSON", packet_text, row="RELIABILITY J4")
      for what, packet_text in (
          ("a cut array", '21["x"'), ("a comma at the end", '21["x",]'), ("two commas", '21["x",,1]'),
          ("a leading zero", '21["x",01]'), ("NaN", '21["x",NaN]'), ("Infinity", '21["x",Infinity]'),
          ("a hexadecimal number", '21["x",0x1]'), ("an unknown escape", '21["x","\\x41"]'),
          ("a raw tab in a string", '21["x","\t"]'), ("what follows the array", '21["x"]]'),
          ("a second array", '21["x"]["y"]'), ("a comment", '21["x"/**/]'), ("a single quote", "21['x']"),
          ("a byte order mark", '21\ufeff["x"]'), ("a form feed", '21["x",\f1]'))],
    *[delivered(f"{what} is JSON", packet_text, row="RELIABILITY J4")
      for what, packet_text in (
          ("a lone surrogate in escapes", '21["x","\\ud800"]'), ("a huge exponent", '21["x",1e999]'),
          ("a number of a thousand digits", '21["x",' + "1" * 1000 + "]"), ("a key twice", '21["x",{"a":1,"a":2}]'),
          ("white space everywhere", '21[ "x" ,\t1 ]\r\n'),
          ("a key named __proto__", '21["x",{"__proto__":{"a":1}}]'), ("an escaped NUL", '21["x","\\u0000"]'))],
    delivered("200,000 numbers in a list are an event", '21["x",[0' + ",0" * 199_999 + "]]", row="RELIABILITY J2"),
    fatal("450,000 values in one event are too many", '21["x",[0' + ",0" * 449_999 + "]]", row="RELIABILITY J2"),
    delivered("4,000 arguments are an event", '21["x"' + ",0" * 4_000 + "]", row="RELIABILITY J2"),
    fatal("400,000 arguments are too many", '21["x"' + ",0" * 400_000 + "]", row="RELIABILITY J2"),
]

NAMESPACES = [
    fatal("an event before CONNECT ends the session", '2["x"]', over="engine"),
    fatal("an answer before CONNECT ends the session", "31[]", over="engine", row="PROTOCOLS 3.3"),
    fatal("a DISCONNECT before CONNECT ends the session", "1", over="engine", row="PROTOCOLS 3.3"),
    fatal("a second CONNECT to the same namespace ends the session", "0"),
    *[Case(f"CONNECT to the undefined namespace {name} is refused", TABLE,
           (emitted(f"0{name},"), packet("44" + name + ',{"message":"Invalid namespace"}'), socketio_goes_on()),
           over="socketio")
      for name in ("/x", "/__proto__", "/constructor", "//", "/x/y", "/\u20ac", "/" + "n" * 254)],
    fatal("a namespace of 256 bytes ends the session", "0/" + "n" * 255 + ",", row="RELIABILITY 5 Socket.IO"),
    *[fatal(f"the CONNECT payload {payload} ends the session", "0" + payload, over="engine", row="PROTOCOLS 3.3")
      for payload in ('"x"', "[]", "null", "-1", "true", "{", '{"a":}', "{}{}")],
    fatal("an event to a namespace that was not joined ends the session", '2/x,["y"]', row="PROTOCOLS 3.3"),
    fatal("leaving a namespace that was not joined ends the session", "1/x,", row="PROTOCOLS 3.3"),
    fatal("a DISCONNECT with a payload ends the session", "1{}", row="PROTOCOLS 3.3"),
    Case("after DISCONNECT an event ends the session", "PROTOCOLS 3.3",
         (emitted("1") + emitted('2["x"]'), engine_ended()), over="socketio"),
    Case("200 undefined namespaces are refused one by one", "RELIABILITY S6",
         (b"".join(emitted(f"0/n{i},") for i in range(200)),
          *[packet(f'44/n{i},{{"message":"Invalid namespace"}}') for i in range(200)], socketio_goes_on()),
         over="socketio"),
    fatal("nesting of 33 in the payload of CONNECT is too deep", "0" + '{"a":' * 33 + "1" + "}" * 33, over="engine"),
]


def emit(event, *arguments, number=1):
    return late(lambda s: text(s.filled(f"42{number}" + json.dumps([event, *arguments]))))


def failed(kind):
    return packet_like(r'431\[\{"error":"[^"]+","code":"' + kind + r'"\}\]')


ROOMS = [
    *[Case(f"a room whose name is {what} cannot be joined", "RELIABILITY 5 Socket.IO",
           (emit("join-room", name), failed("invalid-format"), socketio_goes_on()), over="socketio")
      for what, name in (("empty", ""), ("256 bytes long", "r" * 256), ("a line break", "a\nb"), ("a NUL", "\0"),
                         ("a number", 1), ("an object", {}), ("a list", ["a"]), ("null", None))],
    # Six victims, so that some of them are on another shard than the intruder.
    Case("nobody joins the room that is another's own socket", "RELIABILITY S7",
         (*[use(f"victim {i}", "socketio") for i in range(6)], use("main"),
          *[step for i in range(6) for step in (
              late(lambda s, i=i: emitted(event("join-room", s.links[f"victim {i}"].variables["SOCKET"]))),
              failed("access-denied"))], socketio_goes_on()), over="socketio"),
    Case("what a client says about itself is not believed in a broadcast", "SPEC 3",
         (emit("join-room", "<ROOM>"), packet_like(r'431\[\{"success":true.*'), use("other", "socketio"),
          emit("join-room", "<ROOM>"), packet_like(r'431\[\{"success":true.*'),
          emit("broadcast", {"room": "<ROOM>", "data": 1, "from": "admin"}), packet_like(r'431\[\{"success":true.*'),
          use("main"), packet_like(r'42\["user-joined",.*'), packet_like(r'42\["broadcast",\{(?!.*admin).*')),
         over="socketio"),
    Case("a placeholder that a client made up reaches the others as it is", "PROTOCOLS 3.3",
         (emit("join-room", "<ROOM>"), packet_like(r'431\[\{"success":true.*'), use("other", "socketio"),
          emit("join-room", "<ROOM>"), packet_like(r'431\[\{"success":true.*'),
          emit("broadcast", {"room": "<ROOM>", "data": {"_placeholder": True, "num": 0}}),
          packet_like(r'431\[\{"success":true.*'), use("main"), packet_like(r'42\["user-joined",.*'),
          packet_like(r'42\["broadcast",\{.*"data":\{"_placeholder":true,"num":0\}.*\}\]')), over="socketio"),
]


def polled(name, row, body, *after):
    return Case(name, row, (post(body), *after), over="socketio_polling")


ENDS = (answer(200, 400), session_gone())

POLLING = [
    Case("an event over polling is answered by the next poll", TABLE,
         (post('421["x"]'), ok(), poll(), answer(200, body=f"431{UNKNOWN}".encode())), over="socketio_polling"),
    Case("an attachment over polling is put where its placeholder is", TABLE,
         (post(f'451-1["x",{placeholder("0")}]\x1ebAQID'), ok(), poll(), answer(200, body=f"431{UNKNOWN}".encode())),
         over="socketio_polling"),
    Case("an event and its attachment may come in two requests", TABLE,
         (post(f'451-1["x",{placeholder("0")}]'), ok(), post("bAQID"), ok(), poll(),
          answer(200, body=f"431{UNKNOWN}".encode())), over="socketio_polling"),
    *[polled(f"over polling: {what} ends the session", row, body, *ENDS)
      for what, row, body in (
          ("a placeholder named splice", TABLE, f'451-["x",{placeholder(chr(34) + "splice" + chr(34))}]\x1ebAQID'),
          ("eleven attachments", TABLE, '4511-["x"]'), ("text inside a reassembly", TABLE,
                                                         f'451-["x",{placeholder("0")}]\x1e42["y"]'),
          ("binary data with none expected", TABLE, "bAQID"), ("a reserved event", TABLE, '42["disconnect"]'),
          ("an ack id of 17 digits", TABLE, '4212345678901234567["x"]'), ("nesting of 33", TABLE, "4" + nested(33)),
          ("a second CONNECT", TABLE, "40"), ("an event for another namespace", "PROTOCOLS 3.3", '42/x,["y"]'),
          ("an unknown packet type", "PROTOCOLS 3.3", "47"))],
    Case("what was delivered before the malformed packet of a payload stays delivered", "PROTOCOLS 3.1",
         (use("witness", "socketio"), use("main"),
          late(lambda s: s.filled(post("4" + event("private-message", {
              "targetUserId": s.links["witness"].variables["USER"], "content": "x"}) + "\x1e47"))),
          answer(200, 400), session_gone(), use("witness"), packet_like(r'42\d*\["private-message",.*')),
         over="socketio_polling"),
]

CASES = ATTACHMENTS + IDS + EVENTS + JSON + NAMESPACES + ROOMS + POLLING
