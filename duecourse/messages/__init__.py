"""The words that borrowers read: templates by name, channel and language, and what they cost and contain."""
