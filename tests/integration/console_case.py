"""A server's configuration and what is run on its console. Standard library only."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from program import take_binary

BINARY = take_binary()
MODULE = "/usr/lib/softhsm/libsofthsm2.so"


class Case(unittest.TestCase):
    """A configuration and nothing else: no token, no database."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.mkdir(self.path("tokens"))
        with open(self.path("softhsm2.conf"), "w") as out:
            out.write(f"directories.tokendir = {self.path('tokens')}\nlog.level = ERROR\n")
        self.configure()

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self, label="console", pin=None, serial="", data="data", more="", so_pin=None):
        pin = f"&pin-source=file:{self.path('pin')}" if pin is None else pin
        so_pin = f'so_pin_source = "{self.path("so-pin")}"' if so_pin is None else so_pin
        with open(self.path("coffer.hcl"), "w") as out:
            out.write(f"""listener "tcp" {{ address = "127.0.0.1:0" }}
                listener "unix" {{ address = "{self.path('own.sock')}" }}
                storage "sqlite" {{ path = "{self.path(data)}" }}
                workers = 1
                {more}
                token {{ uri = "pkcs11:token={label}{serial}?module-path={MODULE}{pin}"
                         {so_pin}
                         softhsm_config = "{self.path('softhsm2.conf')}" }}""")

    def env(self, **more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("VAULT_", "COFFER_", "SOFTHSM2_"))}
        return {**clean, "COFFER_CONFIG": self.path("coffer.hcl"), **more}

    def run_coffer(self, *words, **env):
        done = subprocess.run([BINARY, *words], env=self.env(**env), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def good(self, *words, **env):
        code, out, error = self.run_coffer(*words, **env)
        self.assertEqual(code, 0, error)
        return out

    def refused(self, code, sentence, *words, **env):
        got, out, error = self.run_coffer(*words, **env)
        self.assertEqual(got, code, out + error)
        self.assertIn(sentence, error)

    def start(self, *flags):
        """(process, address)"""
        process = subprocess.Popen([BINARY, "server", "-config=" + self.path("coffer.hcl"), *flags], env=self.env(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, process)
        address = None
        for line in process.stdout:
            if line.startswith("listening on http"):
                address = line.split()[-1]
            if line == "coffer is ready\n":
                return process, address
        raise AssertionError("no start: " + process.communicate()[1])

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    def softhsm(self, *words):
        """What SoftHSM's own tool says."""
        done = subprocess.run(["softhsm2-util", *words], capture_output=True, text=True, timeout=60,
                              env=self.env(SOFTHSM2_CONF=self.path("softhsm2.conf")))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def pin(self):
        with open(self.path("pin")) as file:
            return file.read().strip()

    def labels(self):
        return [entry["label"] for entry in json.loads(self.good("hsm", "list", "-format=json"))]
