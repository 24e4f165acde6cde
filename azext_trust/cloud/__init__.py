"""Which Azure, as whom, over which wire."""
