"""Runs: rank and write back, check, undo, watch, and what goes to other platforms."""
