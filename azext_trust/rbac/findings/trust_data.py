"""Findings about trust data: delegations, keys, tags, expiry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from azext_trust.rbac.findings.kinds import finding
from azext_trust.rbac.findings.view import View
from azext_trust.rbac.questions.facts import Person, Registry
from azext_trust.rbac.questions.rows import FindingRow
from azext_trust.rbac.questions.trust import RELEASES, ROOT, TARGETS, Key, Metadata, Repository, keys_of, signer_of
from azext_trust.rbac.questions.trust import is_named as named
from azext_trust.rbac.questions.wording import quoted

SOON, SOONER, SOONEST = timedelta(days=90), timedelta(days=30), timedelta(days=7)
"""How long before they expire metadata are a finding of low, medium and high severity."""
_RSA, _CURVE = 2048, 256
"""Fewer bits than these are weak (NIST SP 800-57 part 1, table 2: 112 bits of strength)."""
_SHOWN = 5


def of_trust_data(view: View) -> Iterator[FindingRow]:
    """Yield what is wrong with the trust data of each registry."""
    for registry in view.registries:
        repositories = view.tenant.trust(registry)
        if not repositories:
            continue
        signers = view.signers(registry)
        yield from _signers_without_delegation(registry, repositories, signers)
        for repository in repositories:
            yield from _delegations(view, registry, repository, signers)
            yield from _metadata(view, registry, repository)
            yield from _tags(registry, repository)


# Who signs with which key


def _delegations(
    view: View, registry: Registry, repository: Repository, signers: list[Person]
) -> Iterator[FindingRow]:  # fmt: skip
    published = repository.publishers or {}
    able = {person.id for person in signers}
    for one in repository.delegations:
        signer = signer_of(one.role)
        if published.get(one.role, frozenset()) & able or any(named(person, signer) for person in signers):
            continue
        known = [*(view.label(who) for who in sorted(published.get(one.role, ()))),
                 *(person.label for person in view.tenant.find(signer))]  # fmt: skip
        kind = "delegation-without-role" if known else "key-without-holder"
        who = f"{known[0]} may not sign" if known else f"nobody in the directory who may sign is called {signer}"
        yield finding(
            kind, f"{repository.gun} {one.role}", f"{who}; key {_keys(one)}",
            f"docker trust signer remove {quoted(signer)} {quoted(repository.gun)}", registry=registry,
        )  # fmt: skip
    yield from _repository_key(view, registry, repository, able)


def _repository_key(
    view: View, registry: Registry, repository: Repository, able: set[str]
) -> Iterator[FindingRow]:  # fmt: skip
    published = (repository.publishers or {}).get(TARGETS, frozenset())
    targets = next((one for one in repository.metadata if one.role == TARGETS), None)
    if targets is None or not published or published & able:
        return
    names = ", ".join(view.label(who) for who in sorted(published))
    yield finding(
        "key-without-holder", f"{repository.gun} {TARGETS}",
        f"the repository key {_keys(targets)} was last used by {names}, who may sign no more",
        _notary(registry, f"key rotate {quoted(repository.gun)} targets"), registry=registry,
    )  # fmt: skip


def _signers_without_delegation(
    registry: Registry, repositories: tuple[Repository, ...], signers: list[Person]
) -> Iterator[FindingRow]:  # fmt: skip
    delegated = [one for one in repositories if one.delegations]
    if not delegated:
        return
    for person in signers:
        if not keys_of(person, repositories)[0]:
            name = _docker_name(person)
            yield finding(
                "role-without-delegation", person.label,
                f"may sign, and none of {len(delegated)} repositories with delegations has one for it",
                f"docker trust signer add --key {quoted(f'{name}.pub')} {quoted(name)} {quoted(delegated[0].gun)}",
                registry=registry,
            )  # fmt: skip


def _docker_name(person: Person) -> str:
    """Return a name that docker takes for a signer: lower-case letters, digits, dashes, underscores."""
    text = person.label.partition("@")[0].lower()
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in text).strip("-_")


def _keys(one: Metadata) -> str:
    return ", ".join(key.id[:12] for key in one.keys) or "unknown"


def _notary(registry: Registry, command: str) -> str:
    return f"notary -s https://{registry.login_server} -d ~/.docker/trust {command}"


# Metadata and keys


def _metadata(view: View, registry: Registry, repository: Repository) -> Iterator[FindingRow]:
    for one in repository.metadata:
        if not one.server:
            yield from _expiring(view.tenant.now, registry, repository, one)
            for key in one.keys:
                yield from _weak(view.tenant.now, registry, repository, one, key)


def moment(text: str) -> datetime | None:
    """Return a moment of ISO 8601 text, None when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _expiring(now: datetime, registry: Registry, repository: Repository, one: Metadata) -> Iterator[FindingRow]:
    until = moment(one.expires)
    left = until - now if until else SOON
    if left >= SOON:
        return
    severity = "high" if left < SOONEST else "medium" if left < SOONER else "low"
    words = (
        f"expired on {one.expires[:10]}"
        if left < timedelta(0)
        else f"expires on {one.expires[:10]}, in {left.days} days"
    )
    # A publish signs again what is near its end (notary client, nearExpiry).
    tag = next((row.tag for row in repository.signed), "TAG")
    row = finding(
        "metadata-expiring", f"{repository.gun} {one.role}", f"version {one.version} {words}",
        f"docker trust sign {quoted(f'{repository.gun}:{tag}')}", registry=registry,
    )  # fmt: skip
    yield replace(row, severity=severity)


def _weak(
    now: datetime, registry: Registry, repository: Repository, one: Metadata, key: Key
) -> Iterator[FindingRow]:  # fmt: skip
    why = ""
    ends = moment(key.expires) if key.expires else None
    if key.kind.startswith("rsa") and 0 < key.size < _RSA:
        why = f"RSA with {key.size} bits"
    elif key.kind.startswith("ecdsa") and 0 < key.size < _CURVE:
        why = f"a curve of {key.size} bits"
    elif ends is not None and ends < now:
        why = f"its certificate ended on {key.expires[:10]}"
    if not why:
        return
    signer = signer_of(one.role)
    yield finding(
        "weak-key", f"{repository.gun} {one.role}", f"key {key.id[:12]}: {why}",
        f"docker trust key generate {quoted(signer)} && docker trust signer add --key {quoted(f'{signer}.pub')} "
        f"{quoted(signer)} {quoted(repository.gun)}" if signer and one.role != RELEASES
        else _notary(registry, f"key rotate {quoted(repository.gun)} {ROOT if one.role == ROOT else TARGETS}"),
        registry=registry,
    )  # fmt: skip


# Tags


def _tags(registry: Registry, repository: Repository) -> Iterator[FindingRow]:
    if repository.tags is None or repository.manifests is None:
        return
    signed = {row.tag: row.digest for row in repository.signed if row.role in (TARGETS, RELEASES)}
    for tag, digest in sorted(signed.items()):
        yield from _signed_tag(registry, repository, tag, digest)
    unsigned = sorted(tag for tag, digest in repository.tags.items() if signed.get(tag) != digest)
    if unsigned and registry.trust:
        shown = ", ".join(unsigned[:_SHOWN]) + (" ..." if len(unsigned) > _SHOWN else "")
        yield finding(
            "unsigned-tag", repository.gun, f"{len(unsigned)} of {len(repository.tags)} tags: {shown}",
            f"docker trust sign {quoted(f'{repository.gun}:{unsigned[0]}')}", registry=registry,
        )  # fmt: skip


def _signed_tag(registry: Registry, repository: Repository, tag: str, digest: str) -> Iterator[FindingRow]:
    assert repository.tags is not None  # `_tags` has looked
    assert repository.manifests is not None
    if digest not in repository.manifests:
        yield finding(
            "signed-tag-gone", f"{repository.gun}:{tag}",
            f"sha256:{digest[:12]} is signed, and the repository holds no such manifest: a trusted pull fails",
            f"docker trust revoke --yes {quoted(f'{repository.gun}:{tag}')}", registry=registry,
        )  # fmt: skip
    elif registry.retention is not None and digest not in set(repository.tags.values()):
        yield finding(
            "signed-tag-retention", f"{repository.gun}:{tag}",
            f"sha256:{digest[:12]} is signed and has no tag any more: retention deletes it after "
            f"{registry.retention} days, and trusted pulls fail",
            f"az acr repository update --name {registry.name} --image "
            f"{quoted(f'{repository.name}@sha256:{digest}')} --delete-enabled false", registry=registry,
        )  # fmt: skip
