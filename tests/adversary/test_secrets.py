"""No secret lies in clear in the files of a state, nor in what the server logs (issue: secrets never in clear)."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from azext_trust.server.store import migrate
from azext_trust.server.store.vault import Vault
from tests.conftest import SEED, SUBSCRIPTION, TENANT, Client
from tests.tokens import token_of

LOCAL = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/myregistry"
VERSION = "?api-version=2023-07-01"
CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def _seeded() -> dict[str, str]:
    found = re.findall('(?:password|secret): "([^"]*)"', SEED)
    return {f"seed {number}": value for number, value in enumerate(found)}


def _signed_in(cloud: Client) -> dict[str, str]:
    """Sign in in several ways, also wrongly; return what was typed and what was handed out."""
    owner = {"grant_type": "password", "username": "owner@contoso.com"}
    answer = cloud.json(cloud.token_request(**owner, password="Owner-pass-1"))
    cloud.token_request(**owner, password="Wrong-guess-1")
    renewed = cloud.json(cloud.token_request(grant_type="refresh_token", refresh_token=answer["refresh_token"]))
    device = cloud.json(cloud.call("POST", f"/{TENANT}/oauth2/v2.0/devicecode", f"client_id={CLI}".encode()))
    return {
        "access token": answer["access_token"], "refresh token": answer["refresh_token"], "guess": "Wrong-guess-1",
        "renewed refresh token": renewed["refresh_token"], "device code": device["device_code"],
    }  # fmt: skip


def _admin(cloud: Client) -> dict[str, str]:
    """Enable the admin account and make one of its passwords anew; return both and the old one."""
    token = token_of(cloud)
    cloud.call("PATCH", LOCAL + VERSION, {"properties": {"adminUserEnabled": True}}, token)
    first = cloud.json(cloud.call("POST", f"{LOCAL}/listCredentials{VERSION}", token=token))
    body = {"name": "password"}
    second = cloud.json(cloud.call("POST", f"{LOCAL}/regenerateCredential{VERSION}", body, token))
    both = [*first["passwords"], *second["passwords"]]
    return {f"admin {number}": one["value"] for number, one in enumerate(both)}


def _client_secret(cloud: Client) -> dict[str, str]:
    token = cloud.sign_in("owner@contoso.com", "Owner-pass-1", "https://graph.microsoft.com/.default")
    found = cloud.json(cloud.call("GET", "/v1.0/applications", token=token))["value"][0]["id"]
    made = cloud.json(cloud.call("POST", f"/v1.0/applications/{found}/addPassword", {}, token))
    user = {
        "accountEnabled": True, "displayName": "New", "mailNickname": "new", "userPrincipalName": "new@contoso.com",
        "passwordProfile": {"password": "Brand-new-pass-1"},
    }  # fmt: skip
    assert cloud.call("POST", "/v1.0/users", user, token).status == 201
    return {"client secret": made["secretText"], "new user": "Brand-new-pass-1"}


def _signing_key(state: Path) -> dict[str, bytes]:
    with closing(sqlite3.connect(state / "state.db")) as connection:
        kid, sealed = connection.execute("SELECT kid, private_sealed FROM signing_key").fetchone()
    plain = Vault(state).decrypt(sealed, f"signing-key:{kid}")
    private = load_der_private_key(plain, None)
    assert isinstance(private, RSAPrivateKey)
    prime = private.private_numbers().p
    return {"signing key": plain, "prime of the signing key": prime.to_bytes(prime.bit_length() // 8, "big")}


def test_no_secret_lies_in_clear(cloud: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Passwords, client secrets, admin passwords, tokens, codes and keys: in no file but the key files, in no log."""
    caplog.set_level(logging.DEBUG)
    state = cloud.app.store.directory
    known = _seeded() | _signed_in(cloud) | _admin(cloud) | _client_secret(cloud)
    secrets = {name: value.encode() for name, value in known.items()} | _signing_key(state)
    secrets |= {f"key file {path.name}": path.read_bytes().rstrip(b"\n") for path in (state / "keys").iterdir()}
    migrate._back_up(state / "state.db", "0002")
    looked_at = {path.name: path.read_bytes().rstrip(b"\n") for path in state.glob("*") if path.is_file()}
    assert looked_at.keys() >= {"state.db", "state.db-wal", "state.db.0002.bak"}
    looked_at["the server's log"] = caplog.text.encode()
    assert len(secrets) == 19
    assert min(map(len, secrets.values())) >= 12
    assert [(file, name) for file, content in looked_at.items() for name, secret in secrets.items()
            if secret in content] == []  # fmt: skip


def test_a_statement_that_fails_logs_no_value(cloud: Client, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is logged with its traceback, and without what was to be written."""
    with cloud.app.store.write() as transaction:
        transaction.session.connection().exec_driver_sql("DROP TABLE credential")
    refused = cloud.token_request(grant_type="password", username="owner@contoso.com", password="Owner-pass-1")
    assert refused.status == 500
    assert "no such table" in caplog.text
    assert "owner@contoso.com" not in caplog.text
