"""Signing keys: published before they sign, kept while their tokens live, then gone (M6)."""

from __future__ import annotations

from typing import Any

import jwt

from azext_trust.server.gate import signing_keys
from azext_trust.server.store import tokens
from tests.conftest import Client
from tests.sign_in import advance

DAY = 86400


def published(cloud: Client) -> list[str]:
    """Return the key ids of the key set."""
    return [key["kid"] for key in cloud.json(cloud.call("GET", "/common/discovery/keys"))["keys"]]


def token(cloud: Client) -> str:
    """Return a fresh access token."""
    return cloud.sign_in("owner@contoso.com", "Owner-pass-1")


def signed_with(text: str) -> str:
    """Return the key id of a token."""
    return str(jwt.get_unverified_header(text)["kid"])


def works(cloud: Client, text: str) -> bool:
    """Tell whether Resource Manager takes a token."""
    return cloud.call("GET", "/subscriptions?api-version=2022-12-01", token=text).status == 200


def operator(cloud: Client, method: str, path: str, body: object = None) -> Any:
    """Ask the operator service."""
    key = cloud.app.store.vault.operator_key()
    return cloud.json(cloud.call(method, f"/operator/{path}", body, key))


def test_by_age(cloud: Client) -> None:
    """M6: after six weeks another key is announced, signs a day later, and the old one leaves when its tokens are dead."""
    (first,) = published(cloud)
    advance(cloud, 42 * DAY)
    assert signed_with(token(cloud)) == first
    second, old = published(cloud)
    assert old == first
    advance(cloud, DAY + 1)
    late = token(cloud)
    assert signed_with(late) == second
    assert published(cloud) == [second, first]
    advance(cloud, DAY + 301)
    assert published(cloud) == [second]


def test_dead_keys_are_deleted(cloud: Client) -> None:
    """M6: a private key that verifies nothing any more is not kept."""
    for _ in range(3):
        token(cloud)
        advance(cloud, 60 * DAY)
    token(cloud)
    with cloud.app.store.read() as transaction:
        assert len(tokens.signing_keys(transaction.session)) <= 3


def test_by_the_operator(cloud: Client) -> None:
    """M6: a rotation signs with the new key at once; older tokens go on."""
    before = token(cloud)
    rows = operator(cloud, "POST", "signing-keys", {})["value"]
    assert [row["signing"] for row in rows] == [True, False]
    after = token(cloud)
    assert signed_with(after) == rows[0]["kid"] != signed_with(before)
    assert works(cloud, before)
    assert works(cloud, after)


def test_forgotten_keys(cloud: Client) -> None:
    """M6: after a theft the older keys go at once, and with them every token they signed."""
    before = token(cloud)
    operator(cloud, "POST", "signing-keys", {"forget": True})
    assert not works(cloud, before)
    assert works(cloud, token(cloud))
    assert signed_with(before) not in published(cloud)


def test_only_the_operator(cloud: Client) -> None:
    """M12: nobody else lists, replaces or revokes, an Owner included."""
    owner = token(cloud)
    for method, path in (("GET", "signing-keys"), ("POST", "signing-keys"), ("POST", "access-tokens/revoke")):
        assert cloud.call(method, f"/operator/{path}", {}, owner).status == 401
    assert len(published(cloud)) == 1


def test_clock_before_all_keys(cloud: Client) -> None:
    """M6: a clock that was set back finds a key all the same."""
    advance(cloud, -400 * DAY)
    text = token(cloud)
    assert works(cloud, text)


def test_private_half_is_sealed(cloud: Client) -> None:
    """M6: no private key lies in the state in clear."""
    with cloud.app.store.read() as transaction:
        for key in tokens.signing_keys(transaction.session):
            assert "PRIVATE" not in key.private_sealed
            assert signing_keys.private_key(cloud.app.store.vault, key).key_size == 2048
