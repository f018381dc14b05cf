#!/usr/bin/env python3
"""SIGKILL while tokens are made, renewed, revoked and used, COUNT times: no revocation that was answered is undone, no token that was
answered is lost, and no token with a limited number of uses is used more often. usage: token_kills.py COUNT"""
import http.client
import json
import random
import shutil
import sys
import tempfile
import threading

from coffer_server import Server

WORKERS = 3
USES = 3


class Journal:
    """What the server has answered; kept outside it."""

    def __init__(self, rounds):
        self.lock = threading.Lock()
        self.left, self.enough = rounds, threading.Event()
        self.live, self.revoked, self.uses = set(), set(), {}


def call(server, token, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, "/v1/" + path, None if body is None else json.dumps(body), {"X-Vault-Token": token})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
    finally:
        connection.close()


def make(server, parent="root", **settings):
    status, answer = call(server, parent, "POST", "auth/token/create", {"policies": ["default"], **settings})
    if status != 200:
        raise AssertionError(f"create: {status} {answer}")
    return answer["auth"]["client_token"]


def begin_round(journal):
    with journal.lock:
        journal.left -= 1
        if journal.left <= 0:
            journal.enough.set()


def work(server, journal, stop):
    mine = random.Random()
    try:
        while not stop.is_set():
            begin_round(journal)
            kind = mine.randrange(3)
            if kind == 0:
                token = make(server, ttl="1h")
                with journal.lock:
                    journal.live.add(token)
                call(server, token, "POST", "auth/token/renew-self", {"increment": "2h"})
            elif kind == 1:
                token = make(server)
                child = make(server, ttl="30m")
                status, _ = call(server, "root", "POST", "auth/token/revoke", {"token": token})
                with journal.lock:
                    journal.live.add(child)
                    if status == 204:
                        journal.revoked.add(token)
            else:
                token = make(server, num_uses=USES)
                with journal.lock:
                    journal.uses[token] = 0
                for _ in range(USES):
                    status, _ = call(server, token, "GET", "auth/token/lookup-self")
                    if status == 200:
                        with journal.lock:
                            journal.uses[token] += 1
    except (OSError, http.client.HTTPException):
        pass  # the server was killed


def check(server, journal):
    faults = []
    for token in journal.live:
        if call(server, token, "GET", "auth/token/lookup-self")[0] != 200:
            faults.append("a token that was answered is lost")
    for token in journal.revoked:
        if call(server, token, "GET", "auth/token/lookup-self")[0] != 403:
            faults.append("a revoked token is valid again")
    for token, used in journal.uses.items():
        while call(server, token, "GET", "auth/token/lookup-self")[0] == 200:
            used += 1
        if used > USES:
            faults.append(f"a token with {USES} uses was used {used} times")
    return faults


def main():
    turns = int(sys.argv[1])
    folder = tempfile.mkdtemp()
    failed = seen = 0
    server = Server(folder)
    for turn in range(turns):
        server.start()
        journal, stop = Journal(rounds=random.randrange(WORKERS + 1, 150)), threading.Event()
        threads = [threading.Thread(target=work, args=(server, journal, stop)) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        late = not journal.enough.wait(60)
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        server.start()
        faults = check(server, journal)
        if late:
            faults.append("too few rounds began in 60 s")
        seen += len(journal.live) + len(journal.revoked) + len(journal.uses)
        if faults:
            failed += 1
            print(f"FAILED in turn {turn}: " + "; ".join(sorted(set(faults))))
        server.kill()
    shutil.rmtree(folder)
    print(f"{seen} tokens looked at after {turns} kills")
    if not seen:
        failed = turns
    print(f"{turns - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
