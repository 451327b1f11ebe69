"""One part of a pool: what is done with it is kept as a file, and done once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import add
from typing import TYPE_CHECKING, Any, Protocol

from labelnext.adapter.protocol import Part, Streams
from labelnext.errors import InvalidInput, LabelnextError, WriteFailed
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_KEY = b"labelnext"
SAMPLE = 20
ARROW = ".arrow"  # ending of what is read again soon


@dataclass
class Scored:
    """What scoring a part found; all of a pool's parts add up to what the Report says.

    Attributes:
        counts: items, predicted, missing, labelled, unscored, ranked; of detections also those
            without objects and below the floor.
        missing: the first ids without a prediction.
        unscored: the first ids that could not be scored.
        notices: code to the number of parts, of items, the first message and the first ids.
        low: the lowest finite score; None without any.
        high: the highest finite score.
        reasons: why the part's foremost items stand where they stand, by id.
        integers: every id is an integer.
        predictions: how many classes and model versions there are, to the first part that says so.
        problems: why parts could not be read.
        classes: how often each class is predicted among what can be ranked.
        objects: items that could be labelled and have a prediction, and their objects; empty
            where there are none.
        exclusive: an item is of one class alone.
        class_names: the classes that a report lists, in its order; None where none are predicted.
        sample: utility and id of some of the items that are ranked.
        bins: how many scores are in each bin; empty where they weren't counted.
    """

    counts: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unscored: list[str] = field(default_factory=list)
    notices: dict[str, dict[str, Any]] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    integers: bool = True
    predictions: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)
    exclusive: bool = True
    class_names: list[str] | None = None
    sample: list[tuple[float, str]] = field(default_factory=list)
    bins: list[int] = field(default_factory=list)

    def add(self, other: Scored) -> None:
        """Take another part in.

        Raises:
            InvalidInput: if its predictions are of other classes, so that scores do not compare.
        """
        self.predictions = {**other.predictions, **self.predictions}
        if len(self.predictions) > 1:
            got = " and ".join(f"{what} in {part}" for what, part in self.predictions.items())
            raise InvalidInput(f"all parts must hold the same kind of predictions; got {got}.")
        self.missing = [*self.missing, *other.missing][:SAMPLE]
        self.unscored = [*self.unscored, *other.unscored][:SAMPLE]
        for code, notice in other.notices.items():
            mine = self.notices.setdefault(code, {"parts": 0, "items": 0, "message": "", "ids": []})
            mine["parts"] += notice["parts"]
            mine["items"] += notice["items"]
            mine["message"] = mine["message"] or notice["message"]
            mine["ids"] = [*mine["ids"], *notice["ids"]][:SAMPLE]
        lows = [v for v in (self.low, other.low) if v is not None]
        highs = [v for v in (self.high, other.high) if v is not None]
        self.low, self.high = min(lows, default=None), max(highs, default=None)
        self.reasons.update(other.reasons)
        self.integers &= other.integers
        self.exclusive &= other.exclusive
        self.problems += other.problems
        self.sample += other.sample
        both = self.bins and other.bins
        self.bins = [*map(add, self.bins, other.bins)] if both else self.bins or other.bins
        pairs = ((self.counts, other.counts), (self.classes, other.classes))
        for mine, counted in (*pairs, (self.objects, other.objects)):
            for name, count in counted.items():
                mine[name] = mine.get(name, 0) + count
        if self.class_names is None or other.class_names in (None, self.class_names):
            self.class_names = self.class_names or other.class_names
        else:  # each part has named those that it holds; in memory they would be sorted, too
            self.class_names = sorted({*self.class_names, *(other.class_names or ())})


class Task(Protocol):
    """What is done with every part: a table, kept as a file, and what was found on the way.

    The file is Parquet, or an Arrow file where its name ends so: that is read in half the time.
    """

    @property
    def skip_broken(self) -> bool:
        """Parts that cannot be read are counted and left out."""

    def name(self, part: Part) -> str:
        """The file of a part; another one when the part or the task changed."""

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """The table of a part."""

    def nothing(self) -> pa.Table:
        """The table of a part that cannot be read."""


def do_part(reader: Streams, part: Part, task: Task, store: Store) -> Scored:
    """Do one part and keep its table; what is kept already is not done again.

    Doing it twice, or in two processes at once, ends in the same file.

    Raises:
        LabelnextError: naming the part, if it cannot be read or scored.
    """
    name = task.name(part)
    kept = read_scored(store, name)
    if kept is not None:
        return kept
    try:
        table, scored = task.table(reader, part, store)
    except LabelnextError as error:
        if not task.skip_broken or not isinstance(error, InvalidInput):
            error.message = f"{part.name}: {error.message}"
            raise
        table, scored = task.nothing(), Scored(problems=[f"{part.name}: {error.message}"])
    table = table.replace_schema_metadata({_KEY: json.dumps(vars(scored)).encode()})
    if name.endswith(ARROW):
        store.write_rows(name, table, packed=True)
    else:
        store.write_table(name, table)
    return scored


def file_name(folder: str, part: Part, how: Any, ending: str = ".parquet") -> str:
    """A file that is another one when the part changed, or what is done with it."""
    text = json.dumps([how, part.name, dict(part.payload)], sort_keys=True, default=str)
    return f"{folder}/{part.number:06d}-{hashlib.sha256(text.encode()).hexdigest()[:16]}{ending}"


def fingerprint(parts: Sequence[Part]) -> str:
    """A hash of the names, rows and payloads of all parts."""
    data = [[part.name, part.rows, dict(part.payload)] for part in parts]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def read_scored(store: Store, name: str) -> Scored | None:
    """What scoring a part found, from its file; None if there is no whole one.

    A file of a run that broke off is read to its end, so that nothing of it is missing later.
    """
    try:
        read = store.read_columns if name.endswith(ARROW) else store.read_table
        return Scored(**json.loads((read(name).schema.metadata or {})[_KEY]))
    except (InvalidInput, OSError, ValueError, LookupError, TypeError):
        return None


@contextmanager
def kept_files(what: str) -> Iterator[None]:
    """Meanwhile, files of the run are read that a run that is resumed writes again if need be.

    Args:
        what: can't be read without them.

    Raises:
        WriteFailed: if one is gone or damaged.
    """
    import pyarrow as pa

    try:
        yield
    except (InvalidInput, OSError, pa.ArrowException, LookupError) as error:
        why = str(error).splitlines()[0]
        if isinstance(error, FileNotFoundError):
            why = f"a file is gone, {why}"
        raise WriteFailed(
            f"{what} can't be read: {why}", hint="resume; the other scores are kept."
        ) from error


def kept_scores(store: Store, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Some columns of the scores of a part, or all; raises as `kept_files`."""
    with kept_files("the scores"):
        return store.read_columns(name, columns)


def all_integers(ids: pa.Array) -> bool:
    """Whether every id is an integer, so that ties go by value."""
    import pyarrow.compute as pc

    for some in (ids[:100], ids):  # the first few mostly tell
        whole = pc.all(pc.match_substring_regex(some, r"^-?[0-9]+$"), min_count=0)
        if not whole.as_py():
            return False
    return True
