"""WebSocket frames, on the native endpoint, which has a limit of 600,000 bytes here."""
import json

from steps import (FIN, RST, Case, closed_with, delivered, flooded, goes_on, gone, hello, message, pong_of, reply,
                   wait)
from wire import CLOSE, PING, PONG, binary, frame, goodbye, more, ping, pong, text

TABLE = "RELIABILITY 3.4"
LIMIT = 600_000
PROFILE = {"maxPayload": LIMIT}
SAID = text(hello("after"))  # must not be answered when the frame before it was an error


def bad(name, raw, code=1002, row=TABLE):
    return Case(name, row, (raw + SAID, closed_with(code)), over="native")


def early(name, raw, code, row=TABLE):
    """The error must show before the rest of the frame or message has come."""
    return Case(name, row, (raw, closed_with(code)), over="native")


def good(name, raw, *checks, row="RFC 6455 5.4"):
    return Case(name, row, (raw, *checks, goes_on()), over="native")


def sized(size):
    """A native message of exactly so many bytes."""
    start = '{"type":"ping","id":"big","pad":"'
    return start + "p" * (size - len(start) - 2) + '"}'


HELLO = hello("in").encode()

HEADERS = [
    bad("a frame without a mask is a protocol error", text(HELLO, mask=None)),
    bad("a ping without a mask is a protocol error", ping(b"x", mask=None), row="RFC 6455 5.1"),
    bad("a close without a mask is a protocol error", goodbye(1000, mask=None), row="RFC 6455 5.1"),
    good("a mask of zeros is a mask", text(HELLO, mask=b"\0\0\0\0"), delivered("in"), row="RFC 6455 5.3"),
    *[bad(f"reserved bits {rsv:03b} on a text frame are a protocol error", text(HELLO, rsv=rsv))
      for rsv in (1, 2, 3, 4, 5, 7)],
    bad("a reserved bit on a ping is a protocol error", ping(rsv=4)),
    bad("a reserved bit on a continuation is a protocol error", text(HELLO[:5], fin=False) + more(HELLO[5:], fin=True,
                                                                                                  rsv=1)),
    *[bad(f"the opcode {opcode:#x} is a protocol error", frame(opcode, b"x"))
      for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
    bad("an unknown opcode without a payload is a protocol error", frame(3)),
    bad("a ping of 126 bytes is a protocol error", ping(b"p" * 126)),
    bad("a pong of 126 bytes is a protocol error", pong(b"p" * 126)),
    bad("a close of 126 bytes is a protocol error", goodbye(1000, b"p" * 124)),
    early("a ping that announces 70,000 bytes is a protocol error at once", ping(announce=70_000), 1002),
    *[bad(f"{what} without FIN is a protocol error", frame(opcode, payload, fin=False))
      for what, opcode, payload in (("a ping", PING, b"x"), ("a pong", PONG, b"x"), ("a close", CLOSE, b"\x03\xe8"))],
    bad("a continuation of nothing is a protocol error", more("x", fin=True)),
    bad("an unfinished continuation of nothing is a protocol error", more("x")),
    bad("a new text inside a message is a protocol error", text("{", fin=False) + text(HELLO)),
    bad("a new binary inside a message is a protocol error", text("{", fin=False) + binary(b"x")),
    Case("a continuation behind a finished message is a protocol error", "RFC 6455 5.4",
         (text(HELLO[:5], fin=False) + more(HELLO[5:], fin=True) + more("x", fin=True) + SAID, delivered("in"),
          closed_with(1002)), over="native"),
    *[bad(f"{size} bytes announced in {form} bits are a protocol error", binary(b"b" * size, form=form))
      for size, form in ((0, 16), (5, 16), (125, 16), (0, 64), (5, 64), (126, 64), (65_535, 64))],
]

LENGTHS = [
    early("a length with its top bit set is a protocol error", binary(b"", announce=2**63), 1002),
    early("a length of 64 set bits is a protocol error", binary(b"", announce=2**64 - 1), 1002),
    *[early(f"an announced length of {what} is too big at once", binary(b"", announce=size), 1009, row=row)
      for what, size, row in (("2^31", 2**31, "RELIABILITY W1"), ("2^32", 2**32, "RELIABILITY W1"),
                              ("2^32 + 5", 2**32 + 5, "RELIABILITY W2"), ("2^62 - 1", 2**62 - 1, TABLE),
                              ("2^62", 2**62, "RELIABILITY W1"), ("2^63 - 1", 2**63 - 1, "RELIABILITY W1"))],
    good("a message of exactly the limit is delivered", text(sized(LIMIT)), delivered("big"), row=TABLE),
    good("a message of exactly the limit in two frames is delivered",
         text(sized(LIMIT)[:300_000], fin=False) + more(sized(LIMIT)[300_000:], fin=True), delivered("big"),
         row=TABLE),
    early("a message of one byte more is too big before its payload", text("", announce=LIMIT + 1), 1009),
    early("fragments that add up to one byte more are too big before the last one's payload",
          binary(b"b" * 400_000, fin=False) + more("", announce=200_001), 1009),
    early("a full message and a fragment of 2^63 - 1 are too big", binary(b"b" * LIMIT, fin=False) +
          more("", announce=2**63 - 1), 1009, row="RELIABILITY W2"),
]

FRAGMENTS = [
    good("a message in three fragments is one", text(HELLO[:3], fin=False) + more(HELLO[3:9]) + more(HELLO[9:],
                                                                                                     fin=True),
         delivered("in")),
    good("a ping between fragments is answered at once, the message when it is complete",
         text(HELLO[:3], fin=False) + ping(b"now") + more(HELLO[3:], fin=True), pong_of(b"now"), delivered("in")),
    good("empty fragments around a message change nothing",
         text("", fin=False) + more("") + more(HELLO) + more("", fin=True), delivered("in")),
    Case("a close inside a message closes", "RFC 6455 5.5.1",
         (text("{", fin=False) + goodbye(1000), closed_with(1000)), over="native"),
    Case("16,384 fragments of a byte are as many as are taken", TABLE,
         (text(" ", fin=False) + more(" ") * (16_383 - len(HELLO)) +
          b"".join(more(HELLO[i:i + 1], fin=i == len(HELLO) - 1) for i in range(len(HELLO))),
          delivered("in"), goes_on()), over="native"),
    early("16,385 fragments of a byte are too many", text(" ", fin=False) + more(" ") * 16_384, 1008),
    early("100,000 empty fragments are too many", text("", fin=False) + more("") * 99_999, 1008),
    early("empty fragments and fragments of a byte in turn are too many",
          text("", fin=False) + (more(" ") + more("")) * 8_192, 1008, row="RELIABILITY W3"),
]

CLOSES = [
    bad("a close of one byte is a protocol error", frame(CLOSE, b"\x03")),
    *[bad(f"the close code {code} is a protocol error", goodbye(code))
      for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)],
    *[Case(f"the close code {code} is answered by itself", "RFC 6455 7.4", (goodbye(code, b"bye"), closed_with(code)),
           over="native")
      for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)],
    Case("a close without a code is answered by one without a code", "RFC 6455 5.5.1",
         (goodbye(), closed_with(None)), over="native"),
    Case("a reason of 123 bytes fits", "RFC 6455 5.5", (goodbye(1000, b"r" * 123), closed_with(1000)), over="native"),
    bad("a close reason that is not UTF-8 is bad data", goodbye(1000, b"\xff"), 1007),
    bad("a close reason that ends inside a character is bad data", goodbye(1000, b"gr\xc3"), 1007),
    Case("what comes behind a close is not looked at", "RFC 6455 5.5.1",
         (goodbye(1000) + SAID + ping(b"x") + text("x", mask=None), closed_with(1000)), over="native"),
    Case("two closes are answered by one", "RFC 6455 5.5.1", (goodbye(1000) + goodbye(1001), closed_with(1000)),
         over="native"),
    Case("a client that ends without a close is let go", "RELIABILITY W13", (FIN, gone()), over="native"),
    Case("a client that ends inside a frame is let go", "RELIABILITY W13", (text(HELLO)[:9], FIN, gone()),
         over="native"),
    *[Case(f"a client that resets {where} is let go", "RELIABILITY W13", (raw, RST), over="native")
      for where, raw in (("inside a message", text("{", fin=False)), ("inside a frame", text(HELLO)[:9]),
                         ("behind fifty messages", text(HELLO) * 50), ("behind a bad frame", frame(3)),
                         ("behind its close", goodbye(1000)))],
]


def utf8(name, payload):
    return bad(name, text(payload), 1007)


UTF8 = [
    *[utf8(f"text that is not UTF-8 is bad data: {what}", b'{"type":"ping","id":"' + bad_bytes + b'"}')
      for what, bad_bytes in (
          ("a lone continuation", b"\x80"), ("an overlong slash", b"\xc0\xaf"),
          ("an overlong of three", b"\xe0\x80\xaf"),
          ("an overlong of four", b"\xf0\x80\x80\xaf"), ("a surrogate", b"\xed\xa0\x80"),
          ("beyond U+10FFFF", b"\xf4\x90\x80\x80"), ("a byte FE", b"\xfe"), ("five bytes", b"\xf8\x88\x80\x80\x80"),
          ("a cut character", b"\xe2\x82"))],
    utf8("text that ends inside a character is bad data", b"gr\xc3"),
    early("bad bytes in a first fragment are refused before the message ends", text(b"ab\xff", fin=False), 1007),
    early("a character that cannot become valid is refused at its second byte",
          text(b"ab\xf4", fin=False) + more(b"\x90"), 1007),
    early("bad bytes at the start of a frame are refused before its end",
          text(b"\xff", announce=1000)[:9] , 1007),
    bad("a message that ends inside a character is bad data at its last fragment",
        text(b"ab\xe2", fin=False) + more(b"\x82", fin=True), 1007),
    good("a character over three fragments is one",
         text(b'{"type":"ping","id":"\xe2', fin=False) + more(b"\x82") + more(b'\xac"}', fin=True),
         delivered("\u20ac")),
    good("bytes that are not UTF-8 are fine in a binary message",
         binary(b"\x82\xa4type\xa4ping\xa2id\xa4\xf0\x9f\x98\x80"),
         message(lambda got: b"\xf0\x9f\x98\x80" in got, "a pong as MessagePack", binary=True), row="RFC 6455 5.6"),
]

CONTROL = [
    good("a ping is answered with its payload", ping(b"p" * 125), pong_of(b"p" * 125), row="RFC 6455 5.5.2"),
    good("a pong that nobody asked for is passed over", pong(b"x"), row="RFC 6455 5.5.3"),
    good("forty pings are forty pongs", b"".join(ping(b"%d" % i) for i in range(40)),
         *[pong_of(b"%d" % i) for i in range(40)], row=TABLE),
    Case("a thousand pings are a flood", TABLE, (ping() * 1000, flooded(1008)), over="native"),
    Case("a thousand pongs are a flood", TABLE, (pong() * 1000, flooded(1008)), over="native"),
    Case("forty pings in every second are none", TABLE,
         (*[step for _ in range(3) for step in (ping() * 40, *[pong_of(b"")] * 40, wait(1.0))], goes_on()),
         over="native"),
]


def nested(depth):
    """A native ping that is nested so deeply: one object, and arrays in it."""
    return '{"type":"ping","id":"deep","d":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


def faulty(name, payload, row="SPEC 1", **fields):
    """A message that is JSON, but no frame of the protocol: answered, and the connection goes on."""
    return good(name, text(payload), reply(**(fields or {"type": "error", "code": "invalid-format"})), row=row)


def packed(name, payload):
    return bad(name, binary(payload), 1007, row="RELIABILITY J1")


MESSAGES = [
    *[bad(f"{what} is no JSON", text(payload), 1007, row="RELIABILITY J4")
      for what, payload in (
          ("an empty message", ""), ("a cut object", '{"type":"ping"'), ("a comma at the end", '{"type":"ping",}'),
          ("a single quote", "{'type':'ping'}"), ("a comment", '{"type":"ping"/**/}'),
          ("NaN", '{"type":"ping","a":NaN}'),
          ("a leading zero", '{"type":"ping","a":01}'), ("a bare minus", '{"type":"ping","a":-}'),
          ("a lonely point", '{"type":"ping","a":1.}'), ("an unknown escape", '{"type":"ping","a":"\\x"}'),
          ("a cut escape", '{"type":"ping","a":"\\u12"}'), ("a raw line break in a string",
                                                            '{"type":"ping","a":"\n"}'),
          ("a second value", '{"type":"ping"}{}'), ("a NUL behind the object", '{"type":"ping"}\0'),
          ("a byte order mark", "\ufeff" + HELLO.decode()), ("a missing colon", '{"type" "ping"}'),
          ("a key without quotes", '{type:"ping"}'), ("crossed brackets", '{"type":"ping","a":[}]'))],
    good("nesting of 32 is as deep as is taken", text(nested(32)), delivered("deep"), row=TABLE),
    bad("nesting of 33 is too deep", text(nested(33)), 1007),
    bad("500,000 opening brackets are too deep, and cost no stack", text("[" * 500_000), 1007),
    bad("100,000 opening objects are too deep", text('{"a":' * 100_000), 1007, row="RELIABILITY J1"),
    *[faulty(f"the JSON value {payload} is no frame", payload) for payload in ("[1]", '"x"', "1", "null", "true")],
    faulty("a frame without a type is answered", "{}"),
    faulty("a type that is a number is answered under its id", '{"type":1,"id":7}', type="ack", id=7,
           code="invalid-format"),
    faulty("a type of 129 bytes is answered", json.dumps({"type": "t" * 129}), row="RELIABILITY S11"),
    faulty("a type of a megabyte's half is answered", json.dumps({"type": "t" * 500_000}), row="RELIABILITY S11"),
    faulty("an id that is an object is answered", '{"type":"ping","id":{}}'),
    faulty("an id of 4 KiB is answered", json.dumps({"type": "ping", "id": "i" * 4096})),
    *[faulty(f"an event named {name} is nothing special", json.dumps({"type": name, "id": "n"}),
             row="RELIABILITY S11", type="ack", id="n", code="unknown-event")
      for name in ("__proto__", "constructor", "toString", "\u202e", "a\u0000b")],
    *[good(f"the answer {payload} to a question that was not asked is passed over", text(payload), row="SPEC 1")
      for payload in ('{"type":"ack","ackId":-1}', '{"type":"ack","ackId":1e300}', '{"type":"ack","ackId":"x"}',
                      '{"type":"ack","ackId":9007199254740991}', '{"type":"ack"}', '{"type":"ack","ackId":{}}')],
    good("a lone surrogate in an id comes back as it was", text('{"type":"ping","id":"\\ud800"}'),
         message(lambda got: b'"\\ud800"' in got, "a pong with the escape"), row="RELIABILITY J4"),
    good("a number that no double holds does not matter", text('{"type":"ping","id":"in","a":1e999}'),
         delivered("in"), row="RELIABILITY J4"),
    *[packed(f"MessagePack is refused: {what}", payload)
      for what, payload in (
          ("nothing", b""), ("a cut map", b"\x82\xa4type"), ("an unused byte", b"\xc1"),
          ("a map of 2^32 - 1", b"\xdf\xff\xff\xff\xff"), ("an array of 2^32 - 1", b"\xdd\xff\xff\xff\xff"),
          ("a string of 2^32 - 1", b"\xdb\xff\xff\xff\xff"), ("bytes of 2^32 - 1", b"\xc6\xff\xff\xff\xff"),
          ("nesting of 1,000", b"\x81\xa1a" * 1000 + b"\xc0"), ("500,000 arrays", b"\x91" * 500_000),
          ("a second value", b"\x80\x80"), ("a string that is not UTF-8", b"\x81\xa4type\xa2\xff\xff"))],
    Case("MessagePack that is no map is answered in MessagePack", "SPEC 1",
         (binary(b"\x01"), message(lambda got: b"invalid-format" in got, "an error as MessagePack", binary=True),
          goes_on()), over="native"),
]

CASES = HEADERS + LENGTHS + FRAGMENTS + CLOSES + UTF8 + CONTROL + MESSAGES
