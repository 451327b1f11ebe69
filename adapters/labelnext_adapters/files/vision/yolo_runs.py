"""The runs of one model or several over YOLO images: their folders, text files and items."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.support.folders import files_below
from labelnext.support.words import counted
from labelnext_adapters.files.vision.yolo_folder import (
    DataFile,
    find_data,
    images_of,
    stem_of,
    text_folders,
    texts_among,
)
from labelnext_adapters.files.vision.yolo_lines import contents_of

SAVE = "predict again with save_txt=True save_conf=True."


@dataclass(frozen=True)
class Run:
    """The text files of one model version.

    Attributes:
        folder: of the text files.
        texts: their names.
        contents: their bytes.
        images: that were predicted, as far as they are found.
        data: the data.yaml, if there is one.
    """

    folder: Path
    texts: list[str]
    contents: list[bytes]
    images: set[str]
    data: DataFile | None

    @property
    def stems(self) -> list[str]:
        """The names of the text files without their endings."""
        return [name[:-4] for name in self.texts]


@dataclass(frozen=True)
class Items:
    """The items, and which of them each text file of a run predicts.

    Attributes:
        ids: of the items.
        of_text: shape (n_texts,), the row of each text file's item, −1 if several images share it.
        unseen: shape (n_items,), items of other runs, of which this one has no text file and no
            image.
        notices: of text files without an image.
    """

    ids: list[str]
    of_text: NDArray[np.int64]
    unseen: NDArray[np.bool_]
    notices: list[Notice]


def run_of(path: Path, data: Path | None, images: Path | None) -> Run:
    """The text files of a folder.

    Args:
        path: the folder of the text files, or the one above it.
        data: the data.yaml, if it is stated.
        images: the folder of the images, if it is stated.

    Raises:
        NotFound: if a stated file or folder does not exist.
        InvalidInput: if the folder has no text files, or is of several runs.
    """
    if not path.is_dir():
        raise InvalidInput(
            "path must be the folder of the text files; it is one of them.",
            hint=f"set source.path to {path.parent.as_posix()!r}.",
        )
    folder, *others = text_folders(path)
    if others:
        runs = [one.relative_to(path).as_posix() for one in (folder, *others)]
        raise InvalidInput(
            f"path must be the folder of one run; {path.name!r} holds {listed(runs)}.",
            hint=f"set source.path to one of them, such as {(path / runs[-1]).as_posix()!r}.",
        )
    names = list(files_below(folder))
    texts = sorted(texts_among(names))
    if not texts:
        raise InvalidInput(
            "the folder must hold a .txt file for each image, or a folder labels with them; it "
            "has none.",
            hint=f"{SAVE[:-1]}; for images without predictions, set source.format: images, "
            "source.model: probe and source.embeddings: {from: images}.",
        )
    described = find_data(folder, data)
    images_here = images_of(folder, names, described, images)
    return Run(folder, texts, contents_of(folder, texts), images_here, described)


def version_names(paths: Sequence[Path]) -> list[str]:
    """The names of runs: of their folders, with as many of those above as tell them apart.

    Example:
        >>> version_names([Path("runs/v1/labels"), Path("runs/v2/labels")])
        ['v1', 'v2']
        >>> version_names([Path("v1/predict"), Path("v2/predict")])
        ['v1/predict', 'v2/predict']
    """
    parts = [path.parts[:-1] if path.name == "labels" else path.parts for path in paths]
    for depth in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(one[-depth:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    raise InvalidInput(
        f"older must be other folders than path; got {listed(p.as_posix() for p in paths)}."
    )


def items_of(runs: Sequence[Run]) -> list[Items]:
    """The images of all runs, and text files without one, for each run.

    An id is the image's file name, as the newest run has it, else the text file's stem.

    Args:
        runs: the newest last.
    """
    images: set[str] = set()
    known: set[str] = set()
    for run in reversed(runs):
        images |= {name for name in run.images if stem_of(name) not in known}
        known = {stem_of(name) for name in images}
    by_stem: dict[str, str | None] = {}
    for image in sorted(images):
        stem = stem_of(image)
        by_stem[stem] = None if stem in by_stem else image
    stems_of = [_as_spelled(run.stems, by_stem) for run in runs]
    alone = {stem for told in stems_of for stem in told if stem not in by_stem}
    stems = {**{image: stem_of(image) for image in images}, **{stem: stem for stem in alone}}
    ids = sorted(stems)
    rows = {name: row for row, name in enumerate(ids)}
    items = []
    for run, told in zip(runs, stems_of, strict=True):
        owners = [by_stem.get(stem, stem) for stem in told]
        of_text = np.array([-1 if name is None else rows[name] for name in owners], dtype=np.int64)
        seen = {*told, *_as_spelled([stem_of(name) for name in run.images], by_stem)}
        unseen = np.array([stems[name] not in seen for name in ids], dtype=bool)
        notices = []
        alone_here = sorted(alone.intersection(told))
        if images and alone_here:
            message = (
                f"{counted(len(alone_here), 'text file')} have no image; their ids are their names."
            )
            notices.append(Notice("without_image", message, tuple(alone_here)))
        items.append(Items(ids, of_text, unseen, notices))
    return items


def _as_spelled(stems: Sequence[str], known: Collection[str]) -> list[str]:
    """Stems as they are known: macOS writes an accent as a sign of its own, others don't."""
    strange = [stem for stem in stems if stem not in known and not stem.isascii()]
    if not strange:
        return list(stems)
    composed = {unicodedata.normalize("NFC", stem): stem for stem in known}
    return [
        stem if stem in known else composed.get(unicodedata.normalize("NFC", stem), stem)
        for stem in stems
    ]
