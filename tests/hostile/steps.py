"""The words in which the cases are written: what is sent, and what must come back.

A case is a name, the row of the specification that decides, and steps in their order. A step is
  bytes or str        sent as they are; <SID>, <ROOM> and the other variables of the session are filled in first
  late(f)             sent too; f(session) makes the bytes, for what must be masked after it is filled in
  FIN, RST, use(...)  the directives
  a Check             what must have come back before the next step
"""
import json
import re
import time
from dataclasses import dataclass
from typing import Callable

import wire
from session import Mismatch, Session, accept_of

ANSWER_S = 5.0  # how long an answer may take on a busy machine; what the specification bounds says so itself
CLOSE_S = 2.0  # from the answer to the end of the connection


@dataclass(frozen=True)
class Case:
    name: str
    row: str
    steps: tuple
    over: str = "tcp"  # the prelude: see session.OPENERS
    profile: str = "plain"
    slow: bool = False  # takes seconds because it waits for a deadline of the server's


@dataclass(frozen=True)
class Check:
    text: str
    run: Callable[[Session], None]


@dataclass(frozen=True)
class Do:
    run: Callable[[Session], None]


@dataclass(frozen=True)
class Late:
    make: Callable[[Session], bytes]


def late(make):
    return Late(make)


FIN = Do(lambda s: s.wire.fin())
RST = Do(lambda s: s.wire.reset())


def use(name, over=None):
    """Goes on with another connection, which is made if there is none of that name; `over`: its prelude."""
    return Do(lambda s: s.use(name, over))


def wait(seconds):
    """Only for cases that are about time."""
    return Do(lambda s: time.sleep(seconds))


def muted():
    """From here on the close frames of the server stay unanswered."""
    def run(s):
        s.link.muted = True
    return Do(run)


def deaf():
    """From here on the pings of Engine.IO stay unanswered."""
    def run(s):
        s.link.engine = False
    return Do(run)


def perform(session, step):
    if isinstance(step, (bytes, str)):
        session.wire.send(session.filled(step))
    elif isinstance(step, Late):
        session.wire.send(step.make(session))
    else:
        step.run(session)


# -- HTTP ---------------------------------------------------------------------------------------


def answer(*statuses, has=None, lacks=(), body=None, head_only=False, within=ANSWER_S):
    """One HTTP answer. `has`: header -> value, or None for any; `body`: exact bytes, a pattern or a test."""
    text = "HTTP " + " or ".join(map(str, statuses))
    text += f" with {has}" if has else ""
    text += f", body {body!r}" if isinstance(body, (bytes, re.Pattern)) else ""

    def run(s):
        got = wire.read_answer(s.wire, time.monotonic() + within * s.slowness, head_only)
        s.answer = got
        fits = got.status in statuses
        for name, value in (has or {}).items():
            fits = fits and got.get(name) is not None and (value or "").lower() in got.get(name).lower()
        fits = fits and not any(got.get(name) is not None for name in lacks)
        if isinstance(body, bytes):
            fits = fits and got.body == body
        elif isinstance(body, re.Pattern):
            fits = fits and body.search(got.body) is not None
        elif body is not None:
            fits = fits and body(got.body)
        if not fits:
            raise Mismatch(str(got))
    return Check(text, run)


def perhaps_continue():
    """100 may come or not."""
    def run(s):
        s.wire.need(12, time.monotonic() + ANSWER_S * s.slowness)
        if s.wire.buffer.startswith(b"HTTP/1.1 100"):
            wire.read_answer(s.wire, time.monotonic() + ANSWER_S)
    return Check("100 Continue, or not", run)


def nothing_more(within=CLOSE_S):
    """The server closes, and has sent nothing since."""
    def run(s):
        s.wait_for_end(within)
        if s.wire.buffer:
            raise Mismatch(f"more: {bytes(s.wire.buffer[:200])!r}")
    return Check(f"closed within {within} s, nothing more sent", run)


def refused(*statuses, has=None, within=ANSWER_S):
    """An error as problem+json, then the end: whatever follows the bad request is never answered."""
    first = answer(*statuses, has={"Content-Type": "application/problem+json", "Connection": "close", **(has or {})},
                   within=within)

    def run(s):
        first.run(s)
        if json.loads(s.answer.body).get("status") != s.answer.status:
            raise Mismatch(f"the problem says another status: {s.answer}")
        nothing_more().run(s)
    return Check(f"{first.text}, closed, nothing more sent", run)


def alive():
    """The connection still takes a request, and what comes back is its answer and nothing else."""
    first = answer(200, has={"Connection": "close"}, body=b'{"status":"ok"}')

    def run(s):
        s.send_whole(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        first.run(s)
        nothing_more().run(s)
    return Check("the connection goes on, and has nothing else to say", run)


def never(status):
    """Whatever answers come until the server closes or is silent, none of them has this status."""
    def run(s):
        seen = []
        try:
            while True:
                seen.append(wire.read_answer(s.wire, time.monotonic() + 0.7 * s.slowness).status)
        except (wire.Silent, wire.Ended):
            pass
        if not seen or status in seen:
            raise Mismatch(f"answers {seen}")
    return Check(f"an answer, and none with status {status}", run)


def gone(within=CLOSE_S):
    """The connection ends; no answer of success was sent. What else was said does not matter."""
    def run(s):
        s.wait_for_end(within)
        if re.match(rb"HTTP/1.1 [23]", s.wire.buffer):
            raise Mismatch(f"{bytes(s.wire.buffer[:200])!r}")
    return Check(f"the connection ends within {within} s, without success", run)


def timed(check, least, most):
    """The check holds, and not before `least` seconds nor after `most`."""
    def run(s):
        start = time.monotonic()
        check.run(s)
        took = time.monotonic() - start
        if not least <= took <= most * max(1, s.slowness / 2):
            raise Mismatch(f"after {took:.2f} s")
    return Check(f"{check.text}, {least} to {most} s later", run)


# -- WebSocket ----------------------------------------------------------------------------------


def switched(has=None, lacks=(), key=Session.KEY):
    """101; from here on the connection speaks frames."""
    first = answer(101, has={"Upgrade": "websocket", "Connection": "Upgrade", **(has or {})}, lacks=lacks)

    def run(s):
        first.run(s)
        if s.answer.get("Sec-WebSocket-Accept") != accept_of(key):
            raise Mismatch(f"a wrong Sec-WebSocket-Accept: {s.answer}")
    return Check(first.text, run)


def closed_with(code, reason=None, within=ANSWER_S):
    """A close frame with this code (None: without any), before any message; then the end of the connection."""
    def run(s):
        got = s.next_frame(within)
        said = int.from_bytes(got.payload[:2], "big") if got.payload else None
        if got.opcode != wire.CLOSE or said != code or (reason is not None and got.payload[2:].decode() != reason):
            raise Mismatch(str(got))
        nothing_more(CLOSE_S if not s.link.muted else 6).run(s)
    what = f"close {code}" if code else "close without a code"
    return Check(what + (f" {reason!r}" if reason is not None else ""), run)


def pong_of(payload):
    def run(s):
        got = s.next_frame()
        if got.opcode != wire.PONG or got.payload != payload:
            raise Mismatch(str(got))
    return Check(f"pong {payload[:40]!r}", run)


def flooded(code):
    """Closed with this code; what was answered before does not matter."""
    def run(s):
        while (got := s.next_frame()).opcode == wire.PONG:
            pass
        if got.opcode != wire.CLOSE or int.from_bytes(got.payload[:2], "big") != code:
            raise Mismatch(str(got))
        nothing_more().run(s)
    return Check(f"close {code}, pongs before it", run)


def message(test, text, binary=False):
    def run(s):
        got = s.next_message()
        if got.opcode != (wire.BINARY if binary else wire.TEXT) or not test(got.payload):
            raise Mismatch(str(got))
    return Check(text, run)


def hello(name):
    """A native request that is answered by its name: what shows that a message was delivered."""
    return json.dumps({"type": "ping", "id": name}, separators=(",", ":"))


def delivered(name):
    return reply(type="pong", id=name)


def reply(**fields):
    """A native message that has these fields; who comes and goes in the same room is passed over."""
    def run(s):
        while True:
            payload = s.next_message().payload
            got = json.loads(payload)
            if all(got.get(key) == value for key, value in fields.items()):
                return
            if got.get("type") not in ("user-joined", "user-left"):
                raise Mismatch(f"{payload[:300]!r}")
    return Check(f"a message with {fields}", run)


def goes_on():
    """The native connection still answers."""
    def run(s):
        s.send_whole(wire.text(hello("goes on")))
        delivered("goes on").run(s)
    return Check("the connection goes on", run)


# -- Engine.IO and Socket.IO --------------------------------------------------------------------


def packet(wanted):
    """An Engine.IO text packet, exactly."""
    return message(lambda payload: payload == wire.to_bytes(wanted), f"packet {wanted[:80]!r}")


def packet_like(pattern):
    return message(lambda payload: re.fullmatch(pattern, payload.decode(), re.S) is not None,
                   f"a packet like {pattern!r}")


UNKNOWN = '[{"error":"Unknown event","code":"unknown-event"}]'


def emitted(packet_text):
    """A Socket.IO packet as the frame of a client."""
    return wire.text("4" + packet_text)


def acked(number, nsp=""):
    """The answer of the hall to an event that it does not know: the event has been delivered."""
    return packet(f"43{nsp}{number}{UNKNOWN}")


def engine_ended(within=ANSWER_S):
    """The server ends the Engine.IO session on a WebSocket: as the reference, without a close code."""
    return closed_with(None, within=within)


def session_gone():
    """The polling session is not known any more."""
    def run(s):
        other = wire.Wire(s.server.port)
        try:
            other.send(s.filled(POLL))
            got = wire.read_answer(other, time.monotonic() + ANSWER_S * s.slowness)
            # The reference keeps a session that it closes until the goodbye has been fetched.
            if got.status == 200 and got.body in (b"1", b"6\x1e1"):
                other.send(s.filled(POLL))
                got = wire.read_answer(other, time.monotonic() + ANSWER_S * s.slowness)
            if got.status != 400 or got.body != b'{"code":1,"message":"Session ID unknown"}':
                raise Mismatch(str(got))
        finally:
            other.close()
    return Check("the session is not known any more", run)


def socketio_goes_on():
    def run(s):
        s.send_whole(emitted('2987["is there anybody"]'))
        acked(987).run(s)
    return Check("the connection goes on", run)


ENGINE = "/socket.io/?EIO=4&transport="
POLL = f"GET {ENGINE}polling&sid=<SID> HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def poll():
    return POLL


def post(body, *headers, sid="<SID>", length=None, version="HTTP/1.1"):
    """A polling POST; `body` may be text."""
    body = wire.to_bytes(body)
    lines = [f"POST {ENGINE}polling&sid={sid} {version}", "Host: x"]
    if not any(name.lower().startswith(("content-length", "transfer-encoding")) for name in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def ok():
    return answer(200, body=b"ok")


def code(number, status=400):
    """An Engine.IO error as a polling client gets it."""
    texts = ("Transport unknown", "Session ID unknown", "Bad handshake method", "Bad request", "Forbidden",
             "Unsupported protocol version")
    body = json.dumps({"code": number, "message": texts[number]}, separators=(",", ":")).encode()
    return answer(status, has={"Content-Type": "application/json"}, body=body)
