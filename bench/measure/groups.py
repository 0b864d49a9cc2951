"""What is compared closely: loads whose servers run at once and take turns (turns.py), for the rows of `./dev bench` whose
figure is a ratio that one measurement after another does not decide."""
from . import turns
from .measurements import MEASUREMENTS


class Group:
    """A measurement of several loads at once. `keys`: those of the measurements that it takes together."""

    def __init__(self, keys):
        self.contestants = [turns.Contestant(key) for key in keys]
        self.keys, self.key = list(keys), "turns: " + " ".join(keys)
        self.title = self.key

    def servers(self):
        return [each.server for each in self.contestants]

    def connections(self, options):
        """Of the process that has most of them."""
        return max(each.connections(options) for each in self.contestants)

    def expected_seconds(self, options):
        # Each opens its connections during its own turns.
        opening = sum(each.load.overhead_seconds for each in self.contestants)
        if self.contestants[0].load.kind == "handshake":
            return opening + 1
        return opening + turns.warm_up_seconds(self.contestants) + options.seconds * len(self.contestants)

    def run(self, context):
        # Each has each before it: what one leaves behind, the next one meets.
        self.contestants.reverse()
        reports = turns.round_of(self.contestants, context, turns.turn_seconds(self.contestants))
        # Whoever takes our cores takes them from all alike, which is what turns are for.
        return {"disturbance": 0.0, "reports": {each.text: {**report, "disturbance": 0.0}
                                                for each, report in zip(self.contestants, reports)}}

    def summary(self, result):
        of = {each.text: each.figure(result["reports"][each.text]) for each in self.contestants}
        return " / ".join(f"{of[key]:.3f}" for key in self.keys) + " µs"


def _all():
    groups = [Group(keys.split()) for keys in (
        "echo/floor echo/native echo/socketio",
        "echo-1k/floor echo-1k/native",
        *(f"{load}/native {load}/{peer}" for load in ("echo", "echo-1k") for peer in ("uws", "bun", "ws", "beast")),
        "echo/socketio echo/node",
        "echo/socketio echo/node-uws",
        "fanout-1000/floor fanout-1000/native fanout-1000/socketio",
        "fanout-1000/socketio fanout-1000/node",
        "fanout-1000/native fanout-1000/rooms",
        "fanout-1000/socketio fanout-1000/namespaces",
        "fanout-1000/socketio fanout-1000/recovery",
        "fanout-100/floor fanout-100/native fanout-100/socketio",
        # None with 10,000: a broadcast takes as long as a turn may (turns.PAUSE_SECONDS_MAX), so that some rounds cost half as
        # much again as others.
        # Not these five together: beside a floor alone, later, the halls were 1.12 of it instead of 1.09 (bench/README.md).
        "hall-frames/floor hall/hall-native hall/hall-socketio",
        "hall-frames/floor hall-frames/stored hall-frames/inserted",
        "eight/batched eight/native eight/socketio",
        "eight/native eight/uws",
        "eight/socketio eight/node",
        "handshake/floor handshake/native",
        "handshake/floor-socketio handshake/socketio",
        "upgrade/floor-socketio upgrade/socketio",
        "handshake/socketio handshake/node",
        "upgrade/socketio upgrade/node",
    )]
    return {group.key: group for group in groups}


GROUPS = _all()
# Whatever a run can measure.
ALL = {**MEASUREMENTS, **GROUPS}


def group_of(keys):
    """The first group that has all of these; None when there is none."""
    return next((group for group in GROUPS.values() if set(keys) <= set(group.keys)), None)


def by_group(results):
    """Of `results` (key -> {round: result}) what groups measured: group -> {key: {round: report}}."""
    return {key: {part: {number: result["reports"][part] for number, result in of_rounds.items()}
                  for part in GROUPS[key].keys}
            for key, of_rounds in results.items() if key in GROUPS}
