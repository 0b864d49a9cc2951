"""permessage-deflate (RFC 7692), on a server where it is switched on; messages of up to 600,000 bytes."""
import json
import zlib

from cases_handshake import WELCOME, handshake
from steps import (Case, acked, closed_with, delivered, goes_on, hello, late, message, pong_of, socketio_goes_on,
                   switched)
from wire import PING, binary, deflated, frame, more, ping, text

TABLE = "RELIABILITY 3.4"
LIMIT = 600_000
PROFILE = {"perMessageDeflate": True, "maxPayload": LIMIT}
FIELD = "Sec-WebSocket-Extensions"
BOTH = "server_no_context_takeover; client_no_context_takeover"


def offer(name, extensions, has, row=TABLE):
    """has: what stands in the answer, or None when the offer must be declined."""
    checks = switched({FIELD: has}) if has else switched(lacks=(FIELD,))
    return Case(name, row, (handshake(f"{FIELD}: {extensions}"), checks, WELCOME), profile="deflate")


NEGOTIATION = [
    offer("a plain offer is accepted, without context takeover", "permessage-deflate", BOTH, row="RELIABILITY D2"),
    offer("what browsers offer is accepted", "permessage-deflate; client_max_window_bits", BOTH,
          row="RFC 7692 7.1.2.2"),
    offer("offered no-context-takeover is accepted", f"permessage-deflate; {BOTH}", BOTH, row="RFC 7692 7.1.1"),
    offer("nine offers are declined", ", ".join(["permessage-deflate"] * 9), None),
    offer("the ninth offer of which eight are unknown is declined", ", ".join(["x"] * 8 + ["permessage-deflate"]),
          None),
    *[offer(f"server_max_window_bits={bits!r} is declined", f"permessage-deflate; server_max_window_bits={bits}", None,
            row=row)
      for bits, row in (("7", TABLE), ("8", TABLE), ("16", TABLE), ("0x9", TABLE), ("09", "RELIABILITY W14"),
                        ("", "RELIABILITY W14"), ("0", "RELIABILITY W14"), ("999", "RELIABILITY W14"),
                        ("-9", "RELIABILITY W14"), ("4294967305", "RELIABILITY W14"))],
    offer("server_max_window_bits without a value is declined", "permessage-deflate; server_max_window_bits", None,
          row="RFC 7692 7.1.2.1"),
    offer("server_max_window_bits=9 is honoured", "permessage-deflate; server_max_window_bits=9",
          "server_max_window_bits=9", row="RFC 7692 7.1.2.1"),
    *[offer(f"client_max_window_bits={bits!r} is declined", f"permessage-deflate; client_max_window_bits={bits}", None,
            row=row)
      for bits, row in (("7", TABLE), ("16", TABLE), ("0x9", TABLE), ("09", "RELIABILITY W14"))],
    Case("client_max_window_bits=8 may be accepted or declined", TABLE,
         (handshake(f"{FIELD}: permessage-deflate; client_max_window_bits=8"), switched(), WELCOME,
          text(hello("in")), delivered("in")), profile="deflate"),
    offer("a parameter twice is declined",
          "permessage-deflate; client_no_context_takeover; client_no_context_takeover", None, row="RELIABILITY W14"),
    offer("an unknown parameter is declined", "permessage-deflate; fast", None, row="RELIABILITY W14"),
    offer("a flag with a value is declined", "permessage-deflate; server_no_context_takeover=1", None,
          row="RFC 7692 7.1.1.1"),
    offer("nine parameters are declined", "permessage-deflate" + "; x=1" * 9, None, row="RELIABILITY W4"),
    offer("another extension is declined", "x-webkit-deflate-frame", None, row="RFC 6455 9.1"),
    offer("the second of two offers is taken when the first cannot be",
          "permessage-deflate; server_max_window_bits=8, permessage-deflate", BOTH, row="RFC 7692 5"),
    offer("offers in two fields are one list", f"permessage-deflate; fast\r\n{FIELD}: permessage-deflate", BOTH,
          row="RFC 6455 9.1"),
]


def bad(name, raw, code, row=TABLE):
    return Case(name, row, (raw + text(hello("after")), closed_with(code)), over="native_deflate", profile="deflate")


def good(name, raw, *checks, row="RFC 7692 7.2", over="native_deflate"):
    return Case(name, row, (raw, *checks, goes_on()), over=over, profile="deflate")


HELLO = hello("in").encode()
SMALL = deflated(HELLO)


def padded(size):
    start = '{"type":"ping","id":"big","pad":"'
    return (start + "p" * (size - len(start) - 2) + '"}').encode()


def in_fragments(payload, count):
    """One compressed message: only its first frame carries RSV1."""
    size = -(-len(payload) // count)
    pieces = [payload[at:at + size] for at in range(0, len(payload), size)]
    return (text(pieces[0], fin=False, rsv=4) + b"".join(more(piece) for piece in pieces[1:-1]) +
            more(pieces[-1], fin=True))


# The second message of a compressor that keeps its window: it refers to bytes of the first.
def with_takeover():
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    long_id = hello("a text that is long enough to be referred to").encode()
    return [(engine.compress(long_id) + engine.flush(zlib.Z_SYNC_FLUSH))[:-4] for _ in range(2)]


FIRST, SECOND = with_takeover()
BOMB = deflated(b"\0" * (64 << 20))

MESSAGES = [
    good("a compressed message is delivered", text(SMALL, rsv=4), delivered("in")),
    good("a compressed message in fragments is delivered", in_fragments(SMALL, 5), delivered("in")),
    good("a compressed message with a ping inside is delivered",
         text(SMALL[:4], fin=False, rsv=4) + ping(b"now") + more(SMALL[4:], fin=True), pong_of(b"now"),
         delivered("in")),
    good("a message may be sent as it is where compression was agreed", text(HELLO), delivered("in")),
    good("stored blocks are blocks", text(deflated(HELLO, level=0), rsv=4), delivered("in")),
    good("a final block ends a message, and not the connection", text(deflated(HELLO, final=True), rsv=4) * 2,
         delivered("in"), delivered("in"), row="RFC 7692 7.2.3.4"),
    good("compressed empty blocks in front of the data change nothing",
         text(b"\0\0\0\xff\xff" * 20 + SMALL, rsv=4), delivered("in"), row="RFC 7692 7.2.3.6"),
    Case("RSV1 without agreement is a protocol error, on a server that could", TABLE,
         (text(SMALL, rsv=4) + text(HELLO), closed_with(1002)), over="native", profile="deflate"),
    bad("RSV1 on a continuation is a protocol error",
        text(SMALL[:4], fin=False, rsv=4) + more(SMALL[4:], fin=True, rsv=4), 1002),
    bad("RSV1 on the continuation of a plain message is a protocol error",
        text(HELLO[:4], fin=False) + more(SMALL, fin=True, rsv=4), 1002),
    bad("RSV1 on a ping is a protocol error", frame(PING, b"", rsv=4), 1002),
    bad("RSV2 is a protocol error even where RSV1 is agreed", text(SMALL, rsv=6), 1002),
    bad("a block type that does not exist is bad data", text(b"\x07\x00", rsv=4), 1007),
    bad("bytes that are no deflate stream are bad data", text(b"\xff" * 40, rsv=4), 1007),
    bad("a distance that points before the beginning is bad data", text(b"\x4a\x04\x3e\x00", rsv=4), 1007),
    bad("a stored block whose length and its complement differ is bad data",
        text(b"\x00\x05\x00\x00\x00hello", rsv=4), 1007),
    *[bad(f"a stream that is cut {cut} bytes before its end is bad data", text(SMALL[:-cut], rsv=4), 1007)
      for cut in (2, 5, len(SMALL) - 1)],
    bad("a stream with one bit changed is bad data or no JSON", text(SMALL[:9] + bytes([SMALL[9] ^ 8]) + SMALL[10:],
                                                                     rsv=4),
        1007),
    bad("compressed text that is not UTF-8 is bad data", text(deflated(b'{"type":"\xff"}'), rsv=4), 1007),
    bad("an empty compressed message is no JSON", text(b"\x00", rsv=4), 1007, row="RFC 7692 7.2.3.6"),
    Case("a reference into the message before is bad data, since no context is kept", "RFC 7692 7.1.1.2",
         (text(FIRST, rsv=4), delivered("a text that is long enough to be referred to"), text(SECOND, rsv=4),
          closed_with(1007)), over="native_deflate", profile="deflate"),
    good("a message that inflates to exactly the limit is delivered", text(deflated(padded(LIMIT)), rsv=4),
         delivered("big"), row=TABLE),
    bad("a message that inflates to one byte more is too big", text(deflated(padded(LIMIT + 1)), rsv=4), 1009),
    bad("65 KiB that inflate to 64 MiB are too big", text(BOMB, rsv=4), 1009),
    bad("65 KiB that inflate to 64 MiB are too big in 100 fragments", in_fragments(BOMB, 100), 1009),
    bad("a bomb as a binary message is too big", binary(BOMB, rsv=4), 1009),
    bad("a bomb whose end is missing is too big all the same", text(BOMB[:-4000], rsv=4), 1009),
    Case("a compressed message of more bytes than the limit is too big before its payload", TABLE,
         (text("", rsv=4, announce=LIMIT + 1), closed_with(1009)), over="native_deflate", profile="deflate"),
    bad("16,385 compressed fragments are too many",
        text("", fin=False, rsv=4) + more("") * 16_384, 1008, row="RELIABILITY W3"),
]

LONG = "long " * 4000

ANSWERS = [
    Case("a long answer comes compressed and inflates to what was said", "RFC 7692 7.2.1",
         (late(lambda s: text(s.filled('{"type":"join","roomId":"<ROOM>","id":1}'))),
          message(lambda got: b'"id":1' in got, "the answer to the join"),
          message(lambda got: b'"joined"' in got, "joined"),
          late(lambda s: text(deflated(s.filled(json.dumps(
              {"type": "chat", "roomId": "<ROOM>", "content": LONG}))), rsv=4)),
          message(lambda got: json.loads(got)["content"] == LONG, "the message, whole")),
         over="native_deflate", profile="deflate"),
    Case("a compressed Socket.IO event is delivered", "RFC 7692 7.2",
         (text(deflated(b'421["x"]'), rsv=4), acked(1), socketio_goes_on()), over="socketio_deflate",
         profile="deflate"),
    Case("a bomb before CONNECT is too big", "RELIABILITY D1",
         (handshake(f"{FIELD}: permessage-deflate", line="GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"),
          switched({FIELD: BOTH}), message(lambda got: got.startswith(b"0{"), "the open packet"),
          text(BOMB, rsv=4), closed_with(1009)), profile="deflate"),
    Case("a bomb over Socket.IO is too big", "RELIABILITY D1", (text(BOMB, rsv=4), closed_with(1009)),
         over="socketio_deflate", profile="deflate"),
]

CASES = NEGOTIATION + MESSAGES + ANSWERS
