"""What ``docker trust inspect`` prints of a repository, to facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_trust.audit.shapes import BadRow, Flat, text
from azext_trust.rbac.questions.trust import RELEASES, TARGETS, Key, Metadata, Repository, SignedTag


def repository(row: Flat) -> Repository:
    """Return a repository; of metadata only keys are told, neither versions nor expiry.

    Raises:
        BadRow: it is no such output.
    """
    gun = text(row, "name")
    keys = {str(one.get("Name")): _keys(one) for one in _objects(row, "administrativekeys")}
    signers = {str(one.get("Name")): _keys(one) for one in _objects(row, "signers")}
    metadata = [Metadata("root", 0, "", keys.get("Root", ())), Metadata(TARGETS, 0, "", keys.get("Repository", ()))]
    metadata += [Metadata(f"targets/{name}", 0, "", held) for name, held in sorted(signers.items())]
    signed = [
        SignedTag(str(one.get("SignedTag")), RELEASES if signers else TARGETS, str(one.get("Digest")).lower())
        for one in _objects(row, "signedtags")
    ]
    return Repository(gun, gun.partition("/")[2], tuple(metadata), tuple(signed))


def _objects(row: Flat, name: str) -> list[Mapping[str, Any]]:
    found = row.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise BadRow(name, "is no list of objects")
    return found


def _keys(one: Mapping[str, Any]) -> tuple[Key, ...]:
    held = one.get("Keys") or []
    return tuple(Key(str(key.get("ID")), "") for key in held if isinstance(key, Mapping))
