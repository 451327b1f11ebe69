"""Hugging Face: outputs of pipelines, and data sets of the library datasets."""
