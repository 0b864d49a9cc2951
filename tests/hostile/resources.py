"""What hostile clients may cost: memory of the process and of the kernel, processor time, descriptors, time to end.

Each function has a server of its own with bystanders, and returns complaints. Sources: RELIABILITY 3.4 and 3.5.
"""
import json
import re
import resource
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cases_deflate
import wire
from arena import MIB, Arena, probe_latency
from cases_deflate import BOMB, in_fragments
from runner import run_case
from server import Profile, kernel_tcp_bytes, wait_for
from session import Session
from steps import post
from wire import text

KIB = 1024


@dataclass
class Lab:
    binary: str
    asan: bool

    @property
    def factor(self):
        """How much more memory and time a sanitizer may take."""
        return 8 if self.asan else 1

    def arena(self, profile=Profile(), **how):
        return Arena(self.binary, profile, self.asan, **how)


class Peak:
    """How far RSS rose above what it was, at its highest."""

    def __init__(self, server):
        self.server = server
        server.forget_peak()
        self.base = server.rss()

    def grown(self):
        return self.server.peak_rss() - self.base


def at_most(what, got, limit, unit=MIB, name="MiB"):
    return [] if got <= limit else [f"{what}: {got / unit:.1f} {name}, at most {limit / unit:.1f} are allowed"]


def ended(lab, arena, complaints, allowance=8 * MIB):
    line, left = arena.finish(allowance)
    return line, complaints + left


def close_code(session, seconds=20):
    """Reads to the close frame; what came before it does not matter."""
    while (got := session.next_frame(seconds)).opcode != wire.CLOSE:
        pass
    return int.from_bytes(got.payload[:2], "big") if got.payload else None


# -- bytes --------------------------------------------------------------------------------------


def bombs(lab):
    """65 KiB that inflate to 64 MiB: whole, in 100 fragments, and 50 at a time."""
    arena = lab.arena(Profile(cases_deflate.PROFILE))
    limit, complaints = cases_deflate.LIMIT, []

    def throw(raw):
        session = Session(arena.server, slowness=arena.slowness)
        session.open("native_deflate")
        session.wire.send(raw)
        code = close_code(session)
        session.close()
        return [] if code == 1009 else [f"a bomb was answered by close {code}"]

    for what, raw in (("whole", text(BOMB, rsv=4)), ("in 100 fragments", in_fragments(BOMB, 100))):
        peak = Peak(arena.server)
        complaints += throw(raw)
        complaints += at_most(f"RSS with a bomb {what}", peak.grown(), (2 * limit + MIB) * lab.factor)
    peak = Peak(arena.server)
    with ThreadPoolExecutor(50) as pool:
        for found in pool.map(throw, [text(BOMB, rsv=4)] * 50):
            complaints += found
    # Each shard inflates one message at a time; what is added up are the compressed ones, and the buffers.
    complaints += at_most("RSS with 50 bombs at once", peak.grown(), 24 * MIB * lab.factor)
    return ended(lab, arena, complaints)


def empty_fragments(lab):
    """A million of them, and a message that never ends."""
    arena = lab.arena()
    peak, complaints = Peak(arena.server), []
    session = Session(arena.server, slowness=arena.slowness)
    session.open("native")
    session.wire.send(text("", fin=False) + wire.more("") * 999_999)
    code = close_code(session)
    session.close()
    if code != 1008:
        complaints.append(f"a million empty fragments were answered by close {code}")
    complaints += at_most("RSS with a million empty fragments", peak.grown(), 2 * MIB * lab.factor)
    return ended(lab, arena, complaints)


def pongs(lab):
    """10^5 pongs of Engine.IO that nobody asked for."""
    arena = lab.arena()
    peak, complaints = Peak(arena.server), []
    session = Session(arena.server, slowness=arena.slowness)
    session.open("socketio")
    session.wire.send(text("3") * 100_000)
    try:
        if (code := close_code(session)) is not None:
            complaints.append(f"100,000 pongs were answered by close {code}")
    except wire.Silent:
        complaints.append("100,000 pongs did not end the session")
    except wire.Ended:
        pass  # the rest of the flood met a closed socket, and its RST overtook the goodbye
    session.close()
    complaints += at_most("RSS with 100,000 pongs", peak.grown(), 2 * MIB * lab.factor)
    return ended(lab, arena, complaints)


def pipelining(lab):
    """A million requests at once from a client that reads no answer: at some point they must stay outside."""
    arena = lab.arena()
    peak, complaints = Peak(arena.server), []
    connection = wire.Wire(arena.server.port, rcvbuf=4096)
    connection.sock.settimeout(2)
    connection.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000_000)
    if not connection.send_error:
        complaints.append("a million requests were taken in although no answer was read")
    complaints += at_most("RSS with pipelined requests", peak.grown(), 4 * MIB * lab.factor)
    connection.close()
    return ended(lab, arena, complaints)


BODIES = 200


def bodies(lab):
    """Polling bodies of a million bytes, each but for its last byte, of clients that nobody knows yet."""
    arena = lab.arena()
    peak, sessions = Peak(arena.server), []
    for _ in range(BODIES):
        session = Session(arena.server, slowness=arena.slowness)
        session.open("polling")
        session.wire.send(session.filled(post(b"6" * 999_999, length=1_000_000)))
        sessions.append(session)
    wait_for(lambda: peak.grown() > 190 * 10**6, 1.5)
    # E1 bounds the process; its parsers' own memory is in the base.
    complaints = at_most(f"RSS with {BODIES} unfinished bodies", peak.base + peak.grown(), 200 * 10**6 * lab.factor,
                         10**6, "MB")
    for session in sessions:
        session.close()
    return ended(lab, arena, complaints)


# -- clients that do not read -------------------------------------------------------------------

SLOW = 200
PIECE = "s" * (16 * KIB)
FLOOD = 150  # pieces: twice what is kept for a client


def slow_consumers(lab):
    """They join a room that is flooded, and read nothing. Half of them look up when it is over."""
    arena = lab.arena()
    server, complaints = arena.server, []
    room = json.dumps({"type": "join", "roomId": "flood", "id": 1})
    publisher = Session(server, slowness=arena.slowness)
    publisher.open("native")
    publisher.wire.send(text(room))
    slow = []
    for _ in range(SLOW):
        session = Session(server, slowness=arena.slowness)
        session.wire.close()
        session.link.wire = wire.Wire(server.port, rcvbuf=4096)
        session.open("native")
        session.wire.send(text(room))
        while b'"ack"' not in session.next_message().payload:
            pass
        slow.append(session)
    healthy = Session(server, slowness=arena.slowness)
    healthy.open("native")
    healthy.wire.send(text(room))
    while b'"ack"' not in healthy.next_message().payload:
        pass
    kernel, peak, most_kernel = kernel_tcp_bytes(), Peak(server), 0
    for number in range(FLOOD):
        publisher.wire.send(text(json.dumps({"type": "broadcast", "room": "flood", "id": number,
                                             "data": {"n": number, "filler": PIECE}})))
        complaints += missed(healthy, number)
        if complaints:
            break
        most_kernel = max(most_kernel, kernel_tcp_bytes() - kernel)
    complaints += at_most(f"RSS with {SLOW} slow consumers", peak.grown(), 64 * MIB * lab.factor)
    complaints += at_most(f"kernel memory with {SLOW} slow consumers", most_kernel, SLOW * 300 * KIB)
    complaints += [found for session in slow[::2] for found in told_to_leave(session)][:3]
    # The others never read again: they are cut when nothing could be written for 10 s.
    left = arena.base_fds + 2
    if not wait_for(lambda: server.fds() <= left, 15 * arena.slowness):
        complaints.append(f"{server.fds() - left} clients that never read were still connected after 15 s")
    for session in [*slow, healthy, publisher]:
        session.close()
    return ended(lab, arena, complaints)


def missed(session, number):
    """Whether a client that reads gets the next piece of the flood."""
    try:
        while True:
            got = session.next_frame(10)
            event = json.loads(got.payload) if got.opcode == wire.TEXT else {"type": ""}
            if event["type"] == "broadcast" and event["data"]["n"] == number:
                return []
            if event["type"] not in ("ack", "joined", "user-joined", "user-left"):
                return [f"a client that reads got {str(got)[:200]} instead of message {number}"]
    except (wire.Silent, wire.Ended) as error:
        return [f"a client that reads did not get message {number}: {type(error).__name__}"]


def told_to_leave(session):
    """What reached the client is whole and in order, and ends with the reason."""
    number = None
    try:
        while (got := session.next_frame(5)).opcode != wire.CLOSE:
            event = json.loads(got.payload)
            if event["type"] != "broadcast":
                continue
            if event["data"]["filler"] != PIECE or (number is not None and event["data"]["n"] != number + 1):
                return [f"a slow consumer got {got.payload[:120]!r} behind message {number}"]
            number = event["data"]["n"]
    except (wire.Silent, wire.Ended, wire.Malformed) as error:
        return [f"a slow consumer got no goodbye behind message {number}: {type(error).__name__} {error}"]
    told = (int.from_bytes(got.payload[:2], "big"), got.payload[2:].lower())
    return [] if told == (1008, b"slow consumer") else [f"a slow consumer was told {got}"]


# -- time ---------------------------------------------------------------------------------------

DRIBBLERS = 500


def slowloris(lab):
    """Half heads at a byte a second: the deadline is absolute, and others are served meanwhile."""
    arena = lab.arena()
    complaints, lasted, latencies = [], [], []
    poll, open_since = select.poll(), {}
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 60
    for _ in range(DRIBBLERS):
        sock = socket.create_connection(("127.0.0.1", arena.server.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_since[sock.fileno()] = (sock, time.monotonic())
        poll.register(sock, select.POLLIN | select.POLLRDHUP)
    start, step = time.monotonic(), 0
    while open_since and time.monotonic() < start + 14 * arena.slowness:
        if time.monotonic() >= start + step:
            for sock, _ in open_since.values():
                try:
                    sock.send(head[step:step + 1])
                except OSError:
                    pass  # noticed below
            step += 1
        for fd, events in poll.poll(50):
            sock, since = open_since[fd]
            if events & (select.POLLRDHUP | select.POLLHUP | select.POLLERR):
                lasted.append(time.monotonic() - since)
                poll.unregister(fd)
                sock.close()
                del open_since[fd]
            else:
                sock.recv(4096)
        latencies.append(probe_latency(arena.server))
    if open_since:
        complaints.append(f"{len(open_since)} of {DRIBBLERS} half heads were still open after 14 s")
    for sock, _ in open_since.values():
        sock.close()
    if lasted and (min(lasted) < 8.5 or max(lasted) > 12 * arena.slowness):
        complaints.append(f"half heads were closed after {min(lasted):.1f} to {max(lasted):.1f} s, 10 to 12 are due")
    slowest = sorted(latencies)[len(latencies) * 99 // 100] * 1000
    complaints += at_most("p99 of a legitimate request meanwhile", slowest, 200 * arena.slowness, 1, "ms")
    return ended(lab, arena, complaints)


ABANDONED = 2000


def abandoned_sessions(lab):
    """Polling handshakes whose clients never come back, with the proportions of the default times: 1 s of ping
    interval and 1 s of timeout as 25 s and 20 s, and connectTimeout when both are over. They get 10 s more."""
    arena = lab.arena(Profile({"pingInterval": 1000, "pingTimeout": 1000, "connectTimeout": 2000}), bystanders=False)
    complaints, sids = [], []
    connection = None
    for number in range(ABANDONED):
        if number % 100 == 0:  # many sessions behind one connection, as a proxy's, and of an address of their own
            if connection:
                connection.close()
            connection = wire.Wire(arena.server.port, source=f"127.0.2.{number // 100 + 1}")
        connection.send(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
        body = wire.read_answer(connection, time.monotonic() + 5).body
        sids.append(re.search(rb'"sid":"([\w-]{20})"', body).group(1))
    connection.close()
    if len(set(sids)) != ABANDONED:
        complaints.append("two sessions had the same sid")
    time.sleep(12)
    known = 0
    connection = wire.Wire(arena.server.port)
    for sid in sids:
        connection.send(b"GET /socket.io/?EIO=4&transport=polling&sid=" + sid + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        known += wire.read_answer(connection, time.monotonic() + 5).status != 400
    connection.close()
    if known:
        complaints.append(f"{known} of {ABANDONED} abandoned sessions were still there after 12 s")
    return ended(lab, arena, complaints, allowance=4 * MIB)


# -- descriptors, processor, log ----------------------------------------------------------------


NOFILE = 256


def descriptors(lab):
    """More connections than descriptors: the server neither spins nor dies, and recovers. Once with a limit that it
    knew when it started, once with one that it meets unprepared."""
    known = lab.arena(nofile=NOFILE)
    complaints = crowded(lab, known, "a known limit")
    if known.server.fds() > NOFILE - 8:
        complaints.append("a known limit left the server no descriptors of its own")
    line, left = known.finish()
    if lab.asan:
        # UBSan asks by a pipe whether an object's memory can be read, and without descriptors takes it for broken.
        return line + " (the lowered limit only without sanitizers)", complaints + left
    surprised = lab.arena()
    resource.prlimit(surprised.server.pid, resource.RLIMIT_NOFILE, (NOFILE, NOFILE))
    complaints += left + crowded(lab, surprised, "a limit that was lowered")
    if "no descriptors left" not in surprised.server.log():
        complaints.append("the descriptors did not run out: nothing was tested")
    line, left = surprised.finish()
    return line, complaints + left


def crowded(lab, arena, what):
    server, crowd = arena.server, []
    for _ in range(400):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", server.port))
        crowd.append(sock)
    time.sleep(0.5)
    before, start = server.cpu_seconds(), time.monotonic()
    time.sleep(2)
    share = (server.cpu_seconds() - before) / (time.monotonic() - start)
    complaints = at_most(f"share of a core with {what}", share * 100, 20 * lab.factor, 1, "%")
    for sock in crowd:
        sock.close()

    def served():
        try:
            return probe_latency(server) < 1
        except (OSError, wire.Ended, wire.Silent):
            return False
    if not wait_for(served, 1.5 * arena.slowness):
        complaints.append(f"no request was served within 1 s after the crowd had gone, with {what}")
    return complaints


COST_MS = 20
TIMES = 5


def costs(lab, groups):
    """Every input of more than 100 KiB, some times over: what one of them costs the processor."""
    complaints = []
    for group in groups:
        large = [case for case in group.cases if not case.slow and
                 sum(len(step) for step in case.steps if isinstance(step, (bytes, str))) > 100 * KIB]
        if not large:
            continue
        arena = lab.arena(group.profiles[large[0].profile])
        for case in large:
            before = arena.server.cpu_seconds()
            for _ in range(TIMES):
                run_case(arena, case, False)
            cost = (arena.server.cpu_seconds() - before) / TIMES * 1000
            complaints += at_most(f"{case.name} ({group.name})", cost, COST_MS * lab.factor, 1, "ms")
        complaints += arena.finish()[1]
    return "", complaints


def log_lines(lab):
    """A flood of refusals is not a flood of lines: at most one a second of each kind."""
    arena = lab.arena()
    complaints = []
    begin = time.monotonic()
    while time.monotonic() < begin + 2.5:
        connection = wire.Wire(arena.server.port)
        connection.send(b"GET /ws?token=a.b.c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        wire.read_answer(connection, time.monotonic() + 5)
        connection.close()
    seen = {}
    for line in arena.server.log().splitlines():
        if line.startswith("{"):
            fields = json.loads(line)
            kind = (fields["mod"], fields["msg"], fields["ts"][:19])
            seen[kind] = seen.get(kind, 0) + 1
    most = max(seen.items(), key=lambda item: item[1], default=(None, 0))
    if most[1] > 1:
        complaints.append(f"the log has {most[1]} lines {most[0][0]}: {most[0][1]!r} in one second, 1 is allowed")
    return ended(lab, arena, complaints)


# name, row, function
CHECKS = [
    ("deflate bombs", "RELIABILITY D1", bombs),
    ("a million empty fragments", "RELIABILITY W3", empty_fragments),
    ("100,000 pongs", "RELIABILITY E6", pongs),
    ("a million pipelined requests", "RELIABILITY H8", pipelining),
    ("bodies in flight", "RELIABILITY E1", bodies),
    ("slow consumers", "RELIABILITY M2", slow_consumers),
    ("slowloris", "RELIABILITY M4", slowloris),
    ("abandoned sessions", "RELIABILITY E5, M6", abandoned_sessions),
    ("out of descriptors", "RELIABILITY M8", descriptors),
    ("cost of an input", "RELIABILITY 3.4", costs),
    ("lines of log", "RELIABILITY LG2", log_lines),
]
