"""Channel adapters: one attempt per call, declared capabilities, typed failures."""
