"""Audits: who can, why, what if; the report; a twin of a live cloud."""
