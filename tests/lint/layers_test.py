"""Every rule of layers.py fires on a small bad tree, and stays silent on a good one."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import layers  # noqa: E402

GOOD = {
    "include/coffer/base/result.h": "#include <string>\n#include <tl/expected.hpp>\n",
    "src/base/secret_bytes.cc": '#include "coffer/base/result.h"\n#include <openssl/crypto.h>\n',
    "src/base/CMakeLists.txt": "coffer_room(base SRCS secret_bytes.cc)\n",
    "include/coffer/storage/database.h": '#include "coffer/base/result.h"\n',
    "src/storage/database.cc": (
        '#include "coffer/storage/database.h"\n#include <sqlite3.h>\n#include "storage/row.h"\n'
        'const char* kSql = R"sql(SELECT a FROM t)sql";\n'
    ),
    "src/storage/row.h": "#include <vector>\n",
    "src/storage/CMakeLists.txt": "coffer_room(storage SRCS database.cc DEPS base)\n",
    "pkcs11/include/coffer/pkcs11/module.h": '#include "coffer/base/result.h"\n',
    "pkcs11/src/module.cc": '#include "coffer/pkcs11/module.h"\n#include <p11-kit/pkcs11.h>\n',
    "pkcs11/CMakeLists.txt": (
        "add_library(coffer_pkcs11 STATIC src/module.cc)\n"
        "target_link_libraries(coffer_pkcs11 PUBLIC coffer_flags coffer_base)\n"
    ),
    "include/coffer/keyring/key_ring.h": '#include "coffer/base/result.h"\n',
    "src/keyring/keyring_store.cc": (
        '#include "coffer/pkcs11/module.h"\n#include "coffer/storage/database.h"\n'
        'auto kSql = "INSERT INTO keys VALUES (?)";\n'
    ),
    "src/keyring/CMakeLists.txt": (
        "coffer_room(keyring SRCS keyring_store.cc DEPS base pkcs11 storage\n"
        "  PRIVATE_LIBS Threads::Threads)\n"
    ),
    "src/api/endpoint.cc": (
        '#include "coffer/keyring/key_ring.h"\n'
        "// #include <sqlite3.h>\n"
        'auto kVerb = "DELETE"; auto kText = "update refused"; int n = 10\'000; char c = \'"\';\n'
    ),
    "src/api/endpoint.h": "#include <sys/types.h>\n",
    "src/api/CMakeLists.txt": "coffer_room(api SRCS endpoint.cc DEPS keyring)\n",
}


class LayersTest(unittest.TestCase):
    def lint(self, changes):
        """What layers.py says of the good tree with `changes`."""
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**GOOD, **changes}.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return layers.Lint(folder).run()

    def assert_fires(self, changes, *expected):
        """`expected`: "path:line: rule", each exactly once and nothing else."""
        found = [":".join(violation.split(":", 3)[:3]) for violation in self.lint(changes)]
        self.assertEqual(sorted(found), sorted(expected))

    def test_a_tree_that_follows_the_rules_is_silent(self):
        self.assertEqual(self.lint({}), [])

    def test_a_room_may_not_include_one_above_it(self):
        self.assert_fires(
            {"src/storage/row.h": '#include <vector>\n#include "coffer/keyring/key_ring.h"\n',
             "src/storage/CMakeLists.txt": "coffer_room(storage SRCS database.cc DEPS base keyring)\n"},
            "src/storage/row.h:2: direction", "src/storage/CMakeLists.txt:1: direction")

    def test_rooms_of_one_level_may_not_include_each_other(self):
        self.assert_fires(
            {"include/coffer/http/server.h": '#include "coffer/storage/database.h"\n',
             "src/http/CMakeLists.txt": "coffer_room(http SRCS server.cc DEPS storage)\n"},
            "include/coffer/http/server.h:1: direction", "src/http/CMakeLists.txt:1: direction")

    def test_a_room_that_the_table_does_not_know_is_named(self):
        self.assert_fires({"src/attic/box.cc": ""}, "src/attic/box.cc:1: unknown-room")

    def test_a_private_header_stays_in_its_room(self):
        for text in ('#include "storage/row.h"\n', '#include "../storage/row.h"\n'):
            self.assert_fires({"src/keyring/key.cc": text}, "src/keyring/key.cc:1: private")

    def test_a_face_is_nothing_to_the_rest_of_its_room(self):
        face = {"src/api/vault/errors.h": "", "src/api/vault/face.cc": '#include "api/vault/errors.h"\n'}
        self.assertEqual(self.lint(face), [])
        self.assert_fires(
            {**face, "src/api/service.cc": '#include "api/vault/errors.h"\n'},
            "src/api/service.cc:1: face")

    def test_a_public_header_may_not_include_a_private_one(self):
        self.assert_fires(
            {"include/coffer/storage/database.h":
             '#include "coffer/base/result.h"\n#include "storage/row.h"\n'},
            "include/coffer/storage/database.h:2: door")

    def test_a_public_header_may_not_show_the_operating_system(self):
        self.assert_fires({"include/coffer/base/fd.h": "#include <sys/socket.h>\n"},
                          "include/coffer/base/fd.h:1: door")

    def test_a_public_header_is_included_by_its_public_name(self):
        self.assert_fires(
            {"include/coffer/storage/statement.h": '#include "database.h"\n'},
            "include/coffer/storage/statement.h:1: door")

    def test_each_foreign_header_has_its_home(self):
        strays = {
            "src/keyring/key.cc": ["pkcs11.h", "p11-kit/uri.h", "openssl/evp.h", "sqlite3.h",
                                   "SQLiteCpp/SQLiteCpp.h", "soci/soci.h", "nlohmann/json.hpp",
                                   "pistache/http.h", "prometheus/counter.h", "curl/curl.h",
                                   "CLI/CLI.hpp", "boost/asio.hpp", "tl/expected.hpp"],
            "src/base/bytes.cc": ["openssl/crypto.h"],
            "src/http/server.cc": ["openssl/ssl.h"],
            "src/api/endpoint.h": ["nlohmann/json.hpp"],
            "src/api/service.cc": ["nlohmann/json.hpp", "boost/json/basic_parser_impl.hpp"],
            "include/coffer/api/table.h": ["nlohmann/json_fwd.hpp"],
            "include/coffer/crypto/digest.h": ["openssl/evp.h"],
            "pkcs11/include/coffer/pkcs11/raw.h": ["p11-kit/pkcs11.h"],
            "pkcs11/examples/random.cc": ["p11-kit/pkcs11.h"],
            "src/auth/token_store.cc": ["nlohmann/json.hpp"],
        }
        for path, headers in strays.items():
            room = layers.place(path)[0]
            build = f"src/{room}/CMakeLists.txt"
            for header in headers:
                with self.subTest(path=path, header=header):
                    changes = {path: f"#include <{header}>\n"}
                    if build not in GOOD and room != "pkcs11":
                        changes[build] = f"coffer_room({room} SRCS x.cc)\n"
                    self.assert_fires(changes, f"{path}:1: foreign")

    def test_foreign_headers_are_welcome_at_home(self):
        self.assertEqual(self.lint({
            "src/http/tls_context.cc": "#include <openssl/ssl.h>\n#include <pistache/http.h>\n",
            "src/http/CMakeLists.txt": "coffer_room(http SRCS tls_context.cc)\n",
            "src/api/json_value.cc": "#include <boost/json/basic_parser_impl.hpp>\n",
            "src/api/CMakeLists.txt": "coffer_room(api SRCS endpoint.cc json_value.cc DEPS keyring)\n",
            "src/auth/token_decoder.cc": "#include <nlohmann/json.hpp>\n",
            "src/auth/CMakeLists.txt": "coffer_room(auth SRCS token_decoder.cc)\n",
        }), [])

    def test_sql_text_stays_with_the_stores(self):
        for text in ('auto kSql = "SELECT name FROM keys";', 'auto kSql = R"(\n update keys set a = 1)";',
                     'Run("PRAGMA journal_mode=WAL");', 'Run("BEGIN");', 'Run("delete from keys");',
                     'Run("CREATE TABLE keys (id)");', 'Run("begin immediate");'):
            with self.subTest(text=text):
                self.assert_fires({"src/keyring/key.cc": text}, "src/keyring/key.cc:1: sql-text")

    def test_words_that_only_look_like_sql_are_left_alone(self):
        self.assertEqual(self.lint({"src/keyring/key.cc": """
            auto a = "DELETE"; auto b = "select one of them"; auto c = "begin again";
            auto d = "-----BEGIN CERTIFICATE-----"; // "SELECT a FROM t"
            auto e = "update of the key refused";"""}), [])

    def test_files_and_folders_have_nouns_for_names(self):
        for path in ("src/keyring/utils.cc", "src/keyring/key_manager.cc", "tests/common/x.txt",
                     "tests/keyring/test_helpers.h"):
            with self.subTest(path=path):
                self.assert_fires({path: ""}, f"{path}:1: name")

    def test_an_include_that_is_nowhere_is_named(self):
        self.assert_fires({"src/keyring/key.cc": '#include "keyring/gone.h"\n'},
                          "src/keyring/key.cc:1: unresolved")
        self.assert_fires({"src/keyring/key.cc": '#include "coffer/keyring/gone.h"\n'},
                          "src/keyring/key.cc:1: unresolved")

    def test_cmake_must_name_what_is_included(self):
        self.assert_fires({"src/keyring/CMakeLists.txt": "coffer_room(keyring SRCS a.cc DEPS base pkcs11)\n"},
                          "src/keyring/CMakeLists.txt:1: cmake")

    def test_cmake_may_not_name_what_is_never_included(self):
        self.assert_fires({"src/storage/CMakeLists.txt": "\ncoffer_room(storage SRCS a.cc DEPS base crypto)\n"},
                          "src/storage/CMakeLists.txt:2: cmake",
                          "src/storage/CMakeLists.txt:2: direction")

    def test_a_room_with_sources_must_be_built(self):
        self.assert_fires({"src/storage/CMakeLists.txt": "# coffer_room(storage)\n"},
                          "src/storage/CMakeLists.txt:1: cmake")
        self.assert_fires({"src/http/server.cc": ""}, "src/http/CMakeLists.txt:1: cmake")

    def test_a_library_linked_by_hand_counts_as_a_dependency(self):
        self.assert_fires(
            {"pkcs11/CMakeLists.txt": "add_library(coffer_pkcs11 STATIC src/module.cc)\n"
             "target_link_libraries(coffer_pkcs11 PUBLIC coffer_base coffer_crypto)\n"},
            "pkcs11/CMakeLists.txt:1: cmake", "pkcs11/CMakeLists.txt:1: direction")


if __name__ == "__main__":
    unittest.main()
