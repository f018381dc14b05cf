"""hvac's backup_key and restore_key, and Vault's settings of a mount's keys and cache, against a real server."""

import base64
import pathlib
import re

import hvac
import pytest
from coffer_server import CofferServer
from hvac import exceptions
from hvac.api.secrets_engines import Transit

HELLO = base64.b64encode(b"hello").decode()


def allow_deletion_and_delete(transit, name):
    transit.update_key_configuration(name, deletion_allowed=True)
    transit.delete_key(name)


def test_a_deleted_key_comes_back_and_opens_what_it_sealed(transit):
    transit.create_key("k", allow_plaintext_backup=True)
    sealed = transit.encrypt_data("k", HELLO)["data"]["ciphertext"]
    backup = transit.backup_key("k")["data"]["backup"]
    allow_deletion_and_delete(transit, "k")
    assert transit.restore_key(backup).status_code == 204
    assert transit.read_key("k")["data"]["allow_plaintext_backup"]
    assert transit.decrypt_data("k", sealed)["data"]["plaintext"] == HELLO
    # Its old versions encrypt no more: nobody knows how often they have since the backup.
    assert transit.encrypt_data("k", HELLO)["data"]["ciphertext"].startswith("vault:v2:")


def test_a_restored_signing_key_is_the_same_key(transit):
    transit.create_key("k", key_type="ecdsa-p256")
    public_key = transit.read_key("k")["data"]["keys"]["1"]["public_key"]
    signature = transit.sign_data("k", HELLO)["data"]["signature"]
    transit.restore_key(transit.backup_key("k")["data"]["backup"], name="copy")
    assert transit.read_key("copy")["data"]["keys"]["1"]["public_key"] == public_key
    assert transit.verify_signed_data("copy", HELLO, signature=signature)["data"]["valid"]
    again = transit.sign_data("copy", HELLO)["data"]["signature"]
    assert again.startswith("vault:v1:")
    assert transit.verify_signed_data("k", HELLO, signature=again)["data"]["valid"]


def test_a_name_that_is_taken_needs_force_and_force_destroys_no_version(transit):
    transit.create_key("k")
    backup = transit.backup_key("k")["data"]["backup"]
    with pytest.raises(exceptions.InvalidRequest, match='key "k" already exists'):
        transit.restore_key(backup)
    transit.restore_key(backup, force=True)
    transit.rotate_key("k")
    with pytest.raises(exceptions.InvalidRequest, match="key has version 2, which the backup has not"):
        transit.restore_key(backup, force=True)


def test_what_is_no_backup_is_refused(client, mount, transit):
    transit.create_key("k", key_type="ed25519")
    with pytest.raises(exceptions.InvalidRequest, match="kept in the token itself"):
        transit.backup_key("k")
    with pytest.raises(exceptions.InvalidRequest, match='key "none" not found'):
        transit.backup_key("none")
    for text in ("!", "AAAA", HELLO):
        with pytest.raises(exceptions.InvalidRequest, match="the backup is damaged"):
            transit.restore_key(text, name="x")
    with pytest.raises(exceptions.InvalidRequest, match="'backup' must be supplied"):
        client.write_data(f"{mount}/restore/x", data={})


def test_a_backup_opens_on_its_own_token_only(transit, tmp_path):
    transit.create_key("k")
    backup = transit.backup_key("k")["data"]["backup"]
    other = CofferServer(tmp_path)
    try:
        stranger = hvac.Client(url=other.url, token="root")
        stranger.sys.enable_secrets_engine("transit", path="foreign")
        with pytest.raises(exceptions.InvalidRequest,
                           match="made with another token: its keys open only there"):
            stranger.secrets.transit.restore_key(backup, mount_point="foreign")
        with pytest.raises(exceptions.InvalidPath):
            stranger.secrets.transit.read_key("k", mount_point="foreign")
    finally:
        assert other.stop() == 0


def test_encrypt_makes_no_key_where_upsert_is_disabled(client, mount, transit):
    assert client.read(f"{mount}/config/keys")["data"] == {"disable_upsert": False}
    written = client.write_data(f"{mount}/config/keys", data={"disable_upsert": True})
    assert written["data"] == {"disable_upsert": True}
    assert client.read(f"{mount}/config/keys")["data"] == {"disable_upsert": True}
    with pytest.raises(exceptions.InvalidRequest, match="encryption key not found"):
        transit.encrypt_data("new", HELLO)
    transit.create_key("new")
    transit.encrypt_data("new", HELLO)
    client.write_data(f"{mount}/config/keys", data={"disable_upsert": "false"})
    transit.encrypt_data("newer", HELLO)


def test_the_cache_has_no_size_to_set(client, mount):
    assert client.read(f"{mount}/cache-config")["data"] == {"size": 0}
    assert client.write_data(f"{mount}/cache-config", data={"size": 0})["data"] == {"size": 0}
    for size, text in ((5, "size must be 0 or a value greater or equal to 10"), (500, "the cache's size cannot be set")):
        with pytest.raises(exceptions.InvalidRequest, match=text):
            client.write_data(f"{mount}/cache-config", data={"size": size})


def test_every_transit_method_of_hvac_is_called_by_these_tests():
    methods = {name for name, value in vars(Transit).items()
               if callable(value) and not name.startswith("_")}
    sources = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    assert len(methods) >= 18
    assert {name for name in methods if not re.search(rf"transit\.{name}\(", sources)} == set()
