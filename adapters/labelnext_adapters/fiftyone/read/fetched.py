"""Which samples have labels that were fetched."""

from __future__ import annotations

from typing import Any

from labelnext_adapters.fiftyone.database.connection import talking

LABELS_MARKER = "labelnext_labels"  # key in the info of a field that holds fetched labels


def fetched_fields(collection: Any) -> list[str]:
    """The fields of a dataset or view that hold fetched labels.

    Args:
        collection: a dataset or view.
    """
    schema = collection.get_field_schema()
    return [name for name, field in schema.items() if LABELS_MARKER in (field.info or {})]


def fetched_ids(collection: Any) -> set[str]:
    """The samples of a dataset or view that have a fetched label.

    Args:
        collection: a dataset or view.
    """
    fetched: set[str] = set()
    for name in fetched_fields(collection):
        with talking():
            fetched.update(collection.exists(name).values("id"))
    return fetched
