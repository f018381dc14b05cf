#!/usr/bin/env python3
"""packaging/coffer.service, as systemd's own tools read it. usage: unit_file_test.py COFFER UNIT"""
import os
import re
import subprocess
import sys

UNIT = os.path.realpath(sys.argv.pop(2))

from console_case import BINARY, Case  # noqa: E402  (takes the program's path from what is left)
from program import run_tests  # noqa: E402


class UnitFileTest(Case):
    def setUp(self):
        super().setUp()
        with open(UNIT) as file:
            self.unit = file.read()
        # The directory of the program that was built, so that it is found.
        with open(self.path("coffer.service"), "w") as out:
            out.write(self.unit.replace("/usr/bin/coffer", BINARY))

    def analyze(self, *words):
        done = subprocess.run(["systemd-analyze", *words, self.path("coffer.service")], capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout + done.stderr

    def test_systemd_understands_every_line(self):
        code, said = self.analyze("verify", "--recursive-errors=no", "--man=no")
        self.assertEqual((code, said), (0, ""))

    def test_its_exposure_stays_below_two_of_ten(self):
        code, said = self.analyze("security", "--offline=true", "--threshold=20")
        self.assertEqual(code, 0, said)

    def test_what_trying_again_cannot_mend_is_not_tried_again(self):
        never = re.search(r"(?m)^RestartPreventExitStatus=(\d+)$", self.unit).group(1)
        with open(self.path("coffer.hcl"), "w") as out:
            out.write("nonsense = true\n")
        self.assertEqual(str(self.run_coffer("server", "-config=" + self.path("coffer.hcl"))[0]), never)
        self.configure()
        self.good("hsm", "init")
        with open(self.path("pin"), "w") as out:
            out.write("not-the-pin\n")
        self.assertEqual(str(self.run_coffer("server", "-config=" + self.path("coffer.hcl"))[0]), never)

    def test_a_credential_of_the_units_name_is_the_pin(self):
        name = re.search(r"(?m)^#LoadCredential=([^:]+):", self.unit).group(1)
        self.good("hsm", "init")
        os.mkdir(self.path("credentials"))
        os.rename(self.path("pin"), os.path.join(self.path("credentials"), name))
        self.configure(pin="")
        self.assertIn("coffer-meta", self.good("hsm", "list", CREDENTIALS_DIRECTORY=self.path("credentials")))


run_tests()
