"""Replay: which strategy would have beaten random on labels that are known."""
