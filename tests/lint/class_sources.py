#!/usr/bin/env python3
"""Holds a class's members to two sources: whoever reads a class must not look for it all over a room.

usage: class_sources.py [ROOT]

A definition is read from its first line as clang-format leaves it: "Type Class::Member(" at the
beginning of a line. Classes in `rooms.ALLOWED_SOURCES` may have as many sources as it says; the
number may only fall. Prints one line for each violation and exits 1 if there is any.
"""

import collections
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import layers  # noqa: E402
import rooms  # noqa: E402

MOST = 2
# The scopes before the member's name are the class: "Status A::B::Do(" is of A::B. Code in a function
# is indented, so it never begins a line.
DEFINITION = re.compile(r"^(?=\w)[\w:<>,&* \[\]()]*?(?<![\w:])((?:[A-Z]\w*::)+)(?:~?\w+|operator[^\s(]+)\(", re.M)


def classes_of(text):
    """The classes that the source defines members of."""
    text, _ = layers.without_comments(text)
    return {match[1].rstrip(":") for match in DEFINITION.finditer(text)}


def main(arguments):
    root = pathlib.Path(arguments[1] if len(arguments) > 1 else ".")
    sources = collections.defaultdict(set)
    for folder in ("src", "pkcs11/src"):
        for path in sorted((root / folder).rglob("*.cc")):
            relative = path.relative_to(root)
            room = "pkcs11" if folder != "src" else relative.parts[1]
            for name in classes_of(path.read_text()):
                sources[room, name].add(relative.as_posix())
    violations = []
    for (room, name), where in sorted(sources.items()):
        allowed = rooms.ALLOWED_SOURCES.get(f"{room}::{name}", MOST)
        if len(where) > allowed:
            violations.append(f"{min(where)}: class-sources: the members of {name} lie in {len(where)} "
                              f"sources, and {allowed} are allowed: {', '.join(sorted(where))}")
        elif allowed > MOST and len(where) < allowed:
            violations.append(f"tests/lint/rooms.py: class-sources: {room}::{name} lies in {len(where)} "
                              f"sources now: lower its number, or take its row away at {MOST}")
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations in {len(sources)} classes")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
