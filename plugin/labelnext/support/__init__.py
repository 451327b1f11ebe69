"""Helpers for all packages: threads, files, stores, plug-ins and words."""
