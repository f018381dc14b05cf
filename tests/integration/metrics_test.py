#!/usr/bin/env python3
"""sys/metrics and the log of the real program: what they say is what happened. usage: metrics_test.py COFFER"""
import base64
import http.client
import json
import os
import re
import socket
import subprocess
import time

from program import FolderCase, Running, run_tests, take_binary

BINARY = take_binary()
ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
TOKEN = "metrics-root-token"
LINE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Server(Running):
    """A server that a file configures, on a token that dev mode made; its log goes to `log`, a file or a descriptor."""

    def __init__(self, folder, more="", listener="", log=None, environment=None):
        self.socket = os.path.join(folder, "api.sock")
        self.data = os.path.join(folder, "data")
        self.log = os.path.join(folder, "server.log")
        path = os.path.join(folder, "coffer.hcl")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"""listener "unix" {{
  address = "{self.socket}"
  {listener}
}}
storage "sqlite" {{ path = "{self.data}" }}
token {{
  uri            = "pkcs11:token=coffer-dev?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:{self.data}/pin"
  softhsm_config = "{self.data}/softhsm2.conf"
}}
{more}
""")
        with open(self.log, "ab") as log_file:
            self.process = subprocess.Popen([BINARY, "server", "-config=" + path], stdout=subprocess.PIPE,
                                            stderr=log_file if log is None else log, stdin=subprocess.DEVNULL, text=True,
                                            env={**os.environ, **(environment or {})})
        if "coffer is ready\n" not in iter(self.process.stdout.readline, ""):
            raise AssertionError("no start: " + self.logged())

    def logged(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def ask(self, method, path, body=None, token=TOKEN, where=None, headers=None):
        """(status, headers, octets)"""
        connection = UnixConnection(where or self.socket)
        try:
            connection.request(method, "/v1/" + path, None if body is None else json.dumps(body),
                               {**({"X-Vault-Token": token} if token else {}), **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def call(self, method, path, body=None):
        status, _, text = self.ask(method, path, body)
        return status, json.loads(text) if text else {}

    def scrape(self, **more):
        status, headers, text = self.ask("GET", "sys/metrics?format=prometheus", **more)
        if status != 200:
            raise AssertionError((status, text))
        return text.decode()


def samples(text):
    """{(name, sorted labels): value}"""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = LINE.match(line).groups()
        found[name, tuple(sorted(LABEL.findall(labels or "")))] = float(value)
    return found


def value(found, metric, **labels):
    """The sum of the series that have these labels; nothing where there is none."""
    wanted = set(labels.items())
    fitting = [number for (series, own), number in found.items() if series == metric and wanted <= set(own)]
    return sum(fitting) if fitting else None


class Case(FolderCase):
    LISTENER = ""
    MORE = "workers = 2"

    def setUp(self):
        super().setUp()
        dev = subprocess.Popen([BINARY, "server", "-dev", "-dev-no-store-token", f"-data={self.data}", f"-dev-root-token-id={TOKEN}",
                                "-dev-listen-address=127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.assertIn("coffer is ready\n", iter(dev.stdout.readline, ""))
        dev.terminate()
        dev.communicate(timeout=60)

    def serve(self, more="", **other):
        server = Server(self.folder, self.MORE + "\n" + more, other.pop("listener", self.LISTENER), **other)
        self.addCleanup(server.stop)
        return server

    def ok(self, server, method, path, body=None):
        status, answer = server.call(method, path, body)
        self.assertIn(status, (200, 204), (path, answer))
        return answer.get("data")

    def wait_for(self, condition, what):
        """For what can only be asked for."""
        until = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), until, what)
            time.sleep(0.01)


class MetricsTest(Case):
    def test_counters_move_as_the_requests_that_were_made(self):
        server = self.serve()
        self.ok(server, "POST", "transit/keys/k", {})
        before = samples(server.scrape())
        plain = base64.b64encode(b"hello").decode()
        for _ in range(7):
            sealed = self.ok(server, "POST", "transit/encrypt/k", {"plaintext": plain})["ciphertext"]
        self.ok(server, "POST", "transit/encrypt/k", {"batch_input": [{"plaintext": plain}] * 10})
        for _ in range(3):
            self.ok(server, "POST", "transit/decrypt/k", {"ciphertext": sealed})
        self.assertEqual(server.call("POST", "transit/decrypt/k", {"ciphertext": sealed[:-6] + "AAAAA="})[0], 400)
        self.ok(server, "POST", "transit/keys/k/rotate", {})
        self.assertEqual(server.ask("GET", "transit/keys", token="no such token")[0], 403)
        self.assertEqual(server.ask("GET", "no/such/thing")[0], 404)
        after = samples(server.scrape())

        def grew(name, **labels):
            return (value(after, name, **labels) or 0) - (value(before, name, **labels) or 0)

        encrypt = {"engine": "transit", "endpoint": "encrypt/:name", "operation": "update"}
        decrypt = {**encrypt, "endpoint": "decrypt/:name"}
        rotate = {**encrypt, "endpoint": "keys/:name/rotate"}
        self.assertEqual(grew("coffer_requests_total", code="200", **encrypt), 8)
        self.assertEqual(grew("coffer_requests_total", code="200", **decrypt), 3)
        self.assertEqual(grew("coffer_requests_total", code="400", **decrypt), 1)
        self.assertEqual(grew("coffer_requests_total", code="200", **rotate), 1)
        self.assertEqual(grew("coffer_requests_total", engine="none", code="403"), 1)
        self.assertEqual(grew("coffer_requests_total", engine="none", code="404"), 1)
        self.assertEqual(grew("coffer_requests_total", endpoint="metrics", code="200"), 1)
        self.assertEqual(grew("coffer_request_duration_seconds_count", **encrypt), 8)
        self.assertEqual(grew("coffer_request_duration_seconds_count", **decrypt), 4)
        self.assertEqual(grew("coffer_request_duration_seconds_bucket", le="+Inf", **decrypt), 4)
        took = grew("coffer_request_duration_seconds_sum", **rotate)
        self.assertTrue(0 < took < 60, took)
        self.assertEqual(grew("coffer_token_operations_total", operation="encrypt", mechanism="CKM_AES_GCM"),
                         17 + 1)  # a rotation tries its new key out
        self.assertEqual(grew("coffer_token_operations_total", operation="decrypt", mechanism="CKM_AES_GCM"), 3 + 1)
        self.assertEqual(grew("coffer_token_operation_failures_total", operation="decrypt", mechanism="CKM_AES_GCM"), 1)
        self.assertEqual(grew("coffer_token_operations_total", operation="generate_key", mechanism="CKM_AES_KEY_GEN"), 1)
        self.assertGreater(grew("coffer_token_operations_total", operation="unwrap_key"), 0)
        self.assertGreater(grew("coffer_token_operation_duration_seconds_count", operation="encrypt"), 0)
        uses = grew("coffer_key_handle_hits_total") + grew("coffer_key_handle_misses_total")
        self.assertEqual(uses, 7 + 10 + 4)
        self.assertGreater(grew("coffer_key_handle_misses_total"), 0)
        self.assertEqual(value(after, "coffer_key_handles"), value(after, "coffer_key_handle_misses_total"))
        self.assertGreater(grew("coffer_storage_commit_duration_seconds_count"), 0)
        self.assertEqual(value(after, "coffer_token_instances"), 3)
        self.assertEqual(value(after, "coffer_token_sessions"), 3)
        self.assertGreaterEqual(value(after, "coffer_http_connections"), 1)
        self.assertEqual(grew("coffer_http_connections_accepted_total"), 16)
        self.assertGreater(value(after, "process_start_time_seconds"), time.time() - 600)
        self.assertGreater(value(after, "coffer_storage_database_bytes"), 4096)

    def test_refused_requests_are_counted_by_their_status(self):
        server = self.serve()
        peer = socket.socket(socket.AF_UNIX)
        with peer:
            peer.connect(server.socket)
            peer.sendall(b"GET /v1/sys/health HTTP/9.9\r\n\r\n")
            status = peer.recv(1000).split()[1].decode()
        self.assertEqual(value(samples(server.scrape()), "coffer_refused_requests_total", code=status), 1)

    def test_a_lost_token_shows_and_so_does_its_return(self):
        server = self.serve()
        self.assertEqual(value(samples(server.scrape()), "coffer_unsealed"), 1)
        tokens = os.path.join(self.data, "tokens")
        os.rename(tokens, tokens + ".away")
        self.wait_for(lambda: value(samples(server.scrape()), "coffer_unsealed") == 0, "the token is away")
        away = samples(server.scrape())
        self.assertEqual(value(away, "coffer_ready"), 0)
        self.assertEqual(value(away, "coffer_token_recoveries_total"), 0)
        os.rename(tokens + ".away", tokens)
        self.wait_for(lambda: value(samples(server.scrape()), "coffer_unsealed") == 1, "the token is back")
        self.assertEqual(value(samples(server.scrape()), "coffer_token_recoveries_total"), 1)

    def test_an_audit_device_shows_what_it_took_and_what_waits_for_the_disk(self):
        server = self.serve(f'audit "file" "main" {{ file_path = "{self.folder}/audit.log" }}')
        first = samples(server.scrape())
        for _ in range(5):
            server.call("GET", "transit/keys/absent")
        second = samples(server.scrape())
        entries = [value(found, "coffer_audit_entries_total", device="main/") for found in (first, second)]
        self.assertEqual(entries[1] - entries[0], 2 * 5 + 2)  # and of the scrape: its request, and the answer of the one before
        self.assertEqual(value(second, "coffer_audit_device_healthy", device="main/"), 1)
        self.assertEqual(value(second, "coffer_audit_refused_entries_total", device="main/"), 0)
        self.assertGreater(value(second, "coffer_audit_unsigned_entries", device="main/"), 0)
        self.assertGreater(value(second, "coffer_audit_file_bytes", device="main/"), 1000)
        self.wait_for(lambda: value(samples(server.scrape()), "coffer_audit_unsynced_entries", device="main/") <= 2,
                      "older entries are synced")

    def test_keys_are_counted_one_by_one_up_to_the_limit_and_only_where_that_is_asked_for(self):
        server = self.serve()
        self.ok(server, "POST", "transit/encrypt/quiet", {"plaintext": ""})
        self.assertNotIn("quiet", server.scrape())
        server.stop()
        server = self.serve("telemetry { key_series = 2 }")
        for name, times in (("one", 1), ("two", 2), ("three", 3), ("four", 4), ("one", 5)):
            for _ in range(times):
                self.ok(server, "POST", "transit/encrypt/" + name, {"plaintext": ""})
        self.assertIn(server.call("POST", "transit/decrypt/absent", {"ciphertext": "vault:v1:AAAA"})[0], (400, 404))
        found = samples(server.scrape())
        accessor = self.ok(server, "GET", "sys/mounts")["transit/"]["accessor"]
        by_key = {dict(labels)["key"]: number for (name, labels), number in found.items() if name == "coffer_key_requests_total"}
        self.assertEqual(by_key, {"one": 6, "two": 2, "other": 7})
        self.assertEqual(value(found, "coffer_key_requests_total", key="one", mount_accessor=accessor, operation="encrypt"), 6)

    def test_only_who_may_reads_them(self):
        server = self.serve()
        self.assertEqual(server.ask("GET", "sys/metrics?format=prometheus", token=None)[0], 403)
        self.assertEqual(server.ask("GET", "sys/metrics?format=prometheus", token="wrong")[0], 403)
        status, headers, _ = server.ask("GET", "sys/metrics?format=prometheus")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4"))
        prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5"
        self.assertEqual(server.ask("GET", "sys/metrics", headers={"Accept": prometheus})[0], 200)
        for path in ("sys/metrics", "sys/metrics?format=json"):
            status, headers, text = server.ask("GET", path)
            self.assertEqual((status, headers["Content-Type"]), (400, "application/json"), path)
            self.assertIn(b"format=prometheus", text)
        self.assertEqual(server.ask("POST", "sys/metrics", {})[0], 405)

    def test_a_listener_can_be_opened_for_them_and_for_nothing_else(self):
        server = self.serve(f"""listener "unix" {{
  address     = "{self.folder}/health.sock"
  health_only = true
}}
listener "unix" {{
  address     = "{self.folder}/open.sock"
  health_only = true
  telemetry {{ unauthenticated_metrics_access = true }}
}}
listener "unix" {{ address = "{self.folder}/other.sock" }}""",
                            listener="telemetry { unauthenticated_metrics_access = true }")
        place = lambda name: os.path.join(self.folder, name + ".sock")
        path = "sys/metrics?format=prometheus"
        self.assertEqual(server.ask("GET", path, token=None)[0], 200)
        self.assertEqual(server.ask("GET", "sys/mounts", token=None)[0], 403)
        self.assertEqual(server.ask("GET", path, token=None, where=place("other"))[0], 403)
        # A listener for health alone knows no tokens: metrics are open there or absent.
        self.assertEqual(server.ask("GET", path, where=place("health"))[0], 404)
        status, headers, text = server.ask("GET", path, token=None, where=place("open"))
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4"))
        self.assertEqual(value(samples(text.decode()), "coffer_ready"), 1)

    def test_the_page_names_each_metric_once_with_its_type_and_meaning(self):
        server = self.serve(f'telemetry {{ key_series = 5 }}\naudit "file" "main" {{ file_path = "{self.folder}/audit.log" }}')
        self.ok(server, "POST", "transit/encrypt/k", {"plaintext": ""})
        text = server.scrape()
        told = {}
        for name, words in re.findall(r"^# HELP (\S+) (.*)$", text, re.M):
            kind = re.search(rf"^# TYPE {name} (\w+)$", text, re.M)[1]
            self.assertNotIn(name, told)
            told[name] = (kind, words)
        with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as page:
            rows = re.findall(r"^\| `((?:coffer|process)_\w+)` \| (\w+) \| (.*?) \| .*\|$", page.read(), re.M)
        self.assertEqual(len(rows), len({row[0] for row in rows}), "each once")
        self.assertEqual({name: (kind, words) for name, kind, words in rows}, told)



class LogTest(Case):
    def lines(self, server, message):
        """The log's lines with this message, once there is one."""
        found = []

        def look():
            found[:] = [line for line in server.logged().splitlines() if message in line]
            return found
        self.wait_for(look, message)
        return found

    def break_token(self, server):
        """A request that fails while the token is away: the log says why, with the request's id."""
        tokens = os.path.join(self.data, "tokens")
        os.rename(tokens, tokens + ".away")
        self.addCleanup(os.rename, tokens + ".away", tokens)
        self.wait_for(lambda: server.call("GET", "sys/health")[0] == 503, "the token is away")
        self.assertEqual(server.call("POST", "transit/encrypt/k", {"plaintext": ""})[0], 503)

    def test_a_line_of_json_has_time_level_room_message_and_the_requests_id(self):
        server = self.serve(f'log_format = "json"\naudit "file" "main" {{ file_path = "{self.folder}/audit.log" }}')
        self.ok(server, "POST", "transit/keys/k", {})
        self.break_token(server)
        line = json.loads(self.lines(server, "request failed")[0])
        self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertEqual((line["level"], line["room"], line["path"]), ("error", "api", "transit/encrypt/k"))
        with open(os.path.join(self.folder, "audit.log"), encoding="utf-8") as trail:
            entries = [json.loads(entry) for entry in trail]
        self.assertIn(line["request_id"], [entry.get("request", {}).get("id") for entry in entries])
        self.assertEqual(json.loads(self.lines(server, "token lost")[0])["room"], "keyring")
        self.assertNotIn("request_id", json.loads(self.lines(server, "token opened")[0]))
        for text in server.logged().splitlines():
            json.loads(text)

    def test_a_standard_line_has_the_same(self):
        server = self.serve()
        self.ok(server, "POST", "transit/keys/k", {})
        self.break_token(server)
        self.assertRegex(self.lines(server, "request failed")[0],
                         r'^\d{4}-\S+Z error api: request failed request_id="[0-9a-f-]{36}" path="transit/encrypt/k" error="')

    def test_a_room_can_have_a_level_of_its_own(self):
        server = self.serve('log_level = "error"\nlog_levels = { api = "debug" }')
        self.ok(server, "GET", "sys/mounts")
        line = self.lines(server, "request answered")[0]
        self.assertIn(' debug api: request answered request_id="', line)
        self.assertIn('engine="system" endpoint="mounts" operation="read" status="200"', line)
        self.assertNotIn(" info ", server.logged())
        found = samples(server.scrape())
        self.assertGreater(value(found, "coffer_log_lines_total", level="debug"), 0)
        self.assertEqual(value(found, "coffer_log_lines_total", level="info"), 0)

    def dropped_line(self, journal):
        """What is said of dropped lines, where nobody read until some were."""
        reader, writer = os.pipe()
        facts = os.fstat(writer)
        environment = {"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"} if journal else {}
        with open(reader, "rb") as pipe:
            server = self.serve('log_levels = { api = "debug" }', log=writer, environment=environment)
            os.close(writer)
            dropped = 0
            while not dropped:
                for _ in range(200):
                    self.assertEqual(server.ask("GET", "sys/health")[0], 200)
                dropped = value(samples(server.scrape()), "coffer_log_dropped_lines_total")
            for text in pipe:
                if b"log lines were dropped" in text:
                    return text.decode()
            self.fail("nothing is said")

    def test_a_reader_of_the_log_who_does_not_read_holds_up_nobody(self):
        self.assertRegex(self.dropped_line(journal=False), r'^\d{4}-\S+ warn server: .* lines="\d+"$')

    def test_in_the_journal_dropped_lines_are_a_warning(self):
        self.assertRegex(self.dropped_line(journal=True), r'^<4>\d{4}-\S+ warn server: .* lines="\d+"$')

    def test_a_server_whose_log_nobody_reads_starts_serves_and_ends(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        server = self.serve(log=writer)
        os.close(writer)
        self.assertEqual(server.ask("GET", "sys/health")[0], 200)
        self.assertEqual(server.stop(), 0)

    def test_in_the_journal_each_line_has_its_priority_in_front(self):
        reader, writer = os.pipe()
        facts = os.fstat(writer)
        with open(reader, "rb") as pipe:
            server = self.serve(log=writer, environment={"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"})
            os.close(writer)
            opened = next(line for line in pipe if b"token opened" in line).decode()
            self.assertRegex(opened, r"^<6>\d{4}-\S+ info keyring: token opened ")
            server.stop()
        server = self.serve(environment={"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"})
        self.assertNotIn("<6>", server.logged() + self.lines(server, "token opened")[0])


run_tests()
