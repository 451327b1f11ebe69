"""Answers of language models: classes with their probabilities, votes and confidences."""
