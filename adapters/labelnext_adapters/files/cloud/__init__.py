"""Responses of the big clouds' services."""
