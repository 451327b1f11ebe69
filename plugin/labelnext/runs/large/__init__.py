"""Pools larger than memory: scored part by part, ordered on disk, written as a Parquet dataset."""
