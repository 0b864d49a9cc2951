#!/usr/bin/env python3
"""Sends the server what it should not get, and checks that each input gets exactly what is specified for it, while
bystanders must not notice. Prints one line per group, and every failure; exits with 1 if there was one.

  hostile_test.py --bin build/release/wirehall [--filter REGEX] [--verbose] [--asan]

Each case runs twice, whole and one byte per segment. What is checked cannot be left out: a missing tool is a failure.
"""
import argparse
import os
import re
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cases_access  # noqa: E402
import cases_auth  # noqa: E402
import cases_deflate  # noqa: E402
import cases_engineio  # noqa: E402
import cases_frames  # noqa: E402
import cases_handshake  # noqa: E402
import cases_http  # noqa: E402
import cases_limits  # noqa: E402
import cases_socketio  # noqa: E402
import quotas  # noqa: E402
import resources  # noqa: E402
from runner import Failure, Group, Report, run_group  # noqa: E402
from server import Profile  # noqa: E402

# These measure times, and so are run when the others are done.
QUIET = ("slowloris", "cost of an input")


def groups():
    return [
        Group("HTTP framing", cases_http.CASES),
        Group("HTTP limits", cases_limits.CASES),
        Group("WebSocket opening", cases_handshake.CASES, {"plain": Profile(cases_handshake.PROFILE)}),
        Group("WebSocket frames", cases_frames.CASES, {"plain": Profile(cases_frames.PROFILE)}),
        Group("deflate", cases_deflate.CASES, {"deflate": Profile(cases_deflate.PROFILE)}),
        Group("Engine.IO", cases_engineio.CASES, {"plain": Profile(cases_engineio.PROFILE)}),
        Group("Socket.IO", cases_socketio.CASES, {"plain": Profile(cases_socketio.PROFILE)}),
        Group("tokens", cases_auth.CASES, cases_auth.PROFILES),
        Group("access", cases_access.CASES, cases_auth.PROFILES),
    ]


def deadlines(all_groups):
    """The cases that only wait, as a group of their own: it runs beside the others."""
    waiting = Group("deadlines", [], {})
    for group in all_groups:
        slow = [case for case in group.cases if case.slow]
        if slow:
            waiting.profiles[group.name] = group.profiles["plain"]
            waiting.cases += [replace(case, profile=group.name) for case in slow]
    return waiting


class Run:
    def __init__(self, options):
        self.options = options
        self.binary = os.path.abspath(options.bin)
        self.reports = []

    def group(self, group):
        start = time.monotonic()
        try:
            return run_group(group, self.binary, self.options.asan, self.options.verbose)
        except Exception:  # whatever it is, these cases have not been checked
            lost = Failure(group.name, "", "group", "a run of the whole group", traceback.format_exc(limit=-4))
            return Report(group.name, cases=len(group.cases), failures=[lost], seconds=time.monotonic() - start)

    def check(self, name, row, function, all_groups):
        start = time.monotonic()
        lab = resources.Lab(self.binary, self.options.asan)
        try:
            about, complaints = (function(lab, all_groups) if function is resources.costs else function(lab))
        except Exception:
            about, complaints = "", [traceback.format_exc(limit=-4)]
        failures = [Failure(name, row, "resources", "bounded", complaint) for complaint in complaints]
        return Report(name, 1, 1, time.monotonic() - start, failures, about)

    def wanted(self, text):
        return re.search(self.options.filter, text) is not None

    def everything(self):
        everything = groups()
        for group in everything:
            group.cases = [c for c in group.cases if self.wanted(f"{group.name}: {c.name} ({c.row})")]
        checks = [check for check in resources.CHECKS + quotas.CHECKS
                  if self.wanted(f"resources: {check[0]} ({check[1]})")]
        waiting = deadlines(everything)
        quick = [replace(group, cases=[c for c in group.cases if not c.slow]) for group in everything]
        with ThreadPoolExecutor(2) as beside:
            later = [beside.submit(self.group, waiting)] if waiting.cases else []
            later += [beside.submit(self.check, *check, everything) for check in checks if check[0] not in QUIET]
            for group in quick:
                if group.cases:
                    self.show(self.group(group))
            for report in later:
                self.show(report.result())
        for check in checks:
            if check[0] in QUIET:
                self.show(self.check(*check, everything))

    def show(self, report):
        self.reports.append(report)
        print(report.line(), flush=True)
        for failure in report.failures:
            print(failure, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.environ.get("WIREHALL_BIN", "build/release/wirehall"))
    parser.add_argument("--filter", default="", help="only what matches, of `group: name (row)`")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--asan", action="store_true", help="the binary is built with AddressSanitizer")
    run, start = Run(parser.parse_args()), time.monotonic()
    run.everything()
    cases, runs, failures = (sum(values) for values in zip(
        (0, 0, 0), *((report.cases, report.runs, len(report.failures)) for report in run.reports)))
    print(f"hostile: {cases} cases, {runs} runs, {failures} failures, {time.monotonic() - start:.0f} s")
    return 1 if failures or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
