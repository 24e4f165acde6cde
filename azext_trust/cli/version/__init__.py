"""``version``."""
