"""The groups of samples: the values of a field, some tags, or the videos of frames; metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.fiftyone.database.connection import field_of

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.options import FiftyOneSource
    from labelnext_adapters.fiftyone.read.predictions import Reading

#: Kinds of fields whose values can name a group.
GROUP_FIELDS = ("StringField", "IntField", "BooleanField", "ObjectIdField", "DateField")


def check_groups(collection: Any, groups: str | list[str] | None) -> None:
    """Raise unless it is nothing, a list of tags, or a field whose values can name groups.

    Raises:
        NotFound: if there is no such field.
        InvalidInput: if its values are none that could name a group.
    """
    if not isinstance(groups, str):
        return
    kind = type(field_of(collection, "source.groups", groups)).__name__
    if kind not in GROUP_FIELDS:
        raise InvalidInput(
            f"source.groups must be a field of {listed(GROUP_FIELDS)}; got {groups!r} of {kind}.",
            hint="for groups by tag, give a list of tags.",
        )


def check_metadata(collection: Any, metadata: Sequence[str]) -> None:
    """Raise unless these are fields with a number, text, date or truth value each, or the tags.

    Raises:
        NotFound: if there is no such field; lists those that there are.
        InvalidInput: if its values are others.
    """
    kinds = (*GROUP_FIELDS, "FloatField", "DateTimeField")
    for path in metadata:
        kind = type(field_of(collection, "source.metadata", path)).__name__
        if kind not in kinds and path != "tags":
            raise InvalidInput(
                f"source.metadata must be fields of {listed(kinds, 10)}; got {path!r} of {kind}."
            )


def group_paths(options: FiftyOneSource) -> list[str]:
    """The fields from which the groups are read."""
    if options.groups is None:
        return ["sample_id"] if options.frames else []
    return [options.groups] if isinstance(options.groups, str) else ["tags"]


def note_slice(reading: Reading, collection: Any) -> None:
    """Say which slice was read where another one is active in this process."""
    given, root = reading.options.dataset, collection._root_dataset
    grouped = getattr(given, "media_type", root.media_type) == "group"
    if not grouped or reading.options.slice is not None or reading.options.view is not None:
        return
    read, active = root.default_group_slice, root.group_slice
    if active not in (None, read):
        text = f"the dataset's default slice {read} was read, not {active}, which is active now"
        reading.note("slice", f"{text}; source.slice: {active} reads that one.")


def groups_of(reading: Reading) -> list[str]:
    """The group of each item; an empty text for none."""
    (path,), groups = group_paths(reading.options), reading.options.groups
    if isinstance(groups, list):
        held = [set(tags or ()) for tags in reading.columns[path]]
        return [next((tag for tag in groups if tag in tags), "") for tags in held]
    return ["" if value is None else str(value) for value in reading.columns[path]]
