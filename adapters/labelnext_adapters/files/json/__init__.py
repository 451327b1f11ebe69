"""JSON to the columns of a table."""
