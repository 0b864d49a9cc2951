#!/usr/bin/env python3
"""What `./dev bench` makes of its measurements: intervals, verdicts, schedules, tables and plots."""
import contextlib
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
from measure import exact, groups, intervals, machine, measurements, peers, plots  # noqa: E402
from measure import results, rounds, rows, servers, table, turns, websocket  # noqa: E402


class Options:
    rounds, tight_rounds, seconds, idle_connections, rows = 6, 30, 0.5, 15_000, ""


def result_of(cpu_us, disturbance=0.0, cores_used=1.0):
    return {"disturbance": disturbance, "operations_per_second": 1e6 / cpu_us, "opened_per_second": 5000,
            "server": {"cpu_us_per_operation": cpu_us, "cores_used": cores_used, "queued": 0.0, "user_share": 0.25,
                       "rss_bytes_per_connection": 100 * cpu_us, "opening_cpu_us_per_connection": 10 * cpu_us},
            "generator": {"queued": 0.0, "cores_used": 1.0, "spare": 0.1},
            "kernel_both_ends": {"slab_bytes_per_connection": 9000, "tcp_queue_bytes_per_connection": 0},
            "latency_us": {"p50": 100, "p99": 2000, "p99_9": 3000}, "opening_us": {"p99": 4000}}


def everything_of(lines, results):
    return {"machine": {"cpu": "a CPU", "cores": 2, "kernel": "6.1", "commit": "abc", "time": "2026-01-02T03:04:05Z"},
            "rounds": 6, "tight_rounds": 30, "seconds": 0.5, "quick": False, "took_seconds": 600,
            "idle_connections": 15_000, "rows": lines, "missing": {"a peer": "not installed"},
            "failures": {}, "interrupted": False,
            "compressions_per_message": 1.0,
            "not_measured": ["some row"], "measurements": results,
            "exact": {"echo/native": {"system_calls": 2.0, "instructions": 3000, "by_name": {"sendto": 1.0}},
                      "echo/floor": {"system_calls": 2.0, "instructions": 300, "by_name": {"sendto": 1.0}}}}


def row_named(title):
    return next(row for row in rows.ROWS if row.title == title)


class Alone(rows.Row):
    """A row whose parts are measured one after another."""

    @property
    def groups(self):
        return [None] * len(self.parts)


class Interval(unittest.TestCase):
    def test_order_statistics(self):
        # Known from tables of the binomial distribution: of 30 values the 10th and the 21st, of 6 the extremes.
        median, low, high, coverage = intervals.median_interval(range(1, 31))
        self.assertEqual((median, low, high), (15.5, 10, 21))
        self.assertAlmostEqual(coverage, 0.9572, 4)
        self.assertEqual(intervals.median_interval([5, 3, 1, 2, 6, 4])[1:3], (1, 6))
        self.assertAlmostEqual(intervals.median_interval(range(6))[3], 0.96875)

    def test_few_values_cover_less(self):
        _, low, high, coverage = intervals.median_interval([3, 1, 2, 5, 4])
        self.assertEqual((low, high), (1, 5))
        self.assertAlmostEqual(coverage, 0.9375)
        self.assertEqual(intervals.median_interval([7]), (7, 7, 7, 0.0))

    def test_it_covers_the_median_as_often_as_it_says(self):
        generator, covered = random.Random(1), 0
        for _ in range(2000):
            _, low, high, coverage = intervals.median_interval([generator.expovariate(1) for _ in range(30)])
            covered += low <= 0.6931 <= high
        self.assertAlmostEqual(covered / 2000, coverage, delta=0.015)

    def test_verdicts(self):
        at_most, at_least = ("<=", 1.08), (">=", 0.9)
        self.assertEqual(intervals.verdict(at_most, 1.0, 1.08, 0.957), "met")
        self.assertEqual(intervals.verdict(at_most, 1.07, 1.09, 0.957), "not decided")
        self.assertEqual(intervals.verdict(at_most, 1.081, 1.2, 0.957), "missed")
        self.assertEqual(intervals.verdict(at_least, 0.9, 1.2, 0.957), "met")
        self.assertEqual(intervals.verdict(at_least, 0.8, 1.2, 0.957), "not decided")
        self.assertEqual(intervals.verdict(at_least, 0.7, 0.89, 0.957), "missed")
        self.assertEqual(intervals.verdict(at_most, 0.1, 0.2, 0.94), "not decided")
        self.assertEqual(intervals.verdict(None, 0.1, 0.2, 0.96), "")


class Rows(unittest.TestCase):
    def test_every_part_is_measured(self):
        for row in rows.ROWS:
            for key in row.parts:
                self.assertIn(key, measurements.MEASUREMENTS, row.title)
            for key in row.exact:
                self.assertTrue(key in exact.KEYS, f"{row.title}: {key} is not counted exactly")

    def test_what_is_near_one_takes_many_rounds(self):
        self.assertTrue(row_named("native echo 128 B / floor").tight)
        self.assertTrue(row_named("WebSocket handshakes per second and core / floor").tight)
        self.assertFalse(row_named("Socket.IO ack echo / the same on uWebSockets").tight)
        self.assertFalse(row_named("memory of an idle native connection").tight)
        counts = rounds.rounds_of(measurements.MEASUREMENTS, rows.ROWS, Options)
        self.assertEqual((counts["echo/floor"], counts["deflate/native"], counts["idle/beast"]), (3, 6, 2))
        self.assertEqual(counts["turns: echo/floor echo/native echo/socketio"], 30)
        self.assertEqual(counts["turns: echo/native echo/uws"], 30)
        self.assertEqual(counts["turns: eight/batched eight/native eight/socketio"], 30)
        self.assertEqual(counts["turns: echo/native echo/ws"], 6)

    def test_what_is_near_its_limit_takes_many_rounds(self):
        row = row_named("Socket.IO fan-out to 10,000 / Socket.IO on Node")
        self.assertFalse(row.tight)
        self.assertEqual(row.rounds(Options), 30)
        counts = rounds.rounds_of(measurements.MEASUREMENTS, rows.ROWS, Options)
        # Without turns each of them is measured as often.
        self.assertEqual((counts["fanout-10000/node"], counts["fanout-10000/socketio"]), (30, 30))
        self.assertEqual(counts["fanout-100/native"], 3)
        self.assertEqual(counts["turns: fanout-100/floor fanout-100/native fanout-100/socketio"], 30)
        self.assertEqual(counts["turns: echo/socketio echo/node"], 30)
        self.assertEqual(counts["turns: echo/socketio echo/node-uws"], 6)

    def test_each_tight_row_takes_turns(self):
        for row in rows.ROWS:
            if row.tight:
                alone = [key for key, group in zip(row.parts, row.groups) if group is None]
                self.assertEqual(alone, [key for key in row.parts if "-10000/" in key], row.title)
        self.assertEqual(row_named("memory of TLS on top").groups, [None, None])
        self.assertEqual(row_named("broadcast of 2 KiB to 1,000: compressed / not").groups, [None, None])
        # Each beside what it is divided by, or alone.
        of_pairs = row_named("Socket.IO: cost per delivery, 10,000 subscribers / 100, over the floor's").groups
        self.assertEqual((of_pairs[0], of_pairs[2], of_pairs[1]), (None, None, of_pairs[3]))
        self.assertIn("fanout-100/socketio", of_pairs[1].keys)

    def test_what_was_measured_in_turns_decides(self):
        row = row_named("native echo 128 B / floor")
        measured = {key: {n: result_of(5.0, cores_used=0.5) for n in range(3)} for key in row.parts}
        reports = {"echo/native": result_of(1.05), "echo/floor": result_of(1.0), "echo/socketio": result_of(9.0)}
        key = groups.group_of(row.parts).key
        measured[key] = {n: {"disturbance": 0.0, "reports": reports} for n in range(30)}
        line = rows.evaluate(row, measured, groups.by_group(measured))
        self.assertEqual((line["figure"], line["rounds"], line["verdict"]), (1.05, 30, "met"))
        self.assertEqual(table.rounds_cell(line), "30 in turns")
        self.assertEqual(len(line["waited"]), 2, "alone they waited")
        self.assertIsNone(rows.evaluate(row, measured, {}))

    def test_ratios_are_taken_within_a_round(self):
        row = Alone("Socket.IO ack echo / Socket.IO on Node", "echo/socketio echo/node", wanted=("<=", 0.4))
        # The machine gets slower: within a round the ratio is always a half.
        results = {"echo/socketio": {n: result_of(1.0 * n) for n in range(1, 31)},
                   "echo/node": {n: result_of(2.0 * n) for n in range(5, 31, 5)}}
        line = rows.evaluate(row, results, {})
        self.assertEqual((line["figure"], line["low"], line["high"], line["rounds"]), (0.5, 0.5, 0.5, 6))
        self.assertEqual(line["verdict"], "missed")

    def test_growth_is_judged_beyond_the_floors(self):
        row = row_named("native: cost per delivery, 10,000 subscribers / 100, over the floor's")
        costs = {"fanout-10000/native": 2.2, "fanout-100/native": 2.0,
                 "fanout-10000/floor": 1.1, "fanout-100/floor": 1.0}
        of_all = {key: {n: result_of(cost) for n in range(30)} for key, cost in costs.items()}
        of_100 = "turns: fanout-100/floor fanout-100/native fanout-100/socketio"
        alone = {key: of_all[key] for key in of_all if key.startswith("fanout-10000/")}
        line = rows.evaluate(row, alone, {of_100: {key: of_all.get(key, {}) for key in groups.GROUPS[of_100].keys}})
        self.assertFalse(line["in_turns"])
        self.assertAlmostEqual(line["figure"], 1.0)
        self.assertEqual(line["verdict"], "met")

    def test_disturbed_rounds_are_left_out_and_named(self):
        row = Alone("native echo 128 B / floor", "echo/native echo/floor", wanted=("<=", 1.08))
        results = {"echo/native": {n: result_of(1.0 if n < 28 else 9.0, 0.5 if n >= 28 else 0.0) for n in range(30)},
                   "echo/floor": {n: result_of(1.0) for n in range(30)}}
        line = rows.evaluate(row, results, {})
        self.assertEqual((line["rounds"], line["disturbed"], line["highest"]), (28, 2, 1.0))
        self.assertEqual(table.rounds_cell(line), "28 of 30")
        all_disturbed = {key: {n: result_of(1.0, 0.5) for n in range(30)} for key in results}
        line = rows.evaluate(row, all_disturbed, {})
        self.assertEqual((line["verdict"], table.rounds_cell(line)), ("not decided", "30, all disturbed"))

    def test_a_server_that_waited_is_named(self):
        row = Alone("native echo 128 B / floor", "echo/native echo/floor", wanted=("<=", 1.08))
        results = {key: {n: result_of(1.0, cores_used=0.5) for n in range(6)} for key in row.parts}
        line = rows.evaluate(row, results, {})
        self.assertEqual(line["waited"], ["echo 128 B: Wirehall, native", "echo 128 B: the floor"])
        self.assertIn("upper bounds: echo 128 B: Wirehall, native; ", table.document(everything_of([line], {})))

    def test_what_was_not_measured_has_no_line(self):
        row = Alone("native echo 128 B / floor", "echo/native echo/floor")
        self.assertIsNone(rows.evaluate(row, {"echo/native": {1: result_of(1.0)}}, {}))
        self.assertIsNone(rows.evaluate(row, {"echo/native": {1: result_of(1.0)}, "echo/floor": {2: result_of(1.0)}}, {}))

    def test_no_text_chooses_nothing(self):
        self.assertEqual(rounds.chosen_rows(rows.ROWS, "no such row"), [])


class Schedule(unittest.TestCase):
    def test_who_is_rarer_shares_rounds_with_his_like(self):
        plan = rounds.schedule({"a": 30, "b": 6, "c": 6, "d": 2})
        of = {key: [number for number, other in plan if other == key] for key in "abcd"}
        self.assertEqual(of["a"], list(range(1, 31)))
        self.assertEqual(of["b"], [5, 10, 15, 20, 25, 30])
        self.assertEqual(of["b"], of["c"])
        self.assertEqual(of["d"], [15, 30])
        self.assertEqual([number for number, _ in plan], sorted(number for number, _ in plan))


class Faulty:
    """A measurement that fails when it is told to."""

    title = "faulty"

    def __init__(self, fails):
        self.fails, self.runs, self.fault = fails, 0, exact.BenchError("it broke")

    def expected_seconds(self, _):
        return 1

    def run(self, _):
        self.runs += 1
        if self.fails(self.runs):
            raise self.fault
        return {"disturbance": 0.0}

    def summary(self, _):
        return ""


class Failing(unittest.TestCase):
    def test_a_failure_ends_nothing_and_is_counted(self):
        context = types.SimpleNamespace(options=Options, patience=machine.Patience(0))
        always, never = Faulty(lambda _: True), Faulty(lambda _: False)
        with contextlib.redirect_stderr(io.StringIO()) as said:
            measured, failures = rounds.run({"a": always, "b": never}, {"a": 5, "b": 5}, context)
        self.assertEqual((always.runs, never.runs), (3, 5))
        self.assertEqual((sorted(measured["a"]), sorted(measured["b"])), ([], [1, 2, 3, 4, 5]))
        self.assertEqual(failures.texts, {"a": ["it broke"] * 3})
        self.assertIn("FAILED: it broke", said.getvalue())


    def test_an_interrupted_run_gives_what_it_has(self):
        context = types.SimpleNamespace(options=Options, patience=machine.Patience(0))
        whole, interrupted = Faulty(lambda _: False), Faulty(lambda runs: runs == 3)
        interrupted.fault = KeyboardInterrupt()
        with contextlib.redirect_stderr(io.StringIO()):
            measured, failures = rounds.run({"a": whole, "b": interrupted}, {"a": 5, "b": 5}, context)
        self.assertTrue(failures.interrupted)
        self.assertEqual((sorted(measured["a"]), sorted(measured["b"])), ([1, 2, 3], [1, 2]))


class ExactFigures(unittest.TestCase):
    STRACE = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600           1      1200        10 recvfrom
 40.00    0.000400           1      1000           sendto
100.00    0.001000           1      2200        10 total
"""

    def test_what_the_tools_write(self):
        self.assertEqual(exact.read_strace(self.STRACE), {"recvfrom": 1200, "sendto": 1000})
        self.assertEqual(exact.read_callgrind("version: 1\nsummary: 123456\n"), 123456)
        with self.assertRaises(exact.BenchError):
            exact.read_callgrind("version: 1\n")

    def test_calls_are_counted_by_name_and_by_number(self):
        text = "\n".join(["fn=(1) main", "cfn=(2) deflate", "calls=3 0", "16 400", "cfn=(3) inflate", "calls=5 0",
                          "fn=(4) other", "cfn=(2)", "calls=4 0", "cfn=(5) deflateInit2_", "calls=9 0"])
        self.assertEqual(exact.calls_of(text, "deflate"), 7)

    def test_what_both_runs_have_is_no_cost_of_an_operation(self):
        self.assertEqual(exact.per_operation([(1000, 5000 + 2 * 1000), (3000, 5000 + 2 * 3000)]), 2)
        with self.assertRaises(exact.BenchError):
            exact.per_operation([(1000, 1), (1000, 2)])


class Output(unittest.TestCase):
    def setUp(self):
        keys = ["echo/floor", "echo/native", "echo/node", "idle/floor", "idle/native", "fanout-100/native",
                "fanout-10000/native", "handshake/native"]
        self.results = {key: {str(n): result_of(2.0 if "floor" in key else 4.0) for n in range(6)} for key in keys}
        by_round = {key: {int(n): result for n, result in of_key.items()} for key, of_key in self.results.items()}
        chosen = [Alone("native echo 128 B / floor", "echo/native echo/floor", wanted=("<=", 1.08), exact=("echo/native", "echo/floor")),
                  row_named("memory of an idle native connection")]
        self.everything = everything_of([rows.evaluate(row, by_round, {}) for row in chosen], self.results)

    def test_the_table_says_what_was_found(self):
        text = table.document(self.everything, before=self.everything, plots=[("x.svg", "a plot")])
        line = next(line for line in text.split("\n") if line.startswith("| native echo 128 B"))
        self.assertEqual([cell.strip() for cell in line.strip("|").split("|")],
                         ["native echo 128 B / floor", "**2.000**", "2.000 to 2.000", "6", "≤ 1.08", "**NO**",
                          "4.00 / 2.00 µs", "2.000 / 2.000", "3,000 / 300", "2.000"])
        self.assertIn("| memory of an idle native connection | **400 B** | 400 B to 400 B | 6 | ≤ 400 B | yes |",
                      text)
        self.assertIn("| Wirehall, native | 4.00 | 1.00 | 3.00 | 250,000 | 0.10 | 2.00 | 3.00 |", text)
        self.assertIn("- MISSING, not measured: a peer (not installed).", text)
        self.assertIn("- Not measured: some row.", text)
        self.assertIn("![a plot](x.svg)", text)

    def test_the_results_file_holds_what_the_tables_need(self):
        self.results["echo/native"]["0"]["server"]["cpu_us_per_operation"] = 1 / 3
        self.results["echo/native"]["0"]["url"] = "ws://127.0.0.1:1"
        read = json.loads(results.text_of(self.everything))
        self.assertEqual(read["measurements"]["echo/native"]["0"]["server"]["cpu_us_per_operation"], 0.333333)
        self.assertNotIn("url", read["measurements"]["echo/native"]["0"])
        self.assertEqual(table.document(read), table.document(self.everything))
        self.assertEqual(results.text_of(read), results.text_of(self.everything))
        self.everything["in_turns"] = {"turns: echo/native echo/floor": {"echo/native": self.results["echo/native"],
                                                                          "echo/floor": {}}}
        read = json.loads(results.text_of(self.everything))
        in_turns = read["in_turns"]["turns: echo/native echo/floor"]
        self.assertEqual(in_turns["echo/native"], read["measurements"]["echo/native"])
        self.assertEqual(in_turns["echo/floor"], {})
        self.assertEqual(results.text_of(read), results.text_of(self.everything))

    def test_the_kernels_memory_is_halved(self):
        self.assertEqual({line["kernel_bytes"] for line in peers.memory_lines(self.everything)}, {4500})

    def test_plots_are_whole_and_named(self):
        with tempfile.TemporaryDirectory() as folder:
            names = plots.write_all(self.everything, pathlib.Path(folder) / "run.json")
            self.assertEqual([name for name, _ in names], ["run-cpu-echo.svg", "run-memory.svg", "run-growth.svg"])
            for name, _ in names:
                root = xml.etree.ElementTree.parse(os.path.join(folder, name)).getroot()
                texts = [element.text for element in root.iter() if element.tag.endswith("text")]
                self.assertIn("Wirehall, native", texts)
                self.assertIn("prefers-color-scheme: dark", root[0].text)

    def test_bars_are_as_long_as_what_they_show(self):
        drawn = plots.bars("t", "l", [("a", "ours", [1, 3], ""), ("b", "floor", [2, 0], "")])
        bars = [element for element in xml.etree.ElementTree.fromstring(drawn).iter()
                if element.tag.endswith("rect") and element.get("class") != "ground"]
        widths = [float(bar.get("width")) for bar in bars]
        self.assertEqual([bar.get("class") for bar in bars], ["ours", "ours second", "floor", "floor second"])
        for width, share in zip(widths, (1, 3, 2, 0)):
            self.assertAlmostEqual(width, widths[0] * share, delta=0.2)

    def test_axes_have_round_steps(self):
        self.assertEqual([plots.step_of(value) for value in (4.3, 9, 120, 0)], [1.0, 2.0, 25.0, 1.0])


class Servers(unittest.TestCase):
    def test_a_missing_peer_says_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            places = servers.Places(path / "binaries", path / "modules", path / "scratch")
            wanted = [servers.SERVERS["bun"], servers.SERVERS["beast"]]
            missing = servers.missing_of(wanted, places, os.sched_getaffinity(0))
        self.assertIn("npm ci", missing["bun"])
        self.assertIn("not built", missing["beast"])

    def test_frames(self):
        self.assertEqual(websocket.split(b"\x81\x02hirest"), (4, 0x81, b"hi"))
        self.assertEqual(websocket.split(b"\x81\x7e\x00\x80" + b"x" * 127), (0, 0, b""))
        self.assertEqual(websocket.split(b"\x81\x7e\x00\x80" + b"x" * 128)[0], 132)
        self.assertEqual(websocket.masked("hi"), b"\x81\x82\x00\x00\x00\x00hi")


class Turns(unittest.TestCase):
    def start(self, code):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.send_signal(signal.SIGSTOP)
        return process

    def test_each_goes_on_until_it_has_ended_and_never_two_at_once(self):
        # Each notes when it has just been running; a gap is somebody else's turn.
        code = """import time
end, last, seen = time.monotonic() + 0.4, 0.0, []
while time.monotonic() < end:
    now = time.monotonic()
    if now - last > 0.01: seen.append([now, now])
    seen[-1][1] = last = now
print(seen)"""
        processes = [self.start(code) for _ in range(2)]
        turns.take_turns(processes, 0.03)
        self.assertEqual([process.returncode for process in processes], [0, 0])
        one, other = (json.loads(process.stdout.read()) for process in processes)
        self.assertGreater(len(one), 2)
        for begin, end in one:
            for other_begin, other_end in other:
                # A stop reaches who runs on another core a moment later.
                self.assertLess(min(end, other_end) - max(begin, other_begin), 0.01)

    def test_who_never_ends_is_an_error(self):
        process = self.start("import time; time.sleep(1000)")
        with unittest.mock.patch.object(turns, "ROUND_SECONDS_MAX", 0.1):
            with self.assertRaisesRegex(machine.BenchError, "did not end within 0.1 s"):
                turns.take_turns([process], 0.01)

    def test_who_is_meant_is_said_by_load_server_and_program(self):
        own = turns.Contestant(f"echo/native={sys.executable}")
        self.assertEqual(own.server.command, [str(pathlib.Path(sys.executable).resolve()), "--threads", "1"])
        self.assertEqual(own.server.protocol, "native")
        self.assertEqual(turns.Contestant("hall/hall-native").server, servers.SERVERS["hall-native"])
        for text, why in (("echo/nobody", "known are .*echo/floor"), ("idle/native", "known are"),
                          ("eight/shards-2", "known are"),
                          ("deflate/deflate", "known are"), ("echo/native=/dev/null", "is no program"),
                          (f"hall/hall-native={sys.executable}", "no other build")):
            with self.assertRaisesRegex(machine.BenchError, why, msg=text):
                turns.Contestant(text)

    def test_a_handshake_costs_what_its_opening_does(self):
        report = result_of(2.0)
        self.assertEqual(turns.Contestant("handshake/native").figure(report), 20.0)
        self.assertEqual(turns.Contestant("echo/native").figure(report), 2.0)

    def test_a_group_turns_its_order_round_and_keeps_who_is_who(self):
        group, orders = groups.Group(["echo/floor", "echo/native"]), []

        def round_of(contestants, _context, turn):
            orders.append(([each.text for each in contestants], turn))
            return [result_of({"echo/floor": 1.0, "echo/native": 2.0}[each.text]) for each in contestants]

        with unittest.mock.patch.object(turns, "round_of", round_of):
            for _ in range(2):
                result = group.run(None)
                self.assertEqual(result["reports"]["echo/native"]["server"]["cpu_us_per_operation"], 2.0)
                self.assertEqual(group.summary(result), "1.000 / 2.000 µs")
        self.assertEqual(orders, [(["echo/native", "echo/floor"], 0.04), (["echo/floor", "echo/native"], 0.04)])

    def test_no_pause_is_so_long_that_connections_begin_anew(self):
        of = {count: [turns.Contestant("echo/native")] * count for count in (1, 2, 3, 9)}
        self.assertEqual([turns.turn_seconds(of[count]) for count in (1, 2, 3)], [0.04] * 3)
        self.assertAlmostEqual(turns.turn_seconds(of[9]), 0.02)
        self.assertAlmostEqual(turns.turn_seconds([turns.Contestant("fanout-10000/floor")] * 2), 0.05)
        for group in groups.GROUPS.values():
            self.assertLess(turns.turn_seconds(group.contestants) * (len(group.keys) - 1), 0.2)
        # Its broadcasts are longer than a turn, and lie between a connection's packets besides the pause.
        self.assertEqual(row_named("Socket.IO fan-out to 10,000 / Socket.IO on Node").groups, [None, None])
        self.assertEqual(row_named("message stored, acknowledged and delivered to 10,000, native / floor with as long frames")
                         .groups, [None, None])

    def test_no_more_than_three_take_turns(self):
        for group in groups.GROUPS.values():
            self.assertLessEqual(len(group.keys), 3, group.key)

    def test_a_longer_pause_is_told(self):
        contestants = [turns.Contestant("echo/floor"), turns.Contestant("echo/native")]
        for turn, told in ((0.16, False), (0.3, True)):
            with contextlib.redirect_stderr(io.StringIO()) as said:
                turns.warn_of_pauses(contestants, turn)
            self.assertEqual("a pause of 0.3 s" in said.getvalue(), told)

    def test_windows_of_a_group_begin_together(self):
        node = [turns.Contestant("echo/native"), turns.Contestant("echo/node")]
        self.assertAlmostEqual(turns.warm_up_seconds(node), 2 * servers.WARM_UP_SECONDS_COMPILING)
        large = [turns.Contestant("fanout-10000/floor"), turns.Contestant("fanout-10000/native")]
        self.assertAlmostEqual(turns.warm_up_seconds(large), 2 * (0.2 + 1.3))

    def test_ratios_are_of_one_round(self):
        contestants = [turns.Contestant("echo/floor"), turns.Contestant("echo/native")]
        lines = turns.table(contestants, [[1.0, 2.0, 4.0, 5.0, 6.0, 7.0], [1.5, 3.0, 6.0, 7.5, 9.0, 10.5]]).split("\n")
        self.assertEqual(lines[-1], "| echo/native | 6.750 | 1.500 | 1.500 | 1.500 to 1.500 |")


if __name__ == "__main__":
    unittest.main()
