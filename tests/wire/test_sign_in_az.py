"""Every way in which the unmodified az signs in, against served clouds in both shapes of the login endpoint (M6, M29)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sign_in import Certificate
from tests.wire.browsers import HOOK, Page, device_page
from tests.wire.programs import PASSWORDS, Done, Program, Served, az, start

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
BUILDER, PUSHER = "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444"
OWNER = ("-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
SHAPES = {"entra": ("--listen", "127.0.1.77:443", "--host", "127.0.1.77"), "adfs": ("--listen", "127.0.0.1:18447")}
"""On port 443 the login endpoint has Entra's shape; an address of its own leaves the machine's own port 443 alone."""


@pytest.fixture(scope="module", params=list(SHAPES))
def shaped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A cloud in each shape, with the metadata service beside it."""
    port = {"entra": 18169, "adfs": 18170}[request.param]
    served = start(
        tmp_path_factory.mktemp(request.param) / "state", *SHAPES[request.param], "--imds", f"127.0.0.1:{port}"
    )
    yield served
    served.stop()


@pytest.fixture(scope="module")
def registered(shaped: Served, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Az, registered with the cloud: nobody signs in here."""
    return az(tmp_path_factory.mktemp("registered"), shaped)


@pytest.fixture
def fresh(tmp_path: Path, registered: Program) -> Program:
    """Az with a configuration directory of the test's own, in which nobody is signed in."""
    return copied(registered, tmp_path)


def copied(program: Program, home: Path) -> Program:
    """Return the same program with a copy of its configuration."""
    shutil.copytree(program.env["AZURE_CONFIG_DIR"], home / "azure")
    return Program(program.path, {**program.env, "HOME": str(home), "AZURE_CONFIG_DIR": str(home / "azure")})


def accounts(text: str) -> list[dict[str, Any]]:
    """Return what login printed."""
    found: list[dict[str, Any]] = json.loads(text)
    return found


def test_password(fresh: Program) -> None:
    """M6: user and password, without and with the tenant, by id and by domain."""
    for tenant in ((), ("-t", TENANT), ("-t", "contoso.com")):
        (account,) = accounts(fresh.must("login", *OWNER, *tenant))
        assert (account["id"], account["tenantId"]) == (SUBSCRIPTION, TENANT)
        assert account["user"] == {"name": "owner@contoso.com", "type": "user"}
        fresh.must("account", "clear")


def test_no_hint_of_the_network_at_large(fresh: Program, shaped: Served) -> None:
    """M29: nothing but this cloud is asked: no line of az's own log names another host."""
    done = fresh("login", *OWNER, "--debug")
    assert done.code == 0, done.err
    asked = {line.split("https://")[1].split("/")[0] for line in done.err.splitlines()
             if "urllib3.connectionpool: Starting new HTTPS" in line and "https://" in line}  # fmt: skip
    assert "login.microsoftonline.com:443" not in done.err.replace("'", "").split("connectionpool")[0]
    assert not asked - {shaped.origin.removeprefix("https://")}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("-u", "owner@contoso.com", "-p", "Wrong-1"), "AADSTS50126: Error validating credentials due to invalid username"),
        (("-u", "nobody@contoso.com", "-p", "Wrong-1"), "AADSTS50034: The user account {EUII Hidden} does not exist in the"),
        ((*OWNER, "-t", "other.example"), "Failed to resolve tenant 'other.example'."),
        (("--service-principal", "-u", BUILDER, "-p", "x", "-t", TENANT), "AADSTS7000215: Invalid client secret provided."),
        (("--service-principal", "-u", TENANT, "-p", "x", "-t", TENANT), "AADSTS700016: Application with identifier"),
        (("--service-principal", "-u", BUILDER, "-p", "x"), None),
    ],
)  # fmt: skip
def test_refused(fresh: Program, shaped: Served, arguments: tuple[str, ...], text: str | None) -> None:
    """M6: az shows the service's own text and ends with 1."""
    if text is None and shaped.origin.count(":") == 1:
        text = "AADSTS50059: No tenant-identifying information found"
    done = fresh("login", *arguments)
    assert done.code == 1, done
    assert (text or "") in done.err
    assert "Traceback" not in done.err or text is None


def test_service_principal_by_secret(fresh: Program) -> None:
    """M6: a client secret; the account is the application's."""
    (account,) = accounts(
        fresh.must("login", "--service-principal", "-u", PUSHER, "-p", "Push-an-image-1", "-t", TENANT)
    )
    assert account["user"] == {"name": PUSHER, "type": "servicePrincipal"}
    assert json.loads(fresh.must("account", "show"))["user"]["name"] == PUSHER


@pytest.mark.parametrize("more", [(), ("--use-cert-sn-issuer",)])
def test_service_principal_by_certificate(
    fresh: Program, shaped: Served, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """M6: az makes the certificate's credential itself, and signs in with it, with and without the chain."""
    fresh.must("login", *OWNER)
    certificate = Certificate.new()
    path = tmp_path / "cert.pem"
    path.write_text(certificate.pem)
    fresh.must("ad", "sp", "credential", "reset", "--id", PUSHER, "--cert", f"@{path}", "--append")
    fresh.must("logout")
    shown = fresh.must("login", "--service-principal", "-u", PUSHER, "--certificate", str(path), "-t", TENANT, *more)
    assert accounts(shown)[0]["user"].get("useCertSNIssuerAuth", False) == bool(more)
    fresh.must("account", "get-access-token", "--resource", "https://containerregistry.azure.net")
    other = tmp_path / "other.pem"
    other.write_text(Certificate.new().pem)
    fresh.must("account", "clear")
    done = fresh("login", "--service-principal", "-u", PUSHER, "--certificate", str(other), "-t", TENANT)
    assert (
        "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered" in done.err
    )


def test_certificate_made_by_az(fresh: Program) -> None:
    """M6: ``create-for-rbac --create-cert`` and a sign-in with the file it wrote."""
    fresh.must("login", *OWNER)
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/guarded"
    made = json.loads(
        fresh.must("ad", "sp", "create-for-rbac", "-n", "made", "--create-cert", "--role", "Reader", "--scopes", group)
    )
    fresh.must("logout")
    (account,) = accounts(
        fresh.must(
            "login",
            "--service-principal",
            "-u",
            made["appId"],
            "--certificate",
            made["fileWithCertAndPrivateKey"],
            "-t",
            TENANT,
        )
    )
    assert account["user"]["name"] == made["appId"]


def test_federated_token(fresh: Program, shaped: Served) -> None:
    """M6: a token of an issuer that the application trusts: here this cloud's own, of another application."""
    fresh.must("login", *OWNER)
    fresh.must("login", "--service-principal", "-u", BUILDER, "-p", "Build-an-image-1", "-t", TENANT,
               "--allow-no-subscriptions")  # fmt: skip
    token = json.loads(fresh.must("account", "get-access-token", "--scope", "api://AzureADTokenExchange/.default"))
    claims = _claims(token["accessToken"])
    fresh.must("account", "clear")
    fresh.must("login", *OWNER)
    credential = {
        "name": "f",
        "issuer": claims["iss"],
        "subject": claims["sub"],
        "audiences": ["api://AzureADTokenExchange"],
    }
    fresh.must("ad", "app", "federated-credential", "create", "--id", PUSHER, "--parameters", json.dumps(credential))
    fresh.must("account", "clear")
    (account,) = accounts(
        fresh.must(
            "login", "--service-principal", "-u", PUSHER, "--federated-token", token["accessToken"], "-t", TENANT
        )
    )
    assert account["user"]["name"] == PUSHER
    fresh.must("account", "clear")
    done = fresh("login", "--service-principal", "-u", BUILDER, "--federated-token", token["accessToken"], "-t", TENANT)
    assert "AADSTS70025: The client" in done.err


def _claims(token: str) -> dict[str, Any]:
    from tests.sign_in import claims_of

    return claims_of(token)


def running(program: Program, *arguments: str, **env: str) -> subprocess.Popen[str]:
    """Start a command and leave it running."""
    return subprocess.Popen(
        [program.path, *arguments], env={**program.env, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(process: subprocess.Popen[str]) -> Done:
    """Wait for a command."""
    out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


def test_device_code(fresh: Program, shaped: Served) -> None:
    """M6: az shows the code; a person enters it on the page it names; az goes on."""
    process = running(fresh, "login", "--use-device-code")
    assert process.stderr is not None
    line = process.stderr.readline()
    while line and "enter the code" not in line:
        line = process.stderr.readline()
    address = line.split("open the page ")[1].split()[0]
    code = line.split("enter the code ")[1].split()[0]
    said = device_page(address, code, "alain@contoso.com", "Wrong", str(shaped.ca))
    assert "AADSTS50126" in said
    assert "signed in" in device_page(address, code, "owner@contoso.com", PASSWORDS["owner"], str(shaped.ca))
    done = end(process)
    assert done.code == 0, done.err
    assert accounts(done.out)[0]["user"]["name"] == "owner@contoso.com"


def test_browser(fresh: Program, shaped: Served, tmp_path: Path) -> None:
    """M6: az opens a browser, which signs in on the page and is sent back to az."""
    env = HOOK.environment(tmp_path, "owner@contoso.com", PASSWORDS["owner"], str(shaped.ca))
    done = end(running(fresh, "login", **env))
    assert done.code == 0, done.err
    assert accounts(done.out)[0]["user"]["name"] == "owner@contoso.com"
    assert "You have logged into Microsoft Azure!" in HOOK.seen(tmp_path)


def test_browser_cancelled(fresh: Program, shaped: Served, tmp_path: Path) -> None:
    """M6: who cancels on the page ends az's sign-in with the service's text."""
    env = HOOK.environment(tmp_path, "", "", str(shaped.ca))
    done = end(running(fresh, "login", **env))
    assert done.code == 1
    assert "AADSTS65004: User declined to consent to access the app." in done.err


def identity(shaped: Served) -> Any:
    """Return a managed identity of the cloud with the role Reader, made once."""
    from azext_trust.server.store import principals
    from azext_trust.server.store.transaction import Store
    from tests.managed_identities import add

    resource = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/guarded/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ci"
    store = Store(shaped.state)
    try:
        with store.read() as transaction:
            known = principals.managed_identities(transaction.session)
        return known[0] if known else add(store, resource)
    finally:
        store.close()


def imds_of(shaped: Served) -> str:
    """Return the address of the cloud's metadata service."""
    published = json.loads((shaped.state / "serving.json").read_text())
    return f"http://{published['imds']}"


def test_managed_identity(fresh: Program, shaped: Served) -> None:
    """M6: ``login --identity`` through the metadata service, unnamed and in each of its names."""
    found = identity(shaped)
    fresh.must("login", *OWNER)
    fresh.must("role", "assignment", "create", "--role", "Reader", "--assignee-object-id", found.id,
               "--assignee-principal-type", "ServicePrincipal", "--scope", f"/subscriptions/{SUBSCRIPTION}")  # fmt: skip
    fresh.must("account", "clear")
    own = Program(fresh.path, {**fresh.env, "AZURE_POD_IDENTITY_AUTHORITY_HOST": imds_of(shaped)})
    names = {(): "MSI", ("--client-id", found.app_id): f"MSIClient-{found.app_id}",
             ("--object-id", found.id): f"MSIObject-{found.id}",
             ("--resource-id", found.properties["alternativeNames"][1]): None}  # fmt: skip
    for name, info in names.items():
        (account,) = accounts(own.must("login", "--identity", *name))
        assert info is None or account["user"]["assignedIdentityInfo"] == info
        assert account["tenantId"] == TENANT
        assert (
            own.must("acr", "show", "-n", "guardedregistry", "--query", "name", "-o", "tsv").strip()
            == "guardedregistry"
        )
        own.must("account", "clear")


def test_managed_identity_that_is_none(fresh: Program, shaped: Served) -> None:
    """M6: az shows what the metadata service says of an identity that does not exist."""
    identity(shaped)
    own = Program(fresh.path, {**fresh.env, "AZURE_POD_IDENTITY_AUTHORITY_HOST": imds_of(shaped)})
    done = own("login", "--identity", "--client-id", TENANT)
    assert done.code == 1
    assert "Identity not found" in done.err


def test_tokens_for_other_resources(fresh: Program) -> None:
    """M6: one sign-in brings tokens for every resource, asked by resource, by type and by scope."""
    fresh.must("login", *OWNER)
    for asked, audience in (
        ((), "https://management.core.windows.net/"),
        (("--resource", "https://containerregistry.azure.net"), "https://containerregistry.azure.net"),
        (("--resource", "https://management.azure.com/"), "https://management.azure.com/"),
        (("--resource-type", "ms-graph"), None),
        (("--scope", "https://graph.microsoft.com/.default"), "https://graph.microsoft.com"),
        (("--scope", "api://builder/.default"), "api://builder"),
    ):
        body = json.loads(fresh.must("account", "get-access-token", *asked))
        assert set(body) == {"accessToken", "expiresOn", "expires_on", "subscription", "tenant", "tokenType"}
        assert audience in (None, _claims(body["accessToken"])["aud"])
    done = fresh("account", "get-access-token", "--resource", "https://nowhere.example")
    assert done.code == 1
    assert "AADSTS500011: The resource principal named https://nowhere.example was not found" in done.err


def test_accounts(fresh: Program) -> None:
    """M6: list, show, set, logout and clear, with two people signed in."""
    fresh.must("login", *OWNER)
    fresh.must("login", "-u", "alain@contoso.com", "-p", "Sign-an-image-1", "--allow-no-subscriptions")
    listed = json.loads(fresh.must("account", "list", "--all"))
    assert {row["name"] for row in listed} == {"Lab", "N/A(tenant level account)"}
    fresh.must("account", "set", "-s", SUBSCRIPTION)
    assert json.loads(fresh.must("account", "show"))["user"]["name"] == "owner@contoso.com"
    fresh.must("logout", "--username", "owner@contoso.com")
    assert [row["user"]["name"] for row in json.loads(fresh.must("account", "list"))] == ["alain@contoso.com"]
    fresh.must("account", "clear")
    assert fresh("account", "show").code == 1


def test_disabled_while_signed_in(fresh: Program, registered: Program, tmp_path: Path) -> None:
    """M6: a user who is disabled while signed in is refused at the next command."""
    fresh.must("login", *OWNER)
    fresh.must("ad", "user", "create", "--display-name", "Gone", "--password", "Soon-gone-1",
               "--user-principal-name", "gone@contoso.com")  # fmt: skip
    other = copied(registered, tmp_path / "other")
    other.must("login", "-u", "gone@contoso.com", "-p", "Soon-gone-1", "--allow-no-subscriptions")
    fresh.must("ad", "user", "update", "--id", "gone@contoso.com", "--account-enabled", "false")
    done = other("account", "get-access-token", "--resource", "https://graph.microsoft.com")
    assert "AADSTS50057: The user account is disabled." in done.err
    fresh.must("ad", "user", "delete", "--id", "gone@contoso.com")


def operator(shaped: Served, method: str, path: str, body: object) -> None:
    """Ask the operator service for a change."""
    key = (shaped.state / "keys" / "operator").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    got = requests.request(method, f"{shaped.origin}/operator/{path}", json=body, headers=headers, verify=str(shaped.ca),
                           timeout=30)  # fmt: skip
    got.raise_for_status()


def test_claims_challenge(fresh: Program, shaped: Served) -> None:
    """M6: a revoked access token meets a challenge, which az answers by itself with a new token."""
    fresh.must("login", *OWNER)
    operator(shaped, "POST", "access-tokens/revoke", {})
    done = fresh("group", "list", "--debug")
    assert done.code == 0, done.err
    assert "insufficient_claims" in done.err
    assert "Acquiring new access token silently with claims challenge" in done.err


def test_key_rotation(fresh: Program, shaped: Served) -> None:
    """M6: a rotation of the signing keys disturbs nobody who is signed in."""
    fresh.must("login", *OWNER)
    operator(shaped, "POST", "signing-keys", {})
    fresh.must("group", "list")


def test_expired_token_is_renewed(fresh: Program, shaped: Served) -> None:
    """M6: two hours later the token in az's cache has expired here; the next command gets another one."""
    fresh.must("login", *OWNER)
    before = _claims(json.loads(fresh.must("account", "get-access-token"))["accessToken"])
    try:
        operator(shaped, "PUT", "clock", {"advanceSeconds": 7200})
        own = Program(fresh.path, {**fresh.env, "AZTRUST_TEST_SKEW": "7200", "PYTHONPATH": str(Page.skew(fresh))})
        after = _claims(json.loads(own.must("account", "get-access-token"))["accessToken"])
        own.must("group", "list")
    finally:
        operator(shaped, "PUT", "clock", {"offsetSeconds": 0})
    assert after["exp"] >= before["exp"] + 7000


def test_printed_setup(shaped: Served, tmp_path: Path) -> None:
    """M29: what ``serve --print-setup`` prints, run in bash as it stands, makes az, aztrust and curl use the cloud."""
    from tests.wire.programs import AZTRUST

    recipe = subprocess.run(
        [AZTRUST, "serve", "--print-setup", "--state", shaped.state], capture_output=True, text=True, check=True
    ).stdout
    assert "AZURE_POD_IDENTITY_AUTHORITY_HOST" in recipe
    path = ":".join([str(Path(os.environ["AZTRUST_TEST_AZ"]).parent), str(AZTRUST.parent), os.environ["PATH"]])
    env = {
        "PATH": path,
        "HOME": str(tmp_path),
        "AZTRUST_PASSWORD": PASSWORDS["owner"],
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
    }
    script = f"set -e\n{recipe}\naz account show --query user.name -o tsv\naz acr list --query '[].name' -o tsv\n"
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ['{"status":"ok"}owner@contoso.com', "guardedregistry"]


def test_unmodified_default(serve: Callable[..., Served], tmp_path: Path) -> None:
    """M29: a cloud founded from the default seed, as ``aztrust serve`` makes it, takes the password it showed once."""
    state = tmp_path / "default"
    served = start(state, "--listen", "127.0.1.78:443", "--host", "127.0.1.78", seeded=False)
    try:
        log = state.with_suffix(".log").read_text()
        password = log.split("Password of owner@contoso.com (shown this once): ")[1].split()[0]
        program = az(tmp_path / "az", served)
        (account,) = accounts(program.must("login", "-u", "owner@contoso.com", "-p", password))
        assert account["name"] == "Lab"
    finally:
        served.stop()
