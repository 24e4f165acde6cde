"""Trust data of repositories, on both databases (M13, M16)."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from azext_trust.server.store import trust_data
from azext_trust.server.store.transaction import Store
from azext_trust.server.store.trust import TrustKey, TrustTag
from azext_trust.server.store.trust_data import Newest, Repository

WEB, API = Repository("r1", "r.example/web"), Repository("r1", "r.example/api")
ELSEWHERE = Repository("r2", "r.example/web")


def fill(store: Store) -> None:
    """Store versions of some roles of three repositories."""
    with store.write() as transaction:
        for of in (WEB, API, ELSEWHERE):
            for role in ("root", "targets", "targets/a", "targets/a/b", "targets/a-c", "timestamp"):
                for version in (1, 2, 10):
                    trust_data.add(
                        transaction, of, role, version, f"{of.registry_id} {of.gun} {role} {version}".encode()
                    )


def test_newest(store: Store) -> None:
    """M16: the highest version is the newest, as a number; other repositories' are not seen."""
    fill(store)
    with store.read() as transaction:
        found = trust_data.newest(transaction.session, WEB, "targets/a")
        assert found is not None
        assert (found.version, found.content) == (10, b"r1 r.example/web targets/a 10")
        assert trust_data.newest(transaction.session, WEB, "snapshot") is None


def test_all_of_the_newest(store: Store) -> None:
    """M16: every role once, with its newest bytes."""
    fill(store)
    with store.read() as transaction:
        found = Newest(transaction.session, API)
        assert set(found) == {"root", "targets", "targets/a", "targets/a/b", "targets/a-c", "timestamp"}
        assert found["targets/a-c"] == b"r1 r.example/api targets/a-c 10"
        assert "snapshot" not in found


def test_by_version_and_digest(store: Store) -> None:
    """M16: older versions are found by number and digest, in their own repository and role alone."""
    import hashlib

    fill(store)
    digest = hashlib.sha256(b"r1 r.example/web root 2").hexdigest()
    with store.read() as transaction:
        session = transaction.session
        by_version, by_digest = (
            trust_data.of_version(session, WEB, "root", 2),
            trust_data.of_digest(session, WEB, "root", digest),
        )
        assert by_version is not None
        assert by_version == by_digest
        assert trust_data.of_digest(session, API, "root", digest) is None
        assert trust_data.of_digest(session, WEB, "targets", digest) is None
        assert trust_data.of_version(session, WEB, "root", 3) is None


def test_no_version_twice(store: Store) -> None:
    """M16: a version is stored once; the second writer's whole transaction fails."""
    fill(store)
    with pytest.raises(IntegrityError):
        _add_twice(store)
    with store.read() as transaction:
        assert trust_data.newest(transaction.session, WEB, "snapshot") is None


def _add_twice(store: Store) -> None:
    with store.write() as transaction:
        trust_data.add(transaction, WEB, "snapshot", 1, b"first")
        trust_data.add(transaction, WEB, "root", 10, b"other")


def test_removal(store: Store) -> None:
    """M16: one repository goes, the others stay, and its feed has a line for it."""
    fill(store)
    with store.write() as transaction:
        assert trust_data.remove(transaction, WEB) == 18
    with store.read() as transaction:
        session = transaction.session
        assert len(Newest(session, WEB)) == 0
        assert len(Newest(session, API)) == len(Newest(session, ELSEWHERE)) == 6
        assert [line.category for line in trust_data.changes(session, "r1", WEB.gun, 0, 100)] == ["update"] * 3 + [
            "deletion"
        ]


def test_tags(store: Store) -> None:
    """M13: only what changes is touched; a role's tags are its own; thousands at once will do."""
    many = {f"t{number}": ("a" * 64, number) for number in range(1200)}
    with store.write() as transaction:
        trust_data.change_tags(transaction.session, WEB, "targets", many, [])
        trust_data.change_tags(transaction.session, WEB, "targets/a", {"t1": ("b" * 64, 1)}, [])
        trust_data.change_tags(
            transaction.session, WEB, "targets", {"t1": ("c" * 64, 2)}, [f"t{n}" for n in range(2, 1200)]
        )
    with store.read() as transaction:
        rows = transaction.session.exec(select(TrustTag).order_by(TrustTag.role, TrustTag.tag)).all()
        assert [(row.role, row.tag, row.sha256[0]) for row in rows] == [
            ("targets", "t0", "a"), ("targets", "t1", "c"), ("targets/a", "t1", "b"),
        ]  # fmt: skip


def test_keys(store: Store) -> None:
    """M17: the newest key comes first; those that are forgotten are gone."""
    with store.write() as transaction:
        for number in range(3):
            transaction.session.add(
                TrustKey(registry_id="r1", gun=WEB.gun, role="timestamp", key_id=f"k{number}", created=f"2026-0{number + 1}",
                         public=b"p", private_sealed="s")
            )  # fmt: skip
        transaction.session.flush()
        trust_data.forget_keys(transaction.session, WEB, ["k1"])
    with store.read() as transaction:
        assert [row.key_id for row in trust_data.keys(transaction.session, WEB)] == ["k2", "k0"]
        assert trust_data.keys(transaction.session, API) == []


def test_feed(store: Store) -> None:
    """M16: forwards from a line, backwards from a line or the newest; oldest first each time."""
    fill(store)
    with store.read() as transaction:
        session = transaction.session
        whole = [line.id or 0 for line in trust_data.changes(session, "r1", "", 0, 100)]
        assert len(whole) == 6

        def ids(after: int, count: int) -> list[int]:
            return [line.id or 0 for line in trust_data.changes(session, "r1", "", after, count)]

        assert ids(whole[2], 2) == whole[3:5]
        assert ids(0, -2) == ids(-1, 2) == whole[-2:]
        assert ids(whole[3], -2) == whole[1:3]
        assert len(trust_data.changes(session, "r1", API.gun, 0, 100)) == 3
