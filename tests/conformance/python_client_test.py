#!/usr/bin/python3
"""Debian's python3-socketio against the conformance server, over polling, websocket and with upgrade."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import unittest

import socketio

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WIREHALL_BUILD", ROOT / "build/release"))


class PythonClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([BUILD / "example_conformance-server", "--port", "0", "--threads", "2"], stdout=subprocess.PIPE, text=True)
        cls.port = int(re.search(r"listening (\d+)", cls.server.stdout.readline()).group(1))

    @classmethod
    def tearDownClass(cls):
        cls.server.send_signal(signal.SIGTERM)
        assert cls.server.wait(20) == 0
        cls.server.stdout.close()

    def talk(self, transports):
        client = socketio.Client(reconnection=False)
        got, seen = [], threading.Event()
        auth, authed = [], threading.Event()

        @client.on("message-back")
        def _(*args):
            got.append(args)
            seen.set()

        @client.on("auth")
        def _(value):
            auth.append(value)
            authed.set()

        client.connect(f"http://127.0.0.1:{self.port}", transports=transports, auth={"token": "py"})
        self.assertTrue(authed.wait(5))
        self.assertEqual(auth, [{"token": "py"}])
        client.emit("message", (1, "zwei", {"three": [b"\x01\x02", None]}))
        self.assertTrue(seen.wait(5))
        self.assertEqual(got, [(1, "zwei", {"three": [b"\x01\x02", None]})])
        self.assertEqual(client.call("message-with-ack", {"a": [1.5]}), {"a": [1.5]})
        self.assertEqual(client.call("message-with-ack", b"bytes"), b"bytes")
        client.disconnect()

    def test_polling(self):
        self.talk(["polling"])

    def test_websocket(self):
        self.talk(["websocket"])

    def test_upgrade(self):
        self.talk(["polling", "websocket"])

    def test_namespace(self):
        client = socketio.Client(reconnection=False)
        client.connect(f"http://127.0.0.1:{self.port}", namespaces=["/custom"])
        self.assertEqual(client.call("message-with-ack", "x", namespace="/custom"), "x")
        client.disconnect()
        with self.assertRaises(socketio.exceptions.ConnectionError):
            socketio.Client(reconnection=False).connect(f"http://127.0.0.1:{self.port}", namespaces=["/nobody"])


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
