"""A local index of an evidence store: Parquet files, read by a DuckDB that reaches nothing else."""
