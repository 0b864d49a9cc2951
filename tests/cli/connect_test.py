"""`wirehall connect` on a terminal: completion, history, and events above the line that is being typed."""
import fcntl
import json
import os
import pty
import select
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
from screen import Screen  # noqa: E402

SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libedit.supp")
BUILD = os.environ.get("WIREHALL_BUILD", "build/release")
WIREHALL = os.path.join(BUILD, "wirehall")
COLUMNS = 80
DEADLINE = 20.0
SECRET = "a secret for these tests alone, of more than 32 bytes"


class Server:
    def __init__(self):
        self.data = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([WIREHALL, "serve", "--dev", "--port", "0", "--data", self.data.name],
                                        env={**os.environ, "JWT_SECRET": SECRET},
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().split()[-1].rstrip("/")

    def token(self, user):
        with urllib.request.urlopen(f"{self.url}/dev/token?user={user}") as answer:
            return json.load(answer)["token"]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.data.cleanup()


class Person:
    """Somebody at a terminal."""

    def __init__(self, arguments, state, columns=COLUMNS):
        self.screen = Screen(columns)
        self.status = None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "XDG_STATE_HOME": state, "TERM": "xterm", "LC_ALL": "C.UTF-8",
                           "LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}"}
            os.execve(WIREHALL, [WIREHALL, "connect", *arguments], environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.screen.feed(data.decode(errors="replace"))
        return bool(data)

    def until(self, holds, what):
        end = time.monotonic() + DEADLINE
        while not holds(self.screen):
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come; the screen shows\n{self.screen.text}")
            self._read(0.2)
        return self.screen

    def sees(self, text):
        # What is longer than a line is wrapped.
        return self.until(lambda screen: text in screen.text or text in screen.text.replace("\n", ""), repr(text))

    def prompt_is(self, text):
        return self.until(lambda screen: screen.last == text, f"the prompt {text!r}")

    def end(self):
        """Waits for the program's end. Returns: its exit status."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            while self._read(0.02):
                pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                return self.status
        raise AssertionError(f"it does not end; the screen shows\n{self.screen.text}")

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)


class ConnectTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.state = tempfile.TemporaryDirectory()
        self.addCleanup(self.state.cleanup)

    def person(self, user, *arguments, columns=COLUMNS):
        person = Person([self.server.url, "--token", self.server.token(user), *arguments], self.state.name, columns)
        self.addCleanup(person.close)
        person.sees("`help` lists the commands")
        # Over Socket.IO the server may say who we are a moment later.
        person.until(lambda screen: f" as {user}." in screen.text or f"you are {user}" in screen.text, "a name")
        return person

    def history(self):
        return os.path.join(self.state.name, "wirehall", "connect_history")

    def test_rooms_and_messages(self):
        ann = self.person("ann", "--room", "talk")
        ann.prompt_is("talk>")
        bob = self.person("bob", "--protocol", "socketio")
        bob.type("join talk\r")
        bob.prompt_is("talk>")
        bob.type("say hello there\r")
        ann.sees("[talk] bob: hello there")
        bob.sees("[talk] bob: hello there")
        ann.type("who\r")
        ann.sees("bob  online")
        ann.type("private bob only you\r")
        bob.sees("(private) ann: only you")
        bob.type("history 1\r")
        bob.until(lambda screen: screen.text.count("[talk] bob: hello there") == 2, "the history")

    def test_an_event_does_not_disturb_the_line_that_is_typed(self):
        for columns in (80, 30):
            with self.subTest(columns=columns):
                room = f"quiet{columns}"
                ann = self.person("ann", "--room", room, columns=columns)
                ann.prompt_is(f"{room}>")
                bob = self.person("bob", "--room", room)
                bob.prompt_is(f"{room}>")
                ann.sees("bob has come")
                # Long enough to be wrapped on the narrow one, with a letter of two bytes.
                ann.type("say I am still wr\u00efting this line")
                ann.sees("line")
                bob.type("say one\rsay two\r")
                ann.sees("bob: two")
                whole = f"{room}> say I am still wr\u00efting this line"
                ann.until(lambda screen: whole in screen.text.replace("\n", ""), "the line below the event")
                self.assertEqual(ann.screen.text.replace("\n", "").count("say I am still"), 1, ann.screen.text)
                ann.type(", done\r")
                bob.sees("ann: I am still wr\u00efting this line, done")

    def test_completion(self):
        ann = self.person("ann", "--room", "parlour")
        ann.prompt_is("parlour>")
        bob = self.person("bobolink", "--room", "parlour")
        bob.prompt_is("parlour>")
        ann.sees("bobolink has come")
        ann.type("pri\t")
        ann.prompt_is("parlour> private")
        ann.type("bo\thi\r")
        bob.sees("(private) ann: hi")
        ann.type("emit upd\t\"away\"\r")
        bob.sees("-- ann is away")
        ann.type("hi\t\t")
        ann.prompt_is("parlour> history")
        ann.type("par\t1\r")
        ann.sees("-- none")
        ann.type("w\t")
        ann.sees("wait  watch  who")
        ann.prompt_is("parlour> w")

    def test_history_is_kept_between_runs_and_private(self):
        ann = self.person("ann")
        ann.type("say first\r")
        ann.sees("you are in no room")
        ann.type("token abc\r")
        ann.sees("error: Authentication failed")
        ann.type("quit\r")
        self.assertEqual(ann.end(), 0)
        self.assertEqual(stat.S_IMODE(os.stat(self.history()).st_mode), 0o600)
        with open(self.history(), encoding="utf-8") as file:
            self.assertNotIn("token", file.read(), "a token is nobody's business")
        again = self.person("ann")
        again.prompt_is(">")
        again.type("\x1b[A\x1b[A")
        again.prompt_is("> say first")

    def test_control_c_and_control_d(self):
        ann = self.person("ann")
        ann.prompt_is(">")
        ann.type("say something")
        ann.prompt_is("> say something")
        ann.type("\x03")
        ann.prompt_is(">")
        ann.type("\x04")
        self.assertEqual(ann.end(), 0)
        bob = self.person("bob")
        bob.prompt_is(">")
        bob.type("\x03")
        self.assertEqual(bob.end(), 0)

    def test_what_others_send_cannot_move_the_cursor(self):
        ann = self.person("ann", "--room", "tricks")
        ann.prompt_is("tricks>")
        script = subprocess.run(
            [WIREHALL, "connect", self.server.url, "--token", self.server.token("eve"), "--room", "tricks"],
            input='emit message {"roomId":"tricks","content":"a\\u001b[2Jb\\u009b"}\n', capture_output=True, text=True, check=False)
        self.assertEqual(script.returncode, 0, script.stdout + script.stderr)
        ann.sees("eve: a\ufffd[2Jb\ufffd")

    def test_mistakes_are_explained(self):
        ann = self.person("ann")
        ann.type("shout hello\r")
        ann.sees("error: there is no command shout; help lists them")
        ann.type("emit x {bad\r")
        ann.sees("is no JSON")
        ann.type("emit nothing-known 1\r")
        ann.sees("error: Unknown event (unknown-event)")
        ann.type("unwatch\r")
        ann.sees("error: unwatch EVENT")
        ann.type("help\r")
        ann.sees("emit EVENT [JSON")

    def test_a_server_that_goes_and_comes_is_told(self):
        server = Server()
        try:
            ann = Person([server.url, "--token", server.token("ann"), "--room", "r"], self.state.name)
            self.addCleanup(ann.close)
            ann.prompt_is("r>")
        finally:
            server.stop()
        ann.sees("-- transport close")
        ann.sees("again in")
        ann.type("quit\r")
        self.assertEqual(ann.end(), 0)

    def test_an_end_for_good_ends_the_program(self):
        token = subprocess.run([WIREHALL, "token", "--user", "ann", "--expires-in", "2"], env={**os.environ, "JWT_SECRET": SECRET},
                               capture_output=True, text=True, check=True).stdout.strip()
        ann = Person([self.server.url, "--token", token], self.state.name)
        self.addCleanup(ann.close)
        ann.prompt_is(">")
        ann.sees("-- transport close: Token expired")
        self.assertEqual(ann.end(), 1)

    def test_a_failure_to_connect_has_a_status(self):
        nobody = Person([self.server.url], self.state.name)
        self.addCleanup(nobody.close)
        nobody.sees("wirehall connect: Authentication required")
        self.assertEqual(nobody.end(), 1)


class ScriptTest(unittest.TestCase):
    """Without a terminal: commands one after another, lines of JSON out."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def run_script(self, text, *arguments, environment=None):
        done = subprocess.run([WIREHALL, "connect", self.server.url, *arguments], input=text, capture_output=True, text=True,
                              env={**os.environ, **(environment or {})}, check=False, timeout=DEADLINE)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_commands_are_answered_in_order(self):
        for protocol in ("native", "socketio"):
            with self.subTest(protocol=protocol):
                status, lines, errors = self.run_script(
                    f"join {protocol}\nsay hello\nwait new-message\nhistory\nleave\n", "--protocol", protocol,
                    environment={"WIREHALL_TOKEN": self.server.token("ann")})
                self.assertEqual((status, errors), (0, ""))
                answers = [line["answer"] for line in lines if "answer" in line]
                self.assertEqual(answers, ["join-room", "message", "history", "leave-room"])
                messages = [line for line in lines if line.get("event") == "new-message"]
                self.assertEqual([message["args"][0]["content"] for message in messages], ["hello"])

    def test_a_failure_is_a_line_and_the_status(self):
        token = self.server.token("ann")
        for command, code in (("emit nope", "unknown-event"), ("nonsense", "invalid-format"), ("wait never 50", "timeout")):
            with self.subTest(command=command):
                status, lines, _ = self.run_script(command + "\n", "--token", token)
                self.assertEqual(status, 1)
                # What the server tells may come before and behind it.
                self.assertEqual([line["code"] for line in lines if "code" in line], [code])

    def test_what_cannot_be_understood_is_a_status_too(self):
        self.assertEqual(self.run_script("", "--auth", "[1]")[0], 2)
        self.assertNotEqual(self.run_script("", "--protocol", "smtp")[0], 0)
        status, _, errors = self.run_script("", "--token", "x.y.z")
        self.assertEqual(status, 1)
        self.assertIn("Authentication failed: invalid token", errors)

    def test_a_file(self):
        with tempfile.NamedTemporaryFile(suffix=".txt") as file:
            file.write(b"content")
            file.flush()
            status, lines, _ = self.run_script(f"join files\nfile {file.name}\n", "--token", self.server.token("ann"))
        self.assertEqual(status, 0, lines)
        self.assertEqual(next(line for line in lines if line.get("answer") == "file")["value"]["file"]["size"], 7)


if __name__ == "__main__":
    unittest.main()
