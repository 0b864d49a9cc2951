"""Two figures without noise: system calls and user-mode instructions for each operation.

Each is the difference between two runs of different length, divided by the difference of their operations: what the
start, the connections and the end cost is in both.
"""
import re
import shutil

from . import deflate, servers
from .machine import BenchError, say

SECONDS = (0.6, 1.8)
FACTORS = (1, 3, 9)
OPERATIONS_MIN = 2000
CALLGRIND = ["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file="]
# What is measured so, by the keys of measurements.
KEYS = ["echo/floor", "echo/native", "echo/socketio", "echo-1k/floor", "echo-1k/native", "fanout-1000/floor",
        "fanout-1000/native", "fanout-1000/socketio", "eight/batched", "eight/native", "eight/socketio",
        "fanout-10000/floor", "fanout-10000/native", "fanout-10000/socketio"]
EXPECTED_SECONDS_EACH = 13
COMPRESSION_SUBSCRIBERS = 50
COMPRESSION_MESSAGES = (10, 60)


def read_strace(text):
    """{system call: times} of what `strace -c` wrote."""
    calls = {}
    for line in text.split("\n"):
        # % time     seconds  usecs/call     calls    errors syscall
        words = line.split()
        if len(words) in (5, 6) and re.fullmatch(r"[\d.]+", words[0]) and words[-1] != "total":
            calls[words[-1]] = calls.get(words[-1], 0) + int(words[3])
    return calls


def read_callgrind(text):
    """Instructions in all, of what callgrind wrote."""
    found = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
    if not found:
        raise BenchError("callgrind wrote no summary")
    return int(found[1])


def calls_of(text, function):
    """How often a function was called, by what callgrind wrote. A name stands there once; then its number is it."""
    numbers, counting, calls = set(), False, 0
    for line in text.split("\n"):
        if found := re.match(r"c?fn=\((\d+)\)(?: (\S+))?", line):
            if found[2] == function:
                numbers.add(found[1])
            if line.startswith("cfn="):
                counting = found[1] in numbers
        elif counting and line.startswith("calls="):
            calls += int(line[6:].split()[0])
    return calls


def operations_of(report):
    return report["figures"]["expected"] * report["figures"]["delivered"]


def per_operation(runs):
    """`runs`: [(operations, count)] of the short run and of the long one."""
    (operations, count), (more_operations, more_count) = runs
    if more_operations <= operations:
        raise BenchError("the longer run did no more operations than the shorter one")
    return (more_count - count) / (more_operations - operations)


def _writing(tool, path):
    """The tool's command with the file that it writes."""
    return [*tool[:-1], tool[-1] + str(path)]


def _two_runs(measurement, context, wrapper, read):
    """[(operations, what `read` makes of what the tool wrote)] of the short run and of the long one. On a slow machine
    both become longer, until the second has done enough more than the first."""
    path = context.places.scratch / "exact.out"
    for factor in FACTORS:
        runs = []
        for seconds in SECONDS:
            path.unlink(missing_ok=True)
            report = _run(measurement, context, _writing(wrapper, path), factor * seconds)
            runs.append((operations_of(report), read(path.read_text())))
        if runs[1][0] - runs[0][0] >= OPERATIONS_MIN:
            break
    return runs


def _run(measurement, context, wrapper, seconds):
    server, load = measurement.server, measurement.load
    with servers.Running(server, context.places, context.cores.server, load.server_mode, wrapper) as running:
        descriptors = running.descriptors()
        report = context.generator.run(server, load, running, seconds, warm_up=0)
        running.stop(descriptors)
    return report


def system_calls(measurement, context):
    """(all, {name: times}) for each operation."""
    (operations, calls), (more_operations, more_calls) = _two_runs(
        measurement, context, ["strace", "-f", "-qq", "-c", "--output="], read_strace)
    by_name = {name: per_operation([(operations, calls.get(name, 0)), (more_operations, count)])
               for name, count in more_calls.items()}
    return sum(by_name.values()), {name: count for name, count in by_name.items() if abs(count) >= 0.0005}


def instructions(measurement, context):
    return per_operation(_two_runs(measurement, context, CALLGRIND, read_callgrind))


def compressions(measurement, context, failures):
    """How often zlib compresses for each message that COMPRESSION_SUBSCRIBERS get; None when it failed."""
    path, counts = context.places.scratch / "exact.out", []
    try:
        for messages in COMPRESSION_MESSAGES:
            path.unlink(missing_ok=True)
            with servers.Running(measurement.server, context.places, context.cores.server,
                                 wrapper=_writing(CALLGRIND, path)) as running:
                descriptors = running.descriptors()
                audience = deflate.Audience(running.port, True, COMPRESSION_SUBSCRIBERS)
                for number in range(messages):
                    audience.broadcast(number)
                audience.close()
                running.stop(descriptors)
            counts.append((messages, calls_of(path.read_text(), "deflate")))
        figure = per_operation(counts)
    except (BenchError, RuntimeError, OSError) as error:
        failures.add("exact deflate", f"compressions of a message: {error}")
        return None
    say(f"[exact] {figure:g} compressions for a message to {COMPRESSION_SUBSCRIBERS}")
    return figure


def tools():
    """Raises BenchError where one is missing."""
    for tool in ("strace", "valgrind"):
        if shutil.which(tool) is None:
            raise BenchError(f"{tool} is not installed: ./dev install bench; or measure without: --no-exact")


def measure(measurements, keys, context, failures):
    """key -> {system_calls, by_name, instructions}. What fails is told to `failures` and left out."""
    out = {}
    for key in keys:
        measurement = measurements[key]
        try:
            calls, by_name = system_calls(measurement, context)
            counted = instructions(measurement, context)
        except (BenchError, RuntimeError, OSError) as error:
            failures.add(f"exact {key}", f"exact figures of {measurement.title}: {error}")
            continue
        out[key] = {"system_calls": calls, "by_name": by_name, "instructions": counted}
        say(f"[exact] {measurement.title:60} {calls:.3f} system calls, {out[key]['instructions']:.0f} instructions "
            "per operation")
    return out
