#!/usr/bin/env python3
"""The commands on a server's console: coffer hsm and coffer operator, and a server that starts on what they made.
usage: console_test.py COFFER [GROUP]"""
import json
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import termios

from console_case import BINARY, MODULE, Case
from program import run_tests


# C_InitToken and no more: who is killed behind it leaves a token without a user PIN.
INIT_TOKEN = """
import ctypes, sys
module, pin, label = ctypes.CDLL(sys.argv[1]), sys.argv[2].encode(), sys.argv[3].encode().ljust(32)
assert module.C_Initialize(None) == 0
slots, count = (ctypes.c_ulong * 8)(), ctypes.c_ulong(8)
assert module.C_GetSlotList(0, slots, ctypes.byref(count)) == 0
assert module.C_InitToken(ctypes.c_ulong(slots[0]), pin, ctypes.c_ulong(len(pin)), label) == 0
"""


class InitTest(Case):
    def test_makes_pins_token_and_objects_and_says_what_to_back_up(self):
        out = self.good("hsm", "init")
        for expected in ("token console, serial ", ": made\n", "coffer-aes-v1 ", "coffer-hmac-v1", "coffer-meta",
                         "coffer-epoch", "back up:", self.path("tokens"), "never all of them under one credential"):
            self.assertIn(expected, out)
        for name in ("pin", "so-pin"):
            self.assertEqual(os.stat(self.path(name)).st_mode & 0o777, 0o600)
            with open(self.path(name)) as file:
                pin = file.read()
            self.assertRegex(pin, r"^[0-9a-f]{32}\n$")
            self.assertNotIn(pin.strip(), out)
        self.assertEqual(os.stat(self.path("data")).st_mode & 0o777, 0o700)

    def test_a_second_run_changes_nothing(self):
        self.good("hsm", "init")
        before = (self.labels(), self.pin())
        self.assertIn(": found\n", self.good("hsm", "init"))
        self.assertEqual((self.labels(), self.pin()), before)

    def test_an_interrupted_run_is_finished_by_the_next(self):
        self.good("hsm", "init")
        wanted = self.labels()
        # The files of the token's objects, without any that is the token's own.
        objects = [os.path.join(base, name) for base, _, names in os.walk(self.path("tokens")) for name in names
                   if name.endswith(".object") and name != "token.object"]
        self.assertGreater(len(objects), 5)
        for file in objects[::2]:
            os.remove(file)
        self.assertNotEqual(self.labels(), wanted)
        self.good("hsm", "init")
        self.assertEqual(self.labels(), wanted)

    def test_a_server_starts_on_it_and_serves_the_first_root_token(self):
        self.good("hsm", "init")
        token = json.loads(self.good("operator", "init", "-format=json"))["root_token"]
        self.assertRegex(token, r"^hvs\.[0-9A-Za-z]{24}$")
        process, address = self.start()
        env = {"VAULT_ADDR": address, "VAULT_TOKEN": token}
        self.good("write", "sys/mounts/transit", "type=transit", **env)
        self.assertIn("vault:v1:", self.good("write", "transit/encrypt/k", "plaintext=aGVsbG8=", **env))
        self.refused(1, f"is in use by process {process.pid}", "hsm", "init")

    def test_refuses_new_masters_for_a_database_that_knows_keys(self):
        self.good("hsm", "init")
        self.good("operator", "init")
        shutil.rmtree(self.path("tokens"))
        os.mkdir(self.path("tokens"))
        self.refused(1, "bring the right token back", "hsm", "init")
        self.assertEqual(os.listdir(self.path("tokens")), [])
        # Another token without masters in the place of the right one.
        self.configure(data="elsewhere")
        self.good("hsm", "init")
        objects = [os.path.join(base, name) for base, _, names in os.walk(self.path("tokens")) for name in names
                   if name.endswith(".object") and name != "token.object"]
        for file in objects:
            os.remove(file)
        self.configure()
        self.refused(1, "bring the right token back", "hsm", "init")

    def test_refuses_a_wrong_pin_once_and_then_without_asking_the_token(self):
        self.good("hsm", "init")
        with open(self.path("pin"), "w") as out:
            out.write("not-the-pin\n")
        self.refused(78, "was refused by the token", "hsm", "list")
        self.refused(78, "is not tried again", "hsm", "init")

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w") as out:
            out.write(text)
        os.chmod(self.path(name), mode)

    def test_pins_that_the_token_refuses_are_said_before_it_is_touched(self):
        for name, pin, other in (("pin", "123", "so-pin"), ("pin", "1" * 256, "so-pin"), ("so-pin", "123", "pin")):
            self.write(name, pin + "\n")
            what = "short" if len(pin) < 4 else "long"
            self.refused(1, f"PIN in {self.path(name)} is too {what}: this token takes 4 to 255 bytes", "hsm", "init")
            self.assertEqual(os.listdir(self.path("tokens")), [])
            self.write(name, "12345678\n")
        self.assertIn(": made\n", self.good("hsm", "init"))
        self.good("hsm", "list")

    def test_a_token_that_was_left_without_a_user_pin_is_given_one(self):
        self.write("so-pin", "12345678\n")
        subprocess.run([sys.executable, "-c", INIT_TOKEN, MODULE, "12345678", "console"], check=True, timeout=60,
                       env=self.env(SOFTHSM2_CONF=self.path("softhsm2.conf")))
        token, = os.listdir(self.path("tokens"))
        self.write("so-pin", "87654321\n")
        self.refused(1, f"the SO PIN in {self.path('so-pin')} was refused by the token, which has no user PIN yet", "hsm", "init")
        self.assertFalse(os.path.exists(self.path("data/pin-rejected")))
        self.write("so-pin", "12345678\n")
        self.good("hsm", "init")
        self.assertEqual(os.listdir(self.path("tokens")), [token])
        self.assertIn("coffer-meta", self.labels())
        self.assertIn(": found\n", self.good("hsm", "init"))

    def test_a_wrong_label_lists_the_labels_there_are(self):
        self.good("hsm", "init")
        self.softhsm("--init-token", "--free", "--label", "an other", "--so-pin", "12345678", "--pin", "12345678")
        self.configure(label="consle")
        self.assertRegex(self.run_coffer("hsm", "list")[2],
                         r'no token labelled "consle"; there are ("console"|"an other") \(serial number [0-9a-f]{16}\), ("console"|"an other") ')
        self.configure()
        self.good("operator", "init")
        self.configure(label="consle")
        self.assertRegex(self.run_coffer("hsm", "init")[2],
                         r'master keys are not in the token \(no token labelled "consle"; there are .*"console".*\): bring the right token')

    def test_takes_softhsms_configuration_as_softhsm_does(self):
        for number, text in enumerate(("directories.tokendir = {}  # ours\n", "\t directories.tokendir\t=\t{}\r\n",
                                       "directories.tokendir={}#\n", "directories.tokendir = {} = /elsewhere\n",
                                       "==directories.tokendir=={}\n", "directories.tokendir = /nowhere\ndirectories.tokendir = {}\n",
                                       "directories.tokendir = {}\ndirectories.tokendir = # none\n")):
            tokens = self.path(f"tokens {number}")
            self.write("softhsm2.conf", text.format(tokens) + "log.level = ERROR\n")
            self.configure(data=f"data {number}")
            # Made by us, where we read that it is; SoftHSM puts the token where it reads that it is.
            self.assertIn(tokens, self.good("hsm", "init"))
            self.assertEqual(len(os.listdir(tokens)), 1, text)
            for name in ("pin", "so-pin"):
                os.remove(self.path(name))

    def test_an_object_that_works_is_not_taken_for_half_made_whoever_put_it_there(self):
        self.good("hsm", "init")
        # softhsm2-util takes the file for a line of text and ends the key at a zero byte or a line end.
        with open(self.path("key"), "wb") as out:
            out.write(os.urandom(16).hex().encode())
        self.softhsm("--import", self.path("key"), "--aes", "--token", "console", "--label", "coffer-aes-v2", "--id", "a2",
                     "--pin", self.pin())
        before = self.labels()
        self.refused(1, "token object coffer-aes-v2 has a wrong ", "hsm", "init")
        self.assertEqual(self.labels(), before)

    def test_asks_twice_for_pins_that_a_new_token_gets(self):
        self.configure(pin="", so_pin="")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen([BINARY, "hsm", "init"], env=self.env(), stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=theirs, start_new_session=True)
        os.close(theirs)
        shown = b""
        for prompt, answer in ((b"New PIN: ", b"12345678"), (b"Again: ", b"12345678"), (b"New SO PIN: ", b"87654321"),
                               (b"Again: ", b"87654321")):
            while not shown.endswith(prompt):
                shown += os.read(ours, 1024)
            os.write(ours, answer + b"\n")
        out = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 0)
        self.assertIn(b": made\n", out)

    def test_goes_on_with_nothing_that_others_can_write(self):
        self.good("hsm", "init")
        shutil.copy(MODULE, self.path("module.so"))
        with open(self.path("coffer.hcl")) as file:
            text = file.read()
        with open(self.path("coffer.hcl"), "w") as out:
            out.write(text.replace(MODULE, self.path("module.so")))
        self.good("hsm", "list")
        for name, mode in (("coffer.hcl", 0o644), ("module.so", 0o644), ("softhsm2.conf", 0o644), ("pin", 0o600), ("data", 0o700),
                           ("tokens", 0o700), ("", 0o700)):
            place = self.path(name).rstrip("/")
            os.chmod(place, 0o777)
            sentence = f"everybody can write {place}: chmod o-w {place}"
            self.refused(78, sentence, "server", "-config=" + self.path("coffer.hcl"))
            self.refused(78, sentence, "hsm", "list")
            os.chmod(place, mode)
        self.good("hsm", "list")

    def test_usage_errors(self):
        for words in (("hsm", "init", "-wonder"), ("hsm", "list", "-format=xml"), ("hsm", "rotate-master"), ("operator", "init", "extra")):
            self.assertEqual(self.run_coffer(*words)[0], 2, words)
        for words in (("hsm",), ("hsm", "frobnicate"), ("operator",)):
            self.assertEqual(self.run_coffer(*words)[0], 1, words)
        self.refused(78, "there is no configuration", "hsm", "list", "-config=/nowhere/coffer.hcl")
        self.assertIn("rotate-master", self.good("hsm", "--help"))


class TokenTest(Case):
    def setUp(self):
        super().setUp()
        self.good("hsm", "init")

    def test_list_names_objects_and_their_purpose(self):
        out = self.good("hsm", "list")
        self.assertRegex(out, r"(?m)^coffer-aes-v1 +secret key +AES .* master key$")
        self.assertRegex(out, r"(?m)^coffer-meta +secret key +generic secret .* row MACs$")
        self.assertRegex(out, r"(?m)^coffer-epoch-0{16} +data .* epoch$")

    def test_rotate_master_serves_new_versions_and_keeps_the_old(self):
        token = json.loads(self.good("operator", "init", "-format=json"))["root_token"]
        process, address = self.start()
        env = {"VAULT_ADDR": address, "VAULT_TOKEN": token}
        self.good("write", "sys/mounts/transit", "type=transit", **env)
        sealed = self.good("write", "-field=ciphertext", "transit/encrypt/k", "plaintext=aGVsbG8=", **env).strip()
        self.refused(1, "is in use by process", "hsm", "rotate-master", "aes")
        self.stop(process)
        self.configure(more=f'audit "file" "main" {{ file_path = "{self.path("audit.log")}" }}')
        self.assertIn("made coffer-aes-v2", self.good("hsm", "rotate-master", "aes"))
        with open(self.path("audit.log")) as file:
            events = [line["system"] for line in map(json.loads, file) if line["type"] == "system"]
        self.assertEqual([event for event in events if event["event"].startswith("master-rotation")],
                         [{"event": "master-rotation-started", "class": "aes"},
                          {"event": "master-rotation-ended", "class": "aes", "outcome": "made coffer-aes-v2"}])
        self.assertIn("coffer-aes-v2", self.labels())
        process, address = self.start()
        env["VAULT_ADDR"] = address
        self.good("write", "-f", "transit/keys/k/rotate", **env)
        self.assertEqual(self.good("write", "-field=plaintext", "transit/decrypt/k", "ciphertext=" + sealed, **env),
                         "aGVsbG8=")
        self.stop(process)
        database = sqlite3.connect(f"file:{self.path('data')}/coffer.db?mode=ro", uri=True)
        self.assertEqual(database.execute("SELECT master FROM key_versions ORDER BY version").fetchall(),
                         [("aes-v1",), ("aes-v2",)])

    def test_rotate_master_refuses_a_class_that_is_none(self):
        self.refused(1, "is no class of master keys; there are aes ", "hsm", "rotate-master", "des")

    def test_change_pin_replaces_the_file_and_the_tokens_pin(self):
        old = self.pin()
        out = self.good("hsm", "change-pin")
        self.assertNotIn(self.pin(), out)
        self.assertNotEqual(self.pin(), old)
        self.assertEqual(os.stat(self.path("pin")).st_mode & 0o777, 0o600)
        self.assertFalse(os.path.exists(self.path("pin.next")))
        self.good("hsm", "list")
        with open(self.path("pin"), "w") as out:
            out.write(old + "\n")
        self.refused(78, "was refused by the token", "hsm", "list")

    def test_change_pin_does_not_overwrite_what_an_interrupted_change_left(self):
        with open(self.path("pin.next"), "w") as out:
            out.write("a pin that the token may have\n")
        self.refused(1, "an interrupted change left " + self.path("pin.next"), "hsm", "change-pin")
        self.good("hsm", "list")

    def test_asks_for_the_pin_on_a_terminal_and_does_not_show_it(self):
        self.configure(pin="")
        self.refused(1, "there is no PIN", "hsm", "list")
        ours, theirs = pty.openpty()
        process = subprocess.Popen([BINARY, "hsm", "list"], env=self.env(), stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=theirs, start_new_session=True)
        os.close(theirs)
        shown = b""
        while not shown.endswith(b"PIN: "):
            shown += os.read(ours, 1024)
        os.write(ours, self.pin().encode() + b"\n")
        out = process.communicate(timeout=60)[0]
        try:
            while True:
                shown += os.read(ours, 1024)
        except OSError:
            pass
        os.close(ours)
        self.assertEqual(process.returncode, 0, shown)
        self.assertIn(b"coffer-meta", out)
        self.assertNotIn(self.pin().encode(), shown)

    def test_an_interrupt_at_the_prompt_ends_it_and_leaves_the_echo_on(self):
        self.configure(pin="")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        before = termios.tcgetattr(theirs)
        process = subprocess.Popen([BINARY, "hsm", "list"], env=self.env(), stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=theirs, start_new_session=True)
        shown = b""
        while not shown.endswith(b"PIN: "):
            shown += os.read(ours, 1024)
        self.assertFalse(termios.tcgetattr(theirs)[3] & termios.ECHO)
        os.write(ours, b"12\x03")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(termios.tcgetattr(theirs), before)

    def test_sigterm_ends_a_command_that_waits(self):
        self.configure(pin="")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen([BINARY, "hsm", "list"], env=self.env(), stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=theirs, start_new_session=True)
        os.close(theirs)
        shown = b""
        while not shown.endswith(b"PIN: "):
            shown += os.read(ours, 1024)
        process.terminate()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGTERM)

    def test_a_token_of_another_serial_is_not_taken(self):
        self.configure(serial=";serial=00112233")
        self.refused(1, "no token labelled", "hsm", "list")


class OperatorTest(Case):
    def setUp(self):
        super().setUp()
        self.good("hsm", "init")

    def lookup(self, address, token):
        return self.run_coffer("read", "auth/token/lookup-self", VAULT_ADDR=address, VAULT_TOKEN=token)[0]

    def test_init_is_done_once_and_recover_root_replaces_a_lost_token(self):
        self.refused(1, "no root token yet: run coffer operator init", "operator", "recover-root")
        first = re.search(r"Root token: (\S+)", self.good("operator", "init")).group(1)
        self.refused(1, "coffer operator recover-root replaces a lost one", "operator", "init")
        process, address = self.start()
        self.assertEqual(self.lookup(address, first), 0)
        self.refused(1, "is in use by process", "operator", "recover-root")
        self.stop(process)
        second = re.search(r"Root token: (\S+)", self.good("operator", "recover-root")).group(1)
        _, address = self.start()
        self.assertEqual(self.lookup(address, second), 0)
        self.assertEqual(self.lookup(address, first), 2)

    def test_a_root_token_that_nobody_could_see_is_not_made_and_replaces_none(self):
        def run_full(*words):
            with open("/dev/full", "w") as full:
                done = subprocess.run([BINARY, *words], env=self.env(), stdin=subprocess.DEVNULL, stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=120)
            self.assertEqual(done.returncode, 1)
            self.assertIn("failed to write to standard output: No space left on device", done.stderr)

        for form in ("table", "json"):
            run_full("operator", "init", "-format=" + form)
        token = json.loads(self.good("operator", "init", "-format=json"))["root_token"]
        run_full("operator", "recover-root")
        _, address = self.start()
        self.assertEqual(self.lookup(address, token), 0)

    def test_recover_root_needs_the_right_pin(self):
        self.good("operator", "init")
        with open(self.path("pin"), "w") as out:
            out.write("not-the-pin\n")
        self.refused(78, "was refused by the token", "operator", "recover-root")

    def test_a_broken_audit_device_of_the_api_is_taken_away(self):
        self.configure(more=f'audit_directory = "{self.folder}"')
        token = re.search(r"Root token: (\S+)", self.good("operator", "init")).group(1)
        process, address = self.start()
        self.good("write", "sys/audit/broken", "type=file", "options=file_path=broken.log", VAULT_ADDR=address, VAULT_TOKEN=token)
        self.stop(process)
        os.remove(self.path("broken.log"))
        os.mkdir(self.path("broken.log"))
        self.configure(more=f"""audit_directory = "{self.folder}"
            audit "file" "main" {{ file_path = "{self.path("audit.log")}" }}""")
        self.refused(1, "there is no audit device none/", "operator", "remove-audit-device", "none")
        self.refused(2, "NAME is required", "operator", "remove-audit-device")
        self.assertIn("Removed the audit device broken/", self.good("operator", "remove-audit-device", "broken"))
        self.refused(1, "there is no audit device broken/", "operator", "remove-audit-device", "broken/")
        self.refused(1, "is declared in this server's configuration", "operator", "remove-audit-device", "main")
        with open(self.path("audit.log")) as file:
            self.assertEqual([event["system"]["device"] for event in map(json.loads, file)
                              if event.get("system", {}).get("event") == "audit-device-removed"], ["broken/"])
        _, address = self.start()
        self.assertEqual(self.lookup(address, token), 0)
        self.assertTrue(os.path.isdir(self.path("broken.log")))  # left alone

    def test_an_audit_device_that_is_alone_and_broken_is_taken_away(self):
        self.configure(more=f'audit_directory = "{self.folder}"')
        token = re.search(r"Root token: (\S+)", self.good("operator", "init")).group(1)
        process, address = self.start()
        self.good("write", "sys/audit/broken", "type=file", "options=file_path=broken.log", VAULT_ADDR=address, VAULT_TOKEN=token)
        self.stop(process)
        os.remove(self.path("broken.log"))
        os.mkdir(self.path("broken.log"))
        self.assertIn('"device":"broken/"', self.good("operator", "remove-audit-device", "broken", "-format=json"))
        _, address = self.start()
        self.assertEqual(self.lookup(address, token), 0)

    def test_a_public_key_of_the_audit_trail_that_cannot_be_written_is_said(self):
        self.configure(more=f'audit "file" "main" {{ file_path = "{self.path("audit.log")}" }}')
        os.mkdir(self.path("data/audit-key.pem"))
        self.refused(1, "audit-key.pem", "operator", "init")

    def test_a_token_that_does_not_answer_is_said(self):
        module = os.path.join(os.path.dirname(BINARY), "tests/pkcs11/libfaulty_pkcs11_module.so")
        with open(self.path("coffer.hcl")) as file:
            text = file.read()
        with open(self.path("coffer.hcl"), "w") as out:
            out.write(text.replace(MODULE, module))
        os.mkfifo(self.path("login"))
        process = subprocess.Popen([BINARY, "hsm", "list"], env=self.env(COFFER_TEST_HANG=self.folder),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.assertIn('a call into the token does not return instance="console"', process.stderr.readline())
        process.kill()
        process.communicate(timeout=60)

    def test_a_token_whose_file_a_kill_has_emptied_starts_again(self):
        # SoftHSM empties it before it writes it, at every login.
        file, = [os.path.join(base, "token.object") for base, _, names in os.walk(self.path("tokens")) if "token.object" in names]
        for change in ((), ("hsm", "change-pin")):
            if change:
                self.good(*change)
            with open(file, "rb") as own, open(file + ".kept", "rb") as kept:
                self.assertEqual(own.read(), kept.read())
            os.truncate(file, 0)
            self.good("operator", "init" if not change else "recover-root")
            process, _ = self.start()
            self.stop(process)

    def test_a_server_without_root_token_says_so(self):
        process, address = self.start()
        code, out, _ = self.run_coffer("read", "-format=json", "sys/init", VAULT_ADDR=address)
        self.assertEqual((code, json.loads(out)["data"]["initialized"]), (0, False))
        process.send_signal(signal.SIGTERM)
        self.assertIn("run coffer operator init", process.communicate(timeout=60)[1])


class SupervisorTest(Case):
    """A datagram socket stands in for systemd's."""

    def setUp(self):
        super().setUp()
        self.good("hsm", "init")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notify.close)
        self.notify.bind(self.path("notify"))
        self.notify.settimeout(60)

    def test_says_ready_when_it_serves_alive_now_and_then_and_stopping(self):
        process = subprocess.Popen(["sh", "-c", 'WATCHDOG_PID=$$ exec "$0" "$@"', BINARY, "server",
                                    "-config=" + self.path("coffer.hcl")],
                                   env=self.env(NOTIFY_SOCKET=self.path("notify"), WATCHDOG_USEC="200000"),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop, process)
        said = [self.notify.recv(100) for _ in range(4)]
        self.assertEqual(said, [b"READY=1"] + 3 * [b"WATCHDOG=1"])
        self.assertEqual(self.run_coffer("status", "-address=unix:" + self.path("own.sock"))[0], 0)
        process.send_signal(signal.SIGTERM)
        while said[-1] == b"WATCHDOG=1":
            said.append(self.notify.recv(100))
        self.assertEqual(said[-1], b"STOPPING=1")
        self.assertEqual(process.wait(timeout=60), 0)


run_tests()
