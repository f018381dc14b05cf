"""Every rule of words.py fires, and ordinary text passes."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import words  # noqa: E402


def cited(text, path="src/base/a.cc", there=()):
    found = words.cited(path, text, lambda target: target in there)
    return [":".join(violation.split(":")[1:3]) for violation in found]


class HangingTest(unittest.TestCase):
    def lines(self, text):
        return [int(violation.split(":")[1]) for violation in words.hanging("a.h", text)]

    def test_each_hanging_word_counts(self):
        for word in ("Of", "Likewise", "Where", "What", "Whether", "Who", "Whose", "Those", "Any other", "Such", "Less"):
            self.assertEqual(self.lines(f"// {word} it may be.\n"), [1], word)

    def test_every_form_of_a_comment_counts(self):
        self.assertEqual(self.lines("int a;\n  // What it is.\nint b;  ///< Where.\n/// Whose it is.\n"), [2, 4])

    def test_a_block_counts_by_its_first_line_alone(self):
        self.assertEqual(self.lines("// The door.\n// What follows goes on.\nint a;\n// What is new.\n// Where.\n"), [4])

    def test_a_sentence_with_a_subject_passes(self):
        self.assertEqual(self.lines("// Offset in bytes.\n\n// Whatever is left, lesser or Ofcourse.\n\n"
                                    "// Any key.\nauto what = \"What\";\n"), [])

    def test_more_than_the_limit_is_a_violation_that_names_each(self):
        found = words.hanging("a.h", "// What.\nint a;\n// Who.\n")
        self.assertEqual([violation.split(":")[0] for violation in words.judge(found, 1)], ["a.h", "a.h", words.LIMIT])
        self.assertEqual(words.judge(found, 2), [])
        self.assertEqual(words.judge(found, 3), [])

    def test_a_number_that_fell_is_to_be_lowered(self):
        self.assertEqual(words.remark(["a", "b"], 2), "")
        self.assertIn(f"lower the number in {words.LIMIT} to 2", words.remark(["a", "b"], 3))


class CitedTest(unittest.TestCase):
    def test_a_page_that_is_not_there_is_named(self):
        for name in ("promises.md", "docs/promises.md", "../design/anchors.md", "`front-door.md`"):
            self.assertEqual(cited(f"// see {name}.\n"), ["1: cited"], name)

    def test_a_page_that_is_there_passes_from_each_place(self):
        there = {"docs/http.md", "README.md", "pkcs11/notes.md", "docs/adr/0001-a.md"}
        for text in ("docs/http.md", "http.md", "[../http.md](../http.md)", "README.md", "adr/0001-a.md",
                     "file:///usr/share/doc/coffer/docs/http.md"):
            self.assertEqual(cited(text, there=there), [], text)
        self.assertEqual(cited("notes.md", "pkcs11/README.md", there), [])
        self.assertEqual(cited("notes.md", "src/README.md", there), ["1: cited"])

    def test_chapters_of_notes_are_named(self):
        for text in ("vault-api 1.5", "key-custody, section 2", "key-custody 2", "promises.md 4", "key-custody, chapter 1",
                     "anchors 5"):
            self.assertEqual(cited(f"int a;\n// why ({text})\n", there={"docs/promises.md", "promises.md"}),
                             ["2: cited"], text)

    def test_a_chapter_on_the_next_line_is_named(self):
        self.assertEqual(cited("// (key-custody,\n  // section 2)\n"), ["1: cited"])
        self.assertEqual(cited("# see vault-api\n# 2.5\n", "a.py"), ["1: cited"])

    def test_words_and_standards_pass(self):
        self.assertEqual(cited("// RFC 4648 section 5; it promises two things; key-custody is kept; SHA-256 2 times\n"), [])


class WideTest(unittest.TestCase):
    def test_a_cell_that_no_terminal_shows_is_named(self):
        self.assertEqual(len(words.wide("a.md", "| a | b |\n|---|---|\n| c | " + "d" * 251 + " |\n")), 1)

    def test_long_prose_and_short_cells_pass(self):
        self.assertEqual(words.wide("a.md", "d" * 300 + "\n| " + "d" * 200 + " | " + "e" * 200 + " |\n"), [])


if __name__ == "__main__":
    unittest.main()
