"""Options that formats of detections share."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveInt

from labelnext.adapter.options import Options


class DetectionOptions(Options):
    """Keys of `source` for files of detections."""

    classes: list[str] | None = None
    """Class names by their numbers, where the file has numbers only."""
    image_size: tuple[PositiveInt, PositiveInt] | None = None
    """Width and height of all images in pixels, where the file doesn't have them."""


class YoloOptions(Options):
    """Keys of `source` for YOLO text files."""

    data: Path | None = None
    """The data.yaml that names the classes of YOLO text files; null looks beside and above them."""
    image_folder: Path | None = None
    """Folder of the images of YOLO text files; null looks beside them and where data.yaml says."""
    classes: list[str] | None = None
    """Class names by their numbers; null takes them from data.yaml."""
    older: list[Path] = Field(default_factory=list)
    """Folders of YOLO text files of older model versions, oldest first; with `path` they form a
    committee."""
    task: Literal["detect", "segment", "pose", "obb", "classify"] | None = None
    """What YOLO text files hold; null goes by their numbers."""
    confidence: Literal["last", "second"] | None = None
    """Which number of a line of a YOLO text file is the confidence of its box; null goes by where
    the boxes lie."""
