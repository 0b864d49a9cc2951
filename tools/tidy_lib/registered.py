"""Every test, fuzz target and benchmark is built, and every test is run: judged by what CMake made."""
import fnmatch
import json
import os
import re
import subprocess

from .tree import Finding

BUILD = "build/release"


def _programs(tree, folder):
    """source -> programs, from the build's ninja file."""
    programs = {}
    with open(tree.full(folder + "/build.ninja"), encoding="utf-8") as file:
        for line in file:
            # build tests/CMakeFiles/test_base.dir/base_test.cc.o: CXX_COMPILER__test_base_Release /.../base_test.cc
            match = re.match(r"build \S*CMakeFiles/([^/]+)\.dir/[^:]*: CXX_COMPILER__\S+ (\S+)", line)
            if match:
                programs.setdefault(os.path.relpath(match[2], tree.root), set()).add(match[1])
    return programs


def _commands(tree, folder):
    """What CTest runs: the words of all commands, programs by their file name."""
    out = subprocess.run(["ctest", "--test-dir", tree.full(folder), "--show-only=json-v1"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    try:
        tests = json.loads(out.decode())["tests"]
    except (ValueError, KeyError):
        return None
    words = [word for test in tests for part in test.get("command", []) for word in part.split()]
    if any("command" not in test for test in tests):
        # CTest keeps silent about a program that is not built yet; its own files name it.
        for at, _, names in os.walk(tree.full(folder)):
            if "CTestTestfile.cmake" in names:
                with open(os.path.join(at, "CTestTestfile.cmake"), encoding="utf-8") as file:
                    words += re.findall(r'"([^"\n]+)"', file.read())
    return {os.path.basename(word) for word in words}


def _cmake_text(tree):
    return "\n".join(tree.text(path) for path in tree.files
                     if path.startswith("tests/") and path.endswith(("CMakeLists.txt", ".cmake")))


def registered(tree):
    """x_test.cc, x_fuzz.cc and x_bench.cc are collected; tests in Python and JavaScript are registered."""
    graph = None
    if tree.exists(BUILD + "/build.ninja"):
        graph = _programs(tree, BUILD), _commands(tree, BUILD), os.path.getmtime(tree.full(BUILD + "/build.ninja"))
    yield from _scripts(tree, graph)
    if graph is None or graph[1] is None:
        return
    programs, commands, configured = graph
    for path in tree.cpp("src", "apps", "tests", "bench"):
        kind = re.search(r"_(test|fuzz|bench)\.cc$", path)
        # What is newer than the build's description is judged when that has been made again.
        if not kind or max(os.path.getmtime(tree.full(path)), os.path.getctime(tree.full(path))) > configured:
            continue
        targets = programs.get(path)
        if not targets:
            yield Finding(path, 1, "registered", f"no program of {BUILD} is built from it")
        elif kind[1] != "bench" and not targets & commands:
            yield Finding(path, 1, "registered", f"CTest does not run {', '.join(sorted(targets))}")


def _scripts(tree, graph):
    text = _cmake_text(tree)
    globs = re.findall(r"[\w./*${}-]*\*[\w.*-]*\.(?:py|mjs)\b", text)
    for path in tree.files:
        name = os.path.basename(path)
        if not path.startswith("tests/") or not re.search(r"[_.]test\.(?:py|mjs)$", name):
            continue
        if name in text or any(fnmatch.fnmatch(name, glob.split("/")[-1]) for glob in globs):
            continue
        if graph is None or graph[1] is None or name not in graph[1]:
            yield Finding(path, 1, "registered", "tests/CMakeLists.txt does not register it")
