"""A case's connections to the server, and the valid preludes that the cases begin with."""
import base64
import hashlib
import itertools
import json
import re
import time
from collections import defaultdict

import wire

NUMBERS = itertools.count(1)


class Mismatch(Exception):
    """Something else came back than the case expects."""


class Link:
    def __init__(self, connection, variables):
        self.wire = connection
        self.variables = variables
        self.inflate = False  # permessage-deflate was agreed
        self.engine = False  # speaks Engine.IO: its pings are answered
        self.muted = False


def accept_of(key):
    """Sec-WebSocket-Accept (RFC 6455 4.2.2)."""
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


class Session:
    spoken = defaultdict(set)  # by port: the secrets that were told the server, for a look into its log
    KEY = "dGhlIHNhbXBsZSBub25jZQ=="

    def __init__(self, server, bytewise=False, slowness=1.0):
        self.server, self.bytewise, self.slowness = server, bytewise, slowness
        self.links = {}
        self.answer = None
        self.shared = {"ROOM": f"room-{next(NUMBERS)}", "KEY": self.KEY, "HOST": f"127.0.0.1:{server.port}"}
        self.use("main")

    @property
    def wire(self):
        return self.link.wire

    @property
    def variables(self):
        return self.link.variables

    def use(self, name, over=None):
        if name not in self.links:
            # A plain second connection belongs to the same client, one with a prelude is somebody else.
            variables = self.links["main"].variables if self.links and over is None else dict(self.shared)
            if "USER" not in variables:
                variables["USER"] = f"user-{next(NUMBERS)}"
                variables["TOKEN"] = self.server.token(variables["USER"])
                self.spoken[self.server.port].add(variables["TOKEN"])
            self.links[name] = Link(wire.Wire(self.server.port), variables)
            self.link = self.links[name]
            if over is not None:
                OPENERS[over](self)
            self.wire.bytewise = self.bytewise
        self.link = self.links[name]

    def filled(self, data):
        """Puts the variables in, where a template has them: near its beginning."""
        def value(match):
            return self.variables.get(match.group(1).decode(), match.group(0).decode()).encode()
        data = wire.to_bytes(data)
        return re.sub(rb"<([A-Z]+)>", value, data[:8192]) + data[8192:]

    def send_whole(self, data):
        """What the runner itself says, which is not the subject."""
        before, self.wire.bytewise = self.wire.bytewise, False
        self.wire.send(self.filled(data))
        self.wire.bytewise = before

    def open(self, over):
        before, self.wire.bytewise = self.wire.bytewise, False
        OPENERS[over](self)
        self.wire.bytewise = before

    def close(self):
        for link in self.links.values():
            link.wire.close()

    # -- in -------------------------------------------------------------------------------------

    def deadline(self, seconds=5.0):
        return time.monotonic() + seconds * self.slowness

    def wait_for_end(self, seconds):
        deadline = self.deadline(seconds)
        while self.wire.fill(deadline):
            pass

    def next_frame(self, seconds=5.0):
        """The next frame that is not routine; answers the server's pings, and its goodbye."""
        deadline = self.deadline(seconds)
        while True:
            got = wire.read_frame(self.wire, deadline, self.link.inflate)
            if got.opcode == wire.PING:
                self.send_whole(wire.pong(got.payload))
            elif self.link.engine and got.opcode == wire.TEXT and got.payload == b"2":
                self.send_whole(wire.text("3"))
            elif got.opcode == wire.CLOSE and not self.link.muted:
                self.send_whole(wire.frame(wire.CLOSE, got.payload[:2]))
                return got
            else:
                return got

    def next_message(self):
        got = self.next_frame()
        if got.opcode not in (wire.TEXT, wire.BINARY) or not got.fin:
            raise Mismatch(str(got))
        return got

    def expect_text(self, pattern):
        got = self.next_message()
        match = re.match(pattern, got.payload.decode(), re.S)
        if got.opcode != wire.TEXT or not match:
            raise Mismatch(f"{got} in the prelude")
        return match

    def expect_answer(self, status):
        got = wire.read_answer(self.wire, self.deadline())
        if got.status != status:
            raise Mismatch(f"{got} in the prelude")
        return got


# -- preludes -----------------------------------------------------------------------------------


def tcp(_session):
    pass


def upgrade(session, target, extensions=""):
    session.send_whole(f"GET {target} HTTP/1.1\r\nHost: <HOST>\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                       f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: <KEY>\r\n{extensions}\r\n")
    got = session.expect_answer(101)
    if got.get("Sec-WebSocket-Accept") != accept_of(session.KEY):
        raise Mismatch(f"{got} in the prelude")
    return got


def native(session, extensions=""):
    got = upgrade(session, "/ws?token=<TOKEN>", extensions)
    welcome = json.loads(session.next_message().payload)
    if welcome.get("type") != "connected" or welcome.get("userId") != session.variables["USER"]:
        raise Mismatch(f"{welcome} in the prelude")
    return got


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


def agreed(session, got):
    agreement = got.get("Sec-WebSocket-Extensions") or ""
    if "permessage-deflate" not in agreement or "no_context_takeover" not in agreement:
        raise Mismatch(f"{got} in the prelude")
    session.link.inflate = True


def native_deflate(session):
    session.link.inflate = True
    agreed(session, native(session, DEFLATE))


def opened(session, text):
    fields = json.loads(text)
    if not re.fullmatch(r"[\w-]{20}", fields["sid"]):
        raise Mismatch(f"{text} in the prelude")
    session.variables["SID"] = fields["sid"]
    session.spoken[session.server.port].add(fields["sid"])


def engine(session, extensions=""):
    session.link.engine = True
    got = upgrade(session, "/socket.io/?EIO=4&transport=websocket", extensions)
    opened(session, session.expect_text(r"0(\{.*\})$").group(1))
    return got


def welcomed(session, text):
    fields = json.loads(text)
    if fields[0] != "connected" or fields[1]["userId"] != session.variables["USER"]:
        raise Mismatch(f"{text} in the prelude")


def join_hall(session):
    session.send_whole(wire.text('40{"token":"' + session.variables["TOKEN"] + '"}'))
    session.variables["SOCKET"] = json.loads(session.expect_text(r"40(\{.*\})$").group(1))["sid"]
    welcomed(session, session.expect_text(r"42(\[.*\])$").group(1))


def socketio(session):
    engine(session)
    join_hall(session)


def socketio_deflate(session):
    session.link.inflate = True
    agreed(session, engine(session, DEFLATE))
    join_hall(session)


def polling(session):
    session.send_whole("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
    got = session.expect_answer(200)
    opened(session, re.match(rb"0(\{.*\})$", got.body).group(1))


POLLING = "/socket.io/?EIO=4&transport=polling&sid=<SID> HTTP/1.1\r\nHost: x\r\n"


def socketio_polling(session):
    polling(session)
    body = session.filled('40{"token":"<TOKEN>"}').decode()
    session.send_whole(f"POST {POLLING}Content-Length: {len(body)}\r\n\r\n{body}")
    session.expect_answer(200)
    packets = []
    while len(packets) < 2:
        session.send_whole(f"GET {POLLING}\r\n")
        packets += session.expect_answer(200).body.decode().split("\x1e")
    session.variables["SOCKET"] = json.loads(packets[0][2:])["sid"]
    welcomed(session, packets[1][2:])


OPENERS = {opener.__name__: opener for opener in
           (tcp, native, native_deflate, engine, socketio, socketio_deflate, polling, socketio_polling)}
