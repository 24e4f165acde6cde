"""``POST importImage`` in process: what comes, what is refused, and that nothing is there by halves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from azext_trust.server.gate.call import Reply
from azext_trust.server.registry import fetching
from azext_trust.server.store import activity, imports
from tests.conftest import SUBSCRIPTION
from tests.unit.server.registry.conftest import REGISTRY, Login, digest_of
from tests.unit.server.registry.elsewhere import Elsewhere, elsewhere
from tests.unit.server.registry.importing import OWNER, begin, ended, run, tags_of

OTHER = REGISTRY.replace("myregistry", "basicregistry")
READER, ALAIN = ("reader@contoso.com", "Reader-pass-1"), ("alain@contoso.com", "Alain-pass-1")


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    """Give a registry elsewhere."""
    with elsewhere() as here:
        yield here


def code(reply: Reply) -> str:
    """Return the error's code."""
    assert isinstance(reply.body, dict), reply
    return str(reply.body["error"]["code"])


def text(reply: Reply) -> str:
    """Return the error's text."""
    assert isinstance(reply.body, dict), reply
    return str(reply.body["error"]["message"])


def entries(login: Login, outcome: str) -> list[dict[str, Any]]:
    """Return the details of the imports in the activity log."""
    with login.cloud.app.store.read() as transaction:
        rows = [row for row in activity.entries(transaction.session) if row.operation.endswith("importImage/action")]
    return [dict(activity.details_of(row)) for row in rows if row.outcome == outcome]


def test_from_elsewhere(login: Login, there: Elsewhere) -> None:
    """M20: an image for two platforms comes whole, with its signatures of the Notary Project; the log says what not."""
    parts = [there.image("", f"layer of {name}".encode() * 5000) for name in ("amd64", "arm64")]
    root = there.index("v1", *parts)
    signature = there.image("", b"signature", subject=root, artifactType="application/vnd.cncf.notary.signature")
    there.referrers[root["digest"]] = [signature]
    source = {"registryUri": there.address, "sourceImage": "library/web:v1"}
    assert run(login, source, "team/web:v1", "team/web:latest", "team/copy:v1").status == 200
    assert tags_of(login, "team/web") == ["latest", "v1"]
    token = login.owner("team/copy")
    for one in (root, *parts, signature):
        assert login.call("GET", f"/v2/team/copy/manifests/{one['digest']}", token).status == 200
    layer = b"layer of arm64" * 5000
    assert login.call("GET", f"/v2/team/copy/blobs/{digest_of(layer)}", token).body == layer
    assert entries(login, "Allowed")[-1]["trustData"] == "not imported"


def test_tag_left_out_and_untagged(login: Login, there: Elsewhere) -> None:
    """M14: a target without a tag takes the source's; an untagged one takes none; a digest needs a tag or latest."""
    digest = there.image("v7", b"x")["digest"]
    source = {"registryUri": there.address, "sourceImage": "web:v7"}
    assert run(login, source, "by/tag", untaggedTargetRepositories=["by/digest"]).status == 200
    assert (tags_of(login, "by/tag"), tags_of(login, "by/digest")) == (["v7"], [])
    assert login.call("GET", f"/v2/by/digest/manifests/{digest}", login.owner("by/digest")).status == 200
    assert run(login, source | {"sourceImage": f"web@{digest}"}, "by/digest").status == 200
    assert tags_of(login, "by/digest") == ["latest"]


def test_tag_that_is_there(login: Login, pushes: str, there: Elsewhere) -> None:
    """M14: az's Conflict without --force; with it the tag moves."""
    login.image(pushes, "team/web", "v1")
    digest = there.image("v1", b"new")["digest"]
    source = {"registryUri": there.address, "sourceImage": "web:v1"}
    refused = run(login, source, "team/web:v1")
    assert (refused.status, code(refused)) == (409, "Conflict")
    assert "Tag team/web:v1 already exists in target registry." in text(refused)
    assert run(login, source, "team/web:v1", mode="Force").status == 200
    found = login.call("GET", "/v2/team/web/manifests/v1", pushes)
    assert found.headers["docker-content-digest"] == digest


@pytest.mark.parametrize("given", [None, {"username": "me", "password": "wrong"}])
def test_credentials(login: Login, there: Elsewhere, given: dict[str, str] | None) -> None:
    """M14: a source that wants credentials refuses without, in Azure's words; with them it gives."""
    there.image("v1", b"x")
    there.credentials("me", "secret")
    source: dict[str, Any] = {"registryUri": there.address, "sourceImage": "web:v1"}
    refused = run(login, source | ({"credentials": given} if given else {}), "web:v1")
    assert (refused.status, "Invalid message Unauthorized" in text(refused)) == (400, True), text(refused)
    good = {"credentials": {"username": "me", "password": "secret"}}
    assert run(login, source | good, "web:v1").status == 200
    with login.cloud.app.store.read() as transaction:
        assert set(transaction.session.exec(select(imports.ImportOperation.sealed))) == {""}


def test_broken_connection(login: Login, there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """M14: a blob goes on where the connection broke."""
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0)
    layer = bytes(range(256)) * 8192
    there.image("v1", layer)
    there.breaks = [10, 10**9, 1_500_000]
    monkeypatch.setattr(fetching, "AT_ONCE", 1)
    assert run(login, {"registryUri": there.address, "sourceImage": "web:v1"}, "web:v1").status == 200
    assert login.call("GET", f"/v2/web/blobs/{digest_of(layer)}", login.owner("web")).body == layer
    assert "bytes=1048576-" in {header for _, header in there.asked}


def spoil(there: Elsewhere, how: str) -> None:
    """Let a registry hold something wrong under ``v1``."""
    there.image("v1", b"layer" * 9000)
    raw, media_type = there.manifests["v1"]
    if how == "blob":
        there.blobs[json.loads(raw)["layers"][0]["digest"]] = b"other" * 9000
    elif how == "long blob":
        there.blobs[json.loads(raw)["layers"][0]["digest"]] += b"more"
    elif how == "missing":
        there.manifests.clear()
    elif how == "no json":
        there.manifests["v1"] = (b"<html>", media_type)
    elif how == "wrong child":
        part = there.image("", b"x")
        there.manifests[part["digest"]] = (b"{}", media_type)
        there.index("v1", part)
    elif how == "metadata":
        there.redirect = "http://169.254.169.254/metadata/identity"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("blob", "is not what its digest says"), ("long blob", "is larger than 45000 bytes"),
        ("missing", "MANIFEST_UNKNOWN"), ("no json", "cannot be taken"), ("wrong child", "is not what its digest says"),
        ("metadata", "169.254.169.254 is an address that nothing is imported from"),
    ],
)  # fmt: skip
def test_what_cannot_be_had(
    login: Login, there: Elsewhere, monkeypatch: pytest.MonkeyPatch, how: str, words: str
) -> None:
    """M12: a source that lies, or leads to the machine's metadata service, gets nothing in; the log says why."""
    monkeypatch.setattr(fetching, "PAUSE_SECONDS", 0)
    spoil(there, how)
    failed = run(login, {"registryUri": there.address, "sourceImage": "web:v1"}, "web:v1", "copy:v1")
    assert (failed.status, words in text(failed)) == (400, True), text(failed)
    assert (tags_of(login, "web"), tags_of(login, "copy")) == ([], [])
    assert words in entries(login, "Failed")[-1]["reason"]


def test_unreachable(login: Login) -> None:
    """M14: nobody answers there."""
    failed = run(login, {"registryUri": "127.0.0.1:9", "sourceImage": "web:v1"}, "web:v1")
    assert "Cannot reach the source registry 127.0.0.1:9: " in text(failed)
    assert "Connection refused" in text(failed)


def test_from_a_registry_of_this_cloud(login: Login, pushes: str) -> None:
    """M20: by its resource id, for who may import from it; with the referrers of the image."""
    digest = login.image(pushes, "team/web", "v1")
    size = len(login.call("GET", "/v2/team/web/manifests/v1", pushes).body)
    about = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size}
    signature = login.image(pushes, "team/web", "", b"signature", subject=about)
    source = {"resourceId": REGISTRY, "sourceImage": "team/web:v1"}
    assert ended(login, begin(login, {"source": source, "targetTags": ["web:v1"]}, registry=OTHER)).status == 200
    other = Login(login.cloud, "basicregistry.azurecr.io")
    assert other.call("GET", "/v2/web/manifests/v1", other.owner("web")).headers["docker-content-digest"] == digest
    assert other.call("GET", f"/v2/web/manifests/{signature}", other.owner("web")).status == 200


def assign(login: Login, role: str, who: str, scope: str) -> None:
    """Give a user a role by its id."""
    principal = next(row["id"] for row in login.cloud.json(graph(login))["value"] if row["userPrincipalName"] == who)
    name = "90000000-0000-0000-0000-000000000001"
    definition = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    body = {"properties": {"roleDefinitionId": definition, "principalId": principal}}
    login.cloud.call("PUT", f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01",
                     body, login.cloud.sign_in(*OWNER))  # fmt: skip


def graph(login: Login) -> Reply:
    """List the users."""
    token = login.cloud.sign_in(*OWNER, scope="https://graph.microsoft.com/.default")
    return login.cloud.call("GET", "/v1.0/users", token=token)


def test_rights(login: Login, pushes: str) -> None:
    """M12: the target needs importImage/action; the source too, or the right to pull; both refusals are Azure's."""
    login.image(pushes, "team/web", "v1")
    body = {"source": {"resourceId": REGISTRY, "sourceImage": "team/web:v1"}, "targetTags": ["web:v1"]}
    refused = begin(login, body, READER, OTHER)
    assert (refused.status, code(refused)) == (403, "AuthorizationFailed")
    contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
    assign(login, contributor, "alain@contoso.com", OTHER)
    linked = begin(login, body, ALAIN, OTHER)
    assert (linked.status, code(linked)) == (403, "LinkedAuthorizationFailed")
    assert "/registries/importImage/action' on scope" in text(linked)
    assert "/registries/pull/read' on the linked scope(s)" in text(linked)
    assert login.denied()[-1]["missing"] == "Microsoft.ContainerRegistry/registries/pull/read"
    assign(login, contributor, "alain@contoso.com", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab")


def test_who_may_ask_how_it_ended(login: Login, there: Elsewhere) -> None:
    """M12: who may read the registry may ask; others are told of no such operation."""
    there.image("v1", b"x")
    begun = begin(login, {"source": {"registryUri": there.address, "sourceImage": "web:v1"}, "targetTags": ["web:v1"]})
    assert ended(login, begun, READER).status == 200
    assert (ended(login, begun, ALAIN).status, code(ended(login, begun, ALAIN))) == (404, "OperationNotFound")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({}, "MissingProperty"),
        ({"source": {"sourceImage": "web:v1"}, "targetTags": ["web:v1"]}, "MissingProperty"),
        ({"source": {"registryUri": "a.b", "sourceImage": "web:v1"}}, "MissingProperty"),
        ({"source": {"registryUri": "a.b", "sourceImage": "WEB:v1"}, "targetTags": ["web:v1"]}, "InvalidProperty"),
        ({"source": {"registryUri": "a.b", "sourceImage": "web:"}, "targetTags": ["web:v1"]}, "InvalidProperty"),
        ({"source": {"registryUri": "a.b", "sourceImage": "web"}, "targetTags": "web"}, "InvalidProperty"),
        ({"source": {"registryUri": "a.b", "sourceImage": "web"}, "targetTags": ["web@sha256:1"]}, "InvalidProperty"),
        ({"source": {"registryUri": "a.b/c?d", "sourceImage": "web"}, "targetTags": ["web"]}, "InvalidProperty"),
        ({"source": {"registryUri": "a.b", "sourceImage": "w"}, "targetTags": ["w"], "mode": "x"}, "InvalidProperty"),
        ({"source": {"registryUri": "a.b", "sourceImage": "w"}, "targetTags": ["w"] * 101}, "InvalidProperty"),
        ({"source": {"resourceId": "/subscriptions/x", "sourceImage": "w"}, "targetTags": ["w"]},
         "LinkedInvalidPropertyId"),
        ({"source": {"resourceId": REGISTRY.replace("my", "no"), "sourceImage": "w"}, "targetTags": ["w"]},
         "ResourceNotFound"),
    ],
)  # fmt: skip
def test_bad_bodies(login: Login, body: dict[str, Any], wanted: str) -> None:
    """M14: what is asked for wrongly is refused before anything begins."""
    refused = begin(login, body)
    assert (refused.status in (400, 404), code(refused)) == (True, wanted)


def test_policies_of_the_source(login: Login, pushes: str) -> None:
    """M14: a registry that forbids exports keeps its images, though not from itself."""
    login.image(pushes, "team/web", "v1")
    login.arm("PATCH", REGISTRY, {"properties": {"publicNetworkAccess": "Disabled"}})
    login.policy(exportPolicy={"status": "disabled"})
    source = {"resourceId": REGISTRY, "sourceImage": "team/web:v1"}
    kept = ended(login, begin(login, {"source": source, "targetTags": ["web:v1"]}, registry=OTHER))
    assert (kept.status, "has exports disabled" in text(kept)) == (400, True)
    assert run(login, source, "team/copy:v1").status == 200
