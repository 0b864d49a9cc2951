"""`wirehall serve` as the benchmarks run it: on a free port, with limits out of the way."""
import http.client
import json
import os
import pathlib
import re
import select
import subprocess
import tempfile
import time

START_SECONDS = 20

CONFIG = {
    "port": 0,
    "heartbeatInterval": 3_600_000,  # whoever measures answers no pings
    "pingInterval": 3_600_000,
    "rateLimit": {"messagesPerMinute": 1_000_000_000, "connectionsPerMinute": 1_000_000_000},
    "limits": {"connections": 100_000, "connectionsPerAddress": 100_000, "connectionsPerUser": 100_000},
}


def resident_bytes(pid):
    """As the page table has it: the counters in `status` lag behind."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Rss:\s+(\d+) kB", file.read(), re.M)[1]) * 1024


class Hall:
    """A running server; its files lie in a folder of its own under `parent`, which goes with it."""

    def __init__(self, binary, parent, cores=None, **config):
        parent.mkdir(parents=True, exist_ok=True)
        self.folder = tempfile.TemporaryDirectory(prefix="hall-", dir=parent)
        self.path = pathlib.Path(self.folder.name)
        (self.path / "websocket.json").write_text(json.dumps({**CONFIG, **config}))
        (self.path / "websocket.json").chmod(0o600)
        self.log = open(self.path / "log", "wb")
        self.process = subprocess.Popen(
            [str(binary), "serve", "--config", str(self.path / "websocket.json"), "--data", str(self.path / "data")],
            stdout=subprocess.PIPE, stderr=self.log,
            preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None)
        self.pid = self.process.pid
        try:
            self.port = self._read_port()
            self._wait_until_ready()
        except BaseException:
            self.end()
            raise

    def _read_port(self):
        deadline, printed = time.monotonic() + START_SECONDS, b""
        while time.monotonic() < deadline and select.select([self.process.stdout], [], [], START_SECONDS)[0]:
            piece = os.read(self.process.stdout.fileno(), 65536)
            printed += piece
            if found := re.search(rb"listens on https?://\S+:(\d+)", printed):
                return int(found[1])
            if not piece:
                break
        raise RuntimeError(f"the server did not start: {(self.path / 'log').read_text()[-2000:]}")

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
            connection.request("GET", "/readyz")
            status = connection.getresponse().status
            connection.close()
            if status == 200:
                return
            time.sleep(0.01)
        raise RuntimeError("the server did not become ready")

    def resident_bytes(self):
        return resident_bytes(self.pid)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
