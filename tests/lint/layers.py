#!/usr/bin/env python3
"""Holds the tree to docs/architecture.md: rooms, direction, homes of foreign headers, names.

usage: layers.py [ROOT]

All rooms share one include root, so the compiler lets every room see every other; this does not.
Prints one line for each violation ("path:line: rule: what") and exits 1 if there is any.
"""

import fnmatch
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rooms  # noqa: E402

TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<tag>[^()\\\s]{0,16})\((?P<body>.*?)\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>'(?:\\.|[^'\\\n])*')
      | (?P<number>(?<![\w])\d[\w'.]*)""",
    re.S | re.X,
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>\n]+>|"[^"\n]+")', re.M)
# How a statement begins. "DELETE" alone is an HTTP verb and "update" alone an English one.
SQL = re.compile(
    r"""\s*(SELECT\s | INSERT\s | UPDATE\s | PRAGMA\s | BEGIN(\s|$|;) | COMMIT(\s|$|;) | ROLLBACK(\s|$|;)
         | (?i:select\s.*\sfrom\s | insert\s+(or\s+\w+\s+)?into\s | update\s+\w+\s+set\s | delete\s+from\s
         | (create|alter|drop)\s+(unique\s+)?(table|index|view|trigger)\s | pragma\s+\w+\s*(=|\(|;|$)
         | begin\s+(immediate|deferred|exclusive|transaction)))""",
    re.X | re.S,
)
BUILD_CALL = re.compile(
    r"\b(coffer_room|add_library|add_executable|target_link_libraries)\s*\(\s*(\w+)(.*?)\)", re.S)
CMAKE_KEYWORDS = {"SRCS", "DEPS", "PRIVATE_LIBS"}
SOURCE_SUFFIXES = {".h", ".cc"}


def matches(path, patterns):
    """Like a shell: '*' stays within one folder."""
    parts = path.split("/")
    for pattern in patterns:
        wanted = pattern.split("/")
        if len(wanted) == len(parts) and all(map(fnmatch.fnmatchcase, parts, wanted)):
            return True
    return False


def without_comments(text):
    """The text with comments blanked, lines kept, and its string literals as (line, content)."""
    literals = []

    def replace(match):
        if match["comment"] is not None:
            return re.sub(r"[^\n]", " ", match[0])
        if match["raw"] is not None:
            literals.append((text.count("\n", 0, match.start()) + 1, match["body"]))
        elif match["string"] is not None:
            literals.append((text.count("\n", 0, match.start()) + 1, match[0][1:-1]))
        return match[0]

    return TOKENS.sub(replace, text), literals


def place(path):
    """(room, kind) of a source file: kind is "door", "inside" or "example"."""
    parts = path.split("/")
    if parts[:2] == ["include", "coffer"] and len(parts) > 3:
        return parts[2], "door"
    if parts[0] == "pkcs11" and len(parts) > 2:
        kinds = {"include": "door", "src": "inside", "examples": "example"}
        return ("pkcs11", kinds[parts[1]]) if parts[1] in kinds else (None, None)
    if parts[0] == "src" and len(parts) > 2:
        return parts[1], "inside"
    return None, None


class Lint:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.violations = []
        self.used = {}  # room -> rooms that its files include

    def report(self, path, line, rule, what):
        self.violations.append(f"{path}:{line}: {rule}: {what}")

    def run(self):
        for folder in ("include", "src", "pkcs11", "tests", "bench"):
            for file in sorted((self.root / folder).rglob("*")):
                if file.is_file():
                    self.check_file(file)
        self.check_cmake()
        return self.violations

    def check_file(self, file):
        path = file.relative_to(self.root).as_posix()
        self.check_name(path)
        if file.suffix not in SOURCE_SUFFIXES:
            return
        room, kind = place(path)
        if room is None:
            return
        if room not in rooms.EDGES:
            self.report(path, 1, "unknown-room", f"no room is called {room}: add it to rooms.py")
            return
        text, literals = without_comments(file.read_text(encoding="utf-8"))
        self.used.setdefault(room, set())
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            self.check_include(path, line, room, kind, match[1])
        if not matches(path, rooms.SQL_HOMES):
            for line, literal in literals:
                if SQL.match(literal):
                    self.report(path, line, "sql-text", "SQL outside src/storage and *_store.cc")

    def check_name(self, path):
        for part in path.split("/"):
            stem = part.split(".")[0]
            if stem in rooms.FORBIDDEN_NAMES or stem.split("_")[-1] in rooms.FORBIDDEN_NAMES:
                self.report(path, 1, "name", f"nothing is called {stem}: give it a noun")

    def check_include(self, path, line, room, kind, written):
        target = written[1:-1]
        if target.startswith("coffer/"):
            self.check_door(path, line, room, kind, target)
        elif written.startswith('"'):
            self.check_private(path, line, room, kind, target)
        else:
            self.check_foreign(path, line, kind, target)

    def check_door(self, path, line, room, kind, target):
        other = target.split("/")[1]
        roots = ["include", "pkcs11/include"]
        candidates = [self.root / root / (target + end) for root in roots for end in ("", ".in")]
        if not any(candidate.is_file() for candidate in candidates):
            self.report(path, line, "unresolved", f"there is no {target}")
            return
        if other == room:
            return
        if kind != "example":
            self.used[room].add(other)
        if other not in rooms.EDGES[room]:
            self.report(path, line, "direction", f"{room} may not include {other}")

    def check_private(self, path, line, room, kind, target):
        beside = (self.root / path).parent / target
        resolved = beside if beside.is_file() else self.root / "src" / target
        if not resolved.is_file():
            self.report(path, line, "unresolved", f"there is no {target}")
            return
        other_path = resolved.resolve().relative_to(self.root.resolve()).as_posix()
        for face in rooms.FACES:
            if other_path.startswith(face) and path.startswith("src/") and not path.startswith(face):
                self.report(path, line, "face", f"{target} belongs to {face}")
        other, other_kind = place(other_path)
        if other_kind == "door":
            self.report(path, line, "door", f'write "coffer/{other}/..." for a public header')
        elif kind == "door":
            self.report(path, line, "door", f"a public header includes the private {target}")
        elif other != room:
            self.report(path, line, "private", f"{target} belongs to the inside of {other}")

    def check_foreign(self, path, line, kind, target):
        if target in rooms.STANDARD:
            return
        if target in rooms.SYSTEM or target.startswith(rooms.SYSTEM_PREFIXES):
            if kind == "door":
                self.report(path, line, "door", f"<{target}> in a public header")
            return
        for prefix, homes in rooms.HOMES.items():
            if target.startswith(prefix):
                if not matches(path, homes):
                    self.report(path, line, "foreign", f"<{target}> lives in {', '.join(homes)}")
                return
        self.report(path, line, "foreign", f"<{target}> has no home in rooms.py")

    def check_cmake(self):
        files = {room: self.root / "src" / room / "CMakeLists.txt" for room in self.used}
        files["pkcs11"] = self.root / "pkcs11" / "CMakeLists.txt"
        for room, used in sorted(self.used.items()):
            file = files[room]
            path = file.relative_to(self.root).as_posix()
            text = file.read_text(encoding="utf-8") if file.is_file() else ""
            line, named = declared(re.sub(r"#[^\n]*", "", text), room)
            if not line:
                self.report(path, 1, "cmake", f"nothing here builds {room}")
                continue
            for other in sorted(used - named):
                self.report(path, line, "cmake", f"{room} includes {other} but does not link it")
            for other in sorted(named - used):
                self.report(path, line, "cmake", f"{room} links {other}, which it never includes")
            for other in sorted(named - set(rooms.EDGES[room])):
                self.report(path, line, "direction", f"{room} may not depend on {other}")


def declared(text, room):
    """(line where the room is built or 0, rooms it links): coffer_room()'s DEPS, and the coffer_<room>
    libraries that targets of the same file link."""
    line, named = 0, set()
    for match in BUILD_CALL.finditer(text):
        command, target, arguments = match[1], match[2], match[3].split()
        if command == "target_link_libraries":
            named.update(word[7:] for word in arguments if re.fullmatch(r"coffer_[a-z0-9]+", word))
        elif target in (room, f"coffer_{room}", "coffer"):
            line = line or text.count("\n", 0, match.start()) + 1
            if command == "coffer_room":
                named |= deps(arguments)
    return line, named - {room, "flags"}


def deps(arguments):
    found, keyword = set(), None
    for word in arguments:
        if word in CMAKE_KEYWORDS:
            keyword = word
        elif keyword == "DEPS":
            found.add(word)
    return found


def main(arguments):
    root = arguments[1] if len(arguments) > 1 else pathlib.Path(__file__).parents[2]
    lint = Lint(root)
    violations = lint.run()
    for violation in violations:
        print(violation)
    if not lint.used:
        print("no source file found: is this the root of the tree?")
        return 1
    print(f"{len(violations)} violations in {len(lint.used)} rooms")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
