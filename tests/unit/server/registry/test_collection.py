"""What is swept up, and what never is while somebody pushes."""

from __future__ import annotations

from urllib.parse import quote

from azext_trust.server.store import blobs, collection, facts, registries
from tests.unit.server.registry.conftest import OCI, Login, digest_of

BIG = bytes(range(256)) * 200


def sweep(login: Login, grace: float = 0) -> collection.Swept:
    """Sweep with a grace period that a test need not wait for."""
    return collection.sweep(login.cloud.app.store, grace, 0)


def age(login: Login) -> None:
    """Let every push lie long ago."""
    with login.cloud.app.store.write() as transaction:
        connection = transaction.session.connection()
        connection.exec_driver_sql("UPDATE blob_link SET touched = 1")
        connection.exec_driver_sql("UPDATE blob SET created = 1")


def advance(login: Login, days: float) -> None:
    """Move the cloud's clock."""
    with login.cloud.app.store.write() as transaction:
        facts.put(transaction.session, facts.CLOCK_OFFSET, str(days * 86400))


def files(login: Login) -> int:
    """Count what lies in the store of blobs."""
    return len(list(login.cloud.app.store.contents.locations()))


def test_what_nobody_needs_goes(login: Login, pushes: str) -> None:
    """M14: a blob that no manifest refers to goes, one that is referred to stays, and usage follows."""
    login.image(pushes, "team/web", "v1", BIG)
    login.blob(pushes, "team/web", BIG[:-1])
    age(login)
    swept = sweep(login)
    assert (swept.links, swept.blobs, files(login)) == (1, 1, 1)
    assert login.call("HEAD", f"/v2/team/web/blobs/{digest_of(BIG)}", pushes).status == 200
    with login.cloud.app.store.read() as transaction:
        row = registries.by_name(transaction.session, "myregistry")
        assert row is not None
        session = transaction.session
        assert blobs.usage(session, row.id) == blobs.counted(session, row.id)


def test_a_running_push_loses_nothing(login: Login, pushes: str) -> None:
    """M14: while a push goes on in a repository, all its blobs stay: fresh ones, and old ones beside an upload."""
    login.blob(pushes, "team/web", BIG)
    assert collection.sweep(login.cloud.app.store, 3600).links == 0
    age(login)
    location = login.call("POST", "/v2/team/web/blobs/uploads/", pushes).headers["location"]
    login.call("PATCH", location, pushes, BIG[:100])
    assert collection.sweep(login.cloud.app.store, 3600).links == 0


def test_asking_for_a_blob_is_relying_on_it(login: Login, pushes: str) -> None:
    """M14: a client that found a blob and does not upload it again is not let down."""
    digest = login.blob(pushes, "team/web", BIG)
    age(login)
    assert login.call("HEAD", f"/v2/team/web/blobs/{digest}", pushes).status == 200
    assert collection.sweep(login.cloud.app.store, 3600).links == 0


def test_collected_and_uploaded_at_once(login: Login, pushes: str) -> None:
    """M14: content that comes again while its old bytes wait in the trash is not hurt by emptying it."""
    digest = login.blob(pushes, "team/web", BIG)
    age(login)
    store = login.cloud.app.store
    with store.write() as transaction:
        collection._unlink(transaction.session, 2, set())
        collection._condemn(transaction.session, 2)
    assert login.blob(pushes, "team/web", BIG) == digest
    collection._empty_trash(store)
    assert login.call("GET", f"/v2/team/web/blobs/{digest}", pushes).body == BIG
    with store.read() as transaction:
        assert transaction.session.get(blobs.BlobTrash, "x") is None


def test_what_a_crash_left_behind(login: Login, pushes: str) -> None:
    """M14: bytes that no row names, and uploads nobody goes on with, are swept up."""
    contents = login.cloud.app.store.contents
    contents.put(digest_of(b"x"), [b"x"])
    location = login.call("POST", "/v2/team/web/blobs/uploads/", pushes).headers["location"]
    login.call("PATCH", location, pushes, BIG)
    swept = sweep(login)
    assert (swept.orphans, swept.uploads, files(login)) == (1, 1, 0)


def test_retention(login: Login, pushes: str) -> None:
    """M1: manifests without a tag go after the policy's days, tagged and locked ones stay."""
    login.policy(retentionPolicy={"status": "enabled", "days": 3})
    old = login.image(pushes, "team/web", "v1", b"one")
    new = login.image(pushes, "team/web", "v1", b"two")
    advance(login, 2.9)
    assert sweep(login).manifests == 0
    advance(login, 3.1)
    assert sweep(login).manifests == 1
    fresh = login.token("repository:team/web:pull")
    assert login.call("HEAD", f"/v2/team/web/manifests/{old}", fresh).status == 404
    assert login.call("HEAD", f"/v2/team/web/manifests/{new}", fresh).status == 200


def test_soft_deletion_ends(login: Login, pushes: str) -> None:
    """M1: after its days a soft-deleted manifest is gone for good."""
    login.policy(softDeletePolicy={"status": "enabled", "retentionDays": 7})
    digest = login.image(pushes, "team/web", "v1")
    login.call("DELETE", f"/v2/team/web/manifests/{digest}", login.owner("team/web"))
    advance(login, 6.9)
    assert sweep(login).manifests == 0
    advance(login, 7.1)
    assert sweep(login).manifests == 1


def test_a_deleted_registry_leaves_nothing(login: Login, pushes: str) -> None:
    """M14: with its registry goes what it held; another one of that name begins empty."""
    from tests.unit.server.registry.conftest import REGISTRY

    digest = login.image(pushes, "team/web", "v1", BIG)
    login.arm("DELETE", REGISTRY)
    login.arm("PUT", REGISTRY, {"location": "westeurope", "sku": {"name": "Premium"}})
    owner = login.owner("team/web")
    assert login.call("GET", f"/v2/team/web/manifests/{digest}", owner).status == 404
    age(login)
    sweep(login)
    assert files(login) == 0
    body = b'{"schemaVersion": 2}'
    assert login.call("PUT", "/v2/team/web/manifests/v1", pushes, body, content_type=OCI).status == 401


def test_the_operator_sweeps(login: Login, pushes: str) -> None:
    """M14: the operator service sweeps and says what went."""
    login.blob(pushes, "team/web", BIG)
    age(login)
    key = login.cloud.app.store.vault.operator_key()
    reply = login.cloud.call("POST", "/operator/gc", {"graceSeconds": 0}, key)
    assert reply.status == 200
    assert login.cloud.json(reply)["links"] == 1
    assert login.call("HEAD", f"/v2/team/web/blobs/{quote(digest_of(BIG))}", pushes).status == 404
