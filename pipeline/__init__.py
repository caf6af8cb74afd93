"""Driver library of Nightjar: configuration, reading, transforms, publishing and SQL."""

__version__ = "0.1.0"
