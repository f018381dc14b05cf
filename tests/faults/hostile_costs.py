#!/usr/bin/env python3
"""What the requests of costly_corpus.py cost, COUNT times each: none of them, all without a valid token, may take more than 5 ms of CPU
or 1 MiB of memory, or write more than 4 KiB of audit. usage: hostile_costs.py COUNT"""
import json
import os
import re
import socket
import sys
import tempfile

from coffer_server import Server, wait_for
from costly_corpus import costly, request

CPU = 5.0 * float(os.environ.get("COFFER_SLOWER", "1"))  # milliseconds; a build for debugging is slower
MEMORY = 1024  # KiB
AUDIT = 4096  # octets in the file, both entries together
TRIES = 4  # a request that seems to take too much is sent again: the server's own threads work meanwhile, too


def exchange(port, octets):
    """The status; 0 where the server closed without one."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        try:
            peer.sendall(octets)
        except OSError:
            pass  # refused early: the answer is there
        try:
            while some := peer.recv(1 << 20):
                got = got or some
        except OSError:
            pass
    found = re.match(rb"HTTP/1\.1 (\d\d\d) ", got)
    return int(found[1]) if found else 0


class Watched:
    """A server under an audit device, and what it has used."""

    def __init__(self, folder):
        self.server = Server(os.path.join(folder, "data"))
        self.server.start()
        self.server.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": "audit.log"}})
        self.process = f"/proc/{self.server.process.pid}"
        self.trail = open(os.path.join(folder, "data", "audit", "audit.log"), "rb")
        self.lines(2)
        for _ in range(100):  # what is made once is made now
            self.costs(request(b"GET", b"sys/health"))

    def cpu(self):
        """Milliseconds that its threads have run."""
        total = 0
        for thread in os.listdir(self.process + "/task"):
            with open(f"{self.process}/task/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e6

    def memory(self, field):
        with open(self.process + "/status", encoding="ascii") as file:
            return int(re.search(field + r":\s+(\d+) kB", file.read())[1])

    def lines(self, entries):
        """The octets of the next `entries` entries of requests; None where they do not come."""
        left, octets = entries, 0

        def come():
            nonlocal left, octets
            while left > 0:
                begin = self.trail.tell()
                line = self.trail.readline()
                if not line.endswith(b"\n"):
                    self.trail.seek(begin)
                    return False
                if json.loads(line)["type"] in ("request", "response"):
                    octets += len(line)
                    left -= 1
            return True

        return octets if wait_for(come, 10) is not None else None

    def costs(self, octets):
        """(status, milliseconds, KiB, octets of audit)"""
        with open(self.process + "/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # the peak begins anew
        memory, cpu = self.memory("VmRSS"), self.cpu()
        status = exchange(self.server.port, octets)
        audit = self.lines(2)
        return status, self.cpu() - cpu, max(0, self.memory("VmHWM") - memory), audit


def judge(watched, octets):
    """(the least that it took, what is wrong)"""
    least = None
    for _ in range(TRIES):
        status, cpu, memory, audit = watched.costs(octets)
        if status == 0:
            return (cpu, memory, audit), "no answer"
        if audit is None:
            return (cpu, memory, audit), "its entries do not come"
        # The allocator keeps what it got: what a first time took does not show again.
        least = (cpu, memory, audit) if least is None else (min(least[0], cpu), least[1], max(least[2], audit))
        if least[0] <= CPU:
            break
    faults = [f"{value:.1f} {what}" for value, most, what in zip(least, (CPU, MEMORY, AUDIT), ("ms of CPU", "KiB", "octets of audit"))
              if value > most]
    return least, ", ".join(faults)


def main():
    count = int(sys.argv[1])
    failures, tried, most = [], 0, (0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        watched = Watched(folder)
        for _ in range(count):
            for name, octets in costly():
                tried += 1
                least, fault = judge(watched, octets)
                most = tuple(max(a, b or 0) for a, b in zip(most, least))
                if fault:
                    failures.append(f"{name}: {fault}")
        if watched.server.stop() != 0:
            failures.append("the server did not stop cleanly")
    print(f"hostile costs: {tried} requests without a token; at most {most[0]:.1f} ms of CPU, {most[1]} KiB, {most[2]} octets of audit")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{tried - len(failures)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
