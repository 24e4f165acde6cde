"""The Notary server's endpoints as the contract page states them, on the real store (M16, M17)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from azext_trust.clients.notary_errors import Conflict, Rejected
from azext_trust.server.notary.keys import Held
from azext_trust.server.store import facts, registries, trust
from azext_trust.server.store.trust_data import Repository as Stored
from azext_trust.server.store.vault import VaultKeyError
from azext_trust.signing import delegations, rotation, tags
from azext_trust.signing.draft import Draft, Repository
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from azext_trust.tuf import walk
from azext_trust.tuf.metadata import Root
from tests.conftest import Client
from tests.notary_service import BOUNDARY, HOST, Served, form
from tests.trust import PASSPHRASES, image

BASE = f"/v2/{HOST}/team/web/_trust/tuf/"
GUN = f"{HOST}/team/web"


@pytest.fixture
def served(cloud: Client) -> Served:
    """The service, with content trust on."""
    made = Served(cloud.app)
    made.enable()
    return made


@pytest.fixture
def signer(served: Served, tmp_path: Path) -> Repository:
    """Somebody who signs there."""
    return somebody(served, tmp_path / "signer")


def somebody(served: Served, directory: Path, name: str = "team/web") -> Repository:
    """Return a repository for somebody with keys of their own; the clock is the cloud's."""
    store = KeyStore(directory, Passphrases(environment=PASSPHRASES))
    return Repository.of(served.remote(name), store, lambda: now(served))


def now(served: Served) -> datetime:
    """Return the cloud's present."""
    with served.app.store.read() as transaction:
        return transaction.now()


def later(served: Served, days: float) -> None:
    """Move the cloud's clock."""
    with served.app.store.write() as transaction:
        facts.put(transaction.session, facts.CLOCK_OFFSET, str(days * 86400))


def sign(signer: Repository, *names: str) -> None:
    """Sign tags."""
    for name in names:
        tags.sign(signer, name, image(name))


def rows(served: Served, table: Any) -> list[Any]:
    """Return all rows of a table."""
    with served.app.store.read() as transaction:
        return list(transaction.session.exec(select(table)))


def error(served: Served, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, Any]]:
    """Return status and error of a refused request."""
    reply = served.call(method, target, body, **headers)
    assert isinstance(reply.body, bytes)
    assert reply.body.endswith(b"}\n")
    assert reply.media == "application/json; charset=utf-8"
    return reply.status, json.loads(reply.body)["errors"][0]


# Publishing and reading


def test_signed_and_read(served: Served, signer: Repository, tmp_path: Path) -> None:
    """M16, M18: what is signed there is verified from there by somebody else."""
    sign(signer, "v1", "v2")
    assert tags.resolve(somebody(served, tmp_path / "reader"), "v2").file == image("v2")


def test_rotations_and_delegations(served: Served, signer: Repository, tmp_path: Path) -> None:
    """M16: all that a client does there is served."""
    sign(signer, "v1")
    reader = somebody(served, tmp_path / "reader")
    tags.resolve(reader, "v1")
    for role, server in (
        ("timestamp", True),
        ("snapshot", False),
        ("snapshot", True),
        ("targets", False),
        ("root", False),
    ):
        rotation.rotate(signer, role, server=server)
    key = delegations.key_of(signer.store, "alice")
    delegations.add_signer(signer, "alice", [key.public])
    sign(signer, "v2")
    tags.revoke(signer, "v1")
    assert set(walk.released(reader.load().targets)) == {"v2"}


def test_bytes_and_headers(served: Served, signer: Repository) -> None:
    """M16: the newest is cached shortly, by digest and version long; bytes and headers are the reference's."""
    sign(signer, "v1")
    newest = served.call("GET", f"{BASE}targets.json")
    assert newest.headers["cache-control"] == "public, max-age=300, s-maxage=300, must-revalidate"
    assert newest.headers["last-modified"].endswith(" UTC")
    assert newest.media == "text/plain; charset=utf-8"
    assert isinstance(newest.body, bytes)
    digest = hashlib.sha256(newest.body).hexdigest()
    for name in (f"targets.{digest}.json", "2.targets.json", "02.targets.json"):
        found = served.call("GET", BASE + name)
        assert found.body == newest.body
        assert found.headers["cache-control"] == "public, max-age=2592000, s-maxage=2592000"


def test_old_versions_stay_readable(served: Served, signer: Repository) -> None:
    """M16: readers fetch by digest right after: what was superseded is still there."""
    sign(signer, "v1")
    old = served.call("GET", f"{BASE}snapshot.json").body
    sign(signer, "v2")
    assert isinstance(old, bytes)
    assert served.call("GET", f"{BASE}snapshot.{hashlib.sha256(old).hexdigest()}.json").body == old


def versions(served: Served, role: str) -> list[int]:
    """Return the stored versions of a role."""
    return sorted(row.version for row in rows(served, trust.TrustMetadata) if row.role == role)


def test_old_versions_go_in_time(served: Served, signer: Repository) -> None:
    """M16: what was superseded more than an hour ago is deleted with the next publish; of root every version stays."""
    for minutes in (0, 30, 60, 90, 91):
        later(served, minutes / 60 / 24)
        sign(signer, f"v{minutes}")
    # An hour before the last, the one of minute 30 was the newest.
    assert versions(served, "targets") == [3, 4, 5, 6]
    assert versions(served, "snapshot") == versions(served, "timestamp") == [2, 3, 4, 5]
    rotation.rotate(signer, "root")
    later(served, 1)
    rotation.rotate(signer, "root")
    assert versions(served, "root") == [1, 2, 3]
    assert versions(served, "targets") == [3, 4, 5, 6]


@pytest.mark.parametrize(
    "name",
    ["root.json", "targets/none.json", "9.root.json", "0.root.json", "99999999999999999999.root.json", "targets.txt",
     "targets", f"targets.{'0' * 64}.json", f"targets.{'A' * 64}.json", f"targets.{'a' * 96}.json", "mirror.json",
     f"1.targets.{'0' * 64}.json", "targets/../root.json"],
)  # fmt: skip
def test_nothing_there(served: Served, name: str) -> None:
    """M16: what is not there is METADATA_NOT_FOUND."""
    status, found = error(served, "GET", BASE + name)
    assert (status, found["code"], found["detail"]) == (404, "METADATA_NOT_FOUND", {})


@pytest.mark.parametrize(
    ("method", "path"),
    [("HEAD", "tuf/root.json"), ("PUT", "tuf/root.json"), ("GET", "tuf/targets.key"), ("GET", "tuf/root.key"),
     ("GET", "tuf/"), ("GET", "other"), ("DELETE", "tuf/root.json"), ("POST", "tuf/root.json")],
)  # fmt: skip
def test_other_paths(served: Served, method: str, path: str) -> None:
    """M16: everything else is METADATA_NOT_FOUND too."""
    assert error(served, method, f"/v2/{GUN}/_trust/{path}")[0] == 404


@pytest.mark.parametrize(
    "gun", ["other.azurecr.io/team/web", "team/web", HOST, f"{HOST}/Team", f"{HOST}/team//web", f"{HOST}:444/team"]
)
def test_other_names(served: Served, gun: str) -> None:
    """M16: a name of another host, without one, or that no repository can have is nobody's here."""
    for method, path in (("GET", "timestamp.json"), ("GET", "timestamp.key"), ("POST", ""), ("DELETE", "")):
        assert error(served, method, f"/v2/{gun}/_trust/tuf/{path}", form({}), content_type=MEDIA)[0] == 404
    assert rows(served, trust.TrustKey) == []


MEDIA = f"multipart/form-data; boundary={BOUNDARY}"


def test_with_a_port(served: Served) -> None:
    """M16: where the login server has a port, it is part of the name."""
    served.host = f"{HOST}:8443"
    assert served.call("GET", f"/v2/{HOST}:8443/x/_trust/tuf/timestamp.key").status == 200
    assert served.call("GET", f"/v2/{HOST}%3A8443/x/_trust/tuf/timestamp.key").status == 200


# Where trust is off


@pytest.mark.parametrize("change", [{"trust_enabled": False}, {"sku": "Standard"}, {"retirement": "2028"}])
def test_off(served: Served, signer: Repository, change: dict[str, Any]) -> None:
    """M1, M5: without the policy, off Premium, or in 2028 every trust path answers 405."""
    sign(signer, "v1")
    if "retirement" in change:
        with served.app.store.write() as transaction:
            facts.put(transaction.session, facts.RETIREMENT, "2028")
    else:
        served.enable(**change)
    for method, path in (("GET", "timestamp.json"), ("GET", "timestamp.key"), ("POST", ""), ("DELETE", "")):
        assert served.call(method, BASE + path, form({}), content_type=MEDIA).status == 405
    assert served.call("GET", f"/v2/{GUN}/_trust/changefeed?records=1").status == 405


def test_unknown_registry(served: Served) -> None:
    """M16: a login server that no registry has."""
    served.host = "nobody1.azurecr.io"
    assert served.call("GET", "/v2/nobody1.azurecr.io/x/_trust/tuf/root.json").status == 404


# Refused uploads


@pytest.mark.parametrize(
    ("body", "media"),
    [(b"", MEDIA), (b"junk", MEDIA), (form({"root": b"{}"})[:-10], MEDIA), (form({}), "application/json"),
     (form({}), "multipart/form-data"), (b"--xyz\r\n\r\n", MEDIA), (form({}, "other"), MEDIA)],
)  # fmt: skip
def test_no_form(served: Served, body: bytes, media: str) -> None:
    """M16: a body that is none, or broken off, is MALFORMED_UPLOAD; the reference drops the connection there."""
    status, found = error(served, "POST", BASE, body, content_type=media)
    assert (status, found["code"], found["message"]) == (
        400, "MALFORMED_UPLOAD", "The body of your request is malformed.",
    )  # fmt: skip


def test_no_filename(served: Served) -> None:
    """M16: a part without a file name."""
    body = b"--xyz\r\nContent-Disposition: form-data; name=files\r\n\r\n{}\r\n--xyz--\r\n"
    assert error(served, "POST", BASE, body, content_type=MEDIA)[1]["code"] == "NO_FILENAME"


def test_invalid_role(served: Served) -> None:
    """M16: a part of no role; the detail names it."""
    _, found = error(served, "POST", BASE, form({"targetz.json": b"{}"}), content_type=MEDIA)
    assert (found["code"], found["detail"]) == ("INVALID_ROLE", "targetz")


def test_malformed_json(served: Served) -> None:
    """M16: a part that is no metadata."""
    _, found = error(served, "POST", BASE, form({"root": b"no"}), content_type=MEDIA)
    assert (found["code"], "detail" in found) == ("MALFORMED_JSON", False)


def test_invalid_update(served: Served) -> None:
    """M16: the detail has the members that docker reads."""
    _, found = error(served, "POST", BASE, form({}), content_type=MEDIA)
    assert found["detail"] == {
        "Name": "ErrValidation", "Error": {"Msg": "no pre-existing root and no root provided in update."},
    }  # fmt: skip


def test_version(served: Served, signer: Repository) -> None:
    """M16: a version that is there already is VERSION, and nothing is stored."""
    sign(signer, "v1")
    before = rows(served, trust.TrustMetadata)
    raw = served.call("GET", f"{BASE}targets.json").body
    assert isinstance(raw, bytes)
    _, found = error(served, "POST", BASE, form({"targets": raw}), content_type=MEDIA)
    assert (found["code"], found["detail"]) == ("VERSION", {})
    assert rows(served, trust.TrustMetadata) == before


def test_boundaries(served: Served, signer: Repository) -> None:
    """M16: quoted boundaries and unquoted file names are read too."""
    sign(signer, "v1")
    body = form({}).replace(b'"', b"")
    assert served.call("POST", BASE, body, content_type='multipart/form-data; boundary="xyz"').status == 200


def test_foreign_first_root(served: Served, signer: Repository, tmp_path: Path) -> None:
    """M16: two first pushes: the second is refused and stores nothing."""
    other = somebody(served, tmp_path / "other")
    sign(signer, "v1")
    held = rows(served, trust.TrustMetadata)
    late = Draft(other, None)
    late.initialise()
    with pytest.raises((Conflict, Rejected)):
        late.publish()
    assert rows(served, trust.TrustMetadata) == held


# Keys


def test_keys(served: Served) -> None:
    """M17: a key is shown as the reference shows it, and waits for a root; rotation gives another."""
    first = served.json("GET", f"{BASE}timestamp.key")
    assert list(first) == ["keytype", "keyval"]
    assert list(first["keyval"]) == ["public", "private"]
    assert served.json("GET", f"{BASE}timestamp.key") == first
    assert served.json("POST", f"{BASE}timestamp.key") != first
    assert served.json("GET", f"{BASE}snapshot.key") != first


def test_key_of_the_root(served: Served, signer: Repository) -> None:
    """M17: once there is a root, the key it names is shown, also while another waits."""
    sign(signer, "v1")
    shown = served.json("GET", f"{BASE}timestamp.key")
    served.json("POST", f"{BASE}timestamp.key")
    assert served.json("GET", f"{BASE}timestamp.key") == shown


def test_keys_at_rest(served: Served, signer: Repository) -> None:
    """M17: keys are encrypted, bound to repository and role: a row moved elsewhere cannot be opened."""
    sign(signer, "v1")
    for row in rows(served, trust.TrustKey):
        assert b"PRIVATE" not in row.private_sealed.encode()
        assert row.public not in row.private_sealed.encode()
    with served.app.store.write() as transaction:
        row = transaction.session.exec(select(trust.TrustKey)).first()
        assert row is not None
        held = Held(transaction, Stored(row.registry_id, GUN))
        assert held[row.key_id].private.id == row.key_id
        row.gun = f"{HOST}/other"
        transaction.session.add(row)
        transaction.session.flush()
        with pytest.raises(VaultKeyError):
            Held(transaction, Stored(row.registry_id, row.gun))[row.key_id]


def test_pending_keys(served: Served) -> None:
    """M17: whoever asks for new keys without end does not fill the store."""
    for _ in range(15):
        served.call("POST", f"{BASE}snapshot.key")
    assert len(rows(served, trust.TrustKey)) == 10


# Tags, feed, log


def test_tags(served: Served, signer: Repository) -> None:
    """M13: the table of signed tags follows what is signed and revoked."""
    sign(signer, "v1", "v2")
    tags.sign(signer, "v1", image("newer", 600))
    tags.revoke(signer, "v2")
    assert [(row.role, row.tag, row.sha256, row.length) for row in rows(served, trust.TrustTag)] == [
        ("targets", "v1", image("newer").sha256, 600)
    ]


def test_tags_of_signers(served: Served, signer: Repository) -> None:
    """M13: with a signer that is removed go the tags of its role."""
    key = delegations.key_of(signer.store, "alice")
    delegations.add_signer(signer, "alice", [key.public])
    sign(signer, "v1")
    assert {row.role for row in rows(served, trust.TrustTag)} == {"targets/alice", "targets/releases"}
    delegations.remove_signer(signer, "alice")
    assert {row.role for row in rows(served, trust.TrustTag)} == {"targets/releases"}


def test_change_feed(served: Served, signer: Repository, tmp_path: Path) -> None:
    """M16: a line for each new timestamp, forwards and backwards, of one repository and of all."""
    sign(signer, "v1", "v2")
    sign(somebody(served, tmp_path / "other", "other"), "v1")
    whole = served.json("GET", "/v2/_trust/changefeed?records=0")
    assert [(line["GUN"], line["Version"], line["Category"]) for line in whole["records"]] == [
        (GUN, 1, "update"), (GUN, 2, "update"), (f"{HOST}/other", 1, "update"),
    ]  # fmt: skip
    assert whole["count"] == 3
    first, second, third = (line["ID"] for line in whole["records"])
    assert [line["ID"] for line in lines(served, f"records=1&change_id={first}")] == [second]
    assert [line["ID"] for line in lines(served, "records=-1")] == [second]
    assert [line["ID"] for line in served.json("GET", f"/v2/_trust/changefeed?records=-2&change_id={third}")["records"]] == [
        first, second,
    ]  # fmt: skip
    raw = served.call("GET", f"{BASE}timestamp.json").body
    assert isinstance(raw, bytes)
    assert lines(served, "records=-1")[0]["SHA256"] == hashlib.sha256(raw).hexdigest()


def lines(served: Served, query: str) -> list[dict[str, Any]]:
    """Return lines of the repository's feed."""
    found: list[dict[str, Any]] = served.json("GET", f"/v2/{GUN}/_trust/changefeed?{query}")["records"]
    return found


@pytest.mark.parametrize("query", ["", "records=", "records=x", "records=99999999999", "records=1&change_id=x"])
def test_wrong_queries(served: Served, query: str) -> None:
    """M16: numbers are needed, of 32 bits."""
    status, found = error(served, "GET", f"/v2/{GUN}/_trust/changefeed?{query}")
    assert (status, found["code"]) == (400, "INVALID_PARAMETERS")


def test_deletion(served: Served, signer: Repository) -> None:
    """M16: all versions go, a line of the feed says so, once; the keys stay; then the repository begins anew."""
    sign(signer, "v1")
    for _ in range(2):
        assert served.call("DELETE", BASE).status == 200
    assert served.call("GET", f"{BASE}root.json").status == 404
    assert rows(served, trust.TrustTag) == []
    last = lines(served, "records=-2")
    assert [(line["Category"], line["Version"], line["SHA256"]) for line in last[1:]] == [("deletion", 0, "")]
    signer.cache.clear()
    sign(signer, "v2")
    assert set(walk.released(signer.load().targets)) == {"v2"}


def test_purge(served: Served, signer: Repository, tmp_path: Path) -> None:
    """M4: after the registry's purge a signer with a full cache cannot bring the old tags back."""
    sign(signer, "v1")
    signer.load()
    parts = {role: signer.cache.read(role) for role in ("root", "targets")}
    with served.app.store.write() as transaction:
        registry = registries.by_name(transaction.session, "myregistry")
        assert registry is not None
        trust.erase(transaction, registry)
    with pytest.raises(Rejected, match="no snapshot was included in update"):
        served.remote().publish({role: raw or b"" for role, raw in parts.items()})
    assert rows(served, trust.TrustMetadata) == []


def test_log(served: Served, signer: Repository) -> None:
    """M25: the activity log names tags, digests and versions, and holds neither metadata nor keys."""
    from azext_trust.server.store import activity

    sign(signer, "v1")
    with served.app.store.read() as transaction:
        entries = [
            row
            for row in transaction.session.exec(select(activity.ActivityEntry))
            if "trustedCollections" in row.operation
        ]
    text = json.dumps([entry.details for entry in entries])
    assert image("v1").sha256 in text
    assert "signatures" not in text
    assert "keyval" not in text


# Renewal


def test_renewal(served: Served, signer: Repository, tmp_path: Path) -> None:
    """M17: an expired timestamp is signed again when somebody reads, once, with a line of the feed."""
    sign(signer, "v1")
    later(served, 15)
    first = served.call("GET", f"{BASE}timestamp.json").body
    assert served.call("GET", f"{BASE}timestamp.json").body == first
    assert [line["Version"] for line in lines(served, "records=10")] == [1, 2]
    assert tags.resolve(somebody(served, tmp_path / "reader"), "v1").name == "v1"


def test_renewal_of_snapshot(served: Served, signer: Repository, tmp_path: Path) -> None:
    """M17: an expired snapshot is signed again too, whichever of the two is asked for."""
    sign(signer, "v1")
    later(served, 1094)
    sign(signer, "v2")
    later(served, 2000)
    for name in ("snapshot", "timestamp"):
        assert isinstance(served.call("GET", f"{BASE}{name}.json").body, bytes)
    assert tags.resolve(somebody(served, tmp_path / "reader"), "v2").name == "v2"


def test_two_readers_renew_once(served: Served, signer: Repository) -> None:
    """M17: concurrent readers of an expired timestamp make one new version (section 8, trap 11)."""
    from concurrent.futures import ThreadPoolExecutor

    sign(signer, "v1")
    later(served, 15)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: repr(served.call("GET", f"{BASE}timestamp.json").body), range(16)))
    assert len(found) == 1
    assert [line["Version"] for line in lines(served, "records=10")] == [1, 2]


# Two writers, faults


def test_two_publishers(served: Served, signer: Repository, tmp_path: Path) -> None:
    """M16: of many publishers at once each one's tags arrive, one after the other; versions have no gaps."""
    import shutil
    from concurrent.futures import ThreadPoolExecutor

    sign(signer, "v0")
    people = []
    for number in range(4):
        shutil.copytree(tmp_path / "signer", tmp_path / str(number))
        people.append(somebody(served, tmp_path / str(number)))

    def work(number: int) -> None:
        for attempt in range(20):
            try:
                sign(people[number], f"t{number}")
                return
            except Conflict:
                assert attempt < 19

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert set(walk.released(signer.load().targets)) == {"v0", "t0", "t1", "t2", "t3"}
    versions = sorted(row.version for row in rows(served, trust.TrustMetadata) if row.role == "targets")
    assert versions == [2, 3, 4, 5, 6]


def test_root_keys_forgotten(served: Served, signer: Repository) -> None:
    """M17: keys that a root named once and names no more are forgotten in time."""
    sign(signer, "v1")
    for _ in range(3):
        rotation.rotate(signer, "timestamp", server=True)
        rotation.rotate(signer, "snapshot", server=True)
    root = Root.parse(signer.cache.read("root") or b"")
    named = {*root.of("timestamp").keys, *root.of("snapshot").keys}
    held = {row.key_id for row in rows(served, trust.TrustKey)}
    assert named <= held
    assert len(held) <= 4


def test_challenges() -> None:
    """M16: a 401 names the scope that the request needs, as the reference does."""
    from azext_trust.server.gate.call import Call, Settings
    from azext_trust.server.notary import errors

    def challenge(method: str, path: str) -> str:
        call = Call(method, path, {}, {"host": HOST}, b"", Settings(Path("x")))
        refused = errors.unauthenticated("missing", call)
        assert refused.status == 401
        return refused.headers["www-authenticate"]

    head = f'Bearer realm="https://{HOST}/oauth2/token",service="{HOST}",scope='
    assert challenge("GET", f"{BASE}root.json") == f'{head}"repository:{GUN}:pull"'
    assert challenge("POST", BASE) == f'{head}"repository:{GUN}:push,pull"'
    assert challenge("DELETE", BASE) == f'{head}"repository:{GUN}:*"'
    assert challenge("POST", f"{BASE}snapshot.key") == f'{head}"repository:{GUN}:*"'
    assert challenge("GET", f"/v2/{GUN}/_trust/x") == f'{head}"registry:catalog:*"'


def test_clock(served: Served) -> None:
    """M17: what the server signs is dated by the cloud's clock."""
    later(served, 400)
    assert now(served) > datetime.now(UTC)
