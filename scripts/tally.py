#!/usr/bin/env python3
"""Turns a test run's report into the lines that scripts/test.sh counts.

usage: tally.py reports FILE...    *.xml of ctest or pytest, *.tap of node --test
       tally.py unittest FOLDER   runs the *_test.py of FOLDER
       tally.py slow FILE...      lists the ten slowest tests of these *.xml with their seconds

Prints "FAILED name" and "SKIPPED name: reason" lines, then "N passed, N failed, N skipped"; exits 1
if something failed or nothing was run. The end of what a failed test printed follows its name, each
line after "| ".
"""

import pathlib
import re
import sys
import unittest
import xml.etree.ElementTree


def reports(paths):
    for path in paths:
        yield from (tap if path.endswith(".tap") else junit)(path)


def junit(path):
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        # pytest names the module in classname; ctest repeats the test's name there.
        name, group = case.get("name"), case.get("classname", "")
        if group and group != name:
            name = f"{group}.{name}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            yield "failed", name, printed_by(case)
        elif skip is not None or case.get("status") in ("notrun", "disabled"):
            yield "skipped", name, reason(case, skip)
        else:
            yield "passed", name, ""


def printed_by(case):
    """The last lines of its output: what ctest puts beside a failure, what pytest puts into it."""
    texts = [case.findtext(part) or "" for part in ("failure", "error", "system-out")]
    return "\n".join("\n".join(texts).strip().splitlines()[-40:])


def reason(case, skip):
    """pytest gives it as a message; of a GoogleTest, it is what GTEST_SKIP() printed."""
    printed = case.findtext("system-out") or ""
    match = re.search(r"Skipped\n(.+?)\n", printed)
    if match:
        return match[1].strip()
    return (skip.get("message") if skip is not None else "") or "no reason given"


def tap(path):
    """Tests of the top level; each failing hook of a file is one more failure there."""
    client = pathlib.Path(path).stem.removeprefix("clients-")
    line_form = re.compile(r"^(\s*)(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)\s?(.*))?$")
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = line_form.match(line.rstrip("\n"))
            if not match or match[1]:
                continue
            if match[4]:
                yield "skipped", f"{client}.{match[3]}", match[5] or "no reason given"
            else:
                yield ("failed" if match[2] else "passed"), f"{client}.{match[3]}", ""


def python_tests(paths):
    suite = unittest.defaultTestLoader.discover(paths[0], pattern="*_test.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    bad = [test.id() for test, _ in result.failures + result.errors]
    for name in bad:
        yield "failed", name, ""
    for test, why in result.skipped:
        yield "skipped", test.id(), why
    for _ in range(result.testsRun - len(set(bad)) - len(result.skipped)):
        yield "passed", "", ""


def print_slowest(paths):
    took = [
        (float(case.get("time") or 0), pathlib.Path(path).stem, case.get("name"))
        for path in paths
        for case in xml.etree.ElementTree.parse(path).iter("testcase")
    ]
    for seconds, run, name in sorted(took, reverse=True)[:10]:
        print(f"{seconds:8.1f} s  {run}: {name}")


def main(arguments):
    readers = {"reports": reports, "unittest": python_tests}
    if len(arguments) > 2 and arguments[1] == "slow":
        print_slowest(arguments[2:])
        return 0
    if len(arguments) < 3 or arguments[1] not in readers:
        print(__doc__, file=sys.stderr)
        return 2
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for outcome, name, why in readers[arguments[1]](arguments[2:]):
        count[outcome] += 1
        if outcome == "failed":
            print(f"FAILED {name}")
            for line in why.splitlines():
                print(f"| {line[:300]}")
        elif outcome == "skipped":
            print(f"SKIPPED {name}: {why}")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not sum(count.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
