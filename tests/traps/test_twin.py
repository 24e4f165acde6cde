"""A twin of a live cloud (M26): read-only, patient, resumable at every request, flat in memory."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from azext_trust.audit import source
from azext_trust.audit.twin import Twin
from azext_trust.clients.operator import Operator
from azext_trust.cloud.connect import Connection, local
from azext_trust.cloud.embedded import EmbeddedAdapter
from azext_trust.cloud.errors import CloudError
from azext_trust.cloud.profile import Profile
from tests.conftest import Client
from tests.desk import Desk
from tests.in_process import ORIGIN, InProcess
from tests.traps import world
from tests.traps.served import Silent, connection
from tests.traps.world import guid

QUERIES = ("/providers/Microsoft.Management/getEntities", "/directoryObjects/getByIds")
"""The two requests that are a POST and change nothing."""


class Killed(BaseException):
    """The process ends here."""


def pulled(made: InProcess, folder: Path, **options: bool) -> dict[str, Any]:
    """Read a cloud into a folder."""
    return Twin(cast(Connection, made), str(folder), Silent(), images=False).pull(**options)


@contextmanager
def asked(folder: Path) -> Iterator[Operator]:
    """Give the twin's own operator service."""
    operator = Operator(local(str(folder)))
    try:
        yield operator
    finally:
        operator.close()


def told(folder: Path) -> list[str]:
    """Return who can push, by the twin."""
    with asked(folder) as operator:
        rows = operator.audit("who-can", {"capability": "push", "indirect": True}, keyed=True)["value"]
    return sorted(json.dumps({name: value for name, value in row.items() if name != "assignmentId"}) for row in rows)


def test_reads_only(cloud: Client, tmp_path: Path) -> None:
    """M26: nothing is sent but GET, and the two queries that are a POST."""
    made = connection(cloud)
    pulled(made, tmp_path / "twin")
    assert made.sent
    assert all(method == "GET" or url.split("?")[0].endswith(QUERIES) for method, url in made.sent)


def test_resumed_wherever_it_died(cloud: Client, tmp_path: Path) -> None:
    """M26: ended at any request, the next reading goes on there, and the twin is the same; no list is read twice."""
    whole = connection(cloud)
    pulled(whole, tmp_path / "whole")
    expected, count = told(tmp_path / "whole"), len(whole.sent)
    for last in range(2, count, max(1, count // 5)):
        folder = tmp_path / f"killed-{last}"
        first = connection(cloud)
        first.before = _killer(first, last)
        with suppress(Killed):
            pulled(first, folder)
        second = connection(cloud)
        assert pulled(second, folder)["done"]
        assert told(folder) == expected
        # What every reading asks anew is which subscriptions there are; the request in which it died is sent again.
        assert len(first.sent) + len(second.sent) <= count + 6


def _killer(made: InProcess, last: int) -> Any:
    def before(method: str, url: str) -> requests.Response | None:
        if len(made.sent) > last:
            raise Killed
        return None

    return before


def test_what_is_gone_goes(cloud: Client, tmp_path: Path) -> None:
    """M26: a later reading brings the twin up to date, what was deleted included."""
    folder = tmp_path / "twin"
    pulled(connection(cloud), folder)
    made = connection(cloud)
    gone = next(given for given in world.ASSIGNMENTS if given.who == "pusher")

    def before(method: str, url: str) -> requests.Response | None:
        if "/roleAssignments?" not in url:
            return None
        made.before = None
        answer = made.send(
            method, url, headers={"Authorization": f"Bearer {made.tokens['https://management.core.windows.net']}"}
        )
        made.before = before
        page = answer.json()
        page["value"] = [row for row in page["value"] if row["name"] != gone.name]
        answer._content = json.dumps(page).encode()
        return answer

    made.before = before
    assert pulled(made, folder)["gone"]["assignment"] == 1
    assert guid("pusher") not in "".join(told(folder))


class Busy(EmbeddedAdapter):
    """A wire on which every third request is one too many."""

    count = refused = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Answer, or ask for patience."""
        self.count += 1
        if self.count % 3:
            return super().send(request, *args, **more)
        self.refused += 1
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 429, request, str(request.url)
        answer._content = b'{"error": {"code": "TooManyRequests", "message": "later"}}'
        answer.headers["Retry-After"] = "0"
        return answer


class Patient(Connection):
    """A connection of the auditor's over a busy wire."""

    held: InProcess

    def token(self, scope: str, *, claims: str | None = None, force: bool = False) -> tuple[str, int]:
        """Return the auditor's token."""
        return self.held.token(scope)

    @property
    def account(self) -> Any:
        """The auditor's account."""
        return self.held.account


def test_waits_when_told(cloud: Client, tmp_path: Path) -> None:
    """M26: 429 is waited out and nothing is lost."""
    made = Patient(Profile("Test", "served", ORIGIN, ORIGIN, ORIGIN))
    made.held = connection(cloud)
    busy = Busy(cloud.app.store.directory)
    busy._app = cloud.app
    made.session.mount("https://", busy)
    found = Twin(made, str(tmp_path / "twin"), Silent(), images=False).pull()
    assert busy.refused > 5
    assert (found["done"], found["unknown"]) == (True, [])
    pulled(connection(cloud), tmp_path / "calm")
    assert told(tmp_path / "twin") == told(tmp_path / "calm")


def test_what_may_not_be_read_is_unknown(cloud: Client, tmp_path: Path) -> None:
    """M22, M26: a list that is refused makes answers incomplete, not empty."""
    made = connection(cloud)

    made.before = _refused("denyAssignments", "tokens")
    assert pulled(made, tmp_path / "twin")["unknown"]
    with asked(tmp_path / "twin") as operator:
        answer = operator.audit("who-can", {"capability": "push"}, keyed=True)
        assert not operator.audit("who-can", {"capability": "push", "registry": "plain"}, keyed=True)["complete"]
    assert answer["complete"] is False
    assert {"deny", "token"} <= {row["what"].rpartition(" ")[2] for row in answer["unknown"]}


def test_nothing_to_read(cloud: Client, tmp_path: Path) -> None:
    """M22, M26: who sees no subscription gets no twin, which would say that nobody can do anything."""
    made = connection(cloud)

    def before(method: str, url: str) -> requests.Response | None:
        if not url.partition("?")[0].endswith("/subscriptions"):
            return None
        answer = requests.Response()
        answer.status_code, answer._content = 200, b'{"value": []}'
        return answer

    made.before = before
    with pytest.raises(CloudError, match="sees no subscription"):
        pulled(made, tmp_path / "twin")
    with asked(tmp_path / "twin") as operator:
        answer = operator.audit("who-can", {"capability": "push"}, keyed=True)
    assert answer["complete"] is False


def _refused(*paths: str) -> Any:
    """Return what refuses lists by their addresses."""

    def before(method: str, url: str) -> requests.Response | None:
        if not any(f"/{path}?" in url for path in paths):
            return None
        answer = requests.Response()
        answer.status_code, answer._content = 403, b'{"error": {"code": "AuthorizationFailed", "message": "no"}}'
        return answer

    return before


def test_tokens_and_locks(cloud: Client, tmp_path: Path) -> None:
    """M26: repository-scoped tokens push by their scope maps in the twin too; locks are there; what is gone goes."""
    owner, folder, registry = Desk(cloud, name="auditor@contoso.com"), tmp_path / "twin", world.registry("doors")
    lock = f"{registry}/providers/Microsoft.Authorization/locks/do not touch"
    owner("PUT", f"{registry}/scopeMaps/our-map", {"properties": {"actions": ["repositories/team/*/content/write"]}})
    owner("PUT", f"{registry}/tokens/robot-1", {"properties": {"scopeMapId": f"{registry}/scopeMaps/our-map"}})
    owner("PUT", lock, {"properties": {"level": "ReadOnly"}})
    pulled(connection(cloud), folder)
    with asked(folder) as operator:
        rows = operator.audit("who-can", {"capability": "push", "registry": "doors", "indirect": True}, keyed=True)[
            "value"
        ]
        [token] = [row for row in rows if row["principalType"] == "ScopeMapToken"]
        assert (token["principalName"], token["condition"]) == ("robot-1 (token)", "repositories team/*")
        changes = [{"change": "remove-lock", "scope": registry, "level": "ReadOnly"}]
        operator.audit("what-if", {"changes": changes, "capability": "push"}, keyed=True)
    for path in (lock, f"{registry}/tokens/robot-1", f"{registry}/scopeMaps/our-map"):
        owner("DELETE", path)
    gone = pulled(connection(cloud), folder)["gone"]
    assert (gone["token"], gone["scope-map"], gone["lock"]) == (1, 1, 1)


@pytest.mark.slow
def test_memory(cloud: Client, tmp_path: Path) -> None:
    """M26: ten times as many assignments take no more memory: a page is held, never a list."""
    peaks = []
    pulled(connection(cloud), tmp_path / "first")  # what is loaded once is not measured
    for pages in (4, 40):
        made = connection(cloud)
        made.before = _many(made, pages)
        tracemalloc.start()
        pulled(made, tmp_path / f"twin-{pages}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0], peaks


def _many(made: InProcess, pages: int) -> Any:
    """Return what answers lists of role assignments with pages of made-up ones."""

    def before(method: str, url: str) -> requests.Response | None:
        if "/roleAssignments?" not in url or world.SUB_B in url:
            return None
        gc.collect()  # what is dead in cycles waits the longer the more else there is in the process
        at = int(url.partition("&page=")[2] or 0)
        rows = [_row(at * 200 + one) for one in range(200)]
        more = f"{url.partition('&page=')[0]}&page={at + 1}" if at + 1 < pages else None
        answer = requests.Response()
        answer.status_code, answer._content = 200, json.dumps({"value": rows, "nextLink": more}).encode()
        return answer

    return before


def _row(number: int) -> dict[str, Any]:
    scope = world.place("plain")
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{guid(str(number))}", "name": guid(str(number)),
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {"scope": scope, "principalId": guid(f"somebody {number}"), "principalType": "User",
                       "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/" + world.SIGNER},
    }  # fmt: skip


def test_compared(cloud: Client, tmp_path: Path) -> None:
    """M23: two twins differ in nothing when nothing moved."""
    for name in ("one", "two"):
        pulled(connection(cloud), tmp_path / name)
    answer = source.diff(str(tmp_path / "one"), str(tmp_path / "two"), {}, connection=lambda: local(None))
    assert answer["value"] == []
