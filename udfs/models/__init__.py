"""Models and nothing of Spark: files and their checks, tokeniser, encoders, heads, centroids."""
