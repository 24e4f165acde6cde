"""Whatever is sent to the Notary server, it is refused in its own words, and nothing of it is stored (M16)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func
from sqlmodel import select

from azext_trust.server.store import trust
from azext_trust.signing import tags
from azext_trust.signing.draft import Repository
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from tests.adversary.test_tuf_mutations import bytes_changed, member_changed
from tests.conftest import SEED
from tests.notary_service import BOUNDARY, HOST, Served, form, serving
from tests.trust import PASSPHRASES, image

GUN = f"{HOST}/team/web"
BASE = f"/v2/{GUN}/_trust/tuf/"
MEDIA = f"multipart/form-data; boundary={BOUNDARY}"
EXAMPLES = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service with one repository and two tags."""
    directory = tmp_path_factory.mktemp("fuzz")
    (directory / "seed.yaml").write_text(SEED)
    with serving(directory / "state", directory / "seed.yaml", "myregistry") as found:
        for tag in ("v1", "v2"):
            tags.sign(signer(found, directory), tag, image(tag))
        yield found


def signer(served: Served, directory: Path) -> Repository:
    """Return who signs there."""
    store = KeyStore(directory / "keys", Passphrases(environment=PASSPHRASES))
    with served.app.store.read() as transaction:
        now = transaction.now()
    return Repository.of(served.remote(), store, lambda: now)


def count(served: Served) -> list[int]:
    """Return how many rows each table of trust data has."""
    with served.app.store.read() as transaction:
        return [transaction.session.exec(select(func.count()).select_from(table)).one() for table in trust.TABLES]


def refused(served: Served, method: str, target: str, body: bytes = b"", media: str = MEDIA) -> None:
    """Send something that must be refused with nothing changed, or be the empty upload that changes no tag."""
    before = count(served)
    reply = served.call(method, target, body, content_type=media)
    assert reply.status in (200, 400, 404, 405), reply
    if reply.status == 200:
        assert count(served)[1] == before[1]
    else:
        assert count(served) == before


@given(body=st.binary(max_size=300), media=st.sampled_from([MEDIA, "", "multipart/form-data", "text/plain"]))
@EXAMPLES
def test_bodies(served: Served, body: bytes, media: str) -> None:
    """M16: arbitrary bodies."""
    refused(served, "POST", BASE, body, media)


@given(data=st.data())
@EXAMPLES
def test_damaged_forms(served: Served, data: st.DataObject) -> None:
    """M16: a form with some bytes changed, around metadata that are stored already."""
    raw = served.call("GET", f"{BASE}targets.json").body
    assert isinstance(raw, bytes)
    refused(served, "POST", BASE, data.draw(bytes_changed(form({"targets": raw}))))


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
@given(data=st.data())
@EXAMPLES
def test_damaged_metadata(served: Served, role: str, data: st.DataObject) -> None:
    """M16: metadata with one member changed, as a part of any role."""
    raw = served.call("GET", f"{BASE}{role}.json").body
    assert isinstance(raw, bytes)
    name = data.draw(st.sampled_from(["root", "targets", "snapshot", "targets/alice", "timestamp.json"]))
    refused(served, "POST", BASE, form({name: data.draw(member_changed(raw))}))


@given(name=st.text(max_size=40))
@EXAMPLES
def test_file_names(served: Served, name: str) -> None:
    """M16: parts under arbitrary names."""
    refused(served, "POST", BASE, form({name.replace("\r", "").replace("\n", "").replace('"', ""): b"{}"}))


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "PATCH", "OPTIONS"]),
    path=st.text(st.sampled_from("abz019./%-_~:@A\u00e9"), max_size=30)
    | st.sampled_from(["timestamp.key", "snapshot.key", "root.key", "1.root.json", "targets.json", "timestamp.json"]),
    front=st.sampled_from([BASE, f"/v2/{GUN}/_trust/", f"/v2/{HOST}/", "/v2/"]),
    body=st.binary(max_size=40),
)
@EXAMPLES
def test_paths(served: Served, method: str, path: str, front: str, body: bytes) -> None:
    """M16, M17: arbitrary paths and every endpoint, whatever the body; a key that is asked for changes nothing else."""
    refused(served, method, front + path.replace("\u00e9", "%C3%A9"), body)


@given(query=st.text(st.sampled_from("records=change_id&-0123456789x%"), max_size=40))
@EXAMPLES
def test_queries(served: Served, query: str) -> None:
    """M16: arbitrary queries of the change feed."""
    refused(served, "GET", f"/v2/{GUN}/_trust/changefeed?{query}")


def test_still_there(served: Served) -> None:
    """M16: after all that, what was signed is there."""
    with served.app.store.read() as transaction:
        assert {row.tag for row in transaction.session.exec(select(trust.TrustTag))} == {"v1", "v2"}
