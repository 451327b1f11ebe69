"""Checks of texts: ids, groups, metadata and names of classes."""

from __future__ import annotations

import json
import numbers
import os
from collections import Counter
from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence, Set
from functools import lru_cache
from itertools import islice
from uuid import UUID

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput, listed, shown
from labelnext.pool.utf8 import Utf8Texts, code_points
from labelnext.support.words import counted

LONGEST = 10_000  #: characters of an id or a group
LONGEST_CLASS = 1_000  #: characters of a class's name
KINDS = ("class", "group")  #: kinds of items that are no metadata
MOST_CLASSES = 100_000  #: class names, and class positions in labels, votes and objects
_LARGEST = 1 << 29  # bytes of an array that one long text may blow up
_BLOWN_UP = 16  # times its texts: an array of long texts alone may be larger
_BLOCK = 1 << 18  # characters that are copied at once: they stay in the cache
_SURROGATE = 0xD800 >> 11  # the upper bits of what UTF-8 can't hold


@lru_cache(maxsize=1)
def _row_numbers(n: int) -> NDArray[np.str_]:
    """0 to n − 1 as strings, cached so that chunks of similar size share them."""
    numbers: NDArray[np.str_] = np.arange(n).astype(np.str_)
    numbers.flags.writeable = False
    return numbers


def checked_ids(item_ids: Iterable[object]) -> NDArray[np.str_]:
    """Convert ids to distinct, non-empty texts of at most `LONGEST` characters.

    Texts, bytes (as UTF-8), whole numbers, UUIDs and paths are ids. Convert anything else to
    text first: dates, decimals and truth values can be written in several ways.

    Raises:
        InvalidInput: if an id is empty, too long, of the wrong type, or repeated; or if one long
            id among many would take more than half a GiB.

    Example:
        >>> checked_ids([b"a", 2]).tolist()
        ['a', '2']
    """
    if isinstance(item_ids, range) and item_ids.start == 0 and item_ids.step == 1:
        return _row_numbers(1 << max(len(item_ids) - 1, 0).bit_length())[: len(item_ids)]
    values: Sequence[object]
    names: list[str] | Utf8Texts
    if isinstance(item_ids, Utf8Texts):
        values = names = item_ids
    else:
        values = _listed("item_ids", item_ids, "USTOiuf")
        if set(map(type, values)) == {str}:
            names = values  # type: ignore[assignment]  # all are, by now
        else:
            names = [_id_text(row, value) for row, value in enumerate(values)]
    ids = _array("item_ids", names)
    empty = np.flatnonzero(_characters(ids)[:, 0] == 0)
    if empty.size:
        raise InvalidInput(
            f"item_ids must not be empty or contain a NUL character; got '' in row {empty[0]}."
        )
    if _may_repeat(ids) and len(set(names)) < len(names):
        raise _repeated(values, names)
    return ids


def checked_groups(groups: ArrayLike, n: int) -> NDArray[np.str_]:
    """Convert groups to texts of at most `LONGEST` characters; "" for None and NaN.

    Raises:
        InvalidInput: if there isn't one for each item, or one is too long.

    Example:
        >>> checked_groups(["v", None, 3], 3).tolist()
        ['v', '', '3']
    """
    return _column("groups", groups, n, _text)


def checked_metadata(
    metadata: Mapping[str, ArrayLike] | None, n: int
) -> dict[str, NDArray[np.str_]] | None:
    """Convert columns of metadata to texts, as `value_text` writes them.

    Raises:
        InvalidInput: if a column has no name or that of a kind of its own, there isn't a value for
            each item, or one is too long.

    Example:
        >>> checked_metadata({"year": [2024.0, None]}, 2)["year"].tolist()
        ['2024', '']
    """
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping):
        raise InvalidInput(f"metadata must be a mapping of columns; got {shown(metadata, 60)}.")
    for name in metadata:
        if not isinstance(name, str) or not name or name in KINDS:
            raise InvalidInput(
                f"metadata must have names other than {listed(KINDS)}; got {shown(name, 60)}.",
                hint="quotas take these for the predicted class and the group of an item.",
            )
    return {name: _column(f"metadata {name}", c, n, value_text) for name, c in metadata.items()}


def value_text(what: str, row: int, value: object) -> str:
    """A value of metadata as text; "" for what is missing: None, NaN or an empty text.

    Whole numbers have no decimals, truth values are true and false, lists and mappings are JSON.

    Args:
        what: the column's name in messages.
        row: the item's number in messages.
        value: of any type.

    Raises:
        InvalidInput: for bytes that are no UTF-8.

    Example:
        >>> [value_text("", 0, v) for v in (2.0, 2.5, True, ["a"], None)]
        ['2', '2.5', 'true', '["a"]', '']
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return str(int(value))
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return _text(what, row, value)


def _column(
    what: str, values: ArrayLike, n: int, text: Callable[[str, int, object], str]
) -> NDArray[np.str_]:
    """One text for each item, "" for None and NaN."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":
        values = np.where(np.isnat(values), "", values.astype(np.str_))
    entries = _listed(what, values, "USTOiufb")  # type: ignore[arg-type]  # refuses scalars
    names = [
        value
        if type(value) is str
        else ""
        if value is None or (isinstance(value, float) and value != value)
        else text(what, row, value)
        for row, value in enumerate(entries)
    ]
    if len(names) != n:
        raise InvalidInput(f"{what} must be of shape ({n},); got shape ({len(names)},).")
    return _array(what, names)


def checked_classes(classes: Iterable[object]) -> tuple[str, ...]:
    """Convert class names to a tuple of distinct texts, at least one.

    Raises:
        InvalidInput: if there are none or more than `MOST_CLASSES`, one is longer than
            `LONGEST_CLASS`, or a name repeats.
    """
    values = _iterated("classes", classes, MOST_CLASSES + 1)
    if len(values) > MOST_CLASSES:
        raise InvalidInput(f"classes must be at most {MOST_CLASSES:,}; got more.")
    names = tuple(_text("classes", row, value) for row, value in enumerate(values))
    if not names:
        raise InvalidInput("classes must name at least one class; got 0.")
    _check_characters("classes", names, LONGEST_CLASS)
    if len(set(names)) < len(names):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        raise InvalidInput(f"classes must be distinct; got {listed(repeated)} more than once.")
    return names


def coded(names: NDArray[np.str_]) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct texts in order of appearance, and the position of each text among them.

    Example:
        >>> distinct, codes = coded(np.array(["b", "a", "b"]))
        >>> distinct, codes.tolist()
        (['b', 'a'], [0, 1, 0])
    """
    places: dict[str, int] = {}
    codes = [places.setdefault(name, len(places)) for name in names.tolist()]
    return list(places), np.array(codes, dtype=np.intp)


def _listed(what: str, values: Iterable[object], kinds: str) -> list[object]:
    """The values of a column; arrays of other kinds would change their meaning in a list."""
    if isinstance(values, np.ndarray):
        if values.dtype.kind not in kinds:
            raise InvalidInput(
                f"{what} must be strings or whole numbers; got an array of {values.dtype}.",
                hint="convert them to texts first.",
            )
        values = values.tolist()
    return _iterated(what, values)


def _iterated(what: str, values: Iterable[object], most: int | None = None) -> list[object]:
    """The first values of a column.

    Raises:
        InvalidInput: if it is none, or has no order, such as a set.
    """
    if isinstance(values, bytes) or not isinstance(values, Iterable):
        raise InvalidInput(f"{what} must be a list of strings; got {shown(values, 60)}.")
    if isinstance(values, Set) and not isinstance(values, KeysView):
        raise InvalidInput(
            f"{what} must have an order, like the rows that they belong to; got a set.",
            hint="give a list, in the order of the rows.",
        )
    return list(islice(values, most))


def _id_text(row: int, value: object) -> str:
    if type(value) is int and abs(value) < 1 << 64:
        return str(value)
    truth = isinstance(value, (bool, np.bool_))
    number = isinstance(value, numbers.Integral) and not truth
    whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    if not (number or whole or isinstance(value, (str, bytes, UUID, os.PathLike))):
        raise InvalidInput(
            f"item_ids must be strings or whole numbers; got {shown(value, 60)} in row {row}.",
            hint="convert them to texts first.",
        )
    return _text("item_ids", row, value)


def _text(what: str, row: int, value: object) -> str:
    """A value as text: bytes as UTF-8.

    Raises:
        InvalidInput: if it has no text.
    """
    try:
        return value.decode() if isinstance(value, bytes) else str(value)
    except ValueError as error:  # not UTF-8, or a number of thousands of digits
        rule = "UTF-8" if isinstance(value, bytes) else "shorter"
        short = repr(value[:40]) if isinstance(value, bytes) else type(value).__name__
        raise InvalidInput(f"{what} must be {rule}; got {short} in row {row}.") from error


def _check_characters(what: str, names: Sequence[str], longest: int) -> None:
    """Refuse texts that are too long, or that a file could not hold.

    Raises:
        InvalidInput: naming the first of them.
    """
    for row, name in enumerate(names):
        if len(name) > longest:
            raise InvalidInput(
                f"{what} must have at most {longest:,} characters; got {len(name):,} in row {row}, "
                f"which begins with {name[:40]!r}."
            )
        if "\0" in name:
            raise InvalidInput(
                f"{what} must not {'be empty or ' * (what == 'item_ids')}contain a NUL character; "
                f"got {name[:60]!r} in row {row}."
            )
        if not name.isascii() and any("\ud800" <= c <= "\udfff" for c in name):
            raise InvalidInput(f"{what} must be valid Unicode; got {name[:60]!r} in row {row}.")


def _array(what: str, names: list[str] | Utf8Texts) -> NDArray[np.str_]:
    """Texts as an array, whose width is that of the longest.

    Raises:
        InvalidInput: if a text is invalid, or one of few long ones makes the array absurdly large.
    """
    n = len(names)
    lengths = np.fromiter(map(len, names), np.intp, n) if isinstance(names, list) else names.lengths
    width = max(int(lengths.max(initial=0)), 1)
    if width > LONGEST:
        _check_characters(what, names, LONGEST)
    if n * width * 4 > max(_LARGEST, _BLOWN_UP * 4 * int(lengths.sum())):
        _check_characters(what, names, LONGEST)
        row = int(lengths.argmax())
        raise InvalidInput(
            f"{what} must have at most {_LARGEST // (4 * n):,} characters where there are "
            f"{n:,}, most of them short; got {width:,} in row {row}, which begins with "
            f"{names[row][:40]!r}."
        )
    texts: NDArray[np.str_] = np.zeros(n, dtype=f"<U{width}")
    characters, step = _characters(texts), max(_BLOCK // width, 1)
    for start in range(0, n, step):
        stop = min(start + step, n)
        several, ends = names[start:stop], lengths[start:stop]
        codes = several.codes if isinstance(several, Utf8Texts) else code_points("".join(several))
        if not codes.all() or (codes.dtype.itemsize > 1 and (codes >> 11 == _SURROGATE).any()):
            _check_characters(what, names, LONGEST)
        if ends.min() == width:
            characters[start:stop] = codes.reshape(-1, width)
        else:
            characters[start:stop][np.arange(width) < ends[:, None]] = codes
    return texts


def _characters(texts: NDArray[np.str_]) -> NDArray[np.uint32]:
    """The code points of texts, shape (n, width); 0 behind the end of each."""
    return texts.view("<u4").reshape(len(texts), texts.itemsize // 4)


def _may_repeat(ids: NDArray[np.str_]) -> bool:
    """Whether ids have the same sum of weighted characters: the same ids do, others hardly ever.

    False if each id is larger than the one before, as in most files.
    """
    if (ids[1:] > ids[:-1]).all():
        return False
    characters = _characters(ids)
    n, width = characters.shape
    weights = np.random.default_rng(0).integers(1 << 63, size=width, dtype=np.uint64)
    sums, step = np.empty(n, dtype=np.uint64), max(_BLOCK // width, 1)
    for start in range(0, n, step):
        part = slice(start, start + step)
        sums[part] = characters[part].astype(np.uint64) @ weights
    sums.sort()
    return bool((sums[1:] == sums[:-1]).any())


def _repeated(values: Sequence[object], names: Sequence[str]) -> InvalidInput:
    """The error for ids that are the same text."""
    first: dict[str, object] = {}
    for value, name in zip(values, names, strict=True):
        if name in first and type(value) is not type(first[name]) and value != first[name]:
            return InvalidInput(
                f"item_ids must be distinct; got {first[name]!r} and {value!r}, which are the same "
                "text.",
                hint="give all ids as texts, or all as numbers.",
            )
        first.setdefault(name, value)
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    return InvalidInput(
        f"item_ids must be distinct; got {counted(len(repeated), 'repeated id')}: "
        f"{listed(repeated)}."
    )
