"""Measurements: ratios taken side by side in one run. Never run by pytest."""
