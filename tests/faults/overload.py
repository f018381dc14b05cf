#!/usr/bin/env python3
"""More is asked than the server can do at once: what can begin within a second is served, the rest is told to come back, and afterwards
all is as before.

overload.py SECONDS    for each closed loop and for the overload; COFFER_BINARY's build has bench/offered_load. A run of a minute is held
                       to 0.9 of the capacity; a shorter one, on a machine that may be busy otherwise, to half of it.
"""
import base64
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

from coffer_server import BINARY, Server

LOAD = os.path.join(os.path.dirname(BINARY), "bench", "offered_load")
BUSY, POOL = 16, 256
BOUND_MS = 1000  # queue_timeout
TEXT = base64.b64encode(bytes(64)).decode()
KEYS = {"k": "aes256-gcm96", "e": "ecdsa-p256", "r": "rsa-2048"}
SHORT = {
    "an encryption": ("encrypt/k", {"plaintext": TEXT}),
    "an ecdsa-p256 signature": ("sign/e", {"input": TEXT}),
    "an rsa-2048 signature": ("sign/r", {"input": TEXT}),
    "100 encryptions": ("encrypt/k", {"batch_input": [{"plaintext": TEXT}] * 100}),
}
LONG = ("sign/r", {"batch_input": [{"input": TEXT}] * 10})


class Load:
    def __init__(self, server, directory):
        self.server, self.body = server, directory + "/body"

    def offer(self, name, operation, connections, rate, seconds):
        path, body = operation
        with open(self.body, "w", encoding="ascii") as out:
            json.dump(body, out)
        done = subprocess.run(
            [LOAD, str(self.server.port), "/v1/transit/" + path, self.body, str(connections), str(rate), str(seconds)],
            env={**os.environ, "TOKEN": "root"}, capture_output=True, text=True, check=True, timeout=seconds + 60)
        result = json.loads(done.stdout)
        print(f"{name}: {result['served_per_second']:.0f}/s served, p50 {result['served_p50']:.1f} ms, p99 {result['served_p99']:.1f} ms; "
              f"{result['shed']} shed; {result['unsent']} due while all connections waited; "
              f"{result['other'] + result['broken']} answered otherwise or not at all")
        return result


def proper(result):
    return result["other"] == result["broken"] == result["without_retry_after"] == 0


def measure(load, seconds, share):
    checks = {}
    for name, operation in SHORT.items():
        result = load.offer(f"{name}, {POOL} connections, each as fast as it is answered", operation, POOL, 0, max(seconds / 5, 1))
        checks[f"none of {POOL} connections is refused {name}"] = result["shed"] == 0 and result["served"] > 0 and proper(result)
    normal = load.offer(f"ten rsa-2048 signatures at once, {BUSY} connections", LONG, BUSY, 0, max(seconds / 5, 2))
    capacity = normal["served_per_second"]
    checks["nothing is shed in normal times"] = normal["shed"] == 0 and proper(normal)
    pool = load.offer(f"the same, {POOL} connections", LONG, POOL, 0, max(seconds / 2, 2))
    checks[f"{POOL} connections are served at {share} of the capacity"] = pool["served_per_second"] > share * capacity and proper(pool)
    # Everybody waits for about the bound, the refused ones too.
    connections = int(12 * capacity * BOUND_MS / 1000)
    overload = load.offer(f"ten times the capacity, {connections} connections", LONG, connections, 10 * capacity, seconds)
    ended = time.monotonic()
    load.offer("at once after it", LONG, BUSY, 0, 1)
    began = time.monotonic() - ended
    after = load.offer(f"{began:.1f} s after it", LONG, BUSY, 0, 1)
    checks["more is refused than served under ten times the load"] = overload["shed"] > overload["served"] and proper(overload)
    checks[f"under ten times the load {share} of the capacity is served"] = overload["served_per_second"] > share * capacity
    checks["the served ones wait less than twice the bound"] = overload["served_p99"] < 2 * BOUND_MS
    checks["all is as before within two seconds"] = began < 2 and after["shed"] == 0 and after["served_p99"] < 3 * normal["served_p99"]
    return checks


def main():
    seconds = float(sys.argv[1])
    share = 0.9 if seconds >= 60 else 0.5
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as directory:
        server = Server(directory + "/data")
        server.start()
        try:
            for name, kind in KEYS.items():
                server.call("POST", "transit/keys/" + name, {"type": kind})
            load = Load(server, directory)
            load.offer("to begin with", SHORT["an encryption"], BUSY, 0, 1)
            checks = measure(load, seconds, share)
        finally:
            code = server.stop()
    checks["the server ended well"] = code == 0
    for what, good in checks.items():
        if not good:
            print("failed: " + what, file=sys.stderr)
    bad = sum(not good for good in checks.values())
    print(f"{len(checks) - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
