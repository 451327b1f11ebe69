"""Lines of a word, a confidence and a box: VOC's comp4, DOTA, KITTI, and a text file an image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import read_text
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import real
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.vision.detections import Detections, around, class_of
from labelnext_adapters.files.vision.options import DetectionOptions
from labelnext_adapters.files.vision.yolo_folder import files_below, images_among

#: Where the confidence stands, and where the corners do, by how many words a line has.
_PLACES = {6: ((1, 2, 6), (5, 1, 5)), 10: ((1, 2, 10), (9, 1, 9)), 16: ((15, 4, 8),)}
_OF_CLASS = re.compile(r"(?:.*_)?(?:det_[a-z0-9]+|Task\d)_(.+)$")
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$")
_SAMPLED = 2000  # lines
_TELLING = 5  # boxes; of fewer, a middle and a size may look like corners by chance
_NO_CLASS = "its name must tell its class, as comp4_det_test_car.txt does"

Place = tuple[int, int, int]


def places_in(lines: Sequence[str]) -> set[Place]:
    """Where confidences and corners may stand in these lines; nowhere if they are of YOLO or text.

    Example:
        >>> places_in(["car 0.9 10 20 50 40"]), places_in(["0 0.5 0.5 0.2 0.2 0.9"])
        ({(1, 2, 6)}, set())
    """
    rows = [words_of(line) for line in lines[:_SAMPLED]]
    rows = [row for row in rows if len(row) in _PLACES and all(map(_NUMBER.match, row[1:]))]
    if not rows or len(rows) < 0.9 * len(lines[:_SAMPLED]):
        return set()
    n_words = len(rows[0])
    rows = [row for row in rows if len(row) == n_words]
    found = {
        place
        for place in _PLACES[n_words]
        if sum(0 <= float(row[place[0]]) <= 1 for row in rows) >= 0.9 * len(rows)
    }
    if len(found) > 1 and len(rows) >= _TELLING:  # of fractions: boxes show which they are
        found = {place for place in found if all(_is_box(row[place[1] : place[2]]) for row in rows)}
    if n_words < 16 and all(row[0].isdecimal() for row in rows):  # of YOLO, unless in pixels
        pixels = sum(max(map(float, row[p[1] : p[2]])) > 2 for row in rows for p in found)
        return found if pixels > 0.5 * len(rows) * len(found) else set()
    return found


def words_of(line: str) -> list[str]:
    """The words of a line, those of its class or image as one.

    Example:
        >>> words_of("traffic light 0.9 1 2 3 4")[:2]
        ['traffic light', '0.9']
    """
    words = line.split()
    at = len(words)
    while at > 1 and _NUMBER.match(words[at - 1]):
        at -= 1
    return [" ".join(words[:at]), *words[at:]] if words else []


def _is_box(corners: Sequence[str]) -> bool:
    numbers = [float(one) for one in corners]
    return len(numbers) > 4 or (numbers[0] <= numbers[2] and numbers[1] <= numbers[3])


def are_meant(lines: Sequence[str]) -> bool:
    """Whether lines have this form, though their confidences may be of another range."""
    rows = [words_of(line) for line in lines[:_SAMPLED]]
    like = [row for row in rows if len(row) in _PLACES and all(map(_NUMBER.match, row[1:]))]
    named = [row for row in like if not row[0].isdecimal()]
    return len(named) > 0.9 * len(rows)


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
    names = sorted(n for n in files_below(path) if n.endswith(".txt")) if path.is_dir() else [""]
    files = [path / name if name else path for name in names]
    texts = {file: _text(file).splitlines() for file in files}
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
    by_class = [file for file in files if class_told(file)]
    if not by_class:
        _check_classes(texts, lines)
    gathered = Gathered("detection", classes=options.classes)
    small = all(abs(float(one)) <= 1.5 for line in lines for one in _corners(line, place))
    detections = Detections(gathered, options.image_size, fractions=small)
    for file, text in texts.items():
        kind = class_told(file)
        if by_class and kind is None:
            gathered.odd.seen += 1
            gathered.odd.leave_out(file.name, "", _NO_CLASS)
            continue
        if kind is None:
            gathered.nothing(gathered.item(file.stem))
        for number, line in enumerate(text, 1):
            words = words_of(line)
            if words:
                item = file.stem if kind is None else words[0]
                with gathered.record(f"{file.name} line {number}", item):
                    _add(
                        detections, item, class_of(kind or words[0], options.classes), words, place
                    )
    if by_class:
        message = "Images without a line are unknown: these files list only those with detections."
        gathered.notice("no_image_list", message)
    return detections.pool()


def _text(file: Path) -> str:
    return read_text(file) if file.stat().st_size else ""


def _corners(line: str, place: Place) -> list[str]:
    words = words_of(line)[place[1] : place[2]]
    return [word for word in words if _NUMBER.match(word)]


def _add(
    detections: Detections, item: str, kind: object, words: Sequence[str], place: Place
) -> None:
    """The detection of a line."""
    sure, first, end = place
    if len(words) < max(sure + 1, end):
        raise Unusable(f"it must have {max(sure + 1, end)} words; got {len(words)}")
    numbers = [real(word, "a corner") for word in words[first:end]]
    box = around(numbers[0::2], numbers[1::2])
    detections.add(detections.found.item(item), kind, real(words[sure], "confidence"), box)


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
