"""A Notary server in memory, and repositories that docker might have made: tests publish, tamper and fetch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azext_trust.clients.notary_errors import Conflict, NoTrustData, Rejected
from azext_trust.signing.draft import Repository
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.notary import read_key
from azext_trust.signing.passphrases import Passphrases
from azext_trust.tuf import canonical, certificates, edit, keys, roles, server
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.keys import PrivateKey, PublicKey
from azext_trust.tuf.metadata import FileMeta, Role, Root, Snapshot, Targets, Timestamp
from azext_trust.tuf.publish import Collection, Refused, validate_update
from azext_trust.tuf.server import ServerKey

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
GUN = "myregistry.azurecr.io/team/web"


def image(content: str = "v1", length: int = 528) -> FileMeta:
    """Describe a manifest as docker does: SHA-256 alone."""
    import hashlib

    return FileMeta(length, {"sha256": hashlib.sha256(content.encode()).digest()})


@dataclass
class NotarySimulator:
    """One repository on a server; `tamper` may change what it sends.

    Attributes:
        history: role to version to bytes.
        held: the server's keys by id.
        requests: what was asked, in order.
    """

    gun: str = GUN
    server: str = "myregistry.azurecr.io"
    now: datetime = NOW
    history: dict[str, dict[int, bytes]] = field(default_factory=dict)
    held: dict[str, ServerKey] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tamper: Callable[[str, bytes], bytes] | None = None

    @property
    def current(self) -> dict[str, bytes]:
        """The newest bytes of each role."""
        return {role: versions[max(versions)] for role, versions in self.history.items()}

    def fetch(self, name: str, limit: int) -> bytes:
        """Return metadata by role, digest or version."""
        self.requests.append(f"GET {name}")
        found = self._find(name)
        return (self.tamper(name, found) if self.tamper else found)[: limit + 1]

    def _find(self, name: str) -> bytes:
        first, _, rest = name.partition(".")
        if first.isdigit():
            found = self.history.get(rest, {}).get(int(first))
        elif rest:
            digests = {Envelope.parse(raw).sha256.hex(): raw for raw in self.history.get(first, {}).values()}
            found = digests.get(rest)
        else:
            self._renew()
            found = self.current.get(name)
        if found is None:
            raise NoTrustData(name)
        return found

    def _renew(self) -> None:
        if roles.TIMESTAMP in self.history:
            for role, envelope in server.renewed(self.current, self.held, self.now).items():
                self.history[role][envelope.fields["version"]] = envelope.raw

    def publish(self, parts: Mapping[str, bytes]) -> None:
        """Validate and store."""
        self.requests.append(f"POST {' '.join(sorted(parts))}".strip())
        try:
            accepted = validate_update(self.collection, parts.items(), self.held, self.now)
        except Refused as refused:
            if refused.code == "VERSION":
                raise Conflict from None
            raise Rejected(refused.code, refused.name, refused.message) from None
        for role, envelope in accepted.versions.items():
            self.history.setdefault(role, {})[accepted.numbers[role]] = envelope.raw

    @property
    def collection(self) -> Collection:
        """What is stored, as the validation wants it."""
        return Collection(self.gun, self.current)

    def server_key(self, role: str) -> bytes:
        """Return the key that the root names, else a new one."""
        self.requests.append(f"GET {role}.key")
        if roles.ROOT in self.history:
            for key_id in Root.parse(self.current[roles.ROOT]).of(role).keys:
                if key_id in self.held:
                    return canonical.encode(self.held[key_id].private.public.to_dict())
        return self._new_key(role)

    def rotate_key(self, role: str) -> bytes:
        """Return a new key."""
        self.requests.append(f"POST {role}.key")
        return self._new_key(role)

    def _new_key(self, role: str) -> bytes:
        made = keys.generate()
        self.held[made.id] = ServerKey(role, made)
        return canonical.encode(made.public.to_dict())

    def delete(self) -> None:
        """Forget everything but the server's keys, as the reference does."""
        self.requests.append("DELETE")
        self.history.clear()


@dataclass
class Publisher:
    """Somebody with all keys of a repository, working on bytes alone.

    Attributes:
        private: private keys by id.
    """

    remote: NotarySimulator
    root_key: PrivateKey = field(default_factory=keys.generate)
    targets_key: PrivateKey = field(default_factory=keys.generate)
    snapshot_key: PrivateKey | None = None
    private: dict[str, PrivateKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in (self.root_key, self.targets_key, self.snapshot_key):
            if key:
                self.private[key.id] = key

    @property
    def root(self) -> Root:
        """The server's newest root."""
        return Root.parse(self.remote.current[roles.ROOT])

    def targets(self, role: str = roles.TARGETS) -> Targets:
        """The server's newest targets or delegation."""
        return Targets.parse(self.remote.current[role], role)

    def first_root(self) -> Envelope:
        """Sign root version 1 with the server's keys for timestamp and, without one of our own, snapshot."""
        own = self.snapshot_key.public if self.snapshot_key else read_key(self.remote.server_key(roles.SNAPSHOT))
        fields = edit.new_root({
            roles.ROOT: [certificates.make(self.root_key, self.remote.gun, self.remote.now)],
            roles.TARGETS: [self.targets_key.public], roles.SNAPSHOT: [own],
            roles.TIMESTAMP: [read_key(self.remote.server_key(roles.TIMESTAMP))],
        })  # fmt: skip
        return edit.sign_root(fields, self.private, self.remote.now, None)

    def initialise(self, *tags: str) -> None:
        """Publish root version 1 and targets, as docker's first push does."""
        root = self.first_root()
        fields = edit.new_targets()
        for tag in tags:
            fields = edit.with_target(fields, tag, image(tag))
        self.publish(root=root, targets=self.sign(fields, roles.TARGETS, Root(root)))

    def sign(self, fields: edit.Fields, role: str = roles.TARGETS, root: Root | None = None) -> Envelope:
        """Sign targets or a delegation."""
        signers = (root or self.root).of(role) if role == roles.TARGETS else self._delegated(role)
        return edit.sign(signers, fields, self.private, self.remote.now)

    def _delegated(self, role: str) -> Role:
        return self.targets(roles.parent(role)).delegations[role].role

    def add(self, tag: str, role: str = roles.TARGETS, content: str = "") -> None:
        """Publish one more tag."""
        stored = role in self.remote.current
        fields = self.targets(role).fields if stored else edit.new_targets()
        self.publish(**{role: self.sign(edit.with_target(fields, tag, image(content or tag)), role)})

    def delegate(self, name: str, key: PrivateKey, *paths: str, threshold: int = 1) -> None:
        """Publish a delegation to a key."""
        self.private[key.id] = key
        parent = roles.parent(name)
        role = Role(name, threshold, {key.id: key.public}, paths or ("",))
        self.publish(**{parent: self.sign(edit.with_delegation(self.targets(parent).fields, role), parent)})

    def rotate(self, role: str, *new: PublicKey) -> Envelope:
        """Sign a root in which a role has other keys."""
        return edit.sign_root(
            edit.with_role_keys(self.root.fields, role, new), self.private, self.remote.now, self.root
        )  # fmt: skip

    def publish(self, **parts: Envelope) -> None:
        """Upload parts, with a snapshot when its key is ours."""
        if self.snapshot_key:
            held = {roles.ROOT: self.remote.current.get(roles.ROOT)}
            before = self.remote.current.get(roles.SNAPSHOT)
            root = parts[roles.ROOT] if roles.ROOT in parts else Envelope.parse(held[roles.ROOT] or b"")
            meta = {role: FileMeta.of(part) for role, part in parts.items()}
            fields = edit.new_snapshot(meta, Snapshot.parse(before) if before else None)
            parts[roles.SNAPSHOT] = edit.sign(Root(root).of(roles.SNAPSHOT), fields, self.private, self.remote.now)
        self.remote.publish({role: part.raw for role, part in parts.items()})


def later(remote: NotarySimulator, **delta: float) -> datetime:
    """Move the server's clock."""
    remote.now += timedelta(**delta)
    return remote.now


def timestamp_of(remote: NotarySimulator) -> Timestamp:
    """Return the server's newest timestamp."""
    return Timestamp.parse(remote.current[roles.TIMESTAMP])


PASSPHRASES = {
    "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE": "root-pass-1", "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE": "repository-pass-1",
}  # fmt: skip


def somebody(directory: Path, remote: NotarySimulator) -> Repository:
    """Return a repository for somebody with a key store and cache of their own."""
    store = KeyStore(directory, Passphrases(environment=PASSPHRASES))
    return Repository.of(remote, store, lambda: remote.now)
