"""The gate: rules as data, local time, verdicts with reasons. Pure: no clock, no database, no network."""
