"""Uploads in every form, broken off and gone on with; mounts; what is never half there."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.unit.server.registry.conftest import Login, digest_of, send

BIG = bytes(range(256)) * 200
"""More than what fits into the database."""
SMALL = b"a small blob"


def begin(login: Login, token: str, repository: str = "team/web") -> str:
    """Begin an upload and return its address."""
    made = login.call("POST", f"/v2/{repository}/blobs/uploads/", token)
    assert made.status == 202
    return made.headers["location"]


def finish(location: str, digest: str) -> str:
    """Return the address that finishes an upload."""
    return f"{location}?digest={quote(digest)}"


@pytest.mark.parametrize("data", [SMALL, BIG, b""])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("form", ["post", "put", "patch", "chunked put"])
def test_every_form(login: Login, pushes: str, data: bytes, algorithm: str, form: str) -> None:
    """M14: one request, two, three, with a length or without; then the blob is there."""
    digest = digest_of(data, algorithm)
    if form == "post":
        done = login.call("POST", f"/v2/team/web/blobs/uploads/?digest={quote(digest)}", pushes, data)
    elif form == "put":
        done = login.call("PUT", finish(begin(login, pushes), digest), pushes, data)
    elif form == "chunked put":
        done = login.call("PUT", finish(begin(login, pushes), digest), pushes, [data[:100], data[100:]])
    else:
        sent = login.call("PATCH", begin(login, pushes), pushes, [data])
        assert (sent.status, sent.headers["range"]) == (202, f"0-{max(len(data) - 1, 0)}")
        done = login.call("PUT", finish(sent.headers["location"], digest), pushes)
    assert (done.status, done.headers["docker-content-digest"]) == (201, digest)
    found = login.call("GET", f"/v2/team/web/blobs/{digest}", pushes)
    assert (found.status, found.body) == (200, data)
    assert login.call("HEAD", f"/v2/team/web/blobs/{digest}", pushes).headers["content-length"] == str(len(data))


def test_chunks_in_order(login: Login, pushes: str) -> None:
    """M14: a chunk out of order is 416 with how far the upload has come, and status says the same."""
    location = begin(login, pushes)
    first = login.call("PATCH", location, pushes, BIG[:1000], content_range="0-999")
    assert first.headers["range"] == "0-999"
    wrong = login.call("PATCH", location, pushes, BIG[2000:], content_range=f"2000-{len(BIG) - 1}")
    assert (wrong.status, wrong.headers["range"]) == (416, "0-999")
    assert login.call("GET", location, pushes).headers["range"] == "0-999"
    rest = login.call("PUT", finish(location, digest_of(BIG)), pushes, BIG[1000:], content_range=f"1000-{len(BIG) - 1}")
    assert rest.status == 201


def test_another_process_goes_on(login: Login, pushes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """M32: what one process received another one finishes: the digest is counted anew."""
    from azext_trust.server.registry import receiving, upload_state

    location = begin(login, pushes)
    login.call("PATCH", location, pushes, BIG[:5000])
    monkeypatch.setattr(receiving, "running", upload_state.Running())
    assert login.call("PATCH", location, pushes, BIG[5000:]).status == 202
    assert login.call("PUT", finish(location, digest_of(BIG)), pushes).status == 201


def test_a_lost_connection_keeps_what_came(login: Login, pushes: str) -> None:
    """M14: nothing is visible, and the client goes on where it stopped."""
    location = begin(login, pushes)
    headers = {"host": login.host, "authorization": f"Bearer {pushes}"}
    assert send(login.cloud.app, "PATCH", location, headers, [BIG[:700_0]], cut=True).status == 0
    assert login.call("HEAD", f"/v2/team/web/blobs/{digest_of(BIG)}", pushes).status == 404
    received = int(login.call("GET", location, pushes).headers["range"].split("-")[1]) + 1
    done = login.call("PUT", finish(location, digest_of(BIG)), pushes, BIG[received if received > 1 else 0 :])
    assert done.status == 201


def test_a_wrong_digest_stores_nothing(login: Login, pushes: str) -> None:
    """M14: content that is not what was announced is thrown away, and the upload is over."""
    for data in (SMALL, BIG):
        location = begin(login, pushes)
        assert login.call("PUT", finish(location, digest_of(b"other")), pushes, data).code == "DIGEST_INVALID"
        assert login.call("HEAD", f"/v2/team/web/blobs/{digest_of(data)}", pushes).status == 404
    assert list(login.cloud.app.store.contents.locations()) == []


def test_cancelled(login: Login, pushes: str) -> None:
    """M14: a cancelled upload is gone."""
    location = begin(login, pushes)
    login.call("PATCH", location, pushes, BIG)
    assert login.call("DELETE", location, pushes).status == 204
    assert login.call("GET", location, pushes).code == "BLOB_UPLOAD_UNKNOWN"
    assert list(login.cloud.app.store.contents.uploads()) == []


def test_an_upload_belongs_to_its_repository(login: Login, pushes: str) -> None:
    """M12: another repository's upload, and an id that was never given out, are unknown."""
    upload = begin(login, pushes).rsplit("/", 1)[1]
    other = login.token("repository:other:pull,push")
    assert login.call("PATCH", f"/v2/other/blobs/uploads/{upload}", other, SMALL).code == "BLOB_UPLOAD_UNKNOWN"
    made_up = "0" * 8 + "-0000-4000-8000-" + "0" * 12
    assert login.call("GET", f"/v2/team/web/blobs/uploads/{made_up}", pushes).status == 404


def test_mounted(login: Login, pushes: str) -> None:
    """M14: a blob is mounted from where the token may pull; otherwise an upload begins."""
    digest = login.blob(pushes, "team/web", BIG)
    path = f"/v2/other/blobs/uploads/?mount={quote(digest)}&from=team/web"
    narrow = login.token("repository:other:pull,push")
    assert login.call("POST", path, narrow).status == 202
    assert login.call("HEAD", f"/v2/other/blobs/{digest}", narrow).status == 404
    wide = login.token("repository:other:pull,push repository:team/web:pull")
    assert login.call("POST", path, wide).status == 201
    assert login.call("GET", f"/v2/other/blobs/{digest}", narrow).body == BIG


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, BIG[:10]),
        ("bytes=100-", 206, BIG[100:]),
        ("bytes=-5", 206, BIG[-5:]),
        (f"bytes={len(BIG)}-", 416, None),
        ("bytes=0-1,5-6", 200, BIG),
        ("pages=1-2", 200, BIG),
    ],
)
def test_ranges(login: Login, pushes: str, asked: str, status: int, part: bytes | None) -> None:
    """M14: one range of bytes is answered with 206, what cannot be with 416, all else whole (RFC 9110)."""
    digest = login.blob(pushes, "team/web", BIG)
    found = login.call("GET", f"/v2/team/web/blobs/{digest}", pushes, range=asked)
    assert found.status == status
    assert part is None or found.body == part


def test_the_same_blob_twice_lies_once(login: Login, pushes: str) -> None:
    """M14: content is stored once, whoever brings it."""
    login.blob(pushes, "team/web", BIG)
    login.blob(login.token("repository:other:pull,push"), "other", BIG)
    assert len(list(login.cloud.app.store.contents.locations())) == 1


def test_usage_and_the_limit(login: Login, pushes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """M1: usage counts each blob once; over the limit a push is refused and nothing is stored."""
    from azext_trust.server.store import usage
    from tests.unit.server.registry.conftest import REGISTRY

    login.blob(pushes, "team/web", BIG)
    login.blob(login.token("repository:other:pull,push"), "other", BIG)
    size = login.arm("GET", f"{REGISTRY}/listUsages")["value"][0]
    assert (size["name"], size["currentValue"]) == ("Size", len(BIG))
    monkeypatch.setitem(usage.MOST, "Premium", len(BIG) + 5)
    done = login.call("PUT", finish(begin(login, pushes), digest_of(SMALL)), pushes, SMALL)
    assert (done.status, done.code) == (405, "REGISTRY_DISALLOWED_OPERATION")
    assert login.call("HEAD", f"/v2/team/web/blobs/{digest_of(SMALL)}", pushes).status == 404


def test_a_full_disk(login: Login, pushes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """M14: when the disk takes no more the answer says so, and nothing is visible."""
    from azext_trust.server.store import contents_local

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    location = begin(login, pushes)
    monkeypatch.setattr(contents_local, "_write_all", full)
    assert login.call("PUT", finish(location, digest_of(BIG)), pushes, BIG).status == 507
    monkeypatch.undo()
    assert login.call("HEAD", f"/v2/team/web/blobs/{digest_of(BIG)}", pushes).status == 404
    assert login.call("PUT", finish(location, digest_of(BIG)), pushes, BIG).status == 201
