#!/usr/bin/env python3
"""coffer hsm doctor and coffer hsm gc from outside. usage: hsm_test.py COFFER [GROUP]"""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess

from console_case import BINARY, MODULE, Case
from program import run_tests


class DoctorTest(Case):
    def setUp(self):
        super().setUp()
        self.good("hsm", "init")

    def files(self):
        return sorted(os.path.join(base, name) for base, _, names in os.walk(self.path("tokens")) for name in names)

    def test_tells_what_the_token_does_in_json_and_changes_nothing(self):
        before = self.files(), self.labels()
        found = json.loads(self.good("hsm", "doctor", "-quick", "-format=json"))
        self.assertEqual((self.files(), self.labels()), before)
        self.assertEqual((found["token"]["label"], found["token"]["module"]), ("console", MODULE))
        self.assertEqual((found["key_wrap"], found["unwrap_template"], found["can_serve"], found["left_behind"]),
                         ("0x210a", "enforced", True, 0))
        ways = {(each["key_type"], each["operation"]): each["way"] for each in found["findings"]}
        self.assertEqual([ways[key] for key in (("aes256-gcm96", "encrypt"), ("ed25519", "sign"),
                                                ("rsa-2048", "verify"), ("chacha20-poly1305", "create"))],
                         ["wrapped", "resident", "public part outside", "refused"])
        self.assertEqual((found["session_objects"], found["keeps_session_objects"]), ("go", False))
        for each in found["findings"]:
            self.assertNotIn("per_second", each)
            self.assertTrue(each["way"] != "refused" or each["note"], each)

    def test_prints_a_table(self):
        out = self.good("hsm", "doctor", "-quick")
        self.assertRegex(out, r"(?m)^unwrap template +enforced$")
        self.assertRegex(out, r"(?m)^session objects +go with the session$")
        self.assertRegex(out, r"(?m)^aes256-gcm96 +encrypt +wrapped +- *$")
        self.assertRegex(out, r"(?m)^chacha20-poly1305 +create +refused +-  C_GenerateKey: CKR_")
        self.assertIn("this release can keep its keys in this token\n", out)

    def test_works_beside_a_running_server(self):
        self.good("operator", "init")
        self.start()
        self.assertIn("this release can keep", self.good("hsm", "doctor", "-quick"))

    def test_tries_a_refused_pin_no_second_time(self):
        with open(self.path("pin"), "w") as out:
            out.write("not-the-pin\n")
        self.refused(78, "was refused by the token", "hsm", "doctor", "-quick")
        self.refused(78, "is not tried again", "hsm", "doctor", "-quick")

    def test_shows_its_progress_on_a_terminal_and_leaves_nothing_when_killed(self):
        before = self.files(), self.labels()
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen([BINARY, "hsm", "doctor"], env=self.env(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        shown = b""
        while b"examining " not in shown and select.select([ours], [], [], 60)[0]:
            shown += os.read(ours, 1024)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(timeout=60), -signal.SIGKILL)
        self.assertIn(b"examining ", shown)
        self.assertEqual((self.files(), self.labels()), before)


class GcTest(Case):
    """Ed25519 keys, which SoftHSM cannot wrap: each version is an object of the token."""

    def setUp(self):
        super().setUp()
        self.audit = f"""audit "file" "main" {{ file_path = "{self.path('audit.log')}" }}"""
        self.good("hsm", "init")
        self.token = json.loads(self.good("operator", "init", "-format=json"))["root_token"]
        self.make_key("a", mount=True)

    def make_key(self, name, mount=False):
        process, address = self.start()
        env = {"VAULT_ADDR": address, "VAULT_TOKEN": self.token}
        if mount:
            self.good("secrets", "enable", "transit", **env)
        self.good("write", "transit/keys/" + name, "type=ed25519", **env)
        self.stop(process)

    def residents(self):
        return sorted(entry["id"] for entry in json.loads(self.good("hsm", "list", "-format=json"))
                      if entry["label"].startswith("coffer-key-"))

    def recorded(self, name):
        with open(self.path("audit.log")) as file:
            events = [line.get("system", {}) for line in map(json.loads, file)]
        return [event["id"] for event in events if event.get("event") == name]

    def make_orphan(self):
        """What an accepted rollback leaves: the object of a key that the older database never heard of."""
        kept = self.residents()
        shutil.copytree(self.path("data"), self.path("older"))
        self.make_key("b")
        shutil.rmtree(self.path("data"))
        os.rename(self.path("older"), self.path("data"))
        return kept

    def accept_rollback(self):
        refusal = self.run_coffer("server", "-config=" + self.path("coffer.hcl"))[2]
        epoch = re.search(r"-accept-rollback=(\d+)", refusal).group(1)
        process, _ = self.start("-accept-rollback=" + epoch)
        self.stop(process)

    def test_finds_nothing_where_every_object_has_its_key(self):
        before = self.residents()
        self.assertEqual(len(before), 1)
        self.assertIn("no object of this database is without a key\n", self.good("hsm", "gc", "-yes"))
        self.assertEqual(self.residents(), before)

    def test_refuses_a_database_older_than_the_token(self):
        self.make_orphan()
        before = self.residents()
        self.refused(1, "the database is older than the token", "hsm", "gc", "-yes")
        self.assertEqual(self.residents(), before)

    def test_lists_first_destroys_on_the_word_only_and_keeps_what_has_a_key(self):
        kept = self.make_orphan()
        self.accept_rollback()
        orphan, = set(self.residents()) - set(kept)
        out = self.good("hsm", "gc")
        self.assertRegex(out, rf"(?m)^coffer-key-\S+ +private key +Edwards +{orphan}$")
        self.assertNotIn(kept[0], out)
        self.assertIn("nothing was destroyed; -yes destroys them\n", out)
        self.assertIn(orphan, self.residents())
        self.assertFalse(json.loads(self.good("hsm", "gc", "-format=json"))["destroyed"])
        # No record, no destruction.
        os.mkdir(self.path("nowhere"))
        self.configure(more=f'audit "file" "main" {{ file_path = "{self.path("nowhere")}/audit.log" }}')
        os.rmdir(self.path("nowhere"))
        self.assertNotEqual(self.run_coffer("hsm", "gc", "-yes")[0], 0)
        self.assertIn(orphan, self.residents())
        masters = [label for label in self.labels() if not label.startswith("coffer-epoch")]
        self.configure(more=self.audit)
        self.assertIn("destroyed 1 objects\n", self.good("hsm", "gc", "-yes"))
        self.assertEqual(self.recorded("token-object-destroyed"), [orphan])
        self.assertEqual(self.residents(), kept)
        masters.remove(next(label for label in masters if label.startswith("coffer-key-")))
        self.assertEqual([label for label in self.labels() if not label.startswith("coffer-epoch")], masters)
        process, address = self.start()
        env = {"VAULT_ADDR": address, "VAULT_TOKEN": self.token}
        self.assertIn("vault:v", self.good("write", "transit/sign/a", "input=aGVsbG8=", **env))
        self.refused(1, "is in use by process", "hsm", "gc")

    def test_asks_on_a_terminal_and_takes_only_yes(self):
        kept = self.make_orphan()
        self.accept_rollback()
        for answer, left in ((b"y\n", 2), (b"yes\n", 1)):
            ours, theirs = pty.openpty()
            process = subprocess.Popen([BINARY, "hsm", "gc"], env=self.env(), stdin=theirs, stdout=subprocess.PIPE,
                                       stderr=theirs, start_new_session=True)
            os.close(theirs)
            shown = b""
            while b"Only yes is taken: " not in shown:
                shown += os.read(ours, 1024)
            os.write(ours, answer)
            process.communicate(timeout=60)
            os.close(ours)
            self.assertEqual((process.returncode, len(self.residents())), (0, left))
        self.assertEqual(self.residents(), kept)


run_tests()
