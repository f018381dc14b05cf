#!/usr/bin/env python3
"""Ten times the load that the server can carry: what is served is served in time, the rest is told to come back, and afterwards all is
as before.

overload.py SECONDS    COFFER_BINARY's build has bench/offered_load. The load is batches of encryptions. A run of a minute is held to
                       twice the normal p99; a shorter one, on a machine that may be busy otherwise, to ten times.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time

from coffer_server import BINARY, Server

LOAD = os.path.join(os.path.dirname(BINARY), "bench", "offered_load")
BUSY, MANY, ITEMS = 16, 640, 100
NORMAL_SECONDS = 5


def offer(server, body, connections, rate, seconds):
    done = subprocess.run([LOAD, str(server.port), "/v1/transit/encrypt/k", body, str(connections), str(rate), str(seconds)],
                          env={**os.environ, "TOKEN": "root"}, capture_output=True, text=True, check=True, timeout=seconds + 60)
    return json.loads(done.stdout)


def show(name, result):
    print(f"{name}: {result['served_per_second']:.0f}/s served, p50 {result['served_p50']:.1f} ms, p99 {result['served_p99']:.1f} ms; "
          f"{result['shed']} shed, p99 {result['shed_p99']:.1f} ms; {result['unsent']} due while all connections waited")


def main():
    seconds = int(sys.argv[1])
    factor = 2 if seconds >= 60 else 10
    with tempfile.TemporaryDirectory() as directory:
        body = directory + "/body"
        with open(body, "w", encoding="ascii") as out:
            json.dump({"batch_input": [{"plaintext": base64.b64encode(bytes(64)).decode()}] * ITEMS}, out)
        server = Server(directory + "/data")
        server.start()
        try:
            server.call("POST", "transit/keys/k", {})
            offer(server, body, BUSY, 0, 1)  # warms up
            normal = offer(server, body, BUSY, 0, NORMAL_SECONDS)
            show("normal, 16 connections, each as fast as it is answered", normal)
            overload = offer(server, body, MANY, 10 * normal["served_per_second"], seconds)
            ended = time.monotonic()
            show("ten times that rate, 640 connections", overload)
            after = offer(server, body, BUSY, 0, 1)
            waited = time.monotonic() - ended - 1
            show(f"{waited:.1f} s after it", after)
        finally:
            code = server.stop()
    checks = {
        "nothing shed in normal times": normal["shed"] == 0,
        "more was offered than served": overload["shed"] > overload["served"],
        "every answer was a served or a proper shed one": all(
            r["other"] == r["broken"] == r["without_retry_after"] == 0 for r in (normal, overload, after)),
        f"served p99 under overload is less than {factor} times the normal": overload["served_p99"] < factor * normal["served_p99"],
        "back to normal within two seconds": waited < 1 and after["shed"] == 0 and after["served_p99"] < factor * normal["served_p99"],
        "the server ended well": code == 0,
    }
    for what, good in checks.items():
        if not good:
            print("failed: " + what, file=sys.stderr)
    bad = sum(not good for good in checks.values())
    print(f"{len(checks) - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
