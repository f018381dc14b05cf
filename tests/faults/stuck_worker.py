#!/usr/bin/env python3
"""A worker stays in one request, because the disk under the audit file holds its write, COUNT times: it is said in the log, the server
is not ready, its supervisor gets no sign of life, and all is well again once the write returns; SIGTERM ends a server where it does not. The
first turn is of the last kind.
usage: stuck_worker.py COUNT"""
import http.client
import os
import socket
import sys
import tempfile
import threading
import time

from coffer_server import BINARY, Server, wait_for

LIBRARY = os.path.join(os.path.dirname(BINARY), "tests/server/libfrozen_write.so")
WAIT, DRAIN = 10.0, 10.0  # kRequest.wait, and drain_timeout
SLACK = 5.0


class Log(threading.Thread):
    """What the server says on its standard error."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.text = stream, ""
        self.start()

    def run(self):
        for line in self.stream:
            self.text += line


class Supervisor:
    """What systemd would be told."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(30)

    def environment(self):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "1000000"}

    def until(self, wanted):
        """The messages before `wanted`."""
        told = []
        while (message := self.socket.recv(4096).decode()) != wanted:
            told.append(message)
        return told


def ask(server):
    """A request that nobody waits for."""
    def run():
        try:
            server.call("GET", "transit/keys/k", timeout=60)
        except (OSError, http.client.HTTPException):
            pass  # cut off
    threading.Thread(target=run, daemon=True).start()


def health(server):
    try:
        return server.call("GET", "sys/health", timeout=1)[0]
    except (OSError, http.client.HTTPException):
        return 0


def turn(ends, failures):
    label = "a write that never returns" if ends else "a write that returns"
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data")
        trail = os.path.join(data, "audit", "audit.log")
        supervisor = Supervisor(folder)
        server = Server(data, environment=dict(os.environ, LD_PRELOAD=LIBRARY, COFFER_TEST_FROZEN=trail, **supervisor.environment()))
        server.start()
        server.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": "audit.log"}})
        log = Log(server.process.stderr)
        with open(trail + ".frozen", "wb"):
            pass
        while not os.path.exists(trail + ".begun"):  # a thread of the device may write for the first
            ask(server)
            wait_for(lambda: os.path.exists(trail + ".begun"), 0.2)
        ask(server)
        began = time.monotonic()
        if ends:
            server.process.terminate()
            try:
                code = server.process.wait(timeout=max(WAIT, DRAIN) + 2 * SLACK)
            except Exception:  # pylint: disable=broad-except
                server.process.kill()
                code = "not at all"
            if code != 75:
                failures.append(f"{label}: SIGTERM ended it: {code}")
        else:
            if wait_for(lambda: "a request does not return" in log.text, WAIT + SLACK) is None:
                failures.append(f"{label}: it is not said")
            if health(server) == 200:
                failures.append(f"{label}: sys/health is green")
            signs = supervisor.until("STATUS=a request does not return")
            if signs.count("WATCHDOG=1") < WAIT:  # one each half second until then
                failures.append(f"{label}: the supervisor heard {signs}")
            time.sleep(2)  # what must not come cannot be waited for
        took = time.monotonic() - began
        if not ends:
            os.remove(trail + ".frozen")
            if wait_for(lambda: health(server) == 200, SLACK) is None:
                failures.append(f"{label}: not ready after the write returned")
            signs = supervisor.until("STATUS=")
            if signs.count("WATCHDOG=1") > 1:  # one may have been on its way
                failures.append(f"{label}: the supervisor heard of a life that there was not: {signs}")
            server.process.terminate()
            if server.process.wait(timeout=30) != 0:
                failures.append(f"{label}: the server did not stop cleanly")
        elif "a request does not return" not in log.text and "hangs: giving up" not in log.text:
            failures.append(f"{label}: it is not said")
        return took


def main():
    failures, slowest = [], 0.0
    count = int(sys.argv[1])
    for number in range(count):
        slowest = max(slowest, turn(number % 2 == 0, failures))
    print(f"stuck worker: {count} turns, seen or ended after at most {slowest:.1f} s")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{count - min(count, len(failures))} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
