"""Engine.IO 4: handshakes, polling, upgrades, packets. Sessions that join no namespace end after 6 s here."""
import re

from cases_handshake import handshake
from cases_http import request
from steps import (ENGINE, FIN, POLL, RST, Case, answer, closed_with, code, deaf, engine_ended, flooded, gone, muted,
                   ok, packet, packet_like, post, refused, session_gone, switched, timed, use, wait)
import wire

TABLE = "RELIABILITY 3.4"
PROFILE = {"connectTimeout": 6000, "upgradeTimeout": 2000}
OPEN = re.compile(rb'^0\{"sid":"[\w-]{20}","upgrades":\["websocket"\],"pingInterval":\d+,"pingTimeout":\d+,'
                  rb'"maxPayload":\d+\}$')
NO_TOKEN = packet_like(r"44\{.*")  # the refusal of a CONNECT without a token: the session is alive


def get(query, method="GET", *headers, body=b""):
    return request(*headers, line=f"{method} /socket.io/{query} HTTP/1.1", body=body)


def handshake_case(name, query, number, row=TABLE, method="GET"):
    return Case(name, row, (get(query, method), code(number)))


def unknown(name, sid, row="RELIABILITY E4"):
    return Case(f"the sid {name} is unknown", row, (get(f"?EIO=4&transport=polling&sid={sid}"), code(1)))


HANDSHAKES = [
    handshake_case("no EIO is an unsupported version", "?transport=polling", 5),
    handshake_case("EIO=3 is an unsupported version", "?EIO=3&transport=polling", 5),
    handshake_case("EIO=5 is an unsupported version", "?EIO=5&transport=polling", 5),
    handshake_case("EIO=04 is not 4", "?EIO=04&transport=polling", 5, row="PROTOCOLS 2"),
    handshake_case("no transport is an unknown one", "?EIO=4", 0, row="PROTOCOLS 2"),
    handshake_case("transport=foo is unknown", "?EIO=4&transport=foo", 0),
    handshake_case("transport=Polling is unknown", "?EIO=4&transport=Polling", 0, row="PROTOCOLS 2"),
    handshake_case("transport=__proto__ is unknown", "?EIO=4&transport=__proto__", 0, row="RELIABILITY E4"),
    handshake_case("transport=constructor is unknown", "?EIO=4&transport=constructor", 0, row="RELIABILITY E4"),
    handshake_case("an unknown transport counts before an unknown sid", "?EIO=4&transport=foo&sid=x", 0,
                   row="PROTOCOLS 2"),
    handshake_case("POST without sid is a bad handshake method", "?EIO=4&transport=polling", 2, method="POST"),
    handshake_case("PUT without sid is a bad handshake method", "?EIO=4&transport=polling", 2, method="PUT",
                   row="PROTOCOLS 2"),
    handshake_case("DELETE without sid is a bad handshake method", "?EIO=4&transport=polling", 2, method="DELETE",
                   row="PROTOCOLS 2"),
    handshake_case("a plain GET for websocket is a bad request", "?EIO=4&transport=websocket", 3),
    unknown("of 20 characters that nobody has", "AAAAAAAAAAAAAAAAAAAA", row=TABLE),
    *[unknown(sid, sid, row=TABLE if sid == "__proto__" else "RELIABILITY E4")
      for sid in ("__proto__", "constructor", "toString", "x", "%00", "%F0%9F%98%80", "..%2f..%2f", "%ff", "a" * 4096,
                  "%0d%0aX-Injected:%20yes")],
    Case("a sid of 64 KiB is a target that is too long", "RELIABILITY E4",
         (get("?EIO=4&transport=polling&sid=" + "a" * 65536), refused(414))),
    Case("an empty sid is none", "PROTOCOLS 2",
         (get("?EIO=4&transport=polling&sid="), answer(200, body=OPEN))),
    Case("an EIO 4 session is not spoken to as EIO 3", "PROTOCOLS 2",
         (get("?EIO=3&transport=polling&sid=<SID>"), code(3)), over="polling"),
    Case("a polling session is not spoken to as websocket", TABLE,
         (get("?EIO=4&transport=websocket&sid=<SID>"), code(3)), over="polling"),
    Case("a session is not polled with a websocket's sid", "PROTOCOLS 3.1",
         (use("poll"), POLL, code(3), use("main"), wire.text("40"), NO_TOKEN), over="engine"),
    Case("the answer to a handshake has exactly five keys", "PROTOCOLS 3.1",
         (get("?EIO=4&transport=polling"), answer(200, has={"Content-Type": "text/plain; charset=UTF-8"},
                                                  body=OPEN))),
    Case("a JSONP callback that is no number is not repeated", "RELIABILITY H7",
         (get("?EIO=4&transport=polling&j=0);alert(1);//"), answer(200, 400, body=lambda got: b"alert" not in got))),
]


def session(name, row, *steps, over="polling"):
    return Case(name, row, steps, over=over)


def broken(name, body, *headers, row="PROTOCOLS 3.1", status=400):
    """A payload that ends the session; the POST is answered all the same."""
    return session(name, row, post(body, *headers), answer(status), session_gone())


PAYLOADS = [
    broken("an empty payload ends the session", ""),
    broken("a packet of an unknown type ends the session", "9"),
    broken("a packet that does not begin with a type ends the session", "abc", row="Engine.IO protocol test suite"),
    broken("an empty packet between two good ones ends the session", "6\x1e\x1e6"),
    broken("a separator at the end is an empty packet", "6\x1e", row="PROTOCOLS 3.1"),
    broken("a megabyte of separators ends the session", "\x1e" * 1_000_000, row=TABLE),
    broken("200,000 CONNECTs in a payload end the session", "\x1e".join(["40"] * 200_000), row=TABLE),
    session("1,024 packets in a payload are taken", "RELIABILITY E9", post("\x1e".join(["6"] * 1024)), ok(),
            post("6"), ok()),
    broken("500,000 packets in a payload are too many", "\x1e".join(["6"] * 500_000), row="RELIABILITY E9"),
    session("500,000 pongs in a payload are too many", "RELIABILITY E9", post("\x1e".join(["3"] * 500_000)),
            answer(200, 400), session_gone()),
    broken("an octet-stream after the handshake is answered, and ends the session", b"\x04x",
           "Content-Type: application/octet-stream", row=TABLE),
    session("a ping of the client's ends the session", "PROTOCOLS 3.1", post("2"), answer(200, 400), session_gone()),
    session("the packet close ends the session", "PROTOCOLS 3.1", post("1"), ok(), session_gone()),
    session("the packet close frees the waiting poll", "PROTOCOLS 3.1",
            use("poll"), POLL, use("main"), wait(0.5), post("1"), ok(), use("poll"), answer(200, body=b"6"),
            session_gone()),
    session("packets behind a close in the same payload are dropped", "PROTOCOLS 3.1", post("1\x1e6\x1e6"),
            answer(200, 400), session_gone()),
    session("a pong that nobody asked for is passed over", "RELIABILITY E6", post("3"), ok(), post("6"), ok()),
    session("binary data without a packet that announced it ends the session", TABLE, post("bAAAA"), answer(200, 400),
            session_gone()),
    session("base64 that is none is what a lenient decoder makes of it: binary data out of place", "PROTOCOLS 3.1",
            post("b!!!!"), answer(200, 400), session_gone()),
]

REQUESTS = [
    session("a second GET is refused, the first is told to close, and the session ends", TABLE,
            use("first"), POLL, wait(0.5), use("second"), POLL, answer(400), use("first"), answer(200, body=b"1"),
            session_gone()),
    session("a second POST is refused, and the session ends", TABLE,
            use("first"), post("6", length=2), wait(0.5), use("second"), post("6"), answer(400), session_gone()),
    session("a poll that its client gives up ends the session", "PROTOCOLS 2",
            use("first"), POLL, wait(0.5), FIN, gone(), session_gone()),
    session("a POST that is cut in its body ends the session", "PROTOCOLS 2",
            use("first"), post("6", length=2), wait(0.5), RST, use("other"), wait(0.5), session_gone()),
    session("a waiting poll that is reset ends the session", "PROTOCOLS 2",
            use("first"), POLL, wait(0.5), RST, use("other"), wait(0.5), session_gone()),
    session("a reset right behind a poll leaves nothing behind", "RELIABILITY E2", use("first"), POLL, RST),
    session("a reset right behind a WebSocket's packets ends the session", "RELIABILITY E2",
            wire.text("40") * 20, RST, over="engine"),
    session("PUT with a sid is refused as the reference does, and answered", "PROTOCOLS 2",
            get("?EIO=4&transport=polling&sid=<SID>", "PUT", "Content-Length: 1", body=b"6"), answer(500)),
    session("two requests of different sessions on one connection do not meet", "RELIABILITY E8",
            get("?EIO=4&transport=polling"), answer(200), post("6"), ok(), post("6", sid="AAAAAAAAAAAAAAAAAAAA"),
            code(1), post("6"), ok()),
    session("a session that joins no namespace ends after connectTimeout", "RELIABILITY E10",
            wire.text("3"), timed(engine_ended(within=9), 4.5, 8), over="engine"),
    # pingInterval and pingTimeout, and the 10 s that E5 grants.
    Case("a polling session that nobody polls is reclaimed", "RELIABILITY E5",
         (wait(17), session_gone()), over="polling", slow=True),
]

PROBE = f"GET {ENGINE}websocket&sid=<SID> HTTP/1.1"


def probing(name, row, *steps):
    """With a second connection that asks for the upgrade of the polling session."""
    return session(name, row, use("probe"), handshake(line=PROBE), switched(), *steps)


def survives():
    return [use("main"), post("6"), ok()]


UPGRADES = [
    probing("an upgrade moves the session, and polling it is a bad request then", "PROTOCOLS 3.1",
            wire.text("2probe"), packet("3probe"), wire.text("5"), wire.text("40"), NO_TOKEN,
            use("main"), POLL, code(3)),
    probing("a wrong packet instead of the probe closes the new transport alone", "PROTOCOLS 3.1",
            wire.text("2prob"), closed_with(None), *survives()),
    probing("a message instead of the probe closes the new transport alone", "PROTOCOLS 3.1",
            wire.text("40"), closed_with(None), *survives()),
    probing("a binary message instead of the probe closes the new transport alone", "PROTOCOLS 3.1",
            wire.binary(b"2probe"), closed_with(None), *survives()),
    probing("an empty message instead of the probe closes the new transport alone", "RELIABILITY W9",
            wire.text(""), closed_with(None), *survives()),
    probing("a frame without a mask during the probe closes the new transport alone", "RELIABILITY W9",
            wire.text("2probe", mask=None), closed_with(1002), *survives()),
    probing("a reserved opcode behind the probe closes the new transport alone", "RELIABILITY W9",
            wire.text("2probe"), packet("3probe"), wire.frame(3), closed_with(1002), *survives()),
    probing("a wrong packet instead of the upgrade closes the new transport alone", "PROTOCOLS 3.1",
            wire.text("2probe"), packet("3probe"), wire.text("6"), closed_with(None), *survives()),
    probing("a reset during the probe leaves the session", "RELIABILITY W9", wire.text("2probe"), packet("3probe"),
            RST,
            *survives()),
    probing("a reset right behind the upgrade ends the session", "RELIABILITY W9",
            wire.text("2probe") + wire.text("5") + wire.text("40"), packet("3probe"), NO_TOKEN, RST, use("other"),
            wait(0.5), session_gone()),
    probing("a reset of the waiting poll during the probe ends the session", "RELIABILITY W9",
            use("poll"), POLL, wait(0.2), RST, use("other"), wait(0.5), session_gone()),
    probing("a close right behind the upgrade ends the session", "RELIABILITY W9",
            wire.text("2probe") + wire.text("5") + wire.goodbye(1000), packet("3probe"), closed_with(1000),
            use("main"), session_gone()),
    probing("packets right behind the upgrade arrive on the new transport", "RELIABILITY W9",
            wire.text("2probe") + wire.text("5") + wire.text("40"), packet("3probe"), NO_TOKEN),
    probing("a probe that goes no further is given up after upgradeTimeout", "PROTOCOLS 2",
            wire.text("2probe"), packet("3probe"), timed(closed_with(None), 1.5, 4), *survives()),
    probing("a second upgrade at the same time is closed", "PROTOCOLS 3.1",
            wire.text("2probe"), packet("3probe"), use("second"), handshake(line=PROBE), switched(), closed_with(None),
            use("probe"), wire.text("5"), wire.text("40"), NO_TOKEN),
    probing("an upgrade of what was upgraded is closed", "PROTOCOLS 3.1",
            wire.text("2probe"), packet("3probe"), wire.text("5"), use("second"), handshake(line=PROBE), switched(),
            closed_with(None), use("probe"), wire.text("40"), NO_TOKEN),
    probing("a poll that waits when a transport is probed is answered, and nothing is lost", "PROTOCOLS 3.1",
            use("poll"), POLL, use("probe"), wire.text("2probe"), packet("3probe"), use("poll"),
            answer(200, body=b"6"), use("probe"), wire.text("5"), wire.text("40"), NO_TOKEN),
    session("a session of websocket is not upgraded again", "PROTOCOLS 3.1",
            use("probe"), handshake(line=PROBE), switched(), closed_with(None), use("main"), wire.text("40"),
            NO_TOKEN, over="engine"),
]


def ended(name, raw, row="PROTOCOLS 3.1", check=None):
    return session(name, row, raw, check or engine_ended(), over="engine")


WEBSOCKET = [
    ended("an empty text frame ends the session", wire.text("")),
    ended("a packet of an unknown type ends the session on a websocket", wire.text("7")),
    ended("a packet that is a letter ends the session", wire.text("b")),
    ended("a ping of the client's ends the session on a websocket", wire.text("2")),
    ended("a message without anything in it ends the session", wire.text("4")),
    ended("an unmasked packet is a protocol error", wire.text("3", mask=None), row=TABLE, check=closed_with(1002)),
    ended("text that is not UTF-8 is bad data", wire.text(b"4\xff"), row=TABLE, check=closed_with(1007)),
    ended("a packet of more than a million bytes is too big before it comes", wire.text("", announce=1_000_001),
          row=TABLE, check=closed_with(1009)),
    session("a packet of a million bytes is taken", TABLE, wire.text("6" * 1_000_000), wire.text("40"),
            NO_TOKEN, over="engine"),
    ended("a thousand pings of WebSocket's are a flood", wire.ping() * 1000, row=TABLE,
          check=flooded(1008)),
    session("the packet close on a websocket is passed over, as the reference does", "PROTOCOLS 3.1",
            wire.text("1"), wire.text("40"), NO_TOKEN, over="engine"),
    session("packets that only a server sends are passed over", "PROTOCOLS 3.1",
            wire.text('0{"sid":"x"}') + wire.text("5") + wire.text("6noop"), wire.text("40"), NO_TOKEN,
            over="engine"),
    session("a session whose client does not answer the close is cut within 5 s", TABLE,
            muted(), wire.text("9"), timed(closed_with(None), 0, 6.5), over="engine"),
    session("a session that does not answer pings ends after its timeout", "PROTOCOLS 3.1",
            deaf(), packet("2"), timed(engine_ended(), 2.5, 5), over="socketio"),
]

CASES = HANDSHAKES + PAYLOADS + REQUESTS + UPGRADES + WEBSOCKET
