"""The functions of SQL that a model answers, as they run on executors."""
