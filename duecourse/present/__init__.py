"""Rendering for people: explanations, timelines, tables. Nothing here decides, reads a clock, or opens a connection."""
