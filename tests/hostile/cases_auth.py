"""Who may come in: tokens and keys, each over the native protocol and over Socket.IO.

Every fault of format, algorithm or signature has the same answer: a text that told them apart would help to guess.
"""
import json
import time

import tokens
from cases_handshake import WELCOME, handshake
from server import Profile
from session import Mismatch
from steps import Case, Check, answer, delivered, hello, late, packet_like, socketio_goes_on, switched
from tokens import by_hmac, claims, joined
from wire import text

TABLE = "RELIABILITY 3.4"
HS, RS, ES = {"alg": "HS256", "typ": "JWT"}, {"alg": "RS256", "typ": "JWT"}, {"alg": "ES256", "typ": "JWT"}
ISSUER, AUDIENCE = "https://issuer.example", "wirehall"
PROFILES = {
    "plain": Profile(),
    "rs": Profile(keys="RS", algorithm="RS256"),
    "es": Profile({"auth": {"issuer": [ISSUER], "audience": [AUDIENCE]}}, keys="ES", algorithm="ES256",
                  claims={"iss": ISSUER, "aud": AUDIENCE}),
    "both": Profile(keys="RS", algorithm="RS256", secret_too=True),
    "cookie": Profile({"auth": {"cookie": "session"}}),
}
INVALID = ("Authentication failed: invalid token", "authentication-failed")
EXPIRED = ("Authentication failed: token expired", "authentication-failed")
EARLY = ("Authentication failed: token not yet valid", "authentication-failed")
NOBODY = ("Invalid user", "invalid-user")
NO_TOKEN = ("Authentication required", "authentication-required")


def problem(title, code):
    def test(body):
        got = json.loads(body)
        return got["title"] == title and got["code"] == code
    return test


def connect_error(title, code):
    def run(s):
        got = s.next_message().payload.decode()
        said = json.loads(got[2:]) if got.startswith("44{") else {}
        if said.get("message") != title or said.get("data", {}).get("code") != code:
            raise Mismatch(got)
    return Check(f"CONNECT_ERROR {title!r} {code}", run)


def connect(s, token):
    """CONNECT with what is to be said in `auth`."""
    return text("40" + json.dumps({"token": token}, separators=(",", ":")))


RETRY = (late(lambda s: connect(s, s.variables["TOKEN"])), packet_like(r'40\{"sid".*'),
         packet_like(r'42\["connected".*'))


def both(name, row, make, said, profile="plain", over_native=True):
    """make(server) -> token. Refused alike over both protocols, and who then has a good token comes in."""
    title, code = said
    cases = [Case(f"{name}, over Socket.IO", row,
                  (late(lambda s: connect(s, make(s.server))), connect_error(title, code), *RETRY), over="engine",
                  profile=profile)]
    if over_native:
        cases.append(Case(f"{name}, over the native protocol", row,
                          (late(lambda s: s.filled(handshake(f"Authorization: Bearer {make(s.server)}",
                                                             line="GET /ws HTTP/1.1"))),
                           answer(401, has={"WWW-Authenticate": "Bearer", "Connection": "close"},
                                  body=problem(title, code))), profile=profile))
    return cases


def welcome(name, row, make, profile="plain"):
    return [Case(f"{name}, over Socket.IO", row,
                 (late(lambda s: connect(s, make(s.server))), packet_like(r'40\{"sid".*'),
                  packet_like(r'42\["connected".*'), socketio_goes_on()), over="engine", profile=profile),
            Case(f"{name}, over the native protocol", row,
                 (late(lambda s: s.filled(handshake(f"Authorization: Bearer {make(s.server)}",
                                                    line="GET /ws HTTP/1.1"))), switched(), WELCOME,
                  text(hello("in")), delivered("in")), profile=profile)]


def flat(*lists):
    return [case for cases in lists for case in cases]


def signed(header=None, payload=None, secret=None, **more):
    """A token of the server's own secret, with something in it changed."""
    def make(server):
        body = payload if payload is not None else claims(**more)
        return joined(HS if header is None else header, body, by_hmac(server.secret if secret is None else secret))
    return make


def unsigned(header):
    return lambda server: joined(header, claims(), lambda data: b"")


def mangled(change):
    """A good token, changed as text."""
    return lambda server: change(joined(HS, claims(), by_hmac(server.secret)))


def other_bits(token):
    """The same signature in other letters: the last one carries bits that no byte has."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


def ordinary_alphabet(server):
    """A good token whose signature would have the letters - and _, written in the ordinary alphabet."""
    for number in range(1000):
        token = joined(HS, claims(jti=str(number)), by_hmac(server.secret))
        if "-" in token and "_" in token:
            return token.replace("-", "+").replace("_", "/")
    raise AssertionError("no token had both letters")


ALGORITHMS = flat(
    *[both(f"a token with alg {alg!r} and no signature is refused", TABLE, unsigned({"alg": alg, "typ": "JWT"}),
           INVALID)
      for alg in ("none", "None", "nOnE", "NONE", "", "HS256")],
    *[both(f"a token with alg {json.dumps(alg)} and a good signature is refused", row,
           signed({"alg": alg, "typ": "JWT"}), INVALID)
      for alg, row in (("none", TABLE), ("hs256", "RELIABILITY JW1"), ("HS256 ", "RELIABILITY JW1"),
                       (["HS256"], "RELIABILITY JW1"), (None, "RELIABILITY JW1"), (256, "RELIABILITY JW1"),
                       ("RS256", "RELIABILITY JW1"), ("ES256", "RELIABILITY JW1"), ("PS256", "RELIABILITY JW1"))],
    both("a token without alg is refused", TABLE, signed({"typ": "JWT"}), INVALID),
    both("a token signed with the empty key is refused", TABLE, signed(secret=b""), INVALID),
    both("a token signed with another key is refused", "RELIABILITY JW1", signed(secret="another secret" * 3),
         INVALID),
    *[both(f"{algorithm} under HS256 is refused, although the key is right", TABLE,
           lambda server, a=algorithm: joined({"alg": a, "typ": "JWT"}, claims(), by_hmac(server.secret, a)), INVALID)
      for algorithm in ("HS384", "HS512")],
    both("an algorithm twice is refused", "RELIABILITY J4", signed('{"alg":"none","alg":"HS256","typ":"JWT"}'),
         INVALID),
    both("an unknown crit is refused", TABLE, signed({**HS, "crit": ["exp2"], "exp2": 1}), INVALID),
    both("an empty crit is refused", "RFC 7515 4.1.11", signed({**HS, "crit": []}), INVALID),
    both("an encrypted token is refused", TABLE,
         lambda server: tokens.b64url(b'{"alg":"dir","enc":"A256GCM"}') + "..AAAAAAAAAAAAAAAA.AAAA." + "A" * 22,
         INVALID),
    both("an encrypted token around a plain one is refused", "RELIABILITY JW1",
         lambda server: joined({"alg": "dir", "enc": "A256GCM", "cty": "JWT"}, claims(),
                               lambda data: b"x") + ".AAAA.AAAA",
         INVALID),
)

HEADERS = flat(
    *[both(f"a kid that is {what} finds no other key", "RELIABILITY JW3", signed({**HS, "kid": kid}, secret=b""),
           INVALID)
      for what, kid in (("a path", "../../../../dev/null"), ("SQL", "' UNION SELECT '"), ("a command", "|id"),
                        ("a NUL", "a\0b"), ("empty", ""))],
    *[both(f"a kid that is {what} is refused", "RELIABILITY JW3", signed({**HS, "kid": kid}), INVALID)
      for what, kid in (("a list", ["a"]), ("a number", 1), ("null", None), ("129 bytes long", "k" * 129))],
    both("a kid of 64 KiB is refused", "RELIABILITY JW3", signed({**HS, "kid": "k" * 65536}), INVALID,
         over_native=False),
    both("a token of more than 8 KiB is refused", "RELIABILITY 5 auth", signed(pad="p" * 8192), INVALID),
    both("the key that a token brings along is not used", "RELIABILITY JW3",
         signed({**HS, "jwk": {"kty": "oct", "k": tokens.b64url(b"k" * 32)}}, secret=b"k" * 32), INVALID),
    welcome("jku, x5u and jwk in a good token are passed over", "RELIABILITY JW3",
            signed({**HS, "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/",
                    "jwk": {"kty": "oct", "k": ""}})),
    *[both(f"a header that is {what} is refused", "RELIABILITY JW1", signed(header), INVALID)
      for what, header in (("empty", ""), ("a list", "[]"), ("null", "null"), ("cut", '{"alg":"HS256"'),
                           ("not UTF-8", b'{"alg":"HS256","x":"\xff"}'),
                           ("nested deeply", '{"alg":"HS256","x":' + "[" * 2000 + "]" * 2000 + "}"))],
)

ENCODING = flat(
    *[both(f"a token {what} is refused", "RELIABILITY JW5", mangled(change), INVALID)
      for what, change in (
          ("with padding", lambda t: t + "="), ("with other bits behind its last byte", other_bits),
          ("without its signature", lambda t: t.rsplit(".", 1)[0]), ("with an empty signature",
                                                                     lambda t: t.rsplit(".", 1)[0] + "."),
          ("with half its signature", lambda t: t[:-22]), ("with a fourth part", lambda t: t + ".AAAA"),
          ("of dots", lambda t: ".."), ("of one letter", lambda t: "x"),
          ("with a space inside", lambda t: t[:9] + " " + t[9:]),
          ("with one bit of the payload changed", lambda t: t.replace(".e", ".f", 1)),
          ("with a letter beyond ASCII", lambda t: t[:-1] + "\xe9"),
          ("with its parts in another order", lambda t: ".".join(t.split(".")[::-1])))],
    both("a token in the ordinary base64 alphabet is refused", "RELIABILITY JW5", ordinary_alphabet, INVALID),
)

FAR = 2**53 + 2

CLAIMS = flat(
    both("a token without exp is refused", "RELIABILITY 5 auth", signed(exp=None), INVALID),
    *[both(f"the exp {json.dumps(value)} is refused", "RELIABILITY JW6", signed(exp=value), INVALID)
      for value in ("4102444800", 1e308, -1, 4102444800.5, True, [], FAR)],
    both("a token that ended an hour ago has expired", "SPEC 2", signed(lasts=-3600), EXPIRED),
    both("a token that ended in 1970 has expired", "RELIABILITY JW6", signed(exp=0), EXPIRED),
    both("a token of the next hour is not yet valid", "SPEC 2",
         lambda server: signed(nbf=int(time.time()) + 3600)(server), EARLY),
    both("an nbf that is a text is refused", "RELIABILITY JW6", signed(nbf="0"), INVALID),
    *[both(f"a payload that is {what} is refused", "RELIABILITY J4", signed(payload=payload), INVALID)
      for what, payload in (("empty", ""), ("a list", "[]"), ("no JSON", "{"), ("a text", '"sub"'),
                            ("an object with a name twice", '{"sub":"a","sub":"b","exp":4102444800}'),
                            ("not UTF-8", b'{"sub":"\xff","exp":4102444800}'))],
    *[both(f"the user id {what} is nobody's", "SPEC 2", signed(sub=sub), NOBODY)
      for what, sub in (("nothing", ""), ("with a line break", "a\nb"), ("with a NUL", "a\0b"),
                        ("of 256 bytes", "u" * 256),
                        ("that is an object", {}), ("that is true", True), ("that is a fraction", 1.5),
                        ("beyond 2^53", 1e300), ("with an escape of a terminal", "\x1b[2J"))],
    both("a token for nobody is nobody's", "SPEC 2", signed(payload={"exp": 4102444800}), NOBODY),
    welcome("a user id may be a number", "SPEC 2", signed(sub=7)),
    both("rooms that are no list are refused", "SPEC 2", signed(rooms="*"), INVALID),
    both("rooms that are no texts are refused", "SPEC 2", signed(rooms=[1]), INVALID),
    welcome("a good token comes in", "SPEC 2", signed()),
)


def public_hmac(change=lambda pem: pem):
    """The public key, which everybody may know, as the key of an HMAC."""
    return lambda server: joined(HS, claims(iss=ISSUER, aud=AUDIENCE), by_hmac(change(server.keys.public_pem())))


def keyed(header, signer, **more):
    return lambda server: joined(header, claims(iss=ISSUER, aud=AUDIENCE, **more), signer(server))


def own(algorithm):
    return lambda server: server.keys.signer(algorithm)


def fixed(signature):
    return lambda server: lambda data: signature


def number(*values):
    return b"".join(value.to_bytes(32, "big") for value in values)


N = tokens.P256_ORDER

ASYMMETRIC = flat(
    *[both(f"HS256 with the public key{how} as its secret is refused{where}", TABLE, public_hmac(change), INVALID,
           profile=profile)
      for profile, where in (("rs", ""), ("both", ", also where a secret is configured"))
      for how, change in (("", lambda pem: pem), (" without its last line break", str.rstrip))],
    welcome("RS256 comes in", "SPEC 2", keyed(RS, own("RS256")), profile="rs"),
    welcome("RS256 comes in where a secret is configured too", "SPEC 2", keyed(RS, own("RS256")), profile="both"),
    both("RS512 under RS256 is refused, although the key is right", TABLE,
         keyed({"alg": "RS512", "typ": "JWT"}, own("RS512")), INVALID, profile="rs"),
    both("a signature of RS512 that calls itself RS256 is refused", TABLE, keyed(RS, own("RS512")), INVALID,
         profile="rs"),
    both("no algorithm at all is refused where a public key is configured", TABLE,
         keyed({"alg": "none"}, fixed(b"")), INVALID, profile="rs"),
    both("HS256 with the empty key is refused where a public key is configured", "RELIABILITY JW2",
         lambda server: joined(HS, claims(), by_hmac(b"")), INVALID, profile="rs"),
    *[both(f"an RSA signature of {what} is refused", "RELIABILITY JW5", keyed(RS, fixed(signature)), INVALID,
           profile="rs")
      for what, signature in (("nothing", b""), ("zeros", b"\0" * 256), ("ones", b"\0" * 255 + b"\1"),
                              ("255 bytes", b"\xff" * 255), ("257 bytes", b"\0" * 257))],
    welcome("ES256 comes in", "SPEC 2", keyed(ES, own("ES256")), profile="es"),
    *[both(f"an ECDSA signature of {what} is refused", row, keyed(ES, fixed(signature)), INVALID, profile="es")
      for what, signature, row in (
          ("(0, 0)", number(0, 0), TABLE), ("(n, n)", number(N, N), "RELIABILITY JW5"),
          ("(0, 1)", number(0, 1), "RELIABILITY JW5"), ("(1, 0)", number(1, 0), "RELIABILITY JW5"),
          ("(1, 1)", number(1, 1), "RELIABILITY JW5"), ("nothing", b"", "RELIABILITY JW5"),
          ("63 bytes", b"\1" * 63, "RELIABILITY JW5"), ("65 bytes", b"\1" * 65, "RELIABILITY JW5"))],
    both("an ECDSA signature in DER is refused", "RELIABILITY JW5",
         keyed(ES, lambda server: server.keys.der_signature), INVALID, profile="es"),
    both("an ECDSA signature with a byte behind it is refused", "RELIABILITY JW5",
         keyed(ES, lambda server: lambda data: server.keys.signer("ES256")(data) + b"\0"), INVALID, profile="es"),
    both("ES384 under ES256 is refused", "RELIABILITY JW2", keyed({"alg": "ES384", "typ": "JWT"}, own("ES384")),
         INVALID,
         profile="es"),
    both("HS256 with the public key as its secret is refused where the key is of a curve", TABLE, public_hmac(),
         INVALID,
         profile="es"),
)


def issued(**said):
    return lambda server: joined(ES, claims(**said), server.keys.signer("ES256"))


AUDIENCES = flat(
    *[both(f"the issuer {said} is the wrong one", "SPEC 2", issued(iss=said, aud=AUDIENCE),
           ("Authentication failed: wrong issuer", "authentication-failed"), profile="es")
      for said in (None, "", ISSUER + "/", ISSUER.upper())],
    both("an issuer that is a list is refused", "RFC 7519 4.1.1", issued(iss=[ISSUER], aud=AUDIENCE), INVALID,
         profile="es"),
    *[both(f"the audience {said} is the wrong one", "SPEC 2", issued(iss=ISSUER, aud=said),
           ("Authentication failed: wrong audience", "authentication-failed"), profile="es")
      for said in (None, "", "wirehal", [], ["a", "b"])],
    both("an audience that is a number is refused", "RFC 7519 4.1.3", issued(iss=ISSUER, aud=1), INVALID,
         profile="es"),
    welcome("an audience may be one of several", "RFC 7519 4.1.3", issued(iss=ISSUER, aud=["a", AUDIENCE]),
            profile="es"),
)

CASES = ALGORITHMS + HEADERS + ENCODING + CLAIMS + ASYMMETRIC + AUDIENCES
