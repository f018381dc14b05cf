#!/usr/bin/env python3
"""class_sources.py finds a class that lies in too many sources, and counts definitions only."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import class_sources  # noqa: E402
import rooms  # noqa: E402


class ClassSources(unittest.TestCase):
    def run_on(self, tree, allowed=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in tree.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            before, rooms.ALLOWED_SOURCES = rooms.ALLOWED_SOURCES, allowed or {}
            out = io.StringIO()
            try:
                with contextlib.redirect_stdout(out):
                    code = class_sources.main(["class_sources.py", folder])
            finally:
                rooms.ALLOWED_SOURCES = before
        return code, out.getvalue()

    def test_two_sources_are_enough_and_three_too_many(self):
        tree = {f"src/keyring/{name}.cc": f"Status Ring::Do{name}() {{ return {{}}; }}\n" for name in "ab"}
        self.assertEqual(self.run_on(tree)[0], 0)
        tree["src/keyring/c.cc"] = "Result<std::shared_ptr<const Key>>\nRing::Find(int a) {\n}\n"
        code, out = self.run_on(tree)
        self.assertEqual(code, 1)
        self.assertIn("the members of Ring lie in 3 sources", out)

    def test_constructors_destructors_operators_and_nested_classes_count(self):
        for member in ("Ring::Ring(int a)", "Ring::~Ring()", "bool Ring::operator==(const Ring& o) const"):
            self.assertEqual(class_sources.classes_of(f"{member} {{}}\n"), {"Ring"}, member)
        self.assertEqual(class_sources.classes_of("Status Ring::Impl::Do() {\n}\n"), {"Ring::Impl"})

    def test_calls_comments_and_other_rooms_do_not_count(self):
        self.assertEqual(class_sources.classes_of("  return Ring::Open(1);\n// Ring::Open(\n"), set())
        tree = {f"src/{room}/a.cc": "Status Ring::Do() {}\n" for room in ("keyring", "audit", "http")}
        self.assertEqual(self.run_on(tree)[0], 0)

    def test_an_allowance_must_be_used_up(self):
        tree = {f"src/keyring/{name}.cc": "Status Ring::Do() {}\n" for name in "abc"}
        self.assertEqual(self.run_on(tree, {"keyring::Ring": 3})[0], 0)
        code, out = self.run_on(tree, {"keyring::Ring": 4})
        self.assertEqual(code, 1)
        self.assertIn("lower its number", out)


if __name__ == "__main__":
    unittest.main()
