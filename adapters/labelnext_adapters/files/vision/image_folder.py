"""Images without predictions: a folder of them, whose inner folders may be the labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from labelnext.adapter.sample import may_be_part
from labelnext.errors import InvalidInput, listed
from labelnext.pool.pool import Notice, Pool
from labelnext.support.folders import files_below
from labelnext.support.words import counted
from labelnext_adapters.files.image_names import images_among
from labelnext_adapters.files.vision.yolo_runs import SAVE


def only_images(folder: Path, names: Iterable[str]) -> bool:
    """Whether there are images, and nothing beside them that may hold predictions.

    Args:
        folder: where they are.
        names: of its files, relative to it.
    """
    found = False
    for name in names:
        if images_among([name]):
            found = True
        elif may_be_part(folder, name):
            return False
    return found


def read_images(folder: Path, labelled: bool) -> Pool:
    """The images of a folder and of those inside it, without predictions.

    Args:
        folder: holds the images.
        labelled: whether the inner folders are classes: an image is labelled with the outermost
            one that holds it, and its id is its own name, which stays when it is moved.

    Raises:
        InvalidInput: if there are none, or `labelled` and two have one name.
    """
    if not folder.is_dir():
        raise InvalidInput(
            "path must be a folder of images; it is a file.",
            hint=f"set source.path to {folder.parent.as_posix()!r}.",
        )
    links: list[str] = []
    paths = sorted(images_among(files_below(folder, links=links)))
    if not paths:
        raise InvalidInput(
            "the folder must hold images; it has none.",
            hint=f"links aren't followed ({listed(sorted(links))})." if links else None,
        )
    notices = [*_predicted(folder), *_not_followed(links)]
    if not labelled:
        return Pool(paths, notices=notices)
    ids = [*by_own_name(paths)]
    folders = [path.partition("/")[0] if "/" in path else None for path in paths]
    classes = sorted({name for name in folders if name is not None})
    if not classes:
        return Pool(ids, notices=notices)
    position = {name: number for number, name in enumerate(classes)}
    labels = [-1 if name is None else position[name] for name in folders]
    return Pool(ids, labels=labels, classes=classes, notices=notices)


def _not_followed(links: list[str]) -> list[Notice]:
    if not links:
        return []
    amount = counted(len(links), "link")
    message = f"Didn't follow {amount} to folders or to nothing: {listed(sorted(links))}."
    return [Notice("links", message)]


def _predicted(folder: Path) -> list[Notice]:
    """What to do where a model has drawn its predictions into the images, and saved no numbers."""
    if not folder.name.startswith("predict"):  # as Ultralytics names its folders
        return []
    return [
        Notice("images", f"{folder.name} holds images alone; for a model's predictions, {SAVE}")
    ]


def by_own_name(paths: Iterable[str]) -> dict[str, str]:
    """Relative paths by their last part.

    Raises:
        InvalidInput: if two have the same.
    """
    found: dict[str, str] = {}
    for path in paths:
        other = found.setdefault(path.rpartition("/")[2], path)
        if other != path:
            raise InvalidInput(
                f"images must have distinct names if their folders are labels; got {other!r} and "
                f"{path!r}.",
                hint="rename one of them.",
            )
    return found
