#!/usr/bin/env python3
"""Memory that making and dropping keys takes: it must come back, whatever the operation and however often.

key_memory.py COUNT    COUNT keys made, COUNT contexts derived and COUNT keys loaded, a tenth as many of the slower changes. Each
                       operation is first done a while, so that what is kept on purpose is there; from then on the server's
                       resident memory may grow by less than 32 MiB.
"""
import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile

from coffer_server import Server, wait_for

BOUND = 32 * 1024 * 1024
CONNECTIONS = 4
PLAINTEXT = base64.b64encode(b"a message").decode()


class Client:
    """Kept connections, used in turn: each belongs to one worker of the server."""

    def __init__(self, port):
        self.connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(CONNECTIONS)]
        self.turn = 0

    def call(self, path, body=None, method="POST"):
        self.turn += 1
        connection = self.connections[self.turn % CONNECTIONS]
        connection.request(method, "/v1/transit/" + path, json.dumps(body or {}), {"X-Vault-Token": "root"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{path}: answered {answer.status} {text[:200]!r}")
        return json.loads(text)["data"] if text else {}

    def encrypt(self, key, **more):
        self.call(f"encrypt/{key}", {"plaintext": PLAINTEXT, **more})


def public_key():
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                          check=True, capture_output=True)
    return subprocess.run(["openssl", "pkey", "-pubout"], input=made.stdout, check=True, capture_output=True).stdout.decode()


class Operations:
    """What is done with keys, by name; each method does it for a number that it has not had before."""

    def __init__(self, client):
        self.client = client
        self.pem = public_key()
        client.call("keys/rotated")
        client.call("keys/derived", {"derived": True})
        client.call("keys/convergent", {"derived": True, "convergent_encryption": True})
        client.call("keys/saved")

    def create(self, number):
        self.client.call(f"keys/made-{number}")

    def load(self, number):
        """Encrypts with a key that create() made: it is read, checked and unwrapped, where it is not cached."""
        self.client.encrypt(f"made-{number}")

    def derive(self, number):
        context = base64.b64encode(f"context {number}".encode()).decode()
        self.client.encrypt("convergent" if number % 4 == 0 else "derived", context=context)

    def make_by_encrypting(self, number):
        self.client.encrypt(f"made-by-encrypting-{number}")

    def make_a_pair(self, number):
        self.client.call(f"keys/pair-{number}", {"type": "ecdsa-p256"})
        self.client.call(f"sign/pair-{number}", {"input": PLAINTEXT})

    def import_a_public_key(self, number):
        self.client.call(f"keys/imported-{number}/import", {"type": "ecdsa-p256", "public_key": self.pem})

    def rotate_and_trim(self, number):
        self.client.call("keys/rotated/rotate")
        if number % 50 == 49:
            latest = self.client.call("keys/rotated", method="GET")["latest_version"]
            self.client.call("keys/rotated/config", {"min_decryption_version": latest, "min_encryption_version": latest})
            self.client.call("keys/rotated/trim", {"min_available_version": latest})

    def make_and_delete(self, number):
        self.client.encrypt(f"gone-{number}")
        self.client.call(f"keys/gone-{number}/config", {"deletion_allowed": True})
        self.client.call(f"keys/gone-{number}", method="DELETE")

    def restore(self, number):
        backup = self.client.call("backup/saved", method="GET")["backup"]
        self.client.call(f"restore/restored-{number}", {"backup": backup})


# How many of COUNT each does, in order.
SHARES = {"create": 1, "load": 1, "derive": 1, "make_by_encrypting": 0.1, "make_a_pair": 0.1, "import_a_public_key": 0.1,
          "rotate_and_trim": 0.1, "make_and_delete": 0.1, "restore": 0.1}


def resident(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(server, operation, count, before_it_counts):
    """Bytes by which the server grew; freed memory goes back to the system after some seconds."""
    for number in range(before_it_counts):
        operation(number)
    before = resident(server.process.pid)
    for number in range(before_it_counts, before_it_counts + count):
        operation(number)
    wait_for(lambda: resident(server.process.pid) - before < BOUND, 15)
    return resident(server.process.pid) - before


def main():
    count = int(sys.argv[1])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])  # the server has a worker for each
    passed = failed = 0
    # On a disk most of a change's time goes to its syncs; here only memory is looked at.
    in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=in_memory) as directory:
        server = Server(directory + "/data")
        server.start()
        try:
            operations = Operations(Client(server.port))
            at_first = resident(server.process.pid)
            for name, share in SHARES.items():
                times = max(1, int(count * share))
                grown = measure(server, getattr(operations, name), times - times // 4, times // 4)
                good = grown < BOUND
                passed, failed = passed + good, failed + (not good)
                print(f"{name.replace('_', ' ')}: {times} times, {grown / 2**20:+.1f} MiB in the last {times - times // 4}, "
                      f"{resident(server.process.pid) / 2**20:.0f} MiB resident")
            print(f"{at_first / 2**20:.0f} MiB at the start")
        finally:
            code = server.stop()
    good = code == 0
    print(f"{passed + good} passed, {failed + (not good)} failed, 0 skipped")
    return 0 if failed == 0 and good else 1


if __name__ == "__main__":
    sys.exit(main())
