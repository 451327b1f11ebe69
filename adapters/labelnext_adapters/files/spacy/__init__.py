"""spaCy: documents with categories or spans."""
