"""The loan as a pure state machine: facts in, the next step out. No clock, no I/O."""
