"""Training models of our own: data by Spark, tokenizer, shards, processes, export. The loop itself is in `udfs.training`."""
