"""Every kind of finding on a made-up registry that has it, with its cure; and none on one that is in order (M24)."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any, cast

import pytest

from azext_trust.rbac.findings.kinds import KINDS
from azext_trust.rbac.questions import catalog
from azext_trust.rbac.questions.asked import Asked
from azext_trust.rbac.questions.facts import REGISTRIES, Event
from azext_trust.rbac.questions.held import HeldTenant
from azext_trust.rbac.questions.refusals import STALE
from azext_trust.rbac.questions.trust import Key, Metadata, Repository, SignedTag
from tests.traps import changed, world
from tests.traps.world import Given, guid, place

LATER, SOON = "2036-01-01T00:00:00Z", "2026-12-01T00:00:00Z"
GONE, HERE, LOST, OTHER = "a" * 64, "b" * 64, "c" * 64, "d" * 64
PLAIN = place("plain")
OWN = Key("1" * 64, "ecdsa", 256)


def role(name: str, key: Key = OWN, expires: str = LATER) -> Metadata:
    """Return a role's newest metadata."""
    return Metadata(name, 3, expires, (key,))


def repository(
    *metadata: Metadata, signed: dict[str, str], tags: dict[str, str], manifests: set[str], **publishers: str
) -> Repository:
    """Return a repository whose tags the releases role signs; publishers are named by the role's last part."""
    base = (
        role("root"),
        role("targets"),
        replace(role("snapshot"), server=True),
        replace(role("timestamp"), server=True),
    )
    by = {"root": "root", "targets": "targets"}
    published = {by.get(name, f"targets/{name}"): frozenset({guid(who)}) for name, who in publishers.items()}
    return Repository(
        "plain.azurecr.io/team/web", "team/web", (*base, *metadata),
        tuple(SignedTag(tag, "targets/releases", digest) for tag, digest in signed.items()), tags, frozenset(manifests),
        published,
    )  # fmt: skip


def event(operation: str, outcome: str = "Allowed", who: str = "pusher", **details: object) -> Event:
    """Return an entry of the log."""
    return Event("2026-11-24T23:50:00Z", operation, PLAIN, outcome, guid(who), who, details=details)


def tenant(
    given: tuple[Given, ...], rows: dict[str, Any], repositories: tuple[Repository, ...], log: list[Event]
) -> HeldTenant:
    """Return a tenant with only these assignments."""
    made = changed.rows() | {"denies": [], "classic": []} | rows
    ids = {one.id for one in given}
    made["assignments"] = [row for row in made["assignments"] if row["id"] in ids] + rows.get("more", [])
    found = changed.facts(made)
    found.repositories = {one.key: repositories for one in found.state.registries.values() if one.name == "plain"}
    found.log = log
    return found


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Give the report of a tenant in which everything is wrong."""
    names = {
        "outer",
        "halfsigner",
        "boss",
        "twice",
        "denied",
        world.DELETED,
        "split",
        "pushing",
        "mixed",
        "signhalf",
        "monitor",
    }
    given = tuple(one for one in world.ASSIGNMENTS if one.who in names)
    weak = Key("2" * 64, "rsa", 1024)
    repositories = (repository(
        role("targets/releases", expires=SOON), role("targets/nested", weak), role("targets/pusher"), role("targets/nobody"),
        signed={"v1": GONE, "v2": HERE, "v3": LOST}, tags={"v2": HERE, "v4": OTHER}, manifests={HERE, LOST, OTHER},
        root="boss", nested="nested",
    ),)  # fmt: skip
    log = [
        event(f"{REGISTRIES}/push/write", "Denied", reason=STALE),
        event(f"{REGISTRIES}/push/write", userAgent="docker/29.0.1 go/go1.25",
              after={"repository": "team/web", "reference": "v4", "digest": f"sha256:{OTHER}"}),
    ]  # fmt: skip
    registries = changed.rows()["registries"]
    plain = next(row for row in registries if row["name"] == "plain")
    plain["policies"]["retentionPolicy"] = {"days": 7, "status": "enabled"}
    kept = [row for row in registries if row["name"] in ("plain", "doors")]
    facts = tenant(given, {"registries": kept, "more": needless()}, repositories, log)
    return cast(list[dict[str, Any]], catalog.ask("report", facts, Asked()).document()["value"])


def needless() -> list[dict[str, Any]]:
    """Return an assignment that is there twice, and one whose principal is Owner above."""
    twin = next(row for row in changed.rows()["assignments"] if row["principalId"] == guid("pushing"))
    name = guid("the same again")
    narrow = guid("narrow")
    return [
        {**twin, "id": twin["id"].replace(twin["name"], name), "name": name},
        {**twin, "id": twin["id"].replace(twin["name"], narrow), "name": narrow, "principalId": guid("boss"),
         "principalType": "User", "principalName": "boss@contoso.com"},
    ]  # fmt: skip


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_found(rows: list[dict[str, Any]], kind: str) -> None:
    """M24: the finding is there, with evidence and a cure that a shell can read."""
    mine = [row for row in rows if row["finding"] == kind]
    assert mine, sorted({row["finding"] for row in rows})
    for row in mine:
        assert row["evidence"]
        assert row["subject"]
        assert shlex.split(row["cure"])[0] in ("az", "docker", "notary", "aztrust")


def test_in_order() -> None:
    """M24: who signs has a delegation, everything signed is there and tagged: nothing is found."""
    given = tuple(one for one in world.ASSIGNMENTS if one.who == "outer")
    repositories = (repository(
        role("targets/releases"), role("targets/nested"), signed={"v2": HERE}, tags={"v2": HERE}, manifests={HERE}, nested="nested",
    ),)  # fmt: skip
    kept = [row for row in changed.rows()["registries"] if row["name"] == "plain"]
    answer = catalog.ask("report", tenant(given, {"registries": kept}, repositories, []), Asked()).document()
    assert answer["value"] == []


def test_cures(rows: list[dict[str, Any]]) -> None:
    """M24: the cure is about the very thing: account, tag, assignment, signer."""
    cures = {row["finding"]: row["cure"] for row in rows}
    assert cures["admin-account"] == "az acr update --name doors --admin-enabled false"
    assert cures["signed-tag-gone"] == "docker trust revoke --yes plain.azurecr.io/team/web:v1"
    assert cures["signer-without-push"].startswith("az role assignment create --role AcrPush ")
    assert "/roleAssignments/" in cures["orphaned-assignment"]
    assert cures["stale-token"] == "az acr login --name plain"


def test_expiry_of_metadata_and_keys() -> None:
    """M24: the timeline has what ends by itself: metadata that no server renews, and keys that have a certificate."""
    certified = Key("3" * 64, "rsa", 2048, SOON)
    kept = (repository(role("targets/alain", certified, LATER), signed={}, tags={}, manifests=set()),)
    facts = tenant(world.ASSIGNMENTS, {}, kept, [])
    found = cast(
        dict[str, Any], catalog.ask("report", facts, Asked(registry="plain", charts=True)).document()["charts"]
    )
    ends = [(row["date"], row["role"], row["key"]) for row in found["expiry"]]
    assert ends[0] == (SOON[:10], "targets/alain", certified.id)
    assert sorted(ends[1:]) == [(LATER[:10], name, "") for name in ("root", "targets", "targets/alain")]
