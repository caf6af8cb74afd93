"""Apache Iceberg, through pyiceberg, as a second place where readers see the published tables; see `docs/iceberg.md`."""
