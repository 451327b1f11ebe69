"""Pool and Objects: columns as arrays, checked once."""

from __future__ import annotations

from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool

__all__ = ["Notice", "Objects", "Pool"]
