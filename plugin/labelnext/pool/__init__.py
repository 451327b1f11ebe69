"""Pool and Objects: columns as arrays, checked once."""
