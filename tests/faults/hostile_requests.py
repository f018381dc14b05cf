#!/usr/bin/env python3
"""Every request of hostile_corpus.py, to Coffer directly and through nginx: refused with one short text and the connection closed, or
read as nginx reads it; and no request behind it is ever read otherwise than nginx reads it.

hostile_requests.py ROUNDS    from the second round on, each request is cut in two at a random point
"""
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from coffer_server import Server
from hostile_corpus import corpus

MARKER = b"GET /v1/n/marker HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\n\r\n"
QUIET = 0.25  # seconds without an octet: whoever waits now waits for more of the request
REFUSALS = {"malformed request", "http: request body too large", "request head is too large", "unsupported method",
            "unsupported transfer coding", "unsupported expectation", "unsupported content encoding",
            "only HTTP/1.1 is spoken here", "request path is too long", "request path has too many segments",
            "request has too many header fields"}
ROUTE = re.compile(r'no handler for route "(.*)"\. route entry not found\.', re.DOTALL)

NGINX = """
worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; large_client_header_buffers 4 128k;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  upstream coffer {{ server 127.0.0.1:{port}; keepalive 4; }}
  server {{ listen unix:{dir}/reads.sock; location / {{ default_type text/plain; return 200 "$uri"; }} }}
  server {{
    listen unix:{dir}/proxy.sock;
    location / {{ proxy_pass http://coffer; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def with_token(octets):
    """Paths that Coffer repeats in its answer, for those that reach it."""
    return octets.replace(b" /x", b" /v1/n/x", 1).replace(b"Host: a\r\n", b"Host: a\r\nX-Vault-Token: root\r\n", 1)


def connect_tcp(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def connect_unix(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(10)
    peer.connect(path)
    return peer


def exchange(peer, octets, cut):
    """(what came back, whether the other side closed)"""
    got = b""
    with peer:
        try:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            peer.sendall(octets[:cut])
            if cut < len(octets):
                # Lets the first part be read alone. Nobody tells when it was; where it was not, this is the request
                # in one piece, and tests/http/framing_test.cc cuts at every octet.
                time.sleep(0.002)
                peer.sendall(octets[cut:])
        except OSError:
            pass  # closed early; what it said before is read below
        peer.settimeout(QUIET)
        try:
            while more := peer.recv(65536):
                got += more
                if got.count(b"n/marker") > 0 and got.endswith((b"}\n", b"n/marker")):
                    return got, False
        except socket.timeout:
            return got, False
        except OSError:
            pass
    return got, True


def answers(text, head_first):
    """[(status, body)]"""
    found = []
    while text:
        head, blank, rest = text.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        if not match or not blank:
            return found + [(0, text)]
        status = int(match[1])
        if status == 100:
            text = rest
            continue
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        size = int(length[1]) if length and not (head_first and not found) else 0
        found.append((status, rest[:size]))
        text = rest[size:]
    return found


def coffer_reads(got, head_first):
    """[path, or None where the answer does not say it] of what was read, and the text of a refusal at its end."""
    paths, refused = [], None
    for status, body in answers(got, head_first):
        errors = json.loads(body).get("errors", []) if body else []
        text = errors[0].partition(": at most ")[0] if errors else ""
        if text in REFUSALS:
            refused = text
            break
        route = ROUTE.search(text)
        paths.append(route[1] if route else None)
    return paths, refused


def nginx_reads(got, head_first):
    paths, refused = [], False
    for status, body in answers(got, head_first):
        if status != 200:
            refused = True
            break
        paths.append(body.decode(errors="surrogateescape").removeprefix("/v1/"))
    return paths, refused


class Run:
    def __init__(self, directory, server):
        self.directory, self.server = directory, server
        self.faults, self.passed, self.stricter, self.refused, self.read = [], 0, 0, 0, 0
        self.probes = 0

    def check(self, name, octets, cut):
        head_first = octets.lstrip().startswith(b"HEAD ")
        octets = with_token(octets) + MARKER
        got, closed = exchange(connect_tcp(self.server.port), octets, cut)
        try:
            ours, refused = coffer_reads(got, head_first)
        except ValueError:
            return f"answered {got[:300]!r}"
        theirs, they_refused = nginx_reads(exchange(connect_unix(self.directory + "/reads.sock"), octets, cut)[0], head_first)
        if refused and not closed and not got.endswith(b"n/marker"):
            return "refused but not closed"
        for i, path in enumerate(ours):
            if i >= len(theirs):
                if not they_refused:
                    return f"read {ours}, nginx {theirs}"
                self.stricter += 1
                return None
            if path is not None and path != theirs[i]:
                return f"read {path!r}, nginx {theirs[i]!r}"
        if refused:
            self.refused += 1
        elif len(ours) < len(theirs) and not closed:
            return f"waits behind {ours}, nginx read {theirs}"
        else:
            self.read += 1
        return self.check_behind(octets, cut)

    def check_behind(self, octets, cut):
        """Whatever nginx made of it, the next client of the same upstream connections gets its own answer."""
        exchange(connect_unix(self.directory + "/proxy.sock"), octets, cut)
        for _ in range(2):
            self.probes += 1
            probe = f"probe-{self.probes}"
            peer = connect_unix(self.directory + "/proxy.sock")
            with peer:
                peer.sendall(f"GET /v1/n/{probe} HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\nConnection: close\r\n\r\n".encode())
                text = b""
                while more := peer.recv(65536):
                    text += more
            if f'n/{probe}\\"'.encode() not in text:
                return f"the next client behind nginx was answered {text[-300:]!r}"
        return None

    def all(self, rounds):
        for turn in range(rounds):
            for name, octets in corpus():
                cut = len(octets) if turn == 0 else random.randrange(len(octets) + 1)
                fault = self.check(name, octets, cut)
                if fault:
                    self.faults.append(f"{name}, cut at {cut}: {fault}")
                else:
                    self.passed += 1


def main():
    rounds = int(sys.argv[1])
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        server = Server(directory + "/data")
        server.start()
        with open(directory + "/nginx.conf", "w", encoding="ascii") as out:
            out.write(("user root;" if os.getuid() == 0 else "") + NGINX.format(dir=directory, port=server.port))
        command = [nginx, "-c", directory + "/nginx.conf", "-p", directory]
        subprocess.run(command, stderr=subprocess.DEVNULL, check=True, timeout=30)  # returns when it listens
        try:
            run = Run(directory, server)
            run.all(rounds)
        finally:
            subprocess.run([*command, "-s", "stop"], stderr=subprocess.DEVNULL, check=True, timeout=30)
            code = server.stop()
    print(f"hostile requests: {run.passed + len(run.faults)} sent, {run.refused} refused, {run.read} read as nginx reads them, "
          f"{run.stricter} that nginx alone refuses, {run.probes} probes behind nginx, {len(run.faults)} faults")
    for fault in run.faults:
        print(fault, file=sys.stderr)
    print(f"{run.passed} passed, {len(run.faults)} failed, 0 skipped")
    return 1 if run.faults or code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
