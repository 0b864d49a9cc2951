"""Runs cases: each whole and one byte per segment, many at a time, against a server with bystanders."""
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import steps
import wire
from arena import Arena
from server import Profile
from session import Mismatch, Session

WORKERS = 12


@dataclass
class Group:
    name: str
    cases: list
    profiles: dict = field(default_factory=lambda: {"plain": Profile()})


@dataclass
class Failure:
    name: str
    row: str
    mode: str
    expected: str
    got: str
    received: bytes = b""

    def __str__(self):
        text = (f"  FAILED  {self.name} [{self.mode}; {self.row}]\n"
                f"    expected  {self.expected}\n    got       {self.got}")
        return text + (f"\n    received  ...{self.received[-300:]!r}" if self.received else "")


@dataclass
class Report:
    name: str
    cases: int = 0
    runs: int = 0
    seconds: float = 0.0
    failures: list = field(default_factory=list)
    about: str = ""

    def line(self):
        return (f"{self.name:<28} {self.cases:4d} cases  {self.runs:4d} runs  {len(self.failures):3d} failures  "
                f"{self.seconds:6.1f} s  {self.about}")


def run_case(arena, case, bytewise):
    """Returns a Failure or None."""
    session, expected = None, "the prelude"
    mode = "one byte per segment" if bytewise else "whole"
    try:
        session = Session(arena.server, bytewise, arena.slowness)
        session.open(case.over)
        for step in case.steps:
            if isinstance(step, steps.Check):
                expected = step.text
            steps.perform(session, step)
        return None
    except Mismatch as error:
        got = str(error)
    except wire.Silent:
        got = "nothing more before the deadline"
    except wire.Ended as error:
        got = f"the end of the connection ({error})"
    except (wire.Malformed, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        got = f"{type(error).__name__}: {error}"
        if not isinstance(error, (wire.Malformed, OSError)):
            got += "\n" + traceback.format_exc(limit=-3)
    finally:
        if session is not None:
            session.close()
    last = session.wire.last if session is not None else b""
    return Failure(case.name, case.row, mode, expected, got, last)


def run_group(group, binary, asan=False, verbose=False):
    start = time.monotonic()
    report = Report(group.name, cases=len(group.cases))
    names = {case.profile for case in group.cases}
    arenas = {name: Arena(binary, group.profiles[name], asan) for name in sorted(names)}
    tasks = [(case, bytewise) for case in group.cases for bytewise in (False, True)]

    def perform(task):
        case, bytewise = task
        arena = arenas[case.profile]
        if not arena.server.alive():
            return Failure(case.name, case.row, "not run", "a server", "the server has died before")
        begin = time.monotonic()
        failure = run_case(arena, case, bytewise)
        if verbose:
            print(f"  {'FAILED' if failure else 'ok':<7} {time.monotonic() - begin:6.2f} s  {case.name}"
                  f"{' [one byte per segment]' if bytewise else ''}", flush=True)
        return failure

    # Those that only wait do not keep each other waiting.
    with ThreadPoolExecutor(WORKERS + sum(case.slow for case, _ in tasks)) as pool:
        report.failures = [failure for failure in pool.map(perform, tasks) if failure]
    report.runs = len(tasks)
    about = []
    for name, arena in arenas.items():
        line, complaints = arena.finish()
        about.append(line)
        report.failures += [Failure(f"what is left after {group.name} ({name})", "RELIABILITY 3.4", "group",
                                    "everything as before", complaint) for complaint in complaints]
    report.about = about[0] if len(about) == 1 else " | ".join(about)
    report.seconds = time.monotonic() - start
    return report
