"""Signing, resolving and revoking tags as docker does, against a server in memory."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from azext_trust.clients.notary_errors import Conflict, NotAuthorized, Rejected, Unavailable
from azext_trust.signing import delegations, tags
from azext_trust.signing.draft import Repository
from azext_trust.signing.errors import (
    InvalidName,
    NoSuchTag,
    NotASigner,
    NothingToDo,
    NotInitialized,
    SigningError,
)
from azext_trust.tuf import keys, roles, walk
from azext_trust.tuf.errors import FreezeAttack, MissingKeys, RootRotationAttack
from tests.trust import NotarySimulator, image, later, somebody


@pytest.fixture
def remote() -> NotarySimulator:
    """A server without trust data."""
    return NotarySimulator()


@pytest.fixture
def repository(tmp_path: Path, remote: NotarySimulator) -> Repository:
    """Somebody who works there."""
    return somebody(tmp_path / "trust", remote)


def sign(repository: Repository, *names: str) -> None:
    """Sign some tags."""
    for name in names:
        tags.sign(repository, name, image(name))


def test_first_sign(repository: Repository, remote: NotarySimulator) -> None:
    """M18: the first signature begins the repository as docker's first push: root v1, targets v2, no snapshot."""
    outcome = tags.sign(repository, "v1", image("v1"))
    assert outcome.initialised
    assert outcome.roles == ("targets",)
    assert remote.requests[-1] == "POST root targets"
    assert {role: max(found) for role, found in remote.history.items()} == {
        "root": 1, "targets": 2, "snapshot": 1, "timestamp": 1,
    }  # fmt: skip
    assert sorted((info.role, info.gun) for info in repository.store.listed()) == [
        ("root", ""),
        ("targets", remote.gun),
    ]


def test_second_repository(repository: Repository, tmp_path: Path) -> None:
    """M14: a second repository shares the root key and has a targets key of its own."""
    other = somebody(tmp_path / "trust", NotarySimulator(gun="myregistry.azurecr.io/other"))
    sign(repository, "v1")
    sign(other, "v1")
    assert len(repository.store.of_role("root")) == 1
    assert len(repository.store.of_role("targets")) == 2


def test_refused_first_sign(repository: Repository, remote: NotarySimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """M8: who may not sign leaves no keys behind: the server is asked before any is made."""

    def refuse(role: str) -> bytes:
        raise NotAuthorized

    monkeypatch.setattr(remote, "server_key", refuse)
    with pytest.raises(NotAuthorized, match=r"you are not authorized to perform this operation: server returned 401."):
        sign(repository, "v1")
    assert repository.store.listed() == []


def test_refused_upload(repository: Repository, remote: NotarySimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """M8: a refusal of the upload leaves the root key alone, no repository key and no pinned root."""

    def refuse(parts: object) -> None:
        raise Rejected("INVALID_UPDATE", "ErrBadTargets", "no")

    monkeypatch.setattr(remote, "publish", refuse)
    with pytest.raises(Rejected, match="The targets metadata is invalid: no"):
        sign(repository, "v1")
    assert [info.role for info in repository.store.listed()] == ["root"]
    assert repository.cache.read("root") is None


def test_resolve(repository: Repository, remote: NotarySimulator) -> None:
    """M15: a tag resolves to the digest that was signed last."""
    sign(repository, "v1")
    tags.sign(repository, "v1", image("newer", 600))
    found = tags.resolve(repository, "v1")
    assert (found.file.sha256, found.file.length) == (image("newer").sha256, 600)
    with pytest.raises(NoSuchTag, match="No valid trust data for v2"):
        tags.resolve(repository, "v2")


def test_nothing_signed(repository: Repository) -> None:
    """M15: a repository without trust data has docker's own text."""
    with pytest.raises(NotInitialized, match=r"remote trust data does not exist for myregistry\.azurecr\.io/team/web"):
        tags.resolve(repository, "v1")


def test_verify(repository: Repository) -> None:
    """M18: verification is for one digest."""
    sign(repository, "v1")
    digest = f"sha256:{image('v1').sha256}"
    assert tags.verify(repository, "v1", digest).name == "v1"
    with pytest.raises(SigningError, match="not for sha256:0000"):
        tags.verify(repository, "v1", "sha256:" + "0" * 64)


def test_same_again(repository: Repository, remote: NotarySimulator) -> None:
    """M16: an unchanged tag is an empty upload, as docker's."""
    sign(repository, "v1", "v1")
    assert remote.requests[-1] == "POST"
    assert list(remote.history["targets"]) == [2]


@pytest.mark.parametrize("name", ["", "-x", "a b", "a" * 129, "a/b", "ä"])
def test_tag_names(repository: Repository, name: str) -> None:
    """M13: what no registry takes as a tag is not signed."""
    with pytest.raises(InvalidName):
        sign(repository, name)


@pytest.mark.parametrize(("digest", "length"), [("sha256:12", 1), ("sha256:" + "0" * 64, 0), ("md5:" + "0" * 64, 1)])
def test_manifests(digest: str, length: int) -> None:
    """M13: what is no digest or has no length cannot be signed."""
    with pytest.raises(InvalidName):
        tags.manifest(digest, length)


# Delegations


def test_signs_into_every_role(repository: Repository) -> None:
    """M18: with signers, a tag goes into each direct child role for which a key is held, not into targets."""
    sign(repository, "v1")
    alice = delegations.key_of(repository.store, "alice")
    delegations.add_signer(repository, "alice", [alice.public])
    delegations.add_signer(repository, "bob", [keys.generate().public])
    outcome = tags.sign(repository, "v2", image("v2"))
    assert outcome.roles == ("targets/alice", "targets/releases")
    assert tags.resolve(repository, "v2").role == "targets/releases"


def test_not_a_signer(repository: Repository, remote: NotarySimulator, tmp_path: Path) -> None:
    """M18: without a key for any of them, docker's text and no change."""
    sign(repository, "v1")
    delegations.add_signer(repository, "bob", [keys.generate().public])
    before = remote.current
    with pytest.raises(NotASigner, match="no valid signing keys for delegation roles"):
        sign(repository, "v2")
    assert remote.current == before


def test_no_key(repository: Repository, remote: NotarySimulator, tmp_path: Path) -> None:
    """M18: without signers and without the repository's key, docker's text names the key."""
    sign(repository, "v1")
    (info,) = repository.store.of_role("targets")
    with pytest.raises(MissingKeys, match=f"at least one of these keys must be available: {info.key_id}"):
        sign(somebody(tmp_path / "other", remote), "v2")


def test_paths(repository: Repository) -> None:
    """M18: a delegation that does not cover the tag is passed by."""
    sign(repository, "v1")
    key = delegations.key_of(repository.store, "carol")
    delegations.add(repository, "targets/web", [key.public], ["web-"])
    assert tags.sign(repository, "web-1", image()).roles == ("targets/web",)
    with pytest.raises(NotASigner):
        sign(repository, "api-1")


def test_begin_with_a_signer(repository: Repository) -> None:
    """M18: docker trust sign begins a repository with a signer's roles."""
    outcome = tags.sign(repository, "v1", image("v1"), signer="dave")
    assert outcome.roles == ("targets/dave", "targets/releases")
    assert repository.store.of_role("dave")
    assert tags.resolve(repository, "v1").role == "targets/releases"


# Revoking


def test_revoke(repository: Repository) -> None:
    """M18: a revoked tag is gone, others stay."""
    sign(repository, "v1", "v2")
    assert tags.revoke(repository, "v1").roles == ("targets",)
    assert set(walk.released(repository.load().targets)) == {"v2"}
    with pytest.raises(NoSuchTag):
        tags.revoke(repository, "v1")


def test_revoke_all(repository: Repository) -> None:
    """M18: all tags at once; then there is nothing to do."""
    sign(repository, "v1", "v2")
    assert set(tags.revoke_all(repository).tags) == {"v1", "v2"}
    with pytest.raises(NothingToDo, match="no signed tags to remove"):
        tags.revoke_all(repository)


def test_revoke_from_everywhere(repository: Repository) -> None:
    """M18: a tag that was signed before there were signers goes from targets too."""
    sign(repository, "v1")
    alice = delegations.key_of(repository.store, "alice")
    delegations.add_signer(repository, "alice", [alice.public])
    sign(repository, "v1")
    assert tags.revoke(repository, "v1").roles == ("targets", "targets/alice", "targets/releases")
    assert walk.signatures(repository.load().targets) == []


def test_what_revoking_leaves(repository: Repository, remote: NotarySimulator, tmp_path: Path) -> None:
    """M18: what another's key still signs is named."""
    sign(repository, "v1")
    other = somebody(tmp_path / "other", remote)
    alice = delegations.key_of(other.store, "alice")
    delegations.add_signer(repository, "alice", [alice.public])
    sign(other, "v1")
    outcome = tags.revoke(other, "v1")
    assert outcome.warnings == ("v1 is still signed by targets, whose key is not here",)


def test_revoke_without_keys(repository: Repository, remote: NotarySimulator, tmp_path: Path) -> None:
    """M18: who has no key cannot revoke."""
    sign(repository, "v1")
    with pytest.raises(MissingKeys):
        tags.revoke(somebody(tmp_path / "other", remote), "v1")


# Conflicts, caches, time


def test_conflict(repository: Repository, remote: NotarySimulator, tmp_path: Path) -> None:
    """M16: when somebody else publishes in between, the change is made again on theirs; nothing is lost."""
    sign(repository, "v1")
    other = somebody(tmp_path / "trust", remote)
    publish = remote.publish
    raced: list[bool] = []

    def race(parts: dict[str, bytes]) -> None:
        if not raced:
            raced.append(True)
            sign(other, "theirs")
        publish(parts)

    remote.publish = race  # type: ignore[assignment, method-assign]
    sign(repository, "ours")
    assert set(walk.released(repository.load().targets)) == {"v1", "ours", "theirs"}


def test_endless_conflict(repository: Repository, remote: NotarySimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """M16: after some tries the conflict is told."""
    sign(repository, "v1")

    def conflict(parts: object) -> None:
        raise Conflict

    monkeypatch.setattr(remote, "publish", conflict)
    with pytest.raises(Conflict):
        sign(repository, "v2")


def test_cached_read(repository: Repository, remote: NotarySimulator) -> None:
    """M15: with a current cache only the timestamp is asked for."""
    sign(repository, "v1")
    tags.resolve(repository, "v1")
    remote.requests.clear()
    tags.resolve(repository, "v1")
    assert remote.requests == ["GET timestamp"]


def test_server_down(repository: Repository, remote: NotarySimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """M15: a complete, unexpired cache answers for a server that does not, with docker's warning; not for signing."""
    sign(repository, "v1")
    tags.resolve(repository, "v1")

    def down(name: str, limit: int) -> bytes:
        raise Unavailable(503)

    monkeypatch.setattr(remote, "fetch", down)
    loaded = repository.load()
    assert loaded.stale
    assert "using cached timestamp" in loaded.warnings[0]
    with pytest.raises(Unavailable, match=r"unable to reach trust server at this time: 503\."):
        sign(repository, "v2")
    later(remote, days=15)
    with pytest.raises(FreezeAttack):
        repository.load()


def test_timestamp_renewed(repository: Repository, remote: NotarySimulator) -> None:
    """M17: weeks later the server has signed a new timestamp, and everything verifies."""
    sign(repository, "v1")
    later(remote, days=100)
    assert tags.resolve(repository, "v1").name == "v1"


def test_after_purge(repository: Repository, remote: NotarySimulator, tmp_path: Path) -> None:
    """M4: after a purge and a new beginning an old cache refuses the new root, until it is cleared."""
    sign(repository, "v1")
    reader = somebody(tmp_path / "reader", remote)
    tags.resolve(reader, "v1")
    remote.history.clear()
    remote.held.clear()
    sign(somebody(tmp_path / "new", remote), "v2")
    with pytest.raises(RootRotationAttack, match="could not rotate trust to a new trusted root"):
        tags.resolve(reader, "v2")
    assert reader.cache.clear()
    assert tags.resolve(reader, "v2").name == "v2"


def test_root_signed_again_in_time(repository: Repository, remote: NotarySimulator) -> None:
    """M16: a root that nears its expiry is signed again with the next publish, when its key is here."""
    sign(repository, "v1")
    for _ in range(4):
        later(remote, days=880)
        sign(repository, f"d{remote.now:%y%m%d}")
    assert repository.load().trusted.root is not None
    assert max(remote.history["root"]) == 2
    assert remote.now + timedelta(days=3000) < repository.load().trusted.root.expires  # type: ignore[union-attr]


def test_pending_changes(repository: Repository) -> None:
    """M18: a change that docker noted and never published is told, and not sent along."""
    sign(repository, "v1")
    folder = repository.cache.path / "changelist"
    folder.mkdir()
    change = '{"action":"create","role":"targets","type":"target","path":"old","data":"e30="}'
    (folder / "0001_a.change").write_text(change)
    (folder / "0002_b.change").write_text("broken")
    outcome = tags.sign(repository, "v2", image("v2"))
    assert "create target old in targets" in outcome.warnings[0]
    assert set(walk.released(repository.load().targets)) == {"v1", "v2"}
    assert [change.name for change in repository.cache.pending()] == ["old"]


def test_roles_of_the_cache(repository: Repository) -> None:
    """M18: names that would lead out of the cache are refused."""
    for name in ("../root", "targets/../../x", "root/x"):
        with pytest.raises(InvalidName):
            repository.cache.read(name)
    assert roles.is_valid("targets/x")
