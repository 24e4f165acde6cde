"""What encloses a scope, as far as its text shows (rbac-semantics.md section 3)."""

from __future__ import annotations

import pytest

from azext_trust.names import scopes

S, RG = "/subscriptions/s", "/subscriptions/s/resourcegroups/rg"
MG = "/providers/microsoft.management/managementgroups/m"


@pytest.mark.parametrize(
    ("scope", "above"),
    [
        ("/", []), (S, []), (RG, [S]), (MG, []), (f"{RG}/providers/ns/t/n", [RG, S]),
        (f"{RG}/providers/ns/t/n/c/d", [f"{RG}/providers/ns/t/n", RG, S]),
        (f"{S}/providers/ns/t/n", [S]), (f"{MG}/providers/ns/t/n", [MG]),
        (f"{RG}/providers/ns/t/n/providers/ns2/t2/n2", [f"{RG}/providers/ns/t/n", RG, S]),
        ("/providers/ns/t/n", []), (f"{S}/resourcegroups", [S]), (f"{RG}/providers/ns/t", [RG, S]),
        (f"{RG}/providers/ns/registries/providers/tokens/x", [f"{RG}/providers/ns/registries/providers", RG, S]),
        (f"{S}/resourcegroups/providers/providers/ns/t/n", [f"{S}/resourcegroups/providers", S]), ("/x/y", []),
    ],
)  # fmt: skip
def test_textual_ancestors(scope: str, above: list[str]) -> None:
    """M12: subscription, group, resource, child, extension; also of a thing that is named ``providers``."""
    assert list(scopes.textual_ancestors(scope)) == [scope, *above]


def test_key() -> None:
    """M12: scopes are compared without regard to case, repeated slashes and a slash at the end."""
    assert scopes.key("//Subscriptions/S//resourceGroups/RG/") == "/subscriptions/s/resourcegroups/rg"
