"""FiftyOne's database: the connection, fields, values and views."""
