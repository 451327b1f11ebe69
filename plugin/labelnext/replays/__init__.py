"""Replay: which strategy would have beaten random on your existing labels."""
