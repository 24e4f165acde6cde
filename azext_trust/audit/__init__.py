"""Questions over many facts: what would be lost."""
