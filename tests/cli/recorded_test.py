#!/usr/bin/env python3
"""Runs recorded commands of the reference's program with `coffer` in its place. usage: recorded_test.py COFFER

The recordings are not part of this tree: COFFER_CLI_CASES names the folder of their cases.jsonl; without it the test is skipped.
One JSON object a line, in order, for a fresh development server: environment, arguments, standard input, exit code, both outputs.
Exit code, standard output and standard error are compared, with random values (ids, times, ciphertexts, keys) and the width of
columns masked. recorded_differences.txt lists the steps that differ, each with the reason; a step that is listed there and does
not differ is a failure, too."""
import json
import os
import pathlib
import re
import subprocess
import sys

from dev_server import DevServer

MASKS = [
    (r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----(\\n|\n)?", "PEM"),
    (r"vault:v\d+:[A-Za-z0-9+/=]+", "CIPHERTEXT"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"\b1[6-9]\d{8}\b", "1111111111"),
    (r"\b[a-z_]+_[0-9a-f]{8}\b", "ACCESSOR"),
    (r"\b[A-Za-z0-9]{24}\b", "ACCESSOR"),
    (r"\b[0-9a-f]{32}\b|\b[A-Za-z0-9+/]{22}==", "RANDOM"),
    (r"v?\d+\.\d+\.\d+(\+builtin\.\w+)?", "VERSION"),
    (r"(vault|coffer)-cluster-[0-9a-f]+", "CLUSTER"),
    (r'(failed to reach \S+: |dial tcp \S+ connect: )', "NETWORK "),
    (r"[Cc]onnection refused", "connection refused"),
    (r"\bOpenBao\b", "Coffer"),
    (r"\bbao\b", "coffer"),
    (r"-{3,}", "---"),
    (r"[ \t]+", " "),
    (r"\* 1 error occurred:\n *\* ([^\n]*)\n+", r"* \1\n"),
    (r'run "coffer login"\s+again\.\s+', 'run "coffer login" again. '),
    (r" +\n", "\n"),
]


def masked(text, address):
    text = text.replace(address, "{ADDR}")
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text, flags=re.S)
    return text.strip("\n")


def holds(got, wanted):
    """Whether all of `wanted` is in `got`: an answer of ours may have more members."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(name in got and holds(got[name], wanted[name]) for name in wanted)
    return got == wanted


def matches(got, wanted, address):
    got, wanted = masked(got, address), masked(wanted, address)
    try:
        return holds(json.loads(got), json.loads(wanted))
    except ValueError:
        pass
    if not wanted.startswith(("Key Value\n", "data:\n")):
        return got == wanted
    rest = iter(got.splitlines())  # a table or YAML: all its lines, in their order
    return all(line in rest for line in wanted.splitlines())


def read_differences(file):
    """[(pattern of the words, reason)]"""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern, _, reason = line.partition("\t")
            found.append((re.compile(pattern), reason))
    return found


def run_step(step, address, home, env):
    fill = lambda text: text.replace("{ADDR}", address).replace("{TOKEN}", "root").replace("{HOME}", home)
    env = dict(env)
    for name, value in step["env"].items():
        env[name] = fill(value)
        if value == "-":
            del env[name]
    done = subprocess.run(["coffer", *map(fill, step["args"])], input=step["stdin"] or "", env=env, text=True, capture_output=True,
                          timeout=60)
    return done.returncode, done.stdout, done.stderr


def differences_of(step, address, home, env):
    code, out, error = run_step(step, address, home, env)
    told = []
    if code != step["exit"]:
        told.append(f"exit code {code}, recorded {step['exit']}")
    for name, got in (("stdout", out), ("stderr", error)):
        wanted = step[name]
        if "(usage text)" not in wanted and not matches(got, wanted.replace("{TOKEN}", "root"), address):
            told.append(f"{name}:\n{got}recorded:\n{wanted}")
    return told


def main():
    cases = pathlib.Path(os.environ.get("COFFER_CLI_CASES", "")) / "cases.jsonl"
    if not os.environ.get("COFFER_CLI_CASES") or not cases.is_file():
        print("no recordings: COFFER_CLI_CASES names no folder with cases.jsonl\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    steps = [json.loads(line) for line in cases.read_text(encoding="utf-8").splitlines()]
    listed = read_differences(pathlib.Path(__file__).parent / "recorded_differences.txt")
    failed, used = 0, set()
    with DevServer(sys.argv[1], "root") as server:
        home = os.path.join(server.folder, "home")
        os.mkdir(home)
        env = server.env(HOME=home)
        for number, step in enumerate(steps):
            words = " ".join([f"{k}={v}" for k, v in step["env"].items()] + step["args"])
            known = [pattern for pattern, _ in listed if pattern.fullmatch(words)]
            told = differences_of(step, server.address, home, env)
            used.update(known if told else [])
            if told and not known:
                failed += 1
                print(f"--- step {number}: {words}\n" + "\n".join(told))
    for pattern, reason in listed:
        if pattern not in used:
            failed += 1
            print(f"recorded_differences.txt: no step differs as {pattern.pattern} ({reason})")
    print(f"{len(steps) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


main()
