"""An az of three years before, against the same cloud: sign in, look at accounts, look at a registry (M6, M29)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.programs import PASSWORDS, Program, Served, start
from tests.wire.test_sign_in_az import PUSHER, SUBSCRIPTION, TENANT

SHAPES = {"entra": ("--listen", "127.0.1.79:443", "--host", "127.0.1.79"), "adfs": ("--listen", "127.0.0.1:18448")}


@pytest.fixture(scope="module", params=list(SHAPES))
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud in each shape of the login endpoint."""
    started = start(tmp_path_factory.mktemp(request.param) / "state", *SHAPES[request.param])
    yield started
    started.stop()


@pytest.fixture
def older(served: Served, tmp_path: Path) -> Program:
    """Az 2.54, told by ARM_CLOUD_METADATA_URL where the cloud is: so it knows Graph and the login servers' suffix too."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
        "REQUESTS_CA_BUNDLE": str(served.ca), "SSL_CERT_FILE": str(served.ca), "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "ARM_CLOUD_METADATA_URL": f"{served.origin}/metadata/endpoints?api-version=2019-05-01",
    }  # fmt: skip
    program = Program(os.environ["AZTRUST_TEST_OLDER_AZ"], env)
    program.must("cloud", "set", "-n", "aztrust")
    return program


def test_user(older: Program) -> None:
    """M6: password, accounts, a registry, Graph, a token for another resource, logout."""
    assert json.loads(older.must("version"))["azure-cli"] == "2.54.0"
    (account,) = json.loads(older.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"]))
    assert (account["id"], account["tenantId"]) == (SUBSCRIPTION, TENANT)
    assert json.loads(older.must("account", "show"))["user"]["name"] == "owner@contoso.com"
    shown = json.loads(older.must("acr", "show", "-n", "guardedregistry"))
    assert shown["policies"]["trustPolicy"] == {"status": "enabled", "type": "Notary"}
    assert json.loads(older.must("ad", "user", "show", "--id", "alain@contoso.com"))["displayName"] == "Alain"
    older.must("account", "get-access-token", "--resource", "https://containerregistry.azure.net")
    older.must("logout")
    assert older("account", "show").code == 1


def test_service_principal(older: Program) -> None:
    """M6: a client secret."""
    secret = ("--service-principal", "-u", PUSHER, "-p", "Push-an-image-1", "-t", TENANT)
    (account,) = json.loads(older.must("login", *secret))
    assert account["user"] == {"name": PUSHER, "type": "servicePrincipal"}


def test_wrong_password(older: Program) -> None:
    """M6: the service's text."""
    done = older("login", "-u", "owner@contoso.com", "-p", "Wrong-1")
    assert done.code == 1
    assert "AADSTS50126: Error validating credentials due to invalid username or password." in done.err


def test_registered_cloud(older: Program, served: Served) -> None:
    """M29: ``cloud register`` asks the metadata of 2015; the suffix of login servers must be named beside it."""
    env = {name: value for name, value in older.env.items() if name != "ARM_CLOUD_METADATA_URL"}
    own = Program(older.path, env)
    suffix = "azurecr.io" + (f":{served.origin.rsplit(':', 1)[1]}" if served.origin.count(":") == 2 else "")
    own.must("cloud", "register", "-n", "Lab", "--endpoint-resource-manager", served.origin,
             "--suffix-acr-login-server-endpoint", suffix)  # fmt: skip
    own.must("cloud", "set", "-n", "Lab")
    own.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
    assert json.loads(own.must("acr", "show", "-n", "guardedregistry"))["name"] == "guardedregistry"
