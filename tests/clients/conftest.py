"""One server for the session, and for each test a transit mount that nobody else uses."""

import itertools
import types

import hvac
import pytest
from coffer_server import CofferServer

MOUNT_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = CofferServer(tmp_path_factory.mktemp("coffer"))
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(server):
    return hvac.Client(url=server.url, token="root")


@pytest.fixture
def mount(client):
    path = f"team/transit-{next(MOUNT_NUMBERS)}"
    client.sys.enable_secrets_engine("transit", path=path)
    yield path
    client.sys.disable_secrets_engine(path)


class Transit:
    """hvac's own transit class with the mount point filled in."""

    def __init__(self, client, mount):
        self._client, self._mount = client, mount

    def __getattr__(self, name):
        method = getattr(self._client.secrets.transit, name)
        return lambda *args, **kwargs: method(*args, mount_point=self._mount, **kwargs)


@pytest.fixture
def transit(client, mount):
    return Transit(client, mount)


@pytest.fixture
def orders(transit):
    """A key called "orders" with what most tests do with it."""
    transit.create_key("orders")
    return types.SimpleNamespace(
        encrypt=lambda text, **more: transit.encrypt_data("orders", text, **more)["data"]["ciphertext"],
        decrypt=lambda text, **more: transit.decrypt_data("orders", text, **more)["data"]["plaintext"],
    )
