"""``aztrust trust``: sign, verify, keys, signers; with no docker (M18 to M21)."""
