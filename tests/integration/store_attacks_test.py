#!/usr/bin/env python3
"""Somebody who writes to the database, of a stopped server and beside a running one. usage: store_attacks_test.py COFFER"""
import json
import sqlite3
import time
import urllib.error
import urllib.request

from console_case import Case
from program import run_tests


class StoreAttackTest(Case):
    def setUp(self):
        super().setUp()
        with open(self.path("coffer.hcl")) as file:
            text = file.read()
        with open(self.path("coffer.hcl"), "w") as file:
            file.write(text.replace(f'path = "{self.path("data")}" }}', f'path = "{self.path("data")}"\ncheck_period = "1s" }}')
                       + f'\naudit "file" "main" {{ file_path = "{self.path("audit.log")}" }}\n')
        self.good("hsm", "init")
        self.token = json.loads(self.good("operator", "init", "-format=json"))["root_token"]
        self.process, self.address = self.start()
        for mount in ("a", "b"):
            self.good("secrets", "enable", "-path=" + mount, "transit", **self.wire())
            self.good("write", "-f", mount + "/keys/k", **self.wire())

    def wire(self):
        return {"VAULT_ADDR": self.address, "VAULT_TOKEN": self.token}

    def change(self, *statements):
        database = sqlite3.connect(self.path("data/coffer.db"), isolation_level=None, timeout=10)
        for statement in statements:
            database.execute(statement)
        database.close()

    def health(self):
        try:
            with urllib.request.urlopen(self.address + "/v1/sys/health") as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def turns_red(self):
        until = time.monotonic() + 20
        while self.health() == 200:
            self.assertLess(time.monotonic(), until, "nothing was noticed")
            time.sleep(0.05)

    def trail(self):
        with open(self.path("audit.log")) as file:
            return file.read()

    def refuses_the_start(self, sentence):
        self.refused(1, sentence, "server", "-config=" + self.path("coffer.hcl"))

    def test_swapped_mounts_a_removed_device_and_a_planted_trigger_refuse_the_start(self):
        self.stop(self.process)
        swap = ("UPDATE mounts SET path = 'x/' WHERE path = 'a/'", "UPDATE mounts SET path = 'a/' WHERE path = 'b/'",
                "UPDATE mounts SET path = 'b/' WHERE path = 'x/'")
        self.change(*swap)
        self.refuses_the_start("a row of mounts failed its check")
        self.change(*swap)
        self.change("ATTACH '" + self.path("aside.db") + "' AS aside", "CREATE TABLE aside.kept AS SELECT * FROM audit_devices",
                    "DELETE FROM audit_devices")
        self.refuses_the_start("rows of audit_devices/0 were removed, changed or put back")
        self.change("ATTACH '" + self.path("aside.db") + "' AS aside", "INSERT INTO audit_devices SELECT * FROM aside.kept",
                    "CREATE TRIGGER planted AFTER UPDATE ON key_counters BEGIN UPDATE key_counters SET reserved = 0; END")
        self.refuses_the_start("trigger planted")
        self.change("DROP TRIGGER planted")
        process, _ = self.start()
        self.stop(process)

    def test_a_device_removed_beside_the_server_is_noticed_named_and_recorded(self):
        self.assertEqual(self.health(), 200)
        self.change("DELETE FROM audit_devices")
        self.turns_red()
        self.assertIn('"event":"store-damaged","shard":"audit_devices/0"', self.trail().replace(" ", ""))
        self.good("write", "a/encrypt/k", "plaintext=aGVsbG8=", **self.wire())  # other shards go on
        self.stop(self.process)
        self.refuses_the_start("audit_devices/0")
        process, _ = self.start("-accept-damaged-rows")
        self.assertIn("accepted-by-operator", self.trail())
        self.stop(process)
        process, self.address = self.start()
        self.assertEqual(self.health(), 200)

    def test_a_key_removed_beside_the_server_stops_the_changes_of_its_shard(self):
        self.change("DELETE FROM keys")
        self.turns_red()
        self.assertIn('"shard":"keys/', self.trail().replace(" ", ""))

    def test_a_trigger_planted_beside_the_server_stops_its_changes(self):
        self.change("CREATE TRIGGER planted AFTER UPDATE ON key_counters BEGIN UPDATE key_counters SET reserved = 0; END")
        code, _, error = self.run_coffer("write", "-f", "a/keys/k/rotate", **self.wire())
        self.assertNotEqual(code, 0)
        self.turns_red()


run_tests()
