#!/usr/bin/env python3
"""Every request of hostile_corpus.py under an audit device, COUNT times: each answer has exactly one request and one response entry,
and nothing else has any. usage: audit_hostile.py COUNT"""
import json
import os
import re
import socket
import sys
import tempfile

from coffer_server import Server
from hostile_corpus import corpus

ANSWER = re.compile(rb"HTTP/1\.1 (?!100)(\d\d\d) ")


def exchange(port, octets):
    """The statuses that were answered, in order; the client says no more after its request."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        got = b""
        try:
            peer.sendall(octets)
            peer.shutdown(socket.SHUT_WR)
            while some := peer.recv(65536):
                got += some
        except OSError:
            pass  # closed on us: what was answered before counts
    return [int(status) for status in ANSWER.findall(got)]


class Trail:
    """An answer leaves when its lines are in the device's file."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.rest = b""

    def new(self):
        """The entries of requests since the last call, as far as the file has them whole."""
        *lines, self.rest = (self.rest + self.file.read()).split(b"\n")
        return [entry for entry in map(json.loads, lines) if entry["type"] in ("request", "response")]


def fault(statuses, entries):
    requests = [entry["request"]["id"] for entry in entries if entry["type"] == "request"]
    responses = [entry["request"]["id"] for entry in entries if entry["type"] == "response"]
    recorded = [entry["response"]["http_status"] for entry in entries if entry["type"] == "response"]
    if sorted(requests) != sorted(responses) or len(set(requests)) != len(requests):
        return f"entries do not pair: {requests} {responses}"
    if recorded != statuses:
        return f"answered {statuses}, recorded {recorded}"
    return None


def main():
    count = int(sys.argv[1])
    failures = []
    tried = answered = 0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(os.path.join(folder, "data"))
        server.start()
        server.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": "audit.log"}})
        trail = Trail(os.path.join(folder, "data", "audit", "audit.log"))
        trail.new()  # that the device was made
        for _ in range(count):
            for name, octets in corpus():
                statuses = exchange(server.port, octets)
                tried += 1
                answered += len(statuses)
                if why := fault(statuses, trail.new()):
                    failures.append(f"{name}: {why}")
        if server.stop() != 0:
            failures.append("the server did not stop cleanly")
        if trail.new() or trail.rest:
            failures.append("the last entries are of no answer")
    print(f"{tried} hostile requests, {answered} answers")
    for failure in failures[:20]:
        print("FAILED " + failure)
    print(f"{tried - len(failures)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures or not answered else 0


sys.exit(main())
