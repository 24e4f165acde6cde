"""Whom a question is put to: the operator service, exported files, or Resource Manager and Graph themselves.

Three sources, one evaluator: the operator service asks it over its warm index, the other two over facts that are
brought together here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_trust.audit.errors import Missing, QuestionError
from azext_trust.clients.operator import Operator
from azext_trust.cloud.connect import Connection, local
from azext_trust.cloud.errors import HttpError

if TYPE_CHECKING:
    from azext_trust.rbac.questions.facts import Tenant
    from azext_trust.rbac.questions.held import HeldTenant

Document = dict[str, Any]
Words = Mapping[str, Any]
LOGGED = frozenset({"replay", "least", "explain", "report"})
"""Questions that look at the activity log."""


def ask(
    question: str, words: Words, *, connection: Callable[[], Connection], folder: str | None = None, live: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> Document:  # fmt: skip
    """Return an answer as JSON has it.

    Args:
        question: its name, see `rbac.questions.catalog`.
        words: what was said, by the wire's names.
        connection: gives the cloud, when it is asked.
        folder: exported files, or a cloud directory such as a twin, instead of a cloud.
        live: read the cloud's facts through Resource Manager and Graph even where an operator service would answer.
        note: told what the user should know and is no error.

    Raises:
        Missing: what the question is about does not exist.
        QuestionError: it cannot be asked so.
        CloudError: see the sources.
    """
    if folder is not None and not is_cloud(folder):
        from azext_trust.audit import exported

        return evaluated(question, words, exported.load(Path(folder).expanduser(), note))
    try:
        if folder is not None:
            operator = Operator(local(folder))
            try:
                return operator.audit(question, dict(words), keyed=True)
            finally:
                operator.close()
        cloud = connection()
        if cloud.profile.kind != "azure" and not live:
            return Operator(cloud).audit(question, dict(words))
    except HttpError as error:
        if error.code == "ResourceNotFound":
            raise Missing(error.message) from None
        if error.code == "InvalidParameter":
            raise QuestionError(error.message) from None
        raise
    return evaluated(question, _signed_in(cloud, question, words), read(cloud, question, words))


def is_cloud(folder: str) -> bool:
    """Tell whether a folder is a cloud directory: a twin for instance."""
    return (Path(folder).expanduser() / "state.db").is_file()


def read(cloud: Connection, question: str = "", words: Words | None = None) -> HeldTenant:
    """Return the cloud's facts, read now."""
    from azext_trust.audit.live import Loader

    said = words or {}
    # Whose key it is, is told of the signers of one registry; a report rests on all trust data.
    keys = str(said.get("registry") or "") if question == "who-can" and said.get("capability") == "sign" else ""
    return Loader(
        cloud, log=question in LOGGED, trust=question == "report", wanted=str(said.get("assignee") or ""), keys=keys
    ).load()


def _signed_in(cloud: Connection, question: str, words: Words) -> Words:
    """Fill in who asks: the last refusal is the asker's own unless somebody else is named."""
    if question == "explain" and not words.get("assignee") and not words.get("correlationId"):
        user = cloud.account.get("user") or {}
        return {**words, "assignee": str(user.get("name", ""))}
    return words


def evaluated(question: str, words: Words, tenant: HeldTenant) -> Document:
    """Return the answer over facts that are at hand.

    Raises:
        Missing: what the question is about does not exist.
        QuestionError: it cannot be asked so.
    """
    from azext_trust.rbac.questions import catalog

    with _told():
        return catalog.ask(question, tenant, asked(words)).document()


@contextmanager
def _told() -> Iterator[None]:
    """Tell in this room's words why the evaluator does not answer."""
    from azext_trust.rbac.questions.answers import AskError, NotThere

    try:
        yield
    except NotThere as error:
        raise Missing(str(error)) from None
    except AskError as error:
        raise QuestionError(str(error)) from None


def asked(words: Words) -> Any:
    """Return a question's words in the evaluator's form."""
    import re

    from azext_trust.rbac.questions.asked import Asked

    named = {re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name): value for name, value in words.items()}
    if "baseline" in named:
        named["baseline"] = frozenset(named["baseline"])
    return Asked(**named)


def diff(
    old: str, new: str | None, words: Words, *, connection: Callable[[], Connection],
    note: Callable[[str], None] = lambda text: None,
) -> Document:  # fmt: skip
    """Return who gained and who lost what between two exports, or between an export and now.

    Args:
        old: the folder of the earlier export, or a twin.
        new: that of the later one, None for the cloud as it is now.
        words: capability, registry and so on.
        connection: gives the cloud.
        note: told what the user should know.

    Raises:
        Missing, QuestionError, CloudError: see `ask`.
    """
    from azext_trust.rbac.questions import differences

    with ExitStack() as stack:
        before = stack.enter_context(_facts(old, note))
        after = stack.enter_context(_facts(new, note)) if new is not None else read(connection())
        stack.enter_context(_told())
        return differences.diff(before, after, asked(words)).document()


def _facts(folder: str, note: Callable[[str], None]) -> AbstractContextManager[Tenant]:
    """Return what gives the facts of a folder: exported files, or a cloud directory."""
    path = Path(folder).expanduser()
    if is_cloud(folder):
        from azext_trust.audit import cloud_directory

        return cloud_directory.opened(path)
    from azext_trust.audit import exported

    return nullcontext(exported.load(path, note))
