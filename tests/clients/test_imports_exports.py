"""Keys that come from elsewhere and keys that leave: with the bodies that the vault and bao command lines send, hvac's
requests, and OpenSSL on the other side."""

import base64
import datetime
import os

import pytest
from coffer_server import CofferServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from hvac import Client, exceptions

MESSAGE = b"the message"


def b64(octets):
    return base64.b64encode(octets).decode()


def payload(text):
    return base64.b64decode(text.split(":", 2)[2])


def oaep(hash_type):
    return padding.OAEP(padding.MGF1(hash_type()), hash_type(), None)


def pkcs8(private):
    return private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def pem_of(public):
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


class Mount:
    """Requests to one mount, as `Logical().Read` and `.Write` of the command lines' library make them."""

    def __init__(self, client, path):
        self.client, self.path = client, path

    def read(self, path):
        return self.client.read(f"{self.path}/{path}")["data"]

    def write(self, path, **body):
        answer = self.client.write_data(f"{self.path}/{path}", data=body)
        return answer["data"] if isinstance(answer, dict) else None

    def import_as_the_command_lines_do(self, name, key, operation="import", hash_type=hashes.SHA256, **options):
        """`transit import PATH KEY [K=V ...]`: the options as they are given, all of them text, and the ciphertext."""
        wrapping = serialization.load_pem_public_key(self.read("wrapping_key")["public_key"].encode())
        ephemeral = os.urandom(32)
        body = {**options, "ciphertext": b64(wrapping.encrypt(ephemeral, oaep(hash_type)) +
                                             keywrap.aes_key_wrap_with_padding(ephemeral, key))}
        self.write(f"keys/{name}/{operation}", **body)


PATIENCE = 120  # seconds for a server that makes a wrapping key while other work runs; nothing is measured by it


@pytest.fixture
def team(server, mount):
    return Mount(Client(url=server.url, token="root", timeout=PATIENCE), mount)


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server that leaves imports to the token and allows exports."""
    running = CofferServer(tmp_path_factory.mktemp("strict"), "-dev-import-oaep=token", "-dev-key-export")
    assert not any("imports:" in line for line in running.output)
    yield Mount(Client(url=running.url, token="root", timeout=PATIENCE), "transit")
    assert running.stop() == 0


def test_the_server_says_where_it_opens_imports(server, client, team):
    assert any(line.startswith("imports: RSA-OAEP is undone in this process") for line in server.output)
    assert client.sys.read_health_status(method="GET")["imported_through"] == "process"
    assert team.read("wrapping_key")["imported_through"] == "process"


@pytest.mark.parametrize("bits", [128, 256])
def test_the_command_lines_import_aes_keys(bits, team):
    first, second = os.urandom(bits // 8), os.urandom(bits // 8)
    team.import_as_the_command_lines_do("k", first, type=f"aes{bits}-gcm96", allow_rotation="true")
    team.import_as_the_command_lines_do("k", second, "import_version")
    for version, secret in ((1, first), (2, second)):
        sealed = payload(team.write("encrypt/k", plaintext=b64(MESSAGE), key_version=version)["ciphertext"])
        assert AESGCM(secret).decrypt(sealed[:12], sealed[12:], b"") == MESSAGE
    document = team.read("keys/k")
    assert document["imported_key"] and document["versions"]["2"]["imported_through"] == "process"


@pytest.mark.parametrize("size", [32, 40, 64, 200])
def test_the_command_lines_import_hmac_keys(size, team):
    secret = os.urandom(size)
    team.import_as_the_command_lines_do("k", secret, type="hmac")
    expected = hmac.HMAC(secret, hashes.SHA256())
    expected.update(MESSAGE)
    assert payload(team.write("hmac/k", input=b64(MESSAGE))["hmac"]) == expected.finalize()
    assert team.read("keys/k")["key_size"] == size


def test_the_size_of_an_hmac_key_is_the_stored_one(team):
    secret = os.urandom(35)
    team.import_as_the_command_lines_do("k", secret, type="hmac")
    expected = hmac.HMAC(secret, hashes.SHA256())
    expected.update(MESSAGE)
    assert payload(team.write("hmac/k", input=b64(MESSAGE))["hmac"]) == expected.finalize()
    assert team.read("keys/k")["key_size"] == 40


@pytest.mark.parametrize("key_type, curve", [("ecdsa-p256", ec.SECP256R1()), ("ecdsa-p384", ec.SECP384R1()),
                                             ("ecdsa-p521", ec.SECP521R1())])
def test_the_command_lines_import_ec_keys(key_type, curve, team):
    private = ec.generate_private_key(curve)
    team.import_as_the_command_lines_do("k", pkcs8(private), type=key_type)
    made = payload(team.write("sign/k", input=b64(MESSAGE))["signature"])
    private.public_key().verify(made, MESSAGE, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("bits", [2048, 3072])
def test_the_command_lines_import_rsa_keys(bits, team):
    private = rsa.generate_private_key(65537, bits)
    team.import_as_the_command_lines_do("k", pkcs8(private), type=f"rsa-{bits}")
    made = payload(team.write("sign/k", input=b64(MESSAGE), signature_algorithm="pkcs1v15")["signature"])
    private.public_key().verify(made, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("key_type, size", [("aes128-gcm96", 9), ("aes128-gcm96", 15), ("aes256-gcm96", 25),
                                            ("aes256-gcm96", 31), ("aes192-cmac", 23), ("hmac", 31), ("hmac", 65)])
def test_a_key_of_another_length_is_refused_and_not_padded(key_type, size, team):
    with pytest.raises(exceptions.InvalidRequest, match="the token does not use it as a key of type " + key_type):
        team.import_as_the_command_lines_do("k", os.urandom(size), type=key_type)
    assert team.client.read(f"{team.path}/keys/k") is None


def test_a_destroyed_wrapping_key_opens_nothing(team):
    before = team.read("wrapping_key")["public_key"]
    wrapping = serialization.load_pem_public_key(before.encode())
    ephemeral = os.urandom(32)
    recorded = b64(wrapping.encrypt(ephemeral, oaep(hashes.SHA256)) +
                   keywrap.aes_key_wrap_with_padding(ephemeral, os.urandom(32)))
    team.client.delete(f"{team.path}/wrapping_key")
    with pytest.raises(exceptions.InvalidRequest, match="it cannot be unwrapped"):
        team.write("keys/k/import", ciphertext=recorded)
    assert team.read("wrapping_key")["public_key"] != before


def test_a_token_that_opens_imports_itself_names_its_hashes(strict):
    assert strict.read("wrapping_key") | {"public_key": ""} == {
        "public_key": "", "supported_hash_functions": ["SHA1"], "imported_through": "token"}
    with pytest.raises(exceptions.InvalidRequest, match="hash function SHA256 is not supported by the token: use one of SHA1"):
        strict.import_as_the_command_lines_do("sha256", os.urandom(32))
    strict.import_as_the_command_lines_do("sha1", os.urandom(32), hash_type=hashes.SHA1, hash_function="SHA1")
    assert strict.read("keys/sha1")["versions"]["1"]["imported_through"] == "token"


# Exports


def test_an_exportable_key_leaves_wrapped_for_the_destination_only(strict):
    holder = rsa.generate_private_key(65537, 4096)
    strict.write("keys/holder/import", type="rsa-4096", public_key=pem_of(holder.public_key()))
    strict.write("keys/leaves", type="aes256-gcm96", exportable=True)
    assert strict.read("keys/leaves")["exportable"]
    strict.write("keys/leaves/rotate")
    exported = strict.read("byok-export/holder/leaves?hash=SHA1")
    assert exported["name"] == "leaves" and set(exported["keys"]) == {"1", "2"}
    assert set(strict.read("byok-export/holder/leaves/latest?hash=SHA1")["keys"]) == {"2"}
    blob = base64.b64decode(exported["keys"]["2"])
    ephemeral = holder.decrypt(blob[:512], oaep(hashes.SHA1))
    secret = keywrap.aes_key_unwrap_with_padding(ephemeral, blob[512:])
    sealed = payload(strict.write("encrypt/leaves", plaintext=b64(MESSAGE))["ciphertext"])
    assert AESGCM(secret).decrypt(sealed[:12], sealed[12:], b"") == MESSAGE
    for kind in ("encryption-key", "hmac-key"):
        with pytest.raises(exceptions.InvalidRequest, match="private key material is not exportable"):
            strict.read(f"export/{kind}/leaves")


@pytest.mark.parametrize("key_type", ["rsa-2048", "ecdsa-p384"])
def test_an_exported_pair_is_the_pair(key_type, strict):
    holder = rsa.generate_private_key(65537, 2048)
    strict.write(f"keys/holder-{key_type}/import", type="rsa-2048", public_key=pem_of(holder.public_key()))
    strict.write(f"keys/{key_type}", type=key_type, exportable=True)
    blob = base64.b64decode(strict.read(f"byok-export/holder-{key_type}/{key_type}?hash=SHA1")["keys"]["1"])
    ephemeral = holder.decrypt(blob[:256], oaep(hashes.SHA1))
    der = keywrap.aes_key_unwrap_with_padding(ephemeral, blob[256:])
    head = 2 if der[1] < 0x80 else 2 + der[1] - 0x80
    size = head + (der[1] if head == 2 else int.from_bytes(der[2:head], "big"))
    assert len(der) - size < 8 and not any(der[size:]), "SoftHSM fills a wrapped pair up with zeros"
    private = serialization.load_der_private_key(der[:size], None)
    assert pem_of(private.public_key()) == strict.read(f"keys/{key_type}")["keys"]["1"]["public_key"]


def test_what_is_not_exportable_is_refused_in_words(strict, team):
    strict.write("keys/target", type="rsa-2048")
    strict.write("keys/stays")
    strict.write("keys/goes", exportable=True)
    for path, text in (("byok-export/target/stays", "key is not exportable"),
                       ("byok-export/target/none", "no such source key for export"),
                       ("byok-export/none/goes", "no such destination key to export to"),
                       ("byok-export/stays/goes", "it must be an RSA key"),
                       ("byok-export/target/goes", "hash function SHA256 is not supported by the token: use one of SHA1"),
                       ("byok-export/target/goes?hash=MD5", "unknown hash function: MD5"),
                       ("byok-export/target/goes/7", "version does not exist or cannot be found")):
        with pytest.raises(exceptions.InvalidRequest, match=text):
            strict.read(path)
    for body, text in (({"derived": True}, "a key that derives others cannot be exportable"),
                       ({"type": "ed25519"}, "keys of type ed25519 cannot be exportable")):
        with pytest.raises(exceptions.InvalidRequest, match=text):
            strict.write("keys/never", exportable=True, **body)
    with pytest.raises(exceptions.InvalidRequest, match="a key that was imported cannot be exportable"):
        strict.import_as_the_command_lines_do("never", os.urandom(32), hash_type=hashes.SHA1, hash_function="SHA1",
                                              exportable="true")
    with pytest.raises(exceptions.InvalidRequest, match="key was created without exportable"):
        strict.write("keys/stays/config", exportable=True)
    strict.write("keys/goes/config", exportable=True)
    with pytest.raises(exceptions.InvalidRequest, match="exporting keys is disabled on this server"):
        team.write("keys/k", exportable=True)


# Certificates and key agreement


def certificate(subject, issuer, public, signer, authority):
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    now = datetime.datetime(2026, 1, 1)
    made = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public)
            .serial_number(x509.random_serial_number()).not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(signer, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_certificates_are_kept_with_their_version(team):
    team.write("keys/k", type="ecdsa-p256")
    own = serialization.load_pem_public_key(team.read("keys/k")["keys"]["1"]["public_key"].encode())
    root = ec.generate_private_key(ec.SECP256R1())
    authority = certificate("root", "root", root.public_key(), root, True)
    leaf = certificate("leaf", "root", own, root, False)
    answer = team.write("keys/k/set-certificate", certificate_chain="a comment\n" + leaf + authority)
    assert answer == {"name": "k", "type": "ecdsa-p256", "certificate_chain": leaf + authority}
    team.write("keys/k/rotate")
    entries = team.read("keys/k")["keys"]
    assert entries["1"]["certificate_chain"] == leaf + authority and entries["2"]["certificate_chain"] == ""
    assert team.read("export/certificate-chain/k")["keys"] == {"1": leaf + authority}
    assert team.write("keys/k/set-certificate", version=1, certificate_chain=leaf)["certificate_chain"] == leaf
    stranger = ec.generate_private_key(ec.SECP256R1())
    for body, text in (
            ({"version": 2, "certificate_chain": leaf}, "leaf certificate public key does not match the selected key version"),
            ({"version": 1, "certificate_chain": authority}, "its first certificate is an authority's"),
            ({"version": 1, "certificate_chain": leaf + leaf}, "its certificate number 2 is not an authority's"),
            ({"version": 1, "certificate_chain": leaf + certificate("root", "root", stranger.public_key(), stranger, True)},
             "its certificate number 2 did not sign the one before it"),
            ({"version": 1, "certificate_chain": ""}, "it has no certificate in PEM"),
            ({"version": 1, "certificate_chain": leaf.replace("MII", "MIX", 1)}, "a certificate cannot be read"),
            ({"version": 9, "certificate_chain": leaf}, "no such key version")):
        with pytest.raises(exceptions.InvalidRequest, match=text):
            team.write("keys/k/set-certificate", **body)
    team.write("keys/aes")
    with pytest.raises(exceptions.InvalidRequest, match="key type 'aes256-gcm96' does not support signing"):
        team.write("keys/aes/set-certificate", certificate_chain=leaf)
    with pytest.raises(exceptions.InvalidRequest, match="key with provided name 'none' not found"):
        team.write("keys/none/set-certificate", certificate_chain=leaf)


def test_a_key_is_derived_where_the_token_has_hkdf(team):
    team.write("keys/mine", type="ecdsa-p256")
    team.write("keys/aes")
    peer = pem_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    good = {"base_key_name": "mine", "peer_public_key": peer}
    for changes, text in (({}, "the token does not do it: HKDF keys"),
                          ({"base_key_name": "none"}, "specified base key not found"),
                          ({"base_key_name": "aes"}, "base key type aes256-gcm96 does not support key agreement|does not support signing"),
                          ({"peer_public_key": ""}, "peer public key not provided"),
                          ({"peer_public_key": "x"}, "failed to read the peer public key"),
                          ({"peer_public_key": pem_of(ec.generate_private_key(ec.SECP384R1()).public_key())},
                           "public key is not of key type ecdsa-p256"),
                          ({"key_derivation_algorithm": "dh"}, "key derivation algorithm dh not supported"),
                          ({"derived_key_type": "rsa-2048"}, "key type rsa-2048 not supported for this operation"),
                          ({"base_key_version": 9}, "higher than the latest key version")):
        with pytest.raises(exceptions.InvalidRequest, match=text):
            team.write("derive-key/shared", **{**good, **changes})
    assert team.client.read(f"{team.path}/keys/shared") is None
