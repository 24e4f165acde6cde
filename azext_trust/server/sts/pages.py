"""The sign-in pages: plain HTML, no script but the one that posts a code back, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from html import escape

from azext_trust.server.gate.call import Call, Reply

COOKIE = "aztrust-sign-in"
_SUBMIT = "document.forms[0].submit()"
_STYLE = (
    "body{font:16px/1.5 'Segoe UI',system-ui,sans-serif;background:#f2f2f2;color:#1b1b1b;margin:0;display:grid;"
    "place-items:center;min-height:100vh}main{background:#fff;padding:44px;box-shadow:0 2px 6px #0003;"
    "width:min(352px,80vw)}h1{font-size:24px;font-weight:600;margin:0 0 12px}label{display:block;margin:12px 0 2px}"
    "input{width:100%;box-sizing:border-box;font:inherit;padding:6px 10px;border:1px solid #666}"
    "button{margin-top:24px;font:inherit;background:#0067b8;color:#fff;border:0;padding:6px 24px}"
    "p[role=alert]{color:#c50f1f}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}main{background:#222}"
    "input{background:#111;color:#eee}p[role=alert]{color:#ff99a4}}"
)


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
        "content-security-policy": policy, "cache-control": "no-store", "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }  # fmt: skip
    return Reply(page, status, headers, "text/html; charset=utf-8")


def hidden(fields: Mapping[str, str]) -> str:
    """Return hidden inputs that carry a request through the form."""
    return "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in fields.items())


def sign_in(
    title: str, fields: Mapping[str, str], *, problem: str = "", name: str = "", extra: str = "", status: int = 200
) -> Reply:
    """Return a page that asks for user name and password.

    Args:
        title: the heading.
        fields: the request's parameters, carried along.
        problem: what was wrong the last time.
        name: the user name to begin with.
        extra: further inputs, as HTML.
        status: HTTP status.
    """
    mark = secrets.token_urlsafe(24)
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    body = (
        f'{alert}<form method="post">{hidden({**fields, "csrf": mark})}{extra}'
        '<label for="u">User name</label>'
        f'<input id="u" name="username" value="{escape(name)}" autocomplete="username" required autofocus>'
        '<label for="p">Password</label>'
        '<input id="p" name="password" type="password" autocomplete="current-password" required>'
        '<button type="submit">Sign in</button></form>'
    )
    # The browser follows the answer's redirect to the application: form-action must let the loopback address pass.
    reply = _reply(title, body, form_action="'self' http://localhost:* http://127.0.0.1:* https:", status=status)
    reply.headers["set-cookie"] = f"{COOKIE}={mark}; Path=/; Secure; HttpOnly; SameSite=Lax"
    return reply


def same_browser(call: Call, form: Mapping[str, str]) -> bool:
    """Tell whether a form comes from the page this browser was given: cookie and hidden field agree."""
    jar = dict(part.strip().partition("=")[::2] for part in call.headers.get("cookie", "").split(";"))
    mark = form.get("csrf", "")
    return bool(mark) and hmac.compare_digest(jar.get(COOKIE, "").encode(), mark.encode())


def post_back(address: str, fields: Mapping[str, str]) -> Reply:
    """Return a page that posts a code to the application (OAuth 2.0 Form Post Response Mode)."""
    body = (
        f'<form method="post" action="{escape(address)}">{hidden(fields)}'
        "<p>You are signed in.</p><button>Continue</button></form>"
    )
    origin = "/".join(address.split("/")[:3])
    return _reply("Signing in", body, form_action=escape(origin), script=_SUBMIT)


def message(title: str, text: str, status: int = 200) -> Reply:
    """Return a page that only says something."""
    return _reply(title, f"<p>{escape(text)}</p>", status=status)
