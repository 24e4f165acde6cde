"""The visitor's connection: the clients' own, with tokens from the visitor's session instead of a command's cache."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import requests
from requests.adapters import BaseAdapter

from azext_trust.cloud import accounts
from azext_trust.cloud.connect import Connection
from azext_trust.cloud.errors import NotSignedIn
from azext_trust.cloud.profile import Profile
from azext_trust.portal.sessions import Session, Sessions

PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
"""The Azure portal's own client id, which every tenant knows."""
SPARE_SECONDS = 300
"""A token that ends within this time is renewed before it is used."""


class Ended(NotSignedIn):
    """The visitor's sign-in has ended: the page must send them to sign in again."""


def web_session(adapter: BaseAdapter) -> requests.Session:
    """Return a session whose every request takes the given way to the cloud, and no proxy."""
    made = requests.Session()
    made.trust_env = False
    made.headers["User-Agent"] = "aztrust-portal"
    made.mount("https://", adapter)
    return made


def client(profile: Profile, session: requests.Session) -> Any:
    """Return msal's public client for the portal, with a token cache that ends with it."""
    import msal

    return msal.PublicClientApplication(
        PORTAL, authority=f"{profile.login}/organizations", http_client=session, instance_discovery=False,
        client_capabilities=["CP1"],
    )  # fmt: skip


class VisitorConnection(Connection):
    """The cloud as one visitor sees it.

    Args:
        profile: the cloud that serves the portal.
        adapter: the way to it.
        sessions: where the visitor's tokens are.
        secret: the visitor's cookie.
        visitor: the session that the cookie opened.
    """

    def __init__(
        self, profile: Profile, adapter: BaseAdapter, sessions: Sessions, secret: str, visitor: Session
    ) -> None:
        super().__init__(profile)
        self._adapter = adapter
        self._sessions = sessions
        self._secret = secret
        self._visitor = visitor

    @cached_property
    def session(self) -> requests.Session:
        """The session of this visit; requests' sessions are not for several threads."""
        return web_session(self._adapter)

    def reach_login_server(self, host: str) -> None:
        """Nothing to do: the one way to the cloud leads to its login servers also."""

    @cached_property
    def account(self) -> accounts.Account:
        """The visitor as an account; pages name the subscription themselves."""
        return {
            "id": "", "name": "", "tenantId": self._visitor.tenant,
            "user": {"name": self._visitor.name, "type": "user"},
        }  # fmt: skip

    def token(self, scope: str, *, claims: str | None = None, force: bool = False) -> tuple[str, int]:
        """Return an access token of the visitor for a scope, renewed before it ends.

        Args:
            scope: ``<resource>/.default``.
            claims: a claims challenge; a token from the refresh token meets it, or the sign-in has ended.
            force: the token held was refused.

        Raises:
            Ended: the session or the refresh token has ended.
        """
        refused = self._visitor.tokens.get(scope) if force else None
        held = None if force else _good(self._visitor, scope)
        if held:
            return held
        with self._sessions.changing(self._secret) as current:
            if current is None:
                raise Ended
            # Another request may have renewed it while this one waited.
            held = _good(current, scope)
            if held is None or held == refused:
                held = self._renew(current, scope)
            self._visitor = current
        return held

    def _renew(self, current: Session, scope: str) -> tuple[str, int]:
        result = client(self.profile, self.session).acquire_token_by_refresh_token(current.refresh, [scope])
        if "access_token" not in result:
            raise Ended
        current.refresh = str(result.get("refresh_token") or current.refresh)
        current.tokens[scope] = (str(result["access_token"]), int(time.time()) + int(result["expires_in"]))
        return current.tokens[scope]


def _good(session: Session, scope: str) -> tuple[str, int] | None:
    held = session.tokens.get(scope)
    return held if held and held[1] > time.time() + SPARE_SECONDS else None
