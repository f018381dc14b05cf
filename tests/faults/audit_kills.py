#!/usr/bin/env python3
"""SIGKILL at random moments of changes and encryptions of several clients under an audit device, COUNT times, and SIGTERM once at the
end: every answer has its two entries, the file is one chain that the token signed at each start and at the end, and the server goes on with it. usage: audit_kills.py COUNT"""
import base64
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading

from coffer_server import BINARY, Server, wait_for


CLIENTS = 4  # so that several write to the device at once


def act(server, answered):
    key = "k%d" % random.randrange(4)
    choice = random.random()
    if choice < 0.2:
        path, body = f"transit/keys/{key}", {}
    elif choice < 0.3:
        path, body = f"transit/keys/{key}/rotate", None
    else:
        path, body = f"transit/encrypt/{key}", {"plaintext": base64.b64encode(os.urandom(9)).decode()}
    status, answer = server.call("POST", path, body)
    if "request_id" in answer:
        answered.append(answer["request_id"])


def act_until_gone(server, answered):
    """Several clients, each until the server does not answer it."""
    def client():
        try:
            while True:
                act(server, answered)
        except (OSError, http.client.HTTPException, ValueError):
            pass

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    return clients


def main():
    count = int(sys.argv[1])
    failures = []
    answered = []
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data")
        server = Server(data)
        for turn in range(count):
            try:
                server.start()
            except RuntimeError as failure:
                failures.append(f"turn {turn}: {failure}")
                break
            if turn == 0:
                server.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": "audit.log"}})
            killer = threading.Timer(random.uniform(0.0, 0.3), server.process.kill)
            killer.start()
            for client in act_until_gone(server, answered):
                client.join()
            killer.join()
            server.kill()
        server.start()
        clients = act_until_gone(server, answered)
        before = len(answered)
        if wait_for(lambda: len(answered) >= before + 100, 30) is None:
            failures.append("the last server does not answer")
        if server.stop() != 0:
            failures.append("the server did not stop cleanly")
        for client in clients:
            client.join()
        file = os.path.join(data, "audit", "audit.log")
        seen = {}
        with open(file, "rb") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue  # what a kill cut short
                if "request" in entry:
                    place = entry["request"]["id"], entry["type"]
                    seen[place] = seen.get(place, 0) + 1
        for request in answered:
            if seen.get((request, "request")) != 1 or seen.get((request, "response")) != 1:
                failures.append(f"request {request} was answered without its entries")
        verified = subprocess.run([BINARY, "audit", "verify", file, "-format=json", "-key=" + os.path.join(data, "audit-key.pem")],
                                  capture_output=True, text=True)
        report = json.loads(verified.stdout or "{}")
        if verified.returncode != 0 or not report.get("intact"):
            failures.append(verified.stdout + verified.stderr)
        if report.get("checkpoints", 0) < count or report.get("unproven") != 0:
            failures.append("not signed at each start and at the end: " + verified.stdout)
        print(f"{report.get('lines')} lines, {report.get('checkpoints')} checkpoints, signed up to {report.get('signed_up_to')}")
    print(f"{count} kills, {len(answered)} answers")
    for failure in failures[:20]:
        print("FAILED " + failure)
    print(f"{max(count - len(failures), 0)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures or not answered else 0


sys.exit(main())
