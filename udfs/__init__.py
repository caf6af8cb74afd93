"""Everything that runs on executors. Nothing here knows a session or a DataFrame."""

__version__ = "0.1.0"
