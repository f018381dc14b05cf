#!/usr/bin/env python3
"""coffer hsm init, killed at COUNT of its system calls that change files, and one more time at the next command's: the run after it
finishes the token, with every object, and a server's console opens it. Most kills are in the making of the token itself.
strace kills at the very call. usage: init_kills.py COUNT"""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from coffer_server import BINARY

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
CALLS = ("ftruncate", "write", "mkdir", "rename", "fsync", "unlink")
EARLY = 60  # of the calls that write: SoftHSM's making of a token, its PINs, and the first objects


class Place:
    """A configuration in a folder of its own, and the commands on it."""

    def __init__(self, folder):
        self.folder = folder
        os.mkdir(os.path.join(folder, "tokens"))
        self.write("softhsm2.conf", f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
        self.write("coffer.hcl", f"""listener "unix" {{ address = "{folder}/unused.sock" }}
            storage "sqlite" {{ path = "{folder}/data" }}
            workers = 1
            token {{ uri = "pkcs11:token=kills?module-path={MODULE}&pin-source=file:{folder}/pin"
                     so_pin_source = "{folder}/so-pin"
                     softhsm_config = "{folder}/softhsm2.conf" }}""")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as out:
            out.write(text)

    def run(self, *words, before=()):
        return subprocess.run([*before, BINARY, *words, f"-config={self.folder}/coffer.hcl"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)


def count_calls():
    """How often a whole run makes each call, and the objects that it lists."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        trace = os.path.join(folder, "trace")
        done = place.run("hsm", "init", before=("strace", "-f", "-qq", "-o", trace, "-e", "trace=" + ",".join(CALLS)))
        if done.returncode != 0:
            raise AssertionError("hsm init fails without a kill: " + done.stderr)
        with open(trace) as file:
            names = re.findall(r"^\d+ +(\w+)\(", file.read(), re.MULTILINE)
        return {call: names.count(call) for call in CALLS if call in names}, objects(done.stdout)


def objects(out):
    return sorted(re.findall(r"^  (coffer-\S+)", out, re.MULTILINE))


def choose(counts):
    call = random.choice([call for call in counts if call in ("ftruncate", "write")] * 3 + list(counts))
    last = counts[call]
    return call, random.randint(1, min(last, EARLY) if random.random() < 0.6 else last)


def attempt(kills, wanted):
    """The fault, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        killed = 0
        for call, which in kills:
            killed += place.run("hsm", "init", before=("strace", "-f", "-qq", "-o", "/dev/null", "-e",
                                                       f"inject={call}:signal=SIGKILL:when={which}")).returncode != 0
        for words in (("hsm", "init"), ("hsm", "init"), ("operator", "init")):
            done = place.run(*words)
            remedy = re.search(r"it holds no key: SOFTHSM2_CONF=(\S+) (softhsm2-util .*)", done.stderr)
            if remedy:  # the one state that only an operator's word ends
                subprocess.run(remedy[2].split(), env={**os.environ, "SOFTHSM2_CONF": remedy[1]}, check=True,
                               capture_output=True, timeout=60)
                done = place.run(*words)
            if done.returncode != 0:
                return killed, f"coffer {' '.join(words)}: {done.stderr.strip()}"
            if words[0] == "hsm" and objects(done.stdout) != wanted:
                return killed, f"objects {objects(done.stdout)}"
        return killed, None


def main():
    probe = ["strace", "-qq", "-o", "/dev/null", "true"]
    if shutil.which("strace") is None or subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        print("SKIPPED init_kills.py: strace, which kills at a system call, is not there or may not trace")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    counts, wanted = count_calls()
    seed = random.randrange(1 << 32)
    random.seed(seed)
    killed = failed = 0
    turns = int(sys.argv[1])
    for turn in range(turns):
        kills = [choose(counts) for _ in range(1 + turn % 2)]
        reached, fault = attempt(kills, wanted)
        killed += reached
        if fault:
            failed += 1
            print(f"FAILED: killed at {kills}: {fault}")
    print(f"{killed} kills in {turns} turns, seed {seed}")
    if not killed:
        failed = turns
    print(f"{turns - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
