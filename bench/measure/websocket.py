"""A small WebSocket client, for what `wirehall bench` does not speak (compression) and for looking at frames."""
import json
import socket
import zlib

TIMEOUT_SECONDS = 10
RECEIVE_BYTES = 1 << 18
TAIL = b"\x00\x00\xff\xff"  # what a compressed message leaves out (RFC 7692)


def masked(text):
    """A text frame of a client, with a mask of zeros."""
    payload = text.encode()
    if len(payload) < 126:
        head = bytes([0x81, 0x80 | len(payload)])
    else:
        head = bytes([0x81, 0xFE]) + len(payload).to_bytes(2, "big")
    return head + bytes(4) + payload


def split(data):
    """(bytes of the whole first frame, its first byte, its payload); (0, 0, b"") when it is not whole."""
    if len(data) < 2:
        return 0, 0, b""
    size, head = data[1] & 0x7F, 2
    if size >= 126:
        head += 2 if size == 126 else 8
        size = int.from_bytes(data[2:head], "big")
    if len(data) < head + size:
        return 0, 0, b""
    return head + size, data[0], data[head:head + size]


class WebSocket:
    """A connection; it blocks until `socket` is told otherwise. `extensions`: what it offers."""

    def __init__(self, port, path, extensions=""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        offer = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
                             ).encode())
        self.unread = b""
        while b"\r\n\r\n" not in self.unread:
            self._receive()
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"the upgrade was refused: {head[:200]!r}")
        self.compressed = b"permessage-deflate" in head
        self._inflater = zlib.decompressobj(-15)

    def _receive(self):
        piece = self.socket.recv(RECEIVE_BYTES)
        if not piece:
            raise RuntimeError("the server closed the connection")
        self.unread += piece

    def send(self, text):
        self.socket.sendall(masked(text))

    def next_frame(self):
        """(the frame's bytes on the wire, its text)."""
        while not split(self.unread)[0]:
            self._receive()
        size, first, payload = split(self.unread)
        self.unread = self.unread[size:]
        if first & 0x40:
            payload = self._inflater.decompress(payload + TAIL)
        return size, payload.decode()

    def wait_for(self, part):
        """The first frame whose text holds `part`, as next_frame() has it; others are passed over."""
        while True:
            size, text = self.next_frame()
            if part in text:
                return size, text

    def close(self):
        self.socket.close()


def hall_delivery_bytes(port, protocol, content_bytes):
    """The bytes on the wire of a message that `wirehall serve` delivers, named as `wirehall bench` names things."""
    room, content = "bench-1234567890-0", "x" * content_bytes
    message = {"roomId": room, "content": content}
    if protocol == "native":
        client = WebSocket(port, "/ws")
        client.send(json.dumps({"type": "join-room", "id": 1, "roomId": room}))
        client.wait_for('"ack"')
        client.send(json.dumps({"type": "message", "id": 2, **message}))
    else:
        client = WebSocket(port, "/socket.io/?EIO=4&transport=websocket")
        client.send("40")
        client.wait_for('40{"sid"')
        client.send("421" + json.dumps(["join-room", room]))
        client.wait_for("431[")
        client.send("422" + json.dumps(["message", message]))
    size, _ = client.wait_for(content)
    client.close()
    return size
