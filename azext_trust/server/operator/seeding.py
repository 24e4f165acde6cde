"""Brings a seed into the state: what exists is found by name and left as it is; nothing is deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from azext_trust.names import scopes
from azext_trust.rbac import roles
from azext_trust.server.operator import first_party
from azext_trust.server.operator.errors import SeedError
from azext_trust.server.operator.seed_file import (
    ApplicationPart,
    AssignmentPart,
    GroupPart,
    RegistryPart,
    ResourceGroupPart,
    Seed,
    UserPart,
)
from azext_trust.server.store import authorization, clock, facts, passwords, principals, registries, resources
from azext_trust.server.store.transaction import Transaction


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


def apply(transaction: Transaction, seed: Seed) -> Applied:
    """Apply a seed within the caller's transaction.

    Raises:
        SeedError: the seed names something that does not exist or cannot be.
    """
    return _Seeding(transaction, seed).run()


class _Seeding:
    def __init__(self, transaction: Transaction, seed: Seed) -> None:
        self.transaction = transaction
        self.session = transaction.session
        self.seed = seed
        self.now = transaction.now_text()
        self.done = Applied()

    def run(self) -> Applied:
        self._tenant()
        self.subscription = self._subscription()
        steps: tuple[tuple[list[Any], Callable[[Any], None]], ...] = (
            (self.seed.users, self._user), (self.seed.groups, self._group),
            (self.seed.applications, self._application), (self.seed.groups, self._members),
            (self.seed.resource_groups, self._resource_group), (self.seed.registries, self._registry),
            (self.seed.users, self._user_roles), (self.seed.assignments, self._assignment),
        )  # fmt: skip
        for rows, step in steps:
            for row in rows:
                self._take(step, row)
        self._directory_roles()
        return self.done

    def _take(self, step: Callable[[Any], None], part: Any) -> None:
        try:
            step(part)
            self.session.flush()
        except IntegrityError:
            what = getattr(part, "name", "") or getattr(part, "assignee", "")
            raise SeedError(f"{what}: an id or a name it is to have is taken already by something else.") from None

    def _compare(self, what: str, found: object, wanted: object) -> None:
        if wanted is not None and found != wanted:
            self.done.differs.append(f"{what} is '{found}', the seed says '{wanted}'")

    def _tenant(self) -> None:
        if self.transaction.tenant_id():
            self._compare("the tenant's id", self.transaction.tenant_id(), self.seed.tenant.id)
            self._compare("the tenant's domain", facts.get(self.session, facts.TENANT_DOMAIN), self.seed.tenant.domain)
            return
        tenant = (self.seed.tenant.id or str(uuid.uuid4())).lower()
        facts.put(self.session, facts.TENANT_ID, tenant)
        facts.put(self.session, facts.TENANT_DOMAIN, self.seed.tenant.domain)
        facts.put(self.session, facts.TENANT_NAME, self.seed.tenant.domain.split(".")[0].title())
        self.session.add(resources.ManagementGroup(key=tenant, id=tenant, display_name="Tenant Root Group"))
        first_party.found(self.session, self.now)
        self.done.created.append(f"tenant {self.seed.tenant.domain}")

    def _subscription(self) -> resources.Subscription:
        part = self.seed.subscription
        for row in resources.subscriptions(self.session):
            if row.name == part.name or row.id == part.id:
                self._compare(f"the id of subscription {row.name}", row.id, part.id)
                self._compare(f"the name of subscription {row.id}", row.name, part.name)
                return row
        made = resources.Subscription(
            id=(part.id or str(uuid.uuid4())).lower(), name=part.name, management_group=self.transaction.tenant_id()
        )
        self.session.add(made)
        self.session.flush()
        self.done.created.append(f"subscription {made.name}")
        return made

    def _user(self, part: UserPart) -> None:
        found = principals.user_by_upn(self.session, part.name)
        if found is not None:
            self._same_user(part, found)
            return
        if "@" not in part.name:
            raise SeedError(f"The user name '{part.name}' is no user principal name (name@domain).")
        password = part.password
        if password is None:
            password = self.done.passwords[part.name] = passwords.new_secret(16)
        made = principals.DirectoryObject(
            id=part.id or str(uuid.uuid4()), kind=principals.USER, created=self.now,
            display_name=part.display_name or part.name.split("@")[0],
            display_key=(part.display_name or part.name.split("@")[0]).lower(), upn=part.name,
            upn_key=part.name.lower(), enabled=part.enabled, classic_administrator=part.classic_administrator,
            properties={"mailNickname": part.name.split("@")[0]},
        )  # fmt: skip
        self.session.add(made)
        self.session.flush()
        self.session.add(self._credential(made.id, "password", password))
        self.done.created.append(f"user {part.name}")

    def _credential(self, owner: str, kind: str, secret: str) -> principals.Credential:
        made = principals.Credential(
            id=str(uuid.uuid4()), owner_id=owner, kind=kind, hashed=passwords.hash_secret(secret), start=self.now
        )
        if kind == "secret":  # Entra shows its beginning and its end
            made.hint, made.end = secret[:3], "2299-12-31T00:00:00.0000000Z"
        return made

    def _same_user(self, part: UserPart, found: principals.DirectoryObject) -> None:
        self._compare(f"the id of {part.name}", found.id, part.id)
        self._compare(f"the display name of {part.name}", found.display_name, part.display_name)
        self._compare(f"the enabled flag of {part.name}", found.enabled, part.enabled)
        self._compare(f"the classic administrator flag of {part.name}", found.classic_administrator,
                      part.classic_administrator)  # fmt: skip
        self._same_secret(f"the password of {part.name}", found.id, "password", part.password)

    def _same_secret(self, what: str, owner: str, kind: str, secret: str | None) -> None:
        held = principals.credentials(self.session, [owner], kind)
        if secret is not None and not any(passwords.verify_secret(row.hashed, secret) for row in held):
            self.done.differs.append(f"{what} is another one than the seed's")

    def _group(self, part: GroupPart) -> None:
        found = principals.group_by_name(self.session, part.name)
        if found is not None:
            self._compare(f"the id of group {part.name}", found.id, part.id)
            return
        self.session.add(
            principals.DirectoryObject(
                id=part.id or str(uuid.uuid4()), kind=principals.GROUP, display_name=part.name,
                display_key=part.name.lower(), created=self.now, properties={"mailNickname": part.name},
            )
        )  # fmt: skip
        self.done.created.append(f"group {part.name}")

    def _members(self, part: GroupPart) -> None:
        group = self._principal(part.name)
        for name in part.members:
            member = self._principal(name)
            if self.session.get(principals.Membership, (group.id, member.id)) is None:
                self.session.add(principals.Membership(group_id=group.id, member_id=member.id))
                self.done.created.append(f"member {name} of group {part.name}")

    def _application(self, part: ApplicationPart) -> None:
        found = self._application_by_name(part)
        if found is not None:
            self._same_application(part, found)
            return
        app_id = part.app_id or str(uuid.uuid4())
        application = principals.Application(
            id=str(uuid.uuid4()), app_id=app_id, display_name=part.name, display_key=part.name.lower(),
            created=self.now, properties={"identifierUris": part.identifier_uris},
        )  # fmt: skip
        principal = principals.DirectoryObject(
            id=str(uuid.uuid4()), kind=principals.SERVICE_PRINCIPAL, display_name=part.name,
            display_key=part.name.lower(), app_id=app_id, created=self.now,
        )  # fmt: skip
        self.session.add_all([application, principal])
        self.session.flush()
        principals.set_service_principal_names(self.session, principal.id, [app_id, *part.identifier_uris])
        if part.secret:
            self.session.add(self._credential(application.id, "secret", part.secret))
        self.done.created.append(f"application {part.name}")

    def _same_application(self, part: ApplicationPart, found: principals.DirectoryObject) -> None:
        self._compare(f"the appId of {part.name}", found.app_id, part.app_id)
        self._compare(f"the name of application {found.app_id}", found.display_name, part.name)
        held = principals.application_by_app_id(self.session, found.app_id or "")
        if held is None:
            return
        uris = held.properties.get("identifierUris")
        if part.identifier_uris:
            self._compare(f"the identifierUris of {part.name}", uris, part.identifier_uris)
        self._same_secret(f"the secret of {part.name}", held.id, "secret", part.secret)

    def _application_by_name(self, part: ApplicationPart) -> principals.DirectoryObject | None:
        if part.app_id:
            found = principals.service_principal_by_app_id(self.session, part.app_id)
            if found is not None:
                return found
        return principals.find_by_display_name(self.session, principals.SERVICE_PRINCIPAL, part.name)

    def _resource_group(self, part: ResourceGroupPart) -> None:
        name, location = part.name, part.location
        found = resources.resource_group(self.session, self.subscription.id, name)
        if found is not None:
            self._compare(f"the location of resource group {name}", found.location, location)
            return
        self.session.add(
            resources.ResourceGroup(
                subscription_id=self.subscription.id, name_key=name.lower(), name=name, location=location
            )
        )
        self.done.created.append(f"resource group {name}")

    def _registry(self, part: RegistryPart) -> None:
        found = registries.by_name(self.session, part.name)
        if found is not None:
            self._compare(f"the resource group of registry {part.name}", found.group_key, part.resource_group.lower())
            self._compare(f"the location of registry {part.name}", found.location, part.location)
            self._compare(f"the SKU of registry {part.name}", found.sku, part.sku)
            enabled = "enabled" if found.trust_enabled else "disabled"
            self._compare(f"content trust of registry {part.name}", enabled, part.content_trust)
            self._compare(f"the admin user of registry {part.name}", found.admin_enabled, part.admin_user)
            return
        group = resources.resource_group(self.session, self.subscription.id, part.resource_group)
        if group is None:
            raise SeedError(f"Registry {part.name}: there is no resource group '{part.resource_group}'.")
        if part.content_trust == "enabled" and part.sku != "Premium":
            raise SeedError(f"Registry {part.name}: content trust needs the SKU Premium, not {part.sku}.")
        scope = scopes.registry_id(self.subscription.id, group.name, part.name)
        made = registries.new(scope, part.location or group.location, part.sku, self.now, "seed")
        made.admin_enabled = part.admin_user
        made.trust_enabled = part.content_trust == "enabled"
        made.trust_enabled_before_retirement = made.trust_enabled and self.transaction.retirement() == "off"
        self.session.add(made)
        self.done.created.append(f"registry {part.name}")

    def _user_roles(self, part: UserPart) -> None:
        for role in part.roles:
            self._assignment(AssignmentPart(assignee=part.name, role=role.role, scope=role.scope))

    def _assignment(self, part: AssignmentPart) -> None:
        principal, scope, role_id = self._principal(part.assignee), self._scope(part.scope), self._role(part.role)
        known = authorization.assignments_of(self.session, [principal.id])
        if any(row.scope_key == scopes.key(scope) and row.role_id == role_id for row in known):
            return
        self.session.add(
            authorization.Assignment(
                id=str(uuid.uuid4()), scope=scope, scope_key=scopes.key(scope), role_id=role_id,
                principal_id=principal.id, principal_type=principal.kind, created_on=self._tick(),
                updated_on=self.now, created_by=principal.id, updated_by=principal.id,
            )
        )  # fmt: skip
        self.done.created.append(f"role {part.role} for {part.assignee}")

    def _tick(self) -> str:
        # The log and "first Owner of the seed" need the order of the file: one microsecond apart.
        count = sum(line.startswith("role ") for line in self.done.created)
        return clock.to_text(clock.from_text(self.now) + timedelta(microseconds=count))

    def _principal(self, name: str) -> principals.DirectoryObject:
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

    def _scope(self, text: str | None) -> str:
        subscription = f"/subscriptions/{self.subscription.id}"
        if text is None:
            return subscription
        if text.startswith("/"):
            return scopes.canonical(text)
        registry = registries.by_name(self.session, text)
        if registry is not None:
            group = resources.resource_group(self.session, registry.subscription_id, registry.group_key)
            return scopes.registry_id(registry.subscription_id, group.name if group else "", registry.name)
        group = resources.resource_group(self.session, self.subscription.id, text)
        if group is None:
            raise SeedError(f"The scope '{text}' is no registry, no resource group and no full id.")
        return f"{subscription}/resourceGroups/{group.name}"

    def _role(self, name: str) -> str:
        built_in = roles.built_in_by_name(name)
        if built_in is not None:
            return built_in.id
        for row in authorization.custom_roles(self.session):
            if name.lower() in (row.name_key, row.id):
                return row.id
        raise SeedError(f"There is no role '{name}'.")

    def _directory_roles(self) -> None:
        for part in self.seed.directory_roles:
            for name in part.members:
                member = self._principal(name)
                if self.session.get(principals.DirectoryRoleMember, (part.role, member.id)) is None:
                    self.session.add(principals.DirectoryRoleMember(role=part.role, principal_id=member.id))
                    self.done.created.append(f"directory role {part.role} for {name}")
