"""``aztrust serve``: listener, certificate authority, log, and recipes that point clients at it."""
