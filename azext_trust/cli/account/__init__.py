"""Signing in, accounts and clouds."""
