#!/usr/bin/env python3
"""SIGKILL at random moments of COUNT backups and COUNT restores, with the journal outside: a backup's name holds the former
backup or the new one, and the server has its former database or the restored one, never a mix. usage: backup_kills.py COUNT"""
import base64
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

from coffer_server import BINARY, Server, wait_for

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
KEYS = ["k0", "k1", "k2", "k3"]


class Journal:
    """What is true of one state of the database."""

    def __init__(self, versions, ciphertexts):
        self.versions = dict(versions)        # key -> latest version
        self.ciphertexts = list(ciphertexts)  # (key, ciphertext, plaintext)

    def copy(self):
        return Journal(self.versions, self.ciphertexts)


class Run:
    def __init__(self, folder):
        self.server = Server(os.path.join(folder, "data"))
        self.config = os.path.join(folder, "coffer.hcl")
        self.file = os.path.join(folder, "data", "backups", "b")
        self.now = Journal({}, [])
        self.failures = []
        self.outcomes = {"backup former": 0, "backup new": 0, "restore former": 0, "restore new": 0, "not reached": 0}
        self.backup_seconds = 0.0
        self.restore_seconds = 0.0
        data = self.server.data
        with open(self.config, "w") as out:
            out.write(f"""listener "unix" {{ address = "{data}/unused.sock" }}
                storage "sqlite" {{ path = "{data}" }}
                workers = 1
                token {{ uri = "pkcs11:token=coffer-dev?module-path={MODULE}&pin-source=file:{data}/pin"
                         softhsm_config = "{data}/softhsm2.conf" }}""")

    def command(self, *words):
        return subprocess.Popen([BINARY, "operator", *words, "-config=" + self.config], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def must(self, method, path, body=None):
        status, answer = self.server.call(method, path, body)
        if status not in (200, 204):
            raise AssertionError(f"{method} {path}: {status} {answer}")
        return answer.get("data")

    def change(self):
        """Some keys and ciphertexts more, all acknowledged."""
        for key in KEYS:
            if key not in self.now.versions:
                self.must("POST", "transit/keys/" + key, {})
                self.now.versions[key] = 1
        self.now.versions[KEYS[0]] = self.must("POST", f"transit/keys/{KEYS[0]}/rotate")["latest_version"]
        for key in KEYS:
            plaintext = base64.b64encode(os.urandom(9)).decode()
            ciphertext = self.must("POST", "transit/encrypt/" + key, {"plaintext": plaintext})["ciphertext"]
            self.now.versions[key] = int(ciphertext.split(":")[1][1:])  # it may have been rotated for this
            self.now.ciphertexts.append((key, ciphertext, plaintext))

    def manifest(self):
        """The backup's facts, from a command that checks its MAC and its database."""
        check = self.command("verify-backup", "-format=json", self.file)
        out, error = check.communicate()
        if check.returncode != 0:
            raise AssertionError("the backup does not verify: " + error)
        return json.loads(out)

    def backup(self):
        begin = time.monotonic()
        self.must("POST", "sys/backup/b", {"overwrite": True})
        wait_for(lambda: self.must("GET", "sys/backup/b")["state"] != "running", 60)
        state = self.must("GET", "sys/backup/b")
        if state["state"] != "done":
            raise AssertionError(f"the backup failed: {state}")
        self.backup_seconds = time.monotonic() - begin

    def kill_in_backup(self, turn):
        """Leaves the server running, and self.backed_up as what the file then holds."""
        former = self.manifest()["sha256"]
        self.change()
        killer = threading.Timer(random.uniform(0, 1.2 * self.backup_seconds), self.server.process.kill)
        killer.start()
        try:
            self.must("POST", "sys/backup/b", {"overwrite": True})
            wait_for(lambda: self.must("GET", "sys/backup/b")["state"] == "failed", 60)
        except (OSError, http.client.HTTPException):
            pass
        killer.join()
        self.server.kill()
        found = self.manifest()["sha256"]
        self.outcomes["backup former" if found == former else "backup new"] += 1
        if found != former:
            self.backed_up = self.now.copy()
        self.server.start()
        self.check(turn, "after a kill in a backup")

    def kill_in_restore(self, turn):
        self.change()
        former = self.now.copy()
        self.server.stop()
        epoch = self.manifest()["epoch"]
        restore = self.command("restore", f"-accept-rollback={epoch}", self.file)
        try:
            _, error = restore.communicate(timeout=random.uniform(0, 1.1 * self.restore_seconds))
            self.outcomes["not reached"] += 1
            if restore.returncode != 0:
                self.failures.append(f"turn {turn}: the restore failed: {error}")
        except subprocess.TimeoutExpired:
            restore.kill()
            restore.communicate()
        self.server.start()
        restored = self.must("GET", "transit/keys/" + KEYS[0])["latest_version"] != former.versions[KEYS[0]]
        self.now = self.backed_up.copy() if restored else former
        self.outcomes["restore new" if restored else "restore former"] += 1
        self.check(turn, "after a kill in a restore")
        if restored:
            self.check_rotation(turn)
        for suffix in ("", "-wal", "-journal"):
            aside = os.path.join(self.server.data, "coffer.db.replaced" + suffix)
            if os.path.exists(aside):
                os.remove(aside)

    def check(self, turn, when):
        """The whole of one state: each key at its version, each of its ciphertexts open."""
        names = self.must("LIST", "transit/keys")["keys"]
        if sorted(names) != sorted(self.now.versions):
            self.failures.append(f"turn {turn} {when}: keys {names}, wanted {sorted(self.now.versions)}")
        for key, version in self.now.versions.items():
            found = self.must("GET", "transit/keys/" + key)["latest_version"]
            if found != version:
                self.failures.append(f"turn {turn} {when}: {key} at version {found}, wanted {version}")
        for key, ciphertext, plaintext in self.now.ciphertexts:
            status, answer = self.server.call("POST", "transit/decrypt/" + key, {"ciphertext": ciphertext})
            if status != 200 or answer["data"]["plaintext"] != plaintext:
                self.failures.append(f"turn {turn} {when}: {key} {ciphertext[:16]} does not open: {status} {answer}")

    def check_rotation(self, turn):
        """After a restore the first encryption of each key is by a new version."""
        for key, version in self.now.versions.items():
            ciphertext = self.must("POST", "transit/encrypt/" + key, {"plaintext": "aGVsbG8="})["ciphertext"]
            found = int(ciphertext.split(":")[1][1:])
            if found != version + 1:
                self.failures.append(f"turn {turn}: {key} encrypted by version {found} after a restore of {version}")
            self.now.versions[key] = found
            self.now.ciphertexts.append((key, ciphertext, "aGVsbG8="))

    def rehearse(self):
        """One whole backup and one whole restore: how long they take."""
        self.server.start()
        self.change()
        self.backup()  # makes room in caches
        self.backup()
        self.backed_up = self.now.copy()
        self.server.stop()
        begin = time.monotonic()
        epoch = self.manifest()["epoch"]
        restore = self.command("restore", f"-accept-rollback={epoch}", self.file)
        _, error = restore.communicate()
        if restore.returncode != 0:
            raise AssertionError("the first restore failed: " + error)
        self.restore_seconds = time.monotonic() - begin
        os.remove(os.path.join(self.server.data, "coffer.db.replaced"))
        self.server.start()
        self.check_rotation(0)


def main():
    count = int(sys.argv[1])
    random.seed(int.from_bytes(os.urandom(8), "big"))
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder)
        turn = 0
        try:
            run.rehearse()
            for turn in range(1, count + 1):
                run.kill_in_backup(turn)
                run.kill_in_restore(turn)
                # A short history: each turn opens every ciphertext of it.
                run.now.ciphertexts = run.now.ciphertexts[-40:]
                run.backed_up.ciphertexts = run.backed_up.ciphertexts[-40:]
        except (AssertionError, RuntimeError) as failure:
            run.failures.append(f"turn {turn}: {failure}")
        if run.server.process.poll() is None and run.server.stop() != 0:
            run.failures.append("the server did not stop cleanly")
    print(f"{count} kills in backups, {count} in restores: {run.outcomes}")
    for failure in run.failures[:20]:
        print("FAILED " + failure)
    print(f"{max(2 * count - len(run.failures), 0)} passed, {len(run.failures)} failed, 0 skipped")
    return 1 if run.failures else 0


sys.exit(main())
