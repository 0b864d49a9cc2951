"""The server under test as a process: started with a configuration of its own, measured from outside, stopped."""
import atexit
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field

import tokens
import wire

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
from measure.machine import descriptors_of  # noqa: E402

API_KEY = "hostile-" + secrets.token_hex(16)
PAGE = os.sysconf("SC_PAGESIZE")
TICKS = os.sysconf("SC_CLK_TCK")

BASE = {
    "port": 0,
    "pingInterval": 4000,  # abandoned polling sessions end soon, so that a group's end need not be waited for
    "pingTimeout": 3000,
    "rateLimit": {"connectionsPerMinute": 1_000_000, "messagesPerMinute": 1_000_000_000},
    # Events are compared byte for byte: without the position that recovery appends.
    "connectionStateRecovery": {"maxDisconnectionDuration": 0},
    "limits": {"connectionsPerAddress": 100_000, "connectionsPerUser": 100_000, "drainWindow": 100},
}


def merged(base, changes):
    result = dict(base)
    for key, value in changes.items():
        result[key] = merged(base[key], value) if isinstance(value, dict) and key in base else value
    return result


@dataclass(frozen=True)
class Profile:
    """How a server is set up: changes to the configuration, and the keys by which it knows tokens."""

    config: dict = field(default_factory=dict)
    keys: str = ""  # "", "RS" or "ES": a secret, or a key pair
    algorithm: str = "HS256"
    secret_too: bool = False
    claims: dict = field(default_factory=dict)  # what every good token has


class Server:
    """Tokens for ordinary use come from token()."""

    def __init__(self, binary, profile=Profile(), nofile=None):
        self.folder = tempfile.TemporaryDirectory(prefix="hostile-")
        self.profile = profile
        self.keys = tokens.Keys(profile.keys) if profile.keys else None
        self.secret = secrets.token_hex(32)
        config = merged(BASE, profile.config)
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        environment["WIREHALL_AUTH__API_KEYS"] = API_KEY
        environment["ASAN_OPTIONS"] = "quarantine_size_mb=8:detect_leaks=1"
        if self.keys is None or profile.secret_too:
            environment["JWT_SECRET"] = self.secret
        if self.keys is not None:
            auth = {"publicKey": self.keys.public, "publicKeyAlgorithm": profile.algorithm}
            config = merged(config, {"auth": {**config.get("auth", {}), **auth}})
        path = os.path.join(self.folder.name, "websocket.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        os.chmod(path, 0o600)
        self.log_path = os.path.join(self.folder.name, "log")
        before = ["sh", "-c", f'ulimit -n {nofile}; exec "$@"', "sh"] if nofile else []
        if os.geteuid() == 0:
            # Clients are elsewhere in life: what this test takes of the processor must not count as the server's
            # slowness. Who may not raise a priority measures both together.
            before = ["nice", "-n", "-10", *before]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*before, binary, "serve", "--port", "0", "--config", path, "--data",
                 os.path.join(self.folder.name, "data")],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=environment)
        self.pid = self.process.pid
        atexit.register(self._kill)  # whatever goes wrong here, no server is left behind
        self.port = self._read_port()

    def _read_port(self):
        while line := self.process.stdout.readline().decode():
            if match := re.match(r"Wirehall listens on http://\S+:(\d+)\s*$", line):
                # Nothing may block the server because nobody reads what it prints.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return int(match.group(1))
        self.process.wait()
        raise RuntimeError(f"the server did not start: {self.log()[-2000:]}")

    def token(self, user, **more):
        algorithm = self.profile.algorithm
        sign = tokens.by_hmac(self.secret, algorithm) if self.keys is None else self.keys.signer(algorithm)
        claims = tokens.claims(user, **{**self.profile.claims, **more})
        return tokens.joined({"alg": algorithm, "typ": "JWT"}, claims, sign)

    # -- measures -------------------------------------------------------------------------------

    def alive(self):
        return self.process.poll() is None

    def fds(self):
        return descriptors_of(self.pid)

    def rss(self):
        return self._status("VmRSS")

    def peak_rss(self):
        return self._status("VmHWM")

    def forget_peak(self):
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def _status(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(name + r":\s+(\d+) kB", file.read()).group(1)) * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stats(self):
        connection = wire.Wire(self.port)
        try:
            connection.send(b"GET /ws/stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: " +
                            API_KEY.encode() + b"\r\n\r\n")
            answer = wire.read_answer(connection, time.monotonic() + 10)
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"/ws/stats answered {answer}")
        return json.loads(answer.body)

    def log(self):
        with open(self.log_path, "rb") as file:
            return file.read().decode("utf-8", "backslashreplace")

    # -- end ------------------------------------------------------------------------------------

    def _kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()

    def stop(self, seconds=15):
        """Returns what was wrong with the end, or an empty string."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return f"the server had not ended {seconds} s after SIGTERM"
        return "" if status == 0 else f"the server ended with status {status}: {self.log()[-1500:]}"


def kernel_tcp_bytes():
    """What the kernel holds for TCP sockets of this network namespace; no RSS shows it."""
    with open("/proc/net/sockstat", encoding="ascii") as file:
        return int(re.search(r"^TCP:.* mem (\d+)", file.read(), re.M).group(1)) * PAGE


def wait_for(condition, seconds, pause=0.02):
    """Polls until the condition holds; returns whether it did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
