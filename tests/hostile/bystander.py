"""Clients that mind their own business while others misbehave: one publishes ten times a second to a room, the
others are in it. Run as a process of its own, so that what the runner does is not measured.

Arguments on stdin, as one JSON line: {port, tokens: [publisher, native, native, Socket.IO]}. Prints "ready", and when
stdin ends one JSON line: {sent, received, gap, noise, p99, worst, error}.

`gap` is the longest pause between two ticks that arrived one after the other at one receiver, in ms. The machine is
shared: a thread of this process measures how late the kernel wakes it, and stalls of the machine that fall into a
gap are subtracted from it. What is left is the server's; `noise` is the longest such stall.
"""
import base64
import json
import os
import select
import sys
import threading
import time
from types import SimpleNamespace

import wire
from session import Session, native, socketio

PERIOD = 0.1
STEP = 0.02  # how often this process wants to be woken
ROOM = "the bystanders' room"
FILLER = "".join(chr(0x21 + i % 90) for i in range(900))  # each tick carries it: a byte of another's would show


class Stalls(threading.Thread):
    """Sleeps for a moment, again and again, and keeps the occasions on which it was woken late."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = []  # (when, how late)
        self.worst = 0.0
        self.start()

    def run(self):
        while True:
            start = time.monotonic()
            time.sleep(STEP)
            end = time.monotonic()
            if end - start > 2 * STEP:
                self.seen.append((end, end - start - STEP))
                self.worst = max(self.worst, end - start - STEP)

    def within(self, start, end):
        return sum(late for when, late in self.seen[-100:] if when > start and when - late < end)


class Receiver:
    def __init__(self, link, is_socketio, stalls):
        self.wire, self.is_socketio, self.stalls = link.wire, is_socketio, stalls
        self.next, self.received, self.last = None, 0, None
        self.gap, self.latencies = 0.0, []

    def tick(self, data, now):
        number = data["n"]
        if data != {"n": number, "at": data["at"], "filler": FILLER + str(number)}:
            raise AssertionError(f"a tick that was not sent: {str(data)[:200]}")
        if self.next is not None and number != self.next:
            raise AssertionError(f"tick {number} where {self.next} was due")
        self.next = number + 1
        self.received += 1
        self.latencies.append(now - data["at"])
        if self.last is not None and now - self.last > self.gap:
            self.gap = max(self.gap, now - self.last - self.stalls.within(self.last, now))
        self.last = now

    def take(self):
        """Handles what has come."""
        if not self.wire.fill(time.monotonic() + 1):
            raise AssertionError(f"a bystander was cut off ({self.wire.ended})")
        now = time.monotonic()
        while len(self.wire.buffer) >= 2:
            size = frame_size(self.wire.buffer)
            if size is None or len(self.wire.buffer) < size:
                return
            got = wire.read_frame(self.wire, now)
            if got.opcode == wire.PING:
                self.wire.send(wire.pong(got.payload))
            elif got.opcode == wire.CLOSE:
                raise AssertionError(f"a bystander was closed: {got}")
            elif self.is_socketio and got.payload == b"2":
                self.wire.send(wire.text("3"))
            else:
                self.event(got.payload.decode(), now)

    def event(self, text, now):
        if self.is_socketio:
            event = json.loads(text[2:]) if text.startswith("42") else [None]
            if event[0] == "broadcast":
                self.tick(event[1]["data"], now)
            return
        event = json.loads(text)
        if event["type"] == "broadcast":
            self.tick(event["data"], now)
        elif event["type"] not in ("user-joined", "ack", "joined"):
            raise AssertionError(f"a bystander got {text[:200]}")


def frame_size(buffer):
    length = buffer[1] & 127
    if length < 126:
        return 2 + length
    if len(buffer) < 10:
        return None
    return 4 + int.from_bytes(buffer[2:4], "big") if length == 126 else 10 + int.from_bytes(buffer[2:10], "big")


def connect(port, token, is_socketio):
    """The prelude of a case, with a token that was given."""
    subject = subject_of(token)
    stub = SimpleNamespace(port=port, token=lambda user: token)
    session = Session(stub)
    session.variables.update(USER=subject, TOKEN=token)
    (socketio if is_socketio else native)(session)
    join = (wire.text('421["join-room",' + json.dumps(ROOM) + "]") if is_socketio else
            wire.text(json.dumps({"type": "join", "roomId": ROOM, "id": 1})))
    session.wire.send(join)
    while b'"success":true' not in session.next_message().payload:
        pass
    return session.link


def subject_of(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"]


def run(publisher, receivers, count):
    """Until stdin ends; `count` holds how many ticks were sent."""
    poll = select.poll()
    by_fd = {receiver.wire.sock.fileno(): receiver for receiver in receivers}
    for fd in (*by_fd, sys.stdin.fileno()):
        poll.register(fd, select.POLLIN)
    due = time.monotonic()
    while True:
        for fd, _ in poll.poll(max(0, int((due - time.monotonic()) * 1000)) + 1):
            if fd in by_fd:
                by_fd[fd].take()
            elif not os.read(fd, 4096):
                return
        now = time.monotonic()
        if now >= due:
            tick = {"n": count[0], "at": now, "filler": FILLER + str(count[0])}
            publisher.send(wire.text(json.dumps({"type": "broadcast", "room": ROOM, "data": tick})))
            count[0] += 1
            due = max(due + PERIOD, now)


def await_rest(receivers, sent):
    """What was sent last must still arrive."""
    deadline = time.monotonic() + 5
    while any(receiver.received < sent for receiver in receivers) and time.monotonic() < deadline:
        for receiver in receivers:
            if wire.select_one(receiver.wire.sock, 0.01):
                receiver.take()


def main():
    if os.geteuid() == 0:
        os.nice(-15)  # what is measured is the server, not this process
    asked = json.loads(sys.stdin.readline())
    links = [connect(asked["port"], token, i == 3) for i, token in enumerate(asked["tokens"])]
    stalls = Stalls()
    receivers = [Receiver(link, i == 2, stalls) for i, link in enumerate(links[1:])]
    publisher = Receiver(links[0], False, stalls)  # gets no ticks, but what it gets is read
    print("ready", flush=True)
    error, count = "", [0]
    try:
        run(links[0].wire, [*receivers, publisher], count)
        await_rest(receivers, count[0])
    except (AssertionError, OSError, wire.Malformed) as caught:
        error = f"{type(caught).__name__}: {caught}"
    latencies = sorted(value for receiver in receivers for value in receiver.latencies) or [0.0]
    print(json.dumps({
        "sent": count[0], "received": min(receiver.received for receiver in receivers), "error": error,
        "gap": max(receiver.gap for receiver in receivers) * 1000, "noise": stalls.worst * 1000,
        "p99": latencies[len(latencies) * 99 // 100] * 1000, "worst": latencies[-1] * 1000}), flush=True)


if __name__ == "__main__":
    main()
