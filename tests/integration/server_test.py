#!/usr/bin/env python3
"""The real program from outside: starts, refusals to start, and every client command with its error.
usage: server_test.py COFFER"""
import contextlib
import http.client
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import termios
import threading
import unittest

from program import FolderCase, Running, run_tests, take_binary

BINARY = take_binary()
TOKEN = "integration-root-token"


def run(*words, env=None, stdin=None):
    """(exit code, standard output, standard error)"""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("VAULT_", "COFFER_", "SOFTHSM2_"))}
    done = subprocess.run([BINARY, *words], env={**clean, **(env or {})}, input=stdin or "", capture_output=True, text=True,
                          timeout=120)
    return done.returncode, done.stdout, done.stderr


def dev_words(data, *flags):
    return "server", "-dev", "-dev-no-store-token", f"-data={data}", "-dev-listen-address=127.0.0.1:0", *flags


class Server(Running):
    def __init__(self, data, *flags, env=None):
        """A dev server on `data`; with None, as the flags alone say."""
        words = ("server", *flags) if data is None else dev_words(data, *flags)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("SOFTHSM2_")}
        self.process = subprocess.Popen([BINARY, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, env={**clean, **(env or {})}, text=True)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line == "coffer is ready\n":
                break
        else:
            raise AssertionError("no start: " + self.process.communicate()[1])
        self.address = self.said("listening on ")
        self.token = self.said("root token: ") if data else None

    def said(self, prefix):
        return next(line[len(prefix):] for line in self.lines if line.startswith(prefix))

    def env(self, **more):
        return {"VAULT_ADDR": self.address, "VAULT_TOKEN": self.token, **more}


class Case(FolderCase):
    def serve(self, *flags):
        server = Server(self.data, *flags)
        self.addCleanup(server.stop)
        return server

    def refused(self, code, sentence, *flags):
        got, _, error = run(*dev_words(self.data, *flags))
        self.assertEqual(got, code, error)
        self.assertIn(sentence, error)


class StartTest(Case):
    def test_finds_keys_and_root_token_again_on_the_next_start(self):
        first = self.serve()
        sealed = run("write", "-field=ciphertext", "transit/encrypt/k", "plaintext=aGVsbG8=", env=first.env())[1]
        self.assertRegex(sealed, r"^vault:v1:")
        self.assertEqual(first.stop(), 0)
        second = self.serve()
        self.assertEqual(second.token, first.token)
        code, plain, error = run("write", "-field=plaintext", "transit/decrypt/k", "ciphertext=" + sealed.strip(),
                                 env=second.env())
        self.assertEqual((code, plain), (0, "aGVsbG8="), error)

    def test_drains_and_exits_0_on_either_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.serve().stop(number), 0)

    def test_keeps_secrets_to_its_user_and_the_root_token_as_a_hash_only(self):
        server = self.serve("-dev-root-token-id=" + TOKEN)
        self.assertEqual(server.token, TOKEN)
        self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o700)
        for name in ("pin", "so-pin", "root-token", "coffer.db"):
            self.assertEqual(os.stat(os.path.join(self.data, name)).st_mode & 0o777, 0o600, name)
        secrets = [TOKEN.encode()]
        for name in ("pin", "so-pin"):
            with open(os.path.join(self.data, name), "rb") as file:
                secrets.append(file.read().strip())
                self.assertRegex(secrets[-1], rb"^[0-9a-f]{32}$")
        for name in ("coffer.db", "coffer.db-wal"):
            with open(os.path.join(self.data, name), "rb") as file:
                content = file.read()
            for secret in secrets:
                self.assertNotIn(secret, content)
        database = sqlite3.connect(f"file:{self.data}/coffer.db?mode=ro", uri=True)
        self.assertEqual(database.execute("SELECT count(*), min(length(hash)) FROM tokens").fetchone(), (1, 32))

    def test_a_new_root_token_replaces_the_former_one(self):
        first = self.serve("-dev-root-token-id=" + TOKEN)
        first.stop()
        second = self.serve("-dev-root-token-id=another-root-token")
        self.assertEqual(run("list", "transit/keys", env=second.env(VAULT_TOKEN=TOKEN))[0], 2)
        self.assertEqual(run("read", "auth/token/lookup-self", env=second.env())[0], 0)

    def test_answers_on_the_unix_socket_too(self):
        path = os.path.join(self.folder, "own.sock")
        server = self.serve("-dev-unix-socket", path)
        self.assertIn("listening on unix:" + path, server.lines)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(run("status", "-address=unix:" + path)[0], 0)


class DevTest(FolderCase):
    """What a development server leaves outside its data directory, and what it says for a shell."""

    def env(self):
        """A home and a place for temporary directories of the test's own."""
        for name in ("home", "temporary"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        return {"HOME": os.path.join(self.folder, "home"), "TMPDIR": os.path.join(self.folder, "temporary")}

    def left(self, name):
        return os.listdir(os.path.join(self.folder, name))

    def serve(self, *flags):
        server = Server(None, "-dev", "-dev-listen-address=127.0.0.1:0", "-dev-root-token-id=" + TOKEN, *flags, env=self.env())
        self.addCleanup(server.stop)
        return server

    def test_its_export_lines_and_the_kept_token_make_clients_find_it(self):
        server = self.serve()
        lines = [line for line in server.lines if line.startswith("export ")]
        self.assertEqual(lines, [f"export VAULT_ADDR='{server.address}'", f"export VAULT_TOKEN='{TOKEN}'"])
        script = "; ".join(lines) + f"; '{BINARY}' print token; '{BINARY}' read -field=display_name auth/token/lookup-self"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout, f"{TOKEN}\nroot", done.stderr)
        code, name, error = run("read", "-field=display_name", "auth/token/lookup-self",
                                env={**self.env(), "VAULT_ADDR": server.address})
        self.assertEqual((code, name), (0, "root"), error)
        self.assertEqual(os.stat(os.path.join(self.folder, "home/.vault-token")).st_mode & 0o777, 0o600)

    def test_takes_its_temporary_directory_and_its_token_away(self):
        server = self.serve()
        self.assertEqual((len(self.left("temporary")), self.left("home")), (1, [".vault-token"]))
        self.assertEqual(server.stop(), 0)
        self.assertEqual((self.left("temporary"), self.left("home")), ([], []))

    def test_leaves_another_token_alone_and_any_where_that_is_said(self):
        server = self.serve("-dev-no-store-token")
        self.assertEqual(self.left("home"), [])
        server.stop()
        with open(os.path.join(self.folder, "home/.vault-token"), "w") as out:
            out.write("of another server")
        self.serve().stop()
        with open(os.path.join(self.folder, "home/.vault-token")) as kept:
            self.assertEqual(kept.read(), "of another server")

    def test_checks_its_address_before_it_makes_anything(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            for data in ([], ["-data=" + self.data]):
                code, _, error = run("server", "-dev", "-dev-listen-address=" + address, *data, env=self.env())
                self.assertEqual(code, 1, error)
                self.assertIn(f"address {address} is already in use", error)
        self.assertEqual((self.left("temporary"), self.left("home"), os.path.exists(self.data)), ([], [], False))


class FrontDoorCase(Case):
    def ask(self, address, authority=None, path="/v1/sys/health", method="GET"):
        """(status, the server's certificate), by one fresh connection."""
        scheme, _, place = address.partition("://")
        host, _, port = place.rpartition(":")
        if scheme == "https":
            connection = http.client.HTTPSConnection(host, int(port), timeout=30,
                                                     context=ssl.create_default_context(cafile=authority))
        else:
            connection = http.client.HTTPConnection(host, int(port), timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path)
            shown = connection.sock.getpeercert(True) if scheme == "https" else None
            return connection.getresponse().status, shown

    def wait_for_log(self, server, text):
        for line in server.process.stderr:
            if text in line:
                return
        self.fail("the server ended")


class FrontDoorTest(FrontDoorCase):
    def test_dev_tls_makes_a_certificate_and_says_whom_to_trust(self):
        server = self.serve("-dev-tls")
        self.assertTrue(server.address.startswith("https://127.0.0.1:"), server.lines)
        authority = server.said("certificate authority to trust: ")
        status, first = self.ask(server.address, authority)
        self.assertEqual(status, 200)
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.ask(server.address)
        server.stop()
        again = self.serve("-dev-tls")
        self.assertEqual(self.ask(again.address, authority), (200, first))

    def test_a_hangup_has_the_certificates_read_again(self):
        server = self.serve("-dev-tls")
        authority = server.said("certificate authority to trust: ")
        before = self.ask(server.address, authority)[1]
        other = Server(os.path.join(self.folder, "other"), "-dev-tls")
        other.stop()
        with open(os.path.join(self.data, "tls-cert.pem"), "w", encoding="ascii") as file:
            file.write("no certificate")
        server.process.send_signal(signal.SIGHUP)
        self.wait_for_log(server, "failed to read the certificates again")
        self.assertEqual(self.ask(server.address, authority), (200, before))
        for name in ("tls-cert.pem", "tls-key.pem", "tls-ca.pem"):
            shutil.copy(os.path.join(self.folder, "other", name), os.path.join(self.data, name))
        server.process.send_signal(signal.SIGHUP)
        self.wait_for_log(server, "certificates read again")
        status, after = self.ask(server.address, authority)
        self.assertEqual(status, 200)
        self.assertNotEqual(after, before)

    def test_plain_http_is_refused_off_loopback(self):
        code, _, error = run("server", "-dev", f"-data={self.data}", "-dev-listen-address=0.0.0.0:0")
        self.assertEqual(code, 1)
        self.assertIn("is not a loopback address", error)


class HealthListenerTest(FrontDoorCase):
    def start(self, api, health):
        """A server with two listeners, each given by its type and its keys."""
        dev = self.serve("-dev-root-token-id=" + TOKEN, "-dev-tls")
        dev.stop()
        path = os.path.join(self.folder, "coffer.hcl")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"""
listener {api[0]} {{
  {api[1]}
}}
listener {health[0]} {{
  {health[1]}
  health_only = true
}}
storage "sqlite" {{ path = "{self.data}" }}
token {{
  uri            = "pkcs11:token=coffer-dev?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:{self.data}/pin"
  softhsm_config = "{self.data}/softhsm2.conf"
}}
""")
        server = Server(None, "-config=" + path)
        self.addCleanup(server.stop)
        return server

    def test_has_places_left_where_one_address_takes_what_it_gets(self):
        server = self.start(('"unix"', f'address = "{self.folder}/api.sock"'), ('"tcp"', 'address = "127.0.0.1:0"'))
        port = int(server.said("health on ").rpartition(":")[2])

        def connect(own):
            peer = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(own, 0))
            self.addCleanup(peer.close)
            try:
                peer.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n")
                return peer.recv(12)
            except ConnectionError:
                return b""

        self.assertEqual([connect("127.0.0.1") for _ in range(64)], [b"HTTP/1.1 200"] * 64)
        self.assertEqual(connect("127.0.0.1"), b"")
        self.assertEqual(connect("127.0.0.2"), b"HTTP/1.1 200")

    def test_certificates_change_on_all_listeners_or_on_none(self):
        def listener(name):
            for part in ("cert", "key"):
                shutil.copy(os.path.join(self.data, f"tls-{part}.pem"), os.path.join(self.folder, f"{name}-{part}.pem"))
            return ('"tcp"', f"""
  address       = "127.0.0.1:0"
  tls_cert_file = "{self.folder}/{name}-cert.pem"
  tls_key_file  = "{self.folder}/{name}-key.pem" """)

        dev = self.serve("-dev-root-token-id=" + TOKEN, "-dev-tls")
        dev.stop()
        other = Server(os.path.join(self.folder, "other"), "-dev-tls")
        other.stop()
        server = self.start(listener("api"), listener("health"))
        addresses = server.said("listening on "), server.said("health on ")
        authority = os.path.join(self.data, "tls-ca.pem")
        before = [self.ask(address, authority) for address in addresses]
        for name in ("cert.pem", "key.pem"):
            shutil.copy(os.path.join(self.folder, "other", "tls-" + name), os.path.join(self.folder, "api-" + name))
        with open(os.path.join(self.folder, "health-cert.pem"), "w", encoding="ascii") as file:
            file.write("no certificate")
        server.process.send_signal(signal.SIGHUP)
        self.wait_for_log(server, "failed to read the certificates again")
        self.assertEqual([self.ask(address, authority) for address in addresses], before)
        for name in ("cert.pem", "key.pem"):
            shutil.copy(os.path.join(self.folder, "other", "tls-" + name), os.path.join(self.folder, "health-" + name))
        server.process.send_signal(signal.SIGHUP)
        self.wait_for_log(server, "certificates read again")
        for address in addresses:
            self.assertEqual(self.ask(address, os.path.join(self.folder, "other", "tls-ca.pem"))[0], 200, address)

    def test_serves_health_alone_and_no_key(self):
        server = self.start(('"unix"', f'address = "{self.folder}/api.sock"'),
                            ('"unix"', f'address = "{self.folder}/health.sock"'))
        self.assertIn(f"health on unix:{self.folder}/health.sock", server.lines)

        def ask(socket_name, what):
            peer = socket.socket(socket.AF_UNIX)
            with peer:
                peer.connect(os.path.join(self.folder, socket_name))
                peer.sendall(f"GET /v1/{what} HTTP/1.1\r\nHost: a\r\nX-Vault-Token: {TOKEN}\r\nConnection: close\r\n\r\n".encode())
                answer = b""
                while more := peer.recv(65536):
                    answer += more
            return int(answer.split()[1])

        for what in ("sys/health", "sys/seal-status", "sys/leader"):
            self.assertEqual(ask("health.sock", what), 200, what)
        self.assertEqual(ask("health.sock", "sys/health?activecode=299"), 299)
        for what in ("sys/mounts", "transit/keys?list=true", "sys/init", "sys/health/x", "auth/token/lookup-self"):
            self.assertEqual(ask("health.sock", what), 404, what)
        self.assertEqual(ask("api.sock", "sys/mounts"), 200)


class ConfigTest(Case):
    """A server by its configuration file, on the token that dev mode made."""

    def setUp(self):
        super().setUp()
        dev = self.serve("-dev-root-token-id=" + TOKEN)
        self.key = run("write", "-field=name", "transit/keys/k", "type=aes256-gcm96", env=dev.env())
        dev.stop()

    def config(self, more="", token_more="", pin=None):
        path = os.path.join(self.folder, "coffer.hcl")
        pin = f"&pin-source=file:{self.data}/pin" if pin is None else pin
        with open(path, "w") as out:
            out.write(f"""listener "tcp" {{ address = "127.0.0.1:0" }}
                listener "unix" {{ address = "{self.folder}/own.sock", socket_mode = "0660" }}
                storage "sqlite" {{ path = "{self.data}" }}
                token {{ uri = "pkcs11:token=coffer-dev?module-path=/usr/lib/softhsm/libsofthsm2.so{pin}"
                         softhsm_config = "{self.data}/softhsm2.conf"
                         {token_more} }}
                {more}""")
        return "-config=" + path

    def test_finds_the_file_of_the_variable(self):
        path = self.config("workers = 1").partition("=")[2]
        server = Server(None, env={"COFFER_CONFIG": path})
        self.assertEqual(server.stop(), 0)
        self.assertEqual(run("server", "-check", env={"COFFER_CONFIG": path})[0], 0)

    def test_serves_what_the_file_says(self):
        server = Server(None, self.config("workers = 1"))
        self.addCleanup(server.stop)
        env = {"VAULT_ADDR": server.address, "VAULT_TOKEN": TOKEN}
        self.assertEqual(run("read", "-field=name", "transit/keys/k", env=env)[1], "k")
        self.assertEqual(os.stat(os.path.join(self.folder, "own.sock")).st_mode & 0o777, 0o660)
        self.assertEqual(run("status", "-address=unix:" + os.path.join(self.folder, "own.sock"))[0], 0)
        self.assertFalse([line for line in server.lines if TOKEN in line])
        self.assertEqual(server.stop(), 0)

    def test_takes_the_pin_from_a_systemd_credential_and_a_wrong_one_once(self):
        credentials = os.path.join(self.folder, "credentials")
        os.mkdir(credentials)
        shutil.copy(os.path.join(self.data, "pin"), os.path.join(credentials, "coffer-pin"))
        env = {"CREDENTIALS_DIRECTORY": credentials}
        server = Server(None, self.config(pin=""), env=env)
        self.assertEqual(server.stop(), 0)
        with open(os.path.join(credentials, "coffer-pin"), "w") as out:
            out.write("wrong-pin")
        for sentence in ("was refused by the token", "is not tried again"):
            code, _, error = run("server", self.config(pin=""), env=env)
            self.assertEqual(code, 78, error)
            self.assertIn(sentence, error)

    def test_check_prints_the_settings_and_starts_nothing(self):
        code, out, error = run("server", self.config("limits { max_connections = 77 }"), "-check")
        self.assertEqual(code, 0, error)
        self.assertIn("max_connections = 77\n", out)
        self.assertNotIn("coffer is ready", out)
        with open(os.path.join(self.data, "pin")) as pin:
            self.assertNotIn(pin.read().strip(), out)

    def test_refuses_a_file_that_is_none_with_line_and_column(self):
        flag = self.config("\n  wonder = 1")
        for words in (("server", flag), ("server", flag, "-check")):
            code, _, error = run(*words)
            self.assertEqual(code, 78, error)
            self.assertRegex(error, r"coffer\.hcl: line \d+, column 3: unknown key \"wonder\"")
        self.assertEqual(run("server", "-config=" + self.folder + "/absent")[0], 78)

    def test_an_address_that_is_not_there_yet_is_tried_again(self):
        code, _, error = run("server", self.config('listener "tcp" { address = "192.0.2.1:0"\n tls_disable = true }'))
        self.assertEqual(code, 1, error)
        self.assertIn("failed to listen on 192.0.2.1:0", error)

    def test_a_name_that_does_not_resolve_yet_is_tried_again(self):
        code, _, error = run("server", self.config('listener "tcp" { address = "nowhere.invalid:0"\n tls_disable = true }'))
        self.assertEqual(code, 1, error)
        self.assertIn("address nowhere.invalid:0 cannot be resolved: ", error)

    def test_says_that_there_is_no_token_or_no_pin(self):
        code, _, error = run("server", self.config(pin=""))
        self.assertEqual(code, 78, error)
        self.assertIn("there is no PIN", error)
        self.assertEqual(run("server", self.config(), "-dev")[0], 2)
        self.assertEqual(run("server", self.config(), "-data=" + self.data)[0], 2)


class MasterTest(Case):
    """Tokens that somebody else has worked on with SoftHSM's own tool."""

    def softhsm(self, *words):
        with open(os.path.join(self.data, "pin")) as pin:
            self.pin = pin.read().strip()
        done = subprocess.run(["softhsm2-util", *words, "--pin", self.pin], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "SOFTHSM2_CONF": os.path.join(self.data, "softhsm2.conf")})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_token_without_masters_needs_hsm_init(self):
        self.serve().stop()
        self.softhsm("--init-token", "--free", "--label", "bare", "--so-pin", "1234567890")
        database = os.path.join(self.folder, "new")
        os.mkdir(database)
        config = os.path.join(self.folder, "coffer.hcl")
        with open(config, "w") as out:
            out.write(f"""listener "tcp" {{ address = "127.0.0.1:0" }}
                storage "sqlite" {{ path = "{database}" }}
                token {{ uri = "pkcs11:token=bare?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:{self.data}/pin"
                         softhsm_config = "{self.data}/softhsm2.conf" }}""")
        code, _, error = run("server", "-config=" + config)
        self.assertEqual(code, 1, error)
        self.assertIn("has no coffer master keys: run coffer hsm init first", error)

    def test_a_master_that_is_not_as_coffer_makes_it_stops_the_start(self):
        self.serve().stop()
        key = os.path.join(self.folder, "key")
        with open(key, "wb") as out:
            out.write(os.urandom(32))
        # The next version of a class: whoever wraps under it from then on gives its keys away.
        self.softhsm("--import", key, "--aes", "--token", "coffer-dev", "--label", "coffer-aes-v2", "--id", "a2")
        self.refused(1, "coffer-aes-v2")

    def test_a_second_object_with_a_masters_label_stops_the_start(self):
        self.serve().stop()
        key = os.path.join(self.folder, "key")
        with open(key, "wb") as out:
            out.write(os.urandom(32))
        self.softhsm("--import", key, "--aes", "--token", "coffer-dev", "--label", "coffer-hmac-v1", "--id", "a4")
        self.refused(1, "more than one object labelled coffer-hmac-v1")


class RefusalTest(Case):
    def test_port_in_use(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            code, _, error = run("server", "-dev", "-data=" + self.data, f"-dev-listen-address=127.0.0.1:{port}")
        self.assertEqual(code, 1)
        self.assertIn(f"127.0.0.1:{port} is already in use", error)

    def test_data_directory_in_use(self):
        server = self.serve()
        self.refused(1, f"is in use by process {server.process.pid}")

    def test_module_missing(self):
        self.refused(1, "softhsm2", "--dev-module=/nowhere/libsofthsm2.so")

    def test_a_wrong_pin_is_tried_once_and_a_corrected_file_starts(self):
        self.serve().stop()
        file = os.path.join(self.data, "pin")
        with open(file) as pin:
            right = pin.read()
        with open(file, "w") as pin:
            pin.write("0" * 32 + "\n")
        self.refused(78, f"the PIN in {file} was refused by the token")
        # Without a token no attempt could end in "refused": this answer comes without one.
        tokens = os.path.join(self.data, "tokens")
        os.rename(tokens, tokens + ".away")
        self.refused(78, "is not tried again")
        os.rmdir(tokens)  # made empty by that start
        os.rename(tokens + ".away", tokens)
        with open(os.path.join(self.data, "pin-rejected")) as state:
            self.assertNotIn("0" * 32, state.read())
        with open(file, "w") as pin:
            pin.write(right)
        self.serve()
        self.assertFalse(os.path.exists(os.path.join(self.data, "pin-rejected")))

    def test_a_token_that_is_gone_is_lost_and_not_made_anew(self):
        self.serve().stop()
        shutil.rmtree(os.path.join(self.data, "tokens"))
        code, _, error = run(*dev_words(self.data))
        self.assertEqual(code, 1, error)
        self.assertIn("coffer-dev", error)
        self.assertIn("bring the token back", error)
        self.assertEqual(os.listdir(os.path.join(self.data, "tokens")), [])

    def test_another_tokens_database(self):
        self.serve().stop()
        mine = self.data
        self.data = os.path.join(self.folder, "other")
        self.serve().stop()
        shutil.copy(os.path.join(mine, "coffer.db"), os.path.join(self.data, "coffer.db"))
        code, _, error = run(*dev_words(self.data))
        self.assertEqual(code, 1, error)
        self.assertRegex(error, "belongs to another token|failed its check")

    def test_an_older_database_unless_its_epoch_is_named(self):
        server = self.serve()
        run("write", "-field=ciphertext", "transit/encrypt/k", "plaintext=aGVsbG8=", env=server.env())
        server.stop()
        old = os.path.join(self.folder, "old.db")
        shutil.copy(os.path.join(self.data, "coffer.db"), old)
        server = self.serve()
        self.assertEqual(run("write", "-f", "transit/keys/k/rotate", env=server.env())[0], 0)
        server.stop()
        for name in ("coffer.db-wal", "coffer.db-shm"):
            if os.path.exists(os.path.join(self.data, name)):
                os.remove(os.path.join(self.data, name))
        shutil.copy(old, os.path.join(self.data, "coffer.db"))
        code, _, error = run(*dev_words(self.data))
        self.assertEqual(code, 1, error)
        named = re.search(r"-accept-rollback=(\d+)", error)
        self.assertIsNotNone(named, error)
        self.refused(1, "-accept-rollback=", "-accept-rollback=%d" % (int(named.group(1)) + 7))
        server = self.serve(named.group(0))
        sealed = run("write", "-field=ciphertext", "transit/encrypt/k", "plaintext=aGVsbG8=", env=server.env())[1]
        self.assertRegex(sealed, r"^vault:v2:", "the key was to be rotated before its next use")

    def test_usage_errors_exit_2(self):
        for words in (("server", "-dev", "-check"), ("server", "-dev-tls"), ("server", "-dev", "-nonsense=1"), ("server", "-dev", "-accept-rollback=x")):
            self.assertEqual(run(*words)[0], 2, words)


class CommandTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.server = Server(os.path.join(cls.folder, "data"))
        cls.addClassCleanup(cls.server.stop)

    def expect(self, code, text, *words, stdin=None, **env):
        got, out, error = run(*words, env=self.server.env(**env), stdin=stdin)
        self.assertEqual(got, code, out + error)
        self.assertIn(text, error if code else out)
        return out

    def test_version_and_help(self):
        self.expect(0, "Coffer v", "version")
        self.expect(0, "usage: coffer", "help")

    def test_status(self):
        self.expect(0, "Sealed", "status")
        with socket.socket() as holder:  # bound and not listening: refuses
            holder.bind(("127.0.0.1", 0))
            self.expect(1, "failed to reach", "status", VAULT_ADDR="http://127.0.0.1:%d" % holder.getsockname()[1])

    def test_an_answer_of_another_form_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def answer():
                connection = listener.accept()[0]
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
                connection.close()
            thread = threading.Thread(target=answer)
            thread.start()
            self.expect(1, "another form", "status", VAULT_ADDR="http://127.0.0.1:%d" % listener.getsockname()[1])
            thread.join()

    def test_an_answer_that_takes_long_is_waited_for_in_words_on_a_terminal(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours, theirs = pty.openpty()
            self.addCleanup(os.close, ours)
            env = self.server.env(VAULT_ADDR="http://127.0.0.1:%d" % listener.getsockname()[1])
            process = subprocess.Popen([BINARY, "read", "sys/health"], env=env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=theirs)
            os.close(theirs)
            connection = listener.accept()[0]
            shown = b""
            while b"waiting for http://127.0.0.1:" not in shown:
                shown += os.read(ours, 1024)
            connection.recv(65536)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"a":1}')
            connection.close()
            out = process.communicate(timeout=60)[0]
            self.assertEqual((process.returncode, out.split()[-2:]), (0, [b"a", b"1"]))
            self.assertTrue(os.read(ours, 1024).startswith(b"\r"))

    def test_whatever_ends_a_prompt_for_a_token_leaves_the_terminal_as_it_was(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            ours, theirs = pty.openpty()
            before = termios.tcgetattr(theirs)
            process = subprocess.Popen([BINARY, "login"], env=self.server.env(), stdin=theirs, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
            self.assertEqual(process.stderr.read(5), b"Token")
            self.assertFalse(termios.tcgetattr(theirs)[3] & termios.ECHO)
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=60), -number)
            process.stderr.close()
            self.assertEqual(termios.tcgetattr(theirs), before)
            os.close(ours)
            os.close(theirs)

    def test_coffer_variables_come_before_vaults(self):
        self.expect(0, "Sealed", "status", VAULT_ADDR="http://127.0.0.1:1", COFFER_ADDR=self.server.address)
        self.expect(0, "display_name", "read", "auth/token/lookup-self", VAULT_TOKEN="wrong",
                    COFFER_TOKEN=self.server.token)

    def test_write_read_list_and_delete(self):
        self.expect(0, "", "write", "transit/keys/w", "type=aes128-gcm96")
        self.expect(0, "aes128-gcm96", "read", "--field", "type", "transit/keys/w")
        self.expect(0, '"latest_version": 1', "read", "-format=json", "transit/keys/w")
        self.expect(0, "w\n", "list", "transit/keys")
        self.expect(2, "deletion is not allowed", "delete", "transit/keys/w")
        self.expect(0, "", "write", "transit/keys/w/config", "-", stdin='{"deletion_allowed": true}')
        self.expect(0, "", "delete", "transit/keys/w")
        self.expect(2, "No value found at transit/keys/w", "read", "transit/keys/w")

    def test_write_takes_a_value_from_a_file(self):
        file = os.path.join(self.folder, "plain")
        with open(file, "w") as out:
            out.write("aGVsbG8=")
        self.expect(0, "vault:v1:", "write", "-field=ciphertext", "transit/encrypt/f", "plaintext=@" + file)
        self.expect(1, "failed to read", "write", "transit/encrypt/f", "plaintext=@" + file + ".absent")

    def test_usage_errors(self):
        self.expect(127, "unknown command", "frobnicate")
        self.expect(1, "Not enough arguments (expected 1, got 0)", "read")
        self.expect(1, "format must be key=value", "write", "transit/keys/u", "nonsense")
        self.expect(1, "Invalid output format: xml", "read", "-format=xml", "transit/keys/u")
        self.expect(1, "not a JSON object", "write", "transit/keys/u", "-", stdin="[]")
        self.expect(1, "is not UTF-8", "write", "transit/keys/u", os.fsdecode(b"type=\xff"))
        self.expect(1, "failed to read", "write", "transit/keys/u", "type=@" + self.folder)
        self.expect(1, "not present in secret", "read", "-field=absent", "auth/token/lookup-self")

    def test_errors_of_the_server_are_told(self):
        self.expect(2, "permission denied", "list", "transit/keys", VAULT_TOKEN="wrong")
        self.expect(2, "unsupported operation", "list", "transit/keys/absent")

    def test_demo_compares_and_searches(self):
        file = os.path.join(self.folder, "records.csv")
        with open(file, "w") as out:
            for number in range(250):
                out.write(f"{number},a record long enough to be searched for\n")
        out = self.expect(0, "0 differences", "demo", "-data=" + os.path.join(self.folder, "data"), file)
        self.assertRegex(out, r"records +250\n")
        shutil.copy(file, os.path.join(self.folder, "data", "leak"))
        self.addCleanup(os.remove, os.path.join(self.folder, "data", "leak"))
        self.expect(1, "plaintexts stand in", "demo", "-data=" + os.path.join(self.folder, "data"), file)
        self.expect(1, "failed to read", "demo", file + ".absent")
        self.expect(1, "failed to reach", "demo", file, VAULT_ADDR="http://127.0.0.1:1")


run_tests()
