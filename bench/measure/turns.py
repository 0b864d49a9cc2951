"""Servers that take turns: all of them run, and of their generators one at a time, for some hundredths of a second each.
What makes the machine slower for longer than that makes it slower for all of them alike, so that the ratio of one round
repeats to 1 or 2 %, where one after another it repeats to 8."""
import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import time

from . import generator, intervals, servers
from .machine import BenchError, say
from .measurements import MEASUREMENTS, LoadMeasurement

ROUND_SECONDS_MAX = 120
# A connection that got nothing for 200 ms (Linux's smallest retransmission timeout) is taken for one that begins anew:
# each of its next 16 packets is acknowledged at once. That made a delivery half as dear again, for everybody.
PAUSE_SECONDS_MAX = 0.16


def takes_turns(measurement):
    """Whether it is a load of a server that has a core of its own, and not memory."""
    return isinstance(measurement, LoadMeasurement) and measurement.load.kind != "idle" and measurement.server.layout == "pinned"


class Contestant:
    """`text`: LOAD/SERVER as in `./dev bench`, and where another build is meant, =PROGRAM behind it."""

    def __init__(self, text):
        key, _, program = text.partition("=")
        measurement = MEASUREMENTS.get(key)
        if not takes_turns(measurement):
            known = sorted(key for key, each in MEASUREMENTS.items() if takes_turns(each))
            raise BenchError(f'"{key}" is no load and server that takes turns; known are {" ".join(known)}')
        self.text, self.load, self.server = text, measurement.load, measurement.server
        self.connections = measurement.connections
        if program:
            if self.server.is_hall:
                raise BenchError(f"{text}: of wirehall serve no other build can be chosen")
            if not os.access(program, os.X_OK):
                raise BenchError(f"{text}: {program} is no program")
            command = [str(pathlib.Path(program).resolve()), *self.server.command[1:]]
            self.server = servers.Server(self.server.key, text, command, self.server.protocol, self.server.peer,
                                         one_thread=self.server.one_thread)

    def figure(self, report):
        """What one operation cost, in us of processor time."""
        value = "opening_cpu_us_per_connection" if self.load.kind == "handshake" else "cpu_us_per_operation"
        return report["server"][value]


def turn_seconds(contestants):
    """How long a turn is: as long as the loads want it, and not so long that connections fall asleep meanwhile."""
    wanted = max(each.load.turn_seconds for each in contestants)
    return min(wanted, PAUSE_SECONDS_MAX / max(1, len(contestants) - 1))


def warn_of_pauses(contestants, turn):
    pause = turn * (len(contestants) - 1)
    if pause > PAUSE_SECONDS_MAX:
        say(f"    a turn of {turn:g} s is a pause of {pause:g} s for the others: beyond {PAUSE_SECONDS_MAX:g} s the kernel takes "
            "connections for new ones, and figures are other ones than without turns")


def warm_up_seconds(contestants):
    """Before anybody's window begins, so that the windows lie at the same time."""
    return max(each.server.warm_up_seconds + each.load.warm_up_seconds for each in contestants) * len(contestants)


def round_of(contestants, context, turn):
    """Each one's report. `turn`: how many seconds a turn has."""
    seconds = context.options.seconds * len(contestants)
    warm_up = warm_up_seconds(contestants)
    server_cores, generator_cores = context.cores.of("pinned")
    with contextlib.ExitStack() as stack:
        generators = []
        for each in contestants:
            running = stack.enter_context(servers.start(each.server, context.places, server_cores, each.load.server_mode))
            command = context.generator.command(each.server, each.load, running.port, running.pid, seconds, warm_up)
            process = stack.enter_context(subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                preexec_fn=lambda: os.sched_setaffinity(0, generator_cores)))
            stack.callback(process.kill)
            process.send_signal(signal.SIGSTOP)
            generators.append(process)
        take_turns(generators, turn)
        ended = [(each, *process.communicate(), process.returncode) for each, process in zip(contestants, generators)]
        return [generator.read_report(status, output, errors, each.text, seconds)
                for each, output, errors, status in ended]


def take_turns(processes, turn):
    """Lets one after another go on for so long, until all have ended."""
    deadline = time.monotonic() + ROUND_SECONDS_MAX
    left = list(processes)
    while left:
        if time.monotonic() > deadline:
            raise BenchError(f"the generators did not end within {ROUND_SECONDS_MAX} s")
        process = left.pop(0)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(turn)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGSTOP)
            left.append(process)


def run(contestants, context, rounds, turn):
    """For each contestant its figures, round by round. The order changes with every round."""
    figures = [[] for _ in contestants]
    failures = 0
    while len(figures[0]) < rounds:
        order = list(range(len(contestants)))
        if len(figures[0]) % 2:
            order.reverse()
        try:
            reports = round_of([contestants[i] for i in order], context, turn)
        except BenchError as error:
            failures += 1
            if failures > rounds:
                raise
            say(f"FAILED: {error}")
            continue
        for i, report in zip(order, reports):
            figures[i].append(contestants[i].figure(report))
        say(f"round {len(figures[0]):2} of {rounds}   " + "   ".join(f"{figure[-1]:8.3f} µs" for figure in figures))
    return figures


def table(contestants, figures):
    """Markdown: the medians, and the ratios to the first with their intervals."""
    lines = ["| load/server | µs, median | cheapest round | to the first | 95 % interval |",
             "| --- | ---: | ---: | ---: | --- |"]
    for each, own in zip(contestants, figures):
        median, low, high, coverage = intervals.median_interval([one / first for one, first in zip(own, figures[0])])
        interval = f"{low:.3f} to {high:.3f}" + ("" if coverage >= intervals.LEVEL else f" ({coverage:.0%} only)")
        lines.append(f"| {each.text} | {statistics.median(own):.3f} | {min(own):.3f} | {median:.3f} | {interval} |")
    return "\n".join(lines)
