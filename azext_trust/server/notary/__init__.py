"""The Notary server of login servers: notary 0.6/0.7's API under ``/v2/{gun}/_trust/`` (M16, M17)."""
