"""Class scores that stand in one cell as text: 0.9 0.1, cat:0.9|dog:0.1, cat (0.9), dog (0.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from labelnext_adapters.files.content.oddities import MOST

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_PAIR = re.compile(
    r"\s*(?P<name>[^\s|;,:=()\[\]{}\"'][^|;,:=()\[\]{}\"']*)"
    rf"(?:[:=]\s*(?P<one>{_NUMBER})|\(\s*(?P<other>{_NUMBER})\s*\))(?P<end>\s*[|;,]|\s+|$)"
)
_Scores = list[float] | dict[str, float]


def scores_reader(texts: Sequence[str]) -> Callable[[str], _Scores | None] | None:
    """What reads the texts of a column that lists scores in one way; None if it doesn't.

    Args:
        texts: some of the column's.

    Example:
        >>> read = scores_reader(["0,9;0,1", "0;1"])
        >>> read("0,25;0,75"), read("?")
        ([0.25, 0.75], None)
        >>> read = scores_reader(["great tit (0.9), robin (0.1)"])
        >>> read("robin (0.75)"), scores_reader(["1 234.5"]), scores_reader(["0,97"])
        ({'robin': 0.75}, None, None)
    """
    together = " ".join(texts)
    point = re.search(r"\.\d", together) is not None
    if not point and not re.search(r"\d,\d", together):
        return None  # whole numbers may be of anything
    for sign in ("|", ";", ",", None):
        if sign == "," and not point:
            continue  # the comma is that of decimals

        def read(text: str, sign: str | None = sign) -> list[float] | None:
            return _numbers(text if point else text.replace(",", "."), sign)

        if _reads(read, texts, clear=sign in ("|", ";")):
            return read
    mostly = sum(_pairs(text) is not None for text in texts) >= MOST * len(texts)
    return _pairs if mostly else None


def _reads(read: Callable[[str], list[float] | None], texts: Sequence[str], *, clear: bool) -> bool:
    """Whether nearly all texts are lists; a comma or space may also stand between thousands."""
    lists = [one for one in map(read, texts) if one is not None]
    several = [one for one in lists if len(one) > 1]
    if len(lists) < MOST * len(texts) or not several:
        return False
    small = all(len(one) > 2 or -1 <= min(one) <= max(one) <= 1 for one in several)
    return clear or (small and len(several) >= MOST * len(texts))


def _numbers(text: str, sign: str | None) -> list[float] | None:
    parts = text.split() if sign is None else text.strip().strip(sign).split(sign)
    try:
        return [float(part) for part in parts]
    except ValueError:
        return None


def _pairs(text: str) -> dict[str, float] | None:
    at, found = 0, dict[str, float]()
    while pair := _PAIR.match(text, at):
        name = pair["name"].strip()
        if name in found:
            return None
        found[name] = float(pair["one"] or pair["other"])
        at = pair.end()
    return found if found and not text[at:].strip() else None


def split_classes(
    texts: Iterable[str | None], counts: Iterable[int | None]
) -> list[list[str] | None] | None:
    """Classes that stand in one cell, such as cat|dog; None unless they go with the scores.

    They do if nine in ten cells beside several scores have as many classes.

    Args:
        texts: the cells.
        counts: how many scores stand beside each; None for none.

    Example:
        >>> split_classes(["cat|dog", "cat", None], [2, 1, None])
        [['cat', 'dog'], ['cat'], None]
        >>> split_classes(["cat|dog"], [1])
    """
    cells, wanted = list(texts), list(counts)
    several = [(cell, n) for cell, n in zip(cells, wanted, strict=True) if n is not None and n > 1]
    if not several:
        return None

    def n_fits(sign: str | None) -> int:
        return sum(cell is not None and len(_split(cell, sign)) == n for cell, n in several)

    sign = max(("|", ";", ",", None), key=n_fits)
    if n_fits(sign) < MOST * len(several):
        return None
    return [_split(cell, sign) if cell and cell.strip() else None for cell in cells]


def _split(cell: str, sign: str | None) -> list[str]:
    return [name.strip() for name in cell.split(sign)]


def lengths_of(values: Iterable[Any]) -> list[int | None]:
    """How many values lists have; None for what is no list."""
    return [len(value) if isinstance(value, list) else None for value in values]
