"""Written records to a pool, the order of its items, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.pool import Pool


def read(folder: Path, name: str, content: Any = None, **options: Any) -> Pool:
    """The pool of a file; written first, as JSON unless it is text, if there is content."""
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, "utf-8")
    adapter: Any = open_adapter("files", directory=folder, path=name, **options)
    pool: Pool = adapter.read()
    return pool


def order(pool: Pool) -> list[str]:
    """The ids as `auto` ranks them."""
    ids: list[str] = rank(pool).item_ids.tolist()
    return ids


def notice(pool: Pool, code: str) -> Any:
    """The first notice of that code."""
    return next(one for one in pool.notices if one.code == code)


def lines(records: Sequence[Any]) -> str:
    """The records as lines of JSON."""
    return "\n".join(map(json.dumps, records))
