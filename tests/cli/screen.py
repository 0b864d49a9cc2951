"""What a terminal shows: enough of its language for a prompt, and no more."""
import re

_ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z@])")


class Screen:
    """Lines of text and a cursor; an escape sequence that it does not know is an error."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""]
        self.row = 0
        self.column = 0
        self.pending = ""

    def feed(self, text):
        text, self.pending = self.pending + text, ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = _ESCAPE.match(text, at)
                if not match:
                    if len(text) - at < 16:
                        self.pending = text[at:]
                        return
                    raise AssertionError(f"an unknown escape sequence {text[at:at + 16]!r}")
                self._escape(match[1], match[2])
                at = match.end()
                continue
            self._character(text[at])
            at += 1

    def _character(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._down()
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character == "\a":
            pass
        else:
            if self.column == self.columns:
                self.column = 0
                self._down()
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
            self.column += 1

    def _down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def _escape(self, argument, command):
        count = int(argument) if argument.isdigit() else 1
        line = self.lines[self.row].ljust(self.column)
        if command == "A":
            self.row = max(0, self.row - count)
        elif command == "B":
            for _ in range(count):
                self._down()
        elif command == "C":
            self.column += count
        elif command == "D":
            self.column = max(0, self.column - count)
        elif command == "G":
            self.column = count - 1
        elif command == "K":
            self.lines[self.row] = line[:self.column]
        elif command == "J":
            self.lines[self.row] = line[:self.column]
            del self.lines[self.row + 1:]
        elif command == "P":
            self.lines[self.row] = line[:self.column] + line[self.column + count:]
        elif command == "@":
            self.lines[self.row] = line[:self.column] + " " * count + line[self.column:]
        elif command in "mhl":
            pass
        else:
            raise AssertionError(f"an unknown escape sequence {argument}{command}")

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)

    @property
    def last(self):
        """The line of the cursor."""
        return self.lines[self.row].rstrip()
