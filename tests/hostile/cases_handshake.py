"""The opening handshake of a WebSocket, native and Engine.IO's."""
import base64

from steps import (ENGINE, FIN, Case, answer, closed_with, delivered, gone, hello, late, muted, nothing_more,
                   packet_like, refused, reply, switched, timed)
import wire

TABLE = "RELIABILITY 3.4"
PROFILE = {"cors": {"origin": ["https://app.example"]}}
VALID = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "<KEY>"}
TARGET = "/ws?token=<TOKEN>"
# What would be answered if a refused upgrade left the connection open: as HTTP, or as frames.
BEHIND = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + wire.text(hello("tunnel"))


def handshake(*more, line=f"GET {TARGET} HTTP/1.1", host="<HOST>", without=(), **changed):
    """A good handshake with something changed; `more`: further lines; a name's _ stands for -."""
    fields = {name: value for name, value in VALID.items() if name not in without}
    fields.update({name.replace("_", "-"): value for name, value in changed.items()})
    lines = [line, f"Host: {host}", *[f"{name}: {value}" for name, value in fields.items()], *more]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def bad(name, raw, *status, row=TABLE, has=None):
    return Case(name, row, (raw + BEHIND, refused(*(status or (400,)), has=has)))


WELCOME = reply(type="connected")


def good(name, raw, row="RFC 6455 4.2", has=None, lacks=()):
    return Case(name, row, (raw, switched(has, lacks), WELCOME, wire.text(hello("in")), delivered("in")))


def nonce(size):
    return base64.b64encode(bytes(range(size))).decode()


VERSION = {"Sec-WebSocket-Version": "13"}

FORM = [
    good("a good handshake is accepted", handshake()),
    good("names and tokens have no case", handshake(without=("Upgrade", "Connection"), UPGRADE="WebSocket",
                                                    CONNECTION="keep-alive, UPGRADE")),
    good("Connection and Upgrade may be lists", handshake(Connection="keep-alive, Upgrade",
                                                          Upgrade="h2c, websocket")),
    good("Connection may be two fields", handshake("Connection: keep-alive")),
    bad("a handshake by POST is refused", handshake(line=f"POST {TARGET} HTTP/1.1")),
    bad("a handshake by PUT is refused", handshake(line=f"PUT {TARGET} HTTP/1.1")),
    bad("a handshake on HTTP/1.0 is refused", handshake(line=f"GET {TARGET} HTTP/1.0")),
    bad("a handshake with a body is refused", handshake("Content-Length: 5") + b"hello"),
    bad("a handshake with a chunked body is refused",
        handshake("Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"),
    bad("without Connection: Upgrade an upgrade is required", handshake(without=("Connection",)), 426),
    bad("with another Connection token an upgrade is required", handshake(Connection="close"), 426),
    bad("without Upgrade: websocket an upgrade is required", handshake(without=("Upgrade",)), 426),
    bad("Upgrade: websockets is another protocol", handshake(Upgrade="websockets"), 426),
    bad("a plain GET is told to upgrade", f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 426, has=VERSION),
    bad("426 names Upgrade in Connection too", f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 426,
        row="RFC 9110 7.8", has={"Upgrade": "websocket", "Connection": "upgrade"}),
    *[bad(f"the version {version!r} is not spoken", handshake(Sec_WebSocket_Version=version), 426, has=VERSION)
      for version in ("8", "14", "0", "-13", "013", "13, 8", "1 3")],
    bad("no version at all is not 13", handshake(without=("Sec-WebSocket-Version",)), 400, 426),
    bad("two version fields are refused", handshake("Sec-WebSocket-Version: 13")),
    bad("a handshake without a key is refused", handshake(without=("Sec-WebSocket-Key",))),
    bad("two keys are refused", handshake("Sec-WebSocket-Key: <KEY>")),
    *[bad(f"the key {key!r} is refused", handshake(Sec_WebSocket_Key=key))
      for key in ("", nonce(15), nonce(17), nonce(16)[:-1], nonce(16) + "=", nonce(16)[:-2], "!" * 22 + "==",
                  nonce(16)[:5] + " " + nonce(16)[5:], nonce(16).replace("A", "-"), "x" * 4096,
                  nonce(16) + "," + nonce(16))],
    Case("the key of the RFC's own example is accepted, although its last bits are not zero", "RFC 6455 4.1",
         (handshake(Sec_WebSocket_Key="AQIDBAUGBwgJCgsMDQ4PEC=="), switched(key="AQIDBAUGBwgJCgsMDQ4PEC=="), WELCOME)),
    bad("an upgrade of a path without a WebSocket is refused", handshake(line="GET /healthz HTTP/1.1"), 404,
        row="RELIABILITY W12"),
    bad("an upgrade of a missing path is refused", handshake(line="GET /nowhere HTTP/1.1"), 404,
        row="RELIABILITY W12"),
    good("97 headers and the needed ones last are all read",
         handshake(*[f"X-{i}: y" for i in range(91)], without=tuple(VALID)).removesuffix(b"\r\n") +
         "".join(f"{name}: {value}\r\n" for name, value in VALID.items()).encode() + b"\r\n", row="RELIABILITY W5"),
    bad("101 headers and the needed ones last are too many",
        handshake(*[f"X-{i}: y" for i in range(96)], without=tuple(VALID)).removesuffix(b"\r\n") +
        "".join(f"{name}: {value}\r\n" for name, value in VALID.items()).encode() + b"\r\n", 431,
        row="RELIABILITY W5"),
    Case("a client that ends in the middle of the handshake is dropped", "RELIABILITY W13",
         (handshake()[:-9], FIN, gone())),
]

# Same origin means the scheme, host and port of the page, exactly; listed is https://app.example alone.
ORIGINS = [
    good("no Origin is no browser", handshake(), row="SPEC 2"),
    good("the same origin may open a connection", handshake("Origin: http://<HOST>"), row="RELIABILITY W11"),
    good("a listed origin may open a connection", handshake("Origin: https://app.example"), row="RELIABILITY W11"),
    *[bad(f"the origin {origin!r} is refused", handshake(f"Origin: {origin}"), 403)
      for origin in ("null", "", "http://evil.example", "https://app.example.evil.example",
                     "https://evilapp.example", "https://app.example:444", "http://app.example",
                     "https://user@app.example", "https://app.example.", "https://app.example/",
                     "https://app.example, https://evil.example", "https://app.example https://evil.example",
                     "https://xn--pp-1cd.example", "app.example", "https://", "https://<HOST>", "http://<HOST>0",
                     "http://user@<HOST>", "ws://<HOST>", "file://", "*")],
    bad("two Origin fields are refused", handshake("Origin: https://app.example", "Origin: https://app.example"), 403),
    bad("a listed origin beside another is refused",
        handshake("Origin: https://app.example", "Origin: https://evil.example"), 403),
    bad("an origin that agrees with a forged Host, but not with its port, is refused",
        handshake("Origin: http://evil.example", host="evil.example:8080"), 403, row="RELIABILITY W11"),
]

NO_PROTOCOL = ("Sec-WebSocket-Protocol",)

NEGOTIATION = [
    good("an unknown subprotocol is not chosen", handshake("Sec-WebSocket-Protocol: chat, superchat"),
         lacks=NO_PROTOCOL),
    good("a known subprotocol is chosen from the table",
         handshake("Sec-WebSocket-Protocol: chat, wirehall.json"), has={"Sec-WebSocket-Protocol": "wirehall.json"},
         row="RELIABILITY H7"),
    good("a subprotocol with a line break in percent form is not repeated",
         handshake("Sec-WebSocket-Protocol: wirehall.json%0d%0aX-Injected: yes"),
         lacks=(*NO_PROTOCOL, "X-Injected"), row="RELIABILITY H7"),
    *[good(f"12 KiB of {what} as {name} are read past in one go", handshake(f"{name}: {junk * (12288 // len(junk))}"),
           lacks=("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"), row="RELIABILITY W4")
      for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions")
      for what, junk in (("commas", ","), ("spaces and commas", " ,"), ("quotes", '"'), ("parameters", "a;b=c;"))],
    good("an extension that is not asked for by the configuration is declined",
         handshake("Sec-WebSocket-Extensions: permessage-deflate"), lacks=("Sec-WebSocket-Extensions",)),
]

IN_ONE_SEGMENT = [
    Case("frames right behind the handshake are processed", TABLE,
         (handshake() + wire.text(hello("one")) + wire.text(hello("two")), switched(), WELCOME, delivered("one"),
          delivered("two"))),
    Case("half a frame right behind the handshake waits for its other half", TABLE,
         (handshake() + wire.text(hello("one"))[:9], switched(), WELCOME, wire.text(hello("one"))[9:],
          delivered("one"))),
    Case("a close right behind the handshake closes", TABLE,
         (handshake() + wire.goodbye(1000), switched(), WELCOME, closed_with(1000))),
    Case("a bad frame right behind the handshake is a protocol error", TABLE,
         (handshake() + wire.text("x", mask=None), switched(), WELCOME, closed_with(1002))),
    Case("a Socket.IO client may say CONNECT right behind the handshake", TABLE,
         (late(lambda s: s.filled(handshake(line=f"GET {ENGINE}websocket HTTP/1.1")) +
               wire.text(s.filled('40{"token":"<TOKEN>"}'))),
          switched(), packet_like(r'0\{"sid":.*\}'), packet_like(r'40\{"sid":.*\}'),
          packet_like(r'42\["connected",.*'))),
]

AUTHENTICATION = [
    bad("a handshake without a token is refused", handshake(line="GET /ws HTTP/1.1"), 401, row="SPEC 2"),
    Case("authError=close is told so by a close after the handshake", "SPEC 2",
         (handshake(line="GET /ws?authError=close HTTP/1.1") + wire.text(hello("in")), switched(),
          closed_with(1008, "Unauthorized"))),
    Case("a refused client that never answers the close is cut within 5 s", TABLE,
         (muted(), handshake(line="GET /ws?authError=close HTTP/1.1"), switched(),
          timed(closed_with(1008, "Unauthorized"), 0, 6.5))),
    good("a token in Authorization is as good", handshake("Authorization: Bearer <TOKEN>", line="GET /ws HTTP/1.1"),
         row="SPEC 2"),
]


def engine(name, query, message_text, row="PROTOCOLS 2"):
    """A failed Engine.IO upgrade: always 400, with the message alone."""
    return Case(name, row, (handshake(line=f"GET /socket.io/{query} HTTP/1.1") + BEHIND,
                            answer(400, has={"Connection": "close"}, body=message_text), nothing_more()))


ENGINE_IO = [
    engine("an Engine.IO upgrade with an unknown transport is refused", "?EIO=4&transport=foo",
           b"Transport unknown"),
    engine("an Engine.IO upgrade without a transport is refused", "?EIO=4", b"Transport unknown"),
    engine("an Engine.IO upgrade with an unknown sid is refused",
           "?EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA", b"Session ID unknown"),
    engine("an Engine.IO upgrade with __proto__ as its sid is refused", "?EIO=4&transport=websocket&sid=__proto__",
           b"Session ID unknown"),
    engine("an Engine.IO upgrade of version 3 is refused", "?EIO=3&transport=websocket",
           b"Unsupported protocol version"),
    engine("an Engine.IO upgrade without a version is refused", "?transport=websocket",
           b"Unsupported protocol version"),
    engine("an Engine.IO upgrade that asks for polling is refused", "?EIO=4&transport=polling", b"Bad request",
           row=TABLE),
    bad("an Engine.IO upgrade with version 8 of the protocol is refused",
        handshake(line=f"GET {ENGINE}websocket HTTP/1.1", Sec_WebSocket_Version="8"), 426, has=VERSION),
    bad("an Engine.IO upgrade without a key is refused",
        handshake(line=f"GET {ENGINE}websocket HTTP/1.1", without=("Sec-WebSocket-Key",))),
    Case("an Engine.IO upgrade by POST is refused", TABLE,
         (handshake(line=f"POST {ENGINE}websocket HTTP/1.1") + BEHIND,
          answer(400, has={"Connection": "close"}), nothing_more())),
    Case("a foreign page may open an Engine.IO session, which is nobody's before CONNECT", "PROTOCOLS 2",
         (handshake("Origin: https://evil.example", line=f"GET {ENGINE}websocket HTTP/1.1"), switched(),
          packet_like(r'0\{"sid":.*\}'))),
]

CASES = FORM + ORIGINS + NEGOTIATION + IN_ONE_SEGMENT + AUTHENTICATION + ENGINE_IO
