"""Names that a dump uses for people: the shortest one by which a seed finds the same object again."""

from __future__ import annotations

from collections import Counter

from sqlmodel import Session, select

from azext_trust.server.operator import first_party
from azext_trust.server.store import principals


class Names:
    """The directory's names.

    A user goes by user name, an application by its name, or by its appId when the name is somebody else's too; a group
    by its name, or by its object id.
    """

    def __init__(self, session: Session) -> None:
        rows = session.exec(select(principals.DirectoryObject)).all()
        taken = Counter(name.name_key for name in session.exec(select(principals.ServicePrincipalName)))
        for row in rows:
            taken.update({row.id, str(row.upn_key) if row.kind == principals.USER else row.display_key})
        self._names = {row.id: _name(row, taken) for row in rows}
        applications = session.exec(select(principals.Application)).all()
        self._names |= {row.id: row.id for row in applications}

    def __getitem__(self, object_id: str) -> str:
        """Return the name of an object; one that is gone goes by its id."""
        return self._names.get(object_id, object_id)

    def known(self, object_id: str) -> bool:
        """Tell whether there is such an object."""
        return object_id in self._names


def _name(row: principals.DirectoryObject, taken: Counter[str]) -> str:
    if row.kind == principals.USER:
        return str(row.upn)
    if first_party.is_one(row):
        # Its object id is another one in every state.
        return str(row.app_id)
    if taken[row.display_key] == 1:
        return row.display_name
    return str(row.app_id) if row.kind == principals.SERVICE_PRINCIPAL and row.app_id else row.id
