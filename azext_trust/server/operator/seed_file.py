"""The seed file's form (architecture.md, Contracts): unknown keys and wrong values are refused with their line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from azext_trust.names.guids import is_guid
from azext_trust.names.registries import valid_registry_name
from azext_trust.server.operator.errors import SeedError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def _guid(text: str) -> str:
    if not is_guid(text):
        raise ValueError("an id is a GUID (8-4-4-4-12 hexadecimal digits)")
    return text.lower()


def _registry_name(text: str) -> str:
    if not valid_registry_name(text):
        raise ValueError("a registry's name has 5 to 50 letters and digits")
    return text


Guid = Annotated[str, AfterValidator(_guid)]


class Tenant(_Part):
    """The directory."""

    id: Guid | None = None
    domain: str = "contoso.com"


class SubscriptionPart(_Part):
    """The one subscription."""

    id: Guid | None = None
    name: str = "Lab"


class RolePart(_Part):
    """A role of a user; without a scope it holds at the subscription."""

    role: str
    scope: str | None = None


class UserPart(_Part):
    """A user."""

    name: str
    id: Guid | None = None
    display_name: str | None = Field(default=None, alias="displayName")
    password: str | None = None
    roles: list[RolePart] = []
    classic_administrator: bool = Field(default=False, alias="classicAdministrator")
    enabled: bool = True


class GroupPart(_Part):
    """A security group; members are user names, application or group names, or object ids."""

    name: str
    id: Guid | None = None
    members: list[str] = []


class ApplicationPart(_Part):
    """An application with its service principal."""

    name: str
    app_id: Guid | None = Field(default=None, alias="appId")
    secret: str | None = None
    identifier_uris: list[str] = Field(default=[], alias="identifierUris")


class ResourceGroupPart(_Part):
    """A resource group."""

    name: str
    location: str = "westeurope"


class RegistryPart(_Part):
    """A registry."""

    name: Annotated[str, AfterValidator(_registry_name)]
    resource_group: str = Field(alias="resourceGroup")
    sku: Literal["Basic", "Standard", "Premium"] = "Premium"
    content_trust: Literal["enabled", "disabled"] = Field(default="disabled", alias="contentTrust")
    admin_user: bool = Field(default=False, alias="adminUser")
    location: str | None = None


class AssignmentPart(_Part):
    """A role assignment; scope is a registry, a resource group or a full id, the subscription when omitted."""

    assignee: str
    role: str
    scope: str | None = None


class DirectoryRolePart(_Part):
    """The holders of an Entra directory role."""

    role: str
    members: list[str] = []


class Seed(_Part):
    """A whole seed file."""

    tenant: Tenant = Tenant()
    subscription: SubscriptionPart = SubscriptionPart()
    users: list[UserPart] = []
    groups: list[GroupPart] = []
    applications: list[ApplicationPart] = []
    resource_groups: list[ResourceGroupPart] = Field(default=[], alias="resourceGroups")
    registries: list[RegistryPart] = []
    assignments: list[AssignmentPart] = []
    directory_roles: list[DirectoryRolePart] = Field(default=[], alias="directoryRoles")


DEFAULT = Seed(
    users=[
        UserPart(name="owner@contoso.com", display_name="Owner", roles=[RolePart(role="Owner")]),
        UserPart(name="alain@contoso.com", display_name="Alain"),
        UserPart(name="azureuser@contoso.com", display_name="Azure User"),
    ],
    # Who makes a tenant is its Global Administrator: without it nobody could create users or applications.
    directory_roles=[DirectoryRolePart(role="Global Administrator", members=["owner@contoso.com"])],
)
"""The seed of a state that is founded without one: no resource group, no registry."""


def load(path: Path) -> Seed:
    """Read a seed file.

    Raises:
        SeedError: it cannot be read, is no YAML, or has an unknown key or wrong value; with file and line.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"The seed file {path} cannot be read: {error}.") from None


def parse(text: str, name: str = "seed") -> Seed:
    """Read a seed from its YAML text; `name` stands in messages.

    Raises:
        SeedError: as `load`.
    """
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_keys(tree, name)
        content: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise SeedError(f"{name}{line}: no valid YAML: {getattr(error, 'problem', error)}.") from None
    try:
        return Seed.model_validate(content if content is not None else {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        at = _line(tree, first["loc"])
        what = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise SeedError(f"{name}, line {at}: {place or 'the file'}: {what}.") from None


def _check_keys(node: yaml.Node | None, name: str) -> None:
    """Refuse a key that is given twice: YAML would quietly take the last one."""
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise SeedError(f"{name}, line {key.start_mark.line + 1}: {key.value}: given twice.")
            seen.add(str(key.value))
            children.append(value)
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    for child in children:
        _check_keys(child, name)


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Return the line (from 1) of a place given as keys and list positions; the nearest one that exists."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
