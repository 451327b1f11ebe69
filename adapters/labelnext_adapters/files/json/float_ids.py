"""Ids of JSON that are written as floats: 1.0, 1.10 and 1e3 are the texts that stand there."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from labelnext_adapters.files.json.roles import Roles

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"


def float_ids(records: Iterable[Any], roles: Roles) -> str | None:
    """The key of ids of which some are floats; None if there is none.

    Args:
        records: of a file.
        roles: of the columns.
    """
    objects = [record for record in records if isinstance(record, dict)]
    name = roles.id_among(dict.fromkeys(key for record in objects for key in record))
    values = (one.get(name) for one in objects)
    return name if any(isinstance(one, float) and math.isfinite(one) for one in values) else None


def as_texts(name: str, text: str) -> str:
    """JSON in which the numbers under a key are texts, as they are written.

    Example:
        >>> as_texts("id", '{"id": 1.10, "score": 0.5}')
        '{"id": "1.10", "score": 0.5}'
    """
    key = re.escape(json.dumps(name, ensure_ascii=False))
    return re.sub(rf"({key}\s*:\s*)({_NUMBER})(?=\s*[,}}])", r'\1"\2"', text)
