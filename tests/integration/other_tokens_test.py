#!/usr/bin/env python3
"""coffer hsm doctor on tokens other than SoftHSM: NSS softokn, and a TPM's pkcs11 library over swtpm.
usage: other_tokens_test.py COFFER [GROUP]. Exits with 77 where the token does not start, and says why."""
import glob
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

from console_case import Case
from program import run_tests

SKIPPED = 77
LIBRARIES = "/usr/lib/*-linux-gnu/"


def found(pattern):
    """The library's path, or the end of the test: it is not installed."""
    paths = glob.glob(LIBRARIES + pattern)
    if not paths:
        skip(pattern + " is not installed")
    return paths[0]


def skip(why):
    print("skipped: " + why)
    sys.stdout.flush()
    os._exit(SKIPPED)


class OtherToken(Case):
    def configure(self, **_):
        """The token's own part comes later."""

    def use(self, module, label, more=""):
        with open(self.path("coffer.hcl"), "w") as out:
            out.write(f"""listener "tcp" {{ address = "127.0.0.1:0" }}
                storage "sqlite" {{ path = "{self.path('data')}" }}
                token {{ uri = "pkcs11:token={label}?module-path={module}&pin-source=file:{self.path('pin')}"
                         {more} }}""")
        os.makedirs(self.path("data"), exist_ok=True)

    def write_pin(self, pin):
        with open(os.open(self.path("pin"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(pin + "\n")

    def doctor(self, *flags, **env):
        """What it found, with the ways by type and operation."""
        answer = json.loads(self.good("hsm", "doctor", "-format=json", *flags, **env))
        answer["ways"] = {(each["key_type"], each["operation"]): each["way"] for each in answer["findings"]}
        return answer


class NssTest(OtherToken):
    def test_keeps_keys_resident_because_it_ignores_unwrap_templates(self):
        module = found("libsoftokn3.so")
        if shutil.which("certutil") is None:
            skip("certutil is not installed")
        self.write_pin("a password of nss")
        os.mkdir(self.path("nss"))
        subprocess.run(["certutil", "-N", "-d", "sql:" + self.path("nss"), "-f", self.path("pin")], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        self.use(module, "NSS%20Certificate%20DB",
                 f"""module_arguments = "configdir='sql:{self.path('nss')}' secmod='secmod.db' flags=" """)
        before = self.entries()
        answer = self.doctor("-quick")
        self.assertEqual(self.entries(), before)
        self.assertEqual((answer["key_wrap"], answer["unwrap_template"], answer["can_serve"], answer["left_behind"],
                          answer["keeps_session_objects"]), ("0x210b", "ignored", False, 0, False))
        self.assertIn("an unwrap template that is enforced", answer["missing"])
        self.assertEqual(answer["ways"]["aes256-gcm96", "encrypt"], "resident")
        for operation in ("create", "encrypt", "decrypt", "refuse a changed tag"):
            self.assertEqual(answer["ways"]["chacha20-poly1305", operation], "resident")
        self.assertEqual(answer["ways"]["ecdsa-p256", "sign"], "resident")
        self.assertEqual(answer["ways"]["rsa-2048", "decrypt"], "resident")
        self.assertNotIn("wrapped", answer["ways"].values())

    def entries(self):
        """Private keys and secret keys in the database, as NSS's own tool counts them."""
        return subprocess.run(["certutil", "-K", "-d", "sql:" + self.path("nss"), "-f", self.path("pin")],
                              capture_output=True, text=True, timeout=60).stdout


class TpmTest(OtherToken):
    """A TPM in software, shared by a resource manager on a message bus of the test's own."""

    def setUp(self):
        super().setUp()
        for program in ("swtpm", "tpm2-abrmd", "dbus-daemon", "dbus-send", "tpm2_ptool"):
            if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
                skip(program + " is not installed")
        for folder in ("tpm", "store"):
            os.mkdir(self.path(folder))
        socket = self.path("sock")
        self.run_beside("swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.path("tpm"), "--server",
                        "type=unixio,path=" + socket, "--ctrl", f"type=unixio,path={socket}.ctrl", "--flags",
                        "not-need-init,startup-clear")
        bus = self.run_beside("dbus-daemon", "--session", "--nofork", "--print-address=1", stdout=subprocess.PIPE)
        self.bus = {"DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().decode().strip()}
        self.wait_for(lambda: os.path.exists(socket + ".ctrl"), "swtpm did not start")
        self.run_beside("tpm2-abrmd", "--session", "--allow-root", "--tcti=swtpm:path=" + socket,
                        env={**os.environ, **self.bus, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        self.wait_for(self.has_broker, "tpm2-abrmd did not start")
        self.tpm = {**self.bus, "TPM2TOOLS_TCTI": "tabrmd:bus_type=session",
                    "TPM2_PKCS11_TCTI": "tabrmd:bus_type=session", "TPM2_PKCS11_STORE": self.path("store"),
                    "TSS2_LOG": "all+NONE"}
        self.pin = "a pin of the tpm"
        self.write_pin(self.pin)
        self.tool("init")
        self.tool("addtoken", "--pid=1", "--label=tpm", "--sopin=the other pin", "--userpin=" + self.pin)

    def run_beside(self, *words, stdout=subprocess.DEVNULL, env=None):
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, env=env)

        def end():
            process.terminate()
            process.communicate(timeout=60)
        self.addCleanup(end)
        return process

    def wait_for(self, condition, complaint):
        """For daemons of others, which can only be asked whether they are up."""
        end = time.monotonic() + 30
        while not condition():
            if time.monotonic() > end:
                skip(complaint)
            time.sleep(0.05)

    def has_broker(self):
        asked = subprocess.run(["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
                                "org.freedesktop.DBus.NameHasOwner", "string:com.intel.tss2.Tabrmd"],
                               env={**os.environ, **self.bus}, capture_output=True, timeout=60)
        return b"true" in asked.stdout

    def tool(self, *words):
        done = subprocess.run(["tpm2_ptool", *words], env={**os.environ, **self.tpm}, capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_makes_no_session_objects_so_the_doctor_makes_none_unless_told(self):
        self.use(found("libtpm2_pkcs11.so.1"), "tpm")
        answer = self.doctor("-quick", **self.tpm)
        self.assertEqual((set(answer["ways"].values()), answer["session_objects"]), ({"refused"}, "none"))
        self.assertIn("CKR_ATTRIBUTE_VALUE_INVALID", json.dumps(answer["findings"]))
        self.assertNotIn("coffer-probe-", self.tool("listobjects", "--label=tpm"))

    def test_signs_with_resident_keys_and_wraps_nothing(self):
        self.use(found("libtpm2_pkcs11.so.1"), "tpm")
        answer = self.doctor("-quick", "-token-objects", **self.tpm)
        self.assertEqual((answer["keeps_session_objects"], answer["session_objects"]), (True, "stay"))
        self.assertEqual((answer["key_wrap"], answer["can_serve"], answer["left_behind"]), ("", False, 0))
        self.assertEqual(answer["ways"]["ecdsa-p256", "sign"], "resident")
        self.assertEqual(answer["ways"]["aes256-gcm96", "encrypt"], "refused")
        self.assertNotIn("wrapped", answer["ways"].values())
        self.assertNotIn("coffer-probe-", self.tool("listobjects", "--label=tpm"))

    def test_speeds_are_measured_before_the_tpm_is_full_of_keys(self):
        self.use(found("libtpm2_pkcs11.so.1"), "tpm")
        answer = self.doctor("-token-objects", **self.tpm)
        self.assertEqual(answer["left_behind"], 0)
        for key_type, operation in (("rsa-2048", "create"), ("rsa-2048", "decrypt"), ("rsa-2048", "sign pss"),
                                    ("ecdsa-p256", "create"), ("ecdsa-p256", "sign"), ("ecdsa-p384", "sign")):
            self.assertEqual(answer["ways"][key_type, operation], "resident")
            self.assertGreater(self.speed(answer, key_type, operation), 0)
        self.assertNotIn("coffer-probe-", self.tool("listobjects", "--label=tpm"))

    def speed(self, answer, key_type, operation):
        return next(each["per_second"] for each in answer["findings"]
                    if (each["key_type"], each["operation"]) == (key_type, operation))


run_tests()
