"""Where a YOLO folder has its text files, its images and the names of its classes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from labelnext.errors import InvalidInput, NotFound
from labelnext.support.files import real_path
from labelnext.support.folders import files_below
from labelnext_adapters.files.content.content import guarded, read_text
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import name_text
from labelnext_adapters.files.image_names import images_among

_OTHER_TEXTS = ("classes.txt", "labels.txt", "notes.txt", "predictions.txt", "requirements.txt")
_DATA = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_MOST = 2_000_000  # files of a folder that data.yaml names
_MET = 50_000  # files of a folder that are looked at for a folder of text files
_UP = 3  # folders above the text files where data.yaml is looked for


@dataclass(frozen=True)
class DataFile:
    """What a data.yaml says.

    Attributes:
        path: of the file.
        names: of the classes, by number; None if it names none.
        key_points: how many key points a pose has, and numbers of each.
        image_folders: of its splits.
    """

    path: Path
    names: dict[int, str] | None
    key_points: tuple[int, ...] | None
    image_folders: tuple[Path, ...]


class _Loader(yaml.SafeLoader):
    """Plain YAML without aliases, which can stand for more than memory holds.

    Scalars are texts, so that a class called `no` or `007` keeps its name.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012  # as of the base class
        sign: [rule for rule in rules if rule[0] == "tag:yaml.org,2002:null"]
        for sign, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases aren't read")
        return super().compose_node(parent, index)


def text_folders(path: Path) -> list[Path]:
    """The folders of text files: `labels` in this one, this one, or all `labels` below it."""
    inner = path / "labels"
    if path.name != "labels" and inner.is_dir():
        return [inner]
    if any(texts_among(files_below(path, deep=False))):
        return [path]
    parents = {name.rpartition("/")[0] for name in texts_among(islice(files_below(path), _MET))}
    bases = {parent.partition("labels")[0] for parent in parents if "labels" in parent.split("/")}
    return [path / f"{parent}labels" for parent in sorted(bases)] or [path]


def texts_among(names: Iterable[str]) -> Iterator[str]:
    """The names of files that may hold predictions: text files that aren't lists of classes."""
    for name in names:
        if name.endswith((".txt", ".TXT")):
            base = name.rpartition("/")[2].lower()
            if base not in _OTHER_TEXTS and not base.startswith("readme"):
                yield name


def images_of(
    texts: Path, names: Sequence[str], data: DataFile | None, stated: Path | None
) -> set[str]:
    """The images that were predicted, by the names of their files.

    They are looked for beside the folder of the text files, as `predict` writes them; in `images`
    in place of `labels`; in the folders of data.yaml; and among the text files.

    Args:
        texts: folder of the text files.
        names: of the files in it.
        data: the data.yaml.
        stated: the folder of the images, if it is known.

    Raises:
        NotFound: if the stated folder does not exist.
    """
    if stated is not None:
        if not stated.is_dir():
            raise NotFound(
                f"image_folder must be a folder; got {str(stated)!r}, which does not exist."
            )
        return images_among(files_below(stated))
    if texts.name == "labels" and (beside := images_among(files_below(texts.parent, deep=False))):
        return beside
    folder = _in_place_of(texts)
    if folder is not None:
        return images_among(files_below(folder))
    return _of_splits(names, data) or images_among(names)


def _in_place_of(texts: Path) -> Path | None:
    """The folder `images` in place of `labels`, if there is one."""
    parts = list(texts.parts)
    if "labels" not in parts:
        return None
    parts[len(parts) - 1 - parts[::-1].index("labels")] = "images"
    folder = Path(*parts)
    return folder if folder.is_dir() else None


def folders_of_images(path: Path, stated: Path | None) -> list[Path]:
    """The folders where `images_of` looks for the images.

    Args:
        path: the folder of the text files, or the one above it.
        stated: the data.yaml, if it is known.
    """
    texts = text_folders(path)[0]
    beside, data = _in_place_of(texts), find_data(texts, stated)
    near = [texts.parent, *([] if beside is None else [beside])]
    return [*near, *(data.image_folders if data else ()), texts]


def _of_splits(names: Sequence[str], data: DataFile | None) -> set[str]:
    """Images of the splits that the text files belong to."""
    splits = [images_among(_few(f)) for f in (data.image_folders if data else ())]
    images: set[str] = set()
    waiting = {stem_of(name) for name in texts_among(names)} if splits else set()
    while splits and waiting:
        fitting = max(splits, key=lambda names: len(waiting & set(map(stem_of, names))))
        matched = waiting & set(map(stem_of, fitting))
        if not matched:
            break
        images |= fitting
        waiting -= matched
        splits.remove(fitting)
    return images


def _few(folder: Path) -> list[str]:
    """The files of a folder that a data.yaml names: a wrong one may hold all of a machine's."""
    names = list(islice(files_below(folder), _MOST + 1))
    if len(names) > _MOST:
        raise InvalidInput(
            f"data.yaml must name folders of at most {_MOST:,} files; {str(folder)!r} has more.",
            hint="set source.image_folder to the folder of the images.",
        )
    return names


def stem_of(name: str) -> str:
    """A file's name without its ending, with the folders before it."""
    return os.path.splitext(name)[0]


def find_data(texts: Path, stated: Path | None) -> DataFile | None:
    """The data.yaml: the stated one, else the first beside or above the text files.

    Raises:
        NotFound: if the stated one does not exist.
        InvalidInput: if it is broken.
    """
    if stated is not None:
        if not stated.is_file():
            raise NotFound(f"data must be a file; got {str(stated)!r}, which does not exist.")
        return _read(stated)
    path = data_path(texts)
    return None if path is None else _read(path)


def data_path(texts: Path) -> Path | None:
    """The first data.yaml beside or above the text files, or the list classes.txt."""
    above = list(texts.absolute().parents)
    runs = next((n for n, one in enumerate(above[: _UP + 1]) if one.name == "runs"), 0)
    folders = [texts, *above[: max(_UP, runs + 2)]]  # where `yolo predict` was run, too
    places = [folder / name for folder in folders for name in _DATA]
    return next((p for p in [*places, texts / "classes.txt"] if p.is_file()), None)


def _read(path: Path) -> DataFile:
    read: DataFile = guarded(path.name, "YAML", lambda: _data_file(path))
    return read


def _data_file(path: Path) -> DataFile:
    if path.suffix == ".txt":
        lines = [line.strip() for line in read_text(path).splitlines()]
        return DataFile(path, dict(enumerate(filter(None, lines))), None, ())
    value = _parsed(read_text(path))
    if not isinstance(value, dict):
        raise InvalidInput("it must hold keys such as names and val.")
    root = path.parent
    if isinstance(stated := value.get("path"), str) and (root / stated).is_dir():
        root /= stated
    splits = [value.get(split) for split in ("test", "val", "train")]
    entries = [one for split in splits for one in (split if isinstance(split, list) else [split])]
    folders = [_folder(root, one) for one in entries if isinstance(one, str)]
    shape = value.get("kpt_shape")
    key_points = None
    if isinstance(shape, list) and shape and all(str(n).isdecimal() and int(n) for n in shape):
        key_points = tuple(map(int, shape))
    existing = tuple(folder for folder in folders if folder is not None)
    return DataFile(path, _names(value.get("names")), key_points, existing)


def _parsed(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # a safe loader, of our own
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f"line {mark.line + 1}: "
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise InvalidInput(f"it must be YAML; {where}{problem}.") from error


def _folder(root: Path, entry: str) -> Path | None:
    """A folder of images; Roboflow writes ../val/images for what is in val/images.

    Never the whole machine: `/` is a mistake.
    """
    places = [root / entry, *([root / entry[3:]] if entry.startswith("../") else [])]
    found = next((folder for folder in places if folder.is_dir()), None)
    return None if found is None or len(real_path(found).parts) == 1 else found


def _names(value: Any) -> dict[int, str] | None:
    if value is None:
        return None
    if not isinstance(value, list | dict) or not value:
        raise InvalidInput(f"names must be a list of class names; got {value!r:.80}.")
    pairs = enumerate(value) if isinstance(value, list) else value.items()
    try:
        names = {int(number): name_text(name) for number, name in pairs}
    except (Unusable, TypeError, ValueError) as error:
        raise InvalidInput(f"names must be a list of class names; {error}.") from error
    if len(set(names.values())) < len(names):
        raise InvalidInput("names must be a list of distinct class names.")
    return names
