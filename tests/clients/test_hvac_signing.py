"""hvac's signing, HMAC, export and derived-key calls, unmodified."""

import inspect
import pathlib
import re

import pytest
from hvac import exceptions
from hvac.api.secrets_engines import Transit

HELLO = "aGVsbG8="
OTHER = "b3RoZXI="
SIGNING = ["rsa-2048", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519"]


def test_every_method_of_hvacs_transit_class_is_called_in_these_tests():
    methods = {name for name, _ in inspect.getmembers(Transit, inspect.isfunction)
               if not name.startswith("_")}
    text = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    called = set(re.findall(r"transit\.(\w+)\(", text))
    assert methods
    assert methods <= called


@pytest.mark.parametrize("key_type", SIGNING)
def test_what_is_signed_verifies_and_nothing_else(transit, key_type):
    transit.create_key("s", key_type=key_type)
    signature = transit.sign_data("s", hash_input=HELLO)["data"]["signature"]
    assert transit.verify_signed_data("s", hash_input=HELLO, signature=signature)["data"]["valid"]
    assert not transit.verify_signed_data("s", hash_input=OTHER,
                                          signature=signature)["data"]["valid"]


@pytest.mark.parametrize("marshaling", ["asn1", "jws"])
def test_signing_options_go_through(transit, marshaling):
    transit.create_key("s", key_type="ecdsa-p256")
    options = {"hash_algorithm": "sha2-512", "marshaling_algorithm": marshaling}
    signature = transit.sign_data("s", hash_input=HELLO, **options)["data"]["signature"]
    assert transit.verify_signed_data("s", hash_input=HELLO, signature=signature,
                                      **options)["data"]["valid"]
    transit.create_key("r", key_type="rsa-2048")
    options = {"signature_algorithm": "pkcs1v15", "hash_algorithm": "sha2-384"}
    signature = transit.sign_data("r", hash_input=HELLO, **options)["data"]["signature"]
    assert transit.verify_signed_data("r", hash_input=HELLO, signature=signature,
                                      **options)["data"]["valid"]


def test_signatures_follow_the_versions_rules(transit):
    transit.create_key("s", key_type="ecdsa-p256")
    old = transit.sign_data("s", hash_input=HELLO)["data"]["signature"]
    transit.rotate_key("s")
    assert transit.sign_data("s", hash_input=HELLO)["data"]["key_version"] == 2
    assert transit.sign_data("s", hash_input=HELLO, key_version=1)["data"]["key_version"] == 1
    transit.update_key_configuration("s", min_decryption_version=2)
    with pytest.raises(exceptions.InvalidRequest, match="disallowed by policy"):
        transit.verify_signed_data("s", hash_input=HELLO, signature=old)


@pytest.mark.parametrize("key_type", ["aes256-gcm96", "ecdsa-p256", "ed25519", "rsa-2048"])
def test_every_key_makes_hmacs(transit, key_type):
    transit.create_key("h", key_type=key_type)
    for algorithm in ("sha2-224", "sha2-256", "sha2-384", "sha2-512"):
        mac = transit.generate_hmac("h", hash_input=HELLO, algorithm=algorithm)["data"]["hmac"]
        assert transit.verify_signed_data("h", hash_input=HELLO, hmac=mac,
                                          hash_algorithm=algorithm)["data"]["valid"]
        assert not transit.verify_signed_data("h", hash_input=OTHER, hmac=mac,
                                              hash_algorithm=algorithm)["data"]["valid"]


def test_public_keys_are_exported_and_private_ones_are_not(transit, client, mount):
    transit.create_key("s", key_type="ecdsa-p256")
    transit.rotate_key("s")
    exported = client.read(f"{mount}/export/public-key/s")["data"]
    assert sorted(exported["keys"]) == ["1", "2"]
    assert exported["keys"]["1"].startswith("-----BEGIN PUBLIC KEY-----")
    assert list(client.read(f"{mount}/export/public-key/s/latest")["data"]["keys"]) == ["2"]
    for key_type, why in (("signing-key", "not exportable"), ("hmac-key", "not exportable"),
                          ("encryption-key", "encryption not supported for the key")):
        with pytest.raises(exceptions.InvalidRequest, match=why):
            transit.export_key("s", key_type=key_type)


def test_derived_keys_need_their_context(transit):
    transit.create_key("d", derived=True, convergent_encryption=True)
    first = transit.encrypt_data("d", HELLO, context=OTHER)["data"]["ciphertext"]
    assert transit.encrypt_data("d", HELLO, context=OTHER)["data"]["ciphertext"] == first
    assert transit.decrypt_data("d", first, context=OTHER)["data"]["plaintext"] == HELLO
    with pytest.raises(exceptions.InvalidRequest, match="missing 'context' for key derivation"):
        transit.encrypt_data("d", HELLO)
    moved = transit.rewrap_data("d", first, context=OTHER)["data"]["ciphertext"]
    assert moved == first
    key = transit.generate_data_key("d", key_type="plaintext", context=OTHER)["data"]
    assert transit.decrypt_data("d", key["ciphertext"],
                                context=OTHER)["data"]["plaintext"] == key["plaintext"]


def test_rsa_keys_encrypt(transit):
    transit.create_key("r", key_type="rsa-2048")
    sealed = transit.encrypt_data("r", HELLO)["data"]["ciphertext"]
    assert transit.decrypt_data("r", sealed)["data"]["plaintext"] == HELLO
