"""`wirehall bench` under orders: the loads, and what one measurement with it gives."""
import json
import os
import subprocess

from . import servers
from .machine import BenchError
from .websocket import hall_delivery_bytes

CONNECTIONS = 1000
TIMEOUT_SECONDS = 90
# Whatever else would make the figure one of something else.
CONNECTED = ["--fail-if", "failed>0", "closed>0"]
WHOLE = CONNECTED + ["lost>0", "duplicated>0", "reordered>0", "corrupt>0", "errors>0"]
# What the three kinds of servers say (`wirehall bench --protocol`).
PROTOCOLS = {"raw": "websocket", "native": "native", "socketio": "socketio"}
# "publish" is three letters longer than "news": with these a delivery is as long as it is wanted.
NAMES_DIFFER_BYTES = 3
# Shorter, and memory that was pushed out of the cache meanwhile counts; longer, and the machine changes in between.
TURN_SECONDS = 0.04
# About as long as a broadcast to 10,000 takes, which lies between two packets of a connection besides the pause: even so
# some rounds cost 7 instead of 5 us a delivery, with 0.1 s nearly all. For bench/turns alone.
TURN_SECONDS_LARGE = 0.05
# The first 16 packets that a connection gets are acknowledged at once, each by a packet of its own (Linux: quick
# acknowledgements), later ones seldom. A broadcast to 1,000 comes often enough for any warm-up.
WARM_UP_SECONDS_LARGE = 1.3


class Load:
    """What is asked of a server. `kind`: echo, fanout, idle or handshake. `size_bytes`: of a frame that arrives;
    `seconds`: about what a measurement takes besides the measured time and the warm-up; `warm_up`: how much longer that
    is than the server needs; `turn`: how long a turn is where it takes turns."""

    def __init__(self, key, title, kind, connections=CONNECTIONS, size_bytes=128, publishers=1, options=(),
                 seconds=0.45, warm_up=0.0, turn=TURN_SECONDS):
        self.key, self.title, self.kind, self.connections = key, title, kind, connections
        self.size_bytes, self.publishers, self.options = size_bytes, publishers, list(options)
        self.overhead_seconds, self.warm_up_seconds, self.turn_seconds = seconds, warm_up, turn

    @property
    def server_mode(self):
        return "fanout" if self.kind == "fanout" else "echo"


IDLE_CONNECTIONS = 15_000
HANDSHAKES = 3_000
HALL_CONTENT_BYTES = 128

LOADS = {load.key: load for load in [
    Load("echo", "echo 128 B", "echo"),
    Load("echo-1k", "echo 1 KiB", "echo", size_bytes=1024),
    Load("fanout-100", "fan-out to 100", "fanout", connections=100, seconds=0.35),
    Load("fanout-1000", "fan-out to 1,000", "fanout"),
    Load("fanout-10000", "fan-out to 10,000", "fanout", connections=10_000, seconds=1.1,
         warm_up=WARM_UP_SECONDS_LARGE, turn=TURN_SECONDS_LARGE),
    Load("eight", "eight publishers into 1,000", "fanout", publishers=8),
    # As long as what the hall delivers: see Generator.size_of.
    Load("hall-frames", "frames as long as the hall's to 1,000", "fanout"),
    Load("hall", "message to 1,000", "fanout", size_bytes=HALL_CONTENT_BYTES, options=["--event", "message"],
         seconds=1.6),
    Load("hall-frames-10000", "frames as long as the hall's to 10,000", "fanout", connections=10_000, seconds=1.1,
         warm_up=WARM_UP_SECONDS_LARGE, turn=TURN_SECONDS_LARGE),
    Load("hall-10000", "message to 10,000", "fanout", connections=10_000, size_bytes=HALL_CONTENT_BYTES,
         options=["--event", "message"], seconds=1.6, warm_up=WARM_UP_SECONDS_LARGE, turn=TURN_SECONDS_LARGE),
    Load("idle", "idle", "idle", connections=IDLE_CONNECTIONS, seconds=3.0),
    Load("idle-room", "idle in a room", "idle", connections=IDLE_CONNECTIONS, seconds=4),
    Load("handshake", "handshake", "handshake", connections=HANDSHAKES, seconds=0.5),
    Load("upgrade", "handshake by polling and upgrade", "handshake", connections=HANDSHAKES,
         options=["--transport", "upgrade", "--connect-at-once", "500"], seconds=1.0),
]}


class Generator:
    """Runs `wirehall bench` on the cores that are its own."""

    def __init__(self, places, cores, idle_connections=IDLE_CONNECTIONS):
        self.places, self.cores, self.idle_connections = places, cores, idle_connections
        self.hall_bytes = {}  # protocol -> bytes of a delivered frame's payload

    def size_of(self, load):
        """The bytes of a frame; those that the hall delivers are looked up when they are first wanted."""
        if not load.key.startswith("hall-frames"):
            return load.size_bytes
        if not self.hall_bytes:
            with servers.start(servers.SERVERS["hall-native"], self.places, self.cores.server) as hall:
                for protocol in ("native", "socketio"):
                    # A frame of more than 125 bytes has a head of four.
                    self.hall_bytes[protocol] = hall_delivery_bytes(hall.port, protocol, HALL_CONTENT_BYTES) - 4
        # The shorter of the two, so that it is nobody's advantage but the floor's.
        return min(self.hall_bytes.values())

    def connections_of(self, load):
        return self.idle_connections if load.kind == "idle" else load.connections

    def command(self, server, load, port, pid, seconds, warm_up=None, busy=True):
        warm_up = server.warm_up_seconds + load.warm_up_seconds if warm_up is None else warm_up
        command = [self.places.program("wirehall"), "bench", servers.url_of(server, port), "--protocol",
                   PROTOCOLS[server.protocol], "--threads", "1", "--server-pid", str(pid), "--timeout", "20",
                   "--connections", str(self.connections_of(load)), "--no-progress", "--json", "-", *load.options]
        if server.tls:
            command += ["--insecure"]
        if load.key == "idle-room":
            command += ["--join", "subscribe"]
        if load.kind == "idle":
            return command + ["--mode", "idle", "--duration", "1", "--warm-up", "0.5", *CONNECTED]
        if load.kind == "handshake":
            return command + ["--mode", "idle", "--duration", "0.1", "--warm-up", "0", "--busy", *CONNECTED]
        command += ["--mode", load.kind, "--duration", f"{seconds:g}", "--warm-up", f"{warm_up:g}", *WHOLE]
        if busy:
            command += ["--busy"]
        size = self.size_of(load)
        if load.kind == "fanout":
            command += ["--publishers", str(load.publishers)]
            if server.protocol != "raw" and not server.is_hall:
                command += ["--join", "subscribe"]
                size += NAMES_DIFFER_BYTES
        return command + ["--size", str(size)]

    def run(self, server, load, running, seconds, **how):
        """The report of one measurement. Raises BenchError where it is none."""
        environment = dict(os.environ)
        if "--secret" in server.command:
            environment["WIREHALL_BENCH_SECRET"] = servers.SECRET
        cores = self.cores.of(server.layout)[1]
        command = self.command(server, load, running.port, running.pid, seconds, **how)
        return run_command(command, f"{load.title}: {server.title}", cores, seconds, environment)


def run_command(command, title, cores, seconds, environment=None):
    """Runs `wirehall bench` and reads its report."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                              timeout=TIMEOUT_SECONDS + seconds, env=environment,
                              preexec_fn=lambda: os.sched_setaffinity(0, cores))
    except subprocess.TimeoutExpired:
        raise BenchError(f"{title}: the generator did not end within {TIMEOUT_SECONDS + seconds:.0f} s") from None
    return read_report(done.returncode, done.stdout, done.stderr, title, seconds)


def read_report(status, output, errors, title, seconds):
    """What a generator that has ended with that status has found. Raises BenchError where it is nothing."""
    if status != 0:
        faults = [line for line in errors.strip().split("\n") if line and not line.startswith("  ")]
        raise BenchError(f"{title}: {'; '.join(faults) or 'the generator failed'}")
    report = json.loads(output)
    if report.get("operations") == 0:
        raise BenchError(f"{title}: nothing was answered within {seconds:g} s")
    return report
