"""The server's OpenAPI document under a validator from PyPI, and against what the server does."""

import openapi_spec_validator
import pytest
import requests


@pytest.fixture(scope="module")
def document(server):
    answer = requests.get(server.url + "/v1/sys/internal/specs/openapi", timeout=30)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/json")
    return answer.json()


def test_the_document_is_valid_openapi(document):
    openapi_spec_validator.validate(document)


def test_the_validator_is_one(document):
    broken = {**document, "paths": {**document["paths"], "/x/{y}": {"get": {"responses": {}}}}}
    with pytest.raises(Exception):
        openapi_spec_validator.validate(broken)


def test_every_path_is_routed_with_its_methods(client, server, document):
    """Whatever it answers to made-up names: the path is known, and the method on it."""
    for path, item in document["paths"].items():
        for parameter in item["parameters"]:
            path = path.replace("{%s}" % parameter["name"], parameter["schema"].get("default", "x"))
        for method in ("get", "post", "patch", "delete"):
            if method not in item:
                continue
            list_only = any(p["name"] == "list" and p.get("required") for p in item[method].get("parameters", []))
            # A token for each request: one of the paths revokes the token that asks.
            token = client.auth.token.create(policies=["root"])["auth"]["client_token"]
            headers = {"X-Vault-Token": token, "Content-Type": "application/merge-patch+json"}
            answer = requests.request(method, server.url + "/v1" + path + ("?list=true" if list_only else ""),
                                      headers=headers, timeout=30)
            assert answer.status_code != 405, (method, path)
            assert "unsupported path" not in answer.text, (method, path)
