"""Embeddings for items that have none: of their texts, or of their images."""
