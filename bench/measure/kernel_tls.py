"""Memory of idle connections in a kernel that does TLS, which the machine's own need not do: tools/user_kernel."""
import json
import os
import pathlib
import subprocess
import sys
import types

from . import generator, servers
from .machine import ROOT, BenchError, raise_descriptors

# Each handshake takes a millisecond there; memory for each is the same with more.
CONNECTIONS = 3_000
MEMORY_MIB = 4_096
SECONDS_MAX = 240
EXPECTED_SECONDS = 15
SPARE_DESCRIPTORS = 500


class IdleInKernel:
    """A server's growth for each idle connection, as LoadMeasurement("idle") has it, in the other kernel."""

    def __init__(self, server):
        self.server = servers.SERVERS[server]
        self.key, self.title = f"idle-kernel/{server}", f"idle, in a kernel that does TLS: {self.server.title}"

    def servers(self):
        return [self.server]

    def expected_seconds(self, _):
        return EXPECTED_SECONDS

    def connections(self, _):
        return CONNECTIONS

    def run(self, context):
        command = [str(ROOT / "tools/user_kernel"), "--memory", str(MEMORY_MIB), "--seconds", str(SECONDS_MAX),
                   sys.executable, "-m", "measure.kernel_tls", self.server.key, str(context.places.binaries)]
        done = subprocess.run(command, cwd=ROOT / "bench", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        lines = done.stdout.strip().split("\n")
        if done.returncode != 0:
            raise BenchError(f"{self.title}: {done.stderr.strip() or lines[-1]}")
        return {**json.loads(lines[-1]), "disturbance": 0.0}

    def waited(self, _):
        return False

    def summary(self, result):
        kernel = result["kernel_both_ends"]["slab_bytes_per_connection"]
        return f"{result['server']['rss_bytes_per_connection']:9.0f} B per connection, kernel {kernel:.0f} B for both ends"


def inside(server, binaries):
    """What runs in the other kernel, which has one core: prints the generator's report."""
    raise_descriptors(CONNECTIONS + SPARE_DESCRIPTORS)
    places = servers.Places(pathlib.Path(binaries), pathlib.Path(), pathlib.Path(os.environ["TMPDIR"]) / "bench")
    core = {0}
    cores = types.SimpleNamespace(of=lambda _: (core, core))
    with servers.start(servers.SERVERS[server], places, core) as running:
        report = generator.Generator(places, cores, CONNECTIONS).run(
            servers.SERVERS[server], generator.LOADS["idle"], running, 1, busy=False)
    print(json.dumps(report))


if __name__ == "__main__":
    try:
        inside(*sys.argv[1:])
    except BenchError as fault:
        sys.exit(f"{fault}")
