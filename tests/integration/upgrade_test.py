#!/usr/bin/env python3
"""Databases that another version of the program wrote. usage: upgrade_test.py COFFER"""
import hashlib
import json
import sqlite3

from console_case import Case
from program import run_tests


class UpgradeTest(Case):
    def setUp(self):
        super().setUp()
        self.good("hsm", "init")
        token = json.loads(self.good("operator", "init", "-format=json"))["root_token"]
        process, address = self.start()
        self.env_of = lambda where: {"VAULT_ADDR": where, "VAULT_TOKEN": token}
        self.good("secrets", "enable", "transit", **self.env_of(address))
        self.sealed = self.good("write", "-field=ciphertext", "transit/encrypt/k", "plaintext=aGVsbG8=", **self.env_of(address))
        self.stop(process)

    def change(self, *statements):
        database = sqlite3.connect(self.path("data/coffer.db"), isolation_level=None)
        for statement in statements:
            database.execute(statement)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = database.execute("SELECT room, step FROM schema_migrations ORDER BY room").fetchall()
        database.close()
        return rows

    def decrypts(self, address):
        self.assertEqual(self.good("write", "-field=plaintext", "transit/decrypt/k", "ciphertext=" + self.sealed,
                                   **self.env_of(address)), "aGVsbG8=")

    def test_an_earlier_schema_is_brought_up_to_date_at_the_start(self):
        # As before there was an audit trail: the one step that was added to a database in use so far.
        self.assertNotIn(("audit", 1), self.change("DROP TABLE audit_heads", "DROP TABLE audit_devices",
                                                   "DELETE FROM schema_migrations WHERE room = 'audit'"))
        self.configure(more=f'audit "file" "main" {{ file_path = "{self.path("audit.log")}" }}')
        process, address = self.start()
        self.decrypts(address)
        self.stop(process)
        self.assertIn(("audit", 1), self.change())
        with open(self.path("audit.log")) as file:
            self.assertIn("transit/decrypt/k", file.read())

    def test_keys_from_before_certificates_and_exports_are_good(self):
        self.assertNotIn(("keyring", 2), self.change(
            "ALTER TABLE keys DROP COLUMN exportable", "ALTER TABLE key_versions DROP COLUMN imported_through",
            "ALTER TABLE key_versions DROP COLUMN certificate_chain",
            "DELETE FROM schema_migrations WHERE room = 'keyring' AND step = 2"))
        process, address = self.start()
        self.decrypts(address)
        self.stop(process)
        self.assertIn(("keyring", 2), self.change())

    def test_a_newer_schema_is_refused_and_left_as_it_is(self):
        for room in ("keyring", "cellar"):
            self.change(f"INSERT INTO schema_migrations VALUES ('{room}', 99, '2030-01-01T00:00:00Z')")
            before = self.digest()
            for words in (("server", "-config=" + self.path("coffer.hcl")), ("hsm", "init"), ("operator", "recover-root"),
                          ("hsm", "gc"), ("operator", "backup", "-offline", self.path("out"))):
                self.refused(1, "database was written by a newer coffer: install that one, or restore a backup", *words)
            self.assertEqual(self.digest(), before)
            self.change("DELETE FROM schema_migrations WHERE step = 99")
        process, address = self.start()
        self.decrypts(address)
        self.stop(process)

    def digest(self):
        with open(self.path("data/coffer.db"), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()


run_tests()
