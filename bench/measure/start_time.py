"""How long `wirehall serve` takes from its start to the first accepted connection, with a million stored messages."""
import contextlib
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import tempfile
import time

from . import hall, servers
from .machine import BenchError, say

MESSAGES = 1_000_000
ROOMS = 1_000
USERS = 10_000
CONTENT_BYTES = 128
SEQ_BITS = 37  # of a message's place, docs/reference/storage-schema.md
START_SECONDS = 20
UPGRADE = (b"GET /ws?userId=starter HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


def stored_messages(data):
    """Messages in a server's database, which another process may read while it runs."""
    (path,) = data.glob("*.db")
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute("SELECT COUNT(*) FROM messages").fetchone()[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def times_of(path):
    """A thread's time on a core and its time in the queue for one: ms."""
    with open(path, encoding="ascii") as file:
        running, waiting, _ = file.read().split()
    return int(running) / 1e6, int(waiting) / 1e6


class StartedServer:
    """`wirehall serve` on a folder; started and not waited for."""

    def __init__(self, program, folder, cores):
        self.port, self.folder = free_port(), folder
        config = folder / "websocket.json"
        config.write_text(json.dumps({**hall.CONFIG, "port": self.port, "auth": {"mode": "none"}}))
        config.chmod(0o600)
        with open(folder / "log", "wb") as log:
            self.began = time.perf_counter()
            self.process = subprocess.Popen(
                [str(program), "serve", "--config", str(config), "--data", str(folder / "data")],
                stdout=subprocess.DEVNULL, stderr=log, preexec_fn=lambda: os.sched_setaffinity(0, cores))

    def wait(self):
        """Milliseconds until a connection was accepted and until its upgrade was answered; of the thread that starts
        the server, how long it ran until then and how long others had its core."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            connection = socket.socket()
            # From an address of its own: a connection between a free port and itself would succeed.
            connection.bind(("127.0.0.2", 0))
            try:
                connection.connect(("127.0.0.1", self.port))
                break
            except ConnectionRefusedError:
                connection.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "log").read_text()[-2000:]
                    raise BenchError(f"the server did not start: {log}") from None
        accepted = time.perf_counter()
        running, waiting = times_of(f"/proc/{self.process.pid}/schedstat")
        with connection:
            connection.settimeout(START_SECONDS)
            connection.sendall(UPGRADE)
            answer = connection.recv(65536)
        upgraded = time.perf_counter()
        if not answer.startswith(b"HTTP/1.1 101"):
            raise BenchError(f"the upgrade was answered by {answer[:200]!r}")
        return {"accepted_ms": (accepted - self.began) * 1e3, "upgraded_ms": (upgraded - self.began) * 1e3,
                "main_thread_cpu_ms": running, "main_thread_waited_for_core_ms": waiting}

    def stop(self):
        self.process.terminate()
        self.process.wait(START_SECONDS)

    def kill(self):
        self.process.kill()
        self.process.wait()


def fill(path, messages, rooms):
    """Rows straight into the schema that a server made. Their checksums are none: what starts reads no message.
    Every message has the key of its sender, of an age at which the upkeep is about to remove it."""
    now = int(time.time() * 1000)
    each = -(-messages // rooms)
    numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) "
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        run_sql = database.execute
        run_sql("PRAGMA synchronous = OFF")
        run_sql("PRAGMA cache_size = -500000")
        run_sql("BEGIN")
        run_sql(numbers + "INSERT INTO rooms SELECT i + 1, printf('room-%06d', i), '', '', '{}', '', ?2, ?2, ?3, "
                "hex(randomblob(8)) FROM n", (rooms, now, each))
        run_sql(numbers + "INSERT INTO users SELECT printf('user-%06d', i), '{}', ?2, printf('room-%06d', i % ?3), ?2 "
                "FROM n", (USERS, now, rooms))
        run_sql(numbers + "INSERT INTO messages SELECT ((i / ?2 + 1) << ?3) + i % ?2 + 1, hex(randomblob(11)), "
                "printf('user-%06d', i % ?4), '{}', 'text', ?5, '', ?6, 0, NULL, 0 FROM n",
                (messages, each, SEQ_BITS, USERS, "x" * CONTENT_BYTES, now))
        run_sql("INSERT INTO keys (user_id, key, fingerprint, message_id, seq, timestamp, created_at) "
                "SELECT user_id, id, randomblob(16), id, place & ((1 << ?) - 1), timestamp, ? FROM messages",
                (SEQ_BITS, now - 48 * 3_600_000))
        run_sql("COMMIT")
        run_sql("PRAGMA wal_checkpoint(TRUNCATE)")


class StartTime:
    """The database is made once in a run; it lies in the page cache then, as on a machine that restarts a server."""

    key, title = "start/hall-native", "start with 1,000,000 stored messages: wirehall serve"

    def __init__(self, messages=MESSAGES):
        self.messages, self.folder, self.stored = messages, None, 0

    def servers(self):
        return [servers.SERVERS["hall-native"]]

    def expected_seconds(self, options):
        return 1 + 10 / options.rounds

    def connections(self, _):
        return 1

    def run(self, context):
        program = context.places.program("wirehall")
        if self.folder is None:
            say(f"    storing {self.messages:,} messages, once")
            self.folder = tempfile.TemporaryDirectory(prefix="start-", dir=context.places.scratch)
            self._start(program, context)
            (path,) = (self._path() / "data").glob("*.db")
            fill(path, self.messages, ROOMS)
            self.stored = stored_messages(self._path() / "data")
            self._start(program, context)  # may find work that the rows have left to it
        taken = self._start(program, context)
        size = sum(path.stat().st_size for path in (self._path() / "data").rglob("*") if path.is_file())
        return {"mode": "start", "disturbance": 0.0, "seconds": taken["accepted_ms"] / 1e3, "messages": self.stored,
                "bytes": size, **taken}

    def _path(self):
        return pathlib.Path(self.folder.name)

    def _start(self, program, context):
        server = StartedServer(program, self._path(), context.cores.server)
        try:
            return server.wait()
        finally:
            server.stop()

    def close(self):
        if self.folder is not None:
            self.folder.cleanup()

    def waited(self, _):
        return False

    def summary(self, result):
        return f"{result['seconds'] * 1e3:9.1f} ms  {result['messages']:,} messages, {result['bytes'] / 2**20:.0f} MiB"
