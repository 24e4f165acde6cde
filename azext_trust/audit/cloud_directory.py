"""A cloud directory, a twin for instance, opened as the facts of a tenant: for questions about two of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azext_trust.cloud.errors import CloudError
from azext_trust.rbac.questions.facts import Tenant


@contextmanager
def opened(folder: Path) -> Iterator[Tenant]:
    """Give the tenant of a cloud directory as of now, all of it: who holds the files is its operator.

    Raises:
        CloudError: the directory cannot be used.
    """
    from azext_trust.server.app import START_ERRORS, create_app
    from azext_trust.server.gate import warm
    from azext_trust.server.gate.call import Call, Caller, Settings
    from azext_trust.server.operator.audit_tenant import StoreTenant

    settings = Settings(state=folder, quiet=True)
    try:
        app = create_app(settings)
    except (*START_ERRORS, OSError) as error:
        raise CloudError(str(error)) from None
    try:
        with app.store.read() as transaction, warm.whole(transaction) as index:
            call = Call("GET", "", {}, {}, b"", app.settings, caller=Caller("operator", "Operator", "operator"))
            yield StoreTenant(transaction, call, index)
    finally:
        app.store.close()
