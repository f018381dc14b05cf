"""What the tests of the real program share: the program's path, a folder to run it in, its end, and theirs. Standard library only."""
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest


def take_binary():
    """The program's path, taken from the command line: usage FILE COFFER [GROUP]."""
    return os.path.realpath(sys.argv.pop(1))


def run_on_terminal(words, env=None):
    """(exit code, what it wrote on standard error, which is a terminal)"""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs, timeout=60)
    finally:
        os.close(theirs)
    shown = b""
    try:
        while octets := os.read(ours, 4096):
            shown += octets
    except OSError:  # the end of a terminal
        pass
    os.close(ours)
    return done.returncode, shown.decode()


class Running:
    """A program that was started as self.process."""

    process = None

    def stop(self, with_signal=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        self.process.communicate(timeout=60)
        return self.process.returncode


class FolderCase(unittest.TestCase):
    """Each test in a folder of its own; the data directory in it is not made yet."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.data = os.path.join(self.folder, "data")


def run_tests():
    """Ends the process, with the line that says how many passed."""
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    failed = len({id(test) for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(0 if result.wasSuccessful() else 1)
