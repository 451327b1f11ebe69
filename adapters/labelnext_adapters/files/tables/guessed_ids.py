"""Whether the column that seems to hold the items' ids is plainly something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.files.content.oddities import MOST
from labelnext_adapters.files.tables.column_names import corners_in, first_of, plain
from labelnext_adapters.files.tables.known_names import ANSWERS, BOXES, CERTAINTIES, IMAGES, SIZES
from labelnext_adapters.files.tables.repeats import repeats

#: Columns of what images are in: each number of a frame may stand in several of them.
_AROUND = (
    "video", "video_id", "video_name", "video_path", "video_file", "sequence", "sequence_id",
    "sequence_name", "seq", "seq_name", "clip", "clip_id", "clip_name", "camera", "camera_id",
    "camera_name", "scene", "scene_id", "folder", "directory", "dir", "split", "subset", "dataset",
    "deployment", "deployment_id", "site", "site_id", "station",
)  # fmt: skip
_SHAPES = tuple(name for name in BOXES if name not in ("x", "cx"))  # that no other numbers have
_LIKE_A_FILE = r"[/\\]|\.\w{1,5}$"
_MOST_ROWS = 100  # of an item; detectors keep no more without boxes
_ASK = "set source.key to the column of the items' ids"


def check_guess(table: pa.Table, id_name: str) -> None:
    """Refuse ids that nobody named, where they are plainly something else.

    Args:
        table: as it stands in the file.
        id_name: the column that would be taken for the ids.

    Raises:
        InvalidInput: if it holds the names of classes or the numbers of boxes, or the same id
            stands in rows of several images.
    """
    names = [name for name in table.column_names if name != id_name]
    column = table.column(id_name)
    if table.num_rows < 2 or pa.types.is_nested(column.type):
        return
    several = repeats(column)
    sure = first_of(names, CERTAINTIES)
    boxed = sure is not None and bool(corners_in(names) or first_of(names, _SHAPES))
    if plain(id_name) == "name" and (boxed or several):
        _refuse_classes(table, id_name)
    if several:
        _refuse_other_images(table, id_name, names)
        if not boxed:
            _refuse_few(table, id_name)
    elif sure is not None and plain(id_name) not in (*IMAGES, "name"):
        _refuse_numbers_of_rows(table, id_name, names, boxed=boxed)


def check_rows(rows: Sequence[Any], id_name: str) -> None:
    """Refuse ids that nobody named, where rows of the same one are of several images or videos.

    Args:
        rows: as in JSON, each of one detection; others than objects count for nothing.
        id_name: the key that would be taken for the ids.

    Raises:
        InvalidInput: as for `check_guess`.
    """
    known = [row for row in rows if isinstance(row, Mapping)]
    met = {name for row in known for name in row} & {*IMAGES, *_AROUND, id_name}
    texts = {name: [_shown(row.get(name)) for row in known] for name in met}
    table = pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()})
    _refuse_other_images(table, id_name, sorted(met - {id_name}))


def _shown(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


def _refuse_classes(table: pa.Table, id_name: str) -> None:
    """Raise if names are those of classes, as detectors write them beside their numbers or alone.

    Names of files are images; others are, where each has several classes.
    """
    values = table.column(id_name).cast(pa.string()).drop_null()
    files = pc.match_substring_regex(values, _LIKE_A_FILE)
    kind = first_of(table.column_names, ("class", "class_id", "cls", *ANSWERS, "label"))
    if pc.mean(files).as_py() >= MOST or (kind is not None and not _paired(table, id_name, kind)):
        return
    shown = listed(map(str, pc.unique(values).slice(0, 5).to_pylist()))
    raise InvalidInput(
        f"a column must name the image of each detection; {id_name!r} seems to hold names of "
        f"classes: {shown}.",
        hint="add a column image before you save the table; or, if these are the images, set "
        f"source.key: {id_name}.",
    )


def _paired(table: pa.Table, name: str, other: str) -> bool:
    """Whether each value of a column has one of another, and the other way around."""
    return _determines(table, name, other) and _determines(table, other, name)


def _determines(table: pa.Table, name: str, other: str) -> bool:
    """Whether rows with the same value of a column have the same of another, if they have any."""
    if any(pa.types.is_nested(table.schema.field(one).type) for one in (name, other)):
        return True  # nobody can tell
    pairs = table.select([name, other]).drop_null()
    n_pairs = pairs.group_by([name, other]).aggregate([]).num_rows
    return bool(n_pairs == len(pc.unique(pairs.column(name))))


def _refuse_other_images(table: pa.Table, id_name: str, names: Sequence[str]) -> None:
    """Raise if rows of one id are of several images, videos or sizes."""
    sizes = [one for sides in SIZES[:2] for one in sides]
    for wanted in (*IMAGES, *_AROUND, *sizes):
        other = first_of(names, (wanted,))
        kind = None if other is None else table.schema.field(other).type
        if other is None or pa.types.is_nested(kind) or _determines(table, id_name, other):
            continue
        pairs = table.select([id_name, other]).drop_null().group_by(id_name)
        rows: Any = pairs.aggregate([(other, "distinct")])
        lists = rows.column(f"{other}_distinct").combine_chunks()
        at = int(np.argmax(pc.list_value_length(lists).to_numpy()))
        item, told = rows.column(id_name)[at].as_py(), lists[at].as_py()
        values = sorted(f"{one:g}" if isinstance(one, float) else str(one) for one in told)
        pair = f"; if each item is a pair of these, add a column with both, such as {values[0]}/"
        raise InvalidInput(
            f"a column must tell the items apart; {id_name!r} is {str(item)!r:.60} in rows whose "
            f"{other} is {listed(values)}.",
            hint=f"{_ASK}{'' if wanted in sizes else f'{pair}{item}'}.",
        )


def _refuse_few(table: pa.Table, id_name: str) -> None:
    """Raise if so few values repeat so often that they are no items."""
    known = pc.unique(table.column(id_name).drop_null())
    n_each = table.num_rows / len(known)
    flat = [field.name for field in table.schema if not pa.types.is_nested(field.type)]
    kind = first_of(flat, (*ANSWERS, "label"))
    few = len(known) == 1 or n_each > _MOST_ROWS
    if not few or kind is None or n_each <= len(pc.unique(table.column(kind))):
        return  # no classes, or a row for each class of an item
    values = map(str, known.slice(0, 5).to_pylist())
    raise InvalidInput(
        f"a column must tell the items apart; {id_name!r} is {listed(values)} in "
        f"{table.num_rows:,} rows.",
        hint=f"{_ASK}; if {id_name!r} is that column, set source.key: {id_name}.",
    )


def _refuse_numbers_of_rows(
    table: pa.Table, id_name: str, names: Sequence[str], *, boxed: bool
) -> None:
    """Raise if each row is a detection, and the ids are those of detections."""
    image = first_of(names, IMAGES)
    again = image is not None and not _determines(table, image, id_name)
    classed = first_of(names, (*ANSWERS, "label")) is not None
    if not (boxed or (again and classed)):
        return
    values = table.column(id_name).cast(pa.string()).drop_null()
    if image is None and pc.mean(pc.match_substring_regex(values, _LIKE_A_FILE)).as_py() >= MOST:
        return
    column = f"column {id_name!r}" if id_name else "the column without a name"
    raise InvalidInput(
        f"a column must name the image of each detection; {column} is another in every row"
        f"{f', and {image!r} repeats' if again else ''}.",
        hint=f"set source.key: {image or id_name} if that is the item of each row"
        f"{f', or source.key: {id_name} if each row is an item of its own' if image else ''}; else "
        "add a column image before you save the table.",
    )
