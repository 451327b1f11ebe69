"""The built-in adapters, reached through the entry-point group ``labelnext.adapters``."""
