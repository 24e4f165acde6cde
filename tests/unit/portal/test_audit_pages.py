"""The audit's pages, in process: report, who can, why, expiry; and what a visitor may not read."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from azext_trust.hosting.mount import Mounted
from azext_trust.portal import audit_expiry, audit_who_can, audited
from azext_trust.portal.audit_why import Graph
from tests.conftest import Client
from tests.unit.portal.browser import PAGES, REGISTRY, SUBSCRIPTION, Answer, Browser
from tests.unit.portal.test_other_services import signed_in

AUDIT = f"{PAGES}/audit"
SCRIPT = "<script>alert(1)</script>"
ROLES = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"


def drawn(page: Answer) -> dict[str, Any]:
    """Return what a page's picture is drawn from."""
    found = re.search(r'data-rows="([^"]*)"', page.text)
    assert found, page.text
    data: dict[str, Any] = json.loads(unescape(found[1]))
    return data


def finding(number: int, **more: Any) -> dict[str, Any]:
    """Return a row of a report."""
    return {"severity": "low", "finding": "orphaned-assignment", "title": "t", "registry": "myregistry",
            "subject": f"subject-{number:03}", "evidence": SCRIPT, "cure": "az role assignment delete", "scope": REGISTRY,
            **more}  # fmt: skip


@pytest.mark.parametrize(
    "place", [PAGES, f"/portal/resource{SUBSCRIPTION}", f"/portal/resource{SUBSCRIPTION}/resourceGroups/lab"]
)
@pytest.mark.parametrize("page", ["", "/who-can", "/why", "/why?who=owner@contoso.com", "/expiry"])
@pytest.mark.parametrize("who", ["looking", "looking_reader"])
def test_every_place(request: pytest.FixtureRequest, place: str, page: str, who: str) -> None:
    """M22, M24: registries, groups and subscriptions have each page of the audit, for a Reader as for the Owner."""
    answer = request.getfixturevalue(who).open(f"{place}/audit{page}")
    assert answer.status == 200
    assert "This is not complete" not in answer.text


def test_report(looking: Browser) -> None:
    """M24: a finding stands there with its severity, its evidence and the command that cures it."""
    page = looking.open(AUDIT)
    for part in ("Could grant itself signing", "owner@contoso.com", "may assign AcrImageSigner to anybody",
                 "data-copy", "az role assignment create --role"):  # fmt: skip
        assert part in page.text
    assert drawn(page)["rows"] == [
        {"label": "Could grant itself signing", "group": "Medium", "tone": "medium", "count": 1}
    ]


@pytest.mark.parametrize(("query", "shown"), [
    ("severity=medium", True), ("severity=high", False), ("q=OWNER@", True), ("q=nonsense", False),
])  # fmt: skip
def test_report_is_filtered(looking: Browser, query: str, shown: bool) -> None:
    """M24: findings are filtered by severity and by any of their words."""
    text = looking.open(f"{AUDIT}?{query}").text
    assert ("may assign AcrImageSigner" in text) is shown
    assert ("No finding fits the filter" in text) is not shown


def test_report_comes_in_pages(cloud: Client) -> None:
    """M31: long reports come in pages, and what a finding says shows as text."""
    rows = [finding(number) for number in range(120)]
    browser, _ = signed_in(cloud, {"audit/report": lambda url: {"complete": True, "unknown": [], "value": rows}})
    page = browser.open(AUDIT)
    assert "subject-049" in page.text
    assert "subject-050" not in page.text
    assert SCRIPT not in page.text
    assert "subject-100" in browser.open(f"{AUDIT}?after=100").text


def test_report_of_a_group(cloud: Client) -> None:
    """M24: the report of a group has what lies in it and what reaches it from above, and nothing of its neighbours."""
    other = f"{SUBSCRIPTION}/resourceGroups/laboratory"
    rows = [finding(1), finding(2, scope=other), finding(3, scope=SUBSCRIPTION), finding(4, scope="/")]
    browser, _ = signed_in(cloud, {"audit/report": lambda url: {"complete": True, "unknown": [], "value": rows}})
    text = browser.open(f"/portal/resource{SUBSCRIPTION}/resourceGroups/lab/audit").text
    assert [number for number in range(1, 5) if f"subject-00{number}" in text] == [1, 3, 4]


def test_matrix(looking: Browser) -> None:
    """M22: people and capabilities; each cell leads to why."""
    page = looking.open(f"{AUDIT}/who-can")
    for part in ("builder, Push images: Yes", "builder, Push trusted images: No", "owner@contoso.com, Push trusted images: "
                 "Indirectly", "right to assign itself the role", "reader@contoso.com, Pull images: Yes"):  # fmt: skip
        assert part in page.text
    where = re.search(r'href="([^"]+capability=push&amp;who=[^"]+)" aria-label="Why: builder', page.text)
    assert where
    assert "builder can: Push images" in looking.open(unescape(where[1])).text


def test_matrix_is_searched(looking: Browser) -> None:
    """M22: people are found by a part of their name."""
    text = looking.open(f"{AUDIT}/who-can?q=BUILD").text
    assert "builder" in text
    assert "reader@contoso.com" not in text


def test_matrix_comes_in_pages(cloud: Client) -> None:
    """M31: thousands who may pull come in pages; what they are called shows as text."""
    row = {
        "principalType": "User",
        "role": SCRIPT,
        "via": SCRIPT,
        "depends": False,
        "indirect": False,
        "notes": "",
        "key": None,
    }
    rows = [{**row, "principalId": f"p{number}", "principalName": f"{SCRIPT}{number:04}"} for number in range(3000)]
    browser, _ = signed_in(cloud, {"audit/who-can": lambda url: {"complete": True, "unknown": [], "value": rows}})
    page = browser.open(f"{AUDIT}/who-can")
    assert "0049" in page.text
    assert "0050" not in page.text
    assert SCRIPT not in page.text
    assert len(page.body) < 400_000


def test_unknown_is_not_no_access(cloud: Client, owner: Browser, served: Mounted) -> None:
    """M12, M22: who may not read access sees that it is unknown, and which permission is missing: never "no access"."""
    token = cloud.sign_in("owner@contoso.com", "Owner-pass-1")
    role, alain = f"{ROLES}/99999999-9999-9999-9999-999999999991", _id_of(owner, "alain")
    cloud.call("PUT", f"{role}?api-version=2022-04-01", {"properties": {
        "roleName": "sees", "type": "CustomRole", "assignableScopes": [SUBSCRIPTION],
        "permissions": [{"actions": ["Microsoft.ContainerRegistry/registries/read"]}]}}, token)  # fmt: skip
    where = f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/99999999-9999-9999-9999-999999999992"
    properties = {"roleDefinitionId": role, "principalId": alain, "principalType": "User"}
    made = cloud.call("PUT", f"{where}?api-version=2022-04-01", {"properties": properties}, token)
    assert made.status == 201, made.body
    browser = Browser(served)
    browser.sign_in("alain@contoso.com", "Alain-pass-1")
    for page in ("", "/who-can", "/why?who=alain@contoso.com", "/expiry"):
        text = browser.open(AUDIT + page).text
        assert "This is not complete" in text
        assert "Microsoft.Authorization/roleAssignments/read is missing there" in text
        assert "nknown" in text
        assert "cannot: " not in text
        assert "Nothing was found<" not in text


def _id_of(browser: Browser, name: str) -> str:
    return browser.open(f"{PAGES}/iam/add/candidates?q={name}").text.split('name="member" value="')[1].split('"')[0]


def test_who_is_not_listed_is_unknown(cloud: Client) -> None:
    """M22: where members of a group are hidden, whoever is not named may be one of them."""
    row = {"principalId": "p1", "principalName": "someone", "principalType": "User", "role": "AcrPull", "via": "direct",
           "depends": False, "indirect": False, "notes": "", "key": None}  # fmt: skip
    hidden = {"what": f"members of group {SCRIPT}", "why": "members/read is missing", "scope": None}

    def answer(url: str) -> dict[str, Any]:
        found = "capability=pull" in url
        return {"complete": found, "unknown": [] if found else [hidden], "value": [row] if found else []}

    browser, _ = signed_in(cloud, {"audit/who-can": answer})
    text = browser.open(f"{AUDIT}/who-can").text
    assert "someone, Pull images: Yes" in text
    assert "someone, Push images: Unknown" in text
    assert "1 thing is not known" in text
    assert SCRIPT not in text


def test_why(looking: Browser) -> None:
    """M22: the paths stand in a table and in a picture; a refusal comes with the smallest fix."""
    page = looking.open(f"{AUDIT}/why?who=owner@contoso.com&capability=push")
    assert "owner@contoso.com can: Push images" in page.text
    data = drawn(page)
    assert data["columns"] == ["Principal", "Assignment", "Role", "Scope", "Permission"]
    labels = [node["label"] for node in data["nodes"]]
    assert labels[2:] == ["Owner", SUBSCRIPTION.split("/")[2], "push/write"]
    refused = looking.open(f"{AUDIT}/why?who=reader@contoso.com&capability=push").text
    assert "reader@contoso.com cannot: Push images" in refused
    assert "Microsoft.ContainerRegistry/registries/push/write" in refused
    assert "az role assignment create --role AcrPush" in refused


@pytest.mark.parametrize(("who", "text"), [("nobody@contoso.com", "Cannot find user"), (SCRIPT, "Cannot find user")])
def test_why_of_nobody(looking: Browser, who: str, text: str) -> None:
    """M22: who is not there is told in the service's words, and what was typed stays."""
    page = looking.send("GET", f"{AUDIT}/why?who={who.replace('<', '%3C').replace('>', '%3E')}")
    assert text in page.text
    assert SCRIPT not in page.text


def test_graph() -> None:
    """M22: groups have columns of their own; of two paths over one edge the surest is drawn; what is missing stands alone."""
    row = {"principalId": "p", "principalName": "pat", "effect": "misses", "assignmentId": "/x/a1", "via": "g1 > g2",
           "groupIds": ["1", "2"], "role": "AcrPush", "roleId": "r", "scope": REGISTRY, "action": "a/b/push/write"}  # fmt: skip
    found = Graph(
        [row, {**row, "effect": "grants"}, {**row, "via": "direct", "groupIds": [], "assignmentId": "/x/a2"}],
        ["x/y/sign/write"],
    )
    assert found.columns == ["principal", "group", "group", "assignment", "role", "scope", "permission"]
    assert [node["label"] for node in found.nodes] == [
        "pat",
        "g1",
        "g2",
        "a1",
        "a2",
        "AcrPush",
        "myregistry",
        "push/write",
        "sign/write",
    ]
    assert {edge["effect"] for edge in found.edges} == {"grants", "misses"}
    assert len(found.edges) == 8
    assert [node["effect"] for node in found.nodes][-2:] == ["grants", "missing"]


@pytest.mark.parametrize(("row", "unseen", "state"), [
    (None, False, "no"), (None, True, "unknown"), ({"indirect": False, "depends": False}, True, "held"),
    ({"indirect": False, "depends": True}, False, "condition"), ({"indirect": True, "depends": False}, False, "indirect"),
])  # fmt: skip
def test_states_of_cells(row: dict[str, Any] | None, unseen: bool, state: str) -> None:
    """M22: a cell says yes, conditional, indirectly, no, or unknown."""
    assert audit_who_can.state(row, unseen) == state


ENDS = [
    {"date": end[:10], "end": end, "registry": "myregistry", "repository": SCRIPT, "role": role, "key": key}
    for end, role, key in (("2026-01-01T00:00:00Z", "targets", ""), ("2026-02-10T00:00:00Z", "targets/alain", ""),
                           ("2026-03-20T00:00:00Z", "root", "k" * 64), ("2036-01-01T00:00:00Z", "root", ""))
]  # fmt: skip


def test_expiry(cloud: Client) -> None:
    """M24: metadata and keys by their end, with how near it is; names show as text."""
    charts = {"now": "2026-02-01T00:00:00+00:00", "expiry": ENDS}
    answer = {"complete": True, "unknown": [], "value": [], "charts": charts}
    browser, adapter = signed_in(cloud, {"audit/report": lambda url: answer})
    page = browser.open(f"{AUDIT}/expiry")
    for part in (
        "Expired",
        "Within 30 days",
        "Within 90 days",
        "Later",
        "Key of root",
        "Metadata of targets/alain",
        "4 ends",
    ):
        assert part in page.text
    assert [row["tone"] for row in drawn(page)["rows"]] == ["high", "medium", "low", "good"]
    assert SCRIPT not in page.text
    assert "charts=true" in adapter.asked[0]
    assert "1 end<" in browser.open(f"{AUDIT}/expiry?state=month&q=alain").text


def test_expiry_kinds() -> None:
    """M24: a delegation's role, a key, and the roles every repository has are told apart."""
    assert [audit_expiry.kind(row) for row in ENDS] == ["targets", "delegation", "key", "root"]


@pytest.mark.parametrize(("other", "found"), [
    (REGISTRY, True), (f"{REGISTRY}x", False), (SUBSCRIPTION, True), ("/", True),
    ("/providers/Microsoft.Management/managementGroups/mg", True), (f"{SUBSCRIPTION}/resourceGroups/other", False),
])  # fmt: skip
def test_what_concerns_a_place(other: str, found: bool) -> None:
    """M24: a scope concerns what lies below it and above it."""
    assert audited.concerns(REGISTRY, other) is found


def test_no_such_registry(looking: Browser) -> None:
    """M31: of a registry that is not there nothing is said, not even that nobody can."""
    for page in ("", "/who-can", "/why?who=owner@contoso.com", "/expiry"):
        assert looking.open(f"{PAGES.replace('myregistry', 'gonegone')}/audit{page}").status == 404


def test_only_the_audit_loads_the_plotting_library(looking: Browser) -> None:
    """M31: other pages stay light, and the pictures need no unsafe script."""
    page = looking.open(AUDIT)
    assert "/vega-interpreter.js" in page.text
    assert "'unsafe-eval'" not in page.header("content-security-policy")
    assert "/vega" not in looking.open(f"{PAGES}/iam").text


PUSH = "8311e382-0749-4cb8-b61a-304f252e45ec"


def test_review_names_who_gains(looking: Browser) -> None:
    """M23: of a group the members are named, one by one, with what they gain and through which group."""
    signers = _id_of(looking, "signers")
    text = looking.open(f"{PAGES}/iam/add?step=review&role={PUSH}&member={signers}").text
    gains = text.split("Who gains what")[1]
    assert "alain@contoso.com" in gains
    assert "Push images" in gains
    assert "<td>signers</td>" in gains


def test_review_weighs_conditions(looking: Browser) -> None:
    """M23: what is gained under a condition only is not called gained."""
    alain = _id_of(looking, "alain")
    condition = "(@Request[Microsoft.ContainerRegistry/registries/repositories:name]%20StringEquals%20'app')"
    where = f"{PAGES}/iam/add?step=review&role={PUSH}&member={alain}"
    assert "Under a condition" in looking.open(f"{where}&condition={condition}").text
    assert "Under a condition" not in looking.open(where).text


def test_review_of_what_is_held(looking: Browser) -> None:
    """M23: who has it all already gains nothing, and the page says so."""
    builder = _id_of(looking, "builder")
    text = looking.open(f"{PAGES}/iam/add?step=review&role={PUSH}&member={builder}").text
    assert "Nobody gains anything they do not have already." in text
    assert "Already" in text


def test_review_that_is_not_complete(cloud: Client) -> None:
    """M12, M23: what is not known is called unknown in the review."""
    unknown = {"complete": False, "unknown": [{"what": SCRIPT, "why": "hidden", "scope": None}], "value": []}
    browser, _ = signed_in(cloud, {"audit/who-can": lambda url: unknown, "audit/what-if": lambda url: unknown})
    text = browser.open(f"{PAGES}/iam/add?step=review&role={PUSH}&member={_id_of(browser, 'alain')}").text
    assert "This is not complete" in text
    assert "Unknown</span>" in text
    assert SCRIPT not in text


def test_review_of_a_condition_that_is_none(looking: Browser) -> None:
    """M23: when what-if refuses a condition the review says that it was not weighed, and why."""
    alain = _id_of(looking, "alain")
    text = looking.open(f"{PAGES}/iam/add?step=review&role={PUSH}&member={alain}&condition=nonsense").text
    assert "Conditions and deny assignments could not be weighed." in text
    assert "condition" in text


def test_warning_names_the_holders_of_keys(cloud: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """M4: the warning names the people whose keys signed, beside the delegations."""
    from azext_trust.portal import content_trust_page
    from tests.unit.portal.test_other_services import Shelf

    monkeypatch.setattr(content_trust_page, "images_of", lambda connection, now: Shelf())
    rows = [
        {"principalName": "alain@contoso.com", "principalId": "1", "key": "k"},
        {"principalName": "other", "principalId": "2", "key": None},
    ]
    answer = {"complete": True, "unknown": [], "value": rows}
    browser, _ = signed_in(
        cloud, {"audit/who-can": lambda url: answer, "operator/loss": lambda url: {"repositories": 2, "signedTags": 3}}
    )
    page = browser.submit(browser.open(f"{PAGES}/content-trust"), fields={"status": "enabled"})
    text = browser.submit(page, fields={"status": "disabled"}).text
    assert "Whose keys signed: <strong>alain@contoso.com</strong>" in text


def test_download(looking: Browser) -> None:
    """M24: the report is kept as one file; the portal never shows it, as its scripts are inside."""
    where = f"{AUDIT}/report.html"
    assert where in looking.open(AUDIT).text
    answer = looking.send("GET", where)
    assert answer.header("content-disposition") == "attachment; filename=myregistry-audit.html"
    assert "Could grant itself signing" in answer.text
    assert "'unsafe-inline'" not in answer.header("content-security-policy")
    assert looking.open(f"/portal/resource{SUBSCRIPTION}/audit/report.html").status == 404
