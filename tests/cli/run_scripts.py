#!/usr/bin/env python3
"""Runs text scripts against the real program. usage: run_scripts.py COFFER SCRIPT...

A script is a run of steps:
  $ COMMAND     by bash, in a directory of the script's own; `coffer` is the program under test
  > LINE        a line of its standard output, "..." standing for anything in it; the last may lack its newline
  ! LINE        a line of its standard error
  ? CODE        its exit code, 0 unless it is said
  > ...         alone on its line: any lines
  # ...         a note
One dev server serves all scripts; VAULT_ADDR and VAULT_TOKEN point there, and HOME is the script's directory."""
import pathlib
import re
import subprocess
import sys
import tempfile

from dev_server import DevServer


class Step:
    def __init__(self, line, command):
        self.line, self.command = line, command
        self.out, self.error, self.code = [], [], 0


def read_steps(script):
    steps = []
    for number, line in enumerate(script.read_text(encoding="utf-8").splitlines(), 1):
        mark, rest = line[:2], line[2:]
        if mark == "$ ":
            steps.append(Step(number, rest))
        elif mark in ("> ", "! ") or line in (">", "!"):
            (steps[-1].out if line[0] == ">" else steps[-1].error).append(rest)
        elif mark == "? ":
            steps[-1].code = int(rest)
        elif line and not line.startswith("#"):
            raise SystemExit(f"{script}:{number}: what is this line?")
    return steps


def matches(wanted, got):
    pattern = ""
    for line in wanted:
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("...")) + r"\n"
    return re.fullmatch(pattern, got + ("\n" if got and not got.endswith("\n") else "")) is not None


def run_script(script, env):
    """The complaints."""
    complaints = []
    with tempfile.TemporaryDirectory() as folder:
        for step in read_steps(script):
            done = subprocess.run(["bash", "-c", step.command], cwd=folder, env={**env, "HOME": folder}, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            if done.returncode != step.code or not matches(step.out, done.stdout) or \
                    not matches(step.error, done.stderr):
                complaints.append(f"{script}:{step.line}: $ {step.command}\n"
                                  f"exit code {done.returncode}, wanted {step.code}\n{done.stdout}{done.stderr}")
    return complaints


def main():
    scripts = [pathlib.Path(name) for name in sys.argv[2:]]
    with DevServer(sys.argv[1], "cli-root") as server:
        env = server.env(SOCKET=f"unix:{server.folder}/data/coffer.sock")
        complaints = {script: run_script(script, env) for script in scripts}
    for found in complaints.values():
        for complaint in found:
            print(complaint)
    failed = sum(1 for found in complaints.values() if found)
    print(f"{len(scripts) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed or not scripts else 0)


main()
