"""A server, its bystanders, and what must be as before when the others have gone."""
import json
import os
import re
import subprocess
import sys
import threading

import wire
from server import Server, wait_for
from session import Session

MIB = 1 << 20
GAP_MS = 250  # the longest pause of a 10 Hz tick
# Where the machine stalls, a gap may go beyond it by this factor: stalls that hit the bystander too are subtracted
# already, what hits the server alone cannot be told from its own doing. A gap of a second is nobody's noise.
GAP_FACTOR = 2
HARD_GAP_MS = 1000
STALL_MS = 30
RESIDUE_S = 12  # the longest deadline of the server's that abandoned connections wait for
RSS_ALLOWANCE = 8 * MIB


class Bystanders:
    def __init__(self, server):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bystander.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        names = [f"bystander-{i}" for i in range(4)]
        asked = {"port": server.port, "tokens": [server.token(name) for name in names]}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the bystanders did not come in")

    def report(self, slowness):
        """Ends them. Returns (one line about them, complaints)."""
        self.process.stdin.close()
        line = self.process.stdout.readline()
        self.process.wait()
        if not line:
            return "", ["the bystanders ended without a report"]
        said = json.loads(line)
        complaints = []
        if said["error"]:
            complaints.append(f"a bystander noticed: {said['error']}")
        if said["received"] != said["sent"]:
            complaints.append(f"a bystander lost ticks: {said['received']} of {said['sent']}")
        allowed = GAP_MS * GAP_FACTOR if said["noise"] > STALL_MS else GAP_MS
        allowed = min(HARD_GAP_MS, allowed * slowness)
        if said["gap"] > allowed:
            complaints.append(f"a bystander waited {said['gap']:.0f} ms for a tick, {allowed:.0f} are allowed "
                              f"(the machine's own stalls, subtracted: up to {said['noise']:.0f} ms)")
        return f"ticks {said['sent']}, gap {said['gap']:.0f} ms, p99 {said['p99']:.1f} ms", complaints


class Arena:
    def __init__(self, binary, profile, asan=False, bystanders=True, warm=True, **server):
        self.asan = asan
        self.slowness = 4.0 if asan else 1.0
        self.server = Server(binary, profile, **server)
        self.watchers = Bystanders(self.server) if bystanders else None
        self.expected = 4 if bystanders else 0
        if warm:
            self.warm_up()
        wait_for(lambda: self.server.stats()["connections"] == self.expected, 5)
        self.base_fds = self.settled_fds()
        self.base_rss = self.server.rss()
        self.lock = threading.Lock()

    def warm_up(self):
        """Every path a few times on every shard: what a server allocates for good is no residue."""
        head = "POST /socket.io/?EIO=4&transport=polling&sid=<SID> HTTP/1.1\r\nHost: x\r\nContent-Length: "
        for _ in range(4):
            for over in ("native", "socketio", "engine", "polling", "socketio_polling"):
                session = Session(self.server, slowness=self.slowness)
                session.open(over)
                if over.endswith("polling"):
                    for body in (b"6" * 999_999, b"1"):  # the second one ends the session
                        session.wire.send(session.filled(f"{head}{len(body)}\r\n\r\n") + body)
                        session.expect_answer(200)
                    session.wire.send(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
                    session.expect_answer(404)
                session.close()

    def settled_fds(self):
        last = []
        wait_for(lambda: last.append(self.server.fds()) or len(last) > 5 and len(set(last[-5:])) == 1, 5)
        return last[-1]

    # -- the end --------------------------------------------------------------------------------

    def residue(self, allowance=RSS_ALLOWANCE):
        """What the group left behind, as complaints."""
        server, complaints = self.server, []
        if not server.alive():
            return [f"the server died: {server.log()[-3000:]}"]
        if not wait_for(lambda: server.fds() <= self.base_fds, RESIDUE_S):
            complaints.append(f"{server.fds()} descriptors are open, {self.base_fds} were before")
        if not wait_for(lambda: server.stats()["connections"] == self.expected, RESIDUE_S):
            complaints.append(f"/ws/stats knows {server.stats()['connections']} connections, "
                              f"the bystanders are {self.expected}")
        limit = allowance * (8 if self.asan else 1)
        if not wait_for(lambda: server.rss() - self.base_rss <= limit, RESIDUE_S):
            complaints.append(f"RSS has grown by {(server.rss() - self.base_rss) / MIB:.1f} MiB, "
                              f"{limit / MIB:.0f} are allowed")
        return complaints

    def log_complaints(self):
        """Every line is one JSON object without control characters, and holds no secret of anybody's."""
        text, complaints = self.server.log(), []
        for line in text.split("\n"):
            if not line or self.asan and not line.startswith("{"):
                continue
            try:
                fields = json.loads(line)
            except ValueError:
                fields = None
            if not isinstance(fields, dict) or len(line) > 2048 or re.search(r"[\x00-\x1f\x7f-\x9f]", line):
                complaints.append(f"a line of the log is no clean JSON: {line[:300]!r}")
                break
        for secret in [self.server.secret, *Session.spoken[self.server.port]]:
            if secret in text:
                complaints.append(f"the log holds a session id or token: {secret[:30]}...")
                break
        return complaints

    def finish(self, allowance=RSS_ALLOWANCE):
        """Returns (one line about the server and its bystanders, complaints)."""
        complaints = self.residue(allowance)
        grown = (self.server.rss() - self.base_rss) / MIB if self.server.alive() else float("nan")
        line, noticed = self.watchers.report(self.slowness) if self.watchers else ("", [])
        complaints += noticed + self.log_complaints()
        if self.server.alive():
            if ended := self.server.stop(15 * self.slowness):
                complaints.append(ended)
        if "Sanitizer" in self.server.log() or "runtime error:" in self.server.log():
            complaints.append(f"a sanitizer complains: {self.server.log()[-6000:]}")
        return f"RSS {grown:+.1f} MiB, {line}", complaints


def probe_latency(server):
    """How long a legitimate request takes, in seconds."""
    import time
    start = time.monotonic()
    connection = wire.Wire(server.port)
    connection.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    got = wire.read_answer(connection, start + 10)
    connection.close()
    if got.status != 200:
        raise RuntimeError(f"/healthz answered {got}")
    return time.monotonic() - start
