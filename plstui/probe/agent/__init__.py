"""The route through a machine's agent: one script for all targets, run by Azure, and what it prints."""
