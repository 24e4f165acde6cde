"""Access tokens without a sign-in: hashing a password takes long, and most tests are about something else."""

from __future__ import annotations

from azext_trust.server.gate import minting
from azext_trust.server.store import principals
from tests.conftest import Client

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def token_of(client: Client, name: str = "owner@contoso.com") -> str:
    """Return an access token of a user for Resource Manager."""
    app = client.app
    with app.store.read() as transaction:
        user = principals.user_by_upn(transaction.session, name)
        assert user is not None
        resource = "https://management.core.windows.net/"
        return minting.access_token(transaction, app.settings, user, AZURE_CLI, resource)
