"""Patterns: what the night's documents have in common, what changed, and the evidence. Each module makes its own tables."""
