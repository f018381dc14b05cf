#!/usr/bin/env python3
"""Clients that hold connections and do nothing with them: a new client must not notice.

stalled_clients.py COUNT    COUNT fresh clients, each with its TLS handshake and a request, beside 1,000 silent connections, 1,000
                            that stop inside the TLS handshake, 200 that write their heads slowly and 200 that do not read
                            their answers. COFFER_P99_MS is the bound in milliseconds (250).
"""
import os
import random
import resource
import selectors
import socket
import ssl
import sys
import tempfile
import threading
import time

from coffer_server import Server

SILENT, IN_HANDSHAKE, SLOW_HEADS, SLOW_READERS = 1000, 1000, 200, 200
ADDRESSES = 10  # the limit per address must not be what saves us


def source(number):
    return f"127.0.1.{1 + number % ADDRESSES}"


class Crowd(threading.Thread):
    """Keeps every place taken: whom the server closes comes back at once."""

    def __init__(self, server, authority):
        super().__init__(daemon=True)
        self.port, self.stop = server.port, threading.Event()
        self.context = ssl.create_default_context(cafile=authority)
        self.selector = selectors.DefaultSelector()
        self.came_back = 0
        self.open = {}
        self.hello = self.client_hello()

    def client_hello(self):
        inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self.context.wrap_bio(inside, outside, server_hostname="localhost")
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return outside.read()

    def connect(self, number, receive_buffer=None):
        peer = socket.socket()
        peer.settimeout(30)
        if receive_buffer:  # the kernel must not read in the client's stead
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        peer.bind((source(number), 0))
        peer.connect(("127.0.0.1", self.port))
        return peer

    def silent(self, number):
        return self.connect(number)

    def in_handshake(self, number):
        peer = self.connect(number)
        peer.sendall(self.hello[:random.randrange(1, len(self.hello) + 1)])
        return peer

    def through_handshake(self, number, receive_buffer=None):
        return self.context.wrap_socket(self.connect(number, receive_buffer), server_hostname="localhost")

    def slow_head(self, number):
        peer = self.through_handshake(number)
        peer.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        return peer

    def slow_reader(self, number):
        peer = self.through_handshake(number, 4096)
        one = (b"POST /v1/transit/random/100000 HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\nContent-Length: 2\r\n\r\n{}")
        peer.sendall(one * 4)
        return peer

    def take(self, kind, number):
        peer = getattr(self, kind)(number)
        peer.setblocking(False)
        self.open[peer.fileno()] = peer
        if kind != "slow_reader":
            self.selector.register(peer, selectors.EVENT_READ, (kind, number))

    def fill(self):
        for kind, count in (("silent", SILENT), ("in_handshake", IN_HANDSHAKE), ("slow_head", SLOW_HEADS),
                            ("slow_reader", SLOW_READERS)):
            for number in range(count):
                self.take(kind, number)

    def run(self):
        while not self.stop.is_set():
            for key, _ in self.selector.select(0.2):
                try:
                    gone = not key.fileobj.recv(4096)
                except (ssl.SSLWantReadError, BlockingIOError):
                    continue
                except OSError:
                    gone = True
                if gone:
                    self.selector.unregister(key.fileobj)
                    self.open.pop(key.fileobj.fileno(), None)
                    key.fileobj.close()
                    self.came_back += 1
                    self.take(*key.data)


def visit(port, context):
    """Milliseconds of one fresh client: connection, TLS, one request."""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        # As HTTP clients do: else the request waits 40 ms for the acknowledgement of the handshake.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_hostname="localhost") as peer:
            peer.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b""
            while more := peer.recv(65536):
                answer += more
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"answered {answer[:200]!r}")
    return (time.perf_counter() - begin) * 1000


def settle(port, context):
    """The slow readers' requests are work, which is done once: what is measured is the silence behind it."""
    until, in_a_row = time.monotonic() + 60, 0
    while in_a_row < 20 and time.monotonic() < until:
        try:
            visit(port, context)
            in_a_row += 1
        except RuntimeError:
            in_a_row = 0


def p99(values):
    return sorted(values)[min(len(values) - 1, int(0.99 * len(values)))]


def main():
    count, bound = int(sys.argv[1]), float(os.environ.get("COFFER_P99_MS", "250"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as directory:
        server = Server(directory + "/data", ["-dev-tls"])
        server.start()
        try:
            authority = directory + "/data/tls-ca.pem"
            context = ssl.create_default_context(cafile=authority)
            alone = [visit(server.port, context) for _ in range(count)]
            crowd = Crowd(server, authority)
            crowd.fill()
            crowd.start()
            settle(server.port, context)
            beside = [visit(server.port, context) for _ in range(count)]
            crowd.stop.set()
            crowd.join()
        finally:
            code = server.stop()
    print(f"stalled clients: {SILENT} silent, {IN_HANDSHAKE} in the handshake, {SLOW_HEADS} slow heads, {SLOW_READERS} slow readers; "
          f"{crowd.came_back} closed and come back")
    print(f"a fresh client's handshake and request, {count} each: p99 alone {p99(alone):.1f} ms, beside them {p99(beside):.1f} ms, "
          f"worst {max(beside):.1f} ms, bound {bound:.0f} ms")
    good = p99(beside) <= bound and code == 0
    print(f"{int(good)} passed, {int(not good)} failed, 0 skipped")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
