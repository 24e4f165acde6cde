"""Sign-in by the authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636), and sign-out."""

from __future__ import annotations

import time
from typing import Any

from requests.adapters import BaseAdapter
from starlette.responses import HTMLResponse, Response

from azext_trust.cloud.profile import Profile
from azext_trust.portal import cookies, guard, render
from azext_trust.portal.connection import client, web_session
from azext_trust.portal.sessions import Session, Sessions
from azext_trust.portal.visit import Asked
from azext_trust.portal.words import Words

RETURN = "/portal/signed-in"
"""Where the sign-in page sends the code: the portal's one redirect address."""
_KEPT = ("state", "nonce", "code_verifier", "redirect_uri", "scope")


class Doorway:
    """Signs visitors in and out.

    Args:
        profile: the cloud that serves the portal.
        adapter: the way to it.
        sessions: where the signed-in are kept.
    """

    def __init__(self, profile: Profile, adapter: BaseAdapter, sessions: Sessions) -> None:
        self._profile = profile
        self._adapter = adapter
        self._sessions = sessions
        self.cookie, self._flow_cookie = cookies.names(profile.arm)

    def start(self, back: str) -> Response:
        """Send a visitor to the sign-in page; what proves the answer to be theirs stays in their browser.

        Args:
            back: the page they wanted.
        """
        flow = self._client().initiate_auth_code_flow(
            [f"{self._profile.audience}/.default"], redirect_uri=f"{self._profile.arm}{RETURN}",
            response_mode="form_post",
        )  # fmt: skip
        answer = Response(status_code=302, headers={"location": flow["auth_uri"]})
        kept = {name: flow[name] for name in _KEPT} | {"back": guard.way_back(back)}
        cookies.put(answer, self._flow_cookie, cookies.packed(kept), cookies.FLOW_SECONDS)
        return answer

    def finish(self, asked: Asked, words: Words, theme: str) -> Response:
        """Take the code that the sign-in page posts, and begin a session.

        It is always a new one, under a new key: a key that somebody planted before opens nothing.
        """
        flow = cookies.unpacked(asked.cookies.get(self._flow_cookie, ""))
        back = guard.way_back(str(flow.pop("back", "/portal/")))
        form = {name: values[-1] for name, values in asked.form.items()}
        if form.get("state") != flow.get("state"):
            # The page was old, or its answer is somebody else's: begin anew.
            return self.start(back)
        result = self._redeemed(flow, form)
        if "access_token" not in result:
            text = str(result.get("error_description") or result.get("error"))
            page = render.bare("sign_in_failed", t=words, theme=theme, problem=text, back=back)
            return HTMLResponse(page, 400)
        self.forget(asked)
        answer = Response(status_code=303, headers={"location": back})
        cookies.put(answer, self.cookie, self._sessions.create(self._session(result)))
        cookies.drop(answer, self._flow_cookie)
        return answer

    def leave(self, asked: Asked) -> Response:
        """Sign out here, then at the sign-in service."""
        self.forget(asked)
        answer = Response(status_code=303, headers={"location": f"{self._profile.login}/common/oauth2/v2.0/logout"})
        cookies.drop(answer, self.cookie)
        return answer

    def forget(self, asked: Asked) -> None:
        """End the session that a request's cookie opens."""
        secret = asked.cookies.get(self.cookie, "")
        if secret:
            self._sessions.delete(secret)

    def _client(self) -> Any:
        return client(self._profile, web_session(self._adapter))

    def _redeemed(self, flow: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._client().acquire_token_by_auth_code_flow(flow, form)
        except ValueError as error:  # msal: the state or the nonce is not the flow's
            return {"error": str(error)}
        return found

    def _session(self, result: dict[str, Any]) -> Session:
        claims = result["id_token_claims"]
        end = int(time.time()) + int(result["expires_in"])
        return Session(
            name=str(claims["preferred_username"]), display_name=str(claims.get("name") or ""),
            oid=str(claims["oid"]), tenant=str(claims["tid"]), refresh=str(result["refresh_token"]),
            created=time.time(), tokens={f"{self._profile.audience}/.default": (str(result["access_token"]), end)},
        )  # fmt: skip
