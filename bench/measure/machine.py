"""The machine: its cores, how quiet it is, how many descriptors a process may have."""
import os
import pathlib
import platform
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The machine is quiet when less of it than this is in use.
QUIET = 0.04
TABLE_READINGS_MAX = 50


class BenchError(Exception):
    """What ends a run; its text says what to do."""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Cores:
    """Which core runs what."""

    def __init__(self):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise BenchError("one core is not enough: the generator would be measured with the server. Run it on a "
                             "machine with two cores or more, or allow it more of them (taskset, --cpus)")
        self.all, self.server, self.client = set(cores), {cores[0]}, {cores[1]}
        # Two shards and a generator want three cores.
        self.crowded = len(cores) < 3
        self.shards = self.all if self.crowded else set(cores[:2])
        self.shard_client = self.all if self.crowded else set(cores[2:3])

    def of(self, layout):
        """The server's cores and the generator's, for the layout "pinned" or "shared"."""
        if layout == "shared":
            return self.shards, self.shard_client
        return self.server, self.client


def used_share(seconds=0.5):
    """The share of the machine that is in use at this moment."""
    def reading():
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(word) for word in file.readline().split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]  # all; idle and waiting for a disk

    total, idle = reading()
    time.sleep(seconds)
    total_after, idle_after = reading()
    return 1 - (idle_after - idle) / max(1, total_after - total)


class Patience:
    """Waits while others use the machine, in all no longer than so many seconds."""

    def __init__(self, seconds):
        self.seconds = seconds

    def wait_for_quiet(self):
        if self.seconds <= 0:
            return
        used = used_share()
        if used > QUIET:
            say(f"    others use {used:.0%} of the machine; waiting up to {self.seconds:.0f} s")
        while used > QUIET and self.seconds > 0:
            begin = time.monotonic()
            time.sleep(1)
            used = used_share()
            self.seconds -= time.monotonic() - begin


def raise_descriptors(wanted):
    """Allows this process, and what it starts, as many descriptors as it may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise BenchError(
            f"{wanted} descriptors are needed, and a process may have {hard} here. Raise the limit in this shell as "
            f"root:\n\n    ulimit -n {wanted}\n\nor for good by two lines in /etc/security/limits.conf, and log in "
            f"again:\n\n    *  soft  nofile  {wanted}\n    *  hard  nofile  {wanted}\n\n"
            f"or measure less: --help tells how")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptors_of(pid):
    """How many descriptors a process has open, in all its tables: a thread may have one of its own. Tables are told
    apart by what is in them, so they are read until nothing changes meanwhile (or it changes all the time)."""
    def reading():
        tables = {}
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                tables[thread] = tuple(os.listdir(f"/proc/{pid}/task/{thread}/fd"))
            except OSError:
                pass  # it has ended
        return tables

    last = reading()
    for _ in range(TABLE_READINGS_MAX):
        before, last = last, reading()
        if last == before:
            break
    return sum(len(table) for table in set(last.values()))


def first_line(command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip().split("\n")[0]


def commit():
    """The short name of the commit; a dash where the tree is no repository."""
    return first_line(["git", "rev-parse", "--short", "HEAD"]) or "-"


def about():
    """What a reader of figures wants to know about the machine and the tree."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    changed = first_line(["git", "status", "--porcelain", "--untracked-files=no"])
    return {
        "cpu": model[0] if model else platform.machine(), "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(), "node": first_line(["node", "--version"]) if shutil.which("node") else None,
        "commit": commit() + (" and changes" if changed else ""),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def headline(machine):
    return f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, commit {machine['commit']}"
