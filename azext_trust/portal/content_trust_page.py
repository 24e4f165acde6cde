"""Policies > Content trust: enable, and disable after the loss has been spelled out (M2, M4, M5)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from azext_trust.audit import loss as losses
from azext_trust.clients.registry import NoToken, RegistryError
from azext_trust.cloud.errors import HttpError
from azext_trust.portal import audited
from azext_trust.portal.images import Signed, images_of
from azext_trust.portal.overview_page import WRITE, registry_of, resource, trusted
from azext_trust.portal.visit import Visit, path
from azext_trust.signing.looking import Distrusted

_NOTICES = {"off": "", "2026": "trust.notice.2026", "2028": "trust.notice.2028"}
_LISTED = 100
"""Repositories named in the warning; their number is told in any case."""


def show(visit: Visit) -> Response:
    """Show the policy."""
    return _page(visit, registry_of(visit))


def _page(visit: Visit, registry: dict[str, Any], status: int = 200, **more: Any) -> Response:
    premium = registry["sku"]["name"] == "Premium"
    lacks = visit.lacks(WRITE)
    why = lacks or ("" if premium or trusted(registry) else visit.words("trust.premium"))
    if visit.retirement == "2028":
        why = why or visit.words("trust.notice.2028")
    given: dict[str, Any] = {
        "wanted": "enabled" if trusted(registry) else "disabled", "problem": "", "warning": False, "premium": premium,
        "lacks": lacks, "why": why, "notice": _NOTICES[visit.retirement], "abac": _abac(registry),
    }  # fmt: skip
    return resource(visit, "content_trust", "content-trust", status, page_title="menu.trust", **(given | more))


def _abac(registry: dict[str, Any]) -> bool:
    return str(registry["properties"].get("roleAssignmentMode")) == "AbacRepositoryPermissions"


def save(visit: Visit) -> Response:
    """Save the status; disabling asks first, and asks again when the loss has grown since it was shown."""
    registry = registry_of(visit)
    wanted = "enabled" if visit.form("status") == "enabled" else "disabled"
    if wanted == "disabled" and trusted(registry) and not visit.lacks(WRITE):
        loss = losses.of(visit.connection, visit.at.id)
        told = str(loss or "")
        if visit.form("confirm") != "yes" or visit.form("seen") != told:
            return _warn(visit, registry, loss, told)
    policies = {"trustPolicy": {"type": "Notary", "status": wanted}}
    try:
        visit.arm.update_registry(path(visit.at.id), {"properties": {"policies": policies}})
    except HttpError as error:
        return _page(visit, registry, error.status, problem=error.message)
    return visit.go(f"{visit.at.url}/content-trust", f"toast.trust.{wanted}", name=visit.at.name)


def _warn(visit: Visit, registry: dict[str, Any], loss: losses.Loss | None, told: str) -> Response:
    server = str(registry["properties"]["loginServer"])
    lost = _lost(visit, server)
    return _page(
        visit, registry, wanted="disabled", warning=True, loss=loss, lost=lost[:_LISTED], signers=_signers(lost),
        holders=_holders(visit) if lost else [], seen=told, changed=visit.form("confirm") == "yes",
    )  # fmt: skip


def _lost(visit: Visit, server: str) -> list[Signed]:
    """Return what is signed, as far as the visitor may see it.

    Who may not pull can still disable, and so can whoever has trust data that do not verify: it is the way out.
    """
    try:
        return list(images_of(visit.connection, visit.now).signed(server))
    except (NoToken, RegistryError, Distrusted):
        return []


def _holders(visit: Visit) -> list[str]:
    """Return who in the directory holds a key that signed here, as far as the audit tells the visitor."""
    found = audited.ask(visit, "who-can", capability="sign", scope=visit.at.id)
    return sorted({str(row["principalName"] or row["principalId"]) for row in found.value if row["key"]})


def _signers(lost: list[Signed]) -> list[str]:
    return sorted({signer for row in lost for signer in row.signers})
