"""Certificate requests that the token signs, read by python3-cryptography."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hvac import exceptions

TYPES = {"rsa-2048": hashes.SHA256, "ecdsa-p256": hashes.SHA256, "ecdsa-p384": hashes.SHA384,
         "ecdsa-p521": hashes.SHA512, "ed25519": None}


def template():
    """A request by another key: only what it says of the subject is wanted."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "db.example")])
    names = x509.SubjectAlternativeName([x509.DNSName("db.example"), x509.DNSName("db2.example")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(names, critical=False)
    return request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())


def pem(request):
    return request.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("key_type", TYPES)
def test_a_request_is_signed_by_the_key_with_the_templates_subject(client, mount, transit, key_type):
    transit.create_key("k", key_type=key_type)
    wanted = template()
    data = client.write_data(f"{mount}/keys/k/csr", data={"csr": pem(wanted)})["data"]
    assert (data["name"], data["type"]) == ("k", key_type)
    made = x509.load_pem_x509_csr(data["csr"].encode())
    assert made.is_signature_valid
    assert made.subject == wanted.subject
    assert [e.value for e in made.extensions] == [e.value for e in wanted.extensions]
    expected = TYPES[key_type]
    assert (made.signature_hash_algorithm.name if expected else made.signature_hash_algorithm) == \
        (expected.name if expected else None)
    shown = client.read(f"{mount}/export/public-key/k")["data"]["keys"]["1"]
    if key_type == "ed25519":  # each as Vault shows it
        own = base64.b64encode(made.public_key().public_bytes_raw()).decode()
    else:
        own = made.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    assert shown == (own if key_type.startswith("rsa") else own.rstrip("\n"))


def test_a_request_needs_no_template_and_names_its_version(client, mount, transit):
    transit.create_key("k", key_type="ecdsa-p256")
    transit.rotate_key("k")
    keys = {}
    for version in (1, 2):
        data = client.write_data(f"{mount}/keys/k/csr", data={"version": version})["data"]
        made = x509.load_pem_x509_csr(data["csr"].encode())
        assert made.is_signature_valid and made.subject == x509.Name([])
        keys[version] = made.public_key().public_numbers()
    assert keys[1] != keys[2]


def test_what_cannot_be_requested_is_refused(client, mount, transit):
    transit.create_key("aes")
    transit.create_key("ec", key_type="ecdsa-p256")
    for name, body, text in (("aes", {}, "key type 'aes256-gcm96' does not support signing"),
                             ("none", {}, "key with provided name 'none' not found"),
                             ("ec", {"csr": "junk"}, "could not decode PEM CSR"),
                             ("ec", {"version": 7}, "no such key version")):
        with pytest.raises(exceptions.InvalidRequest, match=text):
            client.write_data(f"{mount}/keys/{name}/csr", data=body)
