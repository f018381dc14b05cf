"""hvac from PyPI, unmodified, on policies, tokens and capabilities."""

import hvac
import pytest
from hvac import exceptions

ENCRYPT_ONLY = 'path "{mount}/encrypt/orders" {{ capabilities = ["update"] }}'


@pytest.fixture
def application(client, server, mount, transit):
    """A client whose token may encrypt with one key and nothing else."""
    transit.create_key("orders")
    client.sys.create_or_update_policy("app", ENCRYPT_ONLY.format(mount=mount))
    made = client.auth.token.create(policies=["app"], ttl="1h", no_default_policy=True)
    return hvac.Client(url=server.url, token=made["auth"]["client_token"])


def test_an_application_encrypts_and_does_not_decrypt(application, mount, orders):
    transit = application.secrets.transit
    sealed = transit.encrypt_data("orders", "aGVsbG8=", mount_point=mount)["data"]["ciphertext"]
    with pytest.raises(exceptions.Forbidden):
        transit.decrypt_data("orders", sealed, mount_point=mount)
    with pytest.raises(exceptions.Forbidden):
        transit.list_keys(mount_point=mount)
    assert orders.decrypt(sealed) == "aGVsbG8="


def test_policies_are_written_read_listed_and_deleted(client):
    text = 'path "a/*" { capabilities = ["read"] }'
    client.sys.create_or_update_policy("reader", text)
    assert client.sys.read_policy("reader")["data"]["rules"] == text
    client.sys.create_or_update_acl_policy("reader", {"path": {"a/*": {"capabilities": ["read", "list"]}}})
    assert "reader" in client.sys.list_acl_policies()["data"]["keys"]
    assert "list" in client.sys.read_acl_policy("reader")["data"]["policy"]
    assert "reader" in client.sys.list_policies()["data"]["policies"]
    client.sys.delete_policy("reader")
    with pytest.raises(exceptions.InvalidPath):
        client.sys.read_acl_policy("reader")
    with pytest.raises(exceptions.InvalidRequest, match="line 1, column"):
        client.sys.create_or_update_policy("bad", "path")


def test_tokens_are_made_renewed_and_revoked(client, server):
    made = client.auth.token.create(policies=["default"], ttl="1h", meta={"team": "a"}, display_name="job")
    token, accessor = made["auth"]["client_token"], made["auth"]["accessor"]
    assert made["auth"]["lease_duration"] == 3600
    mine = hvac.Client(url=server.url, token=token)
    assert mine.auth.token.lookup_self()["data"]["meta"] == {"team": "a"}
    assert mine.auth.token.renew_self(increment="2h")["auth"]["lease_duration"] == 7200
    assert client.auth.token.renew(token, increment="30m")["auth"]["lease_duration"] == 1800
    assert client.auth.token.lookup_accessor(accessor)["data"]["display_name"] == "token-job"
    assert accessor in client.auth.token.list_accessors()["data"]["keys"]
    child = client.auth.token.create(policies=["default"], num_uses=1)["auth"]["client_token"]
    once = hvac.Client(url=server.url, token=child)
    once.auth.token.lookup_self()
    with pytest.raises(exceptions.Forbidden):
        once.auth.token.lookup_self()
    client.auth.token.revoke_accessor(accessor)
    with pytest.raises(exceptions.Forbidden):
        mine.auth.token.lookup_self()
    orphan = client.auth.token.create_orphan(policies=["default"])["auth"]
    assert orphan["orphan"] is True
    client.auth.token.revoke_and_orphan_children(orphan["client_token"])


def test_roles_bind_their_tokens(client):
    client.auth.token.create_or_update_role("ci", allowed_policies=["default"], orphan=True, token_period="1h")
    made = client.auth.token.create(role_name="ci")["auth"]
    assert made["orphan"] is True and made["lease_duration"] == 3600
    assert client.auth.token.read_role("ci")["data"]["token_period"] == 3600
    assert client.auth.token.list_roles()["data"]["keys"] == ["ci"]
    with pytest.raises(exceptions.InvalidRequest):
        client.auth.token.create(role_name="ci", policies=["root"])
    client.auth.token.delete_role("ci")


def test_capabilities_are_told(application, client, mount):
    paths = [f"{mount}/encrypt/orders", f"{mount}/decrypt/orders"]
    told = client.sys.get_capabilities(paths=paths, token=application.token)
    assert told["data"][paths[0]] == ["update"]
    assert told["data"][paths[1]] == ["deny"]
    assert client.sys.get_capabilities(paths=paths)["data"][paths[0]] == ["root"]
