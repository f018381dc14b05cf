#!/usr/bin/env python3
"""Long batches give way: other clients of the same workers are served while batches of RSA-4096 signatures and of encryptions are carried out.

long_batches.py COUNT    COUNT batches of 100 signatures, then COUNT of 10,000 encryptions, one after another, beside clients that encrypt. Their 99th
                         percentile must stay under COFFER_BATCH_MS (250) milliseconds, where a batch takes seconds; the server's memory under 128 MiB more.
"""
import os
import sys
import tempfile
import threading
import time

from coffer_server import Server
from rsa_creation import Clients, p99


class Batches(threading.Thread):
    """Sends batches one after another and notes how long each took."""

    def __init__(self, server, count):
        super().__init__()
        self.server, self.count, self.seconds, self.failure = server, count, {}, None

    def run(self):
        try:
            self.send("sign/rsa", {"input": "aGVsbG8="}, 100)
            self.send("encrypt/shared", {"plaintext": "aGVsbG8="}, 10_000)
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error

    def send(self, path, item, items):
        for _ in range(self.count):
            begin = time.monotonic()
            status, body = self.server.call("POST", "transit/" + path, {"batch_input": [item] * items}, timeout=120)
            if status != 200 or len(body["data"]["batch_results"]) != items:
                raise RuntimeError(f"answered {status}")
            self.seconds.setdefault(path, []).append(time.monotonic() - begin)


def resident_kib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def main():
    count, bound = int(sys.argv[1]), float(os.environ.get("COFFER_BATCH_MS", "250"))
    with tempfile.TemporaryDirectory() as directory:
        server = Server(directory + "/data")
        server.start()
        try:
            server.call("POST", "transit/keys/shared", {})
            server.call("POST", "transit/keys/rsa", {"type": "rsa-4096"}, timeout=120)
            clients = Clients(server.port)
            clients.measure(lambda number: number < 200)  # connections, handles
            before = resident_kib(server)
            batches = Batches(server, count)
            batches.start()
            beside = clients.measure(lambda _: batches.is_alive())
            batches.join()
            grown = (resident_kib(server) - before) / 1024
            many, _ = server.call("POST", "transit/sign/rsa", {"batch_input": [{"input": ""}] * 2000})
        finally:
            code = server.stop()
    if batches.failure:
        raise batches.failure
    for path, seconds in batches.seconds.items():
        print(f"{path}: {len(seconds)} batches, {max(seconds):.2f} s the longest")
    print(f"other clients: p99 {p99(beside):.1f} ms, {max(beside):.1f} ms the longest of {len(beside)}, bound {bound:.0f} ms; memory {grown:.1f} MiB more")
    good = p99(beside) <= bound and grown < 128 and many == 400 and code == 0
    print(f"{int(good)} passed, {int(not good)} failed, 0 skipped")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
