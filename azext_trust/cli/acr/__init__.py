"""Registries and their content trust policy."""
