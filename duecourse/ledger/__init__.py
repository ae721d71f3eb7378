"""The ledger: the one truth about every loan. Facts come in by one door, contacts go out over one reservation."""
