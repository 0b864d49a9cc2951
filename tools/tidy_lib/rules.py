"""The rules over single files: each takes a Tree and yields findings."""
import os
import re

from . import cpp, tables
from .tree import Finding, includes


# Tests and programs that generated projects have of their own: users of the library, as others are.
PROJECTS = "apps/hall/project/"


def layer_of(path):
    """The layer that a file belongs to, or None where no row of the table applies."""
    if path.startswith(PROJECTS):
        return None
    parts = path.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return {"include/wirehall": "wirehall", "apps/hall": "hall"}.get("/".join(parts[:2])) or (
        "examples" if parts[0] == "examples" else None)


def _at_home(path, homes):
    return any(home in (path, layer_of(path)) for home in homes)


def _beside(path):
    """Whether a source is a test, fuzz target or benchmark beside the code."""
    return re.search(r"_(?:test|fuzz|bench)\.cc$", path) is not None


# -- layers ---------------------------------------------------------------------------------------


def layers(tree):
    """Who includes whom (STYLE 2.3)."""
    for path in tree.cpp("src", "include", "apps/hall", "examples"):
        layer = layer_of(path)
        if layer is None:
            continue
        if layer not in tables.LAYERS:
            yield Finding(path, 1, "layers", f"the folder {layer} has no row in tools/tidy_lib/tables.py")
            continue
        for line, quote, target in includes(tree.text(path)):
            message = _include_message(tree, path, layer, quote, target)
            if message:
                yield Finding(path, line, "layers", message)


def _include_message(tree, path, layer, quote, target):
    first = target.split("/")[0]
    if first == "wirehall":
        return None
    of_project = quote == '"' or ("/" in target and tree.exists("src/" + target))
    if not of_project:
        if layer == "wirehall" and not re.fullmatch(r"[a-z_0-9]+", target):
            if not target.startswith(tables.PUBLIC_ADAPTERS.get(path, "\0")):
                return f"a public header includes only the standard library, not <{target}>"
        return None
    allowed = tables.LAYERS[layer]
    if layer in ("hall", "examples"):
        # Their own files are found relative to the application.
        inside = [os.path.join(os.path.dirname(path), target), "/".join(path.split("/")[:2]) + "/" + target]
        if any(tree.exists(candidate) for candidate in inside):
            return None
        return f"{layer} sees only <wirehall/...>, not {target}"
    if first == layer:
        mine, theirs = path.split("/")[2:-1], target.split("/")[1:-1]
        if layer in tables.SEPARATE_FOLDERS and mine and theirs and mine[0] != theirs[0]:
            return f"{layer}/{mine[0]} and {layer}/{theirs[0]} do not know each other"
        return None
    if first in allowed or target in allowed or ("*" in allowed and first in tables.LAYERS):
        return None
    if first == "support" and _beside(path):
        return None
    if first == "hall" or first not in tables.LAYERS:
        return f"{target} names no layer: includes are written from src/ (\"layer/file.h\")"
    return f"{layer} may not include {target} (allowed: {', '.join(allowed) or 'public headers'})"


# -- banned names ---------------------------------------------------------------------------------


def banned(tree):
    """Names and headers outside their home."""
    patterns = [(what, re.compile(pattern), homes) for what, pattern, homes in tables.BANNED]
    for path in tree.cpp("src", "include", "apps", "examples"):
        if path.endswith("_bench.cc") or path.startswith(PROJECTS):
            continue
        code = tree.code(path)
        for what, pattern, homes in patterns:
            if _at_home(path, homes):
                continue
            for match in pattern.finditer(code):
                yield Finding(path, cpp.line_of(code, match.start()), "banned",
                              f"{what} ({match[0].strip(' (')}) is at home only in: {', '.join(homes) or 'nowhere'}")
        if layer_of(path) == "examples":
            continue
        for line, _, target in includes(tree.text(path)):
            for prefix, homes in tables.BANNED_INCLUDES:
                if target.startswith(prefix) and not _at_home(path, homes):
                    yield Finding(path, line, "banned", f"<{target}> is at home only in: {', '.join(homes)}")


# -- sizes ----------------------------------------------------------------------------------------


def sizes(tree):
    """Files and functions that are too long to be read at once."""
    for path in tree.readable():
        script = "." not in os.path.basename(path) and tree.text(path).startswith("#!")
        if path.endswith(tables.SIZED) or script:
            lines = tree.text(path).count("\n")
            if lines > tables.FILE_LINES_MAX and path not in tables.LONG_FILES:
                yield Finding(path, 1, "size", f"the file has {lines} lines, more than {tables.FILE_LINES_MAX}")
    for path in tree.cpp():
        code = tree.code(path)
        for scope in cpp.scopes(code):
            if scope.kind != "function" or (path, scope.name) in tables.LONG_FUNCTIONS:
                continue
            lines = code.count("\n", scope.head_at, scope.close_at) + 1
            if lines > tables.FUNCTION_LINES_MAX:
                yield Finding(path, cpp.line_of(code, scope.head_at), "size",
                              f"the function {scope.name} has {lines} lines, more than {tables.FUNCTION_LINES_MAX}")


# -- leftovers, machine paths ---------------------------------------------------------------------

CODE = (".h", ".cc", ".inc", ".py", ".js", ".mjs", ".cjs", ".ts", ".sh", ".cmake", "CMakeLists.txt", ".html", ".css")


def _lines(tree, paths, patterns, rule):
    for path in paths:
        if path in tables.ABOUT_TIDY:
            continue
        lines = tree.text(path).split("\n")
        for number, line in enumerate(lines, 1):
            for pattern, message in patterns:
                if pattern.search(line):
                    yield Finding(path, number, rule, message)


def leftovers(tree):
    """Dead code, notes to oneself, tests that do not run."""
    paths = [p for p in tree.readable() if p.endswith(CODE) or "." not in os.path.basename(p)]
    yield from _lines(tree, paths, [(re.compile(p), m) for p, m in tables.LEFTOVERS], "leftover")
    disabled, issue = re.compile(tables.DISABLED_TESTS), re.compile(r"#\d+|/issues/\d+")
    for path in paths:
        if path in tables.ABOUT_TIDY:
            continue
        lines = tree.text(path).split("\n")
        for number, line in enumerate(lines, 1):
            if disabled.search(line) and not issue.search("".join(lines[max(0, number - 2):number])):
                yield Finding(path, number, "leftover", "a test is switched off without the issue (#number) for it")


def machine(tree):
    """Paths of one machine, addresses of registries."""
    patterns = [(re.compile(p), m) for p, m in tables.MACHINE_PATHS]
    yield from _lines(tree, tree.readable(), patterns, "machine")


# -- the coroutine trap ---------------------------------------------------------------------------


def coroutines(tree):
    """What g++ 12 gets wrong: temporaries inside co_await, aggregates by value."""
    paths = tree.cpp("src", "include", "apps", "examples", "tests", "bench")
    known = set()
    for path in paths:
        if "struct" in tree.code(path):
            known |= cpp.aggregates(tree.code(path))
    for path in paths:
        code = tree.code(path)
        if "co_await" in code:
            yield from _awaits(path, code)
        if "Task<" in code:
            yield from _by_value(path, code, known)


def _awaits(path, code):
    for statement in cpp.statements(code):
        where = re.search(r"\bco_await\b", statement.text)
        if not where:
            continue
        line = cpp.line_of(code, code.find("co_await", statement.start))
        if statement.braced:
            yield Finding(path, line, "coroutine", "a braced value in a co_await statement: name it on a line before")
        if re.search(r"\?(?!\?)", statement.text):
            yield Finding(path, line, "coroutine", "a conditional operator in a co_await statement: use if")


_TASK_FUNCTION = re.compile(r"\bTask<")
_TYPE_NAME = re.compile(r"^(?:const\s+)?((?:[A-Za-z_]\w*::)*[A-Za-z_]\w*)\s*(?:\w+\s*)?(?:=.*)?$", re.S)


def _by_value(path, code, known):
    for match in _TASK_FUNCTION.finditer(code):
        end = cpp.closing(code, match.end() - 1, "<>")
        if end < 0:
            continue
        before = re.sub(r"(?:\w+\s*::\s*)+$", "", code[:match.start()]).rstrip()
        if before.endswith("->"):  # a lambda, or a trailing return type
            head = re.sub(r"\)\s*(?:(?:mutable|noexcept|const|override)\s*)*->$", ")", before)
            if head.endswith(")"):
                yield from _value_parameters(path, code, _opening(head), known)
        else:
            name = re.compile(r"\s+[\w:~]+\s*\(").match(code, end + 1)
            if name:
                yield from _value_parameters(path, code, name.end() - 1, known)


def _opening(text):
    """Where the round bracket opens that closes at the end of the text."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return 0


def _value_parameters(path, code, opened, known):
    closed = cpp.closing(code, opened)
    for parameter in cpp.parameters(code[opened + 1:closed] if closed > 0 else ""):
        match = _TYPE_NAME.match(parameter)
        if not match or "&" in parameter.split("=")[0] or "*" in parameter.split("=")[0]:
            continue
        name = match[1].split("::")[-1]
        if name in known or name.endswith(tables.AGGREGATE_SUFFIXES):
            yield Finding(path, cpp.line_of(code, opened), "coroutine",
                          f"a function that returns a Task takes the aggregate {name} by value: "
                          "pass a class with a constructor, or a pointer to what outlives it")


# -- public headers -------------------------------------------------------------------------------


def public_headers(tree):
    """Every public type says what it is, and a class on which thread it is used."""
    for path in tree.cpp("include/wirehall"):
        if not path.endswith(".h"):
            continue
        code, lines = tree.code(path), tree.text(path).split("\n")
        for scope in cpp.scopes(code):
            if scope.kind != "type" or not scope.name:
                continue
            if any(outer.kind != "namespace" or "detail" in outer.name for outer in scope.parents):
                continue
            head = code[scope.head_at:scope.open_at]
            if re.match(r"template\s*<\s*>", head):
                continue
            if re.search(r"\b" + re.escape(scope.name) + r"\s*<", head.split(":")[0]) or "::" in scope.name:
                continue
            comment = _comment_above(lines, cpp.line_of(code, scope.head_at))
            line = cpp.line_of(code, scope.head_at)
            if not comment:
                yield Finding(path, line, "docs", f"the public type {scope.name} has no /// comment")
            elif re.search(r"\bclass\b", _without_template(head)) and "Thread:" not in comment:
                if (path, scope.name) not in tables.NO_THREAD_LINE:
                    yield Finding(path, line, "docs", f"the public class {scope.name} has no `Thread:` line")


def _without_template(head):
    return re.sub(r"^template\s*<.*?>\s*(?=class|struct)", "", head, flags=re.S)


def _comment_above(lines, line):
    comment = []
    for text in reversed(lines[:line - 1]):
        if not text.strip().startswith("///"):
            break
        comment.append(text.strip())
    return "\n".join(reversed(comment))


# -- documents ------------------------------------------------------------------------------------

_LINK = re.compile(r"!?\[[^\]\n]*\]\(\s*<?([^()\s<>]+(?:\([^()\s]*\)[^()\s<>]*)?)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\[[^\]\n]+\]:\s*(\S+)", re.M)


def links(tree):
    """Relative links between the documents lead somewhere."""
    for path in tree.files:
        if not path.endswith(".md"):
            continue
        text = _prose(tree.text(path))
        for match in [*_LINK.finditer(text), *_REFERENCE.finditer(text)]:
            target = match[1]
            if re.match(r"[a-z][a-z0-9+.-]*:|//", target):
                continue
            file, _, anchor = target.partition("#")
            line = cpp.line_of(text, match.start())
            joined = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if joined.startswith("..") or not tree.exists(joined):
                yield Finding(path, line, "links", f"{target} leads nowhere")
            elif anchor and joined.endswith(".md") and anchor not in _anchors(tree.text(joined)):
                yield Finding(path, line, "links", f"{target}: there is no such heading")


def _prose(text):
    """The text with fenced and inline code blanked."""
    blank = lambda m: re.sub(r"[^\n]", " ", m[0])
    text = re.sub(r"^ *(```+|~~~+)[^\n]*\n.*?^ *\1", blank, text, flags=re.S | re.M)
    return re.sub(r"(?<!`)`[^`\n]+`", blank, text)


def _anchors(text):
    fenced = re.sub(r"^ *(```+|~~~+)[^\n]*\n.*?^ *\1", "", text, flags=re.S | re.M)
    found = set(re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", fenced))
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*\s*$", fenced, flags=re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number, unique = 0, slug
        while unique in found:
            number += 1
            unique = f"{slug}-{number}"
        found.add(unique)
    return found


# -- fuzz targets ---------------------------------------------------------------------------------


def fuzz_targets(tree):
    """What reads a peer's bytes has a fuzz target beside it that includes its header."""
    parser = re.compile(tables.PARSERS)
    for path in tree.cpp("src"):
        folder, name = os.path.split(path)
        if not parser.fullmatch(name) or _beside(path) or path in tables.NO_FUZZ_TARGET:
            continue
        header = f"{folder}/{name[:-3]}.h"
        if not tree.exists(header):
            own = [t for _, _, t in includes(tree.text(path)) if t.startswith(folder[4:] + "/")]
            header = "src/" + own[0] if own else header
        targets = [p for p in tree.files if os.path.dirname(p) == folder and p.endswith("_fuzz.cc")]
        if not any(t == header[4:] for p in targets for _, _, t in includes(tree.text(p))):
            yield Finding(path, 1, "fuzz", f"no *_fuzz.cc in {folder} includes \"{header[4:]}\"")


RULES = [layers, banned, sizes, leftovers, machine, coroutines, public_headers, links, fuzz_targets]
