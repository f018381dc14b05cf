"""Published vectors through the HTTP API: the public half of every signature scheme.

Project Wycheproof's files are not part of this tree: COFFER_VECTORS names their folder, else it is
looked for beside the checkout. NIST's come with Debian's python3-cryptography-vectors.
"""

import base64
import collections
import contextlib
import json
import os
import pathlib
import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from hvac import exceptions

WYCHEPROOF = pathlib.Path(
    os.environ.get("COFFER_VECTORS")
    or pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "vectors" / "wycheproof")
NIST = pathlib.Path("/usr/lib/python3/dist-packages/cryptography_vectors/asymmetric")

HASHES = {"SHA-1": "sha1", "SHA-224": "sha2-224", "SHA-256": "sha2-256", "SHA-384": "sha2-384",
          "SHA-512": "sha2-512", "SHA3-224": "sha3-224", "SHA3-256": "sha3-256",
          "SHA3-384": "sha3-384", "SHA3-512": "sha3-512"}
CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384", "secp521r1": "ecdsa-p521"}


def b64(hexadecimal):
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def b64url(hexadecimal):
    return base64.urlsafe_b64encode(bytes.fromhex(hexadecimal)).decode().rstrip("=")


def plan(group):
    """(key type, verify parameters) of a Wycheproof group, or a reason why it does not apply."""
    kind = group["type"]
    if kind in ("EcdsaVerify", "EcdsaP1363Verify"):
        jws = kind == "EcdsaP1363Verify"
        return CURVES.get(group["publicKey"]["curve"]), {
            "hash_algorithm": HASHES[group["sha"]],
            "marshaling_algorithm": "jws" if jws else "asn1"}
    if kind == "EddsaVerify":
        return "ed25519", {}
    if group["sha"] not in HASHES:
        return f"no hash algorithm {group['sha']}", None
    if group["keySize"] not in (2048, 3072, 4096):
        return f"no RSA key of {group['keySize']} bits", None
    key_type = f"rsa-{group['keySize']}"
    if kind == "RsassaPkcs1Verify":
        return key_type, {"hash_algorithm": HASHES[group["sha"]],
                          "signature_algorithm": "pkcs1v15"}
    if group["mgfSha"] != group["sha"]:
        return "MGF1 uses the signature's hash", None
    if group["sLen"] == 0:
        return "salt_length 0 means auto", None
    return key_type, {"hash_algorithm": HASHES[group["sha"]], "salt_length": group["sLen"]}


class Verifier:
    def __init__(self, client, mount):
        self.client, self.mount, self.keys = client, mount, 0
        self.counts = collections.Counter()
        self.wrong = []

    def import_key(self, pem, key_type):
        """None where the key is refused, as an RSA key with a small exponent must be."""
        self.keys += 1
        name = f"k{self.keys}"
        public = serialization.load_pem_public_key(pem.encode())
        small = isinstance(public, rsa.RSAPublicKey) and public.public_numbers().e < 65537
        refused = (pytest.raises(exceptions.InvalidRequest, match="exponent below 65537") if small
                   else contextlib.nullcontext())
        with refused:
            self.client.write_data(f"{self.mount}/keys/{name}/import",
                                   data={"type": key_type, "public_key": pem})
        return None if small else name

    def check(self, where, key, parameters, tests):
        """`tests`: (id, message, signature, result), all of one key, in one batch."""
        if key is None:
            self.counts["not applicable, an RSA exponent below 65537"] += len(tests)
            return
        encode = b64url if parameters.get("marshaling_algorithm") == "jws" else b64
        items = [{"input": b64(message), "signature": f"vault:v1:{encode(signature)}"}
                 for _, message, signature, _ in tests]
        answer = self.client.write_data(f"{self.mount}/verify/{key}",
                                        data={**parameters, "batch_input": items})
        for (number, _, _, result), item in zip(tests, answer["data"]["batch_results"]):
            self.counts["checked"] += 1
            if result != "acceptable" and item["valid"] != (result == "valid"):
                self.wrong.append(f"{where} {number}: {result}, answered {item}")

    def report(self, capsys, least):
        with capsys.disabled():
            print()
            for what, count in sorted(self.counts.items()):
                print(f"  {what}: {count}")
        assert not self.wrong, "\n".join(self.wrong[:20])
        assert self.counts["checked"] > least


@pytest.fixture
def verifier(client, mount):
    return Verifier(client, mount)


def test_wycheproofs_signatures_verify_as_it_says(verifier, capsys):
    if not WYCHEPROOF.is_dir():
        pytest.skip("no vectors: COFFER_VECTORS names no folder of Project Wycheproof's")
    for path in sorted(WYCHEPROOF.glob("*_test.json")):
        content = json.loads(path.read_text())
        if content["testGroups"][0]["type"] not in (
                "EcdsaVerify", "EcdsaP1363Verify", "EddsaVerify", "RsassaPkcs1Verify",
                "RsassaPssVerify"):
            continue  # secret keys: tests/keyring/known_answer_test.cc
        for group in content["testGroups"]:
            key_type, parameters = plan(group)
            if parameters is None:
                verifier.counts[f"not applicable, {key_type}"] += len(group["tests"])
                continue
            key = verifier.import_key(group["publicKeyPem"], key_type)
            verifier.check(path.name, key, parameters,
                           [(t["tcId"], t["msg"], t["sig"], t["result"]) for t in group["tests"]])
    verifier.report(capsys, least=5000)


def nist_sections(path):
    """(section's text, its tests as dictionaries) of one of NIST's .rsp files."""
    section, tests, test = None, [], {}
    for line in path.read_text().splitlines() + ["[end]"]:
        line = line.strip()
        if line.startswith("["):
            if test:
                tests.append(test)
            if section is not None and tests:
                yield section, tests
            section, tests, test = line.strip("[] "), [], {}
        elif not line and test:
            tests.append(test)
            test = {}
        elif "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            test[name.strip()] = value.strip()


def test_nists_ecdsa_signatures_verify_as_it_says(verifier, capsys):
    path = NIST / "ECDSA" / "FIPS_186-3" / "SigVer.rsp"
    curves = {"P-256": (ec.SECP256R1(), "ecdsa-p256"), "P-384": (ec.SECP384R1(), "ecdsa-p384"),
              "P-521": (ec.SECP521R1(), "ecdsa-p521")}
    for section, tests in nist_sections(path):
        curve, _, digest = section.partition(",")
        if curve not in curves:
            verifier.counts[f"not applicable, curve {curve}"] += len(tests)
            continue
        for test in tests:
            try:
                numbers = ec.EllipticCurvePublicNumbers(int(test["Qx"], 16), int(test["Qy"], 16),
                                                        curves[curve][0])
                pem = numbers.public_key().public_bytes(
                    serialization.Encoding.PEM,
                    serialization.PublicFormat.SubjectPublicKeyInfo).decode()
            except ValueError:
                verifier.counts["not applicable, the key is not on its curve"] += 1
                continue
            signature = utils.encode_dss_signature(int(test["R"], 16), int(test["S"], 16)).hex()
            key = verifier.import_key(pem, curves[curve][1])
            verifier.check(section, key, {"hash_algorithm": HASHES[digest.strip()]},
                           [(test["Msg"][:8], test["Msg"], signature,
                             "valid" if test["Result"].startswith("P") else "invalid")])
    verifier.report(capsys, least=100)


@pytest.mark.parametrize("file,padding", [("SigVer15_186-3.rsp", "pkcs1v15"),
                                          ("SigVerPSS_186-3.rsp", "pss")])
def test_nists_rsa_signatures_verify_as_it_says(verifier, capsys, file, padding):
    path = NIST / "RSA" / "FIPS_186-2" / file
    modulus = bits = None
    keys = {}
    for section, tests in nist_sections(path):
        bits = int(match[1]) if (match := re.search(r"mod = (\d+)", section)) else bits
        for test in tests:
            modulus = test.get("n", modulus)
            if "S" not in test:
                continue
            if bits not in (2048, 3072, 4096):
                verifier.counts[f"not applicable, no RSA key of {bits} bits"] += 1
                continue
            hash_name = HASHES["SHA-" + test["SHAAlg"][3:]]
            identity = (modulus, test["e"])
            if identity not in keys:
                numbers = rsa.RSAPublicNumbers(int(test["e"], 16), int(modulus, 16))
                pem = numbers.public_key().public_bytes(
                    serialization.Encoding.PEM,
                    serialization.PublicFormat.SubjectPublicKeyInfo).decode()
                keys[identity] = verifier.import_key(pem, f"rsa-{bits}")
            parameters = {"hash_algorithm": hash_name, "signature_algorithm": padding}
            salt = test.get("SaltVal", "")
            if padding == "pss" and len(salt) > 2:
                parameters["salt_length"] = len(salt) // 2
            verifier.check(section, keys[identity], parameters,
                           [(test["Msg"][:8], test["Msg"], test["S"],
                             "valid" if test["Result"].startswith("P") else "invalid")])
    verifier.report(capsys, least=20)
