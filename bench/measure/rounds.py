"""Which measurement runs when: all of a round one after another, so that ratios are of the same minute."""
import time

from .groups import GROUPS
from .machine import BenchError, say
from .measurements import measure

# What no row asks for decides nothing, and is measured less often; memory is much the same each time.
INFORMING_ROUNDS = 3
INFORMING_MEMORY_ROUNDS = 2
FAILURES_MAX = 3


def chosen_rows(rows, text):
    return [row for row in rows if text.lower() in row.title.lower()]


def rounds_of(measurements, rows, options):
    """key -> how often it is measured."""
    counts = {}

    def want(key, count):
        counts[key] = max(counts.get(key, 0), count)

    for row in rows:
        count = row.rounds(options)
        for key, group in zip(row.parts, row.groups):
            want(group.key if group else key, count)
            if group:
                # What it does alone is for the tables, and shows whether it waits.
                want(key, min(options.rounds, INFORMING_ROUNDS))
    if not options.rows:
        # The peers' table has what no row asks for.
        for key, measurement in measurements.items():
            if key not in counts and key not in GROUPS:
                few = INFORMING_MEMORY_ROUNDS if key.startswith("idle/") else INFORMING_ROUNDS
                counts[key] = min(options.rounds, few)
    return counts


def schedule(counts):
    """[(round, key)]: who is measured less often is spread evenly over the rounds, beside the others of its kind."""
    last = max(counts.values(), default=0)
    out = []
    for number in range(last):
        for key, count in counts.items():
            # Whole steps of count / last: the same rounds for all that have the same count.
            if (number + 1) * count // last > number * count // last:
                out.append((number + 1, key))
    return out


def minutes(seconds):
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


class Failures:
    """What could not be measured. Who fails each time is not asked for ever."""

    def __init__(self):
        self.texts = {}  # key -> what was said, each time
        self.interrupted = False

    def add(self, key, text):
        say(f"FAILED: {text}")
        self.texts.setdefault(key, []).append(text)

    def given_up(self, key):
        return len(self.texts.get(key, [])) >= FAILURES_MAX


def run(measurements, counts, context):
    """(key -> {round: result}, Failures). One that fails does not end the run: others' figures are worth as much."""
    plan = schedule(counts)
    results, failures = {key: {} for key in counts}, Failures()
    left = sum(measurements[key].expected_seconds(context.options) for _, key in plan)
    pace = 1.0  # how much longer things take than was expected
    spent = expected = 0.0
    current = 0
    for index, (number, key) in enumerate(plan, 1):
        if number != current:
            current = number
            context.patience.wait_for_quiet()
        measurement, begin = measurements[key], time.monotonic()
        seconds = measurement.expected_seconds(context.options)
        left -= seconds
        if failures.given_up(key):
            continue
        try:
            result = measure(measurement, context)
        except (BenchError, RuntimeError, OSError) as error:
            failures.add(key, str(error))
            continue
        except KeyboardInterrupt:
            say("interrupted; the figures so far are written")
            failures.interrupted = True
            break
        results[key][number] = result
        spent += time.monotonic() - begin
        expected += seconds
        pace = spent / expected
        say(f"[{index:4}/{len(plan)}, {minutes(max(0.0, left * pace))} left] round {number:2}  {measurement.title:60} "
            f"{measurement.summary(result)}")
    return results, failures


def expected_seconds(measurements, counts, options):
    return sum(measurements[key].expected_seconds(options) * count for key, count in counts.items())
