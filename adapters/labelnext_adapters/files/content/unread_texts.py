"""Text files that no format reads: why not, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from labelnext.adapter.sample import Sample
from labelnext.errors import NotFound
from labelnext.support.words import counted

_LOOKED_AT = 20  # files


def refuse_texts(folder: Path, names: Sequence[str]) -> None:
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
