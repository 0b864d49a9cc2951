"""Bytes in and out: one TCP connection, HTTP answers, WebSocket frames. Shares nothing with the server's parsers.

What the server sends is read strictly: a header that is out of form, a masked or non-minimal frame, a length
that does not fit is a finding, whatever the case was about.
"""
import re
import select
import socket
import struct
import time
import zlib
from dataclasses import dataclass, field

# One byte per segment for inputs up to this size; of larger ones the edges, where the decisions fall.
BYTEWISE_MAX = 48 * 1024
BYTEWISE_EDGE = 2 * 1024
PIECE = 509  # between the edges: prime, so that pieces meet every alignment of what lies inside


class Malformed(Exception):
    """The server sent what it must not send."""


class Silent(Exception):
    """Nothing more came before the deadline."""


class Ended(Exception):
    """The server closed where more was expected."""


class Wire:
    """A TCP connection. Reading keeps what came in `buffer`; `ended` says how the server's side closed."""

    def __init__(self, port, bytewise=False, rcvbuf=None, source=None):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if rcvbuf is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if source is not None:
            self.sock.bind((source, 0))
        self.sock.settimeout(10)
        self.sock.connect(("127.0.0.1", port))
        self.bytewise = bytewise
        self.buffer = bytearray()
        self.received = 0
        self.last = b""  # the latest bytes, for reports
        self.ended = ""  # "", "eof" or "reset"
        self.send_error = ""
        self.sent_at = time.monotonic()

    # -- out ------------------------------------------------------------------------------------

    def send(self, data):
        """Sends; a server that closed meanwhile is no error here: its answer decides."""
        try:
            if not self.bytewise:
                self.sock.sendall(data)
            elif len(data) <= BYTEWISE_MAX:
                self._send_bytes(data)
            else:
                self._send_bytes(data[:BYTEWISE_EDGE])
                for at in range(BYTEWISE_EDGE, len(data) - BYTEWISE_EDGE, PIECE):
                    self.sock.sendall(data[at:min(at + PIECE, len(data) - BYTEWISE_EDGE)])
                self._send_bytes(data[-BYTEWISE_EDGE:])
        except OSError as error:
            self.send_error = type(error).__name__
        self.sent_at = time.monotonic()

    def _send_bytes(self, data):
        send = self.sock.send
        for at in range(len(data)):
            send(data[at:at + 1])

    def fin(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.sent_at = time.monotonic()

    def reset(self):
        """Closes with a RST instead of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    # -- in -------------------------------------------------------------------------------------

    def fill(self, deadline):
        """Waits for more bytes. Returns False when the server's side has ended."""
        if self.ended:
            return False
        left = deadline - time.monotonic()
        if left <= 0 or not select_one(self.sock, left):
            raise Silent()
        try:
            data = self.sock.recv(256 * 1024)
        except ConnectionResetError:
            self.ended = "reset"
            return False
        if not data:
            self.ended = "eof"
            return False
        self.buffer += data
        self.received += len(data)
        self.last = (self.last + data)[-400:]
        return True

    def need(self, count, deadline):
        while len(self.buffer) < count:
            if not self.fill(deadline):
                raise Ended(self.ended)

    def take(self, count, deadline):
        self.need(count, deadline)
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def take_line(self, deadline):
        while b"\n" not in self.buffer:
            if not self.fill(deadline):
                raise Ended(self.ended)
        end = self.buffer.index(b"\n") + 1
        return self.take(end, deadline)


def select_one(sock, seconds):
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(max(0, int(seconds * 1000)) + 1))


# -- HTTP ---------------------------------------------------------------------------------------

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [ -~]*\r\n\Z")
HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~]*)\r\n\Z")


@dataclass
class Answer:
    status: int
    headers: list = field(default_factory=list)
    body: bytes = b""

    def get(self, name):
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        if len(found) > 1:
            raise Malformed(f"{name} stands {len(found)} times in an answer")
        return found[0] if found else None

    def __str__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:160]!r}"


def read_answer(wire, deadline, head_only=False):
    """One HTTP answer, strictly."""
    line = wire.take_line(deadline)
    match = STATUS_LINE.match(line)
    if not match:
        raise Malformed(f"status line {line[:80]!r}")
    answer = Answer(int(match.group(1)))
    while True:
        line = wire.take_line(deadline)
        if line == b"\r\n":
            break
        header = HEADER_LINE.match(line)
        if not header:
            raise Malformed(f"header line {line[:120]!r}")
        answer.headers.append((header.group(1).decode(), header.group(2).decode().strip()))
    for name in ("Content-Length", "Connection", "Date", "Content-Type"):
        answer.get(name)
    if answer.get("Transfer-Encoding") is not None:
        raise Malformed("an answer with Transfer-Encoding")
    if answer.status < 200 or answer.status in (204, 304):
        return answer
    length = answer.get("Content-Length")
    if length is None or not length.isdigit():
        raise Malformed(f"Content-Length {length!r}")
    if not head_only:
        answer.body = wire.take(int(length), deadline)
    return answer


# -- WebSocket ----------------------------------------------------------------------------------

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"


def masked(payload, mask):
    if not payload:
        return b""
    pad = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(payload), "big")


def frame(opcode, payload=b"", fin=True, rsv=0, mask=MASK, announce=None, form=None):
    """A client's frame. `announce`: the length to claim; `form`: 7, 16 or 64 bits, whatever would be minimal."""
    length = len(payload) if announce is None else announce
    if form is None:
        form = 7 if length < 126 else 16 if length < 65536 else 64
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    flag = 0 if mask is None else 0x80
    if form == 7:
        head += bytes([flag | length])
    elif form == 16:
        head += bytes([flag | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([flag | 127]) + length.to_bytes(8, "big")
    return head + (payload if mask is None else mask + masked(payload, mask))


def to_bytes(text):
    return text.encode() if isinstance(text, str) else text


def text(payload, **how):
    return frame(TEXT, to_bytes(payload), **how)


def binary(payload, **how):
    return frame(BINARY, payload, **how)


def more(payload, fin=False, **how):
    """A continuation."""
    return frame(CONT, to_bytes(payload), fin=fin, **how)


def ping(payload=b"", **how):
    return frame(PING, payload, **how)


def pong(payload=b"", **how):
    return frame(PONG, payload, **how)


def goodbye(code=None, reason=b"", **how):
    """A close frame."""
    return frame(CLOSE, (b"" if code is None else code.to_bytes(2, "big")) + reason, **how)


@dataclass
class Frame:
    opcode: int
    payload: bytes
    fin: bool = True

    def __str__(self):
        if self.opcode == CLOSE:
            code = int.from_bytes(self.payload[:2], "big") if self.payload else "without a code"
            return f"close {code} {self.payload[2:]!r}"
        return f"frame {self.opcode} {self.payload[:200]!r}"


def read_frame(wire, deadline, inflate=False):
    """One frame of the server's, strictly: minimal length, unmasked, no reserved bit that was not agreed."""
    first, second = wire.take(2, deadline)
    if second & 0x80:
        raise Malformed("a masked frame of the server's")
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(wire.take(2, deadline), "big")
        minimum = 126
    elif length == 127:
        length = int.from_bytes(wire.take(8, deadline), "big")
        minimum = 65536
    else:
        minimum = 0
    if length < minimum or length >= 2**63:
        raise Malformed(f"length {length} in a longer form than needed")
    opcode, rsv, fin = first & 15, first >> 4 & 7, bool(first & 0x80)
    if opcode not in (CONT, TEXT, BINARY, CLOSE, PING, PONG) or (opcode >= 8 and (not fin or length > 125)):
        raise Malformed(f"frame with first bytes {first:02x} {second:02x}")
    if rsv & 3 or (rsv and (not inflate or opcode in (CONT, CLOSE, PING, PONG))):
        raise Malformed(f"reserved bits {rsv:03b} on opcode {opcode}")
    payload = wire.take(length, deadline)
    if rsv:
        engine = zlib.decompressobj(-15)
        payload = engine.decompress(payload + b"\x00\x00\xff\xff", 1 << 26)
    if opcode == TEXT and fin:
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"a text frame that is not UTF-8: {error}") from None
    return Frame(opcode, payload, fin)


def deflated(payload, level=9, final=False):
    """As permessage-deflate sends it: without the tail that a sync flush leaves."""
    engine = zlib.compressobj(level, zlib.DEFLATED, -15)
    if final:
        return engine.compress(payload) + engine.flush(zlib.Z_FINISH) + b"\x00"
    return (engine.compress(payload) + engine.flush(zlib.Z_SYNC_FLUSH))[:-4]
