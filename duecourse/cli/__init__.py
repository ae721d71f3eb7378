"""The command line's groups of commands. `starter.py` is the entry: it alone reads the real clock."""
