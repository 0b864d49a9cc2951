"""HTTP/1.1: what has a bound in bytes, in number or in time."""
from steps import Case, alive, answer, nothing_more, ok, post, refused, timed, use, wait
from cases_http import CHUNKED, SMUGGLED, TABLE, request


def head_of(size):
    """A head of exactly so many bytes, in headers of moderate length."""
    filler = []
    while size - len(request(*filler)) > 1100:
        filler.append(f"X-Filler-{len(filler)}: " + "y" * 1000)
    left = size - len(request(*filler, "X-Last: "))
    return request(*filler, "X-Last: " + "z" * left)


def target_of(size):
    return "/" + "t" * (size - 1)


SIZES = [
    Case("100 headers are as many as are taken", TABLE,
         (request(*[f"X-{i}: y" for i in range(99)]), answer(200), alive())),
    Case("101 headers are too many", TABLE,
         (request(*[f"X-{i}: y" for i in range(100)]) + SMUGGLED, refused(431))),
    Case("2,000 headers are too many", "RELIABILITY W5",
         (request(*[f"X-{i}:" for i in range(2000)]) + SMUGGLED, refused(431))),
    Case("a head of 16 KiB is taken", TABLE, (head_of(16 * 1024), answer(200), alive())),
    Case("a head of 16 KiB and a byte is too large", TABLE, (head_of(16 * 1024 + 1) + SMUGGLED, refused(431))),
    Case("a header that never ends is refused at the bound", TABLE,
         (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 40_000, refused(431))),
    Case("a User-Agent of 256 KiB is too large", TABLE, (request("User-Agent: " + "a" * 262_144), refused(431))),
    Case("a target of 8 KiB is taken", TABLE,
         (request(line=f"GET {target_of(8 * 1024)} HTTP/1.1"), answer(404), alive())),
    Case("a target of 8 KiB and a byte is too long", TABLE,
         (request(line=f"GET {target_of(8 * 1024 + 1)} HTTP/1.1") + SMUGGLED, refused(414))),
    Case("a target that never ends is refused at the bound", TABLE, (b"GET /" + b"t" * 40_000, refused(414))),
    Case("a method that never ends is refused", "RFC 9112 3", (b"M" * 40_000, refused(400, 414, 431, 501))),
    Case("a body of 1 MiB and a byte is refused before it comes", "RELIABILITY 5 HTTP",
         (request("Content-Length: 1048577", line="POST /healthz HTTP/1.1"), refused(413))),
    Case("a polling body of a million bytes is taken", TABLE,
         (post(b"6" * 1_000_000), ok(), alive()), over="polling"),
    Case("a polling body of a million and one bytes is refused before it comes", TABLE,
         (post(b"", length=1_000_001), refused(413)), over="polling"),
    Case("a chunked polling body that grows beyond a million bytes is refused", TABLE,
         (post(b"186a0\r\n" + b"6" * 100_000 + b"\r\n", CHUNKED) + (b"186a0\r\n" + b"6" * 100_000 + b"\r\n") * 10,
          refused(413)), over="polling"),
    Case("the session survives a body that was too large", "PROTOCOLS 2",
         (post(b"", length=1_000_001), refused(413), use("again"), post("6"), ok(), alive()), over="polling"),
]

DEADLINES = [
    Case("a connection that says nothing is closed after 10 s", "RELIABILITY H6",
         (timed(nothing_more(14), 9, 12.5),), slow=True),
    Case("a head that stops is answered 408 after 10 s", "RELIABILITY H6",
         (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", timed(refused(408, within=14), 9, 12.5)), slow=True),
    Case("a kept connection without a request is closed after 15 s", "RELIABILITY 5 HTTP",
         (request(), answer(200), timed(nothing_more(19), 13.5, 17.5)), slow=True),
    Case("a body that stops is answered 408 after 30 s", "RELIABILITY H6",
         (request("Content-Length: 10", line="POST /healthz HTTP/1.1", body=b"hello"),
          timed(refused(408, within=34), 28, 33)), slow=True),
    Case("a second head that stops is answered 408, however idle the connection was", "RELIABILITY H6",
         (request(), answer(200), wait(3), b"GET /healthz HTTP/1.1\r\n", timed(refused(408, within=14), 9, 12.5)),
         slow=True),
]

CASES = SIZES + DEADLINES
