"""JSON Web Tokens, good and bad, made without the server's code: HMAC by the standard library, RSA and ECDSA by
the openssl command."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import tempfile
import time

HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(user="eve", lasts=3600, **more):
    now = int(time.time())
    result = {"sub": user, "iat": now, "exp": now + lasts, **more}
    return {name: value for name, value in result.items() if value is not None}


def joined(header, payload, sign):
    """header and payload: an object, or text or bytes taken as they are. sign: bytes -> bytes."""
    parts = [part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else
             json.dumps(part, separators=(",", ":")).encode() for part in (header, payload)]
    text = b64url(parts[0]) + "." + b64url(parts[1])
    return text + "." + b64url(sign(text.encode()))


def by_hmac(secret, algorithm="HS256"):
    secret = secret if isinstance(secret, bytes) else secret.encode()
    return lambda data: hmac.new(secret, data, HASHES[algorithm[2:]]).digest()


class Keys:
    """A key pair of the openssl command's, kept in a directory of its own."""

    def __init__(self, kind):
        self.kind = kind
        self.folder = tempfile.TemporaryDirectory(prefix="hostile-keys-")
        self.private = os.path.join(self.folder.name, "private.pem")
        self.public = os.path.join(self.folder.name, "public.pem")
        options = (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if kind == "RS" else
                   ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        openssl("genpkey", *options, "-out", self.private)
        openssl("pkey", "-in", self.private, "-pubout", "-out", self.public)

    def public_pem(self):
        with open(self.public, encoding="ascii") as file:
            return file.read()

    def der_signature(self, data, bits="256"):
        return openssl("dgst", "-sha" + bits, "-sign", self.private, stdin=data)

    def signer(self, algorithm):
        if self.kind == "RS":
            return lambda data: self.der_signature(data, algorithm[2:])
        return lambda data: raw_ecdsa(self.der_signature(data, algorithm[2:]))


def openssl(*arguments, stdin=b""):
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("openssl " + arguments[0] + ": " + done.stderr.decode())
    return done.stdout


def raw_ecdsa(der, size=32):
    """r and s out of SEQUENCE { INTEGER, INTEGER }, each with a fixed number of bytes (RFC 7518 3.4)."""
    at, out = 2 + (der[1] & 0x80 and der[1] & 0x7F), b""
    for _ in range(2):
        length = der[at + 1]
        out += int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(size, "big")
        at += 2 + length
    return out
