"""Pool and Objects: prediction columns as arrays, validated once."""

from __future__ import annotations

from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool

__all__ = ["Notice", "Objects", "Pool"]
