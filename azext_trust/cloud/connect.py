"""From a profile to a connection: the session with its wire, the account, and tokens that are renewed in time."""

from __future__ import annotations

import base64
import re
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from azext_trust import home
from azext_trust.cloud import accounts, token_cache
from azext_trust.cloud.errors import CloudError, HttpError, unreachable
from azext_trust.cloud.profile import EMBEDDED, Profile

RETRIES = 3
_CLAIMS = re.compile(r'claims="([^"]+)"')


class Connection:
    """A cloud as one account sees it. Nothing is sent before it is asked for.

    Args:
        profile: the cloud.
        state: ``--state``, for the embedded cloud.
        subscription: ``--subscription``: id or name, else the default one.

    Attributes:
        patience: how many times a request is sent again that is one too many for the service (429, 503).
    """

    def __init__(self, profile: Profile, state: str | None = None, subscription: str | None = None) -> None:
        self.profile = profile
        self.state = state
        self.cache_name = accounts.key(profile, state)
        self.accounts = accounts.Accounts(self.cache_name, profile.name)
        self._wanted = subscription
        self.seed: Path | None = None
        self.patience = RETRIES

    @cached_property
    def session(self) -> requests.Session:
        """The one session; the profile decides which wire carries ``https://``."""
        made = requests.Session()
        made.headers["User-Agent"] = "aztrust"
        if self.profile.kind == "embedded":
            from azext_trust.cloud.embedded import EmbeddedAdapter

            made.trust_env = False
            adapter = EmbeddedAdapter(home.cloud_dir(self.state), self.seed)
            # Who holds the files is the machine: its metadata service is there too.
            for prefix in ("https://", "http://169.254.169.254/"):
                made.mount(prefix, adapter)
        elif self.profile.ca:
            made.verify = self.profile.ca
            # Otherwise REQUESTS_CA_BUNDLE would win over the profile's own authority.
            made.trust_env = False
        return made

    def close(self) -> None:
        """Give back the session, and with it the state of an embedded cloud, if it was ever used."""
        if "session" in self.__dict__:
            self.session.close()

    def reach_login_server(self, host: str) -> None:
        """Let the session find a login server of a served cloud: it is where the cloud is, whatever DNS says."""
        if self.profile.kind == "served":
            from azext_trust.cloud.login_server import LoginServerAdapter

            self.session.mount(f"https://{host.lower()}/", LoginServerAdapter(self.profile.arm, host))

    @cached_property
    def account(self) -> accounts.Account:
        """The account in use."""
        return self.accounts.current(self._wanted)

    @property
    def subscription(self) -> str:
        """The id of the subscription in use."""
        return str(self.account["id"])

    def operator_key(self) -> str:
        """Return the operator key of the embedded cloud.

        Raises:
            CloudError: it may not be read.
        """
        path = home.cloud_dir(self.state) / "keys" / "operator"
        # The first request founds the cloud, keys included.
        self.session.get(f"{self.profile.arm}/operator/status", headers={"Authorization": "Bearer -"})
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CloudError(f"The operator key {path} cannot be read: {error.strerror}.") from None

    def door(self) -> Any:
        """Return what sign-in needs."""
        from azext_trust.cloud.sign_in import Door

        return Door(self.profile, self.session, self.cache_name)

    def token(self, scope: str, *, claims: str | None = None, force: bool = False) -> tuple[str, int]:
        """Return an access token of the account and the second (Unix time) at which it ends.

        Args:
            scope: ``<resource>/.default``.
            claims: a claims challenge, or None.
            force: do not take one from the cache.

        Raises:
            CloudError: nobody is signed in, or the sign-in has ended.
        """
        account = self.account
        if self.profile.kind == "azure":
            from azext_trust.cloud import azure

            return azure.token(self.cache_name, account, scope, claims)
        if not claims and not force:
            held = token_cache.unexpired(self.cache_name, account, scope)
            if held:
                return held
        from azext_trust.cloud.sign_in import renewed

        result = renewed(self.door(), account, scope, claims=claims, force=force)
        return str(result["access_token"]), int(time.time()) + int(result.get("expires_in", 0))

    def request(self, method: str, url: str, scope: str, **more: Any) -> requests.Response:
        """Send a request with the account's token; renew the token once when it is refused, wait when told to.

        Raises:
            HttpError: the service refused.
            CloudError: the cloud cannot be reached.
        """
        token, _ = self.token(scope)
        answer = self._send(method, url, token, more)
        if answer.status_code == 401:
            found = _CLAIMS.search(answer.headers.get("WWW-Authenticate", ""))
            claims = base64.b64decode(found[1] + "==").decode() if found else None
            token, _ = self.token(scope, claims=claims, force=True)
            answer = self._send(method, url, token, more)
        for _ in range(self.patience):
            if answer.status_code not in (429, 503):
                break
            time.sleep(wait_of(answer))
            answer = self._send(method, url, token, more)
        if answer.status_code >= 400:
            raise failure(answer)
        return answer

    def _send(self, method: str, url: str, token: str, more: dict[str, Any]) -> requests.Response:
        return self.send(method, url, headers={"Authorization": f"Bearer {token}", **more.get("headers", {})},
                         **{k: v for k, v in more.items() if k != "headers"})  # fmt: skip

    def send(self, method: str, url: str, **more: Any) -> requests.Response:
        """Send a request as it is.

        Raises:
            CloudError: the cloud cannot be reached, or its certificate is not trusted.
        """
        try:
            return self.session.request(method, url, timeout=300, **more)
        except requests.RequestException as error:
            raise unreachable(self.profile.name, self.profile.arm, error) from None


MOST_WAIT = 600
"""Seconds: no service is waited for longer between two tries."""


def wait_of(answer: requests.Response) -> float:
    """Return how many seconds to wait before the next try: Retry-After is a number of seconds or a date (RFC 9110)."""
    text = answer.headers.get("Retry-After", "1")
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            seconds = 1
    return min(max(seconds, 0), MOST_WAIT) if seconds == seconds else 1


def failure(answer: requests.Response) -> HttpError:
    """Return the error that an answer is."""
    try:
        error = answer.json()["error"]
        return HttpError(answer.status_code, str(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return HttpError(
            answer.status_code, "", f"{answer.status_code} {answer.reason or ''} {answer.text[:500]}".strip()
        )


def local(state: str | None) -> Connection:
    """Return a connection to a cloud directory, for the operator's commands; no sign-in is needed for them."""
    return Connection(EMBEDDED, state)
