"""JSON as Graph writes it: members and their order (real-responses.md section 5)."""

from __future__ import annotations

from collections.abc import Iterable

from azext_trust.server.graph.query import Body
from azext_trust.server.store import principals

_USER = ("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
         "preferredLanguage", "surname", "userPrincipalName")  # fmt: skip
USER_EXTRA = ("mailNickname", "department", "usageLocation", "companyName", "employeeId", "city", "country")
"""What a user may hold beside; shown when $select asks."""


def user(row: principals.DirectoryObject, *, full: bool = False) -> Body:
    """Return a user; `full` adds what Graph shows on $select only."""
    held: Body = {"businessPhones": [], **row.properties, "displayName": row.display_name, "userPrincipalName": row.upn}
    found: Body = {"id": row.id, **{name: held.get(name) for name in _USER}}
    if full:
        found |= {name: held.get(name) for name in USER_EXTRA}
        found |= {"accountEnabled": row.enabled, "userType": "Member", "createdDateTime": seconds(row.created)}
    return found


def user_shown(body: Body) -> Body:
    """Return what a list shows of a full user body when no $select asks for more; its id comes last there (seen)."""
    return {name: body[name] for name in (*_USER, "id")}


def seconds(text: str) -> str:
    """Return a moment without its fraction, as most of Graph's times are."""
    return text.partition(".")[0] + "Z" if text else text


def group(row: principals.DirectoryObject) -> Body:
    """Return a security group."""
    held = row.properties
    return {
        "id": row.id, "deletedDateTime": None, "classification": None, "createdDateTime": seconds(row.created),
        "creationOptions": [], "description": held.get("description"), "displayName": row.display_name,
        "expirationDateTime": None, "groupTypes": [],
        "isAssignableToRole": held.get("isAssignableToRole"), "mail": None, "mailEnabled": False,
        "mailNickname": held.get("mailNickname"), "membershipRule": None, "membershipRuleProcessingState": None,
        "onPremisesDomainName": None, "onPremisesLastSyncDateTime": None, "onPremisesNetBiosName": None,
        "onPremisesSamAccountName": None, "onPremisesSecurityIdentifier": None, "onPremisesSyncEnabled": None,
        "preferredDataLocation": None, "preferredLanguage": None, "proxyAddresses": [],
        "renewedDateTime": seconds(row.created), "resourceBehaviorOptions": [], "resourceProvisioningOptions": [],
        "securityEnabled": True, "securityIdentifier": _sid(row.id), "theme": None, "uniqueName": None,
        "visibility": None, "onPremisesProvisioningErrors": [], "serviceProvisioningErrors": [],
    }  # fmt: skip


def _sid(object_id: str) -> str:
    """Return the security identifier Entra derives from an object id: its four little-endian words."""
    import uuid

    raw = uuid.UUID(object_id).bytes_le
    return "S-1-12-1-" + "-".join(str(int.from_bytes(raw[at : at + 4], "little")) for at in range(0, 16, 4))


def password(row: principals.Credential) -> Body:
    """Return a client secret as it is shown later: without its text."""
    return {
        "customKeyIdentifier": None, "displayName": row.display_name, "endDateTime": seconds(row.end), "hint": row.hint,
        "keyId": row.id, "secretText": None, "startDateTime": seconds(row.start),
    }  # fmt: skip


def key(row: principals.Credential) -> Body:
    """Return a certificate without its body, as lists show it."""
    return {
        "customKeyIdentifier": row.properties.get("thumbprint"), "displayName": row.display_name,
        "endDateTime": seconds(row.end), "key": None, "keyId": row.id, "startDateTime": seconds(row.start),
        "type": "AsymmetricX509Cert", "usage": "Verify",
    }  # fmt: skip


def _credentials(rows: Iterable[principals.Credential]) -> tuple[list[Body], list[Body]]:
    held = list(rows)
    return [key(r) for r in held if r.kind == "certificate"], [password(r) for r in held if r.kind == "secret"]


def application(row: principals.Application, credentials: Iterable[principals.Credential], domain: str) -> Body:
    """Return an app registration; its publisher is the tenant's domain."""
    keys, passwords = _credentials(credentials)
    defaults: Body = {
        "id": row.id, "deletedDateTime": None, "appId": row.app_id, "applicationTemplateId": None,
        "disabledByMicrosoftStatus": None, "createdDateTime": seconds(row.created), "displayName": row.display_name,
        "description": None, "groupMembershipClaims": None, "identifierUris": [], "isDeviceOnlyAuthSupported": None,
        "isFallbackPublicClient": None, "notes": None, "publisherDomain": domain, "serviceManagementReference": None,
        "signInAudience": "AzureADMyOrg", "tags": [], "tokenEncryptionKeyId": None, "uniqueName": None,
        "defaultRedirectUri": None, "certification": None, "optionalClaims": None,
        "servicePrincipalLockConfiguration": None, "requestSignatureVerification": None, "addIns": [],
        "api": {"acceptMappedClaims": None, "knownClientApplications": [], "requestedAccessTokenVersion": None,
                "oauth2PermissionScopes": [], "preAuthorizedApplications": []},
        "appRoles": [],
        "info": {"logoUrl": None, "marketingUrl": None, "privacyStatementUrl": None, "supportUrl": None,
                 "termsOfServiceUrl": None},
        "keyCredentials": [],
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "passwordCredentials": [], "publicClient": {"redirectUris": []}, "requiredResourceAccess": [],
        "verifiedPublisher": {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
        "web": {"homePageUrl": None, "logoutUrl": None, "redirectUris": [],
                "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
                "redirectUriSettings": []},
        "spa": {"redirectUris": []},
    }  # fmt: skip
    return defaults | dict(row.properties) | {"keyCredentials": keys, "passwordCredentials": passwords}


_OF_APPLICATION = ("appRoles", "info", "tags", "notes")
"""What a service principal shows of its application."""


def service_principal(
    row: principals.DirectoryObject, names: list[str], tenant: str, credentials: Iterable[principals.Credential],
    registered: principals.Application | None = None,
) -> Body:  # fmt: skip
    """Return a service principal; much of what it shows is its application's."""
    keys, passwords = _credentials(credentials)
    held = registered.properties if registered else {}
    web, api = held.get("web"), held.get("api")
    urls = web.get("redirectUris") if isinstance(web, dict) else None
    scopes = api.get("oauth2PermissionScopes") if isinstance(api, dict) else None
    kind = row.properties.get("servicePrincipalType", "Application")
    defaults: Body = {
        "id": row.id, "deletedDateTime": None, "accountEnabled": row.enabled, "alternativeNames": [],
        "appDisplayName": row.display_name, "appDescription": None, "appId": row.app_id, "applicationTemplateId": None,
        "appOwnerOrganizationId": tenant, "appRoleAssignmentRequired": False, "createdDateTime": seconds(row.created),
        "description": None, "disabledByMicrosoftStatus": None, "displayName": row.display_name, "homepage": None,
        "loginUrl": None, "logoutUrl": None, "notes": None, "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": None, "preferredTokenSigningKeyThumbprint": None,
        "replyUrls": list(urls) if isinstance(urls, list) else [],
        "servicePrincipalNames": names, "servicePrincipalType": kind,
        "signInAudience": held.get("signInAudience", "AzureADMyOrg" if registered else None), "tags": [],
        "tokenEncryptionKeyId": None, "samlSingleSignOnSettings": None, "addIns": [], "appRoles": [],
        "info": {"logoUrl": None, "marketingUrl": None, "privacyStatementUrl": None, "supportUrl": None,
                 "termsOfServiceUrl": None},
        "keyCredentials": keys, "oauth2PermissionScopes": list(scopes) if isinstance(scopes, list) else [],
        "passwordCredentials": passwords,
        "resourceSpecificApplicationPermissions": [],
        "verifiedPublisher": {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
    }  # fmt: skip
    shared = {name: held[name] for name in _OF_APPLICATION if held.get(name)}
    return defaults | shared | {n: v for n, v in row.properties.items() if n in defaults}
