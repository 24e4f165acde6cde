"""What a repository, manifest or tag can be locked by: the data API's ``changeableAttributes``."""

from __future__ import annotations

from sqlmodel import SQLModel


class Locks(SQLModel):
    """The four switches; all are on until somebody locks (``az acr repository update``)."""

    delete_enabled: bool = True
    write_enabled: bool = True
    list_enabled: bool = True
    read_enabled: bool = True

    def removable(self) -> bool:
        """Tell whether it may be deleted: a write lock blocks deletion too (Azure/acr issue 561)."""
        return self.delete_enabled and self.write_enabled
