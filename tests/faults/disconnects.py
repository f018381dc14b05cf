#!/usr/bin/env python3
"""Clients that leave at random points: no answer may reach a connection that did not ask for it.

disconnects.py REQUESTS [SEED]    each request carries an id used once, which its answer repeats
"""
import random
import re
import socket
import struct
import sys
import tempfile
import threading

from coffer_server import Server

THREADS = 8
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
        way = self.random.choice(("stay", "cut request", "leave unread", "leave early"))
        with connect(self.port) as peer:
            if way == "cut request":
                octets = octets[:self.random.randrange(len(octets))]
            peer.sendall(octets)
            got = b""
            if way == "leave early":
                got = peer.recv(self.random.randint(1, 400))
            elif way == "stay":
                while len(ANSWER_ID.findall(got)) < count:
                    more = peer.recv(65536)
                    if not more:
                        raise RuntimeError(f"closed after {got[-200:]!r}, {names} unanswered")
                    got += more
            if self.random.random() < 0.5:  # a reset instead of an orderly end
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        seen = [name.decode() for name in ANSWER_ID.findall(got)]
        if seen != names[:len(seen)]:
            self.fault = f"asked for {names}, was answered {seen}"
        self.answered += len(seen)


def main():
    requests = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 31)
    with tempfile.TemporaryDirectory() as directory:
        server = Server(directory + "/data")
        server.start()
        try:
            clients = [Client(i, server.port, -(-requests // THREADS), seed) for i in range(THREADS)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
        finally:
            code = server.stop()
    faults = [client.fault for client in clients if client.fault]
    answered = sum(client.answered for client in clients)
    print(f"disconnects: {sum(c.sent for c in clients)} requests, {answered} answers read, "
          f"{len(faults)} faults, seed {seed}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{answered} passed, {len(faults)} failed, 0 skipped")
    return 1 if faults or code != 0 or answered == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
