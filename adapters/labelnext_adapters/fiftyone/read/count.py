"""What `watch` asks for: how many samples are labelled, and whether predictions changed."""

from __future__ import annotations

from functools import reduce
from math import inf
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
        signs.append(is_labelled(collection, source.gt_field))
    if source.label_tags:
        signs.append(ViewField("tags").intersection(list(source.label_tags)).length() > 0)
    if not signs:
        return 0
    with talking():
        return int(collection.match(reduce(or_, signs)).count())


def is_labelled(collection: Any, field: str) -> Any:
    """What the database is asked for samples with a label, as an expression of FiftyOne.

    That is a class, which may be a text, a finite number, or any other value but an empty list;
    an empty list of objects says that there are none.

    Args:
        collection: a dataset or view.
        field: the field of the labels.
    """
    from fiftyone import ViewField

    kind, numbers = labels_of(collection, field), number_path(collection, field)
    if numbers is not None:
        number = ViewField(numbers)
        return (number > -inf) & (number < inf)  # the database sorts NaN and null before numbers
    if kind is not None and not kind.of_objects:  # a label may have no class yet
        label = ViewField(kind.label(field))
        return label.exists() & (label != "")
    value = ViewField(field)
    return value.exists() & (value != [])


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
