#!/usr/bin/env python3
"""SIGKILL at random moments of create, rotate, config and encrypt, COUNT times, with the journal outside the server: nothing
acknowledged is lost. usage: kill_storm.py COUNT"""
import base64
import http.client
import os
import random
import sqlite3
import sys
import tempfile
import threading

from coffer_server import Server


class Journal:
    """What the server has acknowledged, and so must remember."""

    def __init__(self):
        self.versions = {}     # key -> latest version acknowledged
        self.minimum = {}      # key -> min_encryption_version acknowledged
        self.asked = {}        # key -> highest minimum asked for, acknowledged or not
        self.ciphertexts = []  # (key, ciphertext, plaintext)
        self.encrypted = {}    # (key, version) -> encryptions acknowledged

    def act(self, server):
        key = "k%d" % random.randrange(8)
        choice = random.random()
        if key not in self.versions or choice < 0.05:
            status, answer = server.call("POST", "transit/keys/" + key, {})
            assert status == 200, (status, answer)
            self.versions[key] = max(self.versions.get(key, 1), answer["data"]["latest_version"])
        elif choice < 0.25:
            status, answer = server.call("POST", f"transit/keys/{key}/rotate")
            assert status == 200, (status, answer)
            self.versions[key] = answer["data"]["latest_version"]
        elif choice < 0.4:
            wanted = max(random.randint(1, self.versions[key]), self.asked.get(key, 0))
            self.asked[key] = wanted
            status, answer = server.call("POST", f"transit/keys/{key}/config", {"min_encryption_version": wanted})
            assert status == 200, (status, answer)
            self.minimum[key] = wanted
        else:
            plaintext = base64.b64encode(os.urandom(12)).decode()
            status, answer = server.call("POST", "transit/encrypt/" + key, {"plaintext": plaintext})
            assert status == 200, (status, answer)
            ciphertext = answer["data"]["ciphertext"]
            self.ciphertexts.append((key, ciphertext, plaintext))
            place = key, int(ciphertext.split(":")[1][1:])
            self.encrypted[place] = self.encrypted.get(place, 0) + 1

    def check(self, server, failures, turn, everything):
        for key, version in self.versions.items():
            status, answer = server.call("GET", "transit/keys/" + key)
            if status != 200 or answer["data"]["latest_version"] < version:
                failures.append(f"turn {turn}: {key} version {version} lost: {status} {answer}")
            elif answer["data"]["min_encryption_version"] < self.minimum.get(key, 0):
                failures.append(f"turn {turn}: {key} lost min_encryption_version {self.minimum[key]}")
        sample = self.ciphertexts if everything else random.sample(self.ciphertexts, min(10, len(self.ciphertexts)))
        for key, ciphertext, plaintext in sample:
            status, answer = server.call("POST", "transit/decrypt/" + key, {"ciphertext": ciphertext})
            if status != 200 or answer["data"]["plaintext"] != plaintext:
                failures.append(f"turn {turn}: {key} {ciphertext[:16]} does not decrypt: {status} {answer}")

    def check_counters(self, file, failures):
        database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        for (key, version), count in self.encrypted.items():
            row = database.execute("SELECT c.reserved FROM key_counters c JOIN keys k ON k.id = c.key"
                                   " WHERE k.name = ? AND c.version = ?", (key, version)).fetchone()
            if row is None or row[0] < count:
                failures.append(f"{key} version {version} counted {row} of {count} encryptions")


def main():
    count = int(sys.argv[1])
    random.seed(int.from_bytes(os.urandom(8), "big"))
    failures = []
    journal = Journal()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(os.path.join(folder, "data"))
        for turn in range(count):
            try:
                server.start()
            except RuntimeError as failure:
                failures.append(f"turn {turn}: {failure}")
                break
            journal.check(server, failures, turn, everything=False)
            killer = threading.Timer(random.uniform(0.0, 0.3), server.process.kill)
            killer.start()
            try:
                while True:
                    journal.act(server)
            except (OSError, http.client.HTTPException):
                pass
            killer.join()
            server.kill()
        else:
            server.start()
            journal.check(server, failures, count, everything=True)
            if server.stop() != 0:
                failures.append("the server did not stop cleanly")
            journal.check_counters(os.path.join(folder, "data", "coffer.db"), failures)
    print(f"{count} kills, {sum(journal.versions.values())} versions, {len(journal.ciphertexts)} ciphertexts acknowledged")
    for failure in failures[:20]:
        print("FAILED " + failure)
    print(f"{max(count - len(failures), 0)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


sys.exit(main())
