"""Files of images in a test's folder, and what is read of each image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from labelnext.adapter import open_adapter
from labelnext.pool.pool import Pool


def put(folder: Path, files: Mapping[str, Any]) -> None:
    """Write texts and bytes as they are, and other values as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            path.write_text(text, encoding="utf-8")


def read(folder: Path, path: str = ".", **source: Any) -> Pool:
    return open_adapter("files", path=path, directory=folder, **source).read()


def told(pool: Pool) -> dict[str, list[float] | None]:
    """The confidences of each item; None where nothing is predicted."""
    assert pool.objects is not None
    assert not pool.objects.whole_items
    ends = pool.objects.offsets.tolist()
    rows = [pool.objects.confidences[a:b].tolist() for a, b in pairwise(ends)]
    missing = pool.missing.tolist()
    names = pool.item_ids.tolist()
    return {i: None if m else row for i, row, m in zip(names, rows, missing, strict=True)}
