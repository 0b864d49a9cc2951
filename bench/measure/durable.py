"""Durable messages: how late `wirehall serve` acknowledges them, beside the disk's own fdatasync."""
import json
import os
import time

from . import generator, servers

SYNCS = 400
SYNC_SECONDS_MAX = 2
SYNC_BYTES = 4096
CONTENT_BYTES = 128
RATE_PER_SECOND = 1000
PUBLISHERS, ROOMS = 64, 16
SECONDS = 3


def time_syncs(folder):
    """How long it takes to append 4 KiB and make them durable: µs, ascending."""
    path = folder / "fdatasync"
    block, taken, begin = os.urandom(SYNC_BYTES), [], time.monotonic()
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        while len(taken) < SYNCS and time.monotonic() < begin + SYNC_SECONDS_MAX:
            before = time.perf_counter_ns()
            os.write(descriptor, block)
            os.fdatasync(descriptor)
            taken.append((time.perf_counter_ns() - before) / 1e3)
    finally:
        os.close(descriptor)
        path.unlink()
    return sorted(taken)


def quantile(ascending, q):
    return ascending[min(len(ascending) - 1, int(q * len(ascending)))]


def publish_options(publishers, rooms):
    """Options of `wirehall bench`: each publisher sends durable messages into its room and waits for their acks."""
    message = json.dumps({"roomId": "{room}", "content": "x" * CONTENT_BYTES, "clientMessageId": "{data}"})
    return ["--connections", str(publishers), "--rooms", str(min(rooms, publishers)), "--event", "message",
            "--data", message, "--join", "join-room", "--join-data", '{"roomId":"{room}"}', "--threads", "1",
            "--timeout", "10", "--json", "-", "--no-progress"]


class DurableAck:
    """Acknowledgements at 1,000 messages per second, at moments that do not depend on them."""

    key, title = "durable/hall-native", "durable acknowledgement at 1,000/s: wirehall serve"

    def servers(self):
        return [servers.SERVERS["hall-native"]]

    def expected_seconds(self, _):
        return SECONDS + 4

    def connections(self, _):
        return PUBLISHERS

    def run(self, context):
        with servers.start(self.servers()[0], context.places, context.cores.server) as hall:
            syncs = time_syncs(hall.path)
            command = [context.places.program("wirehall"), "bench", f"ws://127.0.0.1:{hall.port}/ws", "--server-pid",
                       str(hall.pid), "--busy", "--rate", str(RATE_PER_SECOND), "--random", "--duration", str(SECONDS),
                       "--warm-up", "0.5", *publish_options(PUBLISHERS, ROOMS), *generator.WHOLE]
            result = generator.run_command(command, self.title, context.cores.client, SECONDS)
            syncs = sorted(syncs + time_syncs(hall.path))
        strangers = result["machine_cores_used"] - sum(result[who]["cores_used"] for who in ("server", "generator"))
        result["disturbance"] = max(0.0, strangers) / os.cpu_count()
        result["fdatasync_us"] = {"p50": quantile(syncs, 0.5), "p99": quantile(syncs, 0.99), "count": len(syncs)}
        return result

    def waited(self, _):
        return False

    def summary(self, result):
        return (f"p99 {result['latency_us']['p99'] / 1e3:6.2f} ms  fdatasync p99 "
                f"{result['fdatasync_us']['p99'] / 1e3:6.2f} ms")
