"""From a dataset or view to a Pool."""
