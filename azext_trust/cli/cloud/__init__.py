"""``cloud``: which cloud commands speak to."""
