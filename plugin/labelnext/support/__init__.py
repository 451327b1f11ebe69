"""Helpers for all packages: threads, compiled loops, files, stores, plug-ins and words."""
