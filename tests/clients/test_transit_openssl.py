"""What Coffer makes OpenSSL verifies and opens, and back, for every type and option.

OpenSSL is reached through pyca/cryptography, which shares no code with the server.
"""

import base64
import os

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from hvac import exceptions

MESSAGE = b"what is signed"
HASHES = {"sha1": hashes.SHA1(), "sha2-224": hashes.SHA224(), "sha2-256": hashes.SHA256(),
          "sha2-384": hashes.SHA384(), "sha2-512": hashes.SHA512(), "sha3-224": hashes.SHA3_224(),
          "sha3-256": hashes.SHA3_256(), "sha3-384": hashes.SHA3_384(),
          "sha3-512": hashes.SHA3_512()}
CURVES = {"ecdsa-p256": ec.SECP256R1(), "ecdsa-p384": ec.SECP384R1(), "ecdsa-p521": ec.SECP521R1()}
RSA = ["rsa-2048", "rsa-3072", "rsa-4096"]


def b64(octets):
    return base64.b64encode(octets).decode()


def payload(text, urlsafe=False):
    text = text.split(":", 2)[2]
    if urlsafe:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return base64.b64decode(text)


def public_pem(private):
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def call(client, mount):
    def write(path, **data):
        answer = client.write_data(f"{mount}/{path}", data=data)
        return answer["data"] if isinstance(answer, dict) else None  # 204: no body
    return write


@pytest.fixture
def public_key(client, mount, call):
    def make(key_type):
        call("keys/k", type=key_type)
        pem = client.read(f"{mount}/keys/k")["data"]["keys"]["1"]["public_key"]
        return serialization.load_pem_public_key(pem.encode())
    return make


@pytest.mark.parametrize("key_type", CURVES)
def test_openssl_verifies_ecdsa(key_type, public_key, call):
    key = public_key(key_type)
    width = (key.curve.key_size + 7) // 8
    for name, algorithm in HASHES.items():
        der = payload(call(f"sign/k/{name}", input=b64(MESSAGE))["signature"])
        key.verify(der, MESSAGE, ec.ECDSA(algorithm))
        fixed = payload(call("sign/k", input=b64(MESSAGE), hash_algorithm=name,
                             marshaling_algorithm="jws")["signature"], urlsafe=True)
        assert len(fixed) == 2 * width
        der = utils.encode_dss_signature(int.from_bytes(fixed[:width], "big"),
                                         int.from_bytes(fixed[width:], "big"))
        key.verify(der, MESSAGE, ec.ECDSA(algorithm))
        digest = hashes.Hash(algorithm)
        digest.update(MESSAGE)
        der = payload(call(f"sign/k/{name}", input=b64(digest.finalize()),
                           prehashed=True)["signature"])
        key.verify(der, MESSAGE, ec.ECDSA(algorithm))


@pytest.mark.parametrize("key_type", CURVES)
def test_coffer_verifies_openssls_ecdsa(key_type, call):
    private = ec.generate_private_key(CURVES[key_type])
    call("keys/k/import", type=key_type, public_key=public_pem(private))
    for name, algorithm in HASHES.items():
        signature = f"vault:v1:{b64(private.sign(MESSAGE, ec.ECDSA(algorithm)))}"
        assert call(f"verify/k/{name}", input=b64(MESSAGE), signature=signature)["valid"]
        assert not call(f"verify/k/{name}", input=b64(b"else"), signature=signature)["valid"]


def salts(key_size, algorithm):
    most = key_size // 8 - 2 - algorithm.digest_size
    return {"auto": most, "hash": algorithm.digest_size, "7": 7, str(most): most}


@pytest.mark.parametrize("key_type", RSA)
def test_openssl_verifies_rsa(key_type, public_key, call):
    key = public_key(key_type)
    for name, algorithm in HASHES.items():
        for text, octets in salts(key.key_size, algorithm).items():
            made = payload(call(f"sign/k/{name}", input=b64(MESSAGE),
                                salt_length=text)["signature"])
            key.verify(made, MESSAGE, padding.PSS(padding.MGF1(algorithm), octets), algorithm)
        made = payload(call(f"sign/k/{name}", input=b64(MESSAGE),
                            signature_algorithm="pkcs1v15")["signature"])
        key.verify(made, MESSAGE, padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize("key_type", RSA)
def test_coffer_verifies_and_encrypts_for_openssls_rsa(key_type, call):
    private = rsa.generate_private_key(65537, int(key_type[4:]))
    call("keys/k/import", type=key_type, public_key=public_pem(private))
    for name, algorithm in HASHES.items():
        for text, octets in salts(private.key_size, algorithm).items():
            made = private.sign(MESSAGE, padding.PSS(padding.MGF1(algorithm), octets), algorithm)
            asked = {"input": b64(MESSAGE), "signature": f"vault:v1:{b64(made)}"}
            assert call(f"verify/k/{name}", salt_length=text, **asked)["valid"]
            assert call(f"verify/k/{name}", **asked)["valid"]
            wrong = "8" if text != "8" else "9"
            assert not call(f"verify/k/{name}", salt_length=wrong, **asked)["valid"]
        made = private.sign(MESSAGE, padding.PKCS1v15(), algorithm)
        assert call(f"verify/k/{name}", input=b64(MESSAGE), signature_algorithm="pkcs1v15",
                    signature=f"vault:v1:{b64(made)}")["valid"]
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    for size in (0, 1, private.key_size // 8 - 66):
        message = os.urandom(size)
        sealed = payload(call("encrypt/k", plaintext=b64(message))["ciphertext"])
        assert private.decrypt(sealed, oaep) == message


@pytest.mark.parametrize("key_type", RSA)
def test_coffer_opens_what_openssl_encrypted(key_type, public_key, call):
    key = public_key(key_type)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    for size in (0, 1, key.key_size // 8 - 66):
        message = os.urandom(size)
        sealed = f"vault:v1:{b64(key.encrypt(message, oaep))}"
        assert call("decrypt/k", ciphertext=sealed)["plaintext"] == b64(message)


def test_ed25519_goes_both_ways(client, mount, call):
    call("keys/k", type="ed25519")
    raw = base64.b64decode(client.read(f"{mount}/keys/k")["data"]["keys"]["1"]["public_key"])
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    for size in (0, 1, 1000):
        message = os.urandom(size)
        key.verify(payload(call("sign/k", input=b64(message))["signature"]), message)
    private = ed25519.Ed25519PrivateKey.generate()
    call("keys/p/import", type="ed25519", public_key=public_pem(private))
    signature = f"vault:v1:{b64(private.sign(MESSAGE))}"
    assert call("verify/p", input=b64(MESSAGE), signature=signature)["valid"]
    assert not call("verify/p", input=b64(b"else"), signature=signature)["valid"]


def wrapped(client, mount, key_octets):
    """A key as `import` wants it: OAEP with SHA-256 around an AES key, RFC 5649 around the key."""
    answer = client.read(f"{mount}/wrapping_key")["data"]
    assert "SHA256" in answer["supported_hash_functions"] and answer["imported_through"] == "process"
    wrapping = serialization.load_pem_public_key(answer["public_key"].encode())
    ephemeral = os.urandom(32)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return b64(wrapping.encrypt(ephemeral, oaep) +
               keywrap.aes_key_wrap_with_padding(ephemeral, key_octets))


def pkcs8(private):
    return private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption())


@pytest.mark.parametrize("key_type", [*CURVES, "rsa-2048"])
def test_imported_pairs_sign_for_their_own_public_key(key_type, client, mount, call):
    private = (ec.generate_private_key(CURVES[key_type]) if key_type in CURVES
               else rsa.generate_private_key(65537, 2048))
    call("keys/k/import", type=key_type,
         ciphertext=wrapped(client, mount, pkcs8(private)))
    document = client.read(f"{mount}/keys/k")["data"]
    assert document["imported_key"]
    assert document["keys"]["1"]["public_key"] == public_pem(private)
    made = payload(call("sign/k", input=b64(MESSAGE), signature_algorithm="pkcs1v15")["signature"])
    if key_type in CURVES:
        private.public_key().verify(made, MESSAGE, ec.ECDSA(hashes.SHA256()))
    else:
        private.public_key().verify(made, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def test_imported_secrets_are_the_ones_that_were_sent(client, mount, call):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    secret = os.urandom(32)
    call("keys/a/import", type="aes256-gcm96",
         ciphertext=wrapped(client, mount, secret))
    sealed = payload(call("encrypt/a", plaintext=b64(MESSAGE))["ciphertext"])
    assert AESGCM(secret).decrypt(sealed[:12], sealed[12:], b"") == MESSAGE
    long_secret = os.urandom(96)
    call("keys/h/import", type="hmac",
         ciphertext=wrapped(client, mount, long_secret))
    expected = hmac.HMAC(long_secret, hashes.SHA512())
    expected.update(MESSAGE)
    assert payload(call("hmac/h/sha2-512", input=b64(MESSAGE))["hmac"]) == expected.finalize()


def test_imports_fail_in_one_way_and_leave_nothing(client, mount, call):
    good = base64.b64decode(wrapped(client, mount, os.urandom(32)))
    for at in (0, 300, 511, 512, 530, len(good) - 1):
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(exceptions.InvalidRequest,
                           match="failed to import the key: it cannot be unwrapped"):
            call("keys/k/import", type="aes256-gcm96",
                 ciphertext=b64(bytes(bad)))
    for changes, text in [
            ({"hash_function": "SHA1"}, "failed to import the key: it cannot be unwrapped"),
            ({"hash_function": "MD5"}, "unknown hash function: MD5"),
            ({"derived": True}, "derived keys cannot be imported"),
            ({"type": "aes128-gcm96"}, "invalid key size 32 bytes for key type aes128-gcm96"),
            ({"type": "ed25519"}, "key type ed25519 cannot be imported"),
            ({"ciphertext": b64(good[:520])}, "provided ciphertext is too short")]:
        with pytest.raises(exceptions.InvalidRequest, match=text):
            call("keys/k/import", **{"type": "aes256-gcm96", "ciphertext": b64(good), **changes})
    with pytest.raises(exceptions.InvalidPath):
        client.secrets.transit.read_key("k", mount_point=mount)


def test_an_imported_key_is_rotated_only_where_that_was_allowed(client, mount, call):
    call("keys/fixed/import", type="aes256-gcm96",
         ciphertext=wrapped(client, mount, os.urandom(32)))
    with pytest.raises(exceptions.InvalidRequest, match="imported key fixed does not allow"):
        call("keys/fixed/rotate")
    call("keys/fixed/import_version", ciphertext=wrapped(client, mount, os.urandom(32)))
    assert client.read(f"{mount}/keys/fixed")["data"]["latest_version"] == 2
    call("keys/free/import", type="aes256-gcm96", allow_rotation=True,
         ciphertext=wrapped(client, mount, os.urandom(32)))
    assert call("keys/free/rotate")["imported_key"] is False


def test_a_public_key_alone_neither_signs_nor_decrypts(call):
    private = rsa.generate_private_key(65537, 2048)
    call("keys/k/import", type="rsa-2048", public_key=public_pem(private))
    with pytest.raises(exceptions.InvalidRequest, match="does not contain a private part"):
        call("sign/k", input=b64(MESSAGE))
    sealed = call("encrypt/k", plaintext=b64(b"x"))["ciphertext"]
    with pytest.raises(exceptions.InvalidRequest, match="does not have a private counterpart"):
        call("decrypt/k", ciphertext=sealed)
    with pytest.raises(InvalidSignature):
        private.public_key().verify(b"", MESSAGE, padding.PKCS1v15(), hashes.SHA256())
