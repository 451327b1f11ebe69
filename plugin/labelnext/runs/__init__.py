"""Runs: rank and write back, check, undo, watch, and exchange batches with other platforms."""
