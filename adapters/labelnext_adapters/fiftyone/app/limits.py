"""What else a batch can go by: near-duplicates, whole groups, and what somebody selected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labelnext.pool.pool import Pool
from labelnext.selection import get_selection, selection_names
from labelnext.selection.hellinger import has_shares
from labelnext_adapters.fiftyone.app.choices import Choice
from labelnext_adapters.fiftyone.database.connection import talking

KEEP, BY_EMBEDDINGS, BY_DISTANCE, BY_IMAGES = "keep", "embeddings", "distance", "images"
SINGLE = "single"


def duplicate_choices(items: Any, *, embedded: bool) -> list[Choice]:
    """What near-duplicates can be told by, and why some of it can't be.

    Args:
        items: the samples to rank, a dataset or view.
        embedded: whether there are embeddings of samples.
    """
    lacking = None if embedded else "It needs embeddings of the samples; there are none"
    return [
        Choice(KEEP, "The batch may hold samples that are nearly the same"),
        Choice(BY_EMBEDDINGS, "Samples whose embeddings point the same way", lacking),
        Choice(BY_DISTANCE, "Samples whose embeddings lie close to each other", lacking),
        Choice(
            BY_IMAGES,
            "Images that look the same; each file is read once, which takes some time",
            _images_obstacle(items),
        ),
    ]


def _images_obstacle(items: Any) -> str | None:
    """Why the images can't be compared, judged by the first; None if they can be."""
    import fiftyone.core.media as fom

    if items.media_type != "image":
        return "It compares images; these samples hold none"
    with talking():
        paths = items.limit(1).values("filepath")
    path = Path(paths[0]) if paths else Path()
    if "://" not in str(paths[:1]) and path.is_file() and fom.get_media_type(str(path)) == "image":
        return None
    return "It reads the image files; the first isn't on this machine's disk"


def whole_group_choices(*, grouped: bool, fields: bool, method: str) -> list[Choice]:
    """Whether whole groups can be chosen, and by which of their samples.

    Args:
        grouped: whether a group is named, or the samples are frames of videos.
        fields: whether there is any field that could name a group.
        method: the selection method.
    """
    obstacle = None
    if not grouped:
        obstacle = f"It needs a group: {_name_one('above', fields)}"
    elif method in selection_names() and "objects" in get_selection(method).inputs:
        obstacle = f"{method} goes by single objects; choose another method"
    return [
        Choice(SINGLE, "The budget counts samples"),
        Choice("max", "The budget counts groups", obstacle),
        Choice("mean", "The budget counts groups", obstacle),
        Choice("min", "The budget counts groups", obstacle),
    ]


def quota_choices(
    *, tags: bool, group: str | None, frames: bool, fields: bool, whole: str
) -> list[Choice]:
    """What a quota can count, and why some of it can't be.

    Args:
        tags: whether any sample has a tag.
        group: the field that names a sample's group, if one is chosen.
        frames: whether the samples are frames of videos, which are groups without a field.
        fields: whether there is any field that could name a group.
        whole: whether the batch holds whole groups, as in `whole_group_choices`.
    """
    of_tag = of_group = None
    if whole != SINGLE:
        of_tag = of_group = "The batch holds whole groups; only classes can be counted"
    elif group is not None:
        of_tag = f"A sample has one group, here by {group}; choose none below to count tags"
    elif not frames:
        of_group = f"It needs a group: {_name_one('below', fields)}"
    if not tags:
        of_tag = "No sample has a tag"
    return [
        Choice("class", "A sample's class is that of its surest object"),
        Choice("tag", "A sample counts for the first of its tags that the quota names", of_tag),
        Choice("group", "How many of each group the batch holds", of_group),
    ]


def _name_one(where: str, fields: bool) -> str:
    return f"choose one {where}" if fields else "no field of these samples can name one"


def likeness_obstacle(
    selected: Sequence[str], items: Any, pool: Pool, *, embedded: bool, frames: bool
) -> str | None:
    """Why samples like the selected ones can't be favoured, as a sentence; None if they can be.

    Args:
        selected: ids of the samples that are selected in the grid.
        items: the samples to rank, a dataset or view.
        pool: of `preview`.
        embedded: whether there are embeddings of samples.
        frames: whether frames are ranked while the grid shows their videos.
    """
    if not selected:
        return "Select samples in the grid first, such as some that your model gets wrong."
    if frames:
        return "You selected videos, and their frames are ranked."
    if not embedded and not has_shares(pool):
        return "It needs embeddings or class probabilities; there are none."
    with talking():
        if not items.select(list(selected)).limit(1).values("id"):
            return "None of the selected samples is among those to rank."
    return None
