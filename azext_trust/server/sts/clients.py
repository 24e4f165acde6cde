"""Client applications: which there are, which keep a secret, and where their codes may be sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.sts import errors

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
"""The Azure portal's client id: here the portal of this cloud, which alone its codes are sent to."""
PORTAL_REDIRECT = "/portal/signed-in"
FIRST_PARTY = {
    AZURE_CLI: "Microsoft Azure CLI", "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
    PORTAL: "Azure Portal",
}  # fmt: skip
"""Clients without a secret that every tenant knows, with their names."""
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?(/[^\s\\?#@]*)?")
"""Where native clients listen (RFC 8252 section 7.3); Entra takes no IPv6 address there."""


@dataclass(frozen=True)
class Client:
    """A client application.

    Attributes:
        id: its appId.
        name: its display name.
        application: its registration here; None for first-party clients and those of other tenants.
        principal: its service principal here, if it has one.
    """

    id: str
    name: str
    application: principals.Application | None = None
    principal: principals.DirectoryObject | None = None

    @property
    def first_party(self) -> bool:
        """Whether every tenant knows it."""
        return self.id in FIRST_PARTY

    @property
    def public(self) -> bool:
        """Whether it is a public client for flows without a redirect (``isFallbackPublicClient``)."""
        properties = self.application.properties if self.application else {}
        return (self.first_party and self.id != PORTAL) or properties.get("isFallbackPublicClient") is True

    def redirects(self, part: str) -> list[str]:
        """Return its redirect addresses of a platform: ``web``, ``spa`` or ``publicClient``."""
        found = self.application.properties.get(part) if self.application else None
        addresses = found.get("redirectUris") if isinstance(found, dict) else None
        return [str(address) for address in addresses] if isinstance(addresses, list) else []

    def platform(self, address: str, origin: str) -> str:
        """Return the platform that a redirect address is registered for; empty when it is not.

        Entra compares whole addresses, but for the port of a loopback address
        (https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions).

        Args:
            address: where the code shall go.
            origin: the cloud's own.
        """
        if self.id == PORTAL:
            return "publicClient" if address == origin + PORTAL_REDIRECT else ""
        if self.first_party:
            return "publicClient" if _matches(address, ["http://localhost"]) else ""
        for part in ("publicClient", "spa", "web"):
            if _matches(address, self.redirects(part)):
                return part
        return ""


def _matches(address: str, known: Iterable[str]) -> bool:
    wanted = _without_port(address)
    return any(address == one or (wanted is not None and wanted == _without_port(one)) for one in known)


def _without_port(address: str) -> tuple[str, str] | None:
    """Return host and path of a loopback address, None for any other."""
    found = _LOOPBACK.fullmatch(address)
    if found is None or int((found[2] or ":80")[1:]) > 65535:
        return None
    return found[1], found[3] or "/"


def origin_of(address: str) -> str:
    """Return scheme and host of a redirect address, as a content security policy names it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def find(transaction: Transaction, client_id: str) -> Client:
    """Return an application of this tenant or a first-party client.

    Raises:
        errors.SignInError: AADSTS700016.
    """
    known = client_id.lower()
    if known in FIRST_PARTY:
        return Client(known, FIRST_PARTY[known])
    application = principals.application_by_app_id(transaction.session, known)
    principal = principals.service_principal_by_app_id(transaction.session, known)
    if application is None and principal is None:
        raise errors.refuse("no_such_client", client=client_id, tenant=transaction.tenant_id())
    name = application.display_name if application else principal.display_name if principal else ""
    return Client(known, name, application, principal)
