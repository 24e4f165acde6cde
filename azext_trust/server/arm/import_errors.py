"""Refusals of imports, with codes and texts as far as they are known.

Sources: Azure/acr issues 181, 237, 287, 422, 571 and 632; azure-powershell issue 24546; azure-sdk-for-js issue 11051. The
codes of `missing` and `invalid` are shown nowhere: they are ours.
"""

from __future__ import annotations

import re

from azext_trust.server.gate.call import ServiceError
from azext_trust.server.store.imports import ImportOperation

ADDRESS = re.compile(
    r"(https?://)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:\d{1,5})?/?|(https?://)?\[[0-9a-fA-F:]+\](:\d{1,5})?/?"
)
"""A registry's address: a host with or without a port; the scheme, which az never sends, is an extension of ours."""
_WHERE = "https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/importimage"


def missing(registry: str, member: str) -> ServiceError:
    """The body lacks a member."""
    message = f"Missing property parameters.{member} for the operation against the resource with name {registry}."
    return ServiceError(400, "MissingProperty", message)


def invalid(registry: str, member: str, value: str) -> ServiceError:
    """A member of the body has a value that is not taken."""
    return ServiceError(
        400, "InvalidProperty",
        f"Invalid value {value} for property parameters.{member} for resource name {registry}. Kindly refer to docs for "
        f"expected value: {_WHERE}",
    )  # fmt: skip


def bad_resource_id(text: str) -> ServiceError:
    """The source is no registry's id."""
    return ServiceError(
        400, "LinkedInvalidPropertyId",
        f"Property id '{text}' at path 'source.resourceId' is invalid. Expect fully qualified resource Id that start "
        "with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
    )  # fmt: skip


def no_operation(name: str) -> ServiceError:
    """There is no such operation, or it is nobody's business who asks."""
    return ServiceError(404, "OperationNotFound", f"The operation '{name}' could not be found.")


def ended(operation: ImportOperation, scope: str) -> ServiceError:
    """The import failed."""
    return ServiceError(
        operation.status, operation.code, f"Operation {operation.id} failed. Resource {scope} {operation.message}"
    )
