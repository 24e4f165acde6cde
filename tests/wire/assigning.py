"""Creates and deletes role assignments as fast as it can, through the SDK that az has.

``python assigning.py ORIGIN TOKEN SCOPE PRINCIPAL ROLE ROUNDS SEED``, with az's own python. Prints how often each answer
came, as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import RetryPolicy
from azure.mgmt.authorization import AuthorizationManagementClient

NAMES = [f"{digit * 8}-1111-2222-3333-444444444444" for digit in "abc"]
"""Few, so that two programs meet."""


class Held:
    """A token that is there already."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_token(self, *scopes: str, **more: object) -> AccessToken:
        """Return the token."""
        return AccessToken(self.text, int(time.time()) + 3600)


def main() -> None:
    """Go on creating and deleting."""
    origin, token, scope, principal, role, rounds, seed = sys.argv[1:]
    client = AuthorizationManagementClient(
        Held(token), scope.split("/")[2], base_url=origin, credential_scopes=[f"{origin}/.default"],
        retry_policy=RetryPolicy.no_retries(),
    )  # fmt: skip
    chosen, answers = random.Random(seed), Counter[str]()
    body = {"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "User"}}

    def status(response: object, value: object, headers: object) -> int:
        return int(response.http_response.status_code)  # type: ignore[attr-defined]

    for _ in range(int(rounds)):
        for verb in ("create", "delete"):
            name = chosen.choice(NAMES)
            try:
                if verb == "create":
                    code = client.role_assignments.create(scope, name, body, cls=status)
                else:
                    code = client.role_assignments.delete(scope, name, cls=status)
                answers[f"{verb} {code}"] += 1
            except HttpResponseError as error:
                answers[f"{verb} {error.status_code} {error.error.code if error.error else ''}"] += 1
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
