"""Use cases: watch both sides, act on connections, keep the journal. asyncio only."""
