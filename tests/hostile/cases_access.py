"""After the token: what it allows, when it ends; keys of the management routes; cookies."""
import json

import wire
from cases_auth import HS, INVALID, NO_TOKEN, claims, connect, connect_error, joined, by_hmac, problem
from cases_handshake import WELCOME, handshake
from cases_http import request
from server import API_KEY
from session import Mismatch
from steps import (Case, Check, alive, answer, closed_with, emitted, engine_ended, goes_on, late, packet_like,
                   refused, reply,
                   socketio_goes_on, switched, timed, use, wait)
from wire import text


def say(**fields):
    return late(lambda s: text(s.filled(json.dumps(fields))))


def native_with(**more):
    """A handshake of the case's own user, with more claims."""
    return late(lambda s: s.filled(handshake(line="GET /ws?token=" + s.server.token(s.variables["USER"], **more) +
                                             " HTTP/1.1")))


def hall_with(**more):
    return late(lambda s: connect(s, s.server.token(s.variables["USER"], **more)))


JOINED = (packet_like(r'40\{"sid".*'), packet_like(r'42\["connected".*'))
MISSING = [
    Case(f"the token {json.dumps(auth)} in CONNECT is none", "SPEC 2",
         (late(lambda s, auth=auth: text("40" + (json.dumps(auth) if auth is not None else ""))),
          connect_error(*NO_TOKEN)), over="engine")
    for auth in (None, {}, {"token": None}, {"token": 1}, {"token": ["a"]}, {"token": {}}, {"token": ""},
                 {"Token": "x"})] + [
    Case("no token at all is none over the native protocol", "SPEC 2",
         (handshake(line="GET /ws HTTP/1.1"), answer(401, body=problem(*NO_TOKEN)))),
    Case("Authorization of another scheme is no token", "SPEC 2",
         (handshake("Authorization: Basic <TOKEN>", line="GET /ws HTTP/1.1"), answer(401, body=problem(*NO_TOKEN)))),
    Case("a user's token is no key of the management routes", "SPEC 4",
         (request("Authorization: Bearer <TOKEN>", line="GET /ws/stats HTTP/1.1"), answer(401), alive())),
    *[Case(f"the API key {what} is refused", "SPEC 4",
           (request(f"X-API-Key: {key}", line="GET /ws/stats HTTP/1.1"), answer(401, has={"WWW-Authenticate": None}),
            alive()))
      for what, key in (("that nobody has", "x" * 40), ("cut by a letter", API_KEY[:-1]),
                        ("with a letter more", API_KEY + "x"),
                        ("in capitals", API_KEY.upper()), ("that is empty", ""))],
    Case("an API key in the query is no key", "RELIABILITY JW8",
         (request(line=f"GET /ws/stats?X-API-Key={API_KEY}&token={API_KEY} HTTP/1.1"), answer(401), alive())),
]

ROOMS = [
    Case("a token for no rooms joins none", "SPEC 2",
         (hall_with(rooms=[]), *JOINED, emitted('21["join-room","a"]'),
          packet_like(r'431\[\{"error":"Access denied.*","code":"access-denied"\}\]'), socketio_goes_on()),
          over="engine"),
    *[Case(f"a token for {pattern!r} {'joins' if allowed else 'does not join'} {room!r}", "SPEC 2",
           (native_with(rooms=[pattern]), switched(), WELCOME, say(type="join", roomId=room, id=1),
            reply(type="ack", id=1, **({"success": True} if allowed else {"code": "access-denied"})),
            *([reply(type="joined")] if allowed else []), goes_on()))
      for pattern, room, allowed in (("a*", "ab", True), ("a*", "ba", False), ("*b", "aab", True),
                                     ("a.c", "abc", False),
                                     ("a*c*e", "abcde", True), ("a*c*e", "abcd", False), ("A", "a", False),
                                     ("[ab]", "a", False), ("a", "a/../b", False), ("?", "a", False),
                                     ("*" * 200 + "x", "y" * 200, False))],
]

BOUNDS = [
    Case("the 129th room of a client is one too many", "RELIABILITY 5 Socket.IO",
         (*[step for i in range(128) for step in (
             say(type="join", roomId=f"<ROOM>-{i}", id=i), reply(type="ack", id=i, success=True),
             reply(type="joined"))],
          say(type="join", roomId="<ROOM>-128", id=128), reply(type="ack", id=128, code="limit-reached"), goes_on()),
         over="native"),
    Case("a text of 64 KiB is taken", "SPEC 3",
         (say(type="join", roomId="<ROOM>", id=1), reply(type="ack", id=1, success=True), reply(type="joined"),
          say(type="chat", roomId="<ROOM>", content="c" * 65536, id=2), reply(type="ack", id=2, success=True),
          reply(type="chat"), goes_on()), over="native"),
    Case("a text of 64 KiB and a byte is too large", "SPEC 3",
         (say(type="join", roomId="<ROOM>", id=1), reply(type="ack", id=1, success=True), reply(type="joined"),
          say(type="chat", roomId="<ROOM>", content="c" * 65537, id=2), reply(type="ack", id=2, code="too-large"),
          goes_on()), over="native"),
    *[Case(f"{event} in a room that one is not in is refused", "SPEC 3",
           (say(type=event, roomId="<ROOM>", content="x", data=1, id=1), reply(type="ack", id=1, code="not-in-room"),
            goes_on()), over="native")
      for event in ("chat", "broadcast", "typing", "leave")],
    Case("a broadcast to another's own socket is refused", "RELIABILITY S7",
         (*[use(f"victim {i}", "socketio") for i in range(6)], use("main"),
          *[step for i in range(6) for step in (
              late(lambda s, i=i: text(json.dumps({"type": "broadcast", "id": i, "data": 1,
                                                   "room": s.links[f"victim {i}"].variables["SOCKET"]}))),
              reply(type="ack", id=i, code="not-in-room"))], goes_on()), over="native"),
]

EXPIRY = [
    Case("the end of a token ends the native connection", "SPEC 2",
         (native_with(lasts=2), switched(), WELCOME, timed(closed_with(4002), 0.5, 4))),
    Case("the end of a token ends the Socket.IO session", "SPEC 2",
         (hall_with(lasts=2), *JOINED, timed(engine_ended(), 0.5, 4)), over="engine"),
    Case("a refreshed token lasts", "SPEC 2",
         (native_with(lasts=2), switched(), WELCOME,
          late(lambda s: text(json.dumps({"type": "refresh-token", "id": 1, "token": s.variables["TOKEN"]}))),
          reply(type="ack", id=1, success=True), wait(3), goes_on())),
    Case("a refresh with another's token changes nothing", "SPEC 2",
         (native_with(lasts=2), switched(), WELCOME,
          late(lambda s: text(json.dumps({"type": "refresh-token", "id": 1, "token": s.server.token("mallory")}))),
          reply(type="ack", id=1, code="access-denied"), timed(closed_with(4002), 0.2, 4))),
    Case("a refresh with an unsigned token changes nothing", "SPEC 2",
         (native_with(lasts=2), switched(), WELCOME,
          late(lambda s: text(json.dumps({"type": "refresh-token", "id": 1,
                                          "token": joined({"alg": "none"}, claims(s.variables["USER"]),
                                                          lambda _: b"")}))),
          reply(type="ack", id=1, code="authentication-failed"), timed(closed_with(4002), 0.2, 4))),
]

FOREIGN = "Origin: https://evil.example"
COOKIE = "Cookie: a=b; session=<TOKEN>"



def kept_out():
    """Refused at the handshake, or at the latest when a namespace is to be joined."""
    def run(s):
        got = wire.read_answer(s.wire, s.deadline())
        if got.status in (400, 403):
            return
        if got.status == 101:
            s.next_message()
            s.send_whole(emitted("0"))
            said = s.next_message().payload
        else:
            sid = json.loads(got.body[1:])["sid"]
            polling = f"/socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n{COOKIE}\r\n{FOREIGN}\r\n"
            s.send_whole(f"POST {polling}Content-Length: 2\r\n\r\n40" + f"GET {polling}\r\n")
            s.expect_answer(200)
            said = s.expect_answer(200).body
        if not said.startswith(b"44"):
            raise Mismatch(f"let in as the user of the cookie: {said[:200]!r}")
    return Check("refused at the handshake or by CONNECT_ERROR", run)


COOKIES = [
    Case(name, row, steps, profile="cookie")
    for name, row, steps in (
        ("a token in the cookie comes in", "SPEC 2",
         (handshake(COOKIE, line="GET /ws HTTP/1.1"), switched(), WELCOME)),
        ("a cookie does not come in from a foreign page", "RELIABILITY W11",
         (handshake(COOKIE, FOREIGN, line="GET /ws HTTP/1.1"), refused(403))),
        ("a cookie does not come in from a sandboxed page", "RELIABILITY W11",
         (handshake(COOKIE, "Origin: null", line="GET /ws HTTP/1.1"), refused(403))),
        ("a cookie does not come in over Engine.IO from a foreign page", "RELIABILITY W11",
         (handshake(COOKIE, FOREIGN, line="GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"), kept_out())),
        ("a cookie does not come in over Engine.IO from a sandboxed page", "RELIABILITY W11",
         (handshake(COOKIE, "Origin: null", line="GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"), kept_out())),
        ("a cookie does not come in over polling from a foreign page", "RELIABILITY W11",
         (request(COOKIE, FOREIGN, line="GET /socket.io/?EIO=4&transport=polling HTTP/1.1"), kept_out())),
        ("a cookie comes in over Engine.IO from the same origin", "SPEC 2",
         (handshake(COOKIE, "Origin: http://<HOST>", line="GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"),
          switched(), packet_like(r"0.*"), emitted("0"), *JOINED)),
        ("a cookie whose name only begins alike is another cookie", "SPEC 2",
         (handshake("Cookie: session2=<TOKEN>; xsession=<TOKEN>", line="GET /ws HTTP/1.1"),
          answer(401, body=problem(*NO_TOKEN)))),
        ("a token in a cookie is verified like any other", "SPEC 2",
         (late(lambda s: s.filled(handshake("Cookie: session=" + joined(HS, claims(), by_hmac(b"")),
                                            line="GET /ws HTTP/1.1"))), answer(401, body=problem(*INVALID)))),
    )]

CASES = MISSING + ROOMS + BOUNDS + EXPIRY + COOKIES
