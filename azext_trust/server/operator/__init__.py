"""What Azure lacks: seed, clock, retirement switch, activity log, for whoever holds the operator key."""
