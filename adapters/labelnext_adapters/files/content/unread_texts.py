"""Folders and globs that no format reads: why not, and what to write instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from labelnext.adapter.sample import SHARDED, Sample, suffix_of
from labelnext.errors import NotFound, listed
from labelnext.support.files import matches
from labelnext.support.folders import files_below
from labelnext.support.words import counted
from labelnext_adapters.files.globs import base_of
from labelnext_adapters.files.image_names import images_among

_LOOKED_AT = 20  # files


def refuse_folder(folder: Path, place: str, pattern: str = "") -> None:
    """Refuse a folder, or a glob in it, that no format has recognised.

    Args:
        folder: that is there, or isn't.
        place: the path as it was given.
        pattern: the part of it with wild cards; empty for the folder itself.

    Raises:
        NotFound: which says what is in it and what to write.
    """
    shown = base_of(Path(place)) if pattern else Path(place)
    if not folder.is_dir():
        raise NotFound(f"path must be a file, folder or glob; there is no folder {str(shown)!r}.")
    links: list[str] = []
    names = sorted(files_below(folder, links=links))
    told = f"links to folders aren't followed ({listed(sorted(links))})." if links else None
    if not names:
        amount = (
            "no files" if links else "nothing but hidden files" if any(folder.iterdir()) else ""
        )
        raise NotFound(
            f"the folder {str(shown)!r} is empty{f': it holds {amount}' if amount else ''}.",
            hint=told,
        )
    held = f"{_kinds(names)} ({listed(names)})"
    if pattern:
        names = [name for name in names if matches(name, pattern)]
        if not names:
            message = f"path must match at least one file; {place!r} matches none of {held}."
            raise NotFound(message, hint=told)
        held = f"{_kinds(names)} ({listed(names)})"
    else:
        _refuse_texts(folder, names)
    n_images = len(images_among(names))
    cure = "point path at one file, or at a folder of files of one kind."
    endings = Counter(suffix_of(Path(name)) for name in names)
    tables = [ending for ending, _ in endings.most_common() if ending in SHARDED]
    if n_images > 0.5 * len(names):
        at = f"set source.path to {str(shown)!r} and " if pattern else ""
        cure = f"{at}set source.format: images if the images themselves are the pool."
    elif tables and not pattern:
        star = "*" if all("/" not in n for n in names if n.endswith(tables[0])) else "**/*"
        path = f"{shown.as_posix()}/{star}{tables[0]}"
        cure = f"for the {tables[0]} files alone, set source.path: {path!r}."
    raise NotFound(f"path must be files of one kind that is read; {place!r} has {held}.", hint=cure)


def _kinds(names: Sequence[str]) -> str:
    """How many files there are of each kind, in words.

    Example:
        >>> _kinds(["a.csv", "b.csv", "notes.txt", "c.png"])
        '4 files: 2 .csv, 1 .txt, 1 image'
    """
    images = images_among(names)
    counts = Counter(
        "image" if name in images else suffix_of(Path(name)) or "without an ending"
        for name in names
    )
    told = [
        counted(n, kind) if kind == "image" else f"{n:,} {kind}"
        for kind, n in counts.most_common(5)
    ]
    return f"{counted(len(names), 'file')}: {', '.join(told)}"


def _refuse_texts(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder of text files, which no format has recognised.

    Args:
        folder: where they are.
        names: of its files, relative to it.

    Raises:
        NotFound: if most of them are text files.
    """
    texts = sorted(name for name in names if name.lower().endswith(".txt"))
    if len(texts) <= 0.5 * len(names):
        return
    lines = ((name, Sample(folder / name).lines) for name in texts[:_LOOKED_AT])
    first = next(((name, told[0]) for name, told in lines if told), None)
    amount = counted(len(texts), "text file")
    hint = (
        "a line must hold a class, a box and a confidence, as predictions do; YOLO's have one with "
        "save_txt=True save_conf=True, and labels have none."
    )
    if first is None:
        raise NotFound(f"the {amount} in {folder.name!r} must hold predictions; they are empty.")
    raise NotFound(
        f"the {amount} in {folder.name!r} must hold predictions in a form that is read; "
        f"{first[0]} begins with {first[1]!r:.80}.",
        hint=hint,
    )
