#!/usr/bin/env python3
"""Each wrong input of a first set-up, and the sentence that it earns: it names the thing and its place. What the configuration, files,
modes, certificates, the PIN and the module do wrong is said alike by a start and by -check, which leaves the token alone.
usage: first_setup_test.py COFFER [GROUP]"""
import os
import shutil
import subprocess
import tempfile

from console_case import BINARY, MODULE, Case
from program import run_tests

PLAIN = """listener "tcp" {{ address = "127.0.0.1:0" }}
storage "sqlite" {{ path = "{folder}/data" }}
token {{
  uri            = "pkcs11:token=console?module-path={module}&pin-source=file:{folder}/pin"
  so_pin_source  = "{folder}/so-pin"
  softhsm_config = "{folder}/softhsm2.conf"
}}
"""


class SetupCase(Case):
    """A class has one folder, and one token where it wants any; each test begins with a good configuration and the right PIN."""

    wants_token = True

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)

    def setUp(self):
        self.write("softhsm2.conf", f"directories.tokendir = {self.path('tokens')}\nlog.level = ERROR\n")
        self.text = PLAIN.format(folder=self.folder, module=MODULE)
        self.set(self.text)
        if not self.wants_token:
            return
        if not os.path.exists(self.path("data")):
            self.good("hsm", "init")
            type(self).right_pin = self.pin()
        self.write("pin", self.right_pin + "\n")

    def set(self, text):
        with open(self.path("coffer.hcl"), "w") as out:
            out.write(text)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w") as out:
            out.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def token_files(self):
        return sorted((os.path.join(base, name), os.stat(os.path.join(base, name)).st_mtime_ns)
                      for base, _, names in os.walk(self.path("tokens")) for name in names)

    def said(self, sentence, start_code=78):
        """By a start and by -check, which both end with that code; -check touches no token."""
        with self.subTest(sentence=sentence):
            code, _, error = self.run_coffer("server", "-config=" + self.path("coffer.hcl"))
            self.assertIn(sentence, error)
            self.assertEqual(code, start_code, error)
            before = self.token_files()
            code, out, error = self.run_coffer("server", "-config=" + self.path("coffer.hcl"), "-check")
            self.assertIn(sentence, error)
            self.assertEqual(code, start_code, error)
            self.assertEqual(self.token_files(), before)


class ConfigurationTest(SetupCase):
    wants_token = False

    def at(self, line, column, sentence):
        self.said(f"{self.path('coffer.hcl')}: line {line}, column {column}: {sentence}")

    def test_what_is_no_document_is_said_with_line_and_column(self):
        for text, line, column, sentence in (
                ("listener \"tcp\" {\n", 8, 16, "the block has no end"),
                ("cluster_name = \"a\n", 8, 16, "the string has no end on its line"),
                ("cluster_name = a\n", 8, 16, "expected a value; a string stands in quotes: \"a\""),
                ("cluster_name: \"a\"\n", 8, 13, "expected = or { after \"cluster_name\""),
                ("workers = 2 workers = 3\n", 8, 13, "expected a new line or a comma"),
                ("workers = 2\nworkers = 3\n", 9, 1, "\"workers\" was set before"),
                ("workers = 1.5\n", 8, 11, "\"workers\" must be an integer, not a number"),
                ("= 3\n", 8, 1, "expected a name")):
            self.set(self.text + text)
            self.at(line, column, sentence)

    def test_keys_and_values_that_are_none_are_said_with_what_would_be_one(self):
        for text, line, column, sentence in (
                ("clustername = \"a\"\n", 8, 1, "unknown key \"clustername\" in the configuration; did you mean \"cluster_name\"?"),
                ("ui = true\n", 8, 1, "\"ui\" has no place in the configuration: there is no web interface"),
                ("drain_timeout = \"10x\"\n", 8, 17, "\"drain_timeout\""),
                ("log_level = \"loud\"\n", 8, 1, "\"log_level\" is \"debug\", \"info\", \"warn\" or \"error\""),
                ("audit_directory = \"audit\"\n", 8, 1, "\"audit_directory\" must be an absolute path"),
                ("listener \"tcp\" { }\n", 8, 1, "listener \"tcp\" has no \"address\""),
                ("listener \"tcp\" { adress = \"a:1\" }\n", 8, 18,
                 "unknown key \"adress\" in listener \"tcp\"; did you mean \"address\"?"),
                ("listener tcp { }\n", 8, 10, "expected = or { after \"listener\"; a label stands in quotes"),
                (f"backup_directory = \"{self.path('data')}\"\n", 8, 1, "\"backup_directory\" must be a directory of its own"),
                ("listener \"http\" { address = \"a:1\" }\n", 8, 10, "a listener is \"tcp\" or \"unix\", not \"http\""),
                ("listener \"tcp\" { address = \"127.0.0.1\" }\n", 8, 18, "\"address\" must be HOST:PORT"),
                ("listener { address = \"a:1\" }\n", 8, 1, "\"listener\" needs 1 label in quotes"),
                ("listener \"tcp\" { address = \"a:1\", tls_disable = \"yes\" }\n", 8, 49,
                 "\"tls_disable\" must be true or false, not a string"),
                ("listener \"tcp\" {\n address = \"a:1\"\n tls_cert_file = \"/c\"\n}\n", 8, 1,
                 "\"tls_cert_file\" and \"tls_key_file\" go together")):
            self.set(self.text + text)
            self.at(line, column, sentence)

    def test_tokens_that_are_not_named_well_are_said_at_the_uri(self):
        for old, new, sentence in (
                ("pkcs11:", "pkcs12:", "failed to read the token's pkcs11 uri: "),
                ("token=console", "object=console", "failed to read the token's pkcs11 uri: it names an object, not a token"),
                ("token=console", "", "the uri names no token: add token=LABEL"),
                ("?module-path=" + MODULE + "&", "?", "the uri names no module: add ?module-path=FILE"),
                (MODULE, "libsofthsm2.so", "\"module-path\" must be an absolute path"),
                ("pin-source=file:" + self.path("pin"), "pin-source=pin",
                 "a pin source is the absolute path of a file, or file:// before it"),
                ("pin-source=file:" + self.path("pin"), "pin-value=1234",
                 "failed to read the token's pkcs11 uri: pin-value is not allowed: name a file with pin-source"),
                ("token=console", "token=console;labl=x", "failed to read the token's pkcs11 uri: it has an unknown part")):
            self.set(self.text.replace(old, new))
            self.at(4, 3, sentence)

    def test_files_that_are_none_are_said(self):
        os.remove(self.path("coffer.hcl"))
        self.said(f"there is no configuration {self.path('coffer.hcl')}: name one with -config, or in COFFER_CONFIG")
        os.mkdir(self.path("coffer.hcl"))
        self.said(f"{self.path('coffer.hcl')} has 0 files *.hcl and *.json")
        os.rmdir(self.path("coffer.hcl"))

    def test_softhsms_configuration_is_found_as_softhsm_finds_it(self):
        self.set(self.text.replace(f'softhsm_config = "{self.path("softhsm2.conf")}"', ""))
        check = ("server", "-config=" + self.path("coffer.hcl"), "-check")
        os.makedirs(self.path(".config/softhsm2"), exist_ok=True)
        shutil.copy(self.path("softhsm2.conf"), self.path(".config/softhsm2"))
        for name, env in (("softhsm2.conf", {"SOFTHSM2_CONF": self.path("softhsm2.conf")}),
                          (".config/softhsm2/softhsm2.conf", {"HOME": self.folder})):
            out = self.run_coffer(*check, **env)[1]
            self.assertIn(f'softhsm_config = "{self.path(name)}"', out)
            self.assertIn(f'objects_directory = "{self.path("tokens")}"', out)

    def test_softhsms_configuration_is_said_where_it_is_named(self):
        self.set(self.text.replace("softhsm2.conf", "softhsm.conf"))
        self.at(6, 3, f"\"softhsm_config\" {self.path('softhsm.conf')} cannot be read: No such file or directory")
        self.set(self.text)
        self.write("softhsm2.conf", "directories.tokendirs = /x\n")
        self.at(6, 3, f"\"softhsm_config\" {self.path('softhsm2.conf')} does not set directories.tokendir")


class StartTest(SetupCase):
    def certificate(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a",
                        "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem")], check=True, capture_output=True)

    def listen(self, text):
        self.set(self.text + "listener \"tcp\" {\n" + text + "\n}\n")

    def test_listeners(self):
        self.listen('address = "0.0.0.0:0"')
        self.said("address 0.0.0.0:0 is not a loopback address, and plain HTTP would show tokens")
        self.listen('address = "nowhere.invalid:0"')
        self.said("address nowhere.invalid:0 cannot be resolved: ", 1)
        self.set(self.text + f'listener "unix" {{ address = "{self.path("no/own.sock")}" }}')
        self.said(f"failed to listen on {self.path('no/own.sock')}: No such file or directory: its directory must be there", 1)
        self.write("file.sock", "")
        self.set(self.text + f'listener "unix" {{ address = "{self.path("file.sock")}" }}')
        self.said(f"address {self.path('file.sock')} is already in use", 1)
        self.set(self.text + 'listener "tcp" {\naddress = "127.0.0.1:0"\ntrusted_proxies = ["10.0.0.0/99"]\n}')
        self.said("10.0.0.0/99")

    def test_certificates_and_keys(self):
        def tls(certificate, key, more=""):
            self.listen(f'address = "127.0.0.1:0"\ntls_cert_file = "{self.path(certificate)}"\ntls_key_file = "{self.path(key)}"\n{more}')

        self.certificate("own")
        self.certificate("other")
        tls("own.pem", "no.key")
        self.said(f"failed to read key {self.path('no.key')}: No such file or directory")
        tls("no.pem", "own.key")
        self.said(f"failed to read certificate {self.path('no.pem')}: ")
        tls("own.pem", "other.key")
        self.said(f"failed to use key {self.path('other.key')}: key values mismatch")
        os.chmod(self.path("own.key"), 0o644)
        tls("own.pem", "own.key")
        self.said(f"key {self.path('own.key')} is open to everybody: chmod o= it")
        os.chmod(self.path("own.key"), 0o600)
        self.write("text.pem", "no certificate\n")
        tls("text.pem", "own.key")
        self.said(f"failed to read certificate {self.path('text.pem')}: ")
        tls("own.pem", "own.key", f'tls_client_certificates = "required"\ntls_client_ca_file = "{self.path("no-ca.pem")}"')
        self.said(f"failed to read authorities {self.path('no-ca.pem')}: ")

    def test_the_pin(self):
        pin = self.pin()
        os.remove(self.path("pin"))
        self.said(f"the PIN file {self.path('pin')} is not there: coffer hsm init makes it with a new token")
        self.write("pin", "\n")
        self.said(f"the PIN file: {self.path('pin')} is empty")
        self.write("pin", "# the PIN\n" + pin + "\n")
        self.said(f"the PIN file {self.path('pin')} has several lines: the PIN stands in one, alone")
        self.write("pin", pin + "\n", 0o644)
        self.said(f"the PIN file {self.path('pin')} can be read by others or written by its group: chmod 0600 it")
        os.remove(self.path("pin"))
        os.mkdir(self.path("pin"), 0o700)
        self.said(f"the PIN file: failed to read {self.path('pin')}: Is a directory", 1)
        os.rmdir(self.path("pin"))
        self.set(self.text.replace(f"&pin-source=file:{self.path('pin')}", ""))
        self.said("there is no PIN: name a file in the configuration (pin-source), load the systemd credential coffer-pin")

    def test_a_containers_secret_is_taken_on_the_operators_word(self):
        pin = self.pin()
        # As it is mounted: a link into a directory with the sticky bit, mode 0444.
        os.mkdir(self.path("secrets"))
        os.chmod(self.path("secrets"), 0o1777)
        self.write("secrets/pin", pin, 0o444)
        text = self.text.replace(self.path("pin"), self.path("secrets/pin"))
        self.set(text)
        self.said("accept_readable_pin = true in the token block takes it as it is")
        self.set(text.replace("so_pin_source", "accept_readable_pin = true\n  so_pin_source"))
        self.assertIn("accept_readable_pin = true", self.good("server", "-config=" + self.path("coffer.hcl"), "-check"))
        self.stop(self.start()[0])
        os.chmod(self.path("secrets/pin"), 0o666)
        self.said(f"the PIN file {self.path('secrets/pin')} can be written by others: chmod 0600 it")

    def test_the_module(self):
        self.set(self.text.replace(MODULE, self.path("no.so")))
        self.said(f"failed to find the pkcs11 module {self.path('no.so')}: No such file or directory; install the token's package or", 1)
        self.set(self.text.replace(MODULE, self.write("text.so", "no library", 0o700)))
        self.said(f"failed to load the pkcs11 module {self.path('text.so')}: ")
        shutil.copy(BINARY, self.path("program"))
        self.set(self.text.replace(MODULE, self.path("program")))
        self.said(f"failed to load the pkcs11 module {self.path('program')}: ")
        self.set(self.text.replace(MODULE, self.folder))
        self.said(f"the pkcs11 module {self.folder} is not a file; name the shared library itself")

    def test_the_data_directory(self):
        self.set(self.text.replace("/data", "/nothing"))
        self.said(f"the data directory {self.path('nothing')} is not there: coffer hsm init makes it")
        self.set(self.text.replace("/data", "/pin"))
        self.said(f"the data directory {self.path('pin')} is no directory")

    def test_places_that_others_can_write(self):
        for name in ("data", "tokens"):
            os.chmod(self.path(name), 0o777)
            self.said(f"{self.path(name)}: everybody can write {self.path(name)}: chmod o-w {self.path(name)}")
            os.chmod(self.path(name), 0o700)

    def test_an_audit_file_without_which_a_server_would_answer_nobody_is_said_by_the_check(self):
        def check(device, sentence, start_sentence="no audit device takes records, and every request would be refused: main/ (", code=1):
            self.set(self.text + device + "\n")
            with self.subTest(device=device):
                for words, said in ((("-check",), "audit device main/: " + sentence), ((), start_sentence)):
                    self.refused(code, said, "server", "-config=" + self.path("coffer.hcl"), *words)

        missing = self.path("no/audit.log")
        check(f'audit "file" "main" {{ file_path = "{missing}" }}', f"failed to write {missing}: No such file or directory")
        check('audit "socket" "main" { address = "127.0.0.1:1" }', "failed to write tcp://127.0.0.1:1: Connection refused")
        other = self.write("server.log", "listening on 127.0.0.1\n")
        check(f'audit "file" "main" {{ file_path = "{other}" }}', f"failed to write {other}: the audit file holds something else",
              "the audit file holds something else", 78)

    def test_one_audit_device_that_works_is_enough(self):
        self.set(self.text + f'audit "file" "main" {{ file_path = "{self.path("no/audit.log")}" }}\n'
                 f'audit "file" "other" {{ file_path = "{self.path("audit.log")}" }}\n')
        self.stop(self.start()[0])

    def test_directories_for_the_api_that_are_not_there_are_said_and_keep_no_server_from_starting(self):
        self.set(self.text + f'audit_directory = "{self.path("no-audit")}"\nbackup_directory = "{self.path("pin")}"\n')
        wanted = (f"audit_directory {self.path('no-audit')} cannot be used: No such file or directory",
                  f"backup_directory {self.path('pin')} cannot be used: it is no directory")
        for sentence in wanted:
            self.refused(1, sentence, "server", "-config=" + self.path("coffer.hcl"), "-check")
        process = self.start()[0]
        process.terminate()
        error = process.communicate(timeout=60)[1]
        for sentence in wanted:
            self.assertIn(sentence, error)

    def test_check_says_all_at_once_and_a_good_configuration_has_nothing(self):
        self.assertRegex(self.run_coffer("server", "-config=" + self.path("coffer.hcl"), "-check")[2],
                         r"^coffer: nothing here keeps a server from starting; .*\n$")
        os.chmod(self.path("pin"), 0o644)
        self.listen('address = "0.0.0.0:0"')
        code, out, error = self.run_coffer("server", "-config=" + self.path("coffer.hcl"), "-check")
        self.assertEqual((code, len(error.splitlines())), (78, 3), error)
        self.assertIn("coffer: a server would not start, or not serve all that is configured: 2 reasons\n", error)
        self.assertIn('address = "0.0.0.0:0"', out)


class TokenTest(SetupCase):
    """What only the token can tell."""

    def test_labels_pins_and_masters(self):
        start = ("server", "-config=" + self.path("coffer.hcl"))
        self.set(self.text.replace("token=console", "token=consol"))
        self.refused(1, 'no token labelled "consol"; there are "console" (serial number ', *start)
        self.set(self.text)
        self.write("pin", "wrong-pin\n")
        self.refused(78, f"the PIN in {self.path('pin')} was refused by the token: correct the file", *start)
        for file in [os.path.join(base, name) for base, _, names in os.walk(self.path("tokens")) for name in names]:
            os.remove(file)
        os.remove(self.path("data/pin-rejected"))
        self.refused(1, 'no token labelled "console"; there is no other: bring the token back, its keys are nowhere else; for a new '
                        "server run coffer hsm init first", *start)

    def test_the_parent_of_the_data_directory_is_named(self):
        self.set(self.text.replace("/data", "/a/b"))
        self.refused(1, f"failed to make {self.path('a/b')}: No such file or directory", "hsm", "init")


run_tests()
