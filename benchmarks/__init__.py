"""How fast the contact path is, measured against an empty workflow in the same run."""
