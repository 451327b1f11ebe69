"""One part of a pool: read, scored by the table's function, and kept as a file of scores."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from labelnext.acquisition import get_acquisition
from labelnext.adapter import Part, Streams
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.report import NEXT, reason
from labelnext.streamed.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_KEY = b"labelnext"
_SAMPLE = 20


@dataclass
class Scored:
    """What scoring a part found; all of a pool's parts add up to what the Report says.

    Attributes:
        counts: items, predicted, missing, labelled, unscored, ranked.
        missing: the first ids without a prediction.
        unscored: the first ids that could not be scored.
        notices: code to the number of parts, of items, the first message and the first ids.
        low: the lowest finite score; None without any.
        high: the highest finite score.
        reasons: why the part's foremost items stand where they stand, by id.
        integers: every id is an integer.
        problems: why parts could not be read.
    """

    counts: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unscored: list[str] = field(default_factory=list)
    notices: dict[str, dict[str, Any]] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    integers: bool = True
    problems: list[str] = field(default_factory=list)

    def add(self, other: Scored) -> None:
        """Take another part in."""
        for name, count in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        self.missing = [*self.missing, *other.missing][:_SAMPLE]
        self.unscored = [*self.unscored, *other.unscored][:_SAMPLE]
        for code, notice in other.notices.items():
            mine = self.notices.setdefault(code, {"parts": 0, "items": 0, "message": "", "ids": []})
            mine["parts"] += notice["parts"]
            mine["items"] += notice["items"]
            mine["message"] = mine["message"] or notice["message"]
            mine["ids"] = [*mine["ids"], *notice["ids"]][:_SAMPLE]
        lows = [v for v in (self.low, other.low) if v is not None]
        highs = [v for v in (self.high, other.high) if v is not None]
        self.low, self.high = min(lows, default=None), max(highs, default=None)
        self.reasons.update(other.reasons)
        self.integers &= other.integers
        self.problems += other.problems


@dataclass(frozen=True)
class Scoring:
    """How parts are scored, and where their scores go: all that a worker must know.

    Attributes:
        acquisition: name of the function.
        of: items or objects.
        options: of the function.
        folder: of the scores, inside the store.
        skip_broken: parts that cannot be read are counted and left out.
    """

    acquisition: str
    of: Any
    options: dict[str, Any]
    folder: str
    skip_broken: bool = False

    def name(self, part: Part) -> str:
        """The file of a part's scores; another one when the part or the scoring changed."""
        how = [self.acquisition, self.of, self.options, part.name, dict(part.payload)]
        digest = hashlib.sha256(json.dumps(how, sort_keys=True, default=str).encode())
        return f"{self.folder}/{part.number:06d}-{digest.hexdigest()[:16]}.parquet"


def score_part(reader: Streams, part: Part, scoring: Scoring, store: Store) -> Scored:
    """Score one part and keep its scores; what is kept already is not done again.

    Doing it twice, or in two processes at once, ends in the same file.

    Raises:
        LabelnextError: naming the part, if it cannot be read or scored.
    """
    name = scoring.name(part)
    kept = read_scored(store, name)
    if kept is not None:
        return kept
    try:
        table, scored = _scores(reader, part, scoring)
    except LabelnextError as error:
        if not scoring.skip_broken or not isinstance(error, InvalidInput):
            error.message = f"{part.name}: {error.message}"
            raise
        table, scored = _no_scores(), Scored(problems=[f"{part.name}: {error.message}"])
    data = {_KEY: json.dumps(asdict(scored)).encode()}
    store.write_table(name, table.replace_schema_metadata(data))
    return scored


def read_scored(store: Store, name: str) -> Scored | None:
    """What scoring a part found, from its file; None if there is no whole one."""
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(store.path(name), filesystem=store.files)
    except (OSError, ValueError):
        return None
    return Scored(**json.loads(schema.metadata[_KEY]))


def _scores(reader: Streams, part: Part, scoring: Scoring) -> tuple[pa.Table, Scored]:
    import pyarrow as pa
    import pyarrow.compute as pc

    pool, ids = reader.read_part(part)
    function = get_acquisition(scoring.acquisition)
    scores, utilities = function.score(pool, of=scoring.of, **scoring.options)
    utilities = np.where(pool.labelled, np.nan, utilities) + 0.0  # no −0.0: it would tie unequally
    usable = ~np.isnan(utilities)
    unscored = ~usable & ~pool.labelled
    missing = pool.missing & ~pool.labelled
    finite = scores[usable & np.isfinite(scores)]
    table = pa.table(
        {"item_id": ids, "score": scores, "utility": pa.array(utilities, from_pandas=True)}
    )

    def named(rows: Any, most: int = _SAMPLE) -> list[str]:
        return [str(i) for i in ids.take(pa.array(np.flatnonzero(rows)[:most])).to_pylist()]

    ranked = np.flatnonzero(usable)
    best = ranked
    if len(ranked) > NEXT:
        best = ranked[np.argpartition(-utilities[ranked], NEXT - 1)[:NEXT]]
    foremost = [str(i) for i in ids.take(pa.array(best)).to_pylist()]
    reasons = (reason(pool, int(row), scoring.of) for row in best)
    whole = pc.all(pc.match_substring_regex(ids, r"^-?[0-9]+$"), min_count=0)
    return table, Scored(
        counts={
            "items": len(pool),
            "predicted": int((~pool.missing).sum()),
            "missing": int(missing.sum()),
            "labelled": int(pool.labelled.sum()),
            "unscored": int(unscored.sum()),
            "ranked": int(usable.sum()),
        },
        missing=named(missing),
        unscored=named(unscored),
        notices={
            notice.code: {
                "parts": 1,
                "items": len(notice.item_ids),
                "message": notice.message,
                "ids": _real(notice.item_ids[:_SAMPLE], ids),
            }
            for notice in pool.notices
        },
        low=float(finite.min()) if finite.size else None,
        high=float(finite.max()) if finite.size else None,
        reasons=dict(zip(foremost, reasons, strict=True)),
        integers=bool(whole.as_py()),
    )


def _real(rows: tuple[str, ...], ids: Any) -> list[str]:
    """The ids behind row numbers: a part's pool is numbered, for speed."""
    return [str(ids[int(row)].as_py()) for row in rows]


def _no_scores() -> pa.Table:
    import pyarrow as pa

    kinds = {"item_id": pa.string(), "score": pa.float64(), "utility": pa.float64()}
    return pa.table({name: pa.array([], kind) for name, kind in kinds.items()})
