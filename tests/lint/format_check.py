#!/usr/bin/env python3
"""Every C++ file that git knows, or would add, is as clang-format-14 writes it.

usage: format_check.py [ROOT]     to repair: clang-format-14 -i FILE...
"""

import pathlib
import subprocess
import sys


def main(arguments):
    root = arguments[1] if len(arguments) > 1 else pathlib.Path(__file__).parents[2]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.h", "*.cc"],
        cwd=root, check=True, capture_output=True, text=True).stdout
    files = sorted({name for name in listed.split("\0") if name and pathlib.Path(root, name).is_file()})
    if not files:
        print("no C++ file found: is this a git work tree?")
        return 1
    bad = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *files], cwd=root).returncode
    print(f"{len(files)} files " + ("differ in places" if bad else "are formatted"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
