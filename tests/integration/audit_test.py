#!/usr/bin/env python3
"""The audit trail of the real program: devices through the API and the configuration, rotation, verification offline, faults,
canaries. usage: audit_test.py COFFER"""
import base64
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

from program import FolderCase, Running, run_on_terminal, run_tests, take_binary

BINARY = take_binary()
TOKEN = "audit-root-token"


class Server(Running):
    def __init__(self, data, flags=()):
        self.data = data
        self.log = os.path.join(os.path.dirname(data), "server.log")
        self.process = subprocess.Popen(
            [BINARY, "server", "-dev", "-dev-no-store-token", f"-data={data}", f"-dev-root-token-id={TOKEN}", "-dev-listen-address=127.0.0.1:0", *flags],
            stdout=subprocess.PIPE, stderr=open(self.log, "ab"), text=True)
        for line in self.process.stdout:
            if line.startswith("listening on http://"):
                self.port = int(line.rsplit(":", 1)[1])
            if line.startswith("coffer is ready"):
                return
        raise AssertionError("no start: " + open(self.log, errors="replace").read()[-2000:])

    def call(self, method, path, body=None, token=TOKEN, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, "/v1/" + path, body if isinstance(body, (bytes, str)) or body is None else json.dumps(body),
                               {**({"X-Vault-Token": token} if token else {}), **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
        finally:
            connection.close()


class Case(FolderCase):
    FLAGS = ()

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.file = os.path.join(self.data, "audit", "audit.log")

    def serve(self):
        server = Server(self.data, self.FLAGS)
        self.addCleanup(server.stop)
        return server

    def ok(self, method, path, body=None):
        status, answer = self.server.call(method, path, body)
        self.assertIn(status, (200, 204), (path, answer))
        return answer

    def enable(self, name="file", **options):
        self.ok("PUT", f"sys/audit/{name}", {"type": "file", "options": {"file_path": "audit.log", **options}})

    def lines(self, file=None):
        with open(file or self.file, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def audit(self, *words):
        done = subprocess.run([BINARY, "audit", *words], capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def verify(self, *files, flags=()):
        key = os.path.join(self.data, "audit-key.pem")
        code, out, error = self.audit("verify", *(files or (self.file,)), f"-key={key}", "-format=json", *flags)
        self.assertIn(code, (0, 1), error)
        report = json.loads(out)
        self.assertEqual(report["intact"], code == 0)
        return report

    def until(self, condition):
        """For what the server does by itself, on its disk or with a device: it tells nobody, it can only be looked at."""
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it did not happen")
            time.sleep(0.02)


class DeviceTest(Case):
    def test_device_is_enabled_listed_survives_a_restart_and_is_disabled(self):
        self.enable(hmac_accessor="false")
        listed = self.ok("GET", "sys/audit")["data"]["file/"]
        self.assertEqual(listed["type"], "file")
        self.assertEqual(listed["options"]["file_path"], self.file)
        self.assertEqual(self.server.stop(), 0)
        self.server = self.serve()
        self.assertIn("file/", self.ok("GET", "sys/audit")["data"])
        self.ok("DELETE", "sys/audit/file")
        self.assertEqual(self.ok("GET", "sys/audit")["data"], {})
        before = len(self.lines())
        self.ok("GET", "sys/mounts")
        self.assertEqual(len(self.lines()), before)
        self.assertTrue(self.verify()["intact"])

    def test_a_long_verification_shows_its_progress_on_a_terminal_only(self):
        self.enable()
        self.ok("POST", "transit/encrypt/k", {"plaintext": "aGVsbG8="})
        self.server.stop()
        words = ["verify", self.file, "-key=" + os.path.join(self.data, "audit-key.pem")]
        code, shown = run_on_terminal([BINARY, "audit", *words])
        self.assertEqual(code, 0, shown)
        self.assertTrue(shown.startswith("\rverifying: 100 %") and shown.endswith("\r\x1b[K"), shown)
        self.assertEqual(self.audit(*words)[2], "")

    def test_an_audit_path_is_no_way_to_write_files(self):
        for path in ("/etc/passwd", "../x", "a/b", os.path.join(self.data, "root-token"), ".hidden", "", "x\ny", "stdout" + "/" + "x",
                     os.path.join(self.data, "audit", "..", "x")):
            status, answer = self.server.call("PUT", "sys/audit/a", {"type": "file", "options": {"file_path": path}})
            self.assertEqual(status, 400, (path, answer))
        os.symlink("/etc/passwd", os.path.join(self.data, "audit", "link"))
        status, _ = self.server.call("PUT", "sys/audit/a", {"type": "file", "options": {"file_path": "link"}})
        self.assertEqual(status, 400)
        with open(os.path.join(self.data, "audit", "other"), "w") as other:
            other.write("not ours\n")
        status, _ = self.server.call("PUT", "sys/audit/a", {"type": "file", "options": {"file_path": "other"}})
        self.assertEqual(status, 400)
        for options in ({"log_raw": "true"}, {"format": "jsonx"}, {"prefix": "x"}, {"mode": "0644"}, {"nonsense": "1"}):
            status, _ = self.server.call("PUT", "sys/audit/a", {"type": "file", "options": {"file_path": "b.log", **options}})
            self.assertEqual(status, 400, options)
        status, _ = self.server.call("PUT", "sys/audit/a", {"type": "socket", "options": {"address": "x"}})
        self.assertEqual(status, 400)
        self.enable()
        status, _ = self.server.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": "c.log"}})
        self.assertEqual(status, 400)
        status, _ = self.server.call("PUT", "sys/audit/b", {"type": "file", "options": {"file_path": "audit.log"}})
        self.assertEqual(status, 400)

    def test_words_of_vaults_are_what_they_say_or_are_refused(self):
        for path in ("discard", "/dev/null", "/dev/full"):
            status, answer = self.server.call("PUT", "sys/audit/a", {"type": "file", "options": {"file_path": path}})
            self.assertEqual(status, 400, (path, answer))
        status, answer = self.server.call("PUT", "sys/audit/a", {"type": "socket", "options": {"address": "127.0.0.1:1"}})
        self.assertEqual(status, 400)
        self.assertIn("audit_socket_addresses", answer["errors"][0])
        self.assertEqual(os.listdir(os.path.join(self.data, "audit")), [], "none of them is a file name")
        self.ok("PUT", "sys/audit/out", {"type": "file", "options": {"file_path": "stdout"}})
        listed = self.ok("GET", "sys/audit")["data"]["out/"]
        self.assertEqual((listed["type"], listed["options"]["file_path"]), ("file", "stdout"))
        self.ok("POST", "transit/keys/k")
        seen = []
        while "transit/keys/k" not in seen:
            line = self.server.process.stdout.readline()
            seen += [json.loads(line).get("request", {}).get("path")] if line.startswith("{") else []
        self.assertFalse(self.ok("GET", "sys/health")["audit_on_disk"])
        self.enable()
        self.assertTrue(self.ok("GET", "sys/health")["audit_on_disk"])

    def test_an_auditor_can_compare_a_value(self):
        self.enable()
        self.ok("POST", "transit/encrypt/k", {"plaintext": "aGVsbG8="})
        hashed = self.ok("POST", "sys/audit-hash/file", {"input": "aGVsbG8="})["data"]["hash"]
        self.assertRegex(hashed, "^hmac-sha256:[0-9a-f]{64}$")
        sent = [line["request"]["data"]["plaintext"] for line in self.lines()
                if line["type"] == "request" and line["request"]["path"] == "transit/encrypt/k"]
        self.assertEqual(sent, [hashed])
        status, _ = self.server.call("POST", "sys/audit-hash/none", {"input": "x"})
        self.assertEqual(status, 400)

    def test_rotation_by_signal_loses_no_line(self):
        self.enable()
        for turn in range(5):
            self.ok("POST", f"transit/keys/k{turn}")
            os.rename(self.file, f"{self.file}.{turn}")
            self.server.process.send_signal(signal.SIGHUP)
            self.ok("GET", f"transit/keys/k{turn}")
            self.until(lambda: os.path.exists(self.file))
        self.assertEqual(self.server.stop(), 0)
        files = [f"{self.file}.{turn}" for turn in range(5)] + [self.file]
        report = self.verify(*files)
        self.assertTrue(report["intact"], report)
        paths = [line["request"]["path"] for file in files for line in self.lines(file) if line["type"] == "response"]
        self.assertEqual(paths.count("transit/keys/k3"), 2)
        self.assertFalse(self.verify(*files[1:])["intact"])
        self.assertTrue(self.verify(*files[1:], flags=("-partial",))["intact"])

    def test_a_deleted_file_comes_back_by_itself(self):
        self.enable()
        os.remove(self.file)
        self.until(lambda: self.server.call("POST", "transit/keys/k")[0] == 200 and os.path.exists(self.file))
        self.ok("POST", "transit/keys/k2")
        self.assertIn("transit/keys/k2", [line.get("request", {}).get("path") for line in self.lines()])

    def test_a_device_that_refuses_stops_the_service_and_not_for_ever(self):
        fifo = os.path.join(self.data, "audit", "pipe")
        os.mkfifo(fifo)
        status, _ = self.server.call("PUT", "sys/audit/pipe", {"type": "file", "options": {"file_path": "pipe"}})
        self.assertEqual(status, 503, "nobody reads it")
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.ok("PUT", "sys/audit/pipe", {"type": "file", "options": {"file_path": "pipe"}})
        self.ok("POST", "transit/keys/before")
        os.close(reader)
        begun = time.monotonic()
        for _ in range(20):
            status, answer = self.server.call("POST", "transit/keys/k")
            self.assertEqual(status, 503, answer)
        self.assertLess(time.monotonic() - begun, 10)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.until(lambda: self.server.call("GET", "transit/keys/before")[0] == 200)
        self.assertEqual(self.server.call("GET", "transit/keys/k")[0], 404, "refused, so not made")
        os.close(reader)

    def test_a_second_device_that_works_is_enough(self):
        self.enable()
        fifo = os.path.join(self.data, "audit", "pipe")
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.ok("PUT", "sys/audit/pipe", {"type": "file", "options": {"file_path": "pipe"}})
        os.close(reader)
        for _ in range(5):
            self.ok("POST", "transit/keys/k")


class EvidenceTest(Case):
    def test_what_was_changed_is_named_and_what_was_signed_is_said(self):
        self.enable()
        for turn in range(30):
            self.ok("POST", f"transit/keys/k{turn % 3}/rotate" if turn > 2 else f"transit/keys/k{turn}")
        # The chain's start has a checkpoint of its own: one of the entries is waited for.
        self.until(lambda: any(line["type"] == "checkpoint" for line in self.lines()[60:]))
        code, anchor, _ = self.audit("head", self.file)
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(anchor)["type"], "checkpoint")
        with open(os.path.join(self.folder, "anchor"), "w") as out:
            out.write(anchor)
        self.assertEqual(self.server.stop(), 0)
        report = self.verify()
        self.assertTrue(report["intact"], report)
        self.assertGreaterEqual(report["signed_up_to"], report["last_entry"] - 1)
        with open(self.file, "rb") as whole:
            original = whole.read().splitlines(keepends=True)
        copy = os.path.join(self.folder, "copy.log")

        def damaged(lines, *flags):
            with open(copy, "wb") as out:
                out.write(b"".join(lines))
            return self.verify(copy, flags=flags)["findings"]

        edited = original[:]
        edited[10] = edited[10].replace(b"127.0.0.1", b"127.0.0.2", 1)
        self.assertEqual([(f["kind"], f["line"]) for f in damaged(edited)], [("edited", 11)])
        self.assertEqual([(f["kind"], f["line"]) for f in damaged(original[:10] + original[11:])], [("missing", 10)])
        swapped = original[:]
        swapped[5], swapped[6] = swapped[6], swapped[5]
        self.assertEqual([(f["kind"], f["line"]) for f in damaged(swapped)], [("out-of-order", 6)])
        self.assertEqual([(f["kind"], f["line"]) for f in damaged(original[:8] + [original[3]] + original[8:])], [("inserted", 9)])
        self.assertEqual([f["kind"] for f in damaged(original[:-1] + [original[-1][:40]])], ["cut"])
        self.assertEqual(damaged(original[:5]), [])
        self.assertEqual([f["kind"] for f in damaged(original[:5], "-anchor=" + os.path.join(self.folder, "anchor"))], ["missing"])
        self.assertEqual(self.audit("verify", copy)[0], 2)
        self.assertEqual(self.audit("verify", copy, "-key=" + copy)[0], 1)

    @staticmethod
    def forged(before, count, start=False):
        """Lines with right hashes behind `before`, as whoever holds the file can write them; `start`: as a chain of their own."""
        chain = json.loads(before)["chain"]
        number, previous = (0, "0" * 64) if start else (chain["seq"], chain["hash"])
        stamp = json.loads(before)["time"]
        lines = []
        for _ in range(count):
            number += 1
            facts = {"event": "audit-started" if number == 1 else "token-lost", "known_seq": "0", "known_hash": previous, "torn_octets": "0",
                     "torn_sha256": ""}
            text = json.dumps({"time": stamp, "type": "system", "system": facts}, separators=(",", ":"))[:-1]
            text += f',"chain":{{"seq":{number},"prev":"{previous}'
            previous = hashlib.sha256(text.encode()).hexdigest()
            lines.append((text + f'","hash":"{previous}"}}}}\n').encode())
        return lines

    def test_an_end_that_nothing_signed_fails(self):
        self.enable()
        for turn in range(3):
            self.ok("POST", f"transit/keys/k{turn}")
        self.ok("DELETE", "sys/audit/file")
        with open(self.file, "rb") as whole:
            original = whole.read().splitlines(keepends=True)
        report = self.verify()
        self.assertTrue(report["intact"], report)
        self.assertEqual((report["unproven"], report["signed_up_to"]), (0, len(original) - 1), "the disabling is signed")
        copy = os.path.join(self.folder, "copy.log")
        for forged, said in ((self.forged(original[1], 5000), "unproven"), (self.forged(original[1], 3, start=True), "unproven"),
                             (self.forged(original[1], 1, start=True), "unproven")):
            with open(copy, "wb") as out:
                out.write(b"".join(original[:2] + forged))
            self.assertEqual([finding["kind"] for finding in self.verify(copy)["findings"]], [said])
        with open(copy, "wb") as out:
            out.write(b"".join(self.forged(original[1], 10, start=True)))
        self.assertEqual([finding["kind"] for finding in self.verify(copy)["findings"]], ["unproven"])

    def test_the_database_knows_of_entries_that_were_cut_off(self):
        self.enable()
        for turn in range(5):
            self.ok("POST", f"transit/keys/k{turn}")
        self.assertEqual(self.server.stop(), 0)
        with open(self.file, "rb") as whole:
            lines = whole.read().splitlines(keepends=True)
        with open(self.file, "wb") as out:
            out.write(b"".join(lines[:4]))
        self.server = self.serve()
        self.ok("GET", "sys/mounts")
        findings = self.verify()["findings"]
        self.assertEqual([f["kind"] for f in findings], ["missing"])
        self.assertEqual(findings[0]["first_entry"], 5)
        self.assertIn("audit entries are missing", open(self.server.log).read())

    def test_a_kill_loses_no_entry_of_an_answer(self):
        self.enable()
        self.ok("POST", "transit/keys/k")
        answered = []
        for _ in range(50):
            answered.append(self.ok("POST", "transit/encrypt/k", {"plaintext": ""})["request_id"])
        self.server.stop(signal.SIGKILL)
        seen = [(line["type"], line["request"]["id"]) for line in self.lines() if "request" in line]
        for request in answered:
            self.assertEqual(seen.count(("request", request)), 1)
            self.assertEqual(seen.count(("response", request)), 1)
        self.server = self.serve()
        self.ok("GET", "sys/mounts")
        self.assertTrue(self.verify()["intact"])

    def test_query_finds_by_key_path_outcome_and_time(self):
        self.enable()
        self.ok("POST", "transit/keys/wanted")
        self.ok("POST", "transit/encrypt/wanted", {"plaintext": ""})
        self.ok("POST", "transit/keys/other")
        self.server.call("POST", "transit/decrypt/wanted", {"ciphertext": "x"})

        def found(*flags):
            code, out, error = self.audit("query", self.file, *flags)
            self.assertEqual(code, 0, error)
            return [json.loads(line) for line in out.splitlines()]

        self.assertEqual(len(found("-key=wanted")), 6)
        self.assertEqual(len(found("-key=wanted", "-outcome=error")), 1)
        self.assertEqual(len(found("-path=transit/keys/*", "-type=request")), 2)
        self.assertEqual(len(found("-operation=update", "-key=other")), 2)
        self.assertEqual(found("-until=2020"), [])
        self.assertGreater(len(found("-since=2020-01-01")), 8)
        accessor = found("-key=wanted")[0]["auth"]["accessor"]
        self.assertGreater(len(found("-accessor=" + accessor)), 8)

    def test_system_jobs_leave_entries(self):
        self.enable()
        tokens = os.path.join(self.data, "tokens")
        os.rename(tokens, tokens + ".away")
        self.until(lambda: any(line.get("system", {}).get("event") == "token-lost" for line in self.lines()))
        os.rename(tokens + ".away", tokens)
        self.until(lambda: any(line.get("system", {}).get("event") == "token-back" for line in self.lines()))


class CanaryTest(Case):
    """Every field of every endpoint, as the server itself describes them: what is added is tested without a word here."""
    FLAGS = ("-log-level=debug",)
    # Kept as they were written, for people and as names; and paths, which an answer has as names of members.
    STORED = {"description", "options", "display_name", "meta", "path_suffix", "allowed_policies_glob", "disallowed_policies_glob",
              "path", "paths"}
    REPEATED = {"id"}  # the caller's choice of a new token, which the answer gives back
    KEYS = {"c": "aes256-gcm96", "s": "ed25519", "m": "aes128-cmac"}
    # Values of path parameters: paths stand in clear. Elsewhere "x".
    PLACES = {"transit_mount_path": "transit", "name": "c"}
    KEY_OF = {"sign": "s", "verify": "s", "cmac": "m"}
    LAST = ("revoke", "seal")  # nothing works behind these

    def operations(self):
        """(method, path, {field: whether it is sensitive}), those last that end something."""
        found = []
        for pattern, item in self.ok("GET", "sys/internal/specs/openapi")["paths"].items():
            segments = pattern.strip("/").split("/")
            places = {**self.PLACES, "name": self.KEY_OF.get(segments[1], "c")}
            path = "/".join(places.get(segment[1:-1], "x") if segment.startswith("{") else segment for segment in segments)
            for method in ("get", "post", "patch", "delete"):
                if method not in item:
                    continue
                content = item[method].get("requestBody", {}).get("content", {})
                fields = {}
                for schema in (one["schema"] for one in content.values()):
                    for name, value in schema["properties"].items():
                        fields[name] = any(part.get("x-vault-displayAttrs", {}).get("sensitive", False) for part in value["allOf"])
                fields.update({parameter["name"]: False for parameter in item[method].get("parameters", []) if parameter["in"] == "query"})
                found.append((method.upper(), path, fields))
        return sorted(found, key=lambda one: (any(word in one[1] for word in self.LAST), one[0] == "DELETE"))

    def send(self, method, path, field, canary):
        """Each way to give the field this value; what was answered."""
        bodies = [{field: canary}, {field: {"k": canary}}, {field: [canary]},
                  {field: [{field: canary, "plaintext": canary, "input": canary, "ciphertext": canary}]},
                  {"plaintext": "", "input": "", field: canary}]
        token = TOKEN
        if path.endswith("revoke-self"):
            token = self.ok("POST", "auth/token/create")["auth"]["client_token"]
        answers = [self.server.call(method, f"{path}?{field}={canary}", token=token)] if method in ("GET", "DELETE") else []
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for body in bodies if method != "GET" else []:
            merge = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
            answers.append(self.server.call(method, path, body, token=token, headers=merge))
            answers.append(self.server.call(method, path, json.dumps(body)[:-1], token=token, headers=merge))
            answers.append(self.server.call(method, path, f"{field}={canary}", token=token, headers=form))
        return answers

    def keep_metrics(self):
        """Beside the files that are looked through."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        connection.request("GET", "/v1/sys/metrics?format=prometheus", headers={"X-Vault-Token": TOKEN})
        text = connection.getresponse().read()
        connection.close()
        self.assertIn(b"coffer_requests_total{", text)
        with open(os.path.join(self.folder, "metrics.txt"), "wb") as out:
            out.write(text)

    def test_no_secret_of_any_field_of_any_endpoint_is_found_anywhere(self):
        self.enable()
        for key, kind in self.KEYS.items():
            self.ok("POST", f"transit/keys/{key}", {"type": kind})
        canaries = []
        self.sent = {}  # where each was sent
        carried_out = 0
        for method, path, fields in self.operations():
            for field, sensitive in {**fields, "unknown": False}.items():
                if field in self.STORED:
                    continue
                canary = f"CANARY{len(canaries):06d}Zm9v"  # Base64, too
                canaries.append(canary)
                self.sent[canary.encode()] = (method, path, field)
                for status, answer in self.send(method, path, field, canary):
                    carried_out += status in (200, 204)
                    if sensitive and field not in self.REPEATED:
                        self.assertNotIn(canary, json.dumps(answer), (method, path, field))
        self.assertGreater(len(canaries), 120)
        self.assertGreater(carried_out, 30, "not only refusals are looked at")
        self.server.call("GET", "sys/mounts", token="CANARYtokenZm9v")
        raw = socket.create_connection(("127.0.0.1", self.server.port))
        raw.sendall(b"GET /v1/x?CANARYquery HTTP/9.9\r\nX-Vault-Token: CANARYheader\r\n\r\n")
        raw.recv(1000)
        raw.close()
        paths = {line["request"]["path"] for line in self.lines() if line["type"] == "response"}
        self.assertEqual([path for _, path, _ in self.operations() if path not in paths], [])
        wal = os.path.join(self.data, "coffer.db-wal")
        self.assertTrue(os.path.getsize(wal) > 0, "what the WAL holds is looked at, too")
        self.keep_metrics()
        self.look_for(canaries)
        self.server.stop()
        with open(self.server.log, encoding="utf-8") as log:
            self.assertGreater(log.read().count("request answered"), 5 * len(canaries), "each request leaves a line")
        self.look_for(canaries)
        self.assertTrue(self.verify()["intact"])

    def look_for(self, canaries):
        decoded = [base64.b64decode(canary) for canary in canaries]
        for folder, _, files in os.walk(self.folder):
            for name in files:
                if not os.path.isfile(os.path.join(folder, name)):
                    continue  # a socket
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                found = sorted(set(re.findall(rb"CANARY\w+", content)))
                self.assertEqual([self.sent.get(one, one) for one in found], [], os.path.join(folder, name))
                self.assertEqual([octets for octets in decoded if octets in content], [], os.path.join(folder, name))

    def test_no_content_can_break_a_line(self):
        self.enable()
        for body in ({"plaintext": "\n\r\u2028\u0000\"}"}, {"a\n\"b": "x"}, {"x": "\U0001f600" * 1000},
                     {"batch_input": [{"plaintext": "YQ==", "reference": "\n"}] * 200}):
            self.server.call("POST", "transit/encrypt/k", body)
        self.server.call("POST", "transit/encrypt/k", b'{"plaintext":"\xff\xfe"}')
        self.server.call("POST", "transit/encrypt/k", b"\x00\n\x01")
        huge = {"batch_input": [{"plaintext": "YQ==", "reference": str(i)} for i in range(20000)]}
        self.server.call("POST", "transit/encrypt/k", huge)
        lines = self.lines()
        self.assertTrue(any("elided" in line.get("request", {}).get("data", {}) for line in lines))
        self.server.stop()
        self.assertTrue(self.verify()["intact"])


run_tests()
