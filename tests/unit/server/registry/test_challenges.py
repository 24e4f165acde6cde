"""What a login server says to who shows nothing (real-responses.md section 3, az-wire-contract.md section 7)."""

from __future__ import annotations

import pytest

from tests.unit.server.registry.conftest import HOST, Login

SHA = "sha256:" + "0" * 64


def test_ping_challenges_without_a_scope(login: Login) -> None:
    """M14: the ping's challenge holds no scope, and az can take it apart."""
    answer = login.call("GET", "/v2/")
    assert answer.status == 401
    parts = dict(part.split("=", 1) for part in answer.headers["www-authenticate"].split(" ")[1].split(","))
    assert parts == {"realm": f'"https://{HOST}/oauth2/token"', "service": f'"{HOST}"'}
    assert answer.body == (
        b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required, visit '
        b'https://aka.ms/acr/authorization for more information.","detail":null}]}\n'
    )


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/team/web/manifests/v1", "repository:team/web:pull"),
        ("HEAD", f"/v2/team/web/blobs/{SHA}", "repository:team/web:pull"),
        ("PUT", "/v2/team/web/manifests/v1", "repository:team/web:pull,push"),
        ("POST", "/v2/team/web/blobs/uploads/", "repository:team/web:pull,push"),
        ("DELETE", f"/v2/team/web/manifests/{SHA}", "repository:team/web:delete"),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("GET", "/acr/v1/_catalog", "registry:catalog:*"),
        ("GET", "/acr/v1/team/web", "repository:team/web:metadata_read"),
        ("GET", "/acr/v1/team/web/_tags/v1", "repository:team/web:metadata_read"),
        ("PATCH", "/acr/v1/team/web/_tags/v1", "repository:team/web:metadata_write"),
        ("DELETE", "/acr/v1/team/web", "repository:team/web:delete"),
        ("GET", "/acr/v1/_deleted/team/web/_manifests", "repository:team/web:deleted_read"),
        ("GET", "/acr/v1/_deleted/_catalog", "registry:deleted_catalog:*"),
        ("GET", f"/v2/{HOST}/team/web/_trust/tuf/root.json", f"repository:{HOST}/team/web:pull"),
    ],
)
def test_each_path_names_the_scope_it_needs(login: Login, method: str, path: str, scope: str) -> None:
    """M12: the SDK takes the scope from the challenge of the request itself."""
    answer = login.call(method, path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].endswith(f',scope="{scope}"')


def test_unknown_login_server(login: Login) -> None:
    """M12: a login server that no registry owns answers 404."""
    login.host = "nobody1.azurecr.io"
    assert login.call("GET", "/v2/").status == 404


def test_bad_names_are_refused_first(login: Login) -> None:
    """M12: what cannot be a repository is told so, whoever asks."""
    assert login.call("GET", "/v2/Team/web/manifests/v1").code == "NAME_INVALID"
    assert login.call("GET", "/v2/team/web/manifests/-v1").code == "TAG_INVALID"
    assert login.call("GET", "/v2/team/web/blobs/sha256:12").code == "DIGEST_INVALID"


def test_trust_is_off(login: Login) -> None:
    """M3: where trust is off its paths answer 405 to who may pull."""
    token = login.token(f"repository:{HOST}/team/web:pull")
    answer = login.call("GET", f"/v2/{HOST}/team/web/_trust/tuf/root.json", token)
    assert answer.status == 405
