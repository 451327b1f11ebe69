"""One module a format, each with its row of the table as `FORMAT`; pyproject.toml names them."""
