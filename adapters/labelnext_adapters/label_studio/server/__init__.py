"""The server: what it is asked, and what it answers."""
