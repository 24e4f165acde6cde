"""Real Azure through azure-identity, with credentials that ask nobody (M6, M28)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import azure.identity
import pytest
from azure.core.exceptions import ClientAuthenticationError

from azext_trust.cloud import azure as real
from azext_trust.cloud import token_cache
from azext_trust.cloud.errors import CloudError

SCOPE = "https://management.core.windows.net//.default"
TENANT = "11111111-1111-1111-1111-111111111111"


class Token(NamedTuple):
    """What a credential gives."""

    token: str
    expires_on: int


def jwt(**claims: object) -> str:
    """Return an unsigned token."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{body}.x"


class Credential:
    """Stands in for a credential of azure-identity, and remembers how it was made and asked."""

    made: list[tuple[str, tuple[Any, ...], dict[str, Any]]]
    asked: list[dict[str, Any]]
    problem: Exception | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        type(self).made.append((type(self).__name__, arguments, named))

    def get_token(self, *scopes: str, **named: Any) -> Token:
        """Give a token."""
        type(self).asked.append({"scopes": scopes, **named})
        if self.problem:
            raise self.problem
        return Token(jwt(tid=TENANT), int(time.time()) + 3600)


class Interactive(Credential):
    """One that a person signs in with."""

    def authenticate(self, **named: Any) -> azure.identity.AuthenticationRecord:
        """Sign in."""
        type(self).asked.append(named)
        return azure.identity.AuthenticationRecord(
            TENANT, "client", "login.microsoftonline.com", "o.t", "alain@contoso.com"
        )


Fake = Callable[[str], type[Credential]]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Return a function that replaces a class of azure-identity."""

    def one(name: str) -> type[Credential]:
        base = Interactive if name in ("DeviceCodeCredential", "InteractiveBrowserCredential") else Credential
        kind = type(name, (base,), {"made": [], "asked": []})
        monkeypatch.setattr(azure.identity, name, kind)
        return kind

    return one


@pytest.mark.parametrize(
    ("way", "name", "kept"),
    [
        ("secret", "ClientSecretCredential", {"secret": "s"}),
        ("certificate", "CertificateCredential", {"certificate": "pem", "chain": "yes"}),
        ("assertion", "ClientAssertionCredential", {"assertion": "a.b.c"}),
    ],
)
def test_service_principal(fake: Fake, config_dir: Path, way: str, name: str, kept: dict[str, str]) -> None:
    """M6: the right credential; the secret is kept with the tokens and not with the accounts."""
    kind = fake(name)
    signed = real.sign_in("AzureCloud", {"way": way, "clientId": "c", **kept}, TENANT, SCOPE)
    assert (signed.name, signed.kind, signed.tenant) == ("c", "servicePrincipal", TENANT)
    assert signed.login == {"way": way, "clientId": "c"}
    account = {"tenantId": TENANT, "user": {"name": "c", "type": "servicePrincipal"}, "login": signed.login}
    token, ends = real.token("AzureCloud", account, SCOPE, '{"a": 1}')
    assert token.count(".") == 2
    assert ends > time.time()
    assert len(kind.made) == 2
    assert kind.made[1][1][:2] == (TENANT, "c")
    assert kind.asked[-1] == {"scopes": (SCOPE,), "enable_cae": True, "claims": '{"a": 1}'}
    token_cache.forget_account("AzureCloud", account)
    assert token_cache.secret_of("AzureCloud", "c", TENANT) == {}


@pytest.mark.parametrize(
    ("way", "name"), [("browser", "InteractiveBrowserCredential"), ("device-code", "DeviceCodeCredential")]
)
def test_person(fake: Fake, way: str, name: str) -> None:
    """M6: the record of a sign-in is kept, and finds the tokens again."""
    kind = fake(name)
    signed = real.sign_in("AzureCloud", {"way": way}, None, SCOPE, '{"a": 1}')
    assert (signed.name, signed.kind, signed.tenant) == ("alain@contoso.com", "user", TENANT)
    assert kind.asked[0] == {"scopes": [SCOPE], "enable_cae": True, "claims": '{"a": 1}'}
    account = {"tenantId": TENANT, "user": {"name": signed.name, "type": "user"}, "login": signed.login}
    real.token("AzureCloud", account, SCOPE, None)
    named = kind.made[1][2]
    assert named["authentication_record"].username == "alain@contoso.com"
    assert named["cache_persistence_options"].name == "aztrust"
    assert named["tenant_id"] == TENANT
    assert named["disable_automatic_authentication"] is True


@pytest.mark.parametrize(
    ("info", "made"),
    [
        ("MSI", {"identity_config": None}),
        ("MSIClient-c", {"client_id": "c"}),
        ("MSIObject-o", {"identity_config": {"object_id": "o"}}),
        ("MSIResource-/subscriptions/a-b", {"identity_config": {"resource_id": "/subscriptions/a-b"}}),
    ],
)
def test_managed_identity(fake: Fake, info: str, made: dict[str, object]) -> None:
    """M6: a managed identity is named as az names it."""
    kind = fake("ManagedIdentityCredential")
    signed = real.sign_in("AzureCloud", {"way": "identity", "identity": info}, None, SCOPE)
    assert kind.made[0][2] == made
    assert signed.details == {"assignedIdentityInfo": info}
    assert signed.name == ("systemAssignedIdentity" if info == "MSI" else "userAssignedIdentity")
    account = {"tenantId": TENANT, "user": {"name": signed.name, "type": "servicePrincipal"}, "login": signed.login}
    assert real.token("AzureCloud", account, SCOPE, None)[1] > time.time()


def test_refused(fake: Fake) -> None:
    """M6: Entra's own text, and no traceback."""
    kind = fake("ClientSecretCredential")
    kind.problem = ClientAuthenticationError("AADSTS7000215: Invalid client secret provided.")
    with pytest.raises(CloudError, match="AADSTS7000215"):
        real.sign_in("AzureCloud", {"way": "secret", "clientId": "c", "secret": "s"}, TENANT, SCOPE)
    assert token_cache.secret_of("AzureCloud", "c", TENANT) == {}


def test_secret_that_is_gone(fake: Fake) -> None:
    """M6: an account whose secret was cleared asks for another sign-in."""
    fake("ClientSecretCredential")
    account = {"tenantId": TENANT, "user": {"name": "c", "type": "servicePrincipal"},
               "login": {"way": "secret", "clientId": "c"}}  # fmt: skip
    with pytest.raises(CloudError, match="Please run 'aztrust login'"):
        real.token("AzureCloud", account, SCOPE, None)


def test_forget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """M6: logging out takes a user's tokens out of azure-identity's cache, and leaves the others'."""
    monkeypatch.setenv("HOME", str(tmp_path))
    tokens = real._cache(True)
    for owner in ("o", "other"):
        info = base64.urlsafe_b64encode(json.dumps({"uid": owner, "utid": "t"}).encode()).decode()
        response = {"access_token": "x", "refresh_token": "y", "expires_in": 60, "client_info": info}
        tokens.add(
            {"client_id": "c", "scope": ["s"], "data": {}, "token_endpoint": "https://l/t/token", "response": response}
        )
    record = azure.identity.AuthenticationRecord(TENANT, "c", "login.microsoftonline.com", "o.t", "alain@contoso.com")
    real.forget({"login": {"record": record.serialize()}, "tenantId": TENANT, "user": {}})
    left = real._cache(True)
    assert {row["home_account_id"] for row in left.search("RefreshToken")} == {"other.t"}


def test_own_authority(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """M28: an authority of one's own is not looked up at Entra's."""
    kind = fake("ClientSecretCredential")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.stack.example")
    real.credential({"way": "secret", "clientId": "c", "secret": "s"}, TENANT)
    assert kind.made[0][2] == {"disable_instance_discovery": True}
