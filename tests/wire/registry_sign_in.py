"""Prints the admin account's first password and a refresh token of the owner, as az gets them."""

from __future__ import annotations

import requests

TENANT = "11111111-1111-1111-1111-111111111111"
GROUP = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/lab"
REGISTRY = f"https://localhost{GROUP}/providers/Microsoft.ContainerRegistry/registries/myregistry"
HOST = "myregistry.azurecr.io"


def token(resource: str) -> str:
    """Return an access token of the owner."""
    form = {
        "grant_type": "password", "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "scope": f"{resource}/.default",
        "username": "owner@contoso.com", "password": "Own-the-cloud-1",
    }  # fmt: skip
    answer = requests.post(f"https://localhost/{TENANT}/oauth2/v2.0/token", data=form, timeout=30)
    return str(answer.json()["access_token"])


def main() -> None:
    """Print both."""
    headers = {"Authorization": f"Bearer {token('https://management.core.windows.net/')}"}
    held = requests.post(
        f"{REGISTRY}/listCredentials", params={"api-version": "2025-11-01"}, headers=headers, timeout=30
    )
    print(held.json()["passwords"][0]["value"])
    form = {"grant_type": "access_token", "service": HOST, "access_token": token("https://containerregistry.azure.net")}
    print(requests.post(f"https://{HOST}/oauth2/exchange", data=form, timeout=30).json()["refresh_token"])


if __name__ == "__main__":
    main()
