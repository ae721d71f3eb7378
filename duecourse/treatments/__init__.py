"""Which rungs for whom: ladders, tiers, and how a tier thins a ladder. Pure."""
