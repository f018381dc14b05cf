#!/usr/bin/env python3
"""What words must not do: begin a comment in the air, cite a note that is not in the tree, or fill a table.

usage: words.py [ROOT]

hanging: a comment of a C++ source begins with a word that hangs ("Of", "Where", "Whether"): it has no
subject, and only its author understands it. tests/lint/hanging_comments has how many there may be; the
number can only fall: lower it with your change. cited: a comment, a document or a script names a page
(NAME.md) or a chapter of a note that is not in this tree. wide: a cell of a table in a document is longer
than a terminal shows.

Prints one line for each violation ("path:line: rule: what") and exits 1 if there is any.
"""

import pathlib
import re
import subprocess
import sys

COMMENT = re.compile(r"\s*//+<?\s*(.*)")
HANGING = re.compile(r"(Of|Likewise|Where|What|Whether|Who|Whose|Those|Any other|Such|Less)\b")
LIMIT = "tests/lint/hanging_comments"

PAGE = re.compile(r"[\w./-]*\w\.md\b")
# Notes that the tree was planned by. A page may have the name of one, but none numbers its chapters.
NOTES = r"key-custody|vault-api|front-door|database-engine|promises|anchors"
CHAPTER = re.compile(rf"\b(?:{NOTES})\b(?:\.md)?`?,?(?:\s|//|#)+(?:section|chapter|§|\d)")
# Pages of other projects, as they are cited.
OUTSIDE = set()
WIDEST = 250
# These name what they look for.
EXEMPT = {"tests/lint/words.py", "tests/lint/words_test.py", "tests/lint/hygiene_test.py"}


def hanging(path, text):
    """The comments of one source that begin with a hanging word: a block counts by its first line."""
    found, inside = [], False
    for number, line in enumerate(text.splitlines(), 1):
        comment = COMMENT.match(line)
        if comment and not inside and HANGING.match(comment[1]):
            found.append(f"{path}:{number}: hanging: {comment[1]}")
        inside = bool(comment)
    return found


def judge(found, limit):
    """The violations among `found`, where `limit` comments may hang."""
    if len(found) <= limit:
        return []
    return found + [f"{LIMIT}:1: hanging: {len(found)} comments begin with a hanging word, {limit} may: "
                    "give them a subject"]


def remark(found, limit):
    """What is to be done where fewer hang than may, or nothing."""
    if len(found) >= limit:
        return ""
    return f"; {limit} may: lower the number in {LIMIT} to {len(found)}"


def cited(path, text, exists):
    """The citations of one file that lead nowhere; `exists` says whether a path of the tree is there."""
    folder = pathlib.PurePosixPath(path).parent
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for page in PAGE.findall(line):
            # A page is named from the root, from docs/ or a folder of it, from beside the file, or as installed.
            places = [page.lstrip("/"), "docs/" + re.sub(r"^(\.\./)+", "", page), str(folder / page),
                      re.sub(r"^.*?/docs/", "docs/", page)]
            if page not in OUTSIDE and not any(exists(place) for place in places):
                found.append(f"{path}:{number}: cited: there is no {page}")
    for chapter in CHAPTER.finditer(text):
        number = text.count("\n", 0, chapter.start()) + 1
        name = " ".join(chapter[0].split())
        found.append(f"{path}:{number}: cited: no page numbers its chapters: {name}")
    return found


def wide(path, text):
    """The lines of one document that are rows with a cell of more than WIDEST characters."""
    return [f"{path}:{number}: wide: a cell of more than {WIDEST} characters: make it a list or a section"
            for number, line in enumerate(text.splitlines(), 1)
            if line.startswith("|") and any(len(cell.strip()) > WIDEST for cell in line.split("|"))]


def main(arguments):
    root = pathlib.Path(arguments[1] if len(arguments) > 1 else pathlib.Path(__file__).parents[2])
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True, text=True).stdout
    comments, violations, files = [], [], 0
    for name in sorted({name for name in listed.split("\0") if name} - EXEMPT):
        file = root / name
        content = file.read_bytes() if file.is_file() else b"\0"
        if b"\0" in content[:4096]:
            continue
        files += 1
        text = content.decode("utf-8", errors="replace")
        if name.endswith((".h", ".cc")):
            comments += hanging(name, text)
        if name.endswith(".md"):
            violations += wide(name, text)
        violations += cited(name, text, lambda path: (root / path).is_file())
    limit = int((root / LIMIT).read_text(encoding="ascii"))
    violations += judge(comments, limit)
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations in {files} files, {len(comments)} hanging comments"
          f"{remark(comments, limit)}")
    return 1 if violations or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
