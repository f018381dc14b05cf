#!/usr/bin/env python3
"""Clients that leave at random points or read slowly: no answer may reach a connection that did not ask for it, and the server holds no
more descriptors and memory afterwards.

disconnects.py REQUESTS [SEED]    each request carries an id used once, which its answer repeats
"""
import os
import random
import re
import socket
import struct
import sys
import tempfile
import threading

from coffer_server import Server, wait_for

THREADS = 8
MAX_GROWTH = 16 * 1024 * 1024  # octets of resident memory between the first and the last tenth of the run
ANSWER_ID = re.compile(rb"nowhere/(id-\d+-\d+)/")


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def request(name):
    return (f"GET /v1/nowhere/{name}/ HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\n\r\n").encode()


class Client(threading.Thread):
    def __init__(self, number, port, requests, seed):
        super().__init__()
        self.number, self.port, self.left = number, port, requests
        self.random = random.Random(seed * 1000 + number)
        self.sent = self.answered = 0
        self.fault = None

    def run(self):
        try:
            while self.left > 0 and self.fault is None:
                self.visit()
        except Exception as error:  # reported by main, which fails the run
            self.fault = f"client {self.number}: {error!r}"

    def visit(self):
        count = min(self.left, self.random.randint(1, 8))
        names = [f"id-{self.number}-{self.sent + i}" for i in range(count)]
        self.sent += count
        self.left -= count
        octets = b"".join(request(name) for name in names)
        way = self.random.choice(("stay", "cut request", "leave unread", "leave early", "read slowly"))
        with connect(self.port) as peer:
            if way == "cut request":
                octets = octets[:self.random.randrange(len(octets))]
            peer.sendall(octets)
            got = b""
            if way == "leave early":
                got = peer.recv(self.random.randint(1, 400))
            elif way in ("stay", "read slowly"):
                size = 65536 if way == "stay" else self.random.randint(1, 60)
                while len(ANSWER_ID.findall(got)) < count:
                    more = peer.recv(size)
                    if not more:
                        raise RuntimeError(f"closed after {got[-200:]!r}, {names} unanswered")
                    got += more
            if self.random.random() < 0.5:  # a reset instead of an orderly end
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        seen = [name.decode() for name in ANSWER_ID.findall(got)]
        if seen != names[:len(seen)]:
            self.fault = f"asked for {names}, was answered {seen}"
        self.answered += len(seen)


def held_by(process):
    """(descriptors, octets of resident memory) of the server"""
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
        pages = int(statm.read().split()[1])
    return len(os.listdir(f"/proc/{process.pid}/fd")), pages * os.sysconf("SC_PAGE_SIZE")


def wait_until_left(process, descriptors):
    """The server may not have seen the last ones leave yet."""
    wait_for(lambda: held_by(process)[0] <= descriptors, 30)
    return held_by(process)


def storm(server, requests, seed, first=0):
    clients = [Client(first + i, server.port, -(-requests // THREADS), seed) for i in range(THREADS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return clients


def main():
    requests = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 31)
    with tempfile.TemporaryDirectory() as directory:
        server = Server(directory + "/data")
        server.start()
        try:
            idle = held_by(server.process)[0]
            clients = storm(server, requests // 10, seed)
            early = wait_until_left(server.process, idle)
            clients += storm(server, requests - requests // 10, seed, THREADS)
            late = wait_until_left(server.process, idle)
        finally:
            code = server.stop()
    faults = [client.fault for client in clients if client.fault]
    if late[0] > idle:
        faults.append(f"{late[0]} descriptors, {idle} before")
    if late[1] > early[1] + MAX_GROWTH:
        faults.append(f"{late[1]} octets of memory, {early[1]} after the first tenth")
    answered = sum(client.answered for client in clients)
    print(f"disconnects: {sum(c.sent for c in clients)} requests, {answered} answers read, "
          f"{len(faults)} faults, seed {seed}; descriptors {idle} before, {late[0]} after; "
          f"resident {early[1] >> 20} MiB after a tenth, {late[1] >> 20} MiB at the end")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{answered} passed, {len(faults)} failed, 0 skipped")
    return 1 if faults or code != 0 or answered == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
