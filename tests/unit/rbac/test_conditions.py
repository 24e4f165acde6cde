"""Conditions: the whole grammar (rbac-semantics.md section 6)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from azext_trust.rbac import conditions
from azext_trust.rbac.model import Query
from tests.unit.rbac.tenants import NAME, A, R

NOW = datetime(2026, 7, 1, 12, 30, 0, 500_000, UTC)
ROLE = "6cef56e8-d556-48e5-a04f-b8e64114680f"


def holds(text: str, **request: object) -> bool | None:
    """Evaluate a condition for a request; ``name`` is the repository."""
    given = {NAME if name == "name" else name: value for name, value in request.items()}
    query = Query(f"{R}/repositories/content/read", True, "/", given, {"kind": "image"}, {"level": 3}, NOW)
    return conditions.parse(text)(query)


@pytest.mark.parametrize(
    ("operator", "right", "left", "holds_"),
    [
        ("StringEquals", "'a'", "a", True), ("StringEquals", "'a'", "A", False), ("StringNotEquals", "'a'", "b", True),
        ("StringEqualsIgnoreCase", "'a'", "A", True), ("StringNotEqualsIgnoreCase", "'a'", "A", False),
        ("StringStartsWith", "'team/'", "team/x", True), ("StringStartsWith", "'team/'", "team-x", False),
        ("StringNotStartsWith", "'team/'", "team-x", True),
        ("StringStartsWithIgnoreCase", "'TEAM/'", "team/x", True),
        ("StringNotStartsWithIgnoreCase", "'TEAM/'", "team/x", False),
        ("StringLike", "'t*/?'", "team/x", True), ("StringLike", "'t*/?'", "team/xy", False),
        ("StringLike", r"'a\*b'", "a*b", True), ("StringLike", r"'a\*b'", "axb", False),
        ("StringLike", r"'a\?'", "ab", False), ("StringLike", "'a.b'", "axb", False), ("StringLike", "'a*'", "a\nb", True),
        ("StringNotLike", "'t*'", "team", False), ("StringLikeIgnoreCase", "'T*'", "team", True),
        ("StringNotLikeIgnoreCase", "'T*'", "team", False), ("stringequals", "'a'", "a", True),
        ("NumericEquals", "3", 3, True), ("NumericNotEquals", "3", 3, False), ("NumericGreaterThan", "3", 4, True),
        ("NumericGreaterThanEquals", "3", 3, True), ("NumericLessThan", "3", 3, False),
        ("NumericLessThanEquals", "-3", -3, True), ("NumericEquals", "3", "3", False), ("NumericEquals", "1", True, False),
        ("NumericNotEquals", "3", "4", False), ("BoolEquals", "true", True, True), ("BoolNotEquals", "TRUE", False, True),
        ("BoolEquals", "true", 1, False), ("BoolNotEquals", "true", "no", False),
        ("GuidEquals", ROLE, ROLE.upper(), True), ("GuidNotEquals", ROLE, ROLE, False),
        ("GuidEquals", ROLE, f"/subscriptions/s/providers/{A}/roleDefinitions/{ROLE}", True),
        ("GuidEquals", f"'{ROLE}'", ROLE, True), ("StringEquals", "'a'", 1, False),
    ],
)  # fmt: skip
def test_operators(operator: str, right: str, left: object, holds_: bool) -> None:
    """M12: every operator, its negated and its case-blind form; values of another type never fit."""
    assert holds(f"@Request[x] {operator} {right}", x=left) is holds_


@pytest.mark.parametrize(
    ("operator", "right", "holds_"),
    [
        ("Equals", "'2026-07-01T12:30:00.5000000Z'", True), ("Equals", "'2026-07-01T12:30:00.5Z'", True),
        ("Equals", "'2026-07-01T14:30:00.5+02:00'", True), ("NotEquals", "'2026-07-01T12:30:00.5Z'", False),
        ("LessThan", "'2026-07-01T12:30:00.5000001Z'", True), ("LessThan", "'2026-07-01T12:30:00Z'", False),
        ("GreaterThan", "'2026-07-01T12:30:00Z'", True), ("GreaterThanEquals", "'2026-07-01T12:30:00.5Z'", True),
        ("LessThanEquals", "'2027-01-01T00:00:00Z'", True), ("LessThan", "'tomorrow'", False),
        ("GreaterThan", "'2026-13-01T00:00:00Z'", False), ("LessThan", "5", False),
    ],
)  # fmt: skip
def test_moments(operator: str, right: str, holds_: bool) -> None:
    """M12: moments are compared as moments, not as texts; what is none never fits."""
    assert holds(f"@Environment[UtcNow] DateTime{operator} {right}") is holds_


@pytest.mark.parametrize(
    ("text", "holds_"),
    [
        ("{10, 20} ForAnyOfAllValues:NumericLessThan {15, 18}", True),
        ("{10, 20} ForAllOfAllValues:NumericLessThan {15, 25, 30}", False),
        ("{10, 20} ForAllOfAnyValues:NumericLessThan {15, 25}", True),
        ("{10, 20} ForAnyOfAnyValues:NumericEquals {20, 30}", True),
        ("{10, 20} ForAnyOfAnyValues:NumericEquals {30}", False),
        ("{10, 20} foranyofanyvalues:numericequals {20}", True),
        ("@Request[x] ForAllOfAnyValues:StringEquals {'a', 'b', 'c'}", True),
        ("@Request[x] ForAllOfAnyValues:StringEquals {'a'}", False),
        ("{'a', @Request[x]} ForAllOfAnyValues:StringEquals {@Request[x]}", True),
        ("{'a', @Request[none]} ForAnyOfAnyValues:StringEquals {'a'}", False),
    ],
)
def test_quantifiers(text: str, holds_: bool) -> None:
    """M12: over the left set, then over the right set; attributes may stand in sets."""
    assert holds(text, x=["a", "b"]) is holds_


@pytest.mark.parametrize(
    ("text", "holds_"),
    [
        ("@Request[none] StringEquals 'x'", False), ("@Request[none] StringNotEquals 'x'", False),
        ("NOT @Request[none] StringEquals 'x'", True), ("Exists @Request[none]", False), ("exists @Request[X]", True),
        ("@Resource[kind] StringEquals 'image'", True), ("@Principal[level] NumericEquals 3", True),
        ("@Environment[isPrivateLink] BoolEquals true", False), ("SubOperationMatches{'Blob.List'}", False),
        ("ActionMatches{'*/content/read'}", True), ("ActionMatches {'Microsoft.Storage/*'}", False),
        ("!(ActionMatches{'*/write'}) OR (@Request[none] StringEquals 'x')", True),
        ("! ! ActionMatches{'*'}", True), ("not ActionMatches{'*'} || true BoolEquals true", True),
        ("ActionMatches{'*'} && ActionMatches{'*/read'} and ActionMatches{'*read'}", True),
        ("(ActionMatches{'*'} AND ActionMatches{'x'}) OR ActionMatches{'*'}", True),
        (r"@Request[x] StringEquals 'it\'s'", False), ("'it' StringEquals 'it'", True),
    ],
)  # fmt: skip
def test_expressions(text: str, holds_: bool) -> None:
    """M12: sources, predicates, joints in both spellings; what is missing makes a comparison false."""
    assert holds(text, x="y") is holds_


def test_backslash_makes_the_next_character_literal() -> None:
    """M12: in a text a quote or a backslash; in a pattern a star or a question mark as well."""
    assert holds(r"@Request[x] StringEquals 'it\'s'", x="it's")
    assert holds(r"@Request[x] StringEquals 'a\\b'", x="a\\b")
    assert holds(r"@Request[x] StringLike 'a\\\*\'?'", x="a\\*'b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "ends too early"), ("ActionMatches{'a'", "ends too early"), ("ActionMatches{a}", "needs a text in quotes"),
        ("ActionMatches{'a'} AND ActionMatches{'b'} OR ActionMatches{'c'}", "mixed without parentheses"),
        ("@Other[x] StringEquals 'a'", "no source of attributes"), ("@Request[x] StringEqual 'a'", "no operator"),
        ("@Request[x] GuidGreaterThan 'a'", "no operator"), ("@Request[x] BoolLessThan true", "no operator"),
        ("@Request[x] ForSome:StringEquals 'a'", "no operator"), ("@Request[x] StringEquals a", "is no value"),
        ("@Request[x] StringEquals 'a' 'b'", "after the end"), ("@Request[] StringEquals 'a'", "cannot be read at character 1"),
        ("Exists 'a'", "needs an attribute"), ("(ActionMatches{'a'}", "ends too early"), ("#", "character 1"),
        ("@Request[x] StringEquals {}", "is no value"), ("@Request[x] StringEquals 'a", "cannot be read"),
        ("(" * 60 + "ActionMatches{'a'}" + ")" * 60, "too deeply"), ("!" * 60 + "ActionMatches{'a'}", "too deeply"),
        ("ActionMatches{'" + "a" * 8192 + "'}", "longer than 8 KB"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str, says: str) -> None:
    """M12: a clear error that names the place."""
    with pytest.raises(conditions.ConditionError, match=says):
        conditions.parse(text)


def test_stored_condition_that_cannot_be_read() -> None:
    """M12: it grants nothing; in an open question it is unknown."""
    query = Query("a", False, "/")
    assert conditions.holds("nonsense", query) is False
    query.open = True
    assert conditions.holds("nonsense", query) is None


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("@Request[x] StringEquals 'a'", None), ("!(@Request[x] StringEquals 'a')", None), ("Exists @Request[x]", None),
        ("@Request[given] StringEquals 'a'", True), ("@Request[given] StringEquals 'b'", False),
        ("ActionMatches{'a'} OR @Request[x] StringEquals 'a'", True), ("SubOperationMatches{'x'}", None),
        ("ActionMatches{'b'} AND @Request[x] StringEquals 'a'", False), ("@Environment[UtcNow] DateTimeLessThan 'x'", None),
        ("ActionMatches{'a'} AND @Request[x] StringEquals 'a'", None),
    ],
)  # fmt: skip
def test_open_questions(text: str, verdict: bool | None) -> None:
    """M22: who can for any request: what was not given leaves it undecided, unless the rest decides."""
    assert conditions.parse(text)(Query("a", False, "/", {"given": "a"}, open=True)) is verdict


def test_suboperation() -> None:
    """M12: SubOperationMatches looks at the suboperation of the request."""
    query = Query("a", False, "/", suboperation="Blob.List")
    assert conditions.parse("SubOperationMatches{'blob.*'}")(query) is True
