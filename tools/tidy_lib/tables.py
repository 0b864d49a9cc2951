"""What tools/tidy knows about this project: layers, homes of names, sizes, and the exceptions with a reason.

A new entry in an exception list needs a reason that a reviewer would accept; a new edge in LAYERS needs a
decision record (docs/decisions).
"""

# Who may include whom. A layer may always include itself and <wirehall/...>. An entry "layer/file.h" allows
# only that header. Tests, fuzz targets and benchmarks beside the sources obey the same row, and may include
# support/ (tests/support, benchmarks bench/support) too.
CORES = ["http1", "ws", "engineio", "socketio", "native"]
LAYERS = {
    "wirehall": [],
    "base": [],
    "http1": ["base"],
    "ws": ["base", "http1"],
    "engineio": ["base", "http1/url.h"],
    "socketio": ["base"],
    "native": ["base"],
    "hub": ["base", "socketio"],
    "services": ["base", "hub"],
    "pipeline": ["base", *CORES, "hub"],
    "io": ["base", "pipeline", "http1/forwarded.h"],
    "auth": ["base"],
    "store": ["base"],
    # What auth knows of signing, and what http1 knows of addresses, is not written twice.
    "push": ["base", "auth/jwt.h", "auth/jwt_key.h", "auth/openssl_ptr.h", "auth/keys_for_test.h",
             "http1/forwarded.h"],
    "cluster": ["base"],
    "api": ["base", "hub", "services", "http1"],
    "admin": ["base", "hub", "services", "http1"],
    "client": ["base", *CORES],
    # The load generator measures servers, ours too: what sends, receives and judges messages is its own, so that
    # it shares no fault or shortcut with what it measures. Of the project it takes what reads a URL and an HTTP
    # response, which the server does not use.
    "loadgen": ["base", "client/url.h", "http1/response_parser.h"],
    "server": ["*"],
    "cli": ["*"],
    # Of the project, these see the public headers only.
    "hall": ["hall"],
    "examples": [],
}

# Layers whose folders each own one outside system and do not know each other (store/sqlite, store/memory).
SEPARATE_FOLDERS = ["auth", "store", "cluster"]

# Public headers that exist to join another library; every other one includes the standard library alone.
PUBLIC_ADAPTERS = {
    "include/wirehall/asio.h": "boost/asio",
    "include/wirehall/boost_json.h": "boost/json",
    "include/wirehall/nlohmann_json.h": "nlohmann/",
}

# Names that exist only at home: (what, pattern, homes). A home is a layer or a file. The tests/ and bench/
# folders and *_bench.cc are not judged; tests beside the sources are.
THREADED = ["io", "server", "store", "push", "client", "loadgen", "src/base/log.cc"]
BANNED = [
    ("the clock", r"\b(?:steady_clock|system_clock|high_resolution_clock)::now\b|\bclock_gettime\s*\(|"
                  r"\bgettimeofday\s*\(|\bstd::time\s*\(|(?<![\w:.>])time\s*\(\s*(?:nullptr|NULL|0)\s*\)", THREADED),
    ("a thread", r"\bstd::j?thread\b|\bstd::async\s*\(|\bpthread_create\b", THREADED),
    ("a mutex", r"\bstd::(?:recursive_|shared_|timed_)*mutex\b|\bpthread_mutex_", THREADED),
    ("a sleep", r"\bsleep_(?:for|until)\s*\(|(?<![\w:.>])u?sleep\s*\(", ["cli"]),
    ("rand()", r"(?<![\w.>])s?rand\s*\(", []),
    ("the environment", r"\bgetenv\s*\(", ["server", "cli"]),
    ("std::cout", r"\bstd::cout\b", ["cli"]),
]
BANNED_INCLUDES = [
    ("boost/asio", ["io", "server", "cluster", "client", "include/wirehall/asio.h"]),
    ("sys/epoll.h", ["io", "loadgen"]),
    ("sqlite3.h", ["store"]),
    # The client's TLS: whom it trusts, and whose certificate it expects, are OpenSSL's own calls.
    ("openssl/", ["auth", "io", "push", "store", "client", "loadgen", "src/ws/handshake.cc"]),
    ("zlib.h", ["ws", "http1"]),
    ("curl/", ["auth", "push", "services"]),
    ("hiredis/", ["cluster"]),
]

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
# Suffixes (or whole paths) whose length counts.
SIZED = (".h", ".cc", ".inc", ".py", ".js", ".mjs", ".ts", ".sh")
LONG_FILES = {
    # "path": "reason",
}
LONG_FUNCTIONS = {
    # ("path", "name"): "reason",
}

# Sources that take bytes from a peer, and so have a fuzz target beside them.
PARSERS = (r"(?:.*_parser|.*_decoder|packet|frame|deflate|jwt|msgpack|json.*|handshake)\.cc")
NO_FUZZ_TARGET = {
    "src/base/frame.cc": "it only writes frames: no byte of a peer reaches it",
}

# The g++ 12 trap: what may not be a by-value parameter of a function that returns a Task, besides every
# struct found to be an aggregate.
AGGREGATE_SUFFIXES = ("Options", "Info", "Packet", "Frame", "Config", "Settings", "Limits", "Flags")

# Public types that need no Thread: line.
NO_THREAD_LINE = {
    # ("path", "Type"): "reason",
}

# Files that name what the rules about leftovers and machine paths look for.
ABOUT_TIDY = {"tools/tidy_lib/tables.py", "tools/tidy_lib/rules.py", "tests/tools/tidy_test.py"}

LEFTOVERS = [
    (r"^\s*#\s*if\s+0\b", "`#if 0`: delete it, git remembers"),
    (r"\b(?:TODO|FIXME|XXX)\b", "do it, or write an issue"),
    (r"\b(?:it|test|describe)\.only\b", "an `only` switches every other test off"),
]
# Allowed with a reference to an issue ("#12") in the same line or the one above.
DISABLED_TESTS = (r"\bDISABLED_\w|\bGTEST_SKIP\b|\.skip\s*\(|\bskipTest\s*\(|@unittest\.skip|"
                  r"@pytest\.mark\.(?:skip|xfail)|(?<![\w.])x(?:it|describe)\s*\(")

MACHINE_PATHS = [
    (r"(?<![\w.~$}*-])/(?:work|farm|home)/", "a path of one machine"),
    (r"\b(?:registry\.npmjs\.org|registry\.yarnpkg\.com|npm\.pkg\.github\.com|files\.pythonhosted\.org|"
     r"(?:deb|snapshot|security|ftp)\.debian\.org|deb\.nodesource\.com)\b", "the address of a registry"),
    (r'"resolved"\s*:', "a lock file without download addresses holds no \"resolved\""),
]
