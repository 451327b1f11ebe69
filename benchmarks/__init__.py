"""How fast and how good everything is, beside its peers."""
