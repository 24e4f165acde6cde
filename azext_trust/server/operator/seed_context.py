"""What applying a seed's parts shares: how names in a seed are found, what was made, and what differs."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.rbac import roles
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.operator.seed_parts import CertificatePart, FederatedPart, Seed
from azext_trust.server.store import authorization, clock, passwords, principals, registries, resources
from azext_trust.server.store.transaction import Transaction

_NEVER = "2299-12-31T00:00:00.0000000Z"


@dataclass
class Applied:
    """What applying a seed did.

    Attributes:
        created: what was made, in words.
        differs: what exists and differs from the seed, in words; it was left as it is.
        passwords: passwords that were made up, by user name; to be shown once.
    """

    created: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)


class Context:
    """One seed that is being applied.

    Attributes:
        done: what was done so far.
        subscription: the subscription, once it is there.
        made: ids of directory objects that this seed made: another part with an id of its own is another object.
        founding: whether there was nothing before.
    """

    def __init__(self, transaction: Transaction, seed: Seed) -> None:
        self.transaction = transaction
        self.session = transaction.session
        self.seed = seed
        self.now = transaction.now_text()
        self.done = Applied()
        self.founding = not transaction.tenant_id()
        self.subscription: resources.Subscription | None = None
        self.made: set[str] = set()

    def compare(self, what: str, found: object, wanted: object) -> None:
        """Note that something exists and is otherwise; None in the seed says nothing."""
        if wanted is not None and found != wanted:
            self.done.differs.append(f"{what} is '{found}', the seed says '{wanted}'")

    def compare_members(self, what: str, found: Mapping[str, object], wanted: Mapping[str, object]) -> None:
        """Compare those members of an object that the seed names."""
        for name, value in wanted.items():
            self.compare(f"the {name} of {what}", found.get(name), value)

    @property
    def subscription_scope(self) -> str:
        """The subscription's resource id."""
        return f"/subscriptions/{self.subscription.id if self.subscription else ''}"

    def principal(self, name: str) -> principals.DirectoryObject:
        """Return who has a user name, object id, appId, identifier URI, or an application's or group's name.

        Raises:
            SeedError: nobody.
        """
        found = (
            principals.user_by_upn(self.session, name)
            or principals.by_id(self.session, name)
            or principals.service_principal_by_name(self.session, name)
            or principals.find_by_display_name(self.session, principals.SERVICE_PRINCIPAL, name)
            or principals.group_by_name(self.session, name)
        )
        if found is None:
            raise SeedError(f"There is no user, application, group or object id '{name}'.")
        return found

    def group_of(self, name: str, what: str) -> resources.ResourceGroup:
        """Return the resource group of a resource.

        Raises:
            SeedError: there is none of this name.
        """
        found = resources.resource_group(self.session, self.subscription_scope.split("/")[2], name)
        if found is None:
            raise SeedError(f"{what}: there is no resource group '{name}'.")
        return found

    def scope(self, text: str | None) -> str:
        """Return the resource id that a seed names: a registry, a resource group, a full id, or the subscription.

        Raises:
            SeedError: none of them.
        """
        if text is None:
            return self.subscription_scope
        if text.startswith("/"):
            return scopes.canonical(text)
        registry = registries.by_name(self.session, text)
        if registry is not None:
            group = resources.resource_group(self.session, registry.subscription_id, registry.group_key)
            return scopes.registry_id(registry.subscription_id, group.name if group else "", registry.name)
        group = resources.resource_group(self.session, self.subscription_scope.split("/")[2], text)
        if group is None:
            raise SeedError(f"The scope '{text}' is no registry, no resource group and no full id.")
        return f"{self.subscription_scope}/resourceGroups/{group.name}"

    def role(self, name: str) -> str:
        """Return the id of the role with this name, or of the custom one with this id.

        Raises:
            SeedError: there is none.
        """
        built_in = roles.built_in_by_name(name)
        if built_in is not None:
            return built_in.id
        for row in authorization.custom_roles(self.session):
            if name.lower() in (row.name_key, row.id):
                return row.id
        if name.lower() in roles.built_in_roles():
            return name.lower()
        raise SeedError(f"There is no role '{name}'.")

    def credential(self, owner: str, kind: str, secret: str) -> principals.Credential:
        """Return a password or a client secret, not yet added."""
        made = principals.Credential(
            id=str(uuid.uuid4()), owner_id=owner, kind=kind, hashed=passwords.hash_secret(secret), start=self.now
        )
        if kind == "secret":  # Entra shows its beginning and its end
            made.hint, made.end = secret[:3], _NEVER
        return made

    def same_secret(self, what: str, owner: str, kind: str, secret: str | None) -> None:
        """Note that somebody has another password or secret than the seed's."""
        held = principals.credentials(self.session, [owner], kind)
        if secret is not None and not any(passwords.verify_secret(row.hashed, secret) for row in held):
            self.done.differs.append(f"{what} is another one than the seed's")

    def certificates(self, what: str, owner: str, parts: list[CertificatePart]) -> None:
        """Add those certificates that an application or service principal does not have yet.

        Raises:
            SeedError: one of them is no certificate.
        """
        held = {str(row.properties["der"]) for row in principals.credentials(self.session, [owner], "certificate")}
        for part in parts:
            if part.certificate not in held:
                self.session.add(_certificate(what, owner, part))
                self.done.created.append(f"certificate of {what}")

    def federated(self, what: str, owner: str, parts: list[FederatedPart]) -> None:
        """Add those federated credentials that an application or identity does not have yet."""
        held = {str(row.display_name): row for row in principals.credentials(self.session, [owner], "federated")}
        for part in parts:
            wanted = part.model_dump(exclude={"name"}, exclude_none=True)
            if part.name in held:
                self.compare_members(f"federated credential {part.name} of {what}", held[part.name].properties, wanted)
                continue
            self.session.add(
                principals.Credential(
                    id=str(uuid.uuid4()), owner_id=owner, kind="federated", display_name=part.name, start=self.now,
                    properties=wanted,
                )
            )  # fmt: skip
            self.done.created.append(f"federated credential {part.name} of {what}")

    def owners(self, what: str, object_id: str, names: list[str]) -> None:
        """Add those owners that something does not have yet."""
        for name in names:
            owner = self.principal(name)
            if self.session.get(principals.Ownership, (object_id, owner.id)) is None:
                self.session.add(principals.Ownership(object_id=object_id, owner_id=owner.id))
                self.done.created.append(f"owner {name} of {what}")


def _certificate(what: str, owner: str, part: CertificatePart) -> principals.Credential:
    from cryptography import x509

    der = base64.b64decode(part.certificate)
    try:
        loaded = x509.load_der_x509_certificate(der)
    except ValueError:
        raise SeedError(f"{what}: a certificate of it is none.") from None
    return principals.Credential(
        id=part.id or str(uuid.uuid4()), owner_id=owner, kind="certificate",
        display_name=part.name or loaded.subject.rfc4514_string(),
        start=clock.to_text(loaded.not_valid_before_utc), end=clock.to_text(loaded.not_valid_after_utc),
        properties={
            "der": part.certificate,
            "thumbprint": hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
        },
    )  # fmt: skip


def orphan_or(context: Context, name: str, kind: str | None) -> tuple[str, str]:
    """Return object id and kind of an assignee; somebody gone is named by id, and `kind` tells what he was.

    Raises:
        SeedError: nobody, or no id.
    """
    if kind is not None and is_guid(name) and principals.by_id(context.session, name) is None:
        return name.lower(), kind
    found = context.principal(name)
    return found.id, kind or found.kind
