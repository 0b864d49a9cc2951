"""What is wanted: the rows of the first table. Each is a figure that is made of measurements of one round."""
from . import groups, intervals
from .measurements import DISTURBED, MEASUREMENTS

# A ratio that is wanted so near to one is not decided by a few rounds.
TIGHT = 1.15


def cpu(result):
    return result["server"]["cpu_us_per_operation"]


def rate(result):
    return result["operations_per_second"]


def memory(result):
    return result["server"]["rss_bytes_per_connection"]


def handshake(result):
    """Handshakes that a core would do in a second."""
    return 1e6 / result["server"]["opening_cpu_us_per_connection"]


def start(result):
    return result["seconds"] * 1e3


def ack_beyond_disk(result):
    """What an acknowledgement takes longer than the disk's own p99, in ms."""
    return (result["latency_us"]["p99"] - result["fdatasync_us"]["p99"]) / 1e3


def ratio(values):
    return values[0] / values[1]


def growth(values):
    """Ours, larger over smaller, over the floor's; the floor's alone is one where it knows nothing of what grows."""
    own = values[0] / values[1]
    return own / (values[2] / values[3]) if len(values) == 4 else own


def difference(values):
    return values[0] - values[1]


def single(values):
    return values[0]


class Row:
    """`parts`: keys of measurements; `value` makes a number of each one's result, `combine` the figure of these.
    `wanted`: ("<=" or ">=", limit), None to inform only. `unit` is empty for a ratio. `exact`: whose system calls and
    instructions stand beside it, ours and the floor's. `far`: known to be so far from its limit that few rounds
    decide it; where they do not, the verdict says so. `near`: known to be so near that few do not."""

    def __init__(self, title, parts, combine=ratio, value=cpu, wanted=None, unit="", exact=(), far=False, near=False):
        self.title, self.parts, self.combine, self.value = title, parts.split(), combine, value
        self.wanted, self.unit, self.exact, self.far, self.near = wanted, unit, exact, far, near

    @property
    def tight(self):
        if self.wanted is None or self.unit or self.far:
            return False
        nearness = self.wanted[1] if self.wanted[0] == "<=" else 1 / self.wanted[1]
        return 0.9 < nearness < TIGHT

    def rounds(self, options):
        """How many of them it takes."""
        return options.tight_rounds if self.tight or self.near else options.rounds

    @property
    def groups(self):
        """For each part the group in which it takes turns with what it is divided by; None where there is none: it is
        measured alone then."""
        if self.combine not in (ratio, growth) or self.value not in (cpu, handshake):
            return [None] * len(self.parts)
        # A growth is one ratio over another.
        pairs = [self.parts] if len(self.parts) == 2 else [self.parts[0::2], self.parts[1::2]]
        found = {key: groups.group_of(pair) for pair in pairs for key in pair}
        return [found[key] for key in self.parts]

    def value_unit(self):
        """The unit of what the parts give."""
        return {cpu: "µs", rate: "1/s", memory: "B", handshake: "1/s", start: "ms", ack_beyond_disk: "ms"}[self.value]


def at_most(limit):
    return ("<=", limit)


def at_least(limit):
    return (">=", limit)


def _against_floor(title, load, servers, floor, limit):
    named = "floor that writes once per turn" if floor == "batched" else "floor"
    return [Row(f"{name} {title} / {named}", f"{load}/{server} {load}/{floor}", wanted=at_most(limit),
                exact=(f"{load}/{server}", f"{load}/{floor}"))
            for server, name in servers]


BOTH = [("native", "native"), ("socketio", "Socket.IO")]
NATIVE = BOTH[:1]

ROWS = [
    *_against_floor("echo 128 B", "echo", NATIVE, "floor", 1.08),
    *_against_floor("echo 1 KiB", "echo-1k", NATIVE, "floor", 1.08),
    *[Row(f"native {title} / {name}", f"{load}/native {load}/{peer}", wanted=at_most(1.0),
          far=load != "echo" or peer in ("ws", "beast"))
      for load, title in (("echo", "echo 128 B"), ("echo-1k", "echo 1 KiB"))
      for peer, name in (("uws", "uWebSockets on Node"), ("bun", "Bun"), ("ws", "ws on Node"),
                         ("beast", "Boost.Beast"))],
    *_against_floor("ack echo", "echo", BOTH[1:], "floor", 1.25),
    Row("Socket.IO ack echo / Socket.IO on Node", "echo/socketio echo/node", wanted=at_most(0.40), near=True),
    Row("Socket.IO ack echo / the same on uWebSockets", "echo/socketio echo/node-uws", wanted=at_most(0.50)),
    *_against_floor("fan-out to 1,000", "fanout-1000", BOTH, "floor", 1.05),
    Row("Socket.IO fan-out to 1,000 / Socket.IO on Node", "fanout-1000/socketio fanout-1000/node",
        wanted=at_most(0.55), near=True),
    *_against_floor("fan-out to 10,000", "fanout-10000", BOTH, "floor", 1.05),
    Row("Socket.IO fan-out to 10,000 / Socket.IO on Node", "fanout-10000/socketio fanout-10000/node",
        wanted=at_most(0.42), near=True),
    *[Row(f"message stored, acknowledged and delivered to {title}, {name} / floor with as long frames",
          f"hall{load}/hall-{server} hall-frames{load}/floor", wanted=at_most(1.10))
      for load, title in (("", "1,000"), ("-10000", "10,000")) for server, name in BOTH],
    *_against_floor("eight publishers", "eight", BOTH, "batched", 1.10),
    Row("native eight publishers / uWebSockets publish", "eight/native eight/uws", wanted=at_most(1.0)),
    Row("Socket.IO eight publishers / Socket.IO on Node", "eight/socketio eight/node", wanted=at_most(0.16)),
    *[Row(f"{name}: cost per delivery, 10,000 subscribers / 100, over the floor's",
          f"fanout-10000/{server} fanout-100/{server} fanout-10000/floor fanout-100/floor", growth,
          wanted=at_most(1.10))
      for server, name in BOTH],
    Row("native: cost per delivery, 100,000 rooms / 1", "fanout-1000/rooms fanout-1000/native", growth,
        wanted=at_most(1.10)),
    Row("Socket.IO: cost per delivery, 10,000 namespaces / 1", "fanout-1000/namespaces fanout-1000/socketio", growth,
        wanted=at_most(1.10)),
    Row("memory of an idle native connection", "idle/native", single, memory, at_most(400), "B"),
    Row("memory of an idle Socket.IO connection in a room, with identity", "idle-room/identity", single, memory,
        at_most(1024), "B"),
    Row("memory of TLS on top", "idle/tls idle/native", difference, memory, at_most(10 * 1024), "B"),
    Row("memory of TLS on top, where the kernel encrypts (tls.kernel)", "idle-kernel/tls-kernel idle-kernel/native",
        difference, memory, at_most(10 * 1024), "B"),
    Row("WebSocket handshakes per second and core / floor", "handshake/native handshake/floor", value=handshake,
        wanted=at_least(0.9)),
    Row("Socket.IO websocket handshakes / floor", "handshake/socketio handshake/floor-socketio", value=handshake,
        wanted=at_least(0.9)),
    Row("Socket.IO websocket handshakes / Socket.IO on Node", "handshake/socketio handshake/node", value=handshake,
        wanted=at_least(4)),
    Row("Socket.IO polling then upgrade / floor", "upgrade/socketio upgrade/floor-socketio", value=handshake,
        wanted=at_least(0.9)),
    Row("Socket.IO polling then upgrade / Socket.IO on Node", "upgrade/socketio upgrade/node", value=handshake,
        wanted=at_least(4)),
    Row("broadcast of 2 KiB to 1,000: compressed / not", "deflate/deflate deflate/native", wanted=at_most(1.3)),
    Row("durable acknowledgement at 1,000/s: p99 beyond the disk's fdatasync p99", "durable/hall-native", single,
        ack_beyond_disk, at_most(5), "ms"),
    Row("start with 1,000,000 stored messages to the first accepted connection", "start/hall-native", single, start,
        at_most(200), "ms"),
    # Without a wanted figure.
    *[Row(f"floor that stores a message as {what} and delivers it to 1,000 / floor",
          f"hall-frames/{server} hall-frames/floor", near=True)
      for server, what in (("stored", "a page"), ("inserted", "a row of SQLite"))],
    Row("Socket.IO fan-out to 1,000 with recovery / without", "fanout-1000/recovery fanout-1000/socketio"),
    Row("eight publishers: deliveries per second, two shards / one", "eight/shards-2 eight/shards-1", value=rate),
    Row("eight publishers: cost per delivery, two shards / one", "eight/shards-2 eight/shards-1"),
    Row("memory of an idle connection of the floor", "idle/floor", single, memory, unit="B"),
]


def evaluate(row, measured, in_turns):
    """One line of the table; None when a part was not measured. `measured`: key -> {round: result}; `in_turns`: what was
    measured in turns, for each group the same."""
    results = {key: (in_turns.get(group.key, {}) if group else measured).get(key)
               for key, group in zip(row.parts, row.groups)}
    if any(not results.get(key) for key in row.parts):
        return None
    shared = sorted(set.intersection(*(set(results[key]) for key in row.parts)))
    if not shared:
        return None
    quiet = [number for number in shared
             if all(results[key][number]["disturbance"] <= DISTURBED for key in row.parts)]
    used = quiet or shared
    values = [[row.value(results[key][number]) for key in row.parts] for number in used]
    figures = [row.combine(of_round) for of_round in values]
    median, low, high, coverage = intervals.median_interval(figures)
    # In turns everybody waits: whether a server is quicker than its generator is seen where it is alone.
    alone = {key: measured.get(key, {}).values() for key in row.parts}
    waited = [key for key in row.parts if 2 * sum(map(MEASUREMENTS[key].waited, alone[key])) > len(alone[key])]
    return {
        "row": row.title, "unit": row.unit, "figure": median, "low": low, "high": high, "coverage": coverage,
        "rounds": len(used), "disturbed": len(shared) - len(quiet), "untrusted": not quiet,
        "in_turns": all(row.groups),
        "lowest": min(figures), "highest": max(figures), "parts": row.parts,
        "part_unit": row.value_unit(),
        "part_medians": [intervals.median_interval(column)[0] for column in zip(*values)],
        "wanted": None if row.wanted is None else {"relation": row.wanted[0], "limit": row.wanted[1]},
        "verdict": intervals.verdict(row.wanted, low, high, coverage) if quiet or row.wanted is None else "not decided",
        "exact": list(row.exact), "waited": [MEASUREMENTS[key].title for key in waited],
    }
