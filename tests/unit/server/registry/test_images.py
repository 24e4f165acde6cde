"""Manifests, tags, referrers; ACR's data API with its locks; policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.server.registry.conftest import CONFIG, EMPTY, INDEX, LAYER, OCI, Login, digest_of


def test_push_and_pull(login: Login, pushes: str) -> None:
    """M14: by tag and by digest, whole and headers only, and not again when it is known."""
    digest = login.image(pushes, "team/web", "v1")
    for reference in ("v1", digest):
        found = login.call("GET", f"/v2/team/web/manifests/{reference}", pushes)
        assert digest_of(found.body) == digest == found.headers["docker-content-digest"]
        assert found.headers["content-type"] == OCI
        head = login.call("HEAD", f"/v2/team/web/manifests/{reference}", pushes)
        assert (head.body, head.headers["content-length"]) == (b"", str(len(found.body)))
        known = login.call("GET", f"/v2/team/web/manifests/{reference}", pushes, if_none_match=f'"{digest}"')
        assert known.status == 304


def test_what_is_missing(login: Login, pushes: str) -> None:
    """M14: Azure's words for what is not there."""
    login.image(pushes, "team/web", "v1")
    answer = login.call("GET", "/v2/team/web/manifests/v9", pushes)
    assert answer.json["errors"][0] == {
        "code": "MANIFEST_UNKNOWN", "message": 'manifest tagged by "v9" is not found', "detail": {"Tag": "v9"},
    }  # fmt: skip
    token = login.token("repository:nothing:pull")
    assert login.call("GET", "/v2/nothing/tags/list", token).code == "NAME_UNKNOWN"


def manifest(**more: Any) -> dict[str, Any]:
    """Return a manifest that refers to blobs nobody uploaded."""
    return {
        "schemaVersion": 2, "mediaType": OCI, "config": {"mediaType": CONFIG, "digest": digest_of(b"c"), "size": 1},
        "layers": [{"mediaType": LAYER, "digest": digest_of(b"l"), "size": 1}], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "media", "code"),
    [
        (json.dumps(manifest()).encode(), OCI, "MANIFEST_BLOB_UNKNOWN"),
        (json.dumps(manifest(mediaType=INDEX)).encode(), OCI, "MANIFEST_INVALID"),
        (json.dumps(manifest(config={"digest": "x"})).encode(), OCI, "MANIFEST_INVALID"),
        (json.dumps(manifest(layers="x")).encode(), OCI, "MANIFEST_INVALID"),
        (json.dumps({"schemaVersion": 1}).encode(), "application/vnd.docker.distribution.manifest.v1+prettyjws",
         "MANIFEST_INVALID"),
        (b"[" * 100_000, OCI, "MANIFEST_INVALID"),
        (b"\xff", OCI, "MANIFEST_INVALID"),
    ],
)  # fmt: skip
def test_bad_manifests(login: Login, pushes: str, body: bytes, media: str, code: str) -> None:
    """M14: a manifest that is none, or refers to what is not there, stores nothing."""
    answer = login.call("PUT", "/v2/team/web/manifests/v1", pushes, body, content_type=media)
    assert answer.code == code
    assert login.call("GET", "/v2/team/web/manifests/v1", pushes).status == 404


def test_a_manifest_of_more_than_4_mib(login: Login, pushes: str) -> None:
    """M14: the limit of the specification."""
    body = b'{"x":"' + b"x" * 4 * 1024 * 1024 + b'"}'
    assert login.call("PUT", "/v2/team/web/manifests/v1", pushes, body, content_type=OCI).status == 413


def test_an_index_for_who_knows_none(login: Login, pushes: str) -> None:
    """M14: clients that name image types only get the image for Linux on amd64."""
    digest = login.image(pushes, "team/web", "v1")
    entry = {"mediaType": OCI, "digest": digest, "size": 1, "platform": {"os": "linux", "architecture": "amd64"}}
    index = login.manifest(pushes, "team/web", "all", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
    for accepted, wanted in ((f"{OCI}, {INDEX}", index), ("*/*", index), (OCI, digest)):
        found = login.call("GET", "/v2/team/web/manifests/all", pushes, accept=accepted)
        assert found.headers["docker-content-digest"] == wanted


def test_tags_are_listed_in_pages(login: Login, pushes: str) -> None:
    """M14: lexical order, ``n`` and ``last``, and a Link while there is more."""
    for tag in ("b", "a", "c"):
        login.image(pushes, "team/web", tag)
    assert login.call("GET", "/v2/team/web/tags/list", pushes).json == {"name": "team/web", "tags": ["a", "b", "c"]}
    first = login.call("GET", "/v2/team/web/tags/list?n=2", pushes)
    assert first.json["tags"] == ["a", "b"]
    assert first.headers["link"] == '</v2/team/web/tags/list?last=b&n=2&orderby=>; rel="next"'
    assert login.call("GET", "/v2/team/web/tags/list?n=2&last=b", pushes).json["tags"] == ["c"]
    assert login.call("GET", "/v2/team/web/tags/list?n=x", pushes).code == "PAGINATION_NUMBER_INVALID"


def test_referrers(login: Login, pushes: str) -> None:
    """M14: what is about an image, all or of one type, and gone with the image."""
    image = login.image(pushes, "team/web", "v1")
    login.blob(pushes, "team/web", b"{}")
    empty = {"mediaType": EMPTY, "digest": digest_of(b"{}"), "size": 2}
    for kind in ("application/x.sig", "application/x.sbom"):
        body = {"schemaVersion": 2, "mediaType": OCI, "artifactType": kind, "config": empty, "layers": [empty],
                "subject": {"mediaType": OCI, "digest": image, "size": 1}, "annotations": {"k": kind}}  # fmt: skip
        login.manifest(pushes, "team/web", "", body)
    path = f"/v2/team/web/referrers/{image}"
    assert len(login.call("GET", path, pushes).json["manifests"]) == 2
    one = login.call("GET", f"{path}?artifactType=application/x.sig", pushes)
    assert [found["annotations"]["k"] for found in one.json["manifests"]] == ["application/x.sig"]
    assert one.headers["oci-filters-applied"] == "artifactType"
    assert login.call("DELETE", f"/v2/team/web/manifests/{image}", login.owner("team/web")).status == 202
    assert login.call("GET", path, pushes).json["manifests"] == []


def test_deleted(login: Login, pushes: str) -> None:
    """M14: deleting a tag leaves the manifest, deleting the manifest takes its tags; a blob in use stays."""
    owner = login.owner("team/web")
    digest = login.image(pushes, "team/web", "v1")
    login.image(pushes, "team/web", "v2")
    assert login.call("DELETE", f"/v2/team/web/blobs/{digest_of(b'layer')}", owner).status == 405
    assert login.call("DELETE", "/v2/team/web/manifests/v1", owner).status == 202
    assert login.call("HEAD", f"/v2/team/web/manifests/{digest}", pushes).status == 200
    assert login.call("DELETE", f"/v2/team/web/manifests/{digest}", owner).status == 202
    assert login.call("GET", "/v2/team/web/manifests/v2", pushes).status == 404
    assert login.call("GET", "/v2/team/web/tags/list", pushes).status == 404


def test_a_manifest_remembered_is_not_stale(login: Login, pushes: str) -> None:
    """M32: what another process changed shows with the next request."""
    first = login.image(pushes, "team/web", "v1", b"one")
    for _ in range(2):
        assert login.call("GET", "/v2/team/web/manifests/v1", pushes).headers["docker-content-digest"] == first
    second = login.image(pushes, "team/web", "v1", b"two")
    assert login.call("GET", "/v2/team/web/manifests/v1", pushes).headers["docker-content-digest"] == second


def test_attributes(login: Login, pushes: str) -> None:
    """M14: what az shows of a repository, a tag and a manifest."""
    digest, owner = login.image(pushes, "team/web", "v1"), login.owner("team/web")
    shown = login.call("GET", "/acr/v1/team/web", owner).json
    assert (shown["registry"], shown["imageName"], shown["manifestCount"], shown["tagCount"]) == (
        "myregistry.azurecr.io", "team/web", 1, 1,
    )  # fmt: skip
    tag = login.call("GET", "/acr/v1/team/web/_tags/v1", owner).json["tag"]
    assert (tag["name"], tag["digest"], tag["signed"]) == ("v1", digest, False)
    found = login.call("GET", f"/acr/v1/team/web/_manifests/{digest}", owner).json["manifest"]
    assert (found["architecture"], found["os"], found["tags"], found["mediaType"]) == ("arm64", "linux", ["v1"], OCI)
    assert found["configMediaType"] == CONFIG


@pytest.mark.parametrize("order", ["timedesc", "timeasc", ""])
def test_lists_page_in_every_order(login: Login, pushes: str, order: str) -> None:
    """M14: following the links of a list gives each entry once, in order."""
    for tag in ("c", "a", "b"):
        login.image(pushes, "team/web", tag, tag.encode())
    token, seen = login.owner("team/web"), []
    path = f"/acr/v1/team/web/_tags?n=1&orderby={order}"
    while path:
        answer = login.call("GET", path, token)
        seen += [tag["name"] for tag in answer.json["tags"]]
        path = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert "".join(seen) == {"timedesc": "bac", "timeasc": "cab", "": "abc"}[order]


@pytest.mark.parametrize(("list_of", "key"), [("_manifests", "digest"), ("_tags", "name")])
def test_a_list_goes_on_where_its_last_entry_is_gone(login: Login, pushes: str, list_of: str, key: str) -> None:
    """M14: whoever deletes what a page ends with gets the rest with the next one, not the beginning again."""
    for tag in ("a", "b", "c"):
        login.image(pushes, "team/web", tag, tag.encode())
    owner, path = login.owner("team/web"), f"/acr/v1/team/web/{list_of}?n=2"
    first = login.call("GET", path, owner)
    kept, gone = (row[key] for row in first.json[list_of[1:]])
    target = f"/v2/team/web/manifests/{gone}" if key == "digest" else f"/acr/v1/team/web/_tags/{gone}"
    assert login.call("DELETE", target, owner).status == 202
    after = login.call("GET", first.headers["link"].partition("<")[2].partition(">")[0], owner).json[list_of[1:]]
    assert len(after) == 1
    assert after[0][key] not in (kept, gone)


@pytest.mark.parametrize("where", ["", "/_tags/v1", "/_manifests/{digest}"])
@pytest.mark.parametrize("lock", ["deleteEnabled", "writeEnabled"])
def test_locks_against_deletion(login: Login, pushes: str, where: str, lock: str) -> None:
    """M14: a lock of repository, tag or manifest stops deletion; a write lock does too."""
    digest, owner = login.image(pushes, "team/web", "v1"), login.owner("team/web")
    path = "/acr/v1/team/web" + where.format(digest=digest)
    assert login.call("PATCH", path, owner, json.dumps({lock: False}).encode()).status == 200
    for refused in (f"/v2/team/web/manifests/{digest}", "/acr/v1/team/web"):
        answer = login.call("DELETE", refused, owner)
        assert (answer.status, answer.code) == (405, "REGISTRY_DISALLOWED_OPERATION")
    assert login.call("PATCH", path, owner, json.dumps({lock: True}).encode()).status == 200
    assert login.call("DELETE", "/acr/v1/team/web", owner).status == 202


def test_locks_against_writing_reading_and_listing(login: Login, pushes: str) -> None:
    """M14: a locked tag is not moved, a hidden one not listed, an unreadable one not pulled."""
    login.image(pushes, "team/web", "v1")
    owner, path = login.owner("team/web"), "/acr/v1/team/web/_tags/v1"
    login.call("PATCH", path, owner, b'{"writeEnabled": false, "listEnabled": false, "readEnabled": false}')
    login.image(pushes, "team/web", "v2", b"other")
    body = login.call("GET", "/v2/team/web/manifests/v2", pushes).body
    assert login.call("PUT", "/v2/team/web/manifests/v1", pushes, body, content_type=OCI).status == 405
    assert login.call("GET", "/v2/team/web/tags/list", pushes).json["tags"] == ["v2"]
    assert login.call("GET", "/v2/team/web/manifests/v1", pushes).status == 405


def test_untag(login: Login, pushes: str) -> None:
    """M14: az's untag removes the tag alone."""
    digest, owner = login.image(pushes, "team/web", "v1"), login.owner("team/web")
    assert login.call("DELETE", "/acr/v1/team/web/_tags/v1", owner).status == 202
    assert login.call("DELETE", "/acr/v1/team/web/_tags/v1", owner).code == "TAG_UNKNOWN"
    assert login.call("HEAD", f"/v2/team/web/manifests/{digest}", pushes).status == 200


def test_signed(login: Login, pushes: str) -> None:
    """M13: a tag is signed when trust data names it with the digest it has."""
    from azext_trust.server.store import registries, trust

    digest, owner = login.image(pushes, "team/web", "v1"), login.owner("team/web")
    with login.cloud.app.store.write() as transaction:
        row = registries.by_name(transaction.session, "myregistry")
        assert row is not None
        row.trust_enabled = True
        gun = f"{login.host}/team/web"
        transaction.session.add(
            trust.TrustTag(registry_id=row.trust_space, gun=gun, role="targets", tag="v1", sha256=digest[7:], length=1)
        )
    assert login.call("GET", "/acr/v1/team/web/_tags/v1", owner).json["tag"]["signed"] is True
    login.image(pushes, "team/web", "v1", b"other")
    assert login.call("GET", "/acr/v1/team/web/_tags/v1", owner).json["tag"]["signed"] is False


def test_quarantine(login: Login, pushes: str) -> None:
    """M1: a pushed image is hidden until it passed; who may see it asks like everybody else."""
    login.policy(quarantinePolicy={"status": "enabled"})
    digest = login.image(pushes, "team/web", "v1")
    assert login.call("GET", "/v2/team/web/manifests/v1", pushes).code == "MANIFEST_UNKNOWN"
    assert login.call("GET", f"/v2/team/web/manifests/{digest}", pushes).code == "IMAGE_QUARANTINED"
    owner = login.owner("team/web", "pull,push")
    assert login.call("GET", "/v2/team/web/manifests/v1", owner).status == 200
    passed = b'{"quarantineState": "Passed", "quarantineDetails": "{}"}'
    assert login.call("PATCH", f"/acr/v1/team/web/_manifests/{digest}", owner, passed).status == 200
    assert login.call("GET", "/v2/team/web/manifests/v1", pushes).status == 200


def test_soft_deletion(login: Login, pushes: str) -> None:
    """M1: what was deleted is listed and comes back under its tag."""
    login.policy(softDeletePolicy={"status": "enabled", "retentionDays": 7})
    digest = login.image(pushes, "team/web", "v1")
    assert login.call("DELETE", "/acr/v1/team/web", login.owner("team/web")).status == 202
    assert login.call("GET", "/v2/team/web/manifests/v1", pushes).status == 404
    catalog = login.for_user("owner@contoso.com", "Owner-pass-1", "registry:deleted_catalog:*")
    assert login.call("GET", "/acr/v1/_deleted/_catalog", catalog).json == {"repositories": ["team/web"]}
    owner = login.owner("team/web", "deleted_read,deleted_restore")
    listed = login.call("GET", "/acr/v1/_deleted/team/web/_tags", owner).json["tags"]
    assert [(row["tag"], row["digest"]) for row in listed] == [("v1", digest)]
    path = f"/acr/v1/_deleted/team/web/_manifests/{digest}"
    assert login.call("POST", f"{path}?force=False", owner, b'{"tag": "v1"}').status == 200
    assert login.call("GET", "/v2/team/web/manifests/v1", pushes).headers["docker-content-digest"] == digest


def test_a_push_is_in_the_activity_log(login: Login, pushes: str) -> None:
    """M25: who pushed what, with which client."""
    from azext_trust.server.store import activity

    digest = login.image(pushes, "team/web", "v1")
    with login.cloud.app.store.read() as transaction:
        last = activity.recent(transaction.session, 1)[0]
    assert last.operation == "Microsoft.ContainerRegistry/registries/push/write"
    assert activity.details_of(last)["after"] == {"repository": "team/web", "reference": "v1", "digest": digest}
