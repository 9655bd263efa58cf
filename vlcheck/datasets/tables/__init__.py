"""Data in tables: Parquet files, WebDataset shards, and data sets of the Hugging Face hub."""
