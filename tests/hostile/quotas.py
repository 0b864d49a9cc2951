"""Bounds by address and by user: they hold, they cannot be talked away, and what has gone does not count."""
import json

import steps
import wire
from cases_handshake import handshake
from resources import ended
from server import Profile, wait_for
from session import Session
from wire import text

ALLOWED = 30
ROUNDS = 3  # times ALLOWED connections of each kind


def native(session, *more, line="GET /ws?token=<TOKEN> HTTP/1.1"):
    """The answer to a native handshake."""
    session.wire.send(session.filled(handshake(*more, line=line)))
    return wire.read_answer(session.wire, session.deadline())


def fleeting():
    """Connections that end in as many ways as there are; each is a list of steps behind a prelude."""
    probe = f"GET {steps.ENGINE}websocket&sid=<SID> HTTP/1.1"
    return {
        "native, closed": ("native", [wire.goodbye(1000)]),
        "native, reset": ("native", [steps.RST]),
        "native, a protocol error": ("native", [wire.frame(3)]),
        "native, refused": ("tcp", [handshake(line="GET /ws HTTP/1.1"), steps.answer(401)]),
        "native, refused by a close": ("tcp", [handshake(line="GET /ws?authError=close HTTP/1.1"), steps.answer(101)]),
        "native, given up at once": ("tcp", [handshake(), steps.RST]),
        "native, a foreign page": ("tcp", [handshake("Origin: null"), steps.answer(403)]),
        "websocket, closed": ("engine", [wire.goodbye(1000)]),
        "websocket, a parse error": ("socketio", [steps.emitted("9")]),
        "websocket, version 3": ("tcp", [handshake(line="GET /socket.io/?EIO=3&transport=websocket HTTP/1.1"),
                                         steps.answer(400)]),
        "websocket, reset": ("socketio", [steps.RST]),
        "polling, closed": ("polling", [steps.post("1"), steps.ok()]),
        "polling, a parse error": ("polling", [steps.post("x"), steps.answer(400)]),
        "polling, version 3": ("tcp", [f"GET {steps.ENGINE}polling HTTP/1.1\r\nHost: x\r\n\r\n".replace("EIO=4",
                                                                                                        "EIO=3"),
                                       steps.answer(400)]),
        "polling, a poll given up": ("polling", [steps.POLL, steps.RST]),
        "polling, upgraded": ("polling", [steps.use("probe"), handshake(line=probe), steps.switched(),
                                          wire.text("2probe"), steps.packet("3probe"), wire.text("5"), steps.RST]),
        "polling, refused by Socket.IO": ("polling", [steps.post("40"), steps.ok(), steps.post("1"), steps.ok()]),
    }


def counters(lab):
    """An address may have so many connections; a count that is not taken back would lock it out for good."""
    arena = lab.arena(Profile({"limits": {"connectionsPerAddress": ALLOWED}}), bystanders=False)
    complaints = []
    for name, (over, script) in fleeting().items():
        for _ in range(ROUNDS * ALLOWED):
            session = Session(arena.server, slowness=arena.slowness)
            try:
                session.open(over)
                for step in script:
                    steps.perform(session, step)
            except (steps.Mismatch, wire.Ended, wire.Silent, OSError) as error:
                complaints.append(f"{name}: {error}")
                break
            finally:
                session.close()
        if not wait_for(lambda: free_places(arena) == ALLOWED, 10 * arena.slowness, 0.3):
            complaints.append(f"after connections of the kind `{name}` only {free_places(arena)} of {ALLOWED} "
                              "places are free")
            break
    return ended(lab, arena, complaints)


def free_places(arena):
    """Takes all places, and gives them back."""
    taken = []
    try:
        for _ in range(ALLOWED + 1):
            session = Session(arena.server, slowness=arena.slowness)
            taken.append(session)
            got = native(session)
            if got.status == 429 and b"Too many connections" in got.body:
                return len(taken) - 1
            if got.status != 101:
                return f"neither 101 nor 429, but {got}: "
        return "more than all"
    finally:
        for session in taken:
            session.close()
        # The places are free when the server has noticed.
        wait_for(lambda: arena.server.stats()["connections"] == 0, 5)


def from_address(arena, number):
    """A client of an address of its own, among those that belong to this machine."""
    session = Session(arena.server, slowness=arena.slowness)
    session.wire.close()
    session.link.wire = wire.Wire(arena.server.port, source=f"127.0.1.{number}")
    return session


def rates(lab):
    """New connections in a minute, by address; messages in a minute, by user; connections of one user."""
    arena = lab.arena(Profile({"rateLimit": {"connectionsPerMinute": 5, "messagesPerMinute": 10},
                               "limits": {"connectionsPerUser": 3}}), bystanders=False, warm=False)
    complaints, clients = [], []

    def expect(what, held):
        if not held:
            complaints.append(what)

    rated = [from_address(arena, 6) for _ in range(6)]
    same = [from_address(arena, 7) for _ in range(4)]
    for session in same:
        session.variables.update(same[0].variables)
    clients += rated + same
    for what, answers in (("the rate", [native(one) for one in rated]), ("the user's count",
                                                                         [native(one) for one in same])):
        expect(f"the refusal by {what} has no Retry-After (SPEC 4): {answers[-1]}",
               answers[-1].status == 429 and answers[-1].get("Retry-After") is not None)
    for name, forged in (("", ()), (" that claims to be a proxy", ("X-Forwarded-For: 10.0.0.{}",
                                                                   "Forwarded: for=10.0.0.{}"))):
        statuses = []
        for i in range(8):
            session = from_address(arena, 1 if not forged else 2)
            clients.append(session)
            statuses.append(native(session, *[line.format(i) for line in forged]).status)
        expect(f"a client{name} got {statuses} where five may connect in a minute", statuses == [101] * 5 + [429] * 3)

    answers = [engine_connect(from_address(arena, 3), clients) for _ in range(7)]
    expect("Socket.IO clients beyond the rate are not told by CONNECT_ERROR with rate-limited and retryAfter (SPEC 2) "
           f"but by {answers[5][:120]!r}",
           answers[4].startswith("40") and all(is_limit(one, "Rate limit exceeded",
                                                        "rate-limited") for one in answers[5:]))

    same = [from_address(arena, 4) for _ in range(4)]
    for session in same:
        session.variables.update(same[0].variables)
    answers = [engine_connect(session, clients) for session in same]
    expect(f"the fourth connection of a user is answered {answers[3][:120]!r}",
           answers[2].startswith("40") and is_limit(answers[3], "Too many connections", "too-many-connections"))

    talker = from_address(arena, 5)
    clients.append(talker)
    native(talker)
    talker.next_message()
    talker.wire.send(text('{"type":"join","roomId":"a","id":"j"}') +
                     b"".join(text(json.dumps({"type": "broadcast", "roomId": "a", "data": 1,
                                               "id": i})) for i in range(15)))
    said = {}
    while len(said) < 15:
        got = json.loads(talker.next_message().payload)
        if isinstance(got.get("id"), int):
            said[got["id"]] = got
    refused = [i for i, one in said.items() if one.get("code") == "rate-limited"]
    expect(f"of fifteen messages {sorted(refused)} were refused, ten are allowed in a minute",
           sorted(refused) == [*range(10, 15)])
    for session in clients:
        session.close()
    return ended(lab, arena, complaints)


def is_limit(answer, message, code):
    if not answer.startswith("44"):
        return False
    said = json.loads(answer[2:])
    return said["message"] == message and said["data"]["code"] == code and said["data"].get("retryAfter", -1) >= 0


def engine_connect(session, clients):
    """What a Socket.IO client over WebSocket is told by CONNECT, or by the refusal before it."""
    clients.append(session)
    got = native(session, line=f"GET {steps.ENGINE}websocket HTTP/1.1")
    if got.status != 101:
        return f"{got.status} {got.body.decode()}"
    session.link.engine = True
    session.next_message()
    session.wire.send(text('40{"token":"' + session.variables["TOKEN"] + '"}'))
    return session.next_message().payload.decode()


CHECKS = [
    ("counts of connections", "SPEC 6 limits", counters),
    ("rates", "SPEC 2, SPEC 6 rateLimit", rates),
]
