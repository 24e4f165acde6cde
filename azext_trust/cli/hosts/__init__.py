"""Names and authorities of a served cloud, on this machine."""
