"""What a seed file may hold, part by part; `aztrust local dump` writes the same form (docs/seed.md)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from azext_trust.names.guids import is_guid
from azext_trust.names.registries import valid_registry_name, valid_token_action
from azext_trust.rbac import conditions, operations

Switch = Literal["enabled", "disabled"]
OnOff = Literal["Enabled", "Disabled"]


class Part(BaseModel):
    """A part of a seed: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def _guid(text: str) -> str:
    if not is_guid(text):
        raise ValueError("an id is a GUID (8-4-4-4-12 hexadecimal digits)")
    return text.lower()


def _registry_name(text: str) -> str:
    if not valid_registry_name(text):
        raise ValueError("a registry's name has 5 to 50 letters and digits")
    return text


def _token_action(text: str) -> str:
    if not valid_token_action(text):
        raise ValueError(f"'{text}' is no action of a scope map")
    return text


def _condition(text: str) -> str:
    try:
        conditions.parse(text)
    except conditions.ConditionError as error:
        raise ValueError(str(error)) from None
    return text


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a certificate is DER in base64") from None
    return text


Guid = Annotated[str, AfterValidator(_guid)]
Condition = Annotated[str, AfterValidator(_condition)]
Tags = dict[str, str]


# -- The tenant


class Tenant(Part):
    """The directory."""

    id: Guid | None = None
    domain: str = "contoso.com"
    name: str | None = None


class SubscriptionPart(Part):
    """The one subscription; without a management group it stands below the root."""

    id: Guid | None = None
    name: str = "Lab"
    management_group: str | None = Field(default=None, alias="managementGroup")
    providers: dict[str, bool] = {}


class ManagementGroupPart(Part):
    """A management group; without a parent it stands below the root. The tenant's id names the root itself."""

    name: str
    display_name: str | None = Field(default=None, alias="displayName")
    parent: str | None = None


# -- The directory


class RolePart(Part):
    """A role of a user; without a scope it holds at the subscription."""

    role: str
    scope: str | None = None


class UserPart(Part):
    """A user; `properties` are Graph's, ``jobTitle`` for instance."""

    name: str
    id: Guid | None = None
    display_name: str | None = Field(default=None, alias="displayName")
    password: str | None = None
    roles: list[RolePart] = []
    classic_administrator: bool = Field(default=False, alias="classicAdministrator")
    enabled: bool = True
    properties: dict[str, Any] = {}


class GroupPart(Part):
    """A security group; members and owners are user names, application or group names, or object ids."""

    name: str
    id: Guid | None = None
    members: list[str] = []
    owners: list[str] = []
    properties: dict[str, Any] = {}


class FederatedPart(Part):
    """A federated credential: tokens of this issuer for this subject stand for a secret."""

    name: str
    issuer: str
    subject: str
    audiences: list[str]
    description: str | None = None


class CertificatePart(Part):
    """A certificate that an application signs in with: DER in base64."""

    certificate: Annotated[str, AfterValidator(_base64)]
    id: Guid | None = None
    name: str | None = None


class ServicePrincipalPart(Part):
    """What an application's service principal has of its own."""

    id: Guid | None = None
    enabled: bool = True
    owners: list[str] = []
    names: list[str] | None = None
    certificates: list[CertificatePart] = []
    properties: dict[str, Any] = {}


class ApplicationPart(Part):
    """An application with its service principal, or with `only` one of the two."""

    name: str
    app_id: Guid | None = Field(default=None, alias="appId")
    id: Guid | None = None
    secret: str | None = None
    identifier_uris: list[str] = Field(default=[], alias="identifierUris")
    owners: list[str] = []
    certificates: list[CertificatePart] = []
    federated_credentials: list[FederatedPart] = Field(default=[], alias="federatedCredentials")
    properties: dict[str, Any] = {}
    only: Literal["application", "servicePrincipal"] | None = None
    service_principal: ServicePrincipalPart = Field(default=ServicePrincipalPart(), alias="servicePrincipal")


class DirectoryRolePart(Part):
    """The holders of an Entra directory role."""

    role: str
    members: list[str] = []


class PermissionGrantPart(Part):
    """Delegated permissions of a client at a resource, for everybody or for one user."""

    client: str
    resource: str
    scope: str
    user: str | None = None


class AppRolePart(Part):
    """An application role that somebody holds at a resource."""

    principal: str
    resource: str
    role: Guid


# -- Resources


class ResourceGroupPart(Part):
    """A resource group."""

    name: str
    location: str = "westeurope"
    tags: Tags = {}
    managed_by: str | None = Field(default=None, alias="managedBy")


class IdentityPart(Part):
    """A user-assigned managed identity."""

    name: str
    resource_group: str = Field(alias="resourceGroup")
    location: str | None = None
    principal_id: Guid | None = Field(default=None, alias="principalId")
    client_id: Guid | None = Field(default=None, alias="clientId")
    tags: Tags = {}
    federated_credentials: list[FederatedPart] = Field(default=[], alias="federatedCredentials")
    properties: dict[str, Any] = {}


class SystemIdentityPart(Part):
    """A registry's own identity."""

    principal_id: Guid | None = Field(default=None, alias="principalId")
    client_id: Guid | None = Field(default=None, alias="clientId")


class ScopeMapPart(Part):
    """A scope map of a registry."""

    name: str
    actions: list[Annotated[str, AfterValidator(_token_action)]] = Field(min_length=1)
    description: str | None = None


class TokenPart(Part):
    """A token of a registry; without a password it has none."""

    name: str
    scope_map: str = Field(alias="scopeMap")
    status: Switch = "enabled"
    password: str | None = None


class PolicyPart(Part):
    """A policy of a registry as ARM shows it, without the moment of its last change."""

    status: Switch = "disabled"
    days: int | None = Field(default=None, ge=0, le=365)
    retention_days: int | None = Field(default=None, alias="retentionDays", ge=1, le=90)


class RegistrySettings(Part):
    """Settings of a registry by ARM's names; what is not set has ARM's default."""

    anonymous_pull: bool | None = Field(default=None, alias="anonymousPullEnabled")
    data_endpoint: bool | None = Field(default=None, alias="dataEndpointEnabled")
    bypass_for_tasks: bool | None = Field(default=None, alias="networkRuleBypassAllowedForTasks")
    public_access: OnOff | None = Field(default=None, alias="publicNetworkAccess")
    bypass: Literal["AzureServices", "None"] | None = Field(default=None, alias="networkRuleBypassOptions")
    zone_redundancy: OnOff | None = Field(default=None, alias="zoneRedundancy")
    metadata_search: OnOff | None = Field(default=None, alias="metadataSearch")
    endpoint_protocol: Literal["IPv4", "IPv4AndIPv6"] | None = Field(default=None, alias="endpointProtocol")
    network_rules: dict[str, Any] | None = Field(default=None, alias="networkRuleSet")
    mode: Literal["LegacyRegistryPermissions", "AbacRepositoryPermissions"] | None = Field(
        default=None, alias="roleAssignmentMode"
    )
    label_scope: Literal["Unsecure", "TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "NoReuse"] | None = (
        Field(default=None, alias="autoGeneratedDomainNameLabelScope")
    )


class RegistryPart(Part):
    """A registry with its scope maps and tokens; images and trust data are no part of a seed."""

    name: Annotated[str, AfterValidator(_registry_name)]
    resource_group: str = Field(alias="resourceGroup")
    sku: Literal["Basic", "Standard", "Premium"] = "Premium"
    content_trust: Switch = Field(default="disabled", alias="contentTrust")
    admin_user: bool = Field(default=False, alias="adminUser")
    location: str | None = None
    tags: Tags = {}
    label: str | None = Field(default=None, pattern=r"^[a-z0-9]{5,50}(-[a-z0-9]{1,20})?$")
    policies: dict[
        Literal["quarantinePolicy", "retentionPolicy", "exportPolicy", "azureADAuthenticationAsArmPolicy",
                "softDeletePolicy"], PolicyPart
    ] = {}  # fmt: skip
    settings: RegistrySettings = RegistrySettings()
    system_identity: SystemIdentityPart | None = Field(default=None, alias="systemIdentity")
    identities: list[str] = []
    scope_maps: list[ScopeMapPart] = Field(default=[], alias="scopeMaps")
    tokens: list[TokenPart] = []


# -- Access


class PermissionPart(Part):
    """What is permitted or denied."""

    actions: list[str] = []
    not_actions: list[str] = Field(default=[], alias="notActions")
    data_actions: list[str] = Field(default=[], alias="dataActions")
    not_data_actions: list[str] = Field(default=[], alias="notDataActions")

    def lists(self) -> dict[str, list[str]]:
        """Return the lists by their names in ARM."""
        return {
            "actions": self.actions, "notActions": self.not_actions, "dataActions": self.data_actions,
            "notDataActions": self.not_data_actions,
        }  # fmt: skip


class CustomRolePart(PermissionPart):
    """A custom role; its assignable scopes are registries, resource groups or full ids.

    `permissions` are more of them: what one excludes with ``notActions`` another may include.
    """

    name: str
    id: Guid | None = None
    description: str = ""
    permissions: list[PermissionPart] = []
    assignable_scopes: list[str] = Field(alias="assignableScopes", min_length=1)

    @model_validator(mode="after")
    def known_actions(self) -> Self:
        """Refuse actions that match no operation."""
        parts: list[PermissionPart] = [self, *self.permissions]
        for part in parts:
            for name, texts in part.lists().items():
                for text in texts:
                    if text.count("*") > 1 or not operations.fits_an_operation(text, "ata" in name):
                        raise ValueError(f"'{text}' in {name} matches no operation")
        return self


class AssignmentPart(Part):
    """A role assignment; scope is a registry, a resource group or a full id, the subscription when omitted.

    With a `principalType` the assignee may be the object id of somebody who is gone: an orphaned assignment.
    """

    assignee: str
    role: str
    scope: str | None = None
    id: Guid | None = None
    description: str | None = None
    condition: Condition | None = None
    principal_type: Literal["User", "Group", "ServicePrincipal"] | None = Field(default=None, alias="principalType")
    delegated_identity: str | None = Field(default=None, alias="delegatedManagedIdentityResourceId")


class DenyPart(PermissionPart):
    """A deny assignment; ``everyone`` among the principals is everybody."""

    name: str
    id: Guid | None = None
    scope: str | None = None
    description: str = ""
    permissions: list[PermissionPart] = []
    principals: list[str] = Field(min_length=1)
    exclude_principals: list[str] = Field(default=[], alias="excludePrincipals")
    only_this_scope: bool = Field(default=False, alias="doNotApplyToChildScopes")
    system_protected: bool = Field(default=False, alias="isSystemProtected")
    condition: Condition | None = None


class LockPart(Part):
    """A management lock; without a scope it holds at the subscription."""

    name: str
    level: Literal["CanNotDelete", "ReadOnly"]
    scope: str | None = None
    notes: str | None = None


class Seed(Part):
    """A whole seed file."""

    tenant: Tenant = Tenant()
    retirement: Literal["off", "2026", "2028"] | None = None
    options: dict[str, bool | int | float] = {}
    management_groups: list[ManagementGroupPart] = Field(default=[], alias="managementGroups")
    subscription: SubscriptionPart = SubscriptionPart()
    users: list[UserPart] = []
    groups: list[GroupPart] = []
    applications: list[ApplicationPart] = []
    directory_roles: list[DirectoryRolePart] = Field(default=[], alias="directoryRoles")
    resource_groups: list[ResourceGroupPart] = Field(default=[], alias="resourceGroups")
    identities: list[IdentityPart] = []
    registries: list[RegistryPart] = []
    custom_roles: list[CustomRolePart] = Field(default=[], alias="customRoles")
    assignments: list[AssignmentPart] = []
    deny_assignments: list[DenyPart] = Field(default=[], alias="denyAssignments")
    locks: list[LockPart] = []
    permission_grants: list[PermissionGrantPart] = Field(default=[], alias="permissionGrants")
    app_roles: list[AppRolePart] = Field(default=[], alias="appRoles")


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
