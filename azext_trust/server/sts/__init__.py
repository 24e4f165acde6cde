"""Sign-in: the Entra security token service."""
