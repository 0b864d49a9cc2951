"""HTTP/1.1: framing and smuggling, malformed heads, versions."""
from steps import (FIN, RST, Case, alive, answer, gone, never, nothing_more, ok, perhaps_continue, post, refused, use)

TABLE = "RELIABILITY 3.4"
# Behind every request that must be refused: what a server in disagreement about the framing would answer.
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: <KEY>")


def request(*headers, line="GET /healthz HTTP/1.1", host="Host: x", body=b""):
    """A request whose header lines are taken as they are, in latin-1."""
    return "\r\n".join([line, *([host] if host else []), *headers, "", ""]).encode("latin-1") + body


def bad(name, *headers, row=TABLE, status=(400,), **how):
    body = how.pop("body", b"hello")
    how.setdefault("line", "POST /healthz HTTP/1.1")
    return Case(name, row, (request(*headers, body=body, **how) + SMUGGLED, refused(*status)))


def bad_head(name, raw, row=TABLE, status=(400,)):
    """The head as raw bytes."""
    return Case(name, row, (raw + SMUGGLED, refused(*status)))


def good(name, raw, row=TABLE):
    return Case(name, row, (raw, answer(200), alive()))


CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

LENGTHS = [
    bad("Content-Length followed by Transfer-Encoding is refused", "Content-Length: 5", CHUNKED, body=CHUNKS),
    bad("Transfer-Encoding followed by Content-Length is refused", CHUNKED, "Content-Length: 5", body=CHUNKS),
    bad("Content-Length 0 beside Transfer-Encoding is refused", "Content-Length: 0", CHUNKED, body=CHUNKS),
    bad("a length and a coding far apart are still refused", "Content-Length: 5",
        *[f"X-Filler-{i}: y" for i in range(60)], CHUNKED, body=CHUNKS),
    *[bad(f"the transfer coding {coding!r} is not exactly chunked and is refused", f"Transfer-Encoding: {coding}",
          body=CHUNKS)
      for coding in ("Chunked", "chunked, identity", "identity, chunked", "identity", "gzip, chunked", "xchunked",
                     "chunked;q=1", "chunked,", ",chunked", "\"chunked\"", "chunked chunked", "chunke", "")],
    bad("two Transfer-Encoding fields are refused", CHUNKED, CHUNKED, body=CHUNKS),
    bad("a vertical tab before chunked is refused", "Transfer-Encoding: \x0bchunked", body=CHUNKS),
    bad("a space between Transfer-Encoding and its colon is refused", "Transfer-Encoding : chunked", body=CHUNKS),
    bad("a folded Transfer-Encoding is refused", "Transfer-Encoding:\r\n chunked", body=CHUNKS),
    bad("Transfer-Encoding on HTTP/1.0 is refused", CHUNKED, line="POST /healthz HTTP/1.0", body=CHUNKS),
    bad("two Content-Length fields that agree are refused", "Content-Length: 5", "Content-Length: 5"),
    bad("two Content-Length fields that differ are refused", "Content-Length: 5", "Content-Length: 0"),
    *[bad(f"the Content-Length {value!r} is refused", f"Content-Length: {value}")
      for value in ("+5", "0x5", "5,5", "", "-1", "00000000000000000005", "99999999999999999999", "5 5", "5;", "5.0",
                    "1e1", "five", "5\x0b", "\xb2", "\xd9\xa5")],
    bad("a Content-Length with a space behind it is refused", "Content-Length: 5 "),
    good("a Content-Length with leading zeros is a number",
         request("Content-Length: 005", body=b"hello"), row="RFC 9112 6.3"),
    good("white space between colon and chunked belongs to neither",
         request("Transfer-Encoding:\t chunked", body=CHUNKS), row="RFC 9112 5.1"),
    good("the body of a GET is not the next request",
         request(f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED), row="RELIABILITY H5"),
    Case("a body that ends early with the connection is never taken for a request", "RFC 9112 8",
         (request("Content-Length: 50", line="POST /healthz HTTP/1.1", body=SMUGGLED), FIN, gone())),
    bad("18 digits of Content-Length are refused before a byte of the body", "Content-Length: 999999999999999999",
        body=b"", row="RELIABILITY H3", status=(413,)),
]

# Framing rules hold on the way to a WebSocket too: a second code path is where such checks are forgotten (W12).
ON_UPGRADE = [
    bad(f"on an upgrade: {what}", *UPGRADE, *headers, row="RELIABILITY W12", line="GET /ws HTTP/1.1", body=body)
    for what, headers, body in (
        ("a length and a coding", ("Content-Length: 5", CHUNKED), CHUNKS),
        ("two lengths", ("Content-Length: 5", "Content-Length: 5"), b"hello"),
        ("an unknown transfer coding", ("Transfer-Encoding: identity",), CHUNKS),
        ("a second Host", ("Host: y",), b""),
        ("a folded header", ("X-A: b\r\n c",), b""),
        ("a space before a colon", ("X-A : b",), b""),
        ("a NUL in a value", ("X-A: b\0c",), b""),
        ("a bare CR in a value", ("X-A: b\rc",), b""),
        ("a line without a colon", ("X-A",), b""))]


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def chunked(name, body, row=TABLE, status=(400,)):
    """A malformed chunked body; the request itself is a good polling POST."""
    return Case(name, row, (post(body, CHUNKED) + SMUGGLED, refused(*status)), over="polling")


def chunked_ok(name, body, row=TABLE):
    return Case(name, row, (post(body, CHUNKED), ok(), alive()), over="polling")


# An Engine.IO packet that means nothing (noop); the session would end if a byte of it were lost or added.
CHUNK_BODIES = [
    *[chunked(f"the chunk line {line!r} is refused", line.encode() + b"\r\n6aaaa\r\n0\r\n\r\n")
      for line in ("5;", ":", "g", "5 ", " 5", "+5", "0x5", "-5", "5,5", "5\t", "00000000000000005",
                   "10000000000000005", "5;a=", "5;=b", "5;a=\"b", "5;a\x01", "5;a b", "5 ;a", "")],
    chunked("a chunk line that ends with a bare LF is refused", b"5\n6aaaa\r\n0\r\n\r\n"),
    chunked("a chunk line that ends with CR and something else is refused", b"5\r6aaaa\r\n0\r\n\r\n"),
    chunked("chunk data that is longer than announced is refused", b"5\r\n6aaaaa\r\n0\r\n\r\n"),
    chunked("chunk data followed by a bare LF is refused", b"5\r\n6aaaa\n0\r\n\r\n"),
    chunked("chunk data followed by two CRs is refused", b"5\r\n6aaaa\r\r\n0\r\n\r\n"),
    chunked("a last chunk that ends with a bare LF is refused", b"5\r\n6aaaa\r\n0\r\n\n"),
    chunked("an extension that hides a line break is refused", b"5;a=\"\n\"\r\n6aaaa\r\n0\r\n\r\n"),
    chunked("a trailer line without a colon is refused", b"5\r\n6aaaa\r\n0\r\nHost\r\n\r\n"),
    chunked("a trailer line that begins with a space is refused", b"5\r\n6aaaa\r\n0\r\n Host: y\r\n\r\n"),
    chunked("a trailer with a NUL in it is refused", b"5\r\n6aaaa\r\n0\r\nA: b\0\r\n\r\n"),
    chunked("100,000 chunks of one byte are refused when the overhead passes 100 KiB",
            b"1\r\n6\r\n" * 100_000 + b"0\r\n\r\n"),
    chunked("extensions of more than 1 KiB in one body are refused", b"1;a=" + b"b" * 1100 + b"\r\n6\r\n0\r\n\r\n",
            row="RELIABILITY H2"),
    chunked_ok("a chunk extension is skipped", b"5;a=b\r\n6aaaa\r\n0\r\n\r\n"),
    chunked_ok("a quoted chunk extension with an escaped quote is skipped", b'5;a="x\\"y"\r\n6aaaa\r\n0\r\n\r\n'),
    chunked_ok("an extension without a value and a second one are skipped", b"5;a;b=c\r\n6aaaa\r\n0;z\r\n\r\n",
               row="RFC 9112 7.1.1"),
    chunked_ok("upper and lower case digits are digits", b"A\r\n6aaaaaaaaa\r\na\r\nbbbbbbbbbb\r\n000\r\n\r\n",
               row="RFC 9112 7.1"),
    chunked_ok("20,000 chunks of one byte stay below the bound on overhead",
               b"1\r\n6\r\n" * 20_000 + b"0\r\n\r\n", row="RELIABILITY 1.5 H2"),
    chunked_ok("Host, Content-Length, Transfer-Encoding and Authorization as trailers change nothing",
               b"5\r\n6aaaa\r\n0\r\nHost: evil\r\nContent-Length: 35\r\nTransfer-Encoding: chunked\r\n"
               b"Authorization: Bearer x\r\n\r\n"),
    Case("a request inside a chunk is data", "RELIABILITY H4",
         (post(chunk(b"6 " + SMUGGLED) + b"0\r\n\r\n", CHUNKED), ok(), alive()), over="polling"),
    Case("a chunked body that ends early with the connection is not a body", "RFC 9112 8",
         (post(b"5\r\n6aaaa\r\n", CHUNKED), FIN, gone()), over="polling"),
    Case("a chunked body on an error route is read to its end", "RELIABILITY H5",
         (request(CHUNKED, line="POST /nowhere HTTP/1.1", body=chunk(SMUGGLED) + b"0\r\n\r\n"),
          answer(404), alive())),
]

HEADS = [
    bad_head("a request without Host is refused", b"GET /healthz HTTP/1.1\r\n\r\n"),
    bad("two equal Host fields are refused", "Host: x", line="GET /healthz HTTP/1.1", body=b""),
    bad("two different Host fields are refused", "Host: y", line="GET /healthz HTTP/1.1", body=b""),
    *[bad(f"the Host {host!r} is refused", host=f"Host: {host}", line="GET /healthz HTTP/1.1", body=b"")
      for host in ("a b", "a/b", "user@a", "a:port", "a:123456", "[::1", "[::1]x", "a,b", "a?b", "a#b", ":80", "",
                   "a\\b", "a\tb")],
    *[bad(f"the header line {line!r} is refused", line, line="GET /healthz HTTP/1.1", body=b"")
      for line in ("X-A : b", "X-A\t: b", "X-A: b\r\n c", "X-A: b\r\n\tc", "X-A: b\0c", "X-A: b\rc", "X-A\0: b",
                   "X-A: \x7f", "X-A: \x1b[2J", "no colon", ": no name", "a b: c", "a@b: c", "\xe9: c", "(a): b")],
    bad_head("white space before the first header line is refused",
             b"GET /healthz HTTP/1.1\r\n X-A: b\r\nHost: x\r\n\r\n"),
    bad_head("a NUL before the request is refused", b"\0GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
    bad_head("a space before the request is refused", b" GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", row="RFC 9112 3"),
    bad_head("two empty lines before the request are refused", b"\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
             row="RELIABILITY H3"),
    good("one empty line before the request is passed over", b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
         row="RELIABILITY H3"),
    bad_head("a request line that ends with a bare LF is refused", b"GET /healthz HTTP/1.1\nHost: x\r\n\r\n",
             row="RELIABILITY H2"),
    bad_head("a header line that ends with a bare LF is refused", b"GET /healthz HTTP/1.1\r\nHost: x\n\r\n",
             row="RELIABILITY H2"),
    bad_head("a head that ends with bare LFs is refused", b"GET /healthz HTTP/1.1\nHost: x\n\n", row="RELIABILITY H2"),
    bad_head("a TLS greeting on the plain port is refused", bytes.fromhex("160301007b0100007703036f0d0a0d0a"),
             row="RFC 9112 3"),
    *[bad_head(f"the request line {line!r} is refused", line.encode("latin-1") + b"\r\nHost: x\r\n\r\n",
               row="RFC 9112 3")
      for line in ("GET  /healthz HTTP/1.1", "GET\t/healthz\tHTTP/1.1", "GET /healthz  HTTP/1.1",
                   "GET /healthz HTTP/1.1 ", "GET /healthz", "GET", "GET /heal thz HTTP/1.1", "GET healthz HTTP/1.1",
                   "GET /\x01 HTTP/1.1", "GET /\xff HTTP/1.1", "GET /a#b HTTP/1.1", "G@T /healthz HTTP/1.1",
                   "GET http://u@x/healthz HTTP/1.1", "GET x:80 HTTP/1.1", "GET * HTTP/1.1", "/healthz GET HTTP/1.1",
                   "GET ftp://x/healthz HTTP/1.1", "GET /healthz HTTP/1.1x", "GET /healthz HTTP/11",
                   "GET /healthz HTTP /1.1", "GET /healthz XTTP/1.1")],
    *[bad_head(f"the version {version} is refused", f"GET /healthz {version}\r\nHost: x\r\n\r\n".encode(),
               status=(400, 505))
      for version in ("HTTP/2.0", "http/1.1", "HTTP/1.10", "HTTP/0.9", "HTTP/3.0", "HTTP/1.-1", "HTTP/+1.1")],
    bad_head("the preface of HTTP/2 is refused", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status=(400, 505)),
    good("the absolute form of a target is its path", request(line="GET http://x/healthz HTTP/1.1"),
         row="RFC 9112 3.2.2"),
    Case("a method in another case is another method", "RFC 9110 9.1",
         (request(line="get /healthz HTTP/1.1"), answer(405, 501), alive())),
    Case("405 names the methods that are allowed", "RFC 9110 15.5.6",
         (request(line="DELETE /healthz HTTP/1.1"), answer(405, has={"Allow": "GET"}), alive())),
]

ROUTES = [
    Case("a body for a missing route is never taken for a request", TABLE,
         (request(f"Content-Length: {len(SMUGGLED)}", line="POST /nowhere HTTP/1.1", body=SMUGGLED) +
          request(line="GET /nowhere HTTP/1.1"), never(200))),
    Case("a body for a route of another method is never taken for a request", TABLE,
         (request(f"Content-Length: {len(SMUGGLED)}", line="POST /healthz HTTP/1.1", body=SMUGGLED) +
          request(line="GET /nowhere HTTP/1.1"), never(200))),
    Case("a body for a route that wants a key is never taken for a request", TABLE,
         (request(f"Content-Length: {len(SMUGGLED)}", line="GET /ws/stats HTTP/1.1", body=SMUGGLED) +
          request(line="GET /nowhere HTTP/1.1"), never(200))),
    Case("a body that has not come when its route is refused is never taken for a request", TABLE,
         (request(f"Content-Length: {len(SMUGGLED)}", line="POST /nowhere HTTP/1.1", body=SMUGGLED[:9]),
          SMUGGLED[9:] + request(line="GET /nowhere HTTP/1.1"), never(200))),
    Case("Expect: 100-continue is answered before the body comes", TABLE,
         (post("", "Expect: 100-continue", length=1), answer(100), b"6", ok(), alive()), over="polling"),
    Case("Expect: 100-continue for a body that is too large ends in a refusal, without the body", TABLE,
         (post("", "Expect: 100-continue", length=1_000_001), perhaps_continue(), refused(413)), over="polling"),
    Case("Expect: 100-continue of a request without a body has one answer", "RFC 9110 10.1.1",
         (request("Expect: 100-continue"), answer(200), alive())),
    Case("Expect: 100-continue on HTTP/1.0 is passed over", "RFC 9110 10.1.1",
         (request("Expect: 100-continue", "Content-Length: 1", line="GET /healthz HTTP/1.0", body=b"6"),
          answer(200, has={"Connection": "close"}), nothing_more())),
    bad("another expectation is refused", "Expect: 200-ok", "Content-Length: 5", status=(417,)),
    bad("two expectations are refused", "Expect: 100-continue", "Expect: 100-continue", "Content-Length: 5",
        row="RELIABILITY 1.5 H5", status=(400, 417)),
    bad("a compressed request body is refused", "Content-Encoding: gzip", "Content-Length: 5", row="RELIABILITY D3",
        status=(415,)),
    bad("a thousand content codings are refused", "Content-Encoding: " + ", ".join(["gzip"] * 1000),
        "Content-Length: 5", row="RELIABILITY D3", status=(415,)),
    Case("Connection: close ends the connection, whatever is pipelined behind", "RFC 9112 9.6",
         (request("Connection: close") + SMUGGLED, answer(200, has={"Connection": "close"}), nothing_more())),
    Case("HTTP/1.0 without keep-alive ends the connection", "RFC 9112 9.3",
         (request(line="GET /healthz HTTP/1.0") + SMUGGLED, answer(200, has={"Connection": "close"}),
          nothing_more())),
    Case("HEAD is answered without a body, and the next answer is where it belongs", "RFC 9110 9.3.2",
         (request(line="HEAD /healthz HTTP/1.1") + SMUGGLED, answer(200, head_only=True), answer(200), alive())),
    Case("twenty pipelined requests are answered in order", "RELIABILITY H8",
         (b"".join(request(line=f"GET /{path} HTTP/1.1") for path in ["healthz", "nowhere"] * 10),
          *[answer(200), answer(404)] * 10, alive())),
    Case("a client that ends in the middle of a head is dropped", "RELIABILITY H6",
         (b"GET /healthz HTTP/1.1\r\nHost:", FIN, gone())),
    Case("a client that only connects and ends is dropped", "RELIABILITY H6", (FIN, gone())),
    *[Case(f"a client that resets {where} leaves nothing behind", "RELIABILITY E2", (raw, RST))
      for where, raw in (("inside a head", b"GET /healthz HTTP/1.1\r\nHo"), ("inside a body", request(
          "Content-Length: 9", line="POST /healthz HTTP/1.1", body=b"he")), ("inside a chunk", request(
              CHUNKED, line="POST /healthz HTTP/1.1", body=b"9\r\nhe")), ("behind a request", request()),
                         ("behind a refused request", request("X A: b")), ("behind forty requests", request() * 40))],
    Case("an upgrade to another protocol is passed over", "RFC 9110 7.8",
         (request("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
          answer(200, lacks=("Upgrade",)), alive())),
    *[Case(f"the path {path} leads nowhere", TABLE, (request(line=f"GET {path} HTTP/1.1"), answer(*status), alive()))
      for path, status in (("/..%2f..%2fetc/passwd", (404,)), ("/%2e%2e/%2e%2e/etc/passwd", (404,)),
                           ("/..%5c..%5cetc%5cpasswd", (404,)), ("//etc/passwd", (404,)), ("/%00", (400, 404)),
                           ("/index.html/../../etc/passwd", (404,)))],
    Case("a line break in percent form stays in the target", "RELIABILITY H7",
         (request("Origin: http://a%0d%0aX-Injected:%20yes", line="GET /a%0d%0aX-Injected:%20yes HTTP/1.1"),
          answer(404, lacks=("X-Injected",)), alive())),
    Case("a refusal does not repeat what was sent", "RELIABILITY H7",
         (request("Host: <script>alert(1)</script>"), answer(400, body=lambda body: b"script" not in body))),
    Case("what a second connection does is nothing to the first", "RELIABILITY H9",
         (b"GET /healthz HTTP/1.1\r\nHo", use("other"), request("X A: b"), refused(400), use("main"), b"st: x\r\n\r\n",
          answer(200), alive())),
]

CASES = LENGTHS + ON_UPGRADE + CHUNK_BODIES + HEADS + ROUTES
