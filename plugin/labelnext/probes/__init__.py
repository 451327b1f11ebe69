"""Probes: class probabilities from embeddings and the labels so far, where there is no model."""
