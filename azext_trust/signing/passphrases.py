"""Passphrases: from docker's and notary's environment variables, else asked for, with docker's words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from azext_trust.signing.errors import NoPassphrase
from azext_trust.tuf import roles

ROOT_WARNING = """You are about to create a new root signing key passphrase. This passphrase
will be used to protect the most sensitive key in your signing system. Please
choose a long, complex passphrase and be careful to keep the password and the
key file itself secure and backed up. It is highly recommended that you use a
password manager to generate the passphrase and keep it safe. There will be no
way to recover this key. You can find the key in your config directory."""
MIN_LENGTH = 8
"""For what is typed; the environment has no minimum, as with docker."""
_TRIES = 4

_VARIABLES = {
    roles.ROOT: ("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "NOTARY_ROOT_PASSPHRASE"),
    roles.TARGETS: ("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "NOTARY_TARGETS_PASSPHRASE"),
    roles.SNAPSHOT: ("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "NOTARY_SNAPSHOT_PASSPHRASE"),
}
_OTHERS = ("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "NOTARY_DELEGATION_PASSPHRASE")
_WORDS = {roles.TARGETS: "repository", roles.SNAPSHOT: "repository"}

Ask = Callable[[str], str]
Tell = Callable[[str], None]


class Passphrases:
    """Where passphrases come from. What was typed once is tried again for keys of the same role.

    Args:
        ask: shows a prompt and returns what is typed, unseen; None when nobody can be asked.
        tell: shows a line.
        environment: None is the process's own.
    """

    def __init__(
        self, ask: Ask | None = None, tell: Tell = lambda line: None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._ask = ask
        self._tell = tell
        self._environment = os.environ if environment is None else environment
        self._typed: dict[str, str] = {}

    def _given(self, role: str) -> list[str]:
        names = _VARIABLES.get(role, _OTHERS)
        return [value for name in names if (value := self._environment.get(name, ""))]

    def to_open(self, role: str, key_id: str) -> Iterator[str]:
        """Yield what to try for a key, one after the other.

        Args:
            role: the key's role; ``root``, ``targets``, ``snapshot`` or a signer's name.
            key_id: its id, of which the prompt shows seven digits.

        Raises:
            NoPassphrase: nothing is given and nobody can be asked.
        """
        given = self._given(role)
        yield from given
        if given:
            return
        if role in self._typed:
            yield self._typed[role]
        for attempt in range(_TRIES):
            if attempt:
                self._tell("Passphrase incorrect. Please retry.")
            self._typed[role] = self._asked(f"Enter passphrase for {_WORDS.get(role, role)} key with ID {key_id[:7]}: ")
            yield self._typed[role]

    def for_new(self, role: str, key_id: str) -> str:
        """Return the passphrase under which a new key is to be kept.

        Raises:
            NoPassphrase: none is given and nobody can be asked, or too many tries failed.
        """
        given = self._given(role)
        if given:
            return given[0]
        if role == roles.ROOT:
            self._tell(ROOT_WARNING)
        if role in self._typed:
            return self._typed[role]
        what = f"new {_WORDS.get(role, role)} key with ID {key_id[:7]}: "
        for _ in range(_TRIES):
            typed = self._asked(f"Enter passphrase for {what}")
            if len(typed) < MIN_LENGTH:
                self._tell(
                    "Passphrase is too short. Please use a password manager to generate and store a good random passphrase."
                )
            elif typed != self._asked(f"Repeat passphrase for {what}"):
                self._tell("Passphrases do not match. Please retry.")
            else:
                self._typed[role] = typed
                return typed
        raise NoPassphrase("maximum number of passphrase attempts exceeded")

    def forget(self) -> None:
        """Forget what was typed."""
        self._typed.clear()

    def _asked(self, prompt: str) -> str:
        if self._ask is None:
            raise NoPassphrase(
                "a passphrase is needed and there is no terminal to ask for it: set "
                "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE and DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE"
            )
        return self._ask(prompt).strip()


class Given(Passphrases):
    """One passphrase for every key, already known.

    Args:
        passphrase: not empty.
    """

    def __init__(self, passphrase: str) -> None:
        super().__init__()
        self._passphrase = passphrase

    def _given(self, role: str) -> list[str]:
        return [self._passphrase]
