"""Model code and shipped weights. Nothing here knows pyspark."""
