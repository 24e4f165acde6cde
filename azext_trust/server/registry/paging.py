"""Pages of lists: ``n``, ``last``, ``orderby`` and the Link header, as Azure writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from urllib.parse import quote

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors
from azext_trust.server.store.pages import End

T = TypeVar("T")


class Updated(Protocol):
    """A row with a last update."""

    updated: str


LARGEST, USUAL = 1000, 100
_ORDERS = {"": None, "none": None, "timedesc": True, "timeasc": False}


@dataclass(frozen=True, slots=True)
class Page:
    """What was asked for.

    Attributes:
        size: how many entries at most.
        last: where the page before ended, or empty.
        newest_first: the order by time, or None for the order of names.
        orderby: as asked, for the next page's address.
    """

    size: int
    last: str
    newest_first: bool | None
    orderby: str

    def end(self, row: Updated | None) -> End | None:
        """Return where the page before ended: at a row that is there, or was when it was named."""
        if not self.last:
            return None
        return End(self.last, row.updated if row is not None else "")


def asked(call: RegistryCall, usual: int = USUAL) -> Page:
    """Read a request's page.

    Raises:
        ServiceError: ``n`` is no number above or at 0, or ``orderby`` is unknown.
    """
    text, orderby = call.query.get("n", ""), call.query.get("orderby", "").lower()
    if text and not (text.isascii() and text.isdecimal()):
        raise errors.bad_count()
    if orderby not in _ORDERS:
        raise errors.bad_request(f"unknown order '{orderby}'")
    size = min(int(text), LARGEST) if text else usual
    return Page(size, call.query.get("last", ""), _ORDERS[orderby], orderby)


def reply(
    call: RegistryCall, page: Page, found: Sequence[T], key: Callable[[T], str], body: Callable[[Sequence[T]], object]
) -> Reply:  # fmt: skip
    """Return a page, with a Link to the next one when there is more.

    Args:
        call: the request.
        page: what was asked for.
        found: the entries, one more than the page holds where there are more.
        key: an entry's name, which the next page begins after.
        body: the answer's JSON for the page's entries.
    """
    shown = found[: page.size]
    headers = dict(errors.HEADERS)
    if len(found) > page.size and shown:
        # az takes the query apart at ``&`` and ``=``, and asks the same path again.
        query = f"last={quote(key(shown[-1]), safe='')}&n={page.size}&orderby={page.orderby}"
        headers["link"] = f'<{call.path}?{query}>; rel="next"'
    return Reply(body(shown), 200, headers)
