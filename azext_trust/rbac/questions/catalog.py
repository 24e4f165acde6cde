"""All questions by name: what a server's routes, a command line and an export ask alike."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import cast

from azext_trust.rbac.questions.answers import Answer, AskError
from azext_trust.rbac.questions.asked import Asked
from azext_trust.rbac.questions.facts import Tenant

QUESTIONS: Mapping[str, str] = {
    "who-can": "holders:who_can", "can": "verdicts:can", "why": "paths:why", "what-can": "grants:what_can_do",
    "what-if": "differences:what_if_changed", "replay": "replays:replay", "least": "usage:least",
    "explain": "refusals:explain", "assert": "gates:check", "report": ".findings.report:report",
}  # fmt: skip
"""Where each question is answered; imported when it is asked."""


def ask(name: str, tenant: Tenant, asked: Asked) -> Answer:
    """Answer a question.

    Args:
        name: one of `QUESTIONS`.
        tenant: the facts.
        asked: the question's words.

    Raises:
        AskError: there is no such question, or it cannot be asked so.
    """
    if name not in QUESTIONS:
        raise AskError(f"'{name}' is no question: {', '.join(QUESTIONS)}.")
    module, _, function = QUESTIONS[name].partition(":")
    found = getattr(importlib.import_module(f".{module}", "azext_trust.rbac.questions"), function)
    return cast(Callable[[Tenant, Asked], Answer], found)(tenant, asked)
