"""Just enough of C++ for tools/tidy: comments and strings blanked out, braces classified, statements found.

It is a heuristic over formatted code without macros that open braces; it does not preprocess.
"""
import re

_TOKEN = re.compile(
    r'//(?:[^\n\\]|\\.|\\\n)*'              # line comment
    r'|/\*.*?\*/'                           # block comment
    r'|(?:u8|[uUL])?R"([^()\\\s]{0,16})\(.*?\)\1"'  # raw string
    r'|"(?:[^"\\\n]|\\.)*"'                 # string
    r"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'",  # character, not a digit separator
    re.S,
)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """The text with comments blanked; every line stays where it was."""
    return _TOKEN.sub(lambda m: _blank(m[0]) if m[0].startswith("/") else m[0], text)


def code_only(text):
    """The text with comments, directives and the insides of strings blanked; every line stays where it was."""
    def blank(match):
        token = match[0]
        if token.startswith("/"):
            return _blank(token)
        quote = token[-1]
        start = token.index(quote)
        return token[:start] + quote + _blank(token[start + 1:-1]) + quote
    return _DIRECTIVE.sub(lambda m: _blank(m[0]), _TOKEN.sub(blank, text))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*", re.M | re.S)
_TYPE_HEAD = re.compile(r"\b(namespace|class|struct|union|enum)\b(?:\s+(?:class|struct)\b)?"
                        r"(?:\s*\[\[.*?\]\]|\s*alignas\s*\([^)]*\))*\s*([\w:]*)")


def _strip_template(head):
    """The head without a leading `template <...>`, however its brackets nest."""
    while (match := re.match(r"\s*template\s*<", head)) is not None:
        depth, at = 1, match.end()
        while at < len(head) and depth:
            depth += {"<": 1, ">": -1}.get(head[at], 0)
            at += 1
        head = head[at:]
    return head


def _flat(head):
    """The head without what stands in its round brackets."""
    previous = None
    while previous != head:
        previous, head = head, re.sub(r"\([^()]*\)", "\x00", head)
    return head.replace("\x00", "()")


_MORE_INITIALISERS = re.compile(r"\s*[{,]")


class Scope:
    """One pair of braces that is a namespace, a type, a function, or something else."""

    def __init__(self, kind, name, head_at, open_at, parents):
        self.kind, self.name = kind, name
        self.head_at, self.open_at, self.close_at = head_at, open_at, None
        self.parents = parents


def _classify(head):
    """(kind, name) of the brace that follows `head`, outside functions."""
    head = re.sub(r"^\s*(?:public|private|protected)\s*:", "", head)
    stripped = _strip_template(head).strip()
    flat = _flat(stripped)
    match = _TYPE_HEAD.match(stripped)
    if match and "=" not in flat and not re.search(r"\)\s*(?:const|noexcept)?$", stripped):
        name = match[2]
        if flat.startswith("extern"):
            name = ""
        return ("namespace" if match[1] == "namespace" else "enum" if match[1] == "enum" else "type"), name
    if re.match(r'extern\s*"', stripped):
        return "namespace", ""
    if "(" in flat and "=" not in re.sub(r"\boperator\s*\W+", "operator", flat):
        name = re.search(r"([\w:~]+|operator\s*\S+?)\s*\(", flat)
        return "function", (name[1] if name else "?")
    return "other", ""


def scopes(code):
    """All scopes outside functions, functions included, of code_only() text."""
    found, stack = [], []
    head_at, parens = 0, 0
    for match in re.finditer(r"[{}();]", code):
        char, at = match[0], match.start()
        inside = stack[-1].kind if stack else "namespace"
        opaque = inside in ("function", "other")
        if char == "{":
            if opaque or parens:
                scope = Scope("other", "", at, at, [])
            else:
                kind, name = _classify(code[head_at:at])
                start = head_at + len(code[head_at:at]) - len(code[head_at:at].lstrip())
                scope = Scope(kind, name, start, at, list(stack))
            scope.outer_parens = parens
            if not opaque and not (parens and scope.kind == "other"):
                found.append(scope)
            stack.append(scope)
            parens = 0
        elif char == "}":
            if stack:
                scope = stack.pop()
                scope.close_at = at
                parens = scope.outer_parens
                if scope.kind == "function" and _MORE_INITIALISERS.match(code, at + 1):
                    found.remove(scope)  # `a_{1}` of a constructor: its body is still to come
                    continue
        elif char == "(":
            parens += 1
        elif char == ")":
            parens = max(0, parens - 1)
        if char in "{};" and not parens and (not stack or stack[-1].kind not in ("function", "other")):
            head_at = at + 1
    return [scope for scope in found if scope.close_at is not None]


class Statement:
    """One statement: its text, where it starts, and whether it holds a braced initialiser."""

    def __init__(self, start):
        self.start, self.end, self.braced = start, start, False
        self.pieces = []
        self.parens = 0


_BLOCK_WORDS = re.compile(r"\b(?:else|do|try|const|noexcept|override|final|mutable)\s*$")
_HEAD_WORDS = re.compile(r"^\s*(?:template\b.*?>\s*)?(?:inline\s+|export\s+|extern\s+)?"
                         r"(?:namespace|class|struct|union|enum|extern)\b", re.S)


def _opens_block(before, statement_text):
    """Whether a brace after `before` opens a block (or a body), not an initialiser."""
    before = before.rstrip()
    if not before or before[-1] in ");:}{":
        return True
    if _BLOCK_WORDS.search(before) or _HEAD_WORDS.match(statement_text):
        return True
    # A lambda's or function's body behind its trailing return type, or a lambda without parameters.
    return re.search(r"\)\s*(?:mutable\s*|noexcept\s*)*->\s*[\w:<>,&*\s]+$", before) is not None or before[-1] == "]"


def statements(code):
    """Every statement of code_only() text, inner blocks and lambda bodies apart from what surrounds them."""
    done = []
    current = Statement(0)
    stack = []  # (kind of brace, the statement it interrupted)
    piece_at = 0

    def finish(statement, at):
        statement.end = at
        statement.text = "".join(statement.pieces)
        done.append(statement)

    for match in re.finditer(r"[{}();]", code):
        char, at = match[0], match.start()
        if char == "(":
            current.parens += 1
        elif char == ")":
            current.parens -= 1
        elif char == ";":
            if current.parens <= 0 and not (stack and stack[-1][0] == "init"):
                current.pieces.append(code[piece_at:at])
                finish(current, at)
                current, piece_at = Statement(at + 1), at + 1
        elif char == "{":
            current.pieces.append(code[piece_at:at])
            text = "".join(current.pieces)
            if _opens_block(code[max(0, at - 200):at] if text.strip() else "", text):
                stack.append(("block", current))
                current = Statement(at + 1)
            else:
                current.braced = True
                current.pieces.append("{")
                stack.append(("init", None))
            piece_at = at + 1
        elif char == "}" and stack:
            kind, outer = stack.pop()
            current.pieces.append(code[piece_at:at])
            piece_at = at + 1
            if kind == "init":
                current.pieces.append("}")
                continue
            if "".join(current.pieces).strip():
                finish(current, at)
            current = outer
            if current.parens <= 0 and not _continues(code, at + 1):
                finish(current, at)
                current = Statement(at + 1)
    return done


def _continues(code, at):
    """Whether a statement goes on behind the block that ended before `at`, as `[]{ ... }();` does."""
    match = re.compile(r"\s*([();,.])").match(code, at)
    return match is not None


def parameters(text):
    """The parameters of a list without its outer brackets, split at its own commas."""
    parts, depth, last = [], 0, 0
    for at, char in enumerate(text):
        if char in "<([{":
            depth += 1
        elif char in ">)]}" and not (char == ">" and text[at - 1] == "-"):
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[last:at])
            last = at + 1
    parts.append(text[last:])
    return [part.strip() for part in parts if part.strip()]


def closing(text, at, pair="()"):
    """Where the bracket that opens at `at` closes, or -1."""
    depth = 0
    for match in re.compile("[" + re.escape(pair) + "]").finditer(text, at):
        depth += 1 if match[0] == pair[0] else -1
        if depth == 0:
            return match.start()
    return -1


def aggregates(code):
    """Names of the structs in the text that are aggregates: no constructor, nothing private or virtual."""
    names = set()
    for scope in scopes(code):
        if scope.kind != "type" or not scope.name:
            continue
        head, body = code[scope.head_at:scope.open_at], code[scope.open_at + 1:scope.close_at]
        if "struct" not in head or not body.strip():
            continue
        own = re.escape(scope.name)
        if re.search(r"\b(?:private|protected)\s*:|\bvirtual\b|(?<![\w~])" + own + r"\s*\(", body):
            continue
        if re.search(r"^[^;(){}=]*\boperator\s*=\s*\(", body, re.M):
            continue
        names.add(scope.name)
    return names
