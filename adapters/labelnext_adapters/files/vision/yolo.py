"""A folder of YOLO text files to a Pool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, NotFound, listed
from labelnext.pool.masks import Mask, mask_of
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import decoded
from labelnext_adapters.files.content.oddities import FEW, ROUNDING, Oddities, Unusable
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.tables.vectors import usable_boxes
from labelnext_adapters.files.vision.yolo_folder import DataFile, stem_of
from labelnext_adapters.files.vision.yolo_layout import (
    Layout,
    boxes_of,
    confidence_last,
    confidence_places,
    layout_of,
    polygons_of,
)
from labelnext_adapters.files.vision.yolo_lines import Lines, numbers_of, spaced
from labelnext_adapters.files.vision.yolo_runs import (
    SAVE,
    Items,
    Run,
    items_of,
    run_of,
    version_names,
)

if TYPE_CHECKING:
    from labelnext_adapters.files.vision.options import YoloOptions

_MOST_CLASSES = 100_000  # without names; a larger number is no class
_SIDE = 640  # pixels of the masks, as large as images are when they are predicted
_CLASSIFIED = re.compile(rb"\s*([01](?:\.\d+)?)\s+(\S.*?)\s*$")


def read_yolo(
    paths: Sequence[Path], options: YoloOptions, data: Path | None, images: Path | None
) -> Pool:
    """The images, with their detections as objects, or with the scores of their classes.

    Args:
        paths: one for each model version, the newest last: the folder of the text files, or the one
            above it. A version didn't see an image of which it has no text file, unless the image
            is found as its own.
        options: of the format.
        data: the data.yaml, if it is stated.
        images: the folder of the newest version's images, if it is stated.

    Raises:
        NotFound: if a stated file or folder does not exist.
        InvalidInput: if a folder has no text files, or these have no confidence.
    """
    runs = []
    for path in paths:
        if not path.exists():
            raise NotFound(f"older must be folders; got {str(path)!r}, which does not exist.")
        with _naming(path, paths):
            runs.append(run_of(path, data, images if path is paths[-1] else None))
    described = _described(runs)
    names = _class_names(options.classes, described)
    all_items = items_of(runs)
    versions = version_names(paths) if len(paths) > 1 else [""]
    classified = [_are_classified(run.contents) for run in runs]
    if options.task == "classify" or (options.task is None and any(classified)):
        return _classified(runs, all_items, names, versions)
    lines = [confidence_last(numbers_of(run.contents), options.confidence) for run in runs]
    notices: list[Notice] = []
    classes, places = _numbered(names, lines, notices)
    sets = []
    layouts = [
        _layout(part, options, described, run.folder) for part, run in zip(lines, runs, strict=True)
    ]
    pointed = all(one is not None and one.task in ("segment", "obb") for one in layouts)
    for path, run, part, items, layout in zip(paths, runs, lines, all_items, layouts, strict=True):
        with _naming(path, paths):
            sets.append(
                _detected(
                    part,
                    run.texts,
                    items,
                    places,
                    layout,
                    notices,
                    pointed and len(runs) > 1,
                )
            )
    if any(one.masks is None for one in sets):
        sets = [replace(one, masks=None) for one in sets]
    ids, shared = all_items[0].ids, classes or None
    if len(sets) > 1:
        return Pool(ids, objects=tuple(sets), classes=shared, versions=versions, notices=notices)
    missing = sets[0].missing
    columns: dict[str, Any] = {"missing": missing} if missing is not None else {}
    alone = replace(sets[0], missing=None)
    return Pool(ids, objects=alone, classes=shared, notices=notices, **columns)


@contextmanager
def _naming(path: Path, paths: Sequence[Path]) -> Iterator[None]:
    """Errors name an older folder; the caller adds the newest."""
    try:
        yield
    except InvalidInput as error:
        if path is not paths[-1]:
            error.message = f"{path.name}: {error.message}"
        raise


def _described(runs: Sequence[Run]) -> DataFile | None:
    """The data.yaml of the newest run that has one; the others must name the same classes."""
    files = [run.data for run in reversed(runs) if run.data is not None]
    named = [file for file in files if file.names is not None]
    for file in named[1:]:
        if file.names != named[0].names:
            raise InvalidInput(
                f"all versions must have the same classes; {named[0].path.as_posix()!r} and "
                f"{file.path.as_posix()!r} differ.",
                hint="set source.data to the file that names the classes of all.",
            )
    return next(iter(named or files), None)


def _layout(
    lines: Lines, options: YoloOptions, data: DataFile | None, folder: Path
) -> Layout | None:
    """The layout of the lines; None if there are none with numbers."""
    if not lines.widths.any():
        return None
    task = options.task
    if task is None:  # as in runs/pose/predict/labels
        said = {"pose", "segment"} & {part.rstrip("0123456789") for part in folder.parts[-4:]}
        task = "pose" if said == {"pose"} else "segment" if said == {"segment"} else None
    return layout_of(lines, task, None if data is None else data.key_points)


def _class_names(stated: Sequence[str] | None, data: DataFile | None) -> Mapping[int, str] | None:
    return dict(enumerate(stated)) if stated is not None else None if data is None else data.names


def _detected(
    lines: Lines,
    texts: Sequence[str],
    items: Items,
    places: NDArray[np.int64],
    layout: Layout | None,
    notices: list[Notice],
    masked: bool,
) -> Objects:
    """The detections in these lines; adds to the notices."""
    odd = Oddities("line", seen=len(lines))
    notices += items.notices
    rows = items.of_text[lines.files]
    good: NDArray[np.bool_] = np.zeros(len(lines), dtype=bool)
    confidences, kinds = np.full(len(lines), np.nan), np.full(len(lines), -1, dtype=np.int64)
    at: NDArray[np.int64] = np.full(len(lines), -2, dtype=np.int64)
    if layout is not None:
        at = confidence_places(lines, layout)
        _refuse_labels(lines, at)
        has = np.flatnonzero(at >= 0)
        confidences[has] = lines.at(at[has], has)
        kinds[has] = _positions(lines.at(0, has), places)
        sure = (confidences >= -ROUNDING) & (confidences <= 1 + ROUNDING)
        good = (at >= 0) & sure & (kinds >= 0) & (rows >= 0)
    for line in np.flatnonzero(~good).tolist():
        why = _why(lines, line, at, confidences, rows, layout, places)
        text = texts[lines.files[line]]
        item = "" if rows[line] < 0 else items.ids[rows[line]]
        odd.leave_out(f"{text} line {lines.numbers[line]}", item, why)
    notices += odd.notices(_cure(lines, confidences))
    used = np.flatnonzero(good)
    used = used[np.argsort(rows[used], kind="stable")]
    boxes: NDArray[np.float64] = np.zeros((0, 4))
    if layout is not None:
        boxes = _usable(boxes_of(lines, layout, used), used, lines, texts, items, notices)
    counts = np.bincount(rows[used], minlength=len(items.ids))
    lost = np.zeros(len(items.ids), dtype=bool)  # all that was said of them was left out
    lost[rows[(rows >= 0) & ~good]] = True
    lost |= _of_shared_stems(items)
    masks = None
    if masked and layout is not None:
        masks = _masks(polygons_of(lines, layout, used), boxes, notices)
    missing = (lost | items.unseen) & (counts == 0)
    return Objects(
        np.concatenate([[0], np.cumsum(counts)]),
        np.clip(confidences[used], 0, 1),
        class_ids=kinds[used],
        boxes=boxes if len(boxes) else None,
        masks=masks,
        missing=missing if missing.any() else None,
    )


def _of_shared_stems(items: Items) -> NDArray[np.bool_]:
    """Images that share the name of a text file, so that nobody knows whose it is."""
    if (items.of_text >= 0).all():
        return np.zeros(len(items.ids), dtype=bool)
    stems = [stem_of(name) for name in items.ids]
    met: dict[str, int] = {}
    for stem in stems:
        met[stem] = met.get(stem, 0) + 1
    return np.array([met[stem] > 1 for stem in stems], dtype=bool)


def _numbered(
    names: Mapping[int, str] | None, versions: Sequence[Lines], notices: list[Notice]
) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the classes, and the position of each class number; −1 where there is no class."""
    if names is not None:
        numbers = sorted(n for n in names if 0 <= n < _MOST_CLASSES)
        places = np.full(numbers[-1] + 1 if numbers else 0, -1, dtype=np.int64)
        places[numbers] = np.arange(len(numbers))
        return [names[number] for number in numbers], places
    met = np.concatenate([lines.values[lines.starts[lines.widths > 0]] for lines in versions])
    met = met[(met >= 0) & (met < _MOST_CLASSES)]
    n_classes = int(met.max()) + 1 if len(met) else 0
    if n_classes:
        message = (
            "Classes are named by their numbers, because no data.yaml was found; source.data or "
            "source.classes names them."
        )
        notices.append(Notice("derived_classes", message))
    return [str(number) for number in range(n_classes)], np.arange(n_classes)


def _positions(numbers: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    whole = (numbers >= 0) & (numbers < len(places)) & (numbers == np.floor(numbers))
    positions = np.full(len(numbers), -1, dtype=np.int64)
    positions[whole] = places[numbers[whole].astype(np.int64)]
    return positions


def _refuse_labels(lines: Lines, at: NDArray[np.int64]) -> None:
    bare = int((at == -1).sum())
    if bare <= FEW * len(lines):
        return
    amount = "no line has" if bare == len(lines) else f"{bare:,} of {len(lines):,} lines have no"
    raise InvalidInput(
        f"the text files must hold predictions with a confidence; {amount} confidence, so these "
        "are labels, not predictions.",
        hint=SAVE,
    )


def _why(
    lines: Lines,
    line: int,
    at: NDArray[np.int64],
    confidences: NDArray[np.float64],
    rows: NDArray[np.int64],
    layout: Layout | None,
    places: NDArray[np.int64],
) -> str:
    """Why a line can't be used."""
    if lines.widths[line] == 0 or layout is None:
        return "it must be numbers"
    if at[line] == -1:
        return "it has no confidence"
    if at[line] == -2:
        return f"it must have the numbers {layout.in_words}; it has {lines.widths[line]}"
    if not -ROUNDING <= confidences[line] <= 1 + ROUNDING:
        return f"confidence must be in [0, 1]; got {confidences[line]:g}"
    if rows[line] < 0:
        return "several images have its name, so that it could be about any of them"
    number = lines.values[lines.starts[line]]
    return f"the class must be one of {listed(np.flatnonzero(places >= 0))}; got {number:g}"


def _cure(lines: Lines, confidences: NDArray[np.float64]) -> str | None:
    """What to do where most lines can't be used."""
    values = confidences[~np.isnan(confidences)]
    wrong = values[(values < 0) | (values > 1)]
    if len(wrong) and (lines.widths == 6).mean() > 0.5 and (wrong == np.round(wrong)).all():
        return f"the last number seems to be a percentage, or the id of a track: {SAVE}"
    return "divide percentages by 100." if len(wrong) and wrong.min() > 1 else None


def _usable(
    boxes: NDArray[np.float64],
    used: NDArray[np.intp],
    lines: Lines,
    texts: Sequence[str],
    items: Items,
    notices: list[Notice],
) -> NDArray[np.float64]:
    """Boxes, NaN where one can't be used."""
    bad = ~usable_boxes(boxes)
    if not bad.any():
        return boxes
    boxes = boxes.copy()
    which = used[bad]
    shown = "; ".join(
        f"{texts[lines.files[line]]} line {lines.numbers[line]}" for line in which[:5].tolist()
    )
    message = (
        f"Left out {counted(len(which), 'box', 'boxes')}, but not the objects in them, because "
        f"boxes must be fractions of the image and overlap it: {shown}."
    )
    ids = (items.ids[row] for row in items.of_text[lines.files[which]].tolist())
    notices.append(Notice("bad_boxes", message, tuple(dict.fromkeys(ids))))
    boxes[bad] = np.nan
    return boxes


def _masks(
    polygons: Sequence[NDArray[np.float64]], boxes: NDArray[np.float64], notices: list[Notice]
) -> list[Mask] | None:
    """Polygons as masks of a square image, which serves: scaling an axis keeps every overlap."""
    if not np.isnan(boxes).any():
        try:
            return [mask_of([(p * _SIDE).tolist()], _SIDE, _SIDE) for p in polygons]
        except InvalidInput:
            pass
    message = "Compared shapes by the boxes around them, because some can't be used as masks."
    notices.append(Notice("bad_masks", message))
    return None


def _are_classified(contents: Sequence[bytes]) -> bool:
    """Whether the first lines are probabilities with the name of a class."""
    lines = [line for data in contents[:50] for line in data.splitlines() if line.strip()]
    named = [_CLASSIFIED.match(line) is not None and not _is_object(line) for line in lines]
    return sum(named) > 0.5 * len(lines)


def _is_object(line: bytes) -> bool:
    """Whether a line is five or more numbers."""
    try:
        return len([float(token) for token in spaced(line.decode("latin-1")).split()]) >= 5
    except ValueError:
        return False


def _classified(
    runs: Sequence[Run],
    all_items: Sequence[Items],
    names: Mapping[int, str] | None,
    versions: Sequence[str],
) -> Pool:
    """The pool of images with the scores of their likeliest classes."""
    told = [[_scores(data) for data in run.contents] for run in runs]
    known = None if names is None else names.values()
    gathered = Gathered("text file", classes=known, likeliest=True)
    for name in all_items[0].ids:
        gathered.item(name)
    for run, items, scores_of_run, version in zip(runs, all_items, told, versions, strict=True):
        gathered.notices += items.notices
        for scores, text, row in zip(scores_of_run, run.texts, items.of_text.tolist(), strict=True):
            where = f"{version}/{text}" if version else text
            with gathered.record(where, "" if row < 0 else items.ids[row]):
                if row < 0:
                    raise Unusable("several images have its name")
                if isinstance(scores, Unusable):
                    raise scores
                gathered.scores(row, scores, version)
    return gathered.pool()


def _scores(data: bytes) -> dict[str, float] | Unusable:
    """The scores by class, or why there are none."""
    scores = {}
    try:
        lines = decoded(data).splitlines()
    except InvalidInput as error:
        return Unusable(error.message.rstrip("."))
    for line in filter(str.strip, lines):
        told = _CLASSIFIED.match(line.encode("utf-8"))
        if told is None:
            return Unusable(f"a line must be a probability and a class; got {line!r:.60}")
        scores[told[2].decode("utf-8")] = float(told[1])
    return scores
