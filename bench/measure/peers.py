"""Everybody under the same load: the figures of the second table and of the plots."""
import statistics

from .generator import LOADS
from .servers import SERVERS

# Loads under which peers stand beside each other; Wirehall's special configurations belong to rows alone.
LOADS_SHOWN = ["echo", "fanout-1000", "eight", "fanout-10000"]
SPECIAL = {"recovery", "rooms", "namespaces", "shards-1", "shards-2", "identity", "tls-kernel"}
OURS = {"native", "socketio", "tls", "hall-native", "hall-socketio"}
FLOORS = {"floor", "batched", "floor-socketio"}


def kind_of(server):
    return "floor" if server in FLOORS else "ours" if server in OURS else "peer"


def _median(results, value):
    numbers = [number for result in results if (number := value(result)) is not None]
    return statistics.median(numbers) if numbers else None


def _of_load(everything, load):
    """[(server, results)] of those that were measured."""
    out = []
    for key, of_rounds in everything["measurements"].items():
        name, server = key.split("/")
        if name == load and server in SERVERS and server not in SPECIAL:
            out.append((server, list(of_rounds.values())))
    return out


def load_lines(everything, load):
    """One line for each server, the cheapest first."""
    lines = []
    for server, results in _of_load(everything, load):
        cpu = _median(results, lambda r: r["server"]["cpu_us_per_operation"])
        user = _median(results, lambda r: r["server"].get("user_share"))
        lines.append({
            "server": server, "title": SERVERS[server].title, "kind": kind_of(server), "cpu_us": cpu,
            "user_us": None if user is None else cpu * user, "system_us": None if user is None else cpu * (1 - user),
            "per_second": _median(results, lambda r: r["operations_per_second"]),
            **{name: _median(results, lambda r, name=name: r["latency_us"][name]) for name in ("p50", "p99", "p99_9")},
        })
    return sorted(lines, key=lambda line: line["cpu_us"])


def memory_lines(everything):
    """Bytes for each idle connection. The kernel's are half of what both ends together have: on one machine they hold
    objects of the same kinds."""
    lines = []
    for load in ("idle", "idle-room"):
        for server, results in _of_load(everything, load) if load == "idle" else _identity(everything):
            lines.append({
                "server": server, "title": SERVERS[server].title + (", in a room" if load != "idle" else ""),
                "kind": "ours" if load != "idle" else kind_of(server),
                "user_bytes": _median(results, lambda r: r["server"]["rss_bytes_per_connection"]),
                "kernel_bytes": _median(results, lambda r: (
                    r["kernel_both_ends"]["slab_bytes_per_connection"]
                    + r["kernel_both_ends"]["tcp_queue_bytes_per_connection"]) / 2),
            })
    return sorted(lines, key=lambda line: line["user_bytes"])


def _identity(everything):
    results = everything["measurements"].get("idle-room/identity")
    return [("identity", list(results.values()))] if results else []


def handshake_lines(everything):
    lines = []
    for load in ("handshake", "upgrade"):
        for server, results in _of_load(everything, load):
            cpu = _median(results, lambda r: r["server"]["opening_cpu_us_per_connection"])
            lines.append({"load": LOADS[load].title, "server": server, "title": SERVERS[server].title,
                          "kind": kind_of(server), "cpu_us": cpu, "per_core_second": 1e6 / cpu,
                          "p99": _median(results, lambda r: r["opening_us"]["p99"])})
    return sorted(lines, key=lambda line: (line["load"], line["cpu_us"]))


def growth_lines(everything):
    """Cost per delivery over the number of subscribers: {server: [(subscribers, µs)]}."""
    out = {}
    for load, subscribers in (("fanout-100", 100), ("fanout-1000", 1000), ("fanout-10000", 10_000)):
        for server, results in _of_load(everything, load):
            if server in ("floor", "native", "socketio", "node"):
                out.setdefault(server, []).append(
                    (subscribers, _median(results, lambda r: r["server"]["cpu_us_per_operation"])))
    return {server: points for server, points in out.items() if len(points) > 1}
