"""``aztrust serve``: the local Azure over HTTPS."""
