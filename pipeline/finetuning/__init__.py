"""Fine-tuning of an encoder with label heads: data by Spark, calibration, export. The training itself is in `udfs.training`."""
