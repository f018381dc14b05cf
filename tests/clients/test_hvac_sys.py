"""hvac from PyPI, unmodified, on sys/ and auth/token, and over a restart."""

import base64

import hvac
import pytest
from coffer_server import CofferServer
from hvac import exceptions

HELLO = base64.b64encode(b"hello").decode()


def test_an_unsealed_server_says_so(client):
    status = client.sys.read_seal_status()
    assert status["type"] == "pkcs11"
    assert status["initialized"] is True and status["sealed"] is False
    assert client.sys.is_sealed() is False
    assert len(status["version"].split(".")) == 3


def test_init_status_is_true(client):
    assert client.sys.is_initialized() is True
    assert client.sys.read_init_status() == {"initialized": True}


def test_a_second_init_is_refused(client):
    with pytest.raises(exceptions.InvalidRequest, match="Vault is already initialized"):
        client.sys.initialize(recovery_shares=1, recovery_threshold=1)


def test_health_is_200_by_head_and_by_get(client):
    assert client.sys.read_health_status(method="HEAD").status_code == 200
    health = client.sys.read_health_status(method="GET")
    assert health["initialized"] is True
    assert health["sealed"] is False and health["standby"] is False


def test_leader_says_that_there_is_no_cluster(client):
    assert client.sys.read_leader_status()["ha_enabled"] is False


def test_the_root_token_knows_itself(client):
    assert client.is_authenticated()
    data = client.auth.token.lookup_self()["data"]
    assert data["id"] == "root"
    assert data["policies"] == ["root"]
    assert data["ttl"] == 0 and data["expire_time"] is None


@pytest.mark.parametrize("token", ["wrong", "", None, "roo", "Root"])
def test_any_other_token_is_forbidden(server, token):
    client = hvac.Client(url=server.url, token=token)
    client.token = token  # hvac would take VAULT_TOKEN for an empty one
    with pytest.raises(exceptions.Forbidden) as caught:
        client.secrets.transit.encrypt_data("x", HELLO)
    assert "permission denied" in str(caught.value)


def test_an_unknown_mount_is_not_found(client):
    with pytest.raises(exceptions.InvalidPath, match="no handler for route"):
        client.secrets.transit.read_key("x", mount_point="nowhere")


def test_an_unknown_path_in_a_mount_is_not_found(client, mount):
    with pytest.raises(exceptions.InvalidPath, match="unsupported path"):
        client.write_data(f"{mount}/no/such/path", data={})


def test_an_unknown_namespace_is_not_found(server):
    client = hvac.Client(url=server.url, token="root", namespace="elsewhere")
    with pytest.raises(exceptions.InvalidPath, match="namespace not found"):
        client.sys.list_mounted_secrets_engines()


def test_response_wrapping_is_refused_rather_than_ignored(client, mount):
    with pytest.raises(exceptions.InvalidRequest, match="response wrapping is not enabled"):
        client.write_data(f"{mount}/random/16", data={}, wrap_ttl="60s")


def test_an_unknown_field_is_named_in_a_warning(client, mount):
    answer = client.write_data(f"{mount}/random/16", data={"colour": "blue"})
    assert answer["warnings"] == ["Endpoint ignored these unrecognized parameters: [colour]"]


def test_numbers_and_booleans_may_come_as_strings(client, mount):
    client.write_data(f"{mount}/keys/typed", data={"derived": "false"})
    data = client.write_data(f"{mount}/keys/typed/config",
                             data={"deletion_allowed": "true", "min_encryption_version": "1"})["data"]
    assert data["deletion_allowed"] is True and data["min_encryption_version"] == 1
    with pytest.raises(exceptions.InvalidRequest,
                       match="Field validation failed: error converting input for field"):
        client.write_data(f"{mount}/keys/typed/config", data={"deletion_allowed": "perhaps"})


# Mounts


def test_a_mount_is_listed_until_it_is_disabled(client):
    client.sys.enable_secrets_engine("transit", path="billing", description="invoices")
    listed = client.sys.list_mounted_secrets_engines()["data"]
    assert listed["billing/"]["type"] == "transit"
    assert listed["billing/"]["description"] == "invoices"
    assert "sys/" in listed
    assert not {"identity/", "cubbyhole/"} & set(listed)  # they answer nothing
    client.sys.disable_secrets_engine("billing")
    assert "billing/" not in client.sys.list_mounted_secrets_engines()["data"]


def test_two_mounts_cannot_share_a_path(client, mount):
    with pytest.raises(exceptions.InvalidRequest, match="path is already in use at") as caught:
        client.sys.enable_secrets_engine("transit", path=mount)
    assert caught.value.json == {"errors": [f"path is already in use at {mount}/"]}


def test_a_mounts_fields_are_shown_as_they_were_sent(client):
    client.sys.enable_secrets_engine("transit", path="fields", local=True, seal_wrap=True,
                                     config={"audit_non_hmac_request_keys": ["reference"]})
    shown = client.sys.list_mounted_secrets_engines()["data"]["fields/"]
    assert shown["local"] is True
    assert shown["seal_wrap"] is True
    assert shown["config"]["audit_non_hmac_request_keys"] == ["reference"]
    with pytest.raises(exceptions.InvalidRequest, match="can only be modified on auth mounts"):
        client.sys.tune_mount_configuration("fields", token_type="service")
    client.sys.disable_secrets_engine("fields")


def test_a_mount_is_not_moved_onto_itself(client, mount):
    with pytest.raises(exceptions.InvalidRequest, match="path already in use at"):
        client.sys.move_backend(mount, mount)


def test_tune_is_read_back(client, mount):
    client.sys.tune_mount_configuration(mount, default_lease_ttl="1h", max_lease_ttl=7200,
                                        description="tuned")
    tuned = client.sys.read_mount_configuration(mount)["data"]
    assert tuned["default_lease_ttl"] == 3600
    assert tuned["max_lease_ttl"] == 7200
    assert tuned["description"] == "tuned"


def test_a_moved_mount_keeps_its_keys(client):
    client.sys.enable_secrets_engine("transit", path="before")
    ciphertext = client.secrets.transit.encrypt_data(
        "k", HELLO, mount_point="before")["data"]["ciphertext"]
    assert client.sys.move_backend("before", "after")["migration_id"]
    answer = client.secrets.transit.decrypt_data("k", ciphertext, mount_point="after")
    assert answer["data"]["plaintext"] == HELLO
    with pytest.raises(exceptions.InvalidPath):
        client.secrets.transit.read_key("k", mount_point="before")
    client.sys.disable_secrets_engine("after")


def test_a_mount_made_anew_holds_none_of_the_old_keys(client):
    client.sys.enable_secrets_engine("transit", path="again")
    client.secrets.transit.create_key("k", mount_point="again")
    client.sys.disable_secrets_engine("again")
    client.sys.enable_secrets_engine("transit", path="again")
    with pytest.raises(exceptions.InvalidPath):
        client.secrets.transit.read_key("k", mount_point="again")
    client.sys.disable_secrets_engine("again")


def test_keys_of_two_mounts_are_strangers(client):
    for path in ("left", "right"):
        client.sys.enable_secrets_engine("transit", path=path)
        client.secrets.transit.create_key("k", mount_point=path)
    ciphertext = client.secrets.transit.encrypt_data(
        "k", HELLO, mount_point="left")["data"]["ciphertext"]
    with pytest.raises(exceptions.InvalidRequest, match="message authentication failed"):
        client.secrets.transit.decrypt_data("k", ciphertext, mount_point="right")
    for path in ("left", "right"):
        client.sys.disable_secrets_engine(path)


# Restart


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_keys_mounts_and_settings_survive_a_restart(tmp_path, end):
    first = CofferServer(tmp_path)
    client = hvac.Client(url=first.url, token="root")
    client.sys.enable_secrets_engine("transit", path="kept")
    transit = client.secrets.transit
    old = transit.encrypt_data("k", HELLO, mount_point="kept")["data"]["ciphertext"]
    transit.rotate_key("k", mount_point="kept")
    new = transit.encrypt_data("k", HELLO, mount_point="kept")["data"]["ciphertext"]
    transit.update_key_configuration("k", min_decryption_version=2, mount_point="kept")
    before = transit.read_key("k", mount_point="kept")["data"]
    getattr(first, end)()

    second = CofferServer(tmp_path)
    try:
        transit = hvac.Client(url=second.url, token="root").secrets.transit
        after = transit.read_key("k", mount_point="kept")["data"]
        # Encryptions are counted in blocks: a restart may over-count, and never under-counts.
        counted = [document["versions"]["2"].pop("encryptions") for document in (before, after)]
        assert counted[0] == 1 <= counted[1]
        assert after == before
        assert transit.decrypt_data("k", new, mount_point="kept")["data"]["plaintext"] == HELLO
        with pytest.raises(exceptions.InvalidRequest, match="disallowed by policy"):
            transit.decrypt_data("k", old, mount_point="kept")
    finally:
        assert second.stop() == 0


def test_the_root_token_is_kept_in_a_file_of_its_own(server):
    file = server.data / "root-token"
    assert file.read_text().strip() == "root"
    assert file.stat().st_mode & 0o777 == 0o600
