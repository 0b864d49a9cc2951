"""The files that tools/tidy judges, each read once, and what a rule reports."""
import os
import re
import subprocess

from . import cpp

BINARY = (".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".woff2", ".wasm", ".pem", ".der", ".bin", ".gz", ".zip")


class Finding:
    """One line of tidy's output."""

    def __init__(self, path, line, rule, message):
        self.path, self.line, self.rule, self.message = path, line, rule, message

    def key(self):
        return self.path, self.line, self.rule, self.message

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class Tree:
    """A checkout: the files that git tracks or would add (all files, where there is no git)."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.files = sorted(path for path in self._list() if os.path.isfile(self.full(path)))
        self._texts, self._codes = {}, {}

    def _list(self):
        if os.path.exists(self.full(".git")):
            out = subprocess.run(["git", "-C", self.root, "ls-files", "-z", "--cached", "--others",
                                  "--exclude-standard"], stdout=subprocess.PIPE, check=True).stdout
            return {path for path in out.decode().split("\0") if path}
        found = set()
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f not in (".git", "build", "node_modules", "__pycache__")]
            found.update(os.path.relpath(os.path.join(folder, name), self.root) for name in names)
        return found

    def full(self, path):
        return os.path.join(self.root, path)

    def exists(self, path):
        return os.path.exists(self.full(path))

    def text(self, path):
        if path not in self._texts:
            with open(self.full(path), "rb") as file:
                self._texts[path] = file.read().decode("utf-8", "replace")
        return self._texts[path]

    def code(self, path):
        """C++ with comments, directives and the insides of strings blanked."""
        if path not in self._codes:
            self._codes[path] = cpp.code_only(self.text(path))
        return self._codes[path]

    def cpp(self, *folders):
        """The C++ files below the folders (all of them without folders)."""
        return [path for path in self.files if path.endswith((".h", ".cc", ".inc"))
                and (not folders or path.startswith(tuple(folder + "/" for folder in folders)))]

    def readable(self):
        """Every text file."""
        return [path for path in self.files if not path.endswith(BINARY) and "\0" not in self.text(path)[:4096]]


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.M)


def includes(text):
    """(line, quote, target) of each #include; text without comments or with them."""
    clean = cpp.without_comments(text)
    return [(cpp.line_of(clean, m.start()), m[1], m[2]) for m in _INCLUDE.finditer(clean)]
