"""Debian's promtool, installed or only unpacked by scripts/install_packages.sh, and how a test without it is skipped."""
import os
import shutil
import sys
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
SKIPPED = 77  # the exit status that ctest takes for a skip


def path():
    """Nothing where it is not there."""
    unpacked = os.path.join(ROOT, "build", "unpacked", "usr", "bin", "promtool")
    return shutil.which("promtool") or (unpacked if os.path.exists(unpacked) else None)


def run_tests():
    """Ends the process; as skipped where promtool is not there: what needs it stands in files of its own."""
    if path() is None:
        print("Skipped\npromtool is not there: scripts/install_packages.sh test")
        sys.exit(SKIPPED)
    unittest.main(module="__main__", verbosity=2)
