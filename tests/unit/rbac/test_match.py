"""Action patterns (rbac-semantics.md section 2)."""

from __future__ import annotations

import pytest

from azext_trust.rbac import match


@pytest.mark.parametrize(
    ("pattern", "action", "fits"),
    [
        ("*", "a/b", True), ("*/read", "microsoft.x/y/READ", True), ("*/read", "read", False),
        ("Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachines/extensions/read", True),
        ("Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachines", False),
        ("Microsoft.ContainerRegistry/*/read", "Microsoft.ContainerRegistry/read", False),
        ("Microsoft.ContainerRegistry/*/read", "Microsoft.ContainerRegistry/registries/pull/read", True),
        ("Microsoft.Authorization/*/Write", "microsoft.authorization/roleassignments/write", True),
        ("a.b/c", "axb/c", False), ("a?", "ab", False), ("a[b]", "ab", False), ("a", "a\n", False),
        ("ab*ba", "aba", False), ("ab*ba", "abba", True), ("*a*b*", "xaxbx", True), ("*a*b*", "ba", False),
        ("a*b", "a\nb", True), ("", "", True), ("", "a", False), ("**", "anything", True),
    ],
)  # fmt: skip
def test_patterns(pattern: str, action: str, fits: bool) -> None:
    """M12: ``*`` is any run of characters, nothing else is special, the whole string counts, case does not."""
    assert match.matches(pattern, action) is fits


def test_first_match_keeps_the_patterns_case() -> None:
    """M22: the reason names the pattern as the role spells it."""
    assert match.first_match(("b", "A/*"), "a/x") == "A/*"
