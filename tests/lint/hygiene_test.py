"""Every rule of hygiene.py fires, and ordinary text passes."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import hygiene  # noqa: E402


def rules(text, path="docs/a.md", there=()):
    found = hygiene.check(path, text, lambda target: str(target) in there)
    return [violation.split(": ")[1] for violation in found]


class HygieneTest(unittest.TestCase):
    def test_paths_of_one_machine_are_named(self):
        for text in ("see /wo" "rk/main/x", "cd /home/ada/coffer", "/tmp/bash_" "jobs.0/1", "`/wo" "rk`"):
            self.assertEqual(rules(text), ["machine-path"], text)

    def test_ordinary_paths_pass(self):
        for text in ("/usr/lib/softhsm", "docs/work/x", "/workspace", "$HOME/home/x", "/tmp/x"):
            self.assertEqual(rules(text), [], text)

    def test_addresses_of_registries_are_named(self):
        for text in ("https://py" "pi.org/simple", "https://files.python" "hosted.org/x", "--index-url x",
                     "https://registry.np" "mjs.org/ms", '"resolved": "https://example.org/x.tgz"',
                     "http://deb.deb" "ian.org/debian"):
            self.assertEqual(rules(text, "a.txt"), ["registry"], text)

    def test_names_of_packages_pass(self):
        self.assertEqual(rules("hvac from PyPI, node-vault from npm, packages of Debian 12"), [])

    def test_links_must_lead_somewhere(self):
        self.assertEqual(rules("[a](b.md) [c](../d.md#e)", there={"docs/b.md"}), ["link"])
        self.assertEqual(rules("[a](b.md)", there={"docs/b.md"}), [])
        self.assertEqual(rules("[a](https://example.org/) [b](#part)"), [])

    def test_code_blocks_are_not_links(self):
        self.assertEqual(rules("```\nauto f = [x](y)\n```\n"), [])


if __name__ == "__main__":
    unittest.main()
