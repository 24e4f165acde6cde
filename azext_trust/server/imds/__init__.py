"""The instance metadata service: tokens for managed identities, with no secret (M6).

Whoever reaches it is the machine: it is served apart from the cloud, where its user says (`serve --imds`).
"""
