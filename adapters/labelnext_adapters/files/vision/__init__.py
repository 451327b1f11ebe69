"""What several formats of vision tools share, and the readers that need more than one file."""
