"""Reading trust data: the newest, by digest, by version (dct-wire-contract.md section 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.notary import errors, place, quick
from azext_trust.server.notary.keys import Held
from azext_trust.server.store import facts, trust_data
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.clock import from_text
from azext_trust.server.store.transaction import Store, Transaction
from azext_trust.server.store.trust_data import Newest, Repository, Version
from azext_trust.tuf import roles, server
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.times import read as read_time

_FILE = re.compile(
    r"(?:(?P<version>[1-9][0-9]*|0[0-9]+)\.)?(?P<role>root|targets(?:/[^/\s.]+)*|snapshot|timestamp)"
    r"(?:\.(?P<digest>[0-9a-f]{64}))?\.json"
)
_SHORT, _LONG = "public, max-age=300, s-maxage=300, must-revalidate", "public, max-age=2592000, s-maxage=2592000"
RENEWAL = "Microsoft.ContainerRegistry/registries/trustedCollections/renew"


def show(store: Store, call: Call) -> Reply:
    """Answer with metadata, byte by byte as they were uploaded or signed here.

    Raises:
        ServiceError: there are none of this name.
    """
    found = _FILE.fullmatch(call.params["file"])
    if not found or (found["version"] and found["digest"]):
        raise errors.not_found(call)
    role = found["role"]
    with store.read() as transaction:
        of = place.repository_of(transaction, call)
        row = _find(transaction, of, role, found["version"], found["digest"])
        until = None if found["version"] or found["digest"] else _until(transaction, of, role, row)
        stale = until is not None and until < transaction.now()
        moment = _moment(transaction)
    if stale:
        row = _renewed(store, call, of, role)
    if row is None:
        raise errors.not_found(call)
    reply = _answer(row, _LONG if found["version"] or found["digest"] else _SHORT)
    if not stale:
        quick.remember(call, call.params["file"], reply, until, moment)
    return reply


def remember(call: Call, stored: Mapping[str, Version], transaction: Transaction) -> None:
    """Remember what a publish has just stored: its readers come at once, and ask for the newest and by digest.

    Args:
        call: the publish.
        stored: role to its new version.
        transaction: the one that stored them; it is committed, so that the numbers it read are those it left.
    """
    until = _expiry(stored[roles.TIMESTAMP])
    moment = _moment(transaction)
    for role, row in stored.items():
        named = f"{role}.{row.sha256}.json"
        signed = role in (roles.TIMESTAMP, roles.SNAPSHOT)
        quick.remember(call, f"{role}.json", _answer(row, _SHORT), until if signed else None, moment)
        quick.remember(call, named, _answer(row, _LONG), None, moment)


def _moment(transaction: Transaction) -> tuple[int, int]:
    return transaction.revision(), int(facts.get(transaction.session, facts.CONTENT, "0"))


def _find(
    transaction: Transaction, of: Repository, role: str, version: str | None, digest: str | None
) -> Version | None:
    if digest:
        return trust_data.of_digest(transaction.session, of, role, digest)
    if version:
        number = int(version[:12])
        return trust_data.of_version(transaction.session, of, role, number) if number < 2**31 else None
    return trust_data.newest(transaction.session, of, role)


def _answer(row: Version, cache: str) -> Reply:
    headers = {"cache-control": cache, "last-modified": _http_time(row.created)}
    return Reply(row.content, 200, headers, "text/plain; charset=utf-8")


@lru_cache(maxsize=256)
def _http_time(text: str) -> str:
    """Return a stored moment as the reference sends it: RFC 1123, with UTC where HTTP has GMT."""
    moment = from_text(text)
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{days[moment.weekday()]}, {moment:%d} {months[moment.month - 1]} {moment:%Y %H:%M:%S} UTC"


# Renewal of what the server signs


def _until(transaction: Transaction, of: Repository, role: str, row: Version | None) -> datetime | None:
    """Return when the server must sign again before it answers: when the timestamp has expired."""
    if role == roles.SNAPSHOT:
        row = trust_data.newest(transaction.session, of, roles.TIMESTAMP)
    return _expiry(row) if role in (roles.TIMESTAMP, roles.SNAPSHOT) and row is not None else None


def _expiry(row: Version) -> datetime:
    """Return when a timestamp must be signed again; its snapshot is seen to then (`tuf.server.renewed`)."""
    return read_time(Envelope.reread(row.content).fields["expires"])


def _renewed(store: Store, call: Call, of: Repository, role: str) -> Version | None:
    """Sign again what has expired, unless another request has just done it, and return the newest of a role.

    Only one transaction writes at a time, and each looks again: concurrent requests make one new version
    (dct-wire-contract.md section 8, trap 11).
    """
    with store.write(moves=facts.CONTENT) as transaction:
        place.repository_of(transaction, call)
        made: dict[str, Envelope] = {}
        timestamp = trust_data.newest(transaction.session, of, roles.TIMESTAMP)
        if timestamp is not None and _expiry(timestamp) < transaction.now():
            made = server.renewed(Newest(transaction.session, of), Held(transaction, of), transaction.now())
        for name, envelope in made.items():
            trust_data.add(transaction, of, name, envelope.fields["version"], envelope.raw)
        trust_data.prune(transaction, of, made)
        if made:
            versions = {name: envelope.fields["version"] for name, envelope in made.items()}
            details: dict[str, object] = {"after": {"gun": of.gun, "versions": versions}}
            transaction.record(
                Activity(RENEWAL, call.params["registry"], "Allowed", "aztrust", call.correlation_id, details)
            )
        transaction.session.flush()
        return trust_data.newest(transaction.session, of, role)


def nothing(transaction: Transaction, call: Call) -> Reply:
    """Answer for every other path.

    Raises:
        ServiceError: always: there is nothing, or trust is off.
    """
    place.registry_of(transaction, call)
    raise errors.not_found(call)
