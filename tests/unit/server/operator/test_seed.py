"""The seed: founds a cloud, and does no harm when it is applied again (architecture: Contracts, Seed file)."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from azext_trust.server.operator import seed_file
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.store.verification import verify
from tests.conftest import SEED, Client

Applied = Callable[[str], str]
PLAIN = re.sub(', (password|secret): "[^"]*"', "", SEED)
"""The same seed without secrets: comparing these takes long, on purpose."""


@pytest.fixture
def apply(founded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Applied:
    """Give a function that applies a seed to a founded cloud, as ``cloud init --seed`` does, and returns stderr."""
    shutil.copytree(founded, tmp_path / "cloud")

    def run(text: str) -> str:
        (tmp_path / "seed.yaml").write_text(text)
        create_app(Settings(state=tmp_path / "cloud", seed=tmp_path / "seed.yaml")).store.close()
        return capsys.readouterr().err

    return run


def _dump(state: Path) -> object:
    app = create_app(Settings(state=state, quiet=True))
    found = Client(app).call("GET", "/operator/dump", token=app.store.vault.operator_key()).body
    app.store.close()
    return found


def _everything(state: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(state / "state.db")) as connection:
        return [(line,) for line in connection.iterdump()]


def test_the_same_seed_again_changes_nothing(apply: Applied, tmp_path: Path) -> None:
    """Not a row, not the revision, not the log; and there is nothing to tell."""
    before = _everything(tmp_path / "cloud")
    assert apply(SEED) == ""
    assert _everything(tmp_path / "cloud") == before


def test_what_is_missing_is_made_and_recorded(apply: Applied, tmp_path: Path) -> None:
    """A longer seed adds what it names."""
    apply(PLAIN.replace("resourceGroups: [", "resourceGroups: [{name: more}, "))
    assert {"name": "more", "location": "westeurope"} in _dump(tmp_path / "cloud")["resourceGroups"]  # type: ignore[index]
    with closing(sqlite3.connect(tmp_path / "cloud" / "state.db")) as connection:
        details = connection.execute("SELECT details FROM activity ORDER BY sequence DESC").fetchone()[0]
    assert details == '{"created":["resource group more"],"differs":[]}'


@pytest.mark.parametrize(
    ("instead", "of", "told"),
    [
        ("domain: fabrikam.com", "domain: contoso.com", "the tenant's domain is 'contoso.com'"),
        ("name: Other", "name: Lab", "the name of subscription"),
        ("displayName: Alan", "displayName: Alain", "the display name of alain@contoso.com is 'Alain'"),
        ("displayName: Alain, enabled: false", "displayName: Alain", "the enabled flag of alain@contoso.com"),
        ("displayName: Alain, classicAdministrator: true", "displayName: Alain", "classic administrator flag"),
        ("Alain-pass-2", "Alain-pass-1", "the password of alain@contoso.com is another one"),
        ("Builder-secret-2", "Builder-secret-1", "the secret of builder is another one"),
        ("api://other", "api://builder", "the identifierUris of builder is '['api://builder']'"),
        ("name: signers, id: 99999999-9999-9999-9999-999999999999", "name: signers", "the id of group signers"),
        ("location: northeurope", "location: westeurope", "the location of resource group lab is 'westeurope'"),
        ("sku: Standard", "sku: Premium", "the SKU of registry myregistry is 'Premium'"),
        ("sku: Premium, contentTrust: enabled", "sku: Premium", "content trust of registry myregistry is 'disabled'"),
        ("sku: Premium, adminUser: true", "sku: Premium", "the admin user of registry myregistry is 'False'"),
    ],
)  # fmt: skip
def test_what_differs_is_told_and_left_as_it_is(
    apply: Applied, tmp_path: Path, instead: str, of: str, told: str
) -> None:
    """Each difference is named on stderr; nothing is changed, no password is shown."""
    before = _dump(tmp_path / "cloud")
    said = apply((SEED if "-2" in instead else PLAIN).replace(of, instead, 1))
    assert said.startswith("Left as it is: ")
    assert told in said
    assert "pass-" not in said
    assert _dump(tmp_path / "cloud") == before


def test_content_trust_is_never_disabled_by_a_seed(apply: Applied, tmp_path: Path) -> None:
    """M4: disabling destroys signatures; a seed does not."""
    with closing(sqlite3.connect(tmp_path / "cloud" / "state.db")) as connection, connection:
        connection.execute("UPDATE registry SET trust_enabled = 1")
    said = apply(PLAIN.replace("sku: Premium", "sku: Premium, contentTrust: disabled"))
    assert "content trust of registry myregistry is 'enabled', the seed says 'disabled'" in said
    with closing(sqlite3.connect(tmp_path / "cloud" / "state.db")) as connection:
        assert connection.execute("SELECT min(trust_enabled) FROM registry").fetchone() == (1,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("users:\n  - {name: a@b.c, pasword: x}", "line 2: users.0.pasword: unknown key"),
        ("tenant: {}\ngroup: []", "line 2: group: unknown key"),
        ("registries:\n- name: abcde\n  resourceGroup: lab\n  sku: Gold", "line 4: registries.0.sku: Input should be"),
        ("registries:\n- name: a-b\n  resourceGroup: lab", "line 2: registries.0.name: a registry's name has"),
        ("tenant: {id: 5}", "line 1: tenant.id: "),
        ("tenant:\n  id: five", "line 2: tenant.id: an id is a GUID"),
        ("users:\n- {name: a@b.c}\nusers: []", "line 3: users: given twice"),
        ("users: [", "line 1: no valid YAML"),
        ("- a", "line 1: the file: Input should be a valid dictionary"),
        ("users: !!python/object:os.system {}", "no valid YAML"),
    ],
)
def test_a_wrong_seed_is_refused_with_its_line(text: str, told: str) -> None:
    """The place and what is wrong with it."""
    with pytest.raises(SeedError) as error:
        seed_file.parse(text, "seed.yaml")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("assignments: [{assignee: nobody, role: Reader}]", "There is no user, application, group or object id 'nobody'"),
        ("assignments: [{assignee: signers, role: Boss}]", "There is no role 'Boss'"),
        ("assignments: [{assignee: signers, role: Reader, scope: x}]", "The scope 'x' is no registry"),
        ("registries: [{name: other1, resourceGroup: none}]", "there is no resource group 'none'"),
        ("registries: [{name: other1, resourceGroup: lab, sku: Basic, contentTrust: enabled}]", "needs the SKU Premium"),
        ("users: [{name: plain}]", "is no user principal name"),
        ("applications: [{name: copy, identifierUris: ['api://builder']}]", "copy: an id or a name it is to have is taken"),
    ],
)  # fmt: skip
def test_a_seed_that_cannot_be_changes_nothing(apply: Applied, tmp_path: Path, more: str, told: str) -> None:
    """All of a seed is applied or nothing, also what stands before the mistake."""
    before = _everything(tmp_path / "cloud")
    with pytest.raises(SeedError, match=told):
        apply(f"resourceGroups: [{{name: lab}}, {{name: early}}]\n{more}")
    assert _everything(tmp_path / "cloud") == before


def test_a_seed_that_is_wrong_founds_nothing(tmp_path: Path) -> None:
    """The next start founds as if nothing had been."""
    (tmp_path / "seed.yaml").write_text("nonsense: 1")
    with pytest.raises(SeedError):
        create_app(Settings(state=tmp_path / "cloud", seed=tmp_path / "seed.yaml", quiet=True))
    app = create_app(Settings(state=tmp_path / "cloud", quiet=True))
    with app.store.read() as transaction:
        assert transaction.tenant_id()
    assert verify(app.store).entries == 1
    app.store.close()


def test_made_up_passwords_are_shown_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, when they are made; a founded cloud says nothing more."""
    create_app(Settings(state=tmp_path / "cloud")).store.close()
    said = capsys.readouterr().err
    assert said.startswith(f"Founded a new local cloud in {tmp_path}/cloud.\nPassword of owner@contoso.com (shown this")
    create_app(Settings(state=tmp_path / "cloud")).store.close()
    assert capsys.readouterr().err == ""


def test_the_operator_service_applies_a_seed(cloud: Client) -> None:
    """Over the wire: the seed's text in, what was made and what differs out; a wrong one is a 400."""
    key = cloud.app.store.vault.operator_key()
    made = cloud.call("POST", "/operator/seed", b"resourceGroups: [{name: more}]", key)
    assert cloud.json(made)["created"] == ["resource group more"]
    wrong = cloud.call("POST", "/operator/seed?name=mine.yaml", b"nonsense: 1", key)
    assert (wrong.status, cloud.json(wrong)["error"]["message"]) == (
        400, "mine.yaml, line 1: nonsense: unknown key."
    )  # fmt: skip
