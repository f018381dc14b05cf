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

    def test_a_schema_that_is_not_the_programs_own_is_refused(self):
        self.change("CREATE TRIGGER planted AFTER UPDATE ON key_counters BEGIN DELETE FROM audit_devices; END")
        self.refused(1, "trigger planted", "server", "-config=" + self.path("coffer.hcl"))
        self.change("DROP TRIGGER planted")
        process, address = self.start()
        self.decrypts(address)
        self.stop(process)

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
