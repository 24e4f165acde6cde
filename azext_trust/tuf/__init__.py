"""Signed metadata as notary 0.7 writes it: canonical form, keys, metadata, verification, editing. No input or output."""
