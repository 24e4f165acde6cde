"""Lists of the directory: $filter, $search, $select, $expand, $orderby, $count, pages (M6)."""

from __future__ import annotations

from typing import Any

import pytest

from azext_trust.server.store import principals
from tests.conftest import Client
from tests.desk import Desk, found

EVENTUAL = {"ConsistencyLevel": "eventual"}
NAMES = ["Anna Schmidt", "Bernd-Otto", "Émile Zola", "émile zwei", "Zoë O'Neil", "anna b", "OneVideo", "Video 1"]


def add_users(client: Client, names: list[str], domain: str = "contoso.com") -> None:
    """Put users into a directory."""
    with client.app.store.write() as transaction:
        for number, name in enumerate(names):
            upn = f"user{number}@{domain}"
            transaction.session.add(
                principals.DirectoryObject(
                    id=f"eeeeeeee-0000-0000-0000-{number:012}", kind=principals.USER, display_name=name,
                    display_key=name.lower(), upn=upn, upn_key=upn, enabled=number % 2 == 0,
                    created=f"2024-0{number % 9 + 1}-15T10:00:00.5000000Z",
                    properties={"mail": upn, "jobTitle": "Signer" if number % 3 == 0 else None},
                )
            )  # fmt: skip


@pytest.fixture
def people(admin: Desk, cloud: Client) -> Desk:
    """A directory with some users more."""
    add_users(cloud, NAMES)
    return admin


def names_of(desk: Desk, query: str, **headers: Any) -> list[str]:
    """Return display names of the users that a query finds and that we put there."""
    value = desk("GET", f"/users?{query}&$select=id,displayName", **headers)["value"]
    return [row["displayName"] for row in value if row["id"].startswith("eeeeeeee")]


PLAIN = [
    ("displayName eq 'anna schmidt'", ["Anna Schmidt"]),
    ("displayName eq 'ÉMILE ZOLA'", ["Émile Zola"]),
    ("startswith(displayName,'anna')", ["Anna Schmidt", "anna b"]),
    ("startswith(displayName,'émile')", ["Émile Zola", "émile zwei"]),
    ("displayName eq 'Zoë O''Neil'", ["Zoë O'Neil"]),
    ("userPrincipalName eq 'USER2@contoso.com'", ["Émile Zola"]),
    ("mail eq 'user1@contoso.com'", ["Bernd-Otto"]),
    ("userPrincipalName in ('user0@contoso.com','user1@contoso.com')", ["Anna Schmidt", "Bernd-Otto"]),
    ("accountEnabled eq false and startswith(displayName,'a')", ["anna b"]),
    ("(startswith(displayName,'one') or startswith(displayName,'video')) and accountEnabled eq true", ["OneVideo"]),
    ("createdDateTime ge 2024-08-01T00:00:00Z and createdDateTime le 2024-09-01T00:00:00Z", ["Video 1"]),
    ("createdDateTime le 2024-01-15T10:00:00Z", ["Anna Schmidt"]),
    ("jobTitle eq 'signer' and startswith(displayName, 'anna')", ["Anna Schmidt"]),
    ("id eq 'EEEEEEEE-0000-0000-0000-000000000001'", ["Bernd-Otto"]),
    ("startswith(displayName,'%')", []),
    ("startswith(displayName,'a_na')", []),
    ("nothing eq 'x'", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PLAIN)
def test_filters(people: Desk, text: str, expected: list[str]) -> None:
    """M6: what Entra answers without further ado."""
    assert sorted(names_of(people, f"$filter={text.replace('%', '%25')}")) == sorted(expected)


ADVANCED = [
    ("not startswith(displayName,'a')", "Not", 6),
    ("displayName ne 'OneVideo' and accountEnabled eq true", "NotEqualsMatch", 3),
    ("endsWith(mail,'@contoso.com')", "endsWith", 8),
    ("not (jobTitle eq 'Signer')", "Not", 5),
    ("jobTitle ne 'Signer'", "NotEqualsMatch", 5),
]


@pytest.mark.parametrize(("text", "operator", "count"), ADVANCED)
def test_advanced_filters_need_the_header(people: Desk, text: str, operator: str, count: int) -> None:
    """M6: some operators take ConsistencyLevel: eventual, and say so."""
    refused = people.reply("GET", f"/users?$filter={text}")
    assert isinstance(refused.body, dict)
    assert refused.body["error"]["code"] == "Request_UnsupportedQuery"
    assert refused.body["error"]["message"].startswith(f"Operator '{operator}' is not supported because the")
    assert len(names_of(people, f"$filter={text}", consistencylevel="eventual")) == count


@pytest.mark.parametrize(
    "text",
    ["displayName eq", "eq 'x'", "displayName eq 'x", "(displayName eq 'x'", "displayName eq 'x' and", "like(a,'b')",
     "displayName eq 'x' or or", "startswith(displayName)", "not", "tags/any(x:x eq 'a'", "(" * 40 + "a eq 'b'" + ")" * 40],
)  # fmt: skip
def test_filters_that_cannot_be_read(admin: Desk, text: str) -> None:
    """M6: 400 that names the filter, never a 500."""
    assert admin.code("GET", f"/users?$filter={text}") == (400, "BadRequest")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"displayName:video"', ["OneVideo", "Video 1"]), ('"displayName:anna sch"', ["Anna Schmidt"]),
        ('"displayName:zo"', ["Zoë O'Neil", "Émile Zola"]), ('"mail:user1"', ["Bernd-Otto"]),
        ('"displayName:anna" AND "mail:user5"', ["anna b"]), ('"mail:user0" OR "mail:user1"', ["Anna Schmidt", "Bernd-Otto"]),
        ('"displayName:eo"', []),
    ],
)  # fmt: skip
def test_search(people: Desk, text: str, expected: list[str]) -> None:
    """M6: words of names; only with the header."""
    assert people.code("GET", f"/users?$search={text}") == (400, "Request_UnsupportedQuery")
    assert sorted(names_of(people, f"$search={text}", consistencylevel="eventual")) == sorted(expected)


def test_search_that_cannot_be_read(admin: Desk) -> None:
    """M6: a search names a member and is quoted."""
    assert (
        admin.reply("GET", "/users?$search=anna", ConsistencyLevel="eventual", consistencylevel="eventual").status
        == 400
    )


@pytest.mark.parametrize(("top", "order"), [(1, ""), (3, ""), (3, "&$orderby=displayName"), (2, "&$orderby=mail desc"),
                                            (4, "&$orderby=createdDateTime")])  # fmt: skip
def test_pages_lose_nothing(people: Desk, top: int, order: str) -> None:
    """M6: next links walk through everybody, each once."""
    page = people("GET", f"/users?$top={top}{order}")
    seen = [row["id"] for row in page["value"]]
    while "@odata.nextLink" in page:
        page = people("GET", page["@odata.nextLink"].removeprefix("https://localhost"))
        assert len(page["value"]) <= top
        seen += [row["id"] for row in page["value"]]
    assert len(seen) == len(set(seen)) == len(NAMES) + 3


def test_pages_of_filtered_lists(people: Desk) -> None:
    """M6: a filter that the database cannot answer pages as well."""
    page = people("GET", "/users?$top=2&$filter=startswith(jobTitle,'Sign') or startswith(displayName,'émile')")
    seen = [row["displayName"] for row in page["value"]]
    while "@odata.nextLink" in page:
        page = people("GET", page["@odata.nextLink"].removeprefix("https://localhost"))
        seen += [row["displayName"] for row in page["value"]]
    assert sorted(seen) == sorted(["Anna Schmidt", "émile zwei", "Émile Zola", "OneVideo"])


def test_order(people: Desk) -> None:
    """M6: by a member, down or up; together with a filter only with the header."""
    assert names_of(people, "$orderby=mail desc")[:2] == ["Video 1", "OneVideo"]
    assert people.code("GET", "/users?$orderby=mail&$filter=accountEnabled eq true") == (
        400,
        "Request_UnsupportedQuery",
    )
    ordered = names_of(people, "$orderby=mail&$filter=accountEnabled eq true", consistencylevel="eventual")
    assert ordered == ["Anna Schmidt", "Émile Zola", "Zoë O'Neil", "OneVideo"]
    assert people.code("GET", "/users?$orderby=nothing") == (400, "Request_UnsupportedQuery")


def test_count(people: Desk) -> None:
    """M6: in a list, and alone as text."""
    page = people("GET", "/users?$count=true&$top=1&$filter=startswith(displayName,'a')")
    assert page["@odata.count"] == 3
    assert people.code("GET", "/users/$count") == (400, "Request_BadRequest")
    reply = people.reply("GET", "/users/$count?$filter=jobTitle eq 'Signer'", consistencylevel="eventual")
    assert (reply.body, reply.media) == ("3", "text/plain")


@pytest.mark.parametrize("query", ["$top=0", "$top=1000", "$top=x", "$skiptoken=zzz", "$orderby=a b c"])
def test_wrong_options(admin: Desk, query: str) -> None:
    """M6: 400, not a guess."""
    assert admin.reply("GET", f"/users?{query}").status == 400


def test_select_and_shape(people: Desk) -> None:
    """M6: a list shows ten members and the id last; $select shows what it names, with its context."""
    row = people("GET", "/users?$filter=userPrincipalName eq 'user0@contoso.com'")["value"][0]
    assert list(row)[-1] == "id"
    assert "accountEnabled" not in row
    chosen = people("GET", "/users/user0@contoso.com?$select=accountEnabled,id")
    assert chosen == {
        "@odata.context": "https://localhost/v1.0/$metadata#users(accountEnabled,id)/$entity",
        "accountEnabled": True, "id": "eeeeeeee-0000-0000-0000-000000000000",
    }  # fmt: skip


def test_expand(admin: Desk, cloud: Client) -> None:
    """M6: members within a group, cut as asked."""
    group = found(cloud, "signers").id
    shown = admin("GET", f"/groups/{group}?$expand=members($select=id,displayName),owners")
    assert shown["members"] == [
        {"@odata.type": "#microsoft.graph.user", "id": found(cloud, "alain@contoso.com").id, "displayName": "Alain"}
    ]
    assert shown["owners"] == []
    assert admin.reply("GET", f"/groups/{group}?$expand=photos").status == 400


def test_nested_members(admin: Desk, cloud: Client) -> None:
    """M6: direct and transitive members, groups somebody is in, circles included; casts and counts."""
    inner, outer = found(cloud, "signers").id, admin("POST", "/groups", {
        "displayName": "outer", "mailNickname": "outer", "mailEnabled": False, "securityEnabled": True})["id"]  # fmt: skip
    user = found(cloud, "alain@contoso.com").id
    for group, member in ((outer, inner), (inner, outer)):
        admin(
            "POST", f"/groups/{group}/members/$ref", {"@odata.id": f"https://localhost/v1.0/directoryObjects/{member}"}
        )
    assert {row["id"] for row in admin("GET", f"/groups/{outer}/members")["value"]} == {inner}
    assert {row["id"] for row in admin("GET", f"/groups/{outer}/transitiveMembers")["value"]} == {inner, user}
    cast = admin("GET", f"/groups/{outer}/transitiveMembers/microsoft.graph.user")["value"]
    assert [row["id"] for row in cast] == [user]
    counted = admin.reply("GET", f"/groups/{outer}/transitiveMembers/$count", consistencylevel="eventual")
    assert counted.body == "2"
    assert {row["id"] for row in admin("GET", f"/users/{user}/transitiveMemberOf")["value"]} == {inner, outer}
    assert {row["id"] for row in admin("GET", f"/users/{user}/memberOf")["value"]} == {inner}


APPLICATIONS = [
    ("applications", "appId eq '33333333-3333-3333-3333-333333333333'", 1),
    ("applications", "identifierUris/any(s:s eq 'API://builder')", 1),
    ("applications", "identifierUris/any(s:startswith(s,'api:'))", 1),
    ("applications", "identifierUris/any(s:s eq 'api://other')", 0),
    ("applications", "identifierUris/any()", 1),
    ("applications", "startswith(displayName,'build')", 1),
    ("servicePrincipals", "servicePrincipalNames/any(c:c eq 'api://BUILDER')", 1),
    ("servicePrincipals", "servicePrincipalNames/any(c:startswith(c,'api://'))", 1),
    ("servicePrincipals", "displayName eq 'builder'", 1),
    ("servicePrincipals", "servicePrincipalType eq 'Application' and displayName eq 'builder'", 1),
    ("servicePrincipals", "tags/any(t:t eq 'x')", 0),
    ("groups", "displayName eq 'signers' and mailNickname eq 'signers'", 1),
    ("groups", "securityEnabled eq true", 1),
    ("groups", "groupTypes/any(c:c eq 'Unified')", 0),
]


@pytest.mark.parametrize(("kind", "text", "count"), APPLICATIONS)
def test_filters_of_other_kinds(admin: Desk, kind: str, text: str, count: int) -> None:
    """M6: applications, service principals and groups by what az asks for."""
    assert len(admin("GET", f"/{kind}?$filter={text}")["value"]) == count


@pytest.mark.slow
def test_large_directories_stay_fast(admin: Desk, cloud: Client) -> None:
    """M6, M32: with 20,000 users a page, a search by name and a count take no longer than with a few."""
    from time import perf_counter

    add_users(cloud, [f"Person {number:05}" for number in range(20_000)])
    for query in ("$top=100", "$filter=startswith(displayName,'Person 199')", "$filter=userPrincipalName eq 'user7@contoso.com'",
                  "$count=true&$top=1"):  # fmt: skip
        began = perf_counter()
        admin("GET", f"/users?{query}")
        assert perf_counter() - began < 0.5, query
