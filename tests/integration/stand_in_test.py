#!/usr/bin/env python3
"""A key type that SoftHSM lacks starts to work on a token that has it: the same database and token, with and without a module in between
that offers ChaCha20 and HKDF by a stand-in (tests/fakes/stand_in_pkcs11_module.cc). usage: stand_in_test.py COFFER [GROUP]"""
import base64
import http.client
import json
import os
import subprocess

from console_case import BINARY, MODULE, Case
from program import run_tests

STAND_IN = os.path.join(os.path.dirname(BINARY), "tests/pkcs11/libsofthsm_stand_in.so")
LACKS = "the token cannot make ChaCha20 keys (PKCS#11 3.0 CKM_CHACHA20_KEY_GEN)"
REFUSED = "key type chacha20-poly1305 is not supported: " + LACKS


def b64(octets):
    return base64.b64encode(octets).decode()


class ProbeTest(Case):
    def setUp(self):
        super().setUp()
        self.good("hsm", "init")
        self.token = json.loads(self.good("operator", "init", "-format=json"))["root_token"]
        self.process = None

    def use(self, module, **env):
        """Starts the server on `module`; the one before has ended."""
        if self.process is not None:
            self.stop(self.process)
        with open(self.path("coffer.hcl")) as file:
            text = file.read()
        other = MODULE if module == STAND_IN else STAND_IN
        with open(self.path("coffer.hcl"), "w") as out:
            out.write(text.replace(other, module))
        self.more = env
        first = self.process is None
        self.process, self.address = self.start()
        if first:
            self.assertEqual(self.call("POST", "sys/mounts/transit", {"type": "transit"})[0], 204)

    def env(self, **more):
        return super().env(**{**getattr(self, "more", {}), **more})

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=60)
        self.addCleanup(connection.close)
        connection.request(method, "/v1/" + path, None if body is None else json.dumps(body),
                           {"X-Vault-Token": self.token})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}

    def ok(self, path, body=None, method="POST"):
        status, answer = self.call(method, "transit/" + path, {} if body is None and method == "POST" else body)
        self.assertIn(status, (200, 204), answer)
        return answer.get("data", {})

    def bad(self, text, path, body=None, method="POST"):
        status, answer = self.call(method, "transit/" + path, {} if body is None and method == "POST" else body)
        self.assertEqual(status, 400, answer)
        self.assertIn(text, json.dumps(answer))

    def seal(self, key, **more):
        return self.ok("encrypt/" + key, {"plaintext": b64(b"message"), **more})["ciphertext"]

    def opened(self, key, ciphertext, **more):
        return base64.b64decode(self.ok("decrypt/" + key, {"ciphertext": ciphertext, **more})["plaintext"])

    def masters(self):
        return [label for label in self.labels() if label.startswith("coffer-") and label.endswith("-v1")]

    def test_the_type_starts_to_work_with_the_token_that_has_it(self):
        self.use(MODULE)
        self.ok("keys/a", {"type": "aes256-gcm96"})
        of_aes = self.seal("a")
        self.bad(REFUSED, "keys/c", {"type": "chacha20-poly1305"})
        self.bad(REFUSED, "keys/c", {"type": "chacha20-poly1305", "derived": True})
        self.bad(LACKS, "encrypt/c", {"plaintext": "", "type": "chacha20-poly1305"})
        self.assertNotIn("coffer-chacha20-v1", self.masters())
        self.stop(self.process)
        self.assertIn("has no coffer-chacha20-v1: the server makes it with the first key that wants it",
                      self.run_coffer("hsm", "rotate-master", "chacha20")[2])

        self.use(STAND_IN)
        self.assertNotIn("coffer-chacha20-v1", self.masters(), "only with the first key")
        self.ok("keys/c", {"type": "chacha20-poly1305"})
        self.assertIn("coffer-chacha20-v1", self.masters())
        document = self.ok("keys/c", method="GET")
        self.assertEqual([document[name] for name in ("type", "custody", "supports_encryption", "supports_decryption",
                                                      "supports_derivation", "supports_signing")],
                         ["chacha20-poly1305", "wrapped", True, True, True, False])
        self.assertEqual(document["versions"]["1"]["master"], "chacha20-v1")
        self.works("c")
        self.assertGreater(self.ok("keys/c", method="GET")["versions"]["1"]["encryptions"], 0)
        sealed = self.seal("c")
        backup = self.ok("backup/c", method="GET")["backup"]
        self.ok("restore/d", {"backup": backup})
        self.assertEqual(self.opened("d", sealed), b"message")
        # The number of encryptions since the backup is unknown, so the version encrypts no more.
        self.assertTrue(self.seal("d").startswith("vault:v3:"))

        self.use(MODULE)
        self.assertEqual(sorted(self.ok("keys", method="LIST")["keys"]), ["a", "c", "d"])
        self.assertEqual(self.ok("keys/c", method="GET")["latest_version"], 2)
        self.bad(REFUSED, "encrypt/c", {"plaintext": b64(b"message")})
        self.bad(REFUSED, "decrypt/c", {"ciphertext": sealed})
        self.bad(REFUSED, "decrypt/c", {"batch_input": [{"ciphertext": sealed}]})
        self.bad(REFUSED, "datakey/plaintext/c")
        self.bad(REFUSED, "keys/c/rotate")
        self.ok("hmac/c", {"input": b64(b"message")})
        self.assertEqual(self.opened("a", of_aes), b"message")
        self.assertEqual(self.opened("a", self.seal("a")), b"message")

        self.use(STAND_IN)
        self.assertEqual(self.opened("c", sealed), b"message")
        self.stop(self.process)
        self.good("hsm", "rotate-master", "chacha20")
        self.use(STAND_IN)
        self.works("c")
        self.assertEqual(self.ok("keys/c", method="GET")["versions"]["3"]["master"], "chacha20-v2")
        self.assertEqual(self.opened("c", sealed), b"message")

    def works(self, key):
        """Every operation that the type has; leaves a second version."""
        aad = {"associated_data": b64(b"with it")}
        sealed = self.seal(key, **aad)
        self.assertEqual(self.opened(key, sealed, **aad), b"message")
        self.bad("message authentication failed", "decrypt/" + key, {"ciphertext": sealed})
        self.assertNotEqual(self.seal(key), self.seal(key))
        self.bad("", "encrypt/" + key, {"plaintext": "", "nonce": b64(bytes(12))})
        items = self.ok("encrypt/" + key, {"batch_input": [{"plaintext": b64(bytes([n]) * n)} for n in range(4)]})
        items = self.ok("decrypt/" + key, {"batch_input": [{"ciphertext": item["ciphertext"]} for item in items["batch_results"]]})
        self.assertEqual([item["plaintext"] for item in items["batch_results"]],
                         [b64(bytes([n]) * n) for n in range(4)])
        data_key = self.ok("datakey/plaintext/" + key)
        self.assertEqual(b64(self.opened(key, data_key["ciphertext"])), data_key["plaintext"])
        self.assertEqual(self.ok("inspect/" + key, {"ciphertext": sealed})["plaintext_length"], len(b"message"))
        mac = self.ok("hmac/" + key, {"input": b64(b"message")})["hmac"]
        self.assertTrue(self.ok("verify/" + key, {"input": b64(b"message"), "hmac": mac})["valid"])
        self.bad("", "sign/" + key, {"input": b64(b"message")})
        version = self.ok("keys/" + key, method="GET")["latest_version"] + 1
        self.ok(f"keys/{key}/rotate")
        again = self.ok("rewrap/" + key, {"ciphertext": sealed, **aad})["ciphertext"]
        self.assertTrue(again.startswith(f"vault:v{version}:"))
        self.assertEqual(self.opened(key, again, **aad), b"message")

    def test_derived_keys_get_hkdf_where_the_token_has_it_and_versions_keep_their_kdf(self):
        self.use(MODULE)
        for key, more in (("plain", {}), ("convergent", {"convergent_encryption": True})):
            self.ok("keys/" + key, {"type": "aes256-gcm96", "derived": True, **more})
        context = {"context": b64(b"a context")}
        first = {key: self.seal(key, **context) for key in ("plain", "convergent")}

        self.use(STAND_IN)
        for key, sealed in first.items():
            self.assertEqual(self.opened(key, sealed, **context), b"message")
            self.ok(f"keys/{key}/rotate")
            document = self.ok("keys/" + key, method="GET")
            self.assertEqual((document["kdf"], document["versions"]["1"]["kdf"], document["versions"]["2"]["kdf"]),
                             ("hkdf_sha256", "coffer-kdf-aesecb-1", "hkdf_sha256"))
            again = self.ok("rewrap/" + key, {"ciphertext": sealed, **context})["ciphertext"]
            self.assertTrue(again.startswith("vault:v2:"))
            self.assertEqual(self.opened(key, again, **context), b"message")
            self.bad("", "decrypt/" + key, {"ciphertext": again, "context": b64(b"another")})
        self.assertEqual(self.seal("convergent", **context), self.seal("convergent", **context))
        self.assertNotEqual(self.seal("plain", **context), self.seal("plain", **context))
        for key_type in ("aes128-gcm96", "chacha20-poly1305"):
            self.ok("keys/" + key_type, {"type": key_type, "derived": True, "convergent_encryption": True})
            sealed = self.seal(key_type, **context)
            self.assertEqual(sealed, self.seal(key_type, **context))
            self.assertEqual(self.opened(key_type, sealed, **context), b"message")
        second = self.seal("plain", **context)
        self.ok("restore/restored", {"backup": self.ok("backup/plain", method="GET")["backup"]})
        self.assertEqual(self.opened("restored", second, **context), b"message")

        self.use(MODULE)
        self.assertEqual(self.opened("plain", first["plain"], **context), b"message")
        lacks = ("key type aes256-gcm96 derived with hkdf_sha256 is not supported: the token cannot make HKDF keys "
                 "(PKCS#11 3.0 CKM_HKDF_KEY_GEN)")
        self.bad(lacks, "decrypt/plain", {"ciphertext": second, **context})
        self.ok("keys/plain/rotate")
        self.assertTrue(self.seal("plain", **context).startswith("vault:v3:"))

    def test_a_token_that_lists_it_and_does_not_do_it_is_refused_with_what_failed(self):
        self.use(STAND_IN, COFFER_TEST_STAND_IN="useless")
        self.bad("key type chacha20-poly1305 is not supported: the token makes ChaCha20 keys (PKCS#11 3.0 "
                 "CKM_CHACHA20_KEY_GEN), but does not keep and use them: C_EncryptInit: CKR_MECHANISM_INVALID (0x70)",
                 "keys/c", {"type": "chacha20-poly1305"})
        self.assertNotIn("coffer-chacha20-v1", self.masters())
        self.ok("keys/d", {"type": "aes256-gcm96", "derived": True})
        self.assertEqual(self.ok("keys/d", method="GET")["kdf"], "coffer-kdf-aesecb-1")

    def test_keys_are_imported(self):
        self.use(STAND_IN)
        body = {"ciphertext": self.wrapped(os.urandom(32)), "hash_function": "SHA1"}
        self.ok("keys/c/import", {"type": "chacha20-poly1305", **body})
        self.assertEqual(self.ok("keys/c", method="GET")["versions"]["1"]["master"], "import-chacha20-v1")
        self.assertEqual(self.opened("c", self.seal("c")), b"message")
        self.ok("keys/d/import", {"type": "aes256-gcm96", "derived": True, **body})
        context = {"context": b64(b"a context")}
        self.assertEqual(self.opened("d", self.seal("d", **context), **context), b"message")
        self.bad("cannot be imported", "keys/e/import", {"type": "ed25519", "derived": True, **body})
        self.bad("import cannot be used", "keys/e/import",
                 {"type": "aes256-gcm96", "derived": True, "convergent_encryption": True, **body})

    def wrapped(self, secret):
        ephemeral = os.urandom(32)
        with open(self.path("wrapping.pem"), "w") as out:
            out.write(self.ok("wrapping_key", method="GET")["public_key"])
        return b64(self.openssl(ephemeral, "pkeyutl", "-encrypt", "-pubin", "-inkey", self.path("wrapping.pem"),
                                "-pkeyopt", "rsa_padding_mode:oaep") +
                   self.openssl(secret, "enc", "-id-aes256-wrap-pad", "-K", ephemeral.hex(), "-iv", "a65959a6"))

    def openssl(self, octets, *words):
        return subprocess.run(["openssl", *words], input=octets, check=True, capture_output=True, timeout=60).stdout

    def test_the_doctor_says_what_the_token_does(self):
        self.use(STAND_IN)
        found = json.loads(self.good("hsm", "doctor", "-quick", "-format=json"))
        self.assertEqual((found["can_serve"], found["left_behind"]), (True, 0))
        findings = {(each["key_type"], each["operation"]): each for each in found["findings"]}
        for operation in ("create", "encrypt", "decrypt", "refuse a changed tag", "derive"):
            self.assertEqual(findings["chacha20-poly1305", operation]["way"], "wrapped", operation)
        self.assertEqual(findings["aes256-gcm96", "derive"]["note"], "hkdf_sha256")


run_tests()
