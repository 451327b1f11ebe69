"""Ids of JSON that are written as floats: 1.0, 1.10 and 1e3 are the texts that stand there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from labelnext_adapters.files.json.roles import Roles


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
