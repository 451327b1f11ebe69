"""From a ranking, a batch or labels to fields, views and runs."""
