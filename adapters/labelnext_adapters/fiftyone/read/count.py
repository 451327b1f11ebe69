"""What `watch` asks for: how many samples are labelled, and whether predictions changed."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from labelnext_adapters.fiftyone.database.connection import talking
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.read.fetched import fetched_fields
from labelnext_adapters.fiftyone.read.label_types import (
    CONFIDENCE,
    kind_of,
    labels_of,
    number_path,
)


def count_labelled(collection: Any, source: FiftyOneSource) -> int:
    """The number of samples that count as labelled, counted by the database.

    Args:
        collection: a dataset or view.
        source: which field and tags say so.
    """
    from fiftyone import ViewField

    signs = [ViewField(name).exists() for name in fetched_fields(collection)]
    if source.gt_field:
        kind = labels_of(collection, source.gt_field)
        numbers = number_path(collection, source.gt_field)
        signs.append(ViewField(numbers or source.gt_field).exists())
        if kind is not None and not kind.of_objects:  # a label may have no class yet
            label = ViewField(f"{source.gt_field}.label")
            signs[-1] = label.exists() & (label != "")
    if source.label_tags:
        signs.append(ViewField("tags").intersection(list(source.label_tags)).length() > 0)
    if not signs:
        return 0
    with talking():
        return int(collection.match(reduce(or_, signs)).count())


def prediction_state(collection: Any, source: FiftyOneSource) -> str:
    """The number of samples and, of each field of predictions, the count and sum of confidences.

    Args:
        collection: a dataset or view.
        source: which fields.
    """
    import fiftyone as fo

    kinds = {field: kind_of(collection, "pred_field", field) for field in source.pred_fields}
    paths = [f"{k.path(f)}.{CONFIDENCE}" for f, k in kinds.items() if not k.scalar]
    paths += [k.number(f) for f, k in kinds.items() if k.scalar and k.name != "Heatmap"]
    sums = [of(path) for path in paths for of in (fo.Count, fo.Sum)]
    with talking():
        found = collection.aggregate([fo.Count(), *map(fo.Count, kinds), *sums])
    return " ".join(f"{value or 0:.9g}" for value in found)
