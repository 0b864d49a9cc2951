"""How long `wirehall serve` takes from its start to the first accepted connection, with a million stored messages."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time

from . import generator, servers
from .durable import publish_options
from .hall import CONFIG, Hall
from .machine import BenchError, say

MESSAGES = 1_000_000
PUBLISHERS = 1000
FILL_SECONDS_MAX = 600
WAIT_SECONDS = 60
REQUEST = (b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


def stored_messages(data):
    """Messages in a server's database, which another process may read while it runs."""
    (path,) = data.glob("*.db")
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute("SELECT COUNT(*) FROM messages").fetchone()[0]


def fill(places, messages, seconds_max=FILL_SECONDS_MAX):
    """A folder with a database of so many messages, put there through the server. Returns the server's folder."""
    hall = Hall(places.program("wirehall"), places.scratch, threads=1, auth={"mode": "none"})
    deadline = time.monotonic() + seconds_max
    try:
        while (left := messages - stored_messages(hall.path / "data")) > 0:
            if time.monotonic() > deadline:
                raise BenchError(f"{messages} messages could not be stored within {seconds_max} s; {left} are missing")
            command = [places.program("wirehall"), "bench", f"ws://127.0.0.1:{hall.port}/ws", "--in-flight", "16",
                       "--duration", "5", "--warm-up", "0", *publish_options(PUBLISHERS, PUBLISHERS)]
            generator.run_command(command, "filling a database", os.sched_getaffinity(0), 5)
        hall.process.send_signal(signal.SIGTERM)
        hall.process.wait(WAIT_SECONDS)
    except BaseException:
        hall.end()
        raise
    return hall


def time_start(binary, folder, port, cores):
    """Starts the server and asks for a WebSocket until it is given: seconds."""
    begin = time.monotonic()
    process = subprocess.Popen(
        [binary, "serve", "--config", str(folder / "timed.json"), "--data", str(folder / "data"), "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    try:
        while time.monotonic() < begin + WAIT_SECONDS:
            if process.poll() is not None:
                raise BenchError(f"wirehall serve ended with status {process.returncode} at its start")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as client:
                client.sendall(REQUEST)
                if client.recv(4096).startswith(b"HTTP/1.1 101 "):
                    return time.monotonic() - begin
            time.sleep(0.0005)
        raise BenchError(f"wirehall serve took no connection within {WAIT_SECONDS} s")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_SECONDS)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class StartTime:
    """The database is made once in a run."""

    key, title = "start/hall-native", "start with 1,000,000 stored messages: wirehall serve"

    def __init__(self, messages=MESSAGES):
        self.messages, self.hall, self.stored = messages, None, 0

    def servers(self):
        return [servers.SERVERS["hall-native"]]

    def expected_seconds(self, options):
        return 1 + 40 / options.rounds

    def connections(self, _):
        return PUBLISHERS

    def run(self, context):
        binary = context.places.program("wirehall")
        if self.hall is None:
            say(f"    storing {self.messages:,} messages, once")
            self.hall = fill(context.places, self.messages)
            self.stored = stored_messages(self.hall.path / "data")
            (self.hall.path / "timed.json").write_text(json.dumps({**CONFIG, "auth": {"mode": "none"}}))
            (self.hall.path / "timed.json").chmod(0o600)
            # The first start after the load may find work that was left to it.
            time_start(binary, self.hall.path, free_port(), context.cores.client)
        taken = time_start(binary, self.hall.path, free_port(), context.cores.client)
        size = sum(path.stat().st_size for path in pathlib.Path(self.hall.path / "data").rglob("*") if path.is_file())
        return {"mode": "start", "disturbance": 0.0, "seconds": taken, "messages": self.stored, "bytes": size}

    def close(self):
        if self.hall is not None:
            self.hall.end()

    def waited(self, _):
        return False

    def summary(self, result):
        return f"{result['seconds'] * 1e3:9.1f} ms  {result['messages']:,} messages, {result['bytes'] / 2**20:.0f} MiB"
