"""Lines of a word, a confidence and a box: VOC's comp4, DOTA, KITTI, MOT, VisDrone, and others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.support.folders import files_below
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import byte_blocks, decoded, guarded
from labelnext_adapters.files.content.oddities import MOST, Unusable, mostly
from labelnext_adapters.files.content.values import real
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.image_names import images_among
from labelnext_adapters.files.vision.boxes import around, from_corner, from_middle
from labelnext_adapters.files.vision.detections import Detections, class_of
from labelnext_adapters.files.vision.options import DetectionOptions
from labelnext_adapters.files.vision.yolo_lines import spaced

Form = Literal["corners", "middle", "sized", "unknown"]


class Place(NamedTuple):
    """Where a line has what.

    Attributes:
        sure: the confidence.
        first: where the box begins.
        end: where it ends.
        form: of the box: corners, a middle and a size, or a corner and a size.
        kind: the class; None if there is none, and the line begins with a frame.
        width: how many words a line has at least, if that doesn't follow.
    """

    sure: int
    first: int
    end: int
    form: Form = "corners"
    kind: int | None = 0
    width: int = 0


#: By how many words a line has; the middle and the size of a box are of named classes alone.
_PLACES = {
    6: (
        Place(1, 2, 6),
        Place(5, 1, 5),
        Place(4, 0, 4, kind=5),
        Place(1, 2, 6, "middle"),
        Place(5, 1, 5, "middle"),
    ),
    10: (Place(1, 2, 10), Place(9, 1, 9)),
    16: (Place(15, 4, 8),),
}
_IN_PIXELS = (Place(1, 2, 6, "unknown"), Place(5, 1, 5, "unknown"))
_MOT = Place(6, 2, 6, "sized", None)
_VISDRONE = Place(4, 0, 4, "sized", 5, width=8)
_OF_CLASS = re.compile(r"(?:.*_)?(?:det_[a-z0-9]+|Task\d)_(.+)$")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$")
_SAMPLED = 2000  # lines
_PIXELS = 2  # a fraction of an image is hardly larger
_NEAR = 0.02  # by which a box of a rounded middle and size may stand out of the image
_NO_CLASS = "its name must tell its class, as comp4_det_test_car.txt does"


def places_in(lines: Sequence[str]) -> set[Place]:
    """Where confidences and boxes may stand in these lines; nowhere if they are of YOLO or text.

    Example:
        >>> [place.sure for place in places_in(["car 0.9 10 20 50 40"])]
        [1]
        >>> places_in(["0 0.5 0.5 0.2 0.2 0.9"])
        set()
    """
    sampled = lines[:_SAMPLED]
    rows = [words_of(line) for line in sampled]
    rows = [row for row in rows if len(row) > 5 and all(map(_NUMBER.match, row[1:]))]
    if not rows or len(rows) <= 0.5 * len(sampled):
        return set()
    ((width, _),) = Counter(map(len, rows)).most_common(1)
    rows = [row for row in rows if len(row) == width]
    commas = sum(line.count(",") > 5 for line in sampled) > 0.5 * len(sampled)
    if len(rows[0]) == 8 and mostly(row[6:] == ["-1", "-1"] for row in rows):
        return {_VISDRONE}
    if _is_mot(rows, commas=commas):
        return {_MOT}
    large = max(float(word) for row in rows for word in row[1:])
    if width < 16 and large <= _PIXELS and all(_NUMBER.match(row[0]) for row in rows):
        return set()  # of YOLO
    found = {place for place in _PLACES.get(len(rows[0]), ()) if _fits(rows, place)}
    if not found and len(rows[0]) == 6:  # a middle or a corner, and a size, in pixels
        found = {place for place in _IN_PIXELS if _fits(rows, place)}
    return found


def _is_mot(rows: Sequence[Sequence[str]], *, commas: bool) -> bool:
    """Whether rows are a frame, a track, a corner and a size in pixels, and a confidence."""
    if not 7 <= len(rows[0]) <= 10:
        return False
    unused = len(rows[0]) == 10 and mostly(set(row[7:]) == {"-1"} for row in rows)
    whole = mostly(_is_whole(row[0]) and _is_whole(row[1]) for row in rows)
    if not whole or not (commas or unused) or _pixels(rows, _MOT) < 0.5:
        return False
    return mostly(float(row[4]) > 0 and float(row[5]) > 0 for row in rows)


def _is_whole(word: str) -> bool:
    return bool(_NUMBER.match(word)) and float(word).is_integer()


def _pixels(rows: Sequence[Sequence[str]], place: Place) -> float:
    """The share of the rows whose boxes must be in pixels, across and down."""
    boxes = [_numbers(row, place) for row in rows]
    return sum(min(max(box[0::2]), max(box[1::2])) > _PIXELS for box in boxes) / len(rows)


def _numbers(row: Sequence[str], place: Place) -> list[float]:
    words = row[place.first : place.end]
    return [float(word) if _NUMBER.match(word) else 0.0 for word in words]


def _fits(rows: Sequence[Sequence[str]], place: Place) -> bool:
    """Whether these numbers can be confidences, and those boxes."""
    if not mostly(0 <= float(row[place.sure]) <= 1 for row in rows):
        return False
    numbered = sum(bool(_NUMBER.match(row[0])) for row in rows) > 0.5 * len(rows)
    in_pixels = _pixels(rows, place) > 0.5
    if place.kind != 0:
        corner_first = not numbered or in_pixels
        if not corner_first or not mostly(_is_whole(row[place.kind or 0]) for row in rows):
            return False
    elif numbered and not in_pixels and len(rows[0]) < 16:
        return False  # of YOLO
    if place.form == "middle" and (numbered or in_pixels):
        return False
    if place.form == "unknown":
        return in_pixels and not mostly(_is_whole(row[place.sure]) for row in rows)
    return mostly(_is_box(_numbers(row, place), place.form) for row in rows)


def _is_box(numbers: Sequence[float], form: Form) -> bool:
    if form == "middle":
        (x, y, *size) = numbers
        return all(
            side >= 0 and middle - side / 2 >= -_NEAR and middle + side / 2 <= 1 + _NEAR
            for middle, side in zip((x, y), size, strict=True)
        )
    return len(numbers) > 4 or (numbers[0] <= numbers[2] and numbers[1] <= numbers[3])


def words_of(line: str) -> list[str]:
    """The words of a line, those of its class or image as one.

    Example:
        >>> words_of("traffic light 0.9 1 2 3 4")[:2]
        ['traffic light', '0.9']
    """
    words = spaced(line).split()
    at = len(words)
    while at > 1 and _NUMBER.match(words[at - 1]):
        at -= 1
    return [" ".join(words[:at]), *words[at:]] if words else []


def are_meant(lines: Sequence[str]) -> bool:
    """Whether lines have this form, though their confidences may be of another range."""
    rows = [words_of(line) for line in lines[:_SAMPLED]]
    like = [row for row in rows if len(row) in _PLACES and all(map(_NUMBER.match, row[1:]))]
    named = [row for row in like if not _NUMBER.match(row[0])]
    return len(named) > MOST * len(rows)


def class_told(path: Path) -> str | None:
    """The class that all lines of a file are of, by its name; None if its lines name classes.

    Example:
        >>> class_told(Path("comp4_det_test_car.txt")), class_told(Path("a.txt"))
        ('car', None)
    """
    told = _OF_CLASS.match(path.stem)
    return told[1] if told else None


def read_box_lines(path: Path, options: DetectionOptions) -> Pool:
    """The images, with their detections as objects.

    Args:
        path: a folder of text files, or one of them. A file named like comp4_det_test_car.txt or
            Task1_plane.txt is of one class, and its lines begin with their images; any other is of
            one image, and its lines begin with their classes.
        options: of the format.

    Raises:
        InvalidInput: if there are no such files, or it can't be told what lines begin with.
    """
    texts = _texts(path)
    lines = [line for text in texts.values() for line in text if line.strip()]
    places = places_in(lines)
    if len(places) != 1:
        said = "either of two numbers" if places else "none of the numbers, in most lines,"
        raise InvalidInput(
            "a line must be a class or an image, a confidence in [0, 1], and a box x1 y1 x2 y2; "
            f"{said} can be the confidence in {(lines or [''])[0]!r:.60}.",
            hint="divide percentages by 100; or write CSV with the columns image, class, "
            "confidence, x1, y1, x2, y2.",
        )
    (place,) = places
    if place is _MOT and all(words_of(line)[6:7] in (["0"], ["1"]) for line in lines):
        raise InvalidInput(
            "the seventh number of a line must be a confidence; it is 0 or 1 in all lines, as in "
            "ground truth, and in tracks without any.",
            hint="take the detections with their scores (det.txt).",
        )
    by_class = [file for file in texts if class_told(file) and place.kind == 0]
    if not by_class and place.kind == 0:
        _check_classes(texts, lines)
    gathered = Gathered("detection", classes=options.classes)
    small = mostly(
        all(abs(one) <= 1.5 for one in _numbers(words_of(line), place)) for line in lines
    )
    detections = Detections(gathered, options.image_size, fractions=small)
    videos = {file: _video(path, file) for file in texts} if len(texts) > 1 else {}
    for file, text in texts.items():
        kind = class_told(file) if by_class else None
        if by_class and kind is None:
            gathered.odd.seen += 1
            gathered.odd.leave_out(file.name, "", _NO_CLASS)
            continue
        if not by_class and place.kind is not None:
            gathered.nothing(gathered.item(file.stem))
        for number, line in enumerate(text, 1):
            words = words_of(line)
            if words:
                item = words[0] if kind else file.stem
                if place.kind is None:
                    item = "/".join([*videos.get(file, []), words[0]])
                with gathered.record(f"{file.name} line {number}", item):
                    _add(detections, item, kind, words, place, options.classes)
    if by_class or place.kind is None:
        what = "Images" if by_class else "Frames"
        message = f"{what} without a line are unknown: these files list only those with detections."
        gathered.notice("no_image_list", message)
    return detections.pool()


def _video(folder: Path, file: Path) -> list[str]:
    """What tells the frames of a video from those of others: its folder or its file's name."""
    parts = file.relative_to(folder).with_suffix("").parts
    inner = parts[-1:] in (("det",), ("gt",), ("pred",)) and len(parts) > 1
    named = [part for part in parts if part not in ("det", "gt")] if inner else list(parts)
    return named or [file.stem]


def _texts(path: Path) -> dict[Path, list[str]]:
    """The lines of a file, or of the text files of a folder; an error names the file."""
    names = sorted(n for n in files_below(path) if n.endswith(".txt")) if path.is_dir() else [""]
    files = {name: path / name if name else path for name in names}
    return {
        file: guarded(name or file.name, "text", partial(_text, file)).splitlines()
        for name, file in files.items()
    }


def _text(file: Path) -> str:
    data = b"".join(byte_blocks(file))
    return decoded(data) if data.strip() else ""


def _add(
    detections: Detections,
    item: str,
    of_file: str | None,
    words: Sequence[str],
    place: Place,
    classes: Sequence[str] | None,
) -> None:
    """The detection of a line."""
    needed = max(1 + place.sure, place.end, 1 + (place.kind or 0), place.width)
    if len(words) < needed:
        raise Unusable(f"it must have {needed} words; got {len(words)}")
    kind = of_file if of_file or place.kind is None else words[place.kind]
    if place.kind is None and not _is_whole(words[0]):
        raise Unusable(f"it must begin with the number of a frame; got {words[0]!r:.40}")
    if place.kind and kind is not None and _is_whole(kind):
        kind = str(int(float(kind)))
    sure = real(words[place.sure], "confidence")
    if place is _MOT and sure == -1:
        raise Unusable("its confidence is -1, which says that there is none")
    numbers = [real(word, "a corner") for word in words[place.first : place.end]]
    found = detections.found
    told = None if kind is None else class_of(kind, classes)
    detections.add(found.item(item), told, sure, _box_of(numbers, place.form))


def _box_of(numbers: Sequence[float], form: Form) -> list[float] | None:
    """Corners x1 y1 x2 y2."""
    if form == "corners":
        return around(numbers[0::2], numbers[1::2])
    if form == "unknown":
        return None
    box: list[float] = (from_middle if form == "middle" else from_corner)(*numbers)
    return box


def _check_classes(texts: dict[Path, list[str]], lines: Sequence[str]) -> None:
    """Refuse lines that seem to begin with images in files that don't tell a class.

    Raises:
        InvalidInput: if they do.
    """
    words = {words_of(line)[0] for line in lines}
    images = images_among(words)
    numbered = len(words) > len(texts) and all(any(map(str.isdigit, word)) for word in words)
    if images or numbered:
        raise InvalidInput(
            f"lines must begin with a class, and each file be of one image; {min(words)!r:.40} and "
            f"{counted(len(words) - 1, 'other word')} seem to be images.",
            hint="name files of one class like comp4_det_test_car.txt; that is how VOC and DOTA "
            "tell the class.",
        )
