"""Broken files of vision tools end in a pool that is ranked right or in an error that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.formats import told
from tests.formats.broken import try_broken
from tests.formats.independent import FIXTURES

#: How plain lines read the fixtures of each vision tool.
READERS: dict[str, Callable[[Path], told.Told]] = {
    "cvat": told.cvat,
    "mmdetection": lambda place: told.of_documents(place, told.arrays),
    "pickle": lambda place: told.of_documents(
        place, told.by_class if place.name == "mmdetection_2.pkl" else told.arrays
    ),
    "roboflow": lambda place: told.of_documents(place, told.results),
    "supervision": lambda place: (
        told.of_documents(place, told.arrays) if "arrays" in place.name else told.sink(place)
    ),
    "torchvision": lambda place: told.of_documents(place, told.arrays),
    "ultralytics": lambda place: (
        told.sink(place)
        if place.stem in ("flat", "table")
        else told.of_documents(place, told.results)
    ),
    "voc": told.voc,
    "yolo": told.yolo,
}
PLACES = [(place, kind) for kind in READERS for place in sorted((FIXTURES / kind).iterdir())]
FILES = {
    kind: [
        (place, path)
        for place, own in PLACES
        for path in ([place] if place.is_file() else sorted(place.rglob("*")))
        if own == kind and path.is_file() and path.suffix not in (".jpg", ".png")
    ]
    for kind in READERS
}


def test_a_broken_file_is_ranked_right_or_refused() -> None:
    try_broken(READERS, FILES, tries=1000, compared=3)
