"""What was found and done: as text, JSON, and one HTML page."""
