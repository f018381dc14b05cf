#!/usr/bin/env python3
"""What sys/metrics of the real program says, by the judgement of promtool. usage: promtool_test.py COFFER"""
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from program import take_binary

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "ops"))
import promtool  # noqa: E402

BINARY = take_binary()


class PromtoolTest(unittest.TestCase):
    def test_finds_nothing_to_say(self):
        with tempfile.TemporaryDirectory() as folder:
            server = subprocess.Popen([BINARY, "server", "-dev", "-dev-no-store-token", f"-data={folder}/data", "-dev-root-token-id=root",
                                       "-dev-listen-address=127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
            try:
                lines = []
                for line in server.stdout:
                    lines.append(line)
                    if line == "coffer is ready\n":
                        break
                address = next(line.split()[2] for line in lines if line.startswith("listening on http://"))
                for path, body in (("transit/encrypt/k", b'{"plaintext":""}'), ("sys/audit/main", b'{"type":"file","options":{"file_path":"a"}}'),
                                   ("sys/metrics?format=prometheus", None)):
                    request = urllib.request.Request(f"{address}/v1/{path}", body, {"X-Vault-Token": "root"})
                    with urllib.request.urlopen(request, timeout=30) as answer:
                        text = answer.read().decode()
            finally:
                server.terminate()
                server.communicate(timeout=60)
        self.assertIn("coffer_audit_entries_total{", text)
        checked = subprocess.run([promtool.path(), "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))


promtool.run_tests()
