"""What comes in by HTTP: receipts and replies of providers, facts of the lender's own systems."""
