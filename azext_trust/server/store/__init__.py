"""Tables and queries, one file per noun; engine, transaction, activity chain, vault, migrations."""
