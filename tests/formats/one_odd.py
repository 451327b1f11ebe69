"""Files of many records of which one is odd, in every text and JSON format.

python -m tests.formats.one_odd 10000

tries each file at that length; the tests try short ones.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from labelnext.adapter import open_adapter
from labelnext.errors import LabelnextError
from labelnext.pool.pool import Pool

BOX = [10, 20, 50, 40]
NAN = float("nan")
NUMBERS: list[Any] = ["high", None, NAN, 7.5, [], {}]  # in place of a score
WHOLE: list[Any] = [None, "x", 7, [], {}, True]  # in place of a record
BLANK: list[Any] = ["", [], {}]  # hold nothing that could be lost
LINES = ["?", "", "a,b,c,d,e,f,g,h,i", "1"]  # in place of a line
Record = Callable[[str, Any, Any], Any]


@dataclass(frozen=True)
class Many:
    """How a format's file is made.

    Attributes:
        record: ``record(name, p, q)`` is that of an item, with a score and what it leaves.
        form: of the file: list, lines, by name, folder, text; or a function that writes records.
        head: the object around a list under its key ``here``; or the first line of a text.
        name: of the file.
        source: further keys of `source`.
        odd: what may stand in place of a score; by the form when None.
        odd_records: what may stand in place of a record; by the form when None.
    """

    record: Record
    form: str | Callable[[Path, list[Any]], Path] = "list"
    head: Any = None
    name: str = ""
    source: dict[str, Any] | None = None
    odd: Sequence[Any] | None = None
    odd_records: Sequence[Any] | None = None


def scores(n_items: int) -> dict[str, float]:
    """The score of each item."""
    return {f"i{n:05}.jpg": round(0.55 + 0.4 * n / n_items, 6) for n in range(n_items)}


def write(folder: Path, many: Many, n_items: int, at: int, odd: Any, *, whole: bool) -> Path:
    """The file of a format with an odd record, or score of a record, at a place."""
    records = {name: many.record(name, p, round(1 - p, 6)) for name, p in scores(n_items).items()}
    name = [*records][at]
    records[name] = odd if whole else many.record(name, odd, 0.25)
    if callable(many.form):
        path = many.form(folder, [*records.values()])
    elif many.form == "text":
        path = folder / (many.name or "p.csv")
        head = [many.head] if many.head else []
        path.write_text("\n".join([*head, *map(str, records.values()), ""]))
    elif many.form == "folder":
        path = folder / "p"
        path.mkdir()
        ending = many.name or ".json"
        for item, value in records.items():
            stem = item.removesuffix(".jpg")
            plain = isinstance(value, str) and ending != ".json"
            text = value if plain else json.dumps(value)
            (path / f"{stem}{ending}").write_text(text)
    elif many.form == "lines":
        path = folder / (many.name or "p.jsonl")
        path.write_text("".join(f"{json.dumps(one)}\n" for one in records.values()))
    else:
        path = folder / (many.name or "p.json")
        inside = records if many.form == "by name" else [*records.values()]
        value = (
            {k: inside if v == "here" else v for k, v in many.head.items()} if many.head else inside
        )
        path.write_text(json.dumps(value))
    return path


def read(path: Path, many: Many) -> Pool:
    """The pool of the file."""
    adapter: Any = open_adapter("files", directory=path.parent, path=path.name, **many.source or {})
    pool: Pool = adapter.read()
    return pool


def told(pool: Pool) -> dict[str, list[float] | None]:
    """The scores of each item, by its name without an ending; None where nothing is predicted."""
    names = [name.removesuffix(".jpg") for name in pool.item_ids.tolist()]
    if pool.mean_probabilities is not None:
        rows = pool.mean_probabilities.max(axis=1).round(6)
        return {i: None if np.isnan(p) else [float(p)] for i, p in zip(names, rows, strict=True)}
    (objects,) = pool.object_sets or pool.answers
    ends = objects.offsets.tolist()
    found = [objects.confidences[a:b].round(6).tolist() for a, b in pairwise(ends)]
    lost = pool.missing.tolist()
    return {i: None if m else row for i, row, m in zip(names, found, lost, strict=True)}


def wrong_with(pool: Pool, n_items: int, at: int, odd: Any) -> str | None:
    """What an odd record changed of others, or that nothing is said of it; None if all is well."""
    found, expected = told(pool), scores(n_items)
    name = [*expected][at]
    for item, p in expected.items():
        if item != name and found.get(item.removesuffix(".jpg")) != [p]:
            return f"{item} is {found.get(item.removesuffix('.jpg'))}, not {[p]}"
    if len(found) > n_items:
        return f"items were made up: {sorted(found)[-3:]}"
    named = any(name in f"{one.message} {one.item_ids}" for one in pool.notices)
    codes = {one.code for one in pool.notices}
    if named or codes & {"left_out", "broken_records", "mended"}:
        return None
    stem = name.removesuffix(".jpg")
    if stem not in found and odd not in BLANK:
        return f"{name} is lost, and nothing is said of it"
    score = found.get(stem)
    return f"{name} is {score}, and nothing is said of it" if score else None


def tries(many: Many) -> Iterator[tuple[Any, bool]]:
    """The odd values, each with whether it stands for the whole record."""
    text = many.form == "text" or many.name == ".txt"
    numbers = (["high", "", "nan", "7.5"] if text else NUMBERS) if many.odd is None else many.odd
    records = (LINES if text else WHOLE) if many.odd_records is None else many.odd_records
    yield from ((one, False) for one in numbers)
    yield from ((one, True) for one in records)


def wrong(many: Many, n_items: int, at: int, odd: Any, *, whole: bool) -> str | None:
    """What is wrong with a file; None if nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), many, n_items, at, odd, whole=whole)
        try:
            return wrong_with(read(path, many), n_items, at, odd)
        except LabelnextError as error:
            return str(error)


def main(n_items: int = 10_000) -> None:
    """Print what an odd record decides, and the seconds that each format took."""
    from tests.formats.one_odd_records import MANY

    for name, many in MANY.items():
        start, n_tries = time.process_time(), 0
        for odd, whole in tries(many):
            at = (0, n_items // 2, n_items - 1)[n_tries % 3]
            n_tries += 1
            if (why := wrong(many, n_items, at, odd, whole=whole)) is not None:
                print(f"{name}: {odd!r} {'' if whole else 'as score '}at {at}: {why:.300}")
        print(f"{name}: {n_tries} files, {time.process_time() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
