#!/usr/bin/env python3
"""A call into the token does not return, COUNT times each way: the server becomes unready, the others are served as before, it
recovers where the call returns after all, and exits 75 where it does not; so does one that is only starting. usage: token_hang.py COUNT"""
import http.client
import json
import os
import select
import sys
import tempfile
import threading
import time

from coffer_server import BINARY, Server, wait_for

MODULE = os.path.join(os.path.dirname(BINARY), "tests/pkcs11/libfaulty_pkcs11_module.so")
WAIT, HANG = 5.0, 10.0  # token_wait and token_hang
STARTS = ("initialize", "login", "sign")  # calls of a start
SLACK = 5.0  # five times the second that is promised: this machine is shared


class Client(threading.Thread):
    """Encrypts on one connection until told to stop; knows how long its slowest answer took."""

    def __init__(self, port):
        super().__init__()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.stopping = threading.Event()
        self.slowest, self.answers, self.cut_off = 0.0, 0, None

    def run(self):
        body, headers = json.dumps({"plaintext": "aGVsbG8="}), {"X-Vault-Token": "root"}
        while not self.stopping.is_set():
            begin = time.monotonic()
            try:
                self.connection.request("POST", "/v1/transit/encrypt/k", body, headers)
                answer = self.connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.cut_off = time.monotonic() - begin
                return
            if answer.status == 200:
                self.answers += 1
                self.slowest = max(self.slowest, time.monotonic() - begin)


def begun(bait):
    """Lays out the bait, a pipe; whether a call has taken it within 30 s: it opens the other pipe then."""
    os.mkfifo(bait + ".begun")
    descriptor = os.open(bait + ".begun", os.O_RDONLY | os.O_NONBLOCK)
    os.mkfifo(bait)
    taken = select.poll()
    taken.register(descriptor, select.POLLHUP)
    try:
        return bool(taken.poll(30_000))
    finally:
        os.close(descriptor)


def turn(call, returns, failures):
    """One call hangs; the seconds until unready, and until healthy or the end of the process."""
    label = f"{call} that {'returns' if returns else 'never returns'}"
    with tempfile.TemporaryDirectory() as folder:
        server = Server(os.path.join(folder, "data"), [f"-dev-module={MODULE}"],
                        dict(os.environ, COFFER_TEST_HANG=folder))
        server.start()
        server.call("POST", "transit/keys/k", {})
        clients = [Client(server.port) for _ in range(4)]  # both workers have some
        for client in clients:
            client.start()
        wait_for(lambda: all(client.answers > 20 for client in clients), 60)
        bait = os.path.join(folder, call)
        if not begun(bait):
            failures.append(f"{label}: no call took the bait")
        began = time.monotonic()

        def unready():
            try:
                return server.call("GET", "sys/health", timeout=1)[0] == 503
            except (OSError, http.client.HTTPException):
                return False  # sent to the hanging worker: nobody can answer there

        if wait_for(unready, WAIT + SLACK) is None:
            failures.append(f"{label}: still ready {WAIT + SLACK} s later")
        took_unready = time.monotonic() - began
        # The hanging worker's clients learn it; the custodian has none.
        if call == "encrypt" and wait_for(lambda: any(client.cut_off for client in clients), 2) is None:
            failures.append(f"{label}: the hanging worker's clients still wait")
        if call == "sign" and any(client.cut_off for client in clients):
            failures.append(f"{label}: clients of working workers were cut off")
        answers = sum(client.answers for client in clients)
        if wait_for(lambda: sum(client.answers for client in clients) > answers + 100, SLACK) is None:
            failures.append(f"{label}: the other worker answers no more")
        slowest = max((client.slowest for client in clients if client.cut_off is None), default=SLACK)
        if slowest > 1.0:
            failures.append(f"{label}: another worker's client waited {slowest:.3f} s")
        if returns:
            with open(bait + ".taken", "wb"):
                pass  # the call returns
            took_end = wait_for(lambda: server.call("GET", "sys/health")[0] == 200, SLACK)
            if took_end is None:
                failures.append(f"{label}: not healthy after the call returned")
            for _ in range(8):
                if server.call("POST", "transit/encrypt/k", {"plaintext": "aGVsbG8="})[0] != 200:
                    failures.append(f"{label}: no encryption after the call returned")
        for client in clients:
            client.stopping.set()
        if returns:
            if server.stop() != 0:
                failures.append(f"{label}: the server did not stop cleanly")
        else:
            try:
                code = server.process.wait(timeout=HANG + 2 * SLACK)
                took_end = time.monotonic() - began
                if code != 75 or took_end > HANG + 2 * SLACK:
                    failures.append(f"{label}: ended with {code} after {took_end:.3f} s")
            except Exception:  # pylint: disable=broad-except
                took_end = 0.0
                failures.append(f"{label}: the process did not end")
                server.process.kill()
            server.process.communicate()
        for client in clients:
            client.join()
        print(f"{label}: unready after {took_unready:.3f} s, "
              f"{'healthy' if returns else 'ended'} after {took_end or 0.0:.3f} s, "
              f"others' slowest answer {slowest:.3f} s")


def hang_at_the_start(call, failures):
    """A server that has keys is started again, and its first `call` into the token does not return."""
    label = f"{call} at the start"
    with tempfile.TemporaryDirectory() as folder:
        server = Server(os.path.join(folder, "data"), [f"-dev-module={MODULE}"],
                        dict(os.environ, COFFER_TEST_HANG=folder))
        server.start()
        server.call("POST", "transit/keys/k", {})
        server.stop()
        starting = threading.Thread(target=lambda: start_in_vain(server, label, failures))
        bait = os.path.join(folder, call)
        taken = threading.Thread(target=lambda: begun(bait) or failures.append(f"{label}: no call took the bait"))
        taken.start()
        if wait_for(lambda: os.path.exists(bait), 30) is None:
            failures.append(f"{label}: no bait was laid out")
        began = time.monotonic()
        starting.start()
        taken.join()
        starting.join()
        print(f"{label}: ended after {time.monotonic() - began:.3f} s")


def start_in_vain(server, label, failures):
    began = time.monotonic()
    try:
        server.start()
        failures.append(f"{label}: the server started")
        server.kill()
    except RuntimeError as error:
        code = server.process.wait(timeout=HANG + 2 * SLACK)
        if code != 75 or time.monotonic() - began > HANG + 2 * SLACK:
            failures.append(f"{label}: ended with {code} after {time.monotonic() - began:.3f} s")
        if "the token does not answer: see to it, then try again" not in str(error):
            failures.append(f"{label}: said only {error}")


def together(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    failures = []
    turns = 0
    for _ in range(int(sys.argv[1])):
        # Most of a turn is waiting, so those of a kind run side by side.
        for returns in (True, False):
            together([threading.Thread(target=turn, args=(call, returns, failures)) for call in ("encrypt", "sign")])
        together([threading.Thread(target=hang_at_the_start, args=(call, failures)) for call in STARTS])
        turns += 4 + len(STARTS)
    for failure in failures:
        print("FAILED " + failure)
    print(f"{max(turns - len(failures), 0)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


sys.exit(main())
