"""Duecourse: loan reminders and collections that run themselves, lawfully, with a reason for each silence."""

__version__ = "0.1.0"
