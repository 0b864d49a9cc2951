#!/usr/bin/env python3
"""tools/tidy, held against small trees: each breaks one rule once and must be reported for that alone."""
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest

TIDY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "tidy")

CLEAN = {
    "README.md": """\
        # Project

        See [the guide](docs/guide.md#first-steps), [its picture][p] and [the web](https://example.org/).
        `[no](link)` in code.

        [p]: docs/guide.md
        """,
    "docs/guide.md": "# Guide\n\n## First steps\n\n```\n[not a link](nowhere.md)\n```\n",
    "include/wirehall/shape.h": """\
        #pragma once
        #include <string>

        namespace wirehall {

        class Later;

        /// What a shape is.
        ///
        /// Thread:   shard-affine.
        class Shape {
         public:
          struct Inner {
            int undocumented = 0;
          };
        };

        /// Plain values.
        struct Point {
          int x = 0;
        };

        namespace detail {
        class Hidden {};
        }  // namespace detail

        template <class T>
        struct Box;
        /// A box.
        template <class T>
        struct Box {};
        template <>
        struct Box<int> {};

        }  // namespace wirehall
        """,
    "src/base/bytes.h": '#pragma once\n#include <vector>\n#include "wirehall/shape.h"\n',
    "src/base/bytes.cc": """\
        #include "base/bytes.h"
        // A comment may say std::thread, getenv() and "std::cout".
        const char* text = "steady_clock::now() rand() co_await f({1})";
        const char* raw = R"x(std::mutex " /* )x";
        const int grouped = 1'000'000;
        int strand(int operand) { return operand; }
        """,
    "src/base/log.cc": "#include <mutex>\nstd::mutex g_mutex;\n",
    "src/io/loop.cc": """\
        #include <boost/asio/io_context.hpp>
        #include "pipeline/connection.h"
        auto now() { return std::chrono::steady_clock::now(); }
        """,
    "src/pipeline/connection.h": '#pragma once\n#include "base/bytes.h"\n',
    "src/hub/talk.cc": """\
        #include "hub/talk.h"
        namespace wirehall::hub {
        Task<> talk(Socket& socket, std::string text, Draft* draft) {
          const Draft named{text, 1};
          const auto answer = co_await socket.ask(named);
          const int chosen = answer ? 1 : 2;
          for (const int each : {1, 2}) use(each);
          if (co_await socket.ready()) {
            spawn([](std::string word) -> Task<> {
              const Value value{word};
              co_await keep(value);
            });
          }
          switch (chosen) {
            case 1: {
              co_await socket.done();
            }
          }
        }
        }  // namespace wirehall::hub
        """,
    "src/hub/talk.h": """\
        #pragma once
        struct Draft {
          std::string text;
          int count = 0;
        };
        struct Named {
          Named();
          std::string text;
        };
        Task<Result<int>> take(const Draft& draft, Named named);
        """,
    "src/ws/frame.cc": '#include "ws/frame.h"\n',
    "src/ws/frame.h": "#pragma once\n",
    "src/ws/frame_fuzz.cc": '#include "ws/frame.h"\n#include "support/fuzz.h"\n',
    "apps/hall/rooms/rooms.h": "#pragma once\n#include <wirehall/shape.h>\n",
    "apps/hall/main.cc": '#include "rooms/rooms.h"\n',
    "tests/CMakeLists.txt": "add_test(NAME tools COMMAND python3 tools/some_test.py)\n",
    "tests/tools/some_test.py": "import time\n",
    "tests/integration/clock.cc": "auto t = std::chrono::steady_clock::now();\n",
}


def long_function(lines):
    return "int f(int a) {\n" + "  ++a;\n" * (lines - 2) + "}\n"


# name: (the files that are added or replaced, what is reported as "file:line: rule")
BROKEN = {
    "a layer includes the one above it": (
        {"src/base/up.cc": '#include "base/bytes.h"\n#include "hub/talk.h"\n'}, ["src/base/up.cc:2: layers"]),
    "angle brackets do not hide it": (
        {"src/base/up.cc": "#include <hub/talk.h>\n"}, ["src/base/up.cc:1: layers"]),
    "only the named header of a layer": (
        {"src/http1/url.h": "#pragma once\n", "src/http1/head.h": "#pragma once\n",
         "src/engineio/query.cc": '#include "http1/url.h"\n#include "http1/head.h"\n'},
        ["src/engineio/query.cc:2: layers"]),
    "one store knows another": (
        {"src/store/memory/a.h": "#pragma once\n", "src/store/port.h": '#pragma once\n#include "store/memory/a.h"\n',
         "src/store/sqlite/b.cc": '#include "store/port.h"\n#include "store/memory/a.h"\n'},
        ["src/store/sqlite/b.cc:2: layers"]),
    "an include that is not written from src/": (
        {"src/base/near.cc": '#include "bytes.h"\n'}, ["src/base/near.cc:1: layers"]),
    "a folder without a row": ({"src/extra/a.cc": "int a;\n"}, ["src/extra/a.cc:1: layers"]),
    "the application reaches into src": (
        {"apps/hall/reach.cc": '#include "base/bytes.h"\n'}, ["apps/hall/reach.cc:1: layers"]),
    "a public header with Boost": (
        {"include/wirehall/net.h": "#pragma once\n#include <boost/json.hpp>\n"}, ["include/wirehall/net.h:2: layers"]),
    "a clock in the hub": (
        {"src/hub/now.cc": "auto t = std::chrono::steady_clock::now();\n"}, ["src/hub/now.cc:1: banned"]),
    "a mutex beside a test": (
        {"src/hub/x_test.cc": "\nstd::mutex m;\n"}, ["src/hub/x_test.cc:2: banned"]),
    "a thread in the application": (
        {"apps/hall/worker.cc": "std::thread t;\n"}, ["apps/hall/worker.cc:1: banned"]),
    "rand": ({"src/base/dice.cc": "int d() { return rand() % 6; }\n"}, ["src/base/dice.cc:1: banned"]),
    "getenv in io": ({"src/io/env.cc": 'auto e = std::getenv("A");\n'}, ["src/io/env.cc:1: banned"]),
    "cout": ({"src/server/say.cc": 'void f() { std::cout << "a"; }\n'}, ["src/server/say.cc:1: banned"]),
    "Asio in the pipeline": (
        {"src/pipeline/a.cc": "#include <boost/asio/post.hpp>\n"}, ["src/pipeline/a.cc:1: banned"]),
    "SQLite outside the store": ({"src/hub/a.cc": "#include <sqlite3.h>\n"}, ["src/hub/a.cc:1: banned"]),
    "OpenSSL in another file of ws": (
        {"src/ws/other.cc": "#include <openssl/sha.h>\n"}, ["src/ws/other.cc:1: banned"]),
    "a file of 601 lines": ({"src/base/long.cc": "int a;\n" * 601}, ["src/base/long.cc:1: size"]),
    "a function of 71 lines": (
        {"src/base/f.cc": "namespace {\n" + long_function(70) + "\n" + long_function(71) + "}\n"},
        ["src/base/f.cc:73: size"]),
    "a method of 71 lines": (
        {"src/base/f.cc": "struct A : B<C> {\n" + long_function(71) + "};\n"}, ["src/base/f.cc:2: size"]),
    "a braced member initialiser does not hide its constructor": (
        {"src/base/f.cc": "A::A(int b) : b_{b} {\n" + "  f();\n" * 80 + "}\n"}, ["src/base/f.cc:1: size"]),
    "#if 0": ({"src/base/z.cc": "\n#if 0\n#endif\n"}, ["src/base/z.cc:2: leftover"]),
    "a note": ({"src/base/z.cc": "// TO" "DO: later\n"}, ["src/base/z.cc:1: leftover"]),
    "a test that is switched off": (
        {"tests/z.cc": "TEST(A, DISABLED_b) {}\n// #12: needs a kernel\nTEST(A, DISABLED_c) {}\n"},
        ["tests/z.cc:1: leftover"]),
    "it.only": ({"tests/z.mjs": "it.only('a', f);\n"}, ["tests/z.mjs:1: leftover"]),
    "a machine's path": ({"docs/x.md": "\nin /ho" "me/me/wirehall\n"}, ["docs/x.md:2: machine"]),
    "a registry in a lock file": (
        {"package-lock.json": '{\n "resolved": "x"\n}\n'}, ["package-lock.json:2: machine"]),
    "a link that leads nowhere": ({"docs/x.md": "[a](../src/nothing.md)\n"}, ["docs/x.md:1: links"]),
    "a heading that is not there": ({"docs/x.md": "[a](guide.md#second)\n"}, ["docs/x.md:1: links"]),
    "a parser without a fuzz target": (
        {"src/http1/head_parser.cc": '#include "http1/head_parser.h"\n', "src/http1/head_parser.h": "#pragma once\n"},
        ["src/http1/head_parser.cc:1: fuzz"]),
    "a test that nobody runs": ({"tests/a/b_test.mjs": "\n"}, ["tests/a/b_test.mjs:1: registered"]),
    "an undocumented public type": (
        {"include/wirehall/a.h": "#pragma once\nnamespace wirehall {\nstruct A {};\n}\n"},
        ["include/wirehall/a.h:3: docs"]),
    "a public class that names no thread": (
        {"include/wirehall/a.h": "#pragma once\nnamespace wirehall {\n/// An A.\ntemplate <class T>\nclass A {};\n}\n"},
        ["include/wirehall/a.h:4: docs"]),
}

# The bodies of a coroutine that are refused, each on line 2 of its file.
AWAITS = {
    "a braced argument": "auto a = co_await f({1, 2});",
    "a braced temporary": "auto a = co_await f(Draft{1, 2});",
    "a braced awaiter": "co_await Awaiter{1};",
    "a braced template": "co_return co_await f(std::vector<int>{1});",
    "a braced value before it": "f(Draft{1}, co_await g());",
    "a braced value in a condition": "if (co_await f({1})) {\n}",
    "a conditional operator": "auto a = co_await f(b ? c : d);",
    "a conditional operator around it": "auto a = b ? co_await c : d;",
    "a statement over several lines": "auto a = co_await f(b,\n  {1});",
}
# The parameters that a coroutine may not have.
PARAMETERS = {
    "an aggregate": "Task<> f(int a, Draft draft);",
    "an aggregate in a namespace": "Task<std::pair<int, int>> f(const hub::Draft draft = {});",
    "a name that says so": "wirehall::Task<> Type::f(SendOptions options) {}",
    "a lambda's": "auto f = [](Draft draft) mutable -> Task<> { use(draft); };",
}


def run(files, *options):
    """(exit status, output lines) of tidy over a tree."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(textwrap.dedent(text))
        done = subprocess.run([sys.executable, TIDY, "--root", root, *options], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode().splitlines()


class Tidy(unittest.TestCase):
    maxDiff = None

    def expect(self, files, places):
        status, lines = run({**CLEAN, **files})
        found = [re.match(r"[^:]+:\d+: \w+|", line)[0] for line in lines[:-1]]
        self.assertEqual(found, places, "\n".join(lines))
        self.assertEqual(status, 1)

    def test_a_clean_tree_passes_and_is_counted(self):
        status, lines = run(CLEAN)
        self.assertEqual((status, len(lines)), (0, 1), "\n".join(lines))
        self.assertRegex(lines[0], rf"^tidy: 0 findings in {len(CLEAN)} files")

    def test_each_rule_is_reported_once_where_it_is_broken(self):
        for name, (files, places) in BROKEN.items():
            with self.subTest(name):
                self.expect(files, places)

    def test_the_coroutine_trap_is_refused(self):
        for name, body in AWAITS.items():
            with self.subTest(name):
                self.expect({"src/hub/a.cc": f"Task<> a() {{\n{body}\n}}\n"}, ["src/hub/a.cc:2: coroutine"])

    def test_a_coroutine_takes_no_aggregate_by_value(self):
        for name, line in PARAMETERS.items():
            with self.subTest(name):
                self.expect({"src/hub/a.cc": f"\n{line}\n"}, ["src/hub/a.cc:2: coroutine"])

    def test_several_findings_are_sorted_by_place(self):
        self.expect({"src/base/a.cc": "std::mutex m;\nstd::thread t;\n", "src/base/B.cc": "\nstd::mutex m;\n"},
                    ["src/base/B.cc:2: banned", "src/base/a.cc:1: banned", "src/base/a.cc:2: banned"])

    def test_headers_compile_alone(self):
        alone = {"include/wirehall/a.h": "#pragma once\n#include <string>\nstd::string a();\n",
                 "src/base/b.h": '#pragma once\n#include "wirehall/a.h"\nstd::string b();\n'}
        status, lines = run(alone, "--headers")
        self.assertEqual(status, 0, "\n".join(lines))
        self.assertRegex(lines[0], "^tidy: 0 findings in 2 headers, 2 compiled")
        leaning = {**alone, "src/base/c.h": "#pragma once\nstd::vector<int> c();\n",
                   "src/base/unguarded.h": "struct A {};\n",
                   "include/wirehall/d.h": '#pragma once\n#include "base/b.h"\n'}
        status, lines = run(leaning, "--headers")
        self.assertEqual(status, 1)
        self.assertEqual([line.split(": ")[0] for line in lines[:-1]],
                         ["include/wirehall/d.h:1", "src/base/c.h:1", "src/base/unguarded.h:1"], "\n".join(lines))


class Registered(unittest.TestCase):
    """What CMake made decides whether a test is built and run."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name
        self.write("CMakeLists.txt", """\
            cmake_minimum_required(VERSION 3.25)
            project(small LANGUAGES CXX)
            set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
            enable_testing()
            add_executable(test_run src/base/run_test.cc)
            add_test(NAME walk COMMAND test_run)
            add_executable(test_idle src/base/idle_test.cc)
            """)
        for name in ("run", "idle", "lost"):
            self.write(f"src/base/{name}_test.cc", "int main() {}\n")

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))

    def test_a_program_that_is_not_built_or_not_run_is_reported(self):
        subprocess.run(["cmake", "-G", "Ninja", "-S", self.root, "-B", os.path.join(self.root, "build/release"),
                        "-DCMAKE_BUILD_TYPE=Release"], stdout=subprocess.DEVNULL, check=True)
        done = subprocess.run([sys.executable, TIDY, "--root", self.root], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(lines[:-1], [
            "src/base/idle_test.cc:1: registered: CTest does not run test_idle",
            "src/base/lost_test.cc:1: registered: no program of build/release is built from it",
        ], "\n".join(lines))
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
