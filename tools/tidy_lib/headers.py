"""Every header compiles alone: slow, so compiled in parallel and remembered by content."""
import concurrent.futures
import hashlib
import json
import os
import subprocess

from .tree import Finding, includes

CACHE = "build/tidy/headers.json"
SLICES = 3
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-x", "c++", "-"]


def _folders(path):
    """A public header sees the public headers only."""
    if path.startswith("include/"):
        return ["include"]
    if path.startswith("apps/hall/project/"):
        return ["include", "/".join(path.split("/")[:4])]
    if path.startswith("apps/"):
        return ["include", "/".join(path.split("/")[:2])]
    return ["include", "src", "tests"]


def _closure(tree, path, seen):
    """The header and every header of the project that it reaches."""
    if path in seen:
        return
    seen.add(path)
    for _, _, target in includes(tree.text(path)):
        for folder in [*_folders(path), os.path.dirname(path)]:
            found = os.path.normpath(os.path.join(folder, target))
            if tree.exists(found):
                _closure(tree, found, seen)
                break


def _digest(tree, path, compiler):
    seen = set()
    _closure(tree, path, seen)
    content = hashlib.sha256(compiler.encode())
    for part in sorted(seen):
        content.update(part.encode() + b"\0" + tree.text(part).encode() + b"\0")
    return content.hexdigest()


def _compile(tree, compiler, path):
    """What the compiler says about a file that includes only this header, twice."""
    line = f'#include "{path}"\n' * 2
    command = [compiler, *("-I" + folder for folder in _folders(path)), "-I.", *FLAGS]
    done = subprocess.run(command, input=line.encode(), cwd=tree.root, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _slice(tree, paths):
    """Those that a run from nothing looks at: the public ones, and a third of the others, which the commit chooses
    (or WIREHALL_SEED), so that three commits see all. `./dev test --full` takes all."""
    if os.environ.get("WIREHALL_TEST_FULL") == "1":
        return paths
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tree.root, stdout=subprocess.PIPE, check=False)
    seed = int(os.environ.get("WIREHALL_SEED") or int(head.stdout[:8] or b"0", 16))
    return [path for path in paths if path.startswith("include/") or
            int(hashlib.sha256(path.encode()).hexdigest()[:8], 16) % SLICES == seed % SLICES]


def headers(tree, sliced=False):
    """Compiles what has changed since it last compiled; `sliced`: not all of it."""
    os.nice(19)  # what else runs comes first: it may watch the clock
    compiler = os.environ.get("CXX", "g++")
    version = subprocess.run([compiler, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    cache_path = tree.full(CACHE)
    try:
        with open(cache_path, encoding="utf-8") as file:
            good = json.load(file)
    except (OSError, ValueError):
        good = {}
    paths = [path for path in tree.cpp("include", "src", "tests", "apps") if path.endswith(".h")]
    digests = {path: _digest(tree, path, version + " ".join(FLAGS)) for path in paths}
    looked_at = _slice(tree, paths) if sliced else paths
    todo = [path for path in looked_at if good.get(path) != digests[path]]
    findings = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (status, output) in zip(todo, pool.map(lambda p: _compile(tree, compiler, p), todo)):
            if status == 0:
                good[path] = digests[path]
                continue
            errors = [line for line in output.splitlines() if "error:" in line] or output.splitlines() or ["?"]
            findings.append(Finding(path, 1, "headers", "does not compile alone: " + errors[0].strip()))
    os.makedirs(os.path.dirname(cache_path), exist_ok=True)
    with open(cache_path + ".new", "w", encoding="utf-8") as file:
        json.dump({path: digest for path, digest in good.items() if path in digests}, file, indent=0, sort_keys=True)
    os.replace(cache_path + ".new", cache_path)
    return findings, len(looked_at), len(todo)
