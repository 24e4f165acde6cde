"""A collection being changed, and its publication: signed, uploaded in one piece, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from azext_trust.clients.notary_errors import Conflict, NotAuthorized, Rejected
from azext_trust.signing import updater
from azext_trust.signing.cache import TrustCache
from azext_trust.signing.errors import NotInitialized
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.notary import Remote, read_key
from azext_trust.tuf import certificates, edit, keys, roles
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import MissingKeys, UndelegatedRole
from azext_trust.tuf.keys import PrivateKey, PublicKey
from azext_trust.tuf.metadata import FileMeta, Role, Root, Snapshot, Targets

NEAR_EXPIRY = timedelta(days=183)
"""A root that expires within this time is signed again when its key is at hand (notary client/helpers.go)."""
TRIES = 3
"""How often a change is made again on newer data when somebody else published first."""


@dataclass(frozen=True)
class Repository:
    """Everything one needs to work on a repository's trust data.

    Attributes:
        remote: its server.
        cache: its local cache.
        store: the keys.
        now: the moment, for expiry.
    """

    remote: Remote
    cache: TrustCache
    store: KeyStore
    now: Callable[[], datetime]

    @classmethod
    def of(
        cls, remote: Remote, store: KeyStore, now: Callable[[], datetime], directory: Path | None = None
    ) -> Repository:
        """Return a repository whose cache lies beside the keys, as docker's does."""
        return cls(remote, TrustCache(directory or store.directory, remote.gun), store, now)

    def load(self, *, offline: bool = True) -> updater.Loaded:
        """Bring the trust data up to date and verify them; errors as in `updater.load`."""
        return updater.load(self.remote, self.cache, self.now(), offline=offline)


class Draft:
    """Changes on top of a verified collection, or of none.

    Args:
        repository: where it is to be published.
        loaded: the verified collection; None for a repository without trust data.
    """

    def __init__(self, repository: Repository, loaded: updater.Loaded | None) -> None:
        self.repository = repository
        self.store = repository.store
        self.now = repository.now()
        self.loaded = loaded
        self.root: Root | None = loaded.trusted.root if loaded else None
        self.snapshot: Snapshot | None = loaded.trusted.snapshot if loaded else None
        self.targets: dict[str, Targets] = dict(loaded.targets) if loaded else {}
        self.changed: dict[str, edit.Fields] = {}
        self.root_fields: edit.Fields | None = None
        self._new_key = ""

    # Initialisation

    def initialise(self) -> None:
        """Begin a repository as docker's first push does: the server keeps timestamp and snapshot keys.

        The server is asked first: when it refuses, no key is left behind here.
        """
        server = {role: read_key(self.repository.remote.server_key(role)) for role in (roles.TIMESTAMP, roles.SNAPSHOT)}
        gun = self.repository.remote.gun
        root_key = self._root_key()
        certificate = certificates.make(root_key, gun, self.now)
        targets_key = self.store.create(roles.TARGETS, gun)
        self._new_key = targets_key.id
        self.root_fields = edit.new_root(
            {
                roles.ROOT: [certificate],
                roles.TARGETS: [targets_key.public],
                **{role: [key] for role, key in server.items()},
            }
        )
        # docker signs an empty version 1 that it never sends.
        self.changed[roles.TARGETS] = {**edit.new_targets(), "version": 1}

    def _root_key(self) -> PrivateKey:
        """The first root key by id, else a new one."""
        held = self.store.of_role(roles.ROOT)
        return self.store.get(held[0].key_id) if held else self.store.create(roles.ROOT)

    def forget_new_key(self) -> None:
        """Delete the repository key that was made for a publish which the server refused: nothing names it."""
        if self._new_key:
            self.store.remove(self._new_key)

    # Changes

    def fields(self, role: str) -> edit.Fields:
        """Return a role's targets as they stand in the draft, empty ones when there are none."""
        if role in self.changed:
            return self.changed[role]
        return self.targets[role].fields if role in self.targets else edit.new_targets()

    def set_target(self, role: str, name: str, file: FileMeta) -> None:
        """Sign a tag into a role; the same again changes nothing."""
        before = self.fields(role).get("targets") or {}
        if before.get(name) != file.to_dict():
            self.changed[role] = edit.with_target(self.fields(role), name, file)

    def remove_target(self, role: str, name: str) -> None:
        """Take a tag out of a role."""
        if name in (self.fields(role).get("targets") or {}):
            self.changed[role] = edit.without_target(self.fields(role), name)

    def change(self, role: str, function: Callable[..., edit.Fields], *arguments: object) -> None:
        """Change a role's targets by one of `edit`'s functions."""
        self.changed[role] = function(self.fields(role), *arguments)

    def replace_keys(self, role: str, new: Iterable[PublicKey]) -> None:
        """Give a base role other keys."""
        assert self.root is not None  # only an initialised repository has keys to replace
        self.root_fields = edit.with_role_keys(self.root_fields or self.root.fields, role, new)
        if role == roles.TARGETS:
            self.changed.setdefault(roles.TARGETS, self.fields(roles.TARGETS))

    # Who may sign

    def role_of(self, role: str) -> Role:
        """Return who may sign for a role as the draft stands.

        Raises:
            UndelegatedRole: nobody delegated to it.
        """
        if role in roles.BASE_ROLES:
            return edit.role_of_fields(self._root_fields, role)
        declared = (self.fields(roles.parent(role)).get("delegations") or {}).get("roles") or ()
        held = (self.fields(roles.parent(role)).get("delegations") or {}).get("keys") or {}
        for value in declared:
            if value["name"] == role:
                own = {key_id: PublicKey.from_dict(held[key_id]) for key_id in value.get("keyids") or ()}
                return Role(role, value["threshold"], own, tuple(value.get("paths") or ()))
        raise UndelegatedRole(role)

    @property
    def _root_fields(self) -> edit.Fields:
        if self.root_fields is not None:
            return self.root_fields
        assert self.root is not None  # a draft without a root begins with initialise()
        return self.root.fields

    def at_hand(self, role: str) -> list[str]:
        """Return the ids of the keys at hand that may sign for a role."""
        held = self.store.ids()
        return [one for one in keys.same_material(self.role_of(role).keys).values() if one in held]

    def require_key(self, role: str) -> None:
        """Go on only when a key for the role is at hand.

        Raises:
            MissingKeys: none is.
        """
        if not self.at_hand(role):
            raise MissingKeys(list(keys.same_material(self.role_of(role).keys).values()))

    def _private(self, *names: Role) -> dict[str, PrivateKey]:
        wanted = {bare for role in names for bare in keys.same_material(role.keys).values()}
        return {key_id: self.store.get(key_id) for key_id in sorted(wanted & self.store.ids())}

    # Publication

    def parts(self) -> dict[str, bytes]:
        """Sign what changed and return it for the upload.

        Raises:
            MissingKeys: the keys for a changed role are not at hand.
        """
        made: dict[str, Envelope] = {}
        root = self._signed_root()
        if root:
            made[roles.ROOT] = root
        for role, fields in sorted(self.changed.items()):
            signers = self.role_of(role)
            made[role] = edit.sign(signers, fields, self._private(signers), self.now)
        snapshot = self._signed_snapshot(made)
        if snapshot:
            made[roles.SNAPSHOT] = snapshot
        return {role: envelope.raw for role, envelope in made.items()}

    def _signed_root(self) -> Envelope | None:
        wanted = self.root_fields
        near = self.root is not None and self.root.expires < self.now + NEAR_EXPIRY
        if wanted is None and (not near or not self.at_hand(roles.ROOT)):
            return None
        signers = [self.role_of(roles.ROOT)] + ([self.root.of(roles.ROOT)] if self.root else [])
        return edit.sign_root(wanted or self._root_fields, self._private(*signers), self.now, self.root)

    def _signed_snapshot(self, made: dict[str, Envelope]) -> Envelope | None:
        """Sign the snapshot where its key is ours; else the server does."""
        role = self.role_of(roles.SNAPSHOT)
        try:
            private = self._private(role)
            if not private:
                return None
            meta = {name: FileMeta.of(envelope) for name, envelope in made.items()}
            fields = edit.new_snapshot(meta, self.snapshot)
            fields["meta"] = {name: value for name, value in fields["meta"].items() if self._declared(name)}
            return edit.sign(role, fields, private, self.now)
        except MissingKeys:
            return None

    def _declared(self, role: str) -> bool:
        """Tell whether a role is still delegated to: a snapshot of ours lists no others."""
        if not roles.is_delegation(role):
            return True
        try:
            return self._declared(roles.parent(role)) and bool(self.role_of(role))
        except UndelegatedRole:
            return False

    def publish(self) -> dict[str, bytes]:
        """Sign, upload, and keep root and targets in the cache; return what was uploaded.

        Raises:
            MissingKeys: the keys for a changed role are not at hand.
            RemoteError: the server refuses or cannot be reached; nothing was changed.
        """
        parts = self.parts()
        self.repository.remote.publish(parts)
        for role, raw in parts.items():
            self.repository.cache.write(role, raw)
        return parts


def change(repository: Repository, make: Callable[[Draft], None], *, initialise: bool = False) -> Draft:
    """Load, change, publish; again on newer data when somebody else published in between.

    Args:
        repository: where.
        make: changes the draft; called again for each try.
        initialise: begin the repository when it has no trust data.

    Returns:
        the draft that was published.

    Raises:
        NotInitialized: there are no trust data, and none are to be begun.
        MissingKeys, RemoteError, TrustError: see `Draft.publish` and `updater.load`.
    """
    for attempt in range(TRIES):
        draft = _begin(repository, initialise)
        make(draft)
        try:
            draft.publish()
            return draft
        except (Rejected, NotAuthorized):
            draft.forget_new_key()
            raise
        except Conflict:
            draft.forget_new_key()
            if attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _begin(repository: Repository, initialise: bool) -> Draft:
    try:
        return Draft(repository, repository.load(offline=False))
    except NotInitialized:
        if not initialise:
            raise
    draft = Draft(repository, None)
    draft.initialise()
    return draft
