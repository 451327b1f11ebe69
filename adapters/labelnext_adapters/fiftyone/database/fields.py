"""Where a field is: on the samples of a dataset, or on the frames of its videos.

FiftyOne names the fields of frames with a prefix, ``frames.``, and has calls of their own for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from labelnext.errors import InvalidInput, WriteRefused

MARKER = "labelnext"  # key in the info of a field that we made
PRELABELS = "labelnext_prelabels"  # the same, of one with pre-labels, which are no source
METHOD = "labelnext"  # by which FiftyOne lists our runs


PREFIX = "frames."


def check_field_name(field: str, what: str, example: str) -> None:
    """Raise unless FiftyOne lets a field of ours have that name.

    Args:
        field: the name.
        what: begins the message: where it was given, and what it must be.
        example: a good name.

    Raises:
        InvalidInput: if it doesn't.
    """
    import fiftyone as fo

    if not field.isidentifier() or field.startswith("_") or hasattr(fo.Sample, field):
        raise InvalidInput(
            f"{what}: letters, digits and _, not beginning with "
            f"a digit or _, and none of FiftyOne's own; got {field!r}.",
            hint=f"try {example}.",
        )


def refuse_read_only(dataset: Any, path: str, hint: str | None = None) -> None:
    """Raise WriteRefused if somebody has made a field, or one that it lies in, read-only.

    Args:
        dataset: a FiftyOne dataset.
        path: of the field.
        hint: what helps; how to make it writable when None.
    """
    parts = path.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        if getattr(dataset.get_field(name), "read_only", False):
            raise WriteRefused(
                f"field {name} of {dataset.name} must be writable; it is read-only.",
                hint=hint
                or f'field = dataset.get_field("{name}"); field.read_only = False; field.save()',
            )


def field_path(field: str, frames: bool) -> str:
    """The path of a field of samples or of frames.

    Example:
        >>> field_path("labelnext", False), field_path("labelnext", True)
        ('labelnext', 'frames.labelnext')
    """
    return PREFIX + field if frames else field


def documents(dataset: Any, path: str) -> tuple[Any, str]:
    """The database's collection in which a field is, and the field's path in its documents."""
    if path.startswith(PREFIX):
        return dataset._frame_collection, path.removeprefix(PREFIX)
    return dataset._sample_collection, path


def add_field(dataset: Any, path: str, *of: Any, **more: Any) -> None:
    """Add a field to the schema; arguments as of `dataset.add_sample_field`."""
    if path.startswith(PREFIX):
        dataset.add_frame_field(path.removeprefix(PREFIX), *of, **more)
    else:
        dataset.add_sample_field(path, *of, **more)


def delete_field(dataset: Any, path: str) -> None:
    """Delete a field, and its values."""
    if path.startswith(PREFIX):
        dataset.delete_frame_field(path.removeprefix(PREFIX))
    else:
        dataset.delete_sample_field(path)


def rename_field(dataset: Any, path: str, new: str) -> None:
    """Give a field another name; both are paths of the same place."""
    if path.startswith(PREFIX):
        dataset.rename_frame_field(path.removeprefix(PREFIX), new.removeprefix(PREFIX))
    else:
        dataset.rename_sample_field(path, new)


def with_field(dataset: Any, field: str) -> dict[str, dict[str, Any]]:
    """The field on the items that have it, by their ids, in every slice of a grouped dataset."""
    if dataset.get_field(field) is None:
        return {}
    collection, inside = documents(dataset, field)
    holders = collection.find({inside: {"$ne": None}}, {inside: True})
    return {str(document["_id"]): document[inside] for document in holders}


def bulk_writer(
    dataset: Any, path: str
) -> Callable[[list[dict[str, Any]], Sequence[str]], int] | None:
    """Sends updates as one command, half the work of FiftyOne's own bulk write.

    It needs private parts of FiftyOne; None where they are gone.

    Args:
        dataset: a FiftyOne dataset.
        path: of the field that is written.

    Returns:
        Takes updates and the ids of what they change; returns how many documents were found.
    """
    import fiftyone as fo
    from pymongo.errors import BulkWriteError

    of_frames = path.startswith(PREFIX)
    collection = getattr(dataset, "_frame_collection" if of_frames else "_sample_collection", None)
    reload = getattr(fo.Frame if of_frames else fo.Sample, "_reload_docs", None)
    if collection is None or reload is None:
        return None

    def write(updates: list[dict[str, Any]], ids: Sequence[str]) -> int:
        answer = collection.database.command(
            "update", collection.name, updates=updates, ordered=False
        )
        if answer.get("writeErrors"):
            raise BulkWriteError(answer)
        # those in memory, as FiftyOne does
        reload(collection.name, **{"frame_ids" if of_frames else "sample_ids": ids})
        return int(answer["n"])

    return write


def check_flat(collection: Any, *, frames: bool) -> None:
    """Raise unless it holds single samples of the dataset, or frames where these are wanted.

    Args:
        collection: a dataset or view.
        frames: whether it may be a view of frames.

    Raises:
        InvalidInput: if it holds groups, or patches, clips or the like.
    """
    if getattr(collection, "_is_dynamic_groups", False):
        raise InvalidInput(
            "view must be flat; got dynamic groups.",
            hint="group_by(…, flat=True) ranks their samples.",
        )
    if getattr(collection, "_is_generated", False) and not (
        frames and getattr(collection, "_is_frames", False)
    ):
        raise InvalidInput(
            "dataset must hold samples; got a view of patches, clips or frames.",
            hint="rank the samples that they come from"
            + ("." if frames else "; set frames: true to rank frames."),
        )


def frames_of(collection: Any) -> Any:
    """A view with an item for each frame that the database knows; ids are the frames' own.

    Frames that were never stored as images are shown out of their video.

    Args:
        collection: a dataset or view of videos, or of frames already.

    Raises:
        InvalidInput: if it holds no videos.
    """
    if getattr(collection, "_is_frames", False):
        return collection
    if collection.media_type != "video":
        raise InvalidInput(
            f"frames must be left out where samples are no videos; got {collection.media_type}s."
        )
    as_images = collection.has_frame_field("filepath") and (
        collection.count("frames.filepath") == collection.count("frames")
    )
    how = {} if as_images else {"sample_frames": "dynamic", "sparse": True}
    with without_bars():
        frames = collection.to_frames(**how)
    return noted(frames)


def noted(view: Any) -> Any:
    """The view; if FiftyOne copied frames for it, `temporary_frames` deletes the copies."""
    if getattr(view, "_is_generated", False):
        for copies in _copies():
            copies.append(view._dataset.name)
    return view


_thread = threading.local()


def _copies() -> list[list[str]]:
    """The lists of names in which this thread notes copies of frames."""
    if not hasattr(_thread, "copies"):
        _thread.copies = []
    noted: list[list[str]] = _thread.copies
    return noted


@contextmanager
def temporary_frames() -> Iterator[None]:
    """Delete the datasets into which `frames_of` copied frames, but for those of saved views."""
    import fiftyone as fo

    made: list[str] = []
    _copies().append(made)
    try:
        yield
    finally:
        _thread.copies = [other for other in _copies() if other is not made]
        for name in made:
            if fo.dataset_exists(name) and not fo.load_dataset(name).persistent:
                fo.delete_dataset(name)


@contextmanager
def without_bars() -> Iterator[None]:
    """No progress bars of FiftyOne's while it copies frames: the App has no terminal for them."""
    import fiftyone as fo
    import fiftyone.core.utils as fou

    with fou.SetAttributes(fo.config, show_progress_bars=False):
        yield


def slices_in(collection: Any) -> str | list[str] | None:
    """The slices of which a flat view of groups has samples; None where there are no groups.

    Args:
        collection: a dataset or view.
    """
    root = collection._root_dataset
    if root.media_type != "group":
        return None
    names: list[str] = collection.distinct(f"{root.group_field}.name")
    return names if len(names) > 1 else next(iter(names), root.default_group_slice)


def of_slices(collection: Any, slices: str | Sequence[str] | None) -> Any:
    """The samples of some slices, as a flat view; all samples where there are no groups.

    Args:
        collection: a dataset or view.
        slices: names; None for all samples of a view that is flat.
    """
    if slices is None or collection._root_dataset.media_type != "group":
        return collection
    if collection.media_type == "group":
        mixed = {} if isinstance(slices, str) else {"_allow_mixed": True}
        return collection.select_group_slices(slices, **mixed)
    from fiftyone import ViewField

    name = ViewField(f"{collection._root_dataset.group_field}.name")
    return collection.match(name == slices if isinstance(slices, str) else name.is_in(slices))


def items_of(dataset: Any, config: Any) -> Any:
    """What a run ranks: the samples of a dataset, those of its slices, or frames of its videos.

    Args:
        dataset: a FiftyOne dataset or view.
        config: of the run; its `slice` and `frames`, if any.
    """
    samples = of_slices(dataset, getattr(config, "slice", None))
    return frames_of(samples) if getattr(config, "frames", False) else samples
