"""Statistics of patterns, in numpy and scipy: what executors run for `pipeline.patterns`. No Spark in here."""
