"""The local cloud: log, clock, retirement switch."""
