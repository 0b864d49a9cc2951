"""A broadcast to 1,000, compressed or not. The client is Python, because `wirehall bench` does not offer compression;
it is the same one for both, so that what the server pays for waiting is the same too."""
import pathlib
import random
import select
import time

from . import servers
from .machine import BenchError
from .websocket import WebSocket, masked

SUBSCRIBERS = 1000
TEXT_BYTES = 2048
STALL_SECONDS = 10
OFFER = "permessage-deflate; client_max_window_bits"
WORDS = ("room message user presence typing delivered online history private file call answer offer candidate "
         "status pending member joined left broadcast").split()


def text_of(number):
    """2 KiB as people might write them: words in an order that is always the same for a number."""
    words, chosen = random.Random(number), [f"{number:08}"]
    while sum(map(len, chosen)) + len(chosen) < TEXT_BYTES:
        chosen.append(words.choice(WORDS))
    return " ".join(chosen)[:TEXT_BYTES]


def cpu_ns(pid):
    """What the scheduler gave the process so far."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


class Audience:
    """Subscribers, of which the first reads what it gets and the others must get the same bytes."""

    def __init__(self, port, compressed, subscribers=SUBSCRIBERS):
        offer = OFFER if compressed else ""
        self.publisher = WebSocket(port, "/ws", offer)
        self.members = [WebSocket(port, "/ws", offer) for _ in range(subscribers)]
        if any(member.compressed != compressed for member in self.members):
            raise BenchError("the server did not agree to what was offered: permessage-deflate")
        for member in self.members:
            member.send('{"type":"subscribe","id":1}')
            member.wait_for('"ack"')
        self.first, self.others = self.members[0], self.members[1:]
        self.poll = select.epoll()
        for index, member in enumerate(self.others):
            member.socket.setblocking(False)
            self.poll.register(member.socket, select.EPOLLIN | select.EPOLLET)
            member.index = index
        self.by_descriptor = {member.socket.fileno(): member for member in self.others}

    def broadcast(self, number):
        """Sends one message and waits until everybody has it. Returns its bytes on the wire."""
        text = text_of(number)
        self.publisher.socket.sendall(masked('{"type":"publish","data":"' + text + '"}'))
        size, got = self.first.next_frame()
        if text not in got:
            raise BenchError("a subscriber got another message than was sent")
        waiting = {member: b"" for member in self.others}
        reference = None
        deadline = time.monotonic() + STALL_SECONDS
        while waiting:
            if time.monotonic() > deadline:
                raise BenchError(f"{len(waiting)} of {len(self.others)} subscribers did not get a message")
            for descriptor, _ in self.poll.poll(1):
                member = self.by_descriptor[descriptor]
                data = waiting.get(member, b"") + member.socket.recv(4 * TEXT_BYTES)
                if len(data) < size:
                    waiting[member] = data
                    continue
                reference = reference or data
                if data != reference:
                    raise BenchError("subscribers got different bytes")
                del waiting[member]
        return size

    def close(self):
        for member in [self.publisher, *self.members]:
            member.close()


class Deflate:
    """The server's CPU time for each delivery of 2 KiB."""

    def __init__(self, server):
        self.server = servers.SERVERS[server]
        self.compressed = server == "deflate"
        self.key = f"deflate/{server}"
        self.title = f"2 KiB to 1,000{', compressed' if self.compressed else ''}: {self.server.title}"

    def servers(self):
        return [self.server]

    def expected_seconds(self, options):
        return options.seconds + 1.5

    def connections(self, _):
        return SUBSCRIBERS + 1

    def run(self, context):
        with servers.start(self.server, context.places, context.cores.server) as running:
            audience = Audience(running.port, self.compressed)
            for number in range(5):
                audience.broadcast(number)
            before, begin, count, wire_bytes = cpu_ns(running.pid), time.monotonic(), 0, 0
            while time.monotonic() < begin + context.options.seconds:
                wire_bytes += audience.broadcast(100 + count)
                count += 1
            elapsed, used = time.monotonic() - begin, cpu_ns(running.pid) - before
            audience.close()
        deliveries = count * SUBSCRIBERS
        return {"mode": "deflate", "disturbance": 0.0, "messages": count, "bytes_per_message": wire_bytes / count,
                "operations_per_second": deliveries / elapsed,
                "server": {"cpu_us_per_operation": used / 1e3 / deliveries, "cores_used": used / 1e9 / elapsed}}

    def waited(self, _):
        return False

    def summary(self, result):
        return (f"{result['server']['cpu_us_per_operation']:9.3f} µs  {result['operations_per_second']:9.0f}/s  "
                f"{result['bytes_per_message']:.0f} B on the wire")
