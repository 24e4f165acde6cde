"""New metadata from old: members are changed in copies, then signed in notary's form.

`fields` are a signed part as a dict. Every function returns new ones and leaves what it was given alone, so that
what was verified stays what it was. Version and expiry are set when signing, as the reference does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from azext_trust.tuf import canonical, keys, roles, times
from azext_trust.tuf.envelope import Envelope, Signature
from azext_trust.tuf.errors import MissingKeys
from azext_trust.tuf.keys import PrivateKey, PublicKey
from azext_trust.tuf.metadata import FileMeta, Role, Root, Snapshot, Timestamp

Fields = dict[str, Any]


def _fresh(role: str) -> Fields:
    return {"_type": roles.type_of(role), "expires": "", "version": 0}


# New parts


def new_root(base_keys: Mapping[str, Iterable[PublicKey]]) -> Fields:
    """Return the first root of a repository, version 0 until it is signed.

    Args:
        base_keys: for each of the four base roles its keys; root's are certificates.
    """
    held, named = {}, {}
    for role in roles.BASE_ROLES:
        own = {key.id: key.to_dict() for key in base_keys[role]}
        held.update(own)
        named[role] = {"keyids": list(own), "threshold": 1}
    return {**_fresh(roles.ROOT), "consistent_snapshot": False, "keys": held, "roles": named}


def new_targets() -> Fields:
    """Return empty targets, or a delegation's, version 0 until they are signed."""
    return {**_fresh(roles.TARGETS), "delegations": {"keys": {}, "roles": []}, "targets": {}}


def new_snapshot(meta: Mapping[str, FileMeta], previous: Snapshot | None = None) -> Fields:
    """Return a snapshot that announces some roles anew, and the others as before.

    Args:
        meta: what to announce of roles that changed.
        previous: the snapshot before, of which the rest is taken.
    """
    before = previous.fields["meta"] if previous else {}
    changed = {role: found.to_dict() for role, found in meta.items()}
    version = previous.version if previous else 0
    return {**_fresh(roles.SNAPSHOT), "meta": {**before, **changed}, "version": version}


def new_timestamp(snapshot: Envelope, previous: Timestamp | None = None) -> Fields:
    """Return a timestamp that announces a snapshot.

    Args:
        snapshot: what to announce.
        previous: the timestamp before, whose version is counted on.
    """
    version = previous.version if previous else 0
    meta = {roles.SNAPSHOT: FileMeta.of(snapshot).to_dict()}
    return {**_fresh(roles.TIMESTAMP), "meta": meta, "version": version}


# Targets


def with_target(fields: Fields, name: str, file: FileMeta) -> Fields:
    """Return targets in which a name stands for a file."""
    return {**fields, "targets": {**(fields.get("targets") or {}), name: file.to_dict()}}


def without_target(fields: Fields, name: str) -> Fields:
    """Return targets without a name; one that is not there is no error."""
    return {**fields, "targets": {key: value for key, value in fields["targets"].items() if key != name}}


# Delegations


def _delegations(fields: Fields) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    declared = fields.get("delegations") or {}
    return dict(declared.get("keys") or {}), [dict(role) for role in declared.get("roles") or ()]


def _with_delegations(fields: Fields, held: Mapping[str, Any], declared: list[dict[str, Any]]) -> Fields:
    used = {key_id for role in declared for key_id in role.get("keyids") or ()}
    kept = {key_id: key for key_id, key in held.items() if key_id in used}
    more = {name: value for name, value in (fields.get("delegations") or {}).items() if name not in ("keys", "roles")}
    # Go leaves empty paths out; the reference would hash its spelling and not ours.
    spelt = [{name: value for name, value in role.items() if name != "paths" or value} for role in declared]
    return {**fields, "delegations": {**more, "keys": kept, "roles": spelt}}


def with_delegation(fields: Fields, role: Role) -> Fields:
    """Return targets that delegate to a role: keys and paths are added to those it has already.

    Args:
        fields: targets of the role's parent.
        role: the delegated role; its threshold counts only when the delegation is new.
    """
    held, declared = _delegations(fields)
    held.update({key.id: key.to_dict() for key in role.keys.values()})
    for value in declared:
        if value["name"] == role.name:
            value["keyids"] = _joined(value.get("keyids"), [key.id for key in role.keys.values()])
            value["paths"] = _joined(value.get("paths"), role.paths)
            return _with_delegations(fields, held, declared)
    key_ids = [key.id for key in role.keys.values()]
    declared.append({"keyids": key_ids, "name": role.name, "paths": list(role.paths), "threshold": role.threshold})
    return _with_delegations(fields, held, declared)


def _joined(first: Iterable[str] | None, second: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*(first or ()), *second]))


def without_delegation(fields: Fields, name: str) -> Fields:
    """Return targets that no longer delegate to a role."""
    held, declared = _delegations(fields)
    return _with_delegations(fields, held, [value for value in declared if value["name"] != name])


def without_delegation_keys(fields: Fields, name: str, key_ids: Iterable[str]) -> Fields:
    """Return targets in which some keys may no longer sign for a delegation; it stays, perhaps with none.

    Args:
        fields: targets of the role's parent.
        name: the delegated role, or one ending in ``/*`` for all direct children.
        key_ids: ids of the keys with or without the certificate around them.
    """
    held, declared = _delegations(fields)
    gone = set(key_ids)
    gone |= {one for one, bare in keys.same_material(_public(held)).items() if bare in gone}
    for value in declared:
        if value["name"] == name or (name.endswith("/*") and value["name"].startswith(name[:-1])):
            value["keyids"] = [key_id for key_id in value.get("keyids") or () if key_id not in gone]
    return _with_delegations(fields, held, declared)


def _public(held: Mapping[str, Any]) -> dict[str, PublicKey]:
    return {key_id: PublicKey.from_dict(value) for key_id, value in held.items()}


def without_delegation_paths(fields: Fields, name: str, paths: Iterable[str] | None) -> Fields:
    """Return targets in which a delegation covers fewer paths.

    Args:
        fields: targets of the role's parent.
        name: the delegated role.
        paths: the paths to take away; None takes all.
    """
    held, declared = _delegations(fields)
    for value in declared:
        if value["name"] == name:
            gone = set(value.get("paths") or ()) if paths is None else set(paths)
            value["paths"] = [path for path in value.get("paths") or () if path not in gone]
    return _with_delegations(fields, held, declared)


# Root


def with_role_keys(fields: Fields, role: str, new_keys: Iterable[PublicKey]) -> Fields:
    """Return a root in which a base role has other keys (``notary key rotate``).

    Retired root certificates stay among the keys, without a role, as notary leaves them; other retired keys go.
    """
    own = {key.id: key.to_dict() for key in new_keys}
    named = {**fields["roles"], role: {**fields["roles"][role], "keyids": list(own)}}
    used = {key_id for value in named.values() for key_id in value.get("keyids") or ()}
    retired = set(fields["roles"][role].get("keyids") or ()) - used if role != roles.ROOT else set()
    held = {key_id: key for key_id, key in fields["keys"].items() if key_id not in retired}
    return {**fields, "keys": {**held, **own}, "roles": named}


# Signing


def sign(role: Role, fields: Fields, private: Mapping[str, PrivateKey], now: datetime, *also: Role) -> Envelope:
    """Return the next version of metadata, signed with every key at hand.

    Args:
        role: whose metadata they are; its threshold must be reached.
        fields: the signed part; the version is raised by one, the expiry set.
        private: private keys by the id of their bare public key.
        now: from when the lifetime counts.
        also: further roles whose thresholds must be reached: the previous root's.

    Raises:
        MissingKeys: too few private keys are at hand.
    """
    expires = times.expiry(role.name, now)
    fields = {**fields, "expires": expires, "version": fields["version"] + 1}
    payload = canonical.encode(fields)
    made: dict[str, Signature] = {}
    for signers in (*also, role):
        made.update(_signatures(signers, private, payload, made))
    return Envelope.build(fields, tuple(made.values()), payload)


def _signatures(
    role: Role, private: Mapping[str, PrivateKey], payload: bytes, made: Mapping[str, Signature]
) -> dict[str, Signature]:
    bare = keys.same_material(role.keys)
    held = {key_id: private[one] for key_id, one in bare.items() if one in private}
    if len({bare[key_id] for key_id in held}) < role.threshold:
        raise MissingKeys(list(bare.values()))
    return {key_id: Signature(key_id, *key.sign(payload)) for key_id, key in held.items() if key_id not in made}


def sign_root(fields: Fields, private: Mapping[str, PrivateKey], now: datetime, previous: Root | None) -> Envelope:
    """Return the next root, signed with the old keys and the new ones.

    Raises:
        MissingKeys: too few private keys are at hand.
    """
    role = role_of_fields(fields, roles.ROOT)
    before = (previous.of(roles.ROOT),) if previous else ()
    return sign(role, fields, private, now, *before)


def role_of_fields(fields: Fields, name: str) -> Role:
    """Return who may sign for a base role, by a root's fields."""
    value = fields["roles"][name]
    held = {key_id: PublicKey.from_dict(fields["keys"][key_id]) for key_id in value.get("keyids") or ()}
    return Role(name, value["threshold"], held)
