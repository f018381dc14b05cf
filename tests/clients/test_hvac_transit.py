"""hvac from PyPI, unmodified, on transit: what an application does with keys."""

import base64
import hashlib

import pytest
from hvac import exceptions


def b64(text):
    return base64.b64encode(text.encode()).decode()


HELLO = b64("hello")


# Keys


def test_create_answers_with_the_key_document(transit):
    data = transit.create_key("orders")["data"]
    assert data["name"] == "orders"
    assert data["type"] == "aes256-gcm96"
    assert data["latest_version"] == 1
    assert data["min_decryption_version"] == 1
    assert data["min_encryption_version"] == 0
    assert data["min_available_version"] == 0
    assert data["supports_encryption"] and data["supports_decryption"]
    assert not data["supports_signing"]
    assert not data["deletion_allowed"] and not data["exportable"] and not data["derived"]
    assert list(data["keys"]) == ["1"]
    assert isinstance(data["keys"]["1"], int)


def test_read_answers_what_create_answered(transit):
    created = transit.create_key("orders")["data"]
    assert transit.read_key("orders")["data"] == created


def test_create_of_an_existing_key_changes_nothing_and_warns(client, mount, transit):
    before = transit.create_key("orders")["data"]
    again = client.write_data(f"{mount}/keys/orders", data={"type": "aes128-gcm96"})
    assert again["data"] == before
    assert again["warnings"] == ["key orders already existed"]


def test_aes128_keys_encrypt_and_decrypt(client, mount, transit):
    client.write_data(f"{mount}/keys/small", data={"type": "aes128-gcm96"})
    assert transit.read_key("small")["data"]["type"] == "aes128-gcm96"
    ciphertext = transit.encrypt_data("small", HELLO)["data"]["ciphertext"]
    assert transit.decrypt_data("small", ciphertext)["data"]["plaintext"] == HELLO


def test_list_by_verb_names_the_keys_in_order(transit):
    for name in ("b", "a", "c.d-e_f"):
        transit.create_key(name)
    assert transit.list_keys()["data"]["keys"] == ["a", "b", "c.d-e_f"]


def test_list_by_query_equals_list_by_verb(client, mount, transit):
    transit.create_key("a")
    by_query = client.adapter.get(f"/v1/{mount}/keys", params={"list": "true"})
    assert by_query["data"] == transit.list_keys()["data"]


def test_list_of_no_keys_is_not_found(transit):
    with pytest.raises(exceptions.InvalidPath):
        transit.list_keys()


def test_read_of_an_absent_key_is_not_found(transit):
    with pytest.raises(exceptions.InvalidPath):
        transit.read_key("absent")


def test_create_with_an_unknown_type_is_refused(client, mount):
    with pytest.raises(exceptions.InvalidRequest, match="unknown key type rot13"):
        client.write_data(f"{mount}/keys/x", data={"type": "rot13"})


def test_exportable_keys_are_refused(transit):
    with pytest.raises(exceptions.InvalidRequest):
        transit.create_key("x", exportable=True)
    with pytest.raises(exceptions.InvalidPath):
        transit.read_key("x")


def test_rotate_adds_a_version(transit):
    transit.create_key("orders")
    data = transit.rotate_key("orders")["data"]
    assert data["latest_version"] == 2
    assert sorted(data["keys"]) == ["1", "2"]


def test_rotate_of_an_absent_key_is_refused(transit):
    with pytest.raises(exceptions.InvalidRequest, match="key not found"):
        transit.rotate_key("absent")


def test_config_changes_what_it_names_and_nothing_else(transit):
    transit.create_key("orders")
    transit.rotate_key("orders")
    before = transit.read_key("orders")["data"]
    data = transit.update_key_configuration(
        "orders", min_decryption_version=2, deletion_allowed=True, auto_rotate_period="24h")["data"]
    assert data["min_decryption_version"] == 2
    assert data["deletion_allowed"] is True
    assert data["auto_rotate_period"] == 86400
    assert data["min_encryption_version"] == before["min_encryption_version"]
    assert list(data["keys"]) == ["2"]


def test_config_is_all_or_nothing(transit):
    transit.create_key("orders")
    with pytest.raises(exceptions.InvalidRequest,
                       match="cannot set min decryption version of 5, latest key version is 1"):
        transit.update_key_configuration("orders", min_decryption_version=5, deletion_allowed=True)
    assert transit.read_key("orders")["data"]["deletion_allowed"] is False


def test_config_refuses_an_auto_rotate_period_below_an_hour(transit):
    transit.create_key("orders")
    with pytest.raises(exceptions.InvalidRequest, match="auto rotate period must be 0 to disable"):
        transit.update_key_configuration("orders", auto_rotate_period="59m")


def test_trim_destroys_old_versions(transit, orders):
    old = orders.encrypt(HELLO)
    transit.rotate_key("orders")
    transit.rotate_key("orders")
    # hvac sends the two together only, and the second above the first
    transit.update_key_configuration("orders", min_decryption_version=2, min_encryption_version=3)
    data = transit.trim_key("orders", min_version=2)["data"]
    assert data["min_available_version"] == 2
    with pytest.raises(exceptions.InvalidRequest):
        transit.update_key_configuration("orders", min_decryption_version=1, min_encryption_version=3)
    with pytest.raises(exceptions.InvalidRequest):
        orders.decrypt(old)


def test_trim_needs_the_minimum_versions_first(transit):
    transit.create_key("orders")
    transit.rotate_key("orders")
    with pytest.raises(exceptions.InvalidRequest, match="minimum encryption version is not set"):
        transit.trim_key("orders", min_version=2)


def test_delete_needs_permission_on_the_key(transit):
    transit.create_key("orders")
    with pytest.raises(exceptions.InvalidRequest, match="deletion is not allowed for this key"):
        transit.delete_key("orders")
    transit.update_key_configuration("orders", deletion_allowed=True)
    transit.delete_key("orders")
    with pytest.raises(exceptions.InvalidPath):
        transit.read_key("orders")


def test_a_key_made_anew_does_not_decrypt_its_namesakes_ciphertexts(transit, orders):
    ciphertext = orders.encrypt(HELLO)
    transit.update_key_configuration("orders", deletion_allowed=True)
    transit.delete_key("orders")
    transit.create_key("orders")
    with pytest.raises(exceptions.InvalidRequest, match="message authentication failed"):
        orders.decrypt(ciphertext)


def test_a_soft_deleted_key_refuses_use_until_it_is_restored(client, mount, transit, orders):
    ciphertext = orders.encrypt(HELLO)
    client.delete(f"{mount}/keys/orders/soft-delete")
    assert transit.read_key("orders")["data"]["soft_deleted"] is True
    with pytest.raises(exceptions.InvalidRequest, match="refusing to use soft-deleted key"):
        orders.decrypt(ciphertext)
    client.write_data(f"{mount}/keys/orders/soft-delete-restore")
    assert orders.decrypt(ciphertext) == HELLO


# Encrypt and decrypt


def test_decrypt_gives_back_what_encrypt_took(transit, orders):
    answer = transit.encrypt_data("orders", HELLO)["data"]
    assert answer["key_version"] == 1
    assert answer["ciphertext"].startswith("vault:v1:")
    assert orders.decrypt(answer["ciphertext"]) == HELLO


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1024, 1 << 20])
def test_plaintexts_of_any_size_come_back(orders, size):
    plaintext = base64.b64encode(bytes(index % 251 for index in range(size))).decode()
    assert orders.decrypt(orders.encrypt(plaintext)) == plaintext


def test_the_same_plaintext_never_gives_the_same_ciphertext(orders):
    assert len({orders.encrypt(HELLO) for _ in range(50)}) == 50


def test_the_ciphertext_is_nonce_text_and_tag(orders):
    payload = base64.b64decode(orders.encrypt(HELLO).split(":")[2], validate=True)
    assert len(payload) == 12 + len("hello") + 16


def test_encrypt_makes_an_absent_key(transit):
    ciphertext = transit.encrypt_data("fresh", HELLO)["data"]["ciphertext"]
    assert transit.read_key("fresh")["data"]["latest_version"] == 1
    assert transit.decrypt_data("fresh", ciphertext)["data"]["plaintext"] == HELLO


def test_decrypt_with_an_absent_key_is_refused(transit):
    with pytest.raises(exceptions.InvalidRequest, match="encryption key not found"):
        transit.decrypt_data("absent", "vault:v1:" + b64("x" * 40))


def test_encrypt_refuses_what_is_not_base64(orders):
    with pytest.raises(exceptions.InvalidRequest, match="illegal base64 data at input byte"):
        orders.encrypt("not*base64")


@pytest.mark.parametrize("ciphertext, phrase", [
    ("hello", "invalid ciphertext: no prefix"),
    ("vault:v1", "invalid ciphertext: wrong number of fields"),
    ("vault:vx:aGVsbG8=", "invalid ciphertext: version number could not be decoded"),
    ("vault:v1:*", "invalid ciphertext: could not decode base64"),
    ("vault:v1:aGVsbG8=", "invalid ciphertext length"),
    ("vault:v9:" + b64("x" * 40), "invalid ciphertext: version is too new"),
    ("vault:v1:" + b64("x" * 40), "cipher: message authentication failed"),
])
def test_malformed_ciphertexts_are_named(orders, ciphertext, phrase):
    with pytest.raises(exceptions.InvalidRequest, match=phrase):
        orders.decrypt(ciphertext)


def test_a_flipped_bit_is_refused_wherever_it_is(orders):
    prefix, version, payload = orders.encrypt(HELLO).split(":")
    sealed = base64.b64decode(payload)
    for index in range(len(sealed)):
        bad = bytearray(sealed)
        bad[index] ^= 0x01
        with pytest.raises(exceptions.InvalidRequest, match="message authentication failed"):
            orders.decrypt(f"{prefix}:{version}:{base64.b64encode(bad).decode()}")


def test_associated_data_must_match(orders):
    ciphertext = orders.encrypt(HELLO, associated_data=b64("row 1"))
    assert orders.decrypt(ciphertext, associated_data=b64("row 1")) == HELLO
    for other in (b64("row 2"), None):
        with pytest.raises(exceptions.InvalidRequest, match="message authentication failed"):
            orders.decrypt(ciphertext, associated_data=other)


def test_encrypt_takes_an_older_version_on_request(transit, orders):
    transit.rotate_key("orders")
    assert orders.encrypt(HELLO).startswith("vault:v2:")
    ciphertext = orders.encrypt(HELLO, key_version=1)
    assert ciphertext.startswith("vault:v1:")
    assert orders.decrypt(ciphertext) == HELLO


def test_ciphertexts_below_the_minimum_are_refused_until_it_is_lowered(transit, orders):
    old = orders.encrypt(HELLO)
    transit.rotate_key("orders")
    transit.update_key_configuration("orders", min_decryption_version=2)
    with pytest.raises(exceptions.InvalidRequest,
                       match="ciphertext or signature version is disallowed by policy"):
        orders.decrypt(old)
    transit.update_key_configuration("orders", min_decryption_version=1)
    assert orders.decrypt(old) == HELLO


# Batches


def test_a_batch_comes_back_in_order_with_its_references(transit):
    transit.create_key("orders")
    texts = [b64(f"record {index}") for index in range(100)]
    items = [{"plaintext": text, "reference": str(index)} for index, text in enumerate(texts)]
    sealed = transit.encrypt_data("orders", batch_input=items)["data"]["batch_results"]
    assert [item["reference"] for item in sealed] == [item["reference"] for item in items]
    assert all(item["key_version"] == 1 for item in sealed)
    opened = transit.decrypt_data(
        "orders",
        batch_input=[{"ciphertext": item["ciphertext"], "reference": item["reference"]}
                     for item in sealed])["data"]["batch_results"]
    assert [item["plaintext"] for item in opened] == texts


def test_a_bad_item_fails_the_batch_but_names_itself(transit, orders):
    good = orders.encrypt(HELLO)
    with pytest.raises(exceptions.InvalidRequest) as caught:
        transit.decrypt_data("orders", batch_input=[{"ciphertext": good}, {"ciphertext": "bad"}])
    results = caught.value.json["data"]["batch_results"]
    assert results[0]["plaintext"] == HELLO and "error" not in results[0]
    assert results[1]["error"] == "invalid ciphertext: no prefix"
    assert results[1]["plaintext"] == ""


def test_the_caller_chooses_the_code_of_a_partial_failure(client, mount, orders):
    answer = client.write_data(f"{mount}/decrypt/orders", data={
        "batch_input": [{"ciphertext": orders.encrypt(HELLO)}, {"ciphertext": "bad"}],
        "partial_failure_response_code": 200})
    assert [bool(item.get("error")) for item in answer["data"]["batch_results"]] == [False, True]


def test_an_empty_batch_is_refused(transit):
    transit.create_key("orders")
    with pytest.raises(exceptions.InvalidRequest, match="missing batch input to process"):
        transit.encrypt_data("orders", batch_input=[])


# Rewrap, data keys, keyless


def test_rewrap_moves_a_ciphertext_to_the_latest_version(transit, orders):
    old = orders.encrypt(HELLO)
    transit.rotate_key("orders")
    answer = transit.rewrap_data("orders", old)["data"]
    assert answer["key_version"] == 2
    assert answer["ciphertext"].startswith("vault:v2:")
    assert "plaintext" not in answer
    assert orders.decrypt(answer["ciphertext"]) == HELLO


def test_rewrap_of_a_batch_keeps_associated_data(transit, orders):
    items = [{"ciphertext": orders.encrypt(HELLO, associated_data=b64(row)),
              "associated_data": b64(row), "reference": row} for row in ("a", "b")]
    transit.rotate_key("orders")
    moved = transit.rewrap_data("orders", "", batch_input=items)["data"]["batch_results"]
    for item in moved:
        assert item["ciphertext"].startswith("vault:v2:")
        assert orders.decrypt(item["ciphertext"], associated_data=b64(item["reference"])) == HELLO


def test_rewrap_without_the_associated_data_is_refused(transit, orders):
    ciphertext = orders.encrypt(HELLO, associated_data=b64("row"))
    with pytest.raises(exceptions.InvalidRequest, match="message authentication failed"):
        transit.rewrap_data("orders", ciphertext)


@pytest.mark.parametrize("bits", [128, 256, 512])
def test_a_data_key_can_be_unsealed_again(transit, orders, bits):
    data = transit.generate_data_key("orders", "plaintext", bits=bits)["data"]
    assert len(base64.b64decode(data["plaintext"])) == bits // 8
    assert orders.decrypt(data["ciphertext"]) == data["plaintext"]


def test_a_wrapped_data_key_comes_without_plaintext(transit, orders):
    data = transit.generate_data_key("orders", "wrapped")["data"]
    assert "plaintext" not in data
    assert len(base64.b64decode(orders.decrypt(data["ciphertext"]))) == 32


def test_a_data_key_of_an_absent_key_is_refused(transit):
    with pytest.raises(exceptions.InvalidRequest, match="encryption key not found"):
        transit.generate_data_key("absent", "wrapped")


def test_random_gives_the_octets_asked_for(transit):
    one = transit.generate_random_bytes(n_bytes=48, output_format="hex")["data"]["random_bytes"]
    other = transit.generate_random_bytes(n_bytes=48, output_format="hex")["data"]["random_bytes"]
    assert len(bytes.fromhex(one)) == 48 and one != other
    assert len(base64.b64decode(transit.generate_random_bytes()["data"]["random_bytes"])) == 32
    with pytest.raises(exceptions.InvalidRequest):
        transit.generate_random_bytes(n_bytes=0)


@pytest.mark.parametrize("algorithm, reference", [
    ("sha2-224", "sha224"), ("sha2-256", "sha256"), ("sha2-384", "sha384"), ("sha2-512", "sha512")])
def test_hash_agrees_with_pythons(transit, algorithm, reference):
    data = transit.hash_data(HELLO, algorithm=algorithm, output_format="hex")["data"]
    assert data["sum"] == hashlib.new(reference, b"hello").hexdigest()


# Limits


def test_a_version_below_the_minimum_makes_nothing(client, mount, transit):
    transit.create_key("old")
    ciphertext = transit.encrypt_data("old", HELLO)["data"]["ciphertext"]
    transit.rotate_key("old")
    transit.update_key_configuration("old", min_decryption_version=2)
    for operation, data in (("encrypt", {"plaintext": HELLO}), ("datakey/plaintext", {}), ("hmac", {"input": HELLO})):
        with pytest.raises(exceptions.InvalidRequest, match="no such key version"):
            client.write_data(f"{mount}/{operation}/old", data={**data, "key_version": 1})
    with pytest.raises(exceptions.InvalidRequest, match="disallowed by policy"):
        transit.decrypt_data("old", ciphertext)


def test_a_long_batch_is_answered_whole_and_a_longer_one_refused(transit):
    transit.create_key("many")
    items = [{"plaintext": HELLO, "reference": str(number)} for number in range(10_000)]
    sealed = transit.encrypt_data("many", None, batch_input=items)["data"]["batch_results"]
    assert [one["reference"] for one in sealed] == [one["reference"] for one in items]
    opened = transit.decrypt_data("many", None, batch_input=[
        {"ciphertext": one["ciphertext"]} for one in sealed])["data"]["batch_results"]
    assert {one["plaintext"] for one in opened} == {HELLO}
    with pytest.raises(exceptions.InvalidRequest, match="has 10001 items, and the limit is 10000"):
        transit.encrypt_data("many", None, batch_input=items + items[:1])


def test_a_misspelt_field_of_an_item_is_warned_of(client, mount, transit):
    transit.create_key("spelt")
    answer = client.write_data(f"{mount}/encrypt/spelt", data={"batch_input": [
        {"plaintext": HELLO, "asociated_data": HELLO}]})
    assert answer["warnings"] == [
        "Endpoint ignored these unrecognized parameters in items of batch_input: [asociated_data]"]
