#!/usr/bin/env python3
"""Backups of a whole server: made online and not, verified, restored, and refused. usage: backup_test.py COFFER [GROUP]"""
import base64
import http.client
import http.server
import json
import os
import re
import shutil
import sqlite3
import subprocess
import threading

from console_case import BINARY, Case
from program import run_on_terminal, run_tests


class BackupCase(Case):
    """A server with two keys, an audit device and a directory for backups."""

    def setUp(self):
        super().setUp()
        for name in ("backups", "audit"):
            os.mkdir(self.path(name))
        self.configure()
        self.good("hsm", "init")
        self.root = json.loads(self.good("operator", "init", "-format=json"))["root_token"]
        self.process = None

    def configure(self, **how):
        super().configure(more=f'backup_directory = "{self.path("backups")}"\n'
                               f'audit "file" "main" {{ file_path = "{self.path("audit/audit.log")}" }}', **how)

    def up(self):
        self.process, self.address = self.start()

    def down(self):
        self.stop(self.process)

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=30)
        try:
            connection.request(method, "/v1/" + path, None if body is None else json.dumps(body),
                               {"X-Vault-Token": self.root})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
        finally:
            connection.close()

    def did(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        self.assertIn(status, (200, 204), answer)
        return answer.get("data")

    def make_keys(self):
        self.did("POST", "sys/mounts/transit", {"type": "transit"})
        for name in ("a", "b"):
            self.did("POST", "transit/keys/" + name, {})

    def encrypt(self, key, **more):
        plaintext = base64.b64encode(os.urandom(9)).decode()
        sealed = self.did("POST", "transit/encrypt/" + key, {"plaintext": plaintext, **more})["ciphertext"]
        return key, sealed, plaintext

    def assert_opens(self, sealed):
        for key, ciphertext, plaintext in sealed:
            self.assertEqual(self.did("POST", "transit/decrypt/" + key, {"ciphertext": ciphertext})["plaintext"],
                             plaintext)

    def client(self, *words, **how):
        return self.run_coffer(*words, VAULT_ADDR=self.address, VAULT_TOKEN=self.root, **how)

    def backup(self, name, *flags):
        """Its facts, of a running server."""
        code, out, error = self.client("operator", "backup", *flags, "-format=json", name)
        self.assertEqual(code, 0, error)
        return json.loads(out)["data"]

    def backup_file(self, name):
        return os.path.join(self.path("backups"), name)

    def restore(self, name, *flags):
        """Says the epoch that is to be accepted where it is asked for, as an operator would."""
        code, out, error = self.run_coffer("operator", "restore", *flags, self.backup_file(name))
        wanted = re.search(r"-accept-rollback=\d+", error)
        if code != 0 and wanted:
            return self.good("operator", "restore", wanted.group(0), *flags, self.backup_file(name))
        self.assertEqual(code, 0, error)
        return out

    def audit_events(self):
        with open(self.path("audit/audit.log")) as file:
            lines = [json.loads(line) for line in file]
        return [line for line in lines if line["type"] == "system"]


class Forgetful(http.server.BaseHTTPRequestHandler):
    """A server that takes a backup and knows nothing of it afterwards."""

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.reply(200, b'{"data": {"state": "running", "pages_done": 0, "pages_total": 1}}')

    do_PUT = do_POST

    def do_GET(self):
        self.reply(404, b'{"errors": ["this was not the last backup that was asked for"]}')

    def log_message(self, *_):
        pass


class OnlineTest(BackupCase):
    def test_a_backup_that_the_server_tells_nothing_of_any_more_is_said_to_be_in_doubt(self):
        with http.server.HTTPServer(("127.0.0.1", 0), Forgetful) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.address = f"http://127.0.0.1:{server.server_port}"
            code, _, error = self.client("operator", "backup", "one")
            server.shutdown()
        self.assertEqual(code, 2)
        self.assertIn("the audit trail says whether this one was made", error)

    def test_made_under_load_it_restores_every_ciphertext_of_before_and_new_ones_use_new_versions(self):
        self.up()
        self.make_keys()
        before = [self.encrypt("a") for _ in range(50)] + [self.encrypt("b") for _ in range(50)]
        stop = threading.Event()
        failures = []
        busy = [threading.Event(), threading.Event()]

        def load(index, work):
            try:
                while not stop.is_set():
                    work()
                    busy[index].set()
            except Exception as failure:
                failures.append(failure)

        threads = [threading.Thread(target=load, args=(0, lambda: self.encrypt("a"))),
                   threading.Thread(target=load, args=(1, lambda: self.did("POST", "transit/keys/b/rotate")))]
        for thread in threads:
            thread.start()
        for event in busy:
            self.assertTrue(event.wait(60), failures)
        facts = self.backup("under-load")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual((facts["state"], facts["keys"]), ("done", 2))
        lost = self.encrypt("b")
        self.down()
        self.good("operator", "verify-backup", self.backup_file("under-load"))
        self.assertIn("every key is rotated before it encrypts again", self.restore("under-load"))
        self.up()
        self.assert_opens(before)
        for name in ("a", "b"):
            latest = self.did("GET", "transit/keys/" + name)["latest_version"]
            self.assertEqual(self.encrypt(name)[1].split(":")[1], f"v{latest + 1}")
            key = self.did("GET", "transit/keys/" + name)
            self.assertEqual((key["latest_version"], key["min_encryption_version"]), (latest + 1, latest + 1))
            self.assertEqual(self.call("POST", "transit/encrypt/" + name, {"plaintext": "aGk=", "key_version": latest})[0],
                             400)
        self.assertEqual(self.call("POST", "transit/decrypt/b", {"ciphertext": lost[1]})[0], 400)

    def test_the_file_is_its_users_alone_and_is_recorded(self):
        self.up()
        self.make_keys()
        facts = self.backup("one")
        self.assertEqual(os.stat(self.backup_file("one")).st_mode & 0o777, 0o600)
        self.assertEqual(os.listdir(self.path("backups")), ["one"])
        made = [event for event in self.audit_events() if event["system"]["event"] == "backup-made"]
        self.assertEqual(len(made), 1)
        self.assertIn(facts["sha256"], json.dumps(made))

    def test_overwrites_only_when_told_to(self):
        self.up()
        self.make_keys()
        first = self.backup("one")
        code, _, error = self.client("operator", "backup", "one")
        self.assertEqual(code, 2)
        self.assertIn("there is a backup named one already", error)
        self.assertIn(first["sha256"], self.good("operator", "verify-backup", self.backup_file("one")))
        self.did("POST", "transit/keys/a/rotate")
        self.assertGreater(self.backup("one", "-force")["epoch"], first["epoch"])

    def test_overwrites_nothing_but_a_backup(self):
        self.up()
        with open(self.backup_file("notes"), "w", encoding="utf-8") as out:
            out.write("of somebody else")
        code, _, error = self.client("operator", "backup", "-force", "notes")
        self.assertEqual(code, 2)
        self.assertIn("that is no backup", error)
        with open(self.backup_file("notes"), encoding="utf-8") as kept:
            self.assertEqual(kept.read(), "of somebody else")

    def test_writes_nowhere_but_into_its_directory(self):
        self.up()
        for name in ("..", "../out", "%2e%2e%2fout", "sub/name", ".hidden", "/etc/passwd", "a%00b"):
            self.assertGreaterEqual(self.call("POST", "sys/backup/" + name, {})[0], 400, name)
        os.symlink(self.path("target"), self.backup_file("link"))
        self.assertEqual(self.call("POST", "sys/backup/link", {})[0], 409)
        self.backup("link", "-force")  # takes the link's place and leaves its target alone
        self.assertFalse(os.path.lexists(self.path("target")))
        self.assertFalse(os.path.islink(self.backup_file("link")))
        self.assertEqual(sorted(os.listdir(self.path("backups"))), ["link"])

    def test_needs_a_directory_in_the_configuration(self):
        Case.configure(self)
        self.up()
        status, answer = self.call("POST", "sys/backup/one", {})
        self.assertEqual(status, 400)
        self.assertIn("names no backup_directory", str(answer))

    def test_says_why_it_failed(self):
        self.up()
        os.rmdir(self.path("backups"))
        code, _, error = self.client("operator", "backup", "one")
        self.assertEqual(code, 2)
        self.assertIn("the backup failed", error)
        self.assertNotIn(self.folder, error)

    def test_needs_a_token(self):
        self.up()
        self.root = "hvs.none"
        self.assertEqual(self.call("POST", "sys/backup/one", {})[0], 403)
        self.assertEqual(os.listdir(self.path("backups")), [])


class OfflineTest(BackupCase):
    def test_a_stopped_server_is_backed_up_with_the_pin(self):
        self.up()
        self.make_keys()
        sealed = [self.encrypt("a")]
        self.refused(1, f"is in use by process {self.process.pid}", "operator", "backup", "-offline",
                     self.backup_file("one"))
        self.down()
        self.assertIn("keys           2", self.good("operator", "backup", "-offline", self.backup_file("one")))
        self.refused(1, "there is a backup named one already", "operator", "backup", "-offline", self.backup_file("one"))
        self.good("operator", "backup", "-offline", "-force", self.backup_file("one"))
        self.assertIn("backup-made", [event["system"]["event"] for event in self.audit_events()])
        self.restore("one")
        self.up()
        self.assert_opens(sealed)

    def test_without_its_audit_record_there_is_no_backup(self):
        self.up()
        self.down()
        os.remove(self.path("audit/audit.log"))
        os.symlink("/dev/full", self.path("audit/audit.log"))
        code, out, _ = self.run_coffer("operator", "backup", "-offline", self.backup_file("one"))
        self.assertEqual(code, 1, out)
        self.assertEqual(os.listdir(self.path("backups")), [])

    def test_a_database_without_a_start_has_nothing_to_back_up(self):
        shutil.rmtree(self.path("data"))
        self.refused(1, f"the data directory {self.path('data')} is not there: ", "operator", "backup", "-offline", self.backup_file("one"))


class RestoreTest(BackupCase):
    def setUp(self):
        super().setUp()
        self.up()
        self.make_keys()
        self.sealed = [self.encrypt("a"), self.encrypt("b")]
        self.backup("one")

    def rows(self):
        """What stands in the database, whatever the file looks like."""
        database = sqlite3.connect(f"file:{self.path('data')}/coffer.db?mode=ro", uri=True)
        try:
            return "\n".join(database.iterdump())
        finally:
            database.close()

    def refuses(self, sentence, name="one", *flags):
        before = self.rows()
        self.refused(1, sentence, "operator", "restore", *flags, self.backup_file(name))
        self.assertEqual(self.rows(), before)
        self.assertEqual([name for name in os.listdir(self.path("data")) if "staged" in name or "incoming" in name], [])

    def change(self, change):
        """The backup `changed`, as `change` makes it of the good one's octets."""
        with open(self.backup_file("one"), "rb") as file:
            octets = bytearray(file.read())
        changed = change(octets)
        octets = octets if changed is None else changed
        with open(self.backup_file("changed"), "wb") as file:
            file.write(octets)

    def test_refuses_while_the_server_runs(self):
        self.refuses(f"is in use by process {self.process.pid}")

    def test_refuses_an_older_one_unless_its_epoch_is_accepted(self):
        self.did("POST", "transit/keys/a/rotate")
        self.down()
        self.refuses("the backup is older than the token")
        self.refuses("the backup is older than the token", "one", "-accept-rollback=1")
        self.restore("one")
        self.up()
        self.assertEqual(self.did("GET", "transit/keys/a")["latest_version"], 1)
        self.assert_opens(self.sealed)

    def test_refuses_the_backup_of_another_token(self):
        self.down()
        os.rename(self.path("tokens"), self.path("first-tokens"))
        os.rename(self.path("data"), self.path("first-data"))
        os.mkdir(self.path("tokens"))
        os.remove(self.path("audit/audit.log"))
        self.good("hsm", "init")
        self.good("operator", "init")
        self.refuses("the backup belongs to another token")
        self.refused(1, "the backup belongs to another token", "operator", "verify-backup", self.backup_file("one"))

    def test_refuses_what_was_changed_or_cut(self):
        self.down()

        def flip(at):
            def change(octets):
                octets[at] ^= 1
            return change

        def another_epoch(octets):
            length = int.from_bytes(octets[-12:-8], "big")
            octets[len(octets) - 44 - length + 50] ^= 1  # the last octet of the third field

        for change, sentence in ((another_epoch, "its MAC is not the token's"), (flip(5000), "the backup was changed"), (flip(-14), "its MAC is not the token's"),
                                 (flip(-60), "the backup was changed"), (flip(-3), "is no backup of coffer"),
                                 (lambda octets: octets[:-1], "is no backup of coffer"),
                                 (lambda octets: octets[4096:], "is no backup of coffer"),
                                 (lambda octets: b"", "is no backup of coffer")):
            self.change(change)
            self.refuses(sentence, "changed")

    def test_refuses_the_database_of_another_backup_under_this_ones_manifest(self):
        self.did("POST", "transit/keys/a/rotate")
        self.backup("two")
        self.down()
        with open(self.backup_file("two"), "rb") as file:
            second = file.read()

        def graft(octets):
            size = len(octets) // 4096 * 4096  # of the database: all that stands behind it is shorter than a page
            return second[:size] + octets[size:]

        self.change(graft)
        self.refuses("the backup was changed", "changed")

    def test_refuses_a_schema_that_is_newer_than_this_program(self):
        database = sqlite3.connect(self.path("data/coffer.db"))
        with database:
            database.execute("INSERT INTO schema_migrations VALUES ('keyring', 99, '2030-01-01T00:00:00Z')")
        self.backup("newer")
        with database:
            database.execute("DELETE FROM schema_migrations WHERE step = 99")
        database.close()
        self.down()
        self.refuses("database was written by a newer coffer", "newer")

    def test_lists_the_resident_keys_that_are_lost(self):
        self.did("POST", "transit/keys/signer", {"type": "ed25519"})
        self.backup("two")
        self.did("POST", "transit/keys/signer/config", {"deletion_allowed": True})
        self.call("DELETE", "transit/keys/signer")
        self.down()
        self.assertIn("key signer version 1: its object is not in the token", self.restore("two"))

    def test_takes_the_place_of_a_database_that_is_damaged_or_gone_and_keeps_what_was_there(self):
        self.down()
        with open(self.path("data/coffer.db"), "wb") as file:
            file.write(b"no database at all")
        self.restore("one")
        with open(self.path("data/coffer.db.replaced"), "rb") as file:
            self.assertEqual(file.read(), b"no database at all")
        self.up()
        self.assert_opens(self.sealed)
        self.down()
        self.refused(1, "coffer.db.replaced, is in the way", "operator", "restore", self.backup_file("one"))
        os.remove(self.path("data/coffer.db.replaced"))
        shutil.rmtree(self.path("data"))
        self.restore("one")
        self.up()
        self.assert_opens(self.sealed)

    def test_the_former_database_is_refused_afterwards(self):
        self.down()
        self.restore("one")
        os.replace(self.path("data/coffer.db.replaced"), self.path("data/coffer.db"))
        self.refused(1, "the database is older than the token", "server", "-config=" + self.path("coffer.hcl"))

    def test_is_recorded_in_a_trail_that_verifies(self):
        self.down()
        self.restore("one")
        names = [event["system"]["event"] for event in self.audit_events()]
        self.assertLess(names.index("restore-started"), names.index("restore-ended"))
        self.up()
        self.down()
        self.good("audit", "verify", "-key=" + self.path("data/audit-key.pem"), self.path("audit/audit.log"))

    def test_asks_for_nothing_but_the_right_pin(self):
        self.down()
        with open(self.path("pin"), "w") as out:
            out.write("not-the-pin\n")
        before = self.rows()
        self.refused(78, "was refused by the token", "operator", "restore", self.backup_file("one"))
        self.assertEqual(self.rows(), before)

    def test_prints_json(self):
        self.down()
        facts = json.loads(self.restore("one", "-format=json"))
        self.assertEqual((facts["keys"], facts["unusable"]), (2, []))


class RecoverRootTest(BackupCase):
    def test_a_replaced_root_token_is_recorded(self):
        self.assertEqual([event["system"]["event"] for event in self.audit_events()].count("root-token-made"), 1)
        self.good("operator", "recover-root")
        self.assertEqual([event["system"]["event"] for event in self.audit_events()].count("root-token-replaced"), 1)


class VerifyTest(BackupCase):
    def setUp(self):
        super().setUp()
        self.up()
        self.make_keys()
        self.facts = self.backup("one")

    def test_asks_the_token_beside_a_running_server(self):
        facts = json.loads(self.good("operator", "verify-backup", "-format=json", self.backup_file("one")))
        self.assertEqual((facts["mac"], facts["intact"], facts["sha256"]), ("the token's", True, self.facts["sha256"]))

    def test_without_the_token_it_says_what_it_cannot_know(self):
        code, out, error = self.run_coffer("operator", "verify-backup", "-without-token", self.backup_file("one"),
                                           COFFER_CONFIG="/nowhere/coffer.hcl")
        self.assertEqual(code, 0, error)
        self.assertIn("not checked", out)
        self.assertIn("only the token knows", error)
        with open(self.backup_file("one"), "r+b") as file:
            file.seek(5000)
            octet = file.read(1)
            file.seek(5000)
            file.write(bytes([octet[0] ^ 1]))
        self.refused(1, "the backup was changed", "operator", "verify-backup", "-without-token", self.backup_file("one"))

    def test_refuses_what_is_no_file_of_its_own(self):
        os.mkfifo(self.path("pipe"))
        os.symlink(self.backup_file("one"), self.path("link"))
        for name, sentence in (("pipe", "no regular file"), ("link", "failed to open"), ("none", "failed to open"),
                               ("tokens", "no regular file")):
            self.refused(1, sentence, "operator", "verify-backup", "-without-token", self.path(name))

    def test_shows_its_progress_on_a_terminal_only(self):
        code, shown = run_on_terminal([BINARY, "operator", "verify-backup", "-without-token", self.backup_file("one")],
                                      self.env())
        self.assertEqual(code, 0, shown)
        self.assertIn("reading the backup: 100 %", shown)
        self.assertNotIn("reading", self.run_coffer("operator", "verify-backup", "-without-token",
                                                    self.backup_file("one"))[2])


run_tests()
