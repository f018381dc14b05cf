#!/usr/bin/env python3
"""The token's files vanish under a running server and come back, COUNT times: 503 and unready while they are away, healthy
soon after, by itself, and never a wrong answer. usage: token_away.py COUNT"""
import os
import sys
import tempfile

from coffer_server import Server, wait_for

UNREADY_BOUND, HEALTHY_BOUND = 5.0, 10.0  # five times what is promised: this machine is shared


def main():
    count = int(sys.argv[1])
    failures = []
    worst_unready = worst_healthy = 0.0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(os.path.join(folder, "data"))
        server.start()
        pid = server.process.pid
        server.call("POST", "transit/keys/k", {})
        sealed = server.call("POST", "transit/encrypt/k", {"plaintext": "aGVsbG8="})[1]["data"]["ciphertext"]
        tokens = os.path.join(folder, "data", "tokens")

        def health():
            return server.call("GET", "sys/health")[0]

        for turn in range(count):
            os.rename(tokens, tokens + ".away")
            took = wait_for(lambda: health() == 503, UNREADY_BOUND)
            if took is None:
                failures.append(f"turn {turn}: still ready {UNREADY_BOUND} s after the token went away")
            else:
                worst_unready = max(worst_unready, took)
                for path, body in (("decrypt/k", {"ciphertext": sealed}), ("encrypt/k", {"plaintext": ""}),
                                   ("keys/k/rotate", {}), ("decrypt/k", {"ciphertext": "vault:v1:AAAA" + sealed[13:]})):
                    status, answer = server.call("POST", "transit/" + path, body)
                    if status != 503 or "disabled" in str(answer) or "corrupt" in str(answer):
                        failures.append(f"turn {turn}: {path} answered {status} {answer} without a token")
            os.rename(tokens + ".away", tokens)
            took = wait_for(lambda: health() == 200, HEALTHY_BOUND)
            if took is None:
                failures.append(f"turn {turn}: not healthy {HEALTHY_BOUND} s after the token came back")
                continue
            worst_healthy = max(worst_healthy, took)
            for _ in range(4):  # both workers
                status, answer = server.call("POST", "transit/decrypt/k", {"ciphertext": sealed})
                if status != 200 or answer["data"]["plaintext"] != "aGVsbG8=":
                    failures.append(f"turn {turn}: decrypt answered {status} {answer} after the return")
            status, _ = server.call("POST", "transit/keys/k/rotate", {})
            if status != 200:
                failures.append(f"turn {turn}: rotate answered {status} after the return")
        if server.process.pid != pid or server.process.poll() is not None:
            failures.append("the server did not live through it")
        if server.stop() != 0:
            failures.append("the server did not stop cleanly")
    print(f"worst: unready after {worst_unready:.3f} s, healthy after {worst_healthy:.3f} s, in {count} turns")
    for failure in failures:
        print("FAILED " + failure)
    print(f"{max(count - len(failures), 0)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


sys.exit(main())
