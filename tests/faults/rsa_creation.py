#!/usr/bin/env python3
"""Keys that take long to make must not delay other clients: encryption while rsa-4096 keys are made in a loop.

rsa_creation.py COUNT    COUNT rsa-4096 keys, one after another, while other clients encrypt. Their 99th percentile must stay
                         under COFFER_RSA_FACTOR (5) times what it is without them.
"""
import http.client
import json
import os
import sys
import tempfile
import threading
import time

from coffer_server import Server

CLIENTS = 8
EVERY = 0.004  # seconds between two requests of the measuring side: clients that do not saturate the server
BODY = json.dumps({"plaintext": "aGVsbG8gd29ybGQ="})


class Clients:
    """Kept connections that encrypt in turn, one request at a time, at a steady rate."""

    def __init__(self, port):
        self.connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(CLIENTS)]

    def encrypt(self, number):
        """Milliseconds of one request."""
        connection = self.connections[number % CLIENTS]
        begin = time.perf_counter()
        connection.request("POST", "/v1/transit/encrypt/shared", BODY, {"X-Vault-Token": "root"})
        answer = connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - begin) * 1000
        if answer.status != 200:
            raise RuntimeError(f"answered {answer.status} {text[:200]!r}")
        return took

    def measure(self, goes_on):
        times, number, due = [], 0, time.perf_counter()
        while goes_on(number):
            times.append(self.encrypt(number))
            number += 1
            due = max(due + EVERY, time.perf_counter() - EVERY)
            time.sleep(max(0, due - time.perf_counter()))  # the load itself: requests at a steady rate
        return times


class Creator(threading.Thread):
    """Makes keys one after another and notes how long each took."""

    def __init__(self, server, count):
        super().__init__()
        self.server, self.count, self.seconds, self.failure = server, count, [], None

    def run(self):
        try:
            for number in range(self.count):
                begin = time.monotonic()
                status, body = self.server.call("POST", f"transit/keys/rsa-{number}", {"type": "rsa-4096"}, timeout=120)
                if status != 200:
                    raise RuntimeError(f"answered {status} {body}")
                self.seconds.append(time.monotonic() - begin)
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error


def p99(values):
    return sorted(values)[min(len(values) - 1, int(0.99 * len(values)))]


def main():
    count, factor = int(sys.argv[1]), float(os.environ.get("COFFER_RSA_FACTOR", "5"))
    with tempfile.TemporaryDirectory() as directory:
        server = Server(directory + "/data")
        server.start()
        try:
            server.call("POST", "transit/keys/shared", {})
            clients = Clients(server.port)
            clients.measure(lambda number: number < 200)  # connections, handles
            creator = Creator(server, count)
            alone = clients.measure(lambda number: number < 2000)
            creator.start()
            beside = clients.measure(lambda _: creator.is_alive())
            creator.join()
        finally:
            code = server.stop()
    if creator.failure:
        raise creator.failure
    ratio = p99(beside) / p99(alone)
    print(f"{count} rsa-4096 keys made, {sum(creator.seconds) / count:.1f} s each, {max(creator.seconds):.1f} s the longest")
    print(f"encryption by {CLIENTS} other clients: p99 {p99(alone):.2f} ms without ({len(alone)} requests), "
          f"{p99(beside):.2f} ms beside ({len(beside)}), {max(beside):.1f} ms the longest; "
          f"{ratio:.2f} times, bound {factor:.1f}")
    good = ratio <= factor and max(beside) < 1000 * max(creator.seconds) and code == 0
    print(f"{int(good)} passed, {int(not good)} failed, 0 skipped")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
