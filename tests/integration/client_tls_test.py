#!/usr/bin/env python3
"""The client's TLS flags and variables, each once, against a server that asks for certificates. usage: client_tls_test.py COFFER"""
import json
import os
import subprocess

from console_case import Case
from program import run_tests


class ClientTlsTest(Case):
    def setUp(self):
        super().setUp()
        for name, subject in (("server", "keys.example"), ("client", "somebody")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                            "-subj", "/CN=" + subject, "-addext", f"subjectAltName=DNS:{subject}", "-keyout", self.path(name + ".key"),
                            "-out", self.path(name + ".pem")], check=True, capture_output=True, timeout=60)
        self.configure(more=f"""listener "tcp" {{
            address = "127.0.0.1:0"
            tls_cert_file = "{self.path('server.pem')}"
            tls_key_file = "{self.path('server.key')}"
            tls_client_certificates = "required"
            tls_client_ca_file = "{self.path('client.pem')}"
          }}""")
        self.good("hsm", "init")
        _, address = self.start()
        self.assertTrue(address.startswith("https://"))
        self.words = {"address": address, "ca-cert": self.path("server.pem"), "tls-server-name": "keys.example",
                      "client-cert": self.path("client.pem"), "client-key": self.path("client.key")}

    def status(self, *more, without=(), **env):
        flags = [f"-{name}={value}" for name, value in self.words.items() if name not in without]
        code, out, error = self.run_coffer("status", "-format=json", *flags, *more, **env)
        return code, json.loads(out)["sealed"] if out else None, error

    def refused_status(self, sentence, *more, without=()):
        code, out, error = self.status(*more, without=without)
        self.assertEqual((code, out), (1, None), error)
        self.assertIn(sentence, error)

    def test_flags_reach_the_server(self):
        self.assertEqual(self.status(), (0, False, ""))
        # The same for a shell, with curl.
        code, line, error = self.run_coffer("status", "-output-curl-string", *[f"-{n}={v}" for n, v in self.words.items()])
        self.assertEqual(code, 0, error)
        done = subprocess.run(["bash", "-c", line.strip() + " -s"], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "VAULT_TOKEN": ""})
        self.assertIn('"sealed":false', done.stdout, done.stderr)

    def test_variables_do_too_and_coffers_go_before_vaults(self):
        env = {"VAULT_ADDR": self.words["address"], "VAULT_CACERT": "/nowhere", "COFFER_CACERT": self.words["ca-cert"],
               "VAULT_TLS_SERVER_NAME": "keys.example", "VAULT_CLIENT_CERT": self.words["client-cert"],
               "COFFER_CLIENT_KEY": self.words["client-key"]}
        self.assertIn('"sealed": false', self.good("status", "-format=json", **env))
        del env["COFFER_CACERT"], env["VAULT_CACERT"]
        self.assertIn('"sealed": false', self.good("status", "-format=json", VAULT_SKIP_VERIFY="true", **env))

    def test_a_directory_of_authorities_is_trusted(self):
        os.mkdir(self.path("authorities"))
        os.rename(self.path("server.pem"), self.path("authorities/server.pem"))
        subprocess.run(["openssl", "rehash", self.path("authorities")], check=True, timeout=60)
        self.assertEqual(self.status("-ca-path=" + self.path("authorities"), without=["ca-cert"]), (0, False, ""))

    def test_what_is_wrong_is_said(self):
        self.refused_status("self-signed certificate", without=["ca-cert"])
        self.refused_status("127.0.0.1", without=["tls-server-name"])
        self.refused_status("keys.elsewhere", "-tls-server-name=keys.elsewhere")
        self.refused_status("/nowhere.pem", "-ca-cert=/nowhere.pem")
        self.refused_status("/nowhere.pem", "-client-cert=/nowhere.pem")
        self.refused_status("certificate required", without=["client-cert", "client-key"])
        self.assertEqual(self.status("-tls-skip-verify", without=["ca-cert", "tls-server-name"]), (0, False, ""))


run_tests()
