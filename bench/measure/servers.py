"""What is measured: Wirehall, the floor and the peers; how each is started, and what it speaks."""
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

from . import machine
from .hall import Hall

START_SECONDS = 15
STOP_SECONDS = 15
WARM_UP_SECONDS = 0.2
WARM_UP_SECONDS_COMPILING = 1.0
# Who has just joined is written down, and told to everybody: that is no message's cost. And SQLite's log grows until it has
# been folded back for the first time, after 1,000 pages (some 500 messages): until then each sync writes its length as well.
WARM_UP_SECONDS_HALL = 4.0
PEERS = "bench/peers/"


class Server:
    """`command`: the program and its arguments, of which "{mode}" becomes echo or fanout, "{scratch}" a folder to write
    into. `protocol`: "raw" is WebSocket without a word of its own, "native", "socketio". `peer`: somebody else's server.
    `longer`: how many times the usual its measurements last, where it does too little in that time."""

    def __init__(self, key, title, command, protocol, peer=False, layout="pinned", tls=False, one_thread=True,
                 longer=1):
        self.key, self.title, self.command, self.protocol = key, title, command, protocol
        self.peer, self.layout, self.tls, self.one_thread, self.longer = peer, layout, tls, one_thread, longer
        self.is_hall = command[0] == "hall"
        # A machine that compiles what runs often must be shown first what that is.
        self.warm_up_seconds = WARM_UP_SECONDS_COMPILING if command[0] in ("node", "bun") else WARM_UP_SECONDS
        if self.is_hall:
            self.warm_up_seconds = WARM_UP_SECONDS_HALL


def _wirehall(*more):
    return ["bench_wirehall", "--threads", "1", *more]


SECRET = "a secret that signs tokens of the benchmark alone"

SERVERS = {server.key: server for server in [
    Server("floor", "the floor", ["bench_floor", "--mode", "{mode}"], "raw"),
    Server("batched", "the floor, written once per turn", ["bench_floor", "--mode", "fanout-batched"], "raw"),
    Server("stored", "the floor, which stores a page first",
           ["bench_floor", "--mode", "fanout-stored", "--data", "{scratch}"], "raw", one_thread=False),
    Server("inserted", "the floor, which stores a row of SQLite first",
           ["bench_floor", "--mode", "fanout-inserted", "--data", "{scratch}"], "raw", one_thread=False),
    Server("floor-socketio", "the floor of Socket.IO's handshake", ["bench_floor", "--mode", "socketio"], "socketio"),
    Server("native", "Wirehall, native", _wirehall(), "native"),
    Server("socketio", "Wirehall, Socket.IO", _wirehall(), "socketio"),
    Server("recovery", "Wirehall, Socket.IO with recovery", _wirehall("--recovery", "120000"), "socketio"),
    Server("rooms", "Wirehall, native, 100,000 rooms", _wirehall("--rooms", "100000"), "native"),
    Server("namespaces", "Wirehall, Socket.IO, 10,000 namespaces", _wirehall("--namespaces", "9999"), "socketio"),
    Server("identity", "Wirehall, Socket.IO, with identity", _wirehall("--secret", SECRET), "socketio"),
    Server("tls", "Wirehall, native over TLS",
           _wirehall("--tls-certificate", "{certificate}", "--tls-key", "{key}"), "native", tls=True),
    Server("tls-kernel", "Wirehall, native over TLS by the kernel",
           _wirehall("--tls-certificate", "{certificate}", "--tls-key", "{key}", "--tls-kernel", "1"), "native",
           tls=True),
    Server("deflate", "Wirehall, native, compressing", _wirehall("--deflate", "1"), "native"),
    Server("shards-1", "Wirehall, native, one shard", _wirehall(), "native", layout="shared"),
    Server("shards-2", "Wirehall, native, two shards", ["bench_wirehall", "--threads", "2"], "native", layout="shared"),
    Server("hall-native", "wirehall serve, native", ["hall"], "native", one_thread=False),
    Server("hall-socketio", "wirehall serve, Socket.IO", ["hall"], "socketio", one_thread=False),
    Server("node", "Socket.IO on Node", ["node", PEERS + "socketio_node.mjs"], "socketio", True, one_thread=False),
    Server("node-uws", "Socket.IO on Node, uWebSockets", ["node", PEERS + "socketio_node.mjs", "--engine", "uws"],
           "socketio", True, one_thread=False),
    Server("bun-socketio", "Socket.IO on Bun", ["bun", PEERS + "bun_socketio.mjs"], "socketio", True,
           one_thread=False),
    Server("python", "python-socketio", ["/usr/bin/python3", PEERS + "python_socketio.py"], "socketio", True,
           longer=2),
    Server("uws", "uWebSockets on Node", ["node", PEERS + "uws_node.mjs", "--mode", "{mode}"], "raw", True,
           one_thread=False),
    Server("bun", "Bun", ["bun", PEERS + "bun_ws.mjs", "--mode", "{mode}"], "raw", True, one_thread=False),
    Server("ws", "ws on Node", ["node", PEERS + "ws_node.mjs", "--mode", "{mode}"], "raw", True, one_thread=False),
    Server("beast", "Boost.Beast", ["bench_beast", "--mode", "{mode}"], "raw", True),
]}
PATHS = {"raw": "/", "native": "/ws", "socketio": ""}


class Places:
    """Where programs and modules lie; what servers need besides."""

    def __init__(self, binaries, modules, scratch):
        self.binaries, self.modules, self.scratch = binaries, modules, scratch
        self.environment = dict(os.environ, NODE_PATH=str(modules))
        scratch.mkdir(parents=True, exist_ok=True)

    def program(self, name):
        """The path of a program. Raises BenchError where it is missing."""
        if name == "node":
            path = shutil.which("node")
            if path is None:
                raise machine.BenchError("node is not installed: ./dev install node")
            return path
        if name == "bun":
            path = self.modules / "@oven/bun-linux-x64/bin/bun"
            if not path.exists():
                raise machine.BenchError(f"no @oven/bun-linux-x64 in {self.modules}: npm ci --prefix bench")
            return str(path)
        if name.startswith("/"):
            return name
        path = self.binaries / name
        if not path.exists():
            raise machine.BenchError(f"{path} is not built: ./dev bench builds it")
        return str(path)

    def certificate(self):
        """A certificate of our own, made when it is first wanted."""
        certificate, key = self.scratch / "certificate.pem", self.scratch / "key.pem"
        if not (certificate.exists() and key.exists()):
            if shutil.which("openssl") is None:
                raise machine.BenchError("openssl is not installed: ./dev install bench")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-days", "30", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                            "-keyout", str(key), "-out", str(certificate)], check=True, stderr=subprocess.DEVNULL)
        return str(certificate), str(key)


class Running:
    """A server that runs. `wrapper`: a program, and its arguments, that runs it in turn."""

    def __init__(self, server, places, cores, mode="echo", wrapper=()):
        self.server = server
        certificate, key = places.certificate() if server.tls else ("", "")
        words = {"{mode}": mode, "{certificate}": certificate, "{key}": key, "{scratch}": str(places.scratch)}
        program, *arguments = server.command
        command = [*wrapper, places.program(program), *(words.get(word, word) for word in arguments)]
        self.output = tempfile.TemporaryFile(dir=places.scratch)
        self.process = subprocess.Popen(
            command, cwd=machine.ROOT,
            env=places.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.output,
            preexec_fn=lambda: os.sched_setaffinity(0, cores))
        self.pid = self.process.pid
        try:
            self.port = self._read_port(10 * START_SECONDS if wrapper else START_SECONDS)
        except BaseException:
            self.end()
            raise

    def _read_port(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        words = self.process.stdout.readline().split() if ready else []
        if len(words) == 2 and words[0] == b"listening":
            return int(words[1])
        self.process.kill()
        self.process.wait()
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().split("\n")
        fault = next((line for line in lines if "Error" in line), lines[-1])
        raise machine.BenchError(f"{self.server.title} did not start: {fault or 'it printed nothing'}")

    def _own_pid(self):
        """The server's process, behind a wrapper that is not replaced by it."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return int(children[0]) if children else self.pid

    def descriptors(self):
        return machine.descriptors_of(self._own_pid())

    def stop(self, descriptors):
        """Waits until it has closed all but so many descriptors, and lets it end by itself, so that a wrapper writes
        what it knows. Raises BenchError when it does not."""
        deadline = time.monotonic() + STOP_SECONDS
        while self.descriptors() > descriptors:
            if time.monotonic() > deadline:
                raise machine.BenchError(f"{self.server.title} did not close its connections within {STOP_SECONDS} s")
            time.sleep(0.01)
        os.kill(self._own_pid(), signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise machine.BenchError(f"{self.server.title} did not end within {STOP_SECONDS} s") from None

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.output.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def start(server, places, cores, mode="echo"):
    """A running server, to be used in `with`; it has `pid` and `port`."""
    if server.is_hall:
        return Hall(places.program("wirehall"), places.scratch, cores, threads=1, auth={"mode": "none"})
    return Running(server, places, cores, mode)


def url_of(server, port):
    scheme = "http" if server.protocol == "socketio" else "wss" if server.tls else "ws"
    return f"{scheme}://127.0.0.1:{port}{PATHS[server.protocol]}"


def missing_of(servers, places, cores):
    """{key: why} of those that cannot be started here; each is tried."""
    missing = {}
    for server in servers:
        try:
            with start(server, places, cores):
                pass
        except (machine.BenchError, RuntimeError, OSError, subprocess.CalledProcessError) as error:
            missing[server.key] = str(error)
    return missing


def default_places(options):
    return Places(pathlib.Path(options.binaries).resolve(), pathlib.Path(options.modules).resolve(),
                  machine.ROOT / "build/bench")
