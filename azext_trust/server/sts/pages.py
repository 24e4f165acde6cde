"""The sign-in pages: plain HTML, no script but the one that posts a code back, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.sts import errors

COOKIE = "__Host-aztrust-form"
"""The prefix keeps other programs on this host from setting it (RFC 6265bis section 4.1.3.2)."""
TOO_OLD = "The page was too old. Please sign in again."
_MARK = re.compile(r"[A-Za-z0-9_-]{32}")
_SUBMIT = "document.forms[0].submit()"
_STYLE = (
    "body{font:16px/1.5 'Segoe UI',system-ui,sans-serif;background:#f2f2f2;color:#1b1b1b;margin:0;display:grid;"
    "place-items:center;min-height:100vh}main{background:#fff;padding:44px;box-shadow:0 2px 6px #0003;"
    "width:min(352px,80vw);overflow-wrap:anywhere}h1{font-size:24px;font-weight:600;margin:0 0 12px}"
    "label{display:block;margin:12px 0 2px}"
    "input{width:100%;box-sizing:border-box;font:inherit;padding:6px 10px;border:1px solid #666}"
    "button{margin:24px 12px 0 0;font:inherit;background:#0067b8;color:#fff;border:0;padding:6px 24px}"
    "button[name]{background:#e6e6e6;color:#1b1b1b}p[role=alert]{color:#c50f1f}small{color:#555}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}main{background:#222}small{color:#aaa}"
    "input{background:#111;color:#eee}p[role=alert]{color:#ff99a4}button[name]{background:#444;color:#eee}}"
)


@dataclass(frozen=True)
class Form:
    """A page that asks for user name and password.

    Attributes:
        title: the heading.
        text: what the sign-in is for.
        fields: the request's parameters, carried along.
        problem: what was wrong the last time.
        name: the user name to begin with.
        extra: further inputs, as HTML.
        leaves_to: where the answer may send the browser, as a content security policy source; empty means nowhere.
    """

    title: str
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    name: str = ""
    extra: str = ""
    leaves_to: str = ""


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _reply(title: str, body: str, *, form_action: str = "'self'", script: str = "", status: int = 200) -> Reply:
    policy = (
        f"default-src 'none'; style-src {_digest(_STYLE)}; form-action {form_action}; frame-ancestors 'none'; "
        f"base-uri 'none'" + (f"; script-src {_digest(script)}" if script else "")
    )
    page = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(title)}</h1>{body}</main>" + (f"<script>{script}</script>" if script else "") + "</body></html>"
    )
    headers = {
        # With no-referrer a browser would post with the origin "null".
        "content-security-policy": policy, "cache-control": "no-store", "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff", "x-frame-options": "DENY",
        "strict-transport-security": "max-age=31536000; includeSubDomains",
    }  # fmt: skip
    return Reply(page, status, headers, "text/html; charset=utf-8")


def hidden(fields: Mapping[str, str]) -> str:
    """Return hidden inputs that carry a request through the form."""
    return "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in fields.items())


def sign_in(call: Call, form: Form, status: int = 200) -> Reply:
    """Return a page that asks for user name and password.

    Args:
        call: the request; its browser keeps its mark, so that two pages open at once both work.
        form: what the page shows.
        status: HTTP status.
    """
    mark = _cookie(call)
    if not _MARK.fullmatch(mark):
        mark = secrets.token_urlsafe(24)
    alert = f'<p role="alert">{escape(form.problem)}</p>' if form.problem else ""
    body = (
        f'<p>{escape(form.text)}</p>{alert}<form method="post">{hidden({**form.fields, "csrf": mark})}{form.extra}'
        '<label for="u">User name</label>'
        f'<input id="u" name="username" value="{escape(form.name)}" autocomplete="username" required autofocus>'
        '<label for="p">Password</label>'
        '<input id="p" name="password" type="password" autocomplete="current-password" required>'
        '<button type="submit">Sign in</button>'
        '<button type="submit" name="cancel" value="1" formnovalidate>Cancel</button></form>'
    )
    # The browser follows the answer's redirect to the application: form-action must let its address pass.
    reply = _reply(form.title, body, form_action=f"'self' {form.leaves_to}".strip(), status=status)
    reply.headers["set-cookie"] = f"{COOKIE}={mark}; Path=/; Secure; HttpOnly; SameSite=Lax"
    return reply


def _cookie(call: Call) -> str:
    jar = dict(part.strip().partition("=")[::2] for part in call.headers.get("cookie", "").split(";"))
    return jar.get(COOKIE, "")


def same_browser(call: Call, form: Mapping[str, str]) -> bool:
    """Tell whether a form comes from the page this browser was given: cookie and hidden field agree.

    A browser also says which page posts: another site's is refused even if it knew the mark.
    """
    origin, mark = call.headers.get("origin"), form.get("csrf", "")
    # The cloud may be open under another of its names: the page's own is what counts.
    if origin not in (None, f"https://{call.headers.get('host', '')}"):
        return False
    return bool(_MARK.fullmatch(mark)) and hmac.compare_digest(_cookie(call).encode(), mark.encode())


def post_back(address: str, fields: Mapping[str, str], origin: str) -> Reply:
    """Return a page that posts an answer to the application (OAuth 2.0 Form Post Response Mode).

    Args:
        address: the application's redirect address.
        fields: the answer.
        origin: the address as a content security policy names it.
    """
    body = (
        f'<form method="post" action="{escape(address)}">{hidden(fields)}'
        "<p>Back to the application.</p><button>Continue</button></form>"
    )
    return _reply("Signing in", body, form_action=origin, script=_SUBMIT)


def message(title: str, text: str, status: int = 200) -> Reply:
    """Return a page that only says something."""
    return _reply(title, f"<p>{escape(text)}</p>", status=status)


def trouble(error: errors.SignInError, call: Call) -> Reply:
    """Return a page that says why nobody can sign in, and nothing is sent on."""
    trail = f"Request Id: {call.request_id} Correlation Id: {errors.correlation(call)}"
    body = f"<p>{escape(error.message)}</p><small>{escape(trail)}</small>"
    return _reply("Sorry, but we're having trouble signing you in.", body, status=error.status)
