"""aztrust's own ways of signing in do the same embedded and served (M6, M28)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from azext_trust.server.store.transaction import Store
from tests.managed_identities import add
from tests.sign_in import Certificate, claims_of
from tests.sockets import free_port
from tests.wire.browsers import HOOK, device_page
from tests.wire.programs import PASSWORDS, SEED, Done, Program, Served, aztrust, aztrust_served, start

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
PUSHER, BUILDER = "44444444-4444-4444-4444-444444444444", "33333333-3333-3333-3333-333333333333"
EXCHANGE = "api://AzureADTokenExchange"
OWNER = ("-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
ACCOUNT = {
    "cloudName", "homeTenantId", "id", "isDefault", "managedByTenants", "name", "state", "tenantDefaultDomain",
    "tenantDisplayName", "tenantId", "user",
}  # fmt: skip


@dataclass(frozen=True)
class Way:
    """One of the two clouds.

    Attributes:
        state: its directory.
        served: the server, or None for the embedded one.
        imds: the address of the metadata service, or empty.
    """

    state: Path
    served: Served | None = None
    imds: str = ""

    def program(self, home: Path) -> Program:
        """Return aztrust, with nobody signed in."""
        if self.served is None:
            return aztrust(home, self.state)
        found = aztrust_served(home, self.served)
        return Program(found.path, {**found.env, "AZURE_POD_IDENTITY_AUTHORITY_HOST": self.imds})

    def operator(self, program: Program, *words: str) -> str:
        """Run a command on the cloud directory."""
        return program.must(*words, "--state", str(self.state))


@pytest.fixture(scope="module", params=["embedded", "served"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """The embedded cloud, and a served one with its metadata service."""
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "embedded":
        aztrust(directory, directory / "state").must("cloud", "init", "--seed", str(SEED))
        yield Way(directory / "state")
        return
    imds = f"127.0.0.1:{free_port()}"
    served = start(directory / "state", "--listen", f"127.0.0.1:{free_port()}", "--imds", imds)
    yield Way(directory / "state", served, f"http://{imds}")
    served.stop()


@pytest.fixture
def own(way: Way, tmp_path: Path) -> Program:
    """aztrust, with nobody signed in."""
    return way.program(tmp_path)


def accounts(text: str) -> list[dict[str, Any]]:
    """Return what login printed."""
    found: list[dict[str, Any]] = json.loads(text)
    return found


def token(program: Program, *more: str) -> dict[str, Any]:
    """Return the claims of an access token."""
    return claims_of(json.loads(program.must("account", "get-access-token", *more))["accessToken"])


@pytest.mark.parametrize("tenant", [(), ("-t", TENANT), ("-t", "contoso.com")])
def test_password(own: Program, tenant: tuple[str, ...]) -> None:
    """M6: user and password; without and with the tenant."""
    (account,) = accounts(own.must("login", *OWNER, *tenant))
    assert (account["id"], account["tenantId"], account["isDefault"]) == (SUBSCRIPTION, TENANT, True)
    assert set(account) == (ACCOUNT if not tenant else ACCOUNT - {"tenantDefaultDomain", "tenantDisplayName"})
    assert token(own)["upn"] == "owner@contoso.com"


def test_bare_login(own: Program, way: Way, tmp_path: Path) -> None:
    """M6: embedded, a bare login makes one the Owner; served, it opens the browser."""
    if way.served is None:
        done = own("login")
        assert "Signed in to the embedded cloud as owner@contoso.com" in done.err
    else:
        env = HOOK.environment(tmp_path, "owner@contoso.com", PASSWORDS["owner"], str(way.served.ca))
        done = Program(own.path, {**own.env, **env})("login")
        assert "A web browser has been opened at" in done.err
    assert done.code == 0, done.err
    assert accounts(done.out)[0]["user"] == {"name": "owner@contoso.com", "type": "user"}
    assert (
        token(own, "--resource", "https://containerregistry.azure.net")["aud"] == "https://containerregistry.azure.net"
    )


def test_device_code(own: Program, way: Way) -> None:
    """M6: the code is entered on a page; embedded, the page is served for as long as it takes."""
    process = subprocess.Popen(
        [own.path, "login", "--use-device-code"], env=own.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    line = process.stderr.readline()
    while line and "enter the code" not in line:
        line = process.stderr.readline()
    address, code = line.split("open the page ")[1].split()[0], line.split("enter the code ")[1].split()[0]
    ca = str(way.state / "ca" / "ca.pem")
    assert "signed in" in device_page(address, code, "owner@contoso.com", PASSWORDS["owner"], ca)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert accounts(out)[0]["user"]["name"] == "owner@contoso.com"
    own.must("acr", "list")


def test_secret(own: Program) -> None:
    """M6: a client secret; the token is renewed from what was kept."""
    (account,) = accounts(own.must("login", "--service-principal", "-u", PUSHER, "-p", "Push-an-image-1", "-t", TENANT))
    assert account["user"] == {"name": PUSHER, "type": "servicePrincipal"}
    assert token(own, "--resource", "https://containerregistry.azure.net")["appid"] == PUSHER
    own.must("logout")
    assert own("account", "show").code == 1


@pytest.mark.parametrize("chain", [(), ("--use-cert-sn-issuer",)])
def test_certificate(own: Program, way: Way, tmp_path: Path, chain: tuple[str, ...]) -> None:
    """M6: a certificate file as az wants it; another's is refused with the service's text."""
    certificate, path = Certificate.new(), tmp_path / "cert.pem"
    store = Store(way.state)
    certificate.register(store, PUSHER)
    store.close()
    path.write_text(certificate.pem)
    words = ("login", "--service-principal", "-u", PUSHER, "-t", TENANT, "--certificate")
    (account,) = accounts(own.must(*words, str(path), *chain))
    assert account["user"].get("useCertSNIssuerAuth", False) == bool(chain)
    assert token(own, "--resource", "https://containerregistry.azure.net")["appidacr"] == "2"
    path.write_text(Certificate.new().pem)
    done = own(*words, str(path))
    assert done.code == 1
    assert "AADSTS700027" in done.err


@pytest.mark.parametrize("content", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"])
def test_certificate_that_is_none(own: Program, tmp_path: Path, content: str) -> None:
    """M6: a file that is no certificate is told so."""
    path = tmp_path / "cert.pem"
    path.write_text(content)
    done = own("login", "--service-principal", "-u", PUSHER, "-t", TENANT, "--certificate", str(path))
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert "certificate" in done.err


def test_federated_token(own: Program, way: Way) -> None:
    """M6: a token of another application of this cloud, which this one trusts."""
    secret = ("--service-principal", "-u", BUILDER, "-p", "Build-an-image-1", "-t", TENANT, "--allow-no-subscriptions")
    own.must("login", *secret)
    shown = json.loads(own.must("account", "get-access-token", "--scope", f"{EXCHANGE}/.default"))
    claims = claims_of(shown["accessToken"])
    own.must("login", *OWNER)
    credential = {
        "name": "f",
        "issuer": claims["iss"],
        "subject": claims["sub"],
        "audiences": [EXCHANGE],
    }
    own.must("ad", "app", "federated-credential", "create", "--id", PUSHER, "--parameters", json.dumps(credential))
    words = ("login", "--service-principal", "-t", TENANT, "--federated-token", shown["accessToken"], "-u")
    assert accounts(own.must(*words, PUSHER))[0]["user"]["name"] == PUSHER
    assert "AADSTS70025" in own(*words, BUILDER).err


def test_managed_identity(own: Program, way: Way) -> None:
    """M6: through the metadata service; embedded, through the one that is in the process."""
    store = Store(way.state)
    identity = add(store, f"/subscriptions/{SUBSCRIPTION}/resourcegroups/guarded/providers/"
                          "Microsoft.ManagedIdentity/userAssignedIdentities/ci")  # fmt: skip
    store.close()
    refused = own("login", "--identity")
    assert refused.code == 1
    assert "No access was configured for the managed identity" in refused.err
    own.must("login", *OWNER)
    own.must("role", "assignment", "create", "--role", "Reader", "--assignee-object-id", identity.id,
             "--assignee-principal-type", "ServicePrincipal", "--scope", f"/subscriptions/{SUBSCRIPTION}")  # fmt: skip
    for words, info in (((), "MSI"), (("--client-id", str(identity.app_id)), f"MSIClient-{identity.app_id}")):
        (account,) = accounts(own.must("login", "--identity", *words))
        assert account["user"]["assignedIdentityInfo"] == info
        assert json.loads(own.must("acr", "show", "-n", "guardedregistry"))["name"] == "guardedregistry"
        own.must("logout")
    assert "Identity not found" in own("login", "--identity", "--client-id", TENANT).err


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("-u", "owner@contoso.com", "-p", "x"), "AADSTS50126: Error validating credentials"),
    (("-u", "nobody@contoso.com", "-p", "x"), "AADSTS50034: The user account"),
    ((*OWNER, "-t", "other.example"), "Failed to resolve tenant 'other.example'."),
    (("--service-principal", "-u", BUILDER, "-p", "x", "-t", TENANT), "AADSTS7000215: Invalid client secret provided."),
    (("-u", "alain@contoso.com", "-p", "Sign-an-image-1"), "No subscriptions found for alain@contoso.com."),
]
USAGE: list[tuple[tuple[str, ...], str]] = [
    (("-u", "owner@contoso.com"), "Please specify both username and password in non-interactive mode."),
    (("--service-principal",), "usage error: --service-principal --username NAME --password SECRET --tenant TENANT"),
    (("--identity", "-u", "x"), "Passing the managed identity ID with --username is no longer supported."),
    (("--identity", "-t", "x"), "usage error: '--identity' is not applicable with other arguments"),
    (
        ("--identity", "--client-id", "a", "--object-id", "b"),
        "Usage error: Provide only one of --client-id, --object-id",
    ),
    (("--use-device-code", "-u", "x"), "usage error: '--use-device-code' is not applicable with other arguments"),
    (("--skip-sub",), "usage error: '--skip-subscription-discovery' requires '--tenant'"),
    (("--claims-challenge", "%"), "--claims-challenge is no base64 text."),
]


def test_refused(own: Program) -> None:
    """M6: what the service refuses is told in its own words; nobody is signed in afterwards."""
    for words, text in REFUSED:
        done = own("login", *words)
        assert (done.code, "Traceback" in done.err) == (1, False), done
        assert text in done.err
    assert own("account", "show").code == 1


def test_usage(tmp_path: Path) -> None:
    """M6: options that do not fit together are told in az's words, before any cloud is asked."""
    program = aztrust(tmp_path, tmp_path / "state")
    for words, text in USAGE:
        done = program("login", *words)
        assert (done.code, "Traceback" in done.err) == (1, False), done
        assert text in done.err
    assert not (tmp_path / "state").exists()


def test_accounts(own: Program) -> None:
    """M6: two people, one of them without a subscription."""
    own.must("login", *OWNER)
    own.must("login", "-u", "alain@contoso.com", "-p", "Sign-an-image-1", "--allow-no-subscriptions")
    assert [row["name"] for row in accounts(own.must("account", "list"))] == ["Lab", "N/A(tenant level account)"]
    assert token(own)["upn"] == "alain@contoso.com"
    own.must("account", "set", "-s", "Lab")
    assert token(own)["upn"] == "owner@contoso.com"
    assert accounts(own.must("account", "list", "--refresh"))[0]["name"] == "Lab"
    assert json.loads(own.must("account", "tenant", "list"))[0]["tenantId"] == TENANT
    assert {"name", "displayName", "metadata"} <= set(json.loads(own.must("account", "list-locations"))[0])
    own.must("logout")
    assert own("account", "show").code == 1
    assert [row["user"]["name"] for row in accounts(own.must("account", "list"))] == ["alain@contoso.com"]
    own.must("account", "clear")
    assert json.loads(own.must("account", "list")) == []


def test_revoked_tokens_are_renewed(own: Program, way: Way) -> None:
    """M6: a challenge is answered with a new token, and nobody notices."""
    own.must("login", *OWNER)
    way.operator(own, "local", "token", "revoke")
    own.must("acr", "list")


def test_forgotten_keys(own: Program, way: Way) -> None:
    """M11: tokens of a key that was deleted are refused, and renewed at once."""
    own.must("login", *OWNER)
    way.operator(own, "local", "key", "rotate", "--forget")
    own.must("acr", "list")


def test_expired_tokens_are_renewed(own: Program, way: Way) -> None:
    """M11: when the cloud is two hours further than the cached token thinks, the next command gets another one."""
    own.must("login", *OWNER)
    before = token(own)["exp"]
    try:
        way.operator(own, "local", "clock", "advance", "-s", "7200")
        own.must("acr", "list")
        assert token(own)["exp"] >= before + 7000
    finally:
        way.operator(own, "local", "clock", "reset")


def test_ended_sign_in(own: Program, way: Way) -> None:
    """M6: a refresh token that is dead tells how to sign in again."""
    own.must("login", *OWNER)
    try:
        way.operator(own, "local", "clock", "advance", "-s", str(100 * 86400))
        done = own("acr", "list")
    finally:
        way.operator(own, "local", "clock", "reset")
    assert done.code == 1
    assert "AADSTS700082" in done.err
    assert "aztrust login --tenant" in done.err


def test_several_at_once(own: Program) -> None:
    """M6: commands that run at the same time on one cache, each for another resource, all get their token."""
    own.must("login", *OWNER)
    resources = ("https://graph.microsoft.com", "https://containerregistry.azure.net", "api://builder")
    running = [
        subprocess.Popen([own.path, "account", "get-access-token", "--resource", resource], env=own.env,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for resource in resources
    ]  # fmt: skip
    ends = [Done(process.wait(60), *process.communicate()) for process in running]
    assert [done.code for done in ends] == [0, 0, 0], ends
    assert [claims_of(json.loads(done.out)["accessToken"])["aud"] for done in ends] == list(resources)
    own.must("acr", "list")


def test_secrets_stay_out_of_sight(own: Program, way: Way, tmp_path: Path) -> None:
    """M6: no file of the configuration is for others to read; ``--debug`` prints no secret."""
    done = own("login", *OWNER, "--debug")
    assert done.code == 0, done.err
    assert PASSWORDS["owner"] not in done.err
    directory = Path(own.env["AZTRUST_CONFIG_DIR"])
    assert directory.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in directory.iterdir() if path.suffix in (".json", ".bin"))


def test_token_of_another_issuer(own: Program, way: Way, tmp_path: Path) -> None:
    """M6: a pipeline's own token, verified with the keys that its issuer publishes over HTTPS: here another cloud."""
    if way.served is None:
        return
    own.must(
        "login",
        "--service-principal",
        "-u",
        BUILDER,
        "-p",
        "Build-an-image-1",
        "-t",
        TENANT,
        "--allow-no-subscriptions",
    )
    shown = json.loads(own.must("account", "get-access-token", "--scope", f"{EXCHANGE}/.default"))["accessToken"]
    claims = claims_of(shown)
    second = aztrust(tmp_path / "second", tmp_path / "second" / "state")
    second.must("cloud", "init", "--seed", str(SEED))
    second.must("login", *OWNER)
    credential = {"name": "f", "issuer": claims["iss"], "subject": claims["sub"], "audiences": [EXCHANGE]}
    second.must("ad", "app", "federated-credential", "create", "--id", PUSHER, "--parameters", json.dumps(credential))
    words = ("login", "--service-principal", "-t", TENANT, "-u", PUSHER, "--federated-token", shown)
    assert "AADSTS90061" in second(*words).err  # its authority is not trusted yet
    trusting = Program(second.path, {**second.env, "REQUESTS_CA_BUNDLE": str(way.served.ca)})
    assert accounts(trusting.must(*words))[0]["user"]["name"] == PUSHER
    way.operator(own, "local", "key", "rotate", "--forget")
    trusting.must("account", "clear")
    assert "AADSTS700027" in trusting(*words).err


@pytest.fixture
def clouds(tmp_path: Path) -> Callable[..., Done]:
    """Return a function that runs ``aztrust cloud``."""
    program = aztrust(tmp_path, tmp_path / "state")
    return lambda *words: program("cloud", *words)


def test_clouds(clouds: Callable[..., Done], way: Way) -> None:
    """M28: register, set, show, list, unregister, and az's words where that cannot be."""
    if way.served is None:
        assert [row["name"] for row in json.loads(clouds("list").out)] == ["Embedded", "AzureCloud"]
        assert "cannot be unregistered" in clouds("unregister", "-n", "Embedded").err
        assert "is not registered" in clouds("set", "-n", "Nope").err
        return
    words = ("--endpoint-resource-manager", way.served.origin, "--ca", str(way.served.ca))
    assert clouds("register", "-n", "Lab", *words).code == 0
    assert "The cloud 'lab' is already registered." in clouds("register", "-n", "lab", *words).err
    assert clouds("set", "-n", "lab").code == 0
    assert json.loads(clouds("show").out)["endpoints"]["activeDirectory"] == f"{way.served.origin}/adfs"
    assert "currently active" in clouds("unregister", "-n", "Lab").err
    clouds("set", "-n", "Embedded")
    assert clouds("unregister", "-n", "Lab").code == 0
    untrusted = clouds("register", "-n", "Other", "--endpoint-resource-manager", way.served.origin)
    assert (untrusted.code, "is not trusted" in untrusted.err) == (1, True)
