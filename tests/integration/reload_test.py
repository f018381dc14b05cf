#!/usr/bin/env python3
"""SIGHUP: what a running server takes over, and what it says of the rest. usage: reload_test.py COFFER"""
import re
import signal
import threading

from console_case import Case
from program import run_tests


class ReloadTest(Case):
    def setUp(self):
        super().setUp()
        self.good("hsm", "init")
        self.begin()

    def begin(self, *flags):
        self.process, self.address = self.start(*flags)
        self.lines, self.changed = [], threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def stop(self, process):  # the reader has one of its streams
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        self.reader.join()
        process.stdout.close()
        process.stderr.close()

    def reload(self, expected):
        """The lines that SIGHUP brings, to the one that matches."""
        with self.changed:
            seen = len(self.lines)
            self.process.send_signal(signal.SIGHUP)
            self.assertTrue(self.changed.wait_for(
                lambda: any(re.search(expected, line) for line in self.lines[seen:]), timeout=60), self.lines)
            return "".join(self.lines[seen:])

    def add(self, text):
        with open(self.path("coffer.hcl"), "a") as out:
            out.write(text)

    def serves(self):
        self.assertEqual(self.run_coffer("status", "-address=" + self.address)[0], 0)

    def test_nothing_changed_is_said_too(self):
        self.assertNotIn("setting", self.reload(r'configuration read again changed="0"'))

    def test_what_the_command_line_says_of_the_log_is_no_changed_setting(self):
        self.stop(self.process)
        self.begin("-log-level=debug", "-log-format=json")
        self.assertNotIn("setting", self.reload(r'configuration read again.*"changed": ?"0"'))

    def test_each_changed_setting_is_named_with_what_becomes_of_it(self):
        self.add('\ndrain_timeout = "33s"\nlimits { max_connections = 77 }\n')
        said = self.reload(r'configuration read again changed="2"')
        self.assertRegex(said, r"info server: a changed setting is in force setting=.drain_timeout. .*33s")
        self.assertRegex(said, r"warn server: a changed setting needs a restart "
                               r"setting=.limits.max_connections. running=.10000. configured=.77.")
        self.assertIn('changed="1"', self.reload("configuration read again"))
        self.serves()

    def test_levels_of_the_log_are_in_force_at_once(self):
        self.assertEqual(self.run_coffer("status", "-address=" + self.address)[0], 0)
        self.add('\nlog_levels = { api = "debug" }\n')
        said = self.reload(r'configuration read again changed="1"')
        self.assertRegex(said, r"info server: a changed setting is in force setting=.log_levels.api. running=.. configured=..*debug")
        self.serves()
        with self.changed:
            self.assertTrue(self.changed.wait_for(lambda: self.lines[-1].count("debug api: request answered"), timeout=60),
                            self.lines)

    def test_a_configuration_that_is_none_is_named_and_changes_nothing(self):
        self.add("\nlimits { max_conections = 77 }\n")
        self.assertRegex(self.reload("failed to read the configuration again"), r"line \d+, column \d+.*max_conections")
        self.serves()


run_tests()
