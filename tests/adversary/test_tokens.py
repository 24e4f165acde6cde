"""Access tokens that are not what they say: each meets the real 401, and nothing changes (M6, M12)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from azext_trust.server.app import create_app
from azext_trust.server.gate import minting, signing_keys
from azext_trust.server.gate.call import Settings
from azext_trust.server.store import principals, tokens
from tests.conftest import SUBSCRIPTION, TENANT, Client
from tests.sign_in import AZURE_CLI, advance, claims_of
from tests.tokens import token_of

REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/myregistry"
)
TARGET = f"{REGISTRY}?api-version=2023-07-01"
CHANGE = {"tags": {"owned": "yes"}}


def key_of(cloud: Client) -> tuple[str, rsa.RSAPrivateKey]:
    """Return the id and the private half of the signing key: what only the server has."""
    with cloud.app.store.read() as transaction:
        row = signing_keys.current(transaction)
        return row.kid, signing_keys.private_key(cloud.app.store.vault, row)


def public_pem(cloud: Client) -> bytes:
    """Return the public half, which everybody has."""
    _, private = key_of(cloud)
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def signed(cloud: Client, algorithm: str = "RS256", key: Any = None, header: dict[str, Any] | None = None,
           **claims: object) -> str:  # fmt: skip
    """Return the owner's token with other claims, signed as the server would unless told otherwise."""
    kid, private = key_of(cloud)
    body = {k: v for k, v in {**claims_of(token_of(cloud)), **claims}.items() if v is not None}
    return jwt.encode(body, private if key is None else key, algorithm, headers={"kid": kid, **(header or {})})


def part(value: object) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(cloud: Client) -> str:
    """Return a token with the algorithm ``none``, in the spelling that fools some libraries."""
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': key_of(cloud)[0]})}.{part(claims_of(token_of(cloud)))}."


def tampered(cloud: Client) -> str:
    """Return a reader's token whose object id was replaced by the owner's."""
    reader, owner = token_of(cloud, "reader@contoso.com"), claims_of(token_of(cloud))
    head, _, signature = reader.split(".")
    return f"{head}.{part({**claims_of(reader), 'oid': owner['oid']})}.{signature}"


def by_public_key(cloud: Client) -> str:
    """Return a token signed by HMAC with the public key as its secret (RFC 8725 section 2.1)."""
    import hashlib
    import hmac

    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': key_of(cloud)[0]})}.{part(claims_of(token_of(cloud)))}"
    mac = hmac.new(public_pem(cloud), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def own_key(cloud: Client, **header: object) -> str:
    """Return a token signed with a key of the attacker's, which its header brings along or points to."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    known = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    return signed(cloud, key=private, header={"jwk": known, "jku": "https://evil.example/keys", **header})


ATTACKS: dict[str, tuple[Callable[[Client], str], str]] = {
    "nothing": (lambda _: "", "AuthenticationFailed"),
    "garbage": (lambda _: "garbage", "InvalidAuthenticationToken"),
    "two dots": (lambda _: "..", "InvalidAuthenticationToken"),
    "unsigned": (unsigned, "InvalidAuthenticationToken"),
    "public key as secret": (by_public_key, "InvalidAuthenticationToken"),
    "tampered": (tampered, "InvalidAuthenticationToken"),
    "signature cut": (lambda cloud: token_of(cloud)[:-20], "InvalidAuthenticationToken"),
    "own key": (own_key, "InvalidAuthenticationToken"),
    "no kid": (lambda cloud: own_key(cloud, kid=""), "InvalidAuthenticationToken"),
    "kid of a file": (lambda cloud: own_key(cloud, kid="../../../../dev/null"), "InvalidAuthenticationToken"),
    "kid of a query": (lambda cloud: own_key(cloud, kid="' OR '1'='1"), "InvalidAuthenticationToken"),
    "another algorithm": (lambda cloud: signed(cloud, "RS512"), "InvalidAuthenticationToken"),
    "PSS": (lambda cloud: signed(cloud, "PS256"), "InvalidAuthenticationToken"),
    "critical header": (lambda cloud: signed(cloud, header={"crit": ["b64"], "b64": False}), "InvalidAuthenticationToken"),
    "expired": (lambda cloud: signed(cloud, exp=1), "ExpiredAuthenticationToken"),
    "no end": (lambda cloud: signed(cloud, exp=None), "ExpiredAuthenticationToken"),
    "end in words": (lambda cloud: signed(cloud, exp="never"), "ExpiredAuthenticationToken"),
    "endless": (lambda cloud: signed(cloud, exp=float("inf")), "ExpiredAuthenticationToken"),
    "not yet": (lambda cloud: signed(cloud, nbf=2**40), "InvalidAuthenticationToken"),
    "other tenant": (lambda cloud: signed(cloud, tid=TENANT[::-1].replace("1", "9")), "InvalidAuthenticationTokenTenant"),
    "other issuer": (lambda cloud: signed(cloud, iss="https://sts.windows.net/other/"), "InvalidAuthenticationTokenTenant"),
    "no issuer": (lambda cloud: signed(cloud, iss=None), "InvalidAuthenticationTokenTenant"),
    "registry's audience": (lambda cloud: signed(cloud, aud="https://containerregistry.azure.net"),
                            "InvalidAuthenticationTokenAudience"),
    "audience with more": (lambda cloud: signed(cloud, aud="https://management.azure.com.evil.example"),
                           "InvalidAuthenticationTokenAudience"),
    "audience as a list": (lambda cloud: signed(cloud, aud=["https://management.azure.com"]),
                           "InvalidAuthenticationTokenAudience"),
    "nobody": (lambda cloud: signed(cloud, oid="99999999-9999-9999-9999-999999999999"), "InvalidAuthenticationToken"),
    "no object id": (lambda cloud: signed(cloud, oid=None), "InvalidAuthenticationToken"),
}  # fmt: skip


def attempt(cloud: Client, token: str) -> tuple[int, str]:
    """Try to change the registry, and return status and code."""
    reply = cloud.call("PATCH", TARGET, CHANGE, token)
    return reply.status, str(cloud.json(reply).get("error", {}).get("code", ""))


def unchanged(cloud: Client) -> bool:
    """Tell whether the registry is as the seed made it."""
    return "owned" not in str(cloud.call("GET", TARGET, token=token_of(cloud)).body)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack(cloud: Client, attack: str) -> None:
    """M12: the real code, and no change; the same owner's good token works before and after."""
    make, code = ATTACKS[attack]
    assert attempt(cloud, make(cloud)) == (401, code)
    assert unchanged(cloud)
    assert attempt(cloud, signed(cloud))[0] == 200


def test_token_of_another_cloud(cloud: Client, tmp_path: Any) -> None:
    """M12: a cloud with the same tenant id and names has another key: its tokens are good there alone."""
    from tests.conftest import SEED

    (tmp_path / "seed.yaml").write_text(SEED)
    other = create_app(Settings(state=tmp_path / "other", seed=tmp_path / "seed.yaml", quiet=True))
    token = token_of(Client(other))
    other.store.close()
    assert attempt(cloud, token) == (401, "InvalidAuthenticationToken")
    assert unchanged(cloud)


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
def test_other_tokens_of_the_same_sign_in(cloud: Client, kind: str) -> None:
    """M12: an id_token tells a client who signed in, and opens nothing; nor does a refresh token."""
    reply = cloud.token_request(grant_type="password", username="owner@contoso.com", password="Owner-pass-1")
    status, _ = attempt(cloud, cloud.json(reply)[kind])
    assert status == 401
    assert unchanged(cloud)


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "bearerx", "Token"])
def test_other_schemes(cloud: Client, scheme: str) -> None:
    """M12: a good token under another scheme is none."""
    reply = cloud.call("PATCH", TARGET, CHANGE, authorization=f"{scheme} {token_of(cloud)}")
    assert reply.status == 401
    assert unchanged(cloud)


def test_operator_key_opens_no_other_service(cloud: Client) -> None:
    """M12: the operator key is good at the operator service alone."""
    assert attempt(cloud, cloud.app.store.vault.operator_key())[0] == 401
    assert cloud.call("GET", "/v1.0/users", token=cloud.app.store.vault.operator_key()).status == 401


def test_key_that_left(cloud: Client) -> None:
    """M6: whoever keeps a private key after it left the key set signs nothing with it."""
    kid, private = key_of(cloud)
    cloud.call("POST", "/operator/signing-keys", {}, cloud.app.store.vault.operator_key())
    advance(cloud, signing_keys.LONGEST.total_seconds() + 1)
    with cloud.app.store.read() as transaction:
        now = int(transaction.now().timestamp())
        assert transaction.session.get(tokens.SigningKey, kid) is not None
        user = principals.user_by_upn(transaction.session, "owner@contoso.com")
        assert user is not None
        body = claims_of(minting.access_token(transaction, cloud.app.settings, user, AZURE_CLI,
                                              "https://management.azure.com"))  # fmt: skip
    forged = jwt.encode({**body, "nbf": now, "exp": now + 3600}, private, "RS256", headers={"kid": kid})
    assert attempt(cloud, forged) == (401, "InvalidAuthenticationToken")
    assert unchanged(cloud)


def test_disabled_and_deleted(cloud: Client) -> None:
    """M12: a token dies with its account, whatever its end says."""
    owner, reader = token_of(cloud), token_of(cloud, "reader@contoso.com")
    graph = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    change = {"accountEnabled": False}
    assert cloud.call("PATCH", "/v1.0/users/reader@contoso.com", change, graph).status == 204
    assert cloud.call("GET", TARGET, token=reader).status == 401
    assert cloud.call("DELETE", "/v1.0/users/reader@contoso.com", token=graph).status == 204
    assert cloud.call("GET", TARGET, token=reader).status == 401
    assert cloud.call("GET", TARGET, token=owner).status == 200
