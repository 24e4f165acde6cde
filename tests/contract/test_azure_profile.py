"""The profile for real Azure, its endpoints led to a served cloud: azure-identity signs in, our clients do the rest (M28)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sign_in import Certificate, claims_of
from tests.sockets import free_port
from tests.wire.browsers import HOOK, device_page
from tests.wire.programs import PASSWORDS, Done, Served, start

TENANT = "11111111-1111-1111-1111-111111111111"
PUSHER = "44444444-4444-4444-4444-444444444444"
LED = """
import dataclasses, os, sys
from azext_trust.cloud import profile
from azext_trust.cli.main import run
where = os.environ["AZTRUST_TEST_ORIGIN"]
profile.BUILT_IN["AzureCloud"] = dataclasses.replace(profile.AZURE, arm=where, graph=where + "/")
sys.exit(run(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Azure:
    """aztrust with the profile AzureCloud in use."""

    env: dict[str, str]

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen([sys.executable, "-c", LED, *words], env={**self.env, **env}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip

    def __call__(self, *words: str, **env: str) -> Done:
        """Run a command."""
        process = self.start(*words, **env)
        out, err = process.communicate(timeout=60)
        return Done(process.returncode, out, err)

    def must(self, *words: str) -> str:
        """Run a command that succeeds."""
        done = self(*words)
        assert done.code == 0, f"{words}\n{done.out}\n{done.err}"
        return done.out


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud that stands in for Azure."""
    started = start(tmp_path_factory.mktemp("azure") / "state", "--listen", f"127.0.0.1:{free_port()}")
    yield started
    started.stop()


@pytest.fixture
def azure(served: Served, tmp_path: Path) -> Azure:
    """aztrust, with nobody signed in."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AZTRUST_CONFIG_DIR": str(tmp_path / "own"),
        "AZTRUST_CLOUD": "AzureCloud", "AZTRUST_TEST_ORIGIN": served.origin, "AZURE_AUTHORITY_HOST": served.origin,
        "REQUESTS_CA_BUNDLE": str(served.ca),
    }  # fmt: skip
    return Azure(env)


def kept(azure: Azure) -> str:
    """Return what is kept of accounts, and of azure-identity's cache."""
    places = [Path(azure.env["AZTRUST_CONFIG_DIR"]), Path(azure.env["HOME"]) / ".IdentityService"]
    return "".join(path.read_text() for place in places if place.exists() for path in place.iterdir() if path.is_file())


def test_secret(azure: Azure) -> None:
    """M6: a service principal by secret, through its commands and out again."""
    words = ("login", "--service-principal", "-u", PUSHER, "-p", "Push-an-image-1", "-t", TENANT)
    (account,) = json.loads(azure.must(*words))
    assert account["user"] == {"name": PUSHER, "type": "servicePrincipal"}
    accounts = Path(azure.env["AZTRUST_CONFIG_DIR"]) / "accounts-AzureCloud.json"
    assert "Push-an-image-1" not in accounts.read_text()
    shown = json.loads(azure.must("account", "get-access-token"))["accessToken"]
    assert claims_of(shown)["appid"] == PUSHER
    azure.must("logout")
    assert "Push-an-image-1" not in kept(azure)
    assert azure("account", "show").code == 1


def test_certificate(azure: Azure, served: Served, tmp_path: Path) -> None:
    """M6: a service principal by certificate."""
    from azext_trust.server.store.transaction import Store

    certificate, store = Certificate.new(), Store(served.state)
    certificate.register(store, PUSHER)
    store.close()
    (tmp_path / "cert.pem").write_text(certificate.pem)
    words = ("login", "--service-principal", "-u", PUSHER, "--certificate", str(tmp_path / "cert.pem"), "-t", TENANT)
    assert json.loads(azure.must(*words))[0]["user"]["name"] == PUSHER


def test_wrong_secret(azure: Azure) -> None:
    """M6: the service's own text, and nothing is kept."""
    done = azure("login", "--service-principal", "-u", PUSHER, "-p", "x", "-t", TENANT)
    assert (done.code, "AADSTS7000215" in done.err, "Traceback" in done.err) == (1, True, False)
    assert azure("account", "show").code == 1


def test_device_code(azure: Azure, served: Served) -> None:
    """M6: a person by device code; the token cache finds the sign-in again, and logout forgets it."""
    process = azure.start("login", "--use-device-code")
    assert process.stderr is not None
    line = process.stderr.readline()
    while line and "enter the code" not in line:
        line = process.stderr.readline()
    address, code = line.split("open the page ")[1].split()[0], line.split("enter the code ")[1].split()[0]
    device_page(address, code, "owner@contoso.com", PASSWORDS["owner"], str(served.ca))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)[0]["user"] == {"name": "owner@contoso.com", "type": "user"}
    assert json.loads(azure.must("acr", "show", "-n", "guardedregistry"))["name"] == "guardedregistry"
    assert "RefreshToken" in kept(azure)
    azure.must("logout")
    assert '"refresh_token"' not in kept(azure).lower()
    assert "guardedregistry" not in azure("acr", "show", "-n", "guardedregistry").out


def test_browser(azure: Azure, served: Served, tmp_path: Path) -> None:
    """M6: a person in the browser."""
    env = HOOK.environment(tmp_path, "owner@contoso.com", PASSWORDS["owner"], str(served.ca))
    done = azure("login", **env)
    assert done.code == 0, done.err
    assert json.loads(done.out)[0]["user"]["name"] == "owner@contoso.com"
    azure.must("acr", "list")
    for path in (Path(azure.env["HOME"]) / ".IdentityService").iterdir():
        path.write_text("{}")
    ended = azure("acr", "list", **env)
    assert (ended.code, "Please run 'aztrust login' to setup account." in ended.err) == (1, True)


def test_password(azure: Azure) -> None:
    """M6: azure-identity signs nobody in by password any more; the text says what to do instead."""
    done = azure("login", "-u", "owner@contoso.com", "-p", "x")
    assert done.code == 1
    assert "Use 'aztrust login' or --use-device-code" in done.err
