#!/usr/bin/env python3
"""The disk fills up under a running server, COUNT times, and then has room again: writes are refused and lose nothing, keys
that are there go on working, and with room the server goes on by itself. usage: full_disk.py COUNT"""
import contextlib
import os
import subprocess
import sys
import tempfile

from coffer_server import Server, wait_for

ROOM = "24m"
BACK_BOUND = 5.0  # five times the second that is promised: this machine is shared
PLAINTEXT = "aGVsbG8="


@contextlib.contextmanager
def small_disk(folder):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + ROOM, "tmpfs", folder], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        print("SKIPPED full_disk.py: a small tmpfs cannot be mounted: " + done.stderr.strip())
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(0)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as out:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    out.write(bytes(size))


class Run:
    def __init__(self, server, failures):
        self.server = server
        self.failures = failures
        self.versions = {}
        self.ciphertexts = []

    def expect(self, what, status, answer, wanted):
        if status != wanted:
            self.failures.append(f"{what} answered {status} {answer}")

    def use(self, what, key):
        status, answer = self.server.call("POST", "transit/encrypt/" + key, {"plaintext": PLAINTEXT})
        self.expect(f"{what}: encrypt", status, answer, 200)
        if status == 200:
            self.ciphertexts.append((key, answer["data"]["ciphertext"]))
        for key_name, ciphertext in self.ciphertexts[-4:]:
            status, answer = self.server.call("POST", "transit/decrypt/" + key_name, {"ciphertext": ciphertext})
            self.expect(f"{what}: decrypt", status, answer, 200)

    def change(self, key):
        """The status of a change; what is acknowledged is remembered."""
        path = f"transit/keys/{key}/rotate" if key in self.versions else "transit/keys/" + key
        status, answer = self.server.call("POST", path, {})
        if status == 200:
            self.versions[key] = answer["data"]["latest_version"]
        elif status != 503 or "full" not in str(answer) and "try again" not in str(answer):
            self.failures.append(f"{path} answered {status} {answer} on a full disk")
        return status

    def check(self, what):
        for key, version in self.versions.items():
            status, answer = self.server.call("GET", "transit/keys/" + key)
            if status != 200 or answer["data"]["latest_version"] < version:
                self.failures.append(f"{what}: {key} version {version} lost: {status} {answer}")
        for key, ciphertext in self.ciphertexts:
            status, answer = self.server.call("POST", "transit/decrypt/" + key, {"ciphertext": ciphertext})
            if status != 200 or answer["data"]["plaintext"] != PLAINTEXT:
                self.failures.append(f"{what}: {key} does not decrypt: {status} {answer}")


def main():
    count = int(sys.argv[1])
    failures = []
    refused = 0
    worst = 0.0
    with tempfile.TemporaryDirectory() as disk, small_disk(disk):
        filler = os.path.join(disk, "filler")
        server = Server(os.path.join(disk, "data"))
        server.start()
        run = Run(server, failures)
        for name in ("a", "b"):
            run.change(name)
            run.use("at first", name)
        for turn in range(count):
            fill(filler)
            for attempt in range(200):  # what SQLite has reserved is used up after some
                if run.change("a") == 503:
                    refused += 1
                    break
                fill(filler + str(attempt))
            else:
                failures.append(f"turn {turn}: no change was refused on a full disk")
            if run.change(f"new-{turn}") == 503:
                refused += 1
            run.use(f"turn {turn}, full", "b")
            for name in os.listdir(disk):
                if name.startswith("filler"):
                    os.unlink(os.path.join(disk, name))
            took = wait_for(lambda: run.change("b") == 200, BACK_BOUND)
            if took is None:
                failures.append(f"turn {turn}: changes still refused {BACK_BOUND} s after there was room")
            else:
                worst = max(worst, took)
            for name in ("a", "b"):  # from here on each has a block of counted encryptions
                run.use(f"turn {turn}, with room", name)
        run.check("running")
        if server.stop() != 0:
            failures.append("the server did not stop cleanly")
        server.start()
        run.check("started again")
        server.stop()
    print(f"{refused} changes refused, {sum(run.versions.values())} versions acknowledged, "
          f"changes again {worst:.3f} s after there was room at most")
    for failure in failures[:20]:
        print("FAILED " + failure)
    print(f"{max(count - len(failures), 0)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


sys.exit(main())
