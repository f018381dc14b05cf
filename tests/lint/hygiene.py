#!/usr/bin/env python3
"""What must not stand in the tree: paths of one machine, addresses of package registries, Markdown
links that lead nowhere.

usage: hygiene.py [ROOT]

Prints one line for each violation ("path:line: rule: what") and exits 1 if there is any.
"""

import pathlib
import re
import subprocess
import sys

RULES = {
    "machine-path": re.compile(r"(?<![\w.$}*-])/(?:work|home/\w+|Users/\w+|tmp/bash_" r"jobs)(?:/|\b)"),
    "registry": re.compile(
        r"py" r"pi\.org|python" r"hosted\.org|registry\.np" r"mjs|registry\.yarn" r"pkg|(?:deb|security)\.deb" r"ian\.org"
        r"|proxy\.go" r"lang\.org|artifactory|\bindex-url\b|\"resolved\":", re.I),
}
# These name what they look for.
EXEMPT = {"tests/lint/hygiene.py", "tests/lint/hygiene_test.py"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")


def check(path, text, exists):
    """Violations of one file; `exists` says whether a path of the tree is there."""
    found = []
    in_code = False
    for number, line in enumerate(text.splitlines(), 1):
        for rule, pattern in RULES.items():
            match = pattern.search(line)
            if match:
                found.append(f"{path}:{number}: {rule}: {match[0]}")
        if path.endswith(".md"):
            in_code ^= line.lstrip().startswith("```")
            for link in [] if in_code else LINK.findall(line):
                if "://" not in link and not exists((pathlib.PurePosixPath(path).parent / link)):
                    found.append(f"{path}:{number}: link: there is no {link}")
    return found


def main(arguments):
    root = pathlib.Path(arguments[1] if len(arguments) > 1 else pathlib.Path(__file__).parents[2])
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True, text=True).stdout
    violations, files = [], 0
    for name in sorted({name for name in listed.split("\0") if name} - EXEMPT):
        file = root / name
        content = file.read_bytes() if file.is_file() else b"\0"
        if b"\0" in content[:4096]:
            continue
        files += 1
        text = content.decode("utf-8", errors="replace")
        violations += check(name, text, lambda path: (root / path).exists())
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations in {files} files")
    return 1 if violations or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
