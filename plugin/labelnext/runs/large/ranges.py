"""The exact order of a pool in parts: ranges of it, each made by a worker.

A few parts at a time are sorted, and cut where each range begins; a worker then merges what all of
them have of its range. Nobody holds more than a part or a range, however many scores are equal.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from labelnext.adapter.protocol import Part, Streams
from labelnext.errors import InvalidInput
from labelnext.runs.large.findings import ranked_table
from labelnext.runs.large.order import among, in_exact_order
from labelnext.runs.large.order import hashes as hashes_of
from labelnext.runs.large.part import ARROW, Scored, file_name, kept_files
from labelnext.runs.large.score_part import Scoring
from labelnext.support import loops
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

Place = tuple[float, str]  # the utility and the id of an item

_RANGE = 1_000_000  # items of a range, about
_LARGEST = 4_000_000  # of a pool with more than a hundred such ranges: each reads all parts
_MANY = 100
_STARTS = "starts"  # the folder of the files that say that a part is sorted
_HASHES = 2**64


def range_starts(sample: Sequence[Place], n_ranked: int, *, integers: bool) -> list[Place]:
    """The item with which each range but the first begins, or would begin.

    Args:
        sample: of all items that are ranked.
        n_ranked: how many these are.
        integers: every id is an integer.

    Example:
        >>> range_starts([(0.5, "10"), (0.9, "7"), (0.5, "9")], 1_500_000, integers=True)
        [(0.5, '9')]
    """
    n_ranges = max(min(-(-n_ranked // _RANGE), _MANY), -(-n_ranked // _LARGEST))
    ordered = sorted(sample, key=lambda place: _key(place, integers))
    chosen = [ordered[len(ordered) * k // n_ranges] for k in range(1, n_ranges) if ordered]
    return list(dict.fromkeys((utility, item_id) for utility, item_id in chosen))


@dataclass(frozen=True)
class Split:
    """Sorts the scores of some parts together, and says where each range begins in them.

    Attributes:
        scoring: whose files hold the scores.
        whole: a digest of all parts and of the batch.
        starts: of the ranges; see `range_starts`.
        integers: every id is an integer.
        batch: file of the items that have a rank already, or None.
    """

    scoring: Scoring
    whole: str
    starts: tuple[Place, ...]
    integers: bool
    batch: str | None
    skip_broken: bool = False

    def groups(self, parts: Sequence[Part]) -> list[Part]:
        """The parts that are sorted together: of up to half the rows of a range.

        Every range reads a piece of each.
        """
        most = sum(part.rows for part in parts) // (2 * len(self.starts) + 2)
        together: list[list[Part]] = []
        for part in parts:
            if not together or sum(one.rows for one in together[-1]) + part.rows > most:
                together.append([])
            together[-1].append(part)
        return [
            Part(
                number,
                " to ".join(dict.fromkeys((group[0].name, group[-1].name))),
                {"scores": [self.scoring.name(part) for part in group]},
                sum(part.rows for part in group),
            )
            for number, group in enumerate(together)
        ]

    def name(self, part: Part) -> str:
        """The file that says where the ranges begin."""
        return file_name(f"{self.scoring.folder}/{_STARTS}", part, self._how, ARROW)

    def items(self, part: Part) -> str:
        """The file of the sorted items."""
        return self._sorted(part, "items")

    def hashes(self, part: Part) -> str:
        """The file of the sorted hashes of all ids."""
        return self._sorted(part, "hashes")

    def _sorted(self, part: Part, what: str) -> str:
        return file_name(f"{self.scoring.folder}/{what}", part, self._how, ARROW)

    @cached_property
    def _how(self) -> list[Any]:
        return [self.scoring.told, self.whole, self.starts]

    def nothing(self) -> pa.Table:
        """No starts."""
        return _cuts([], [])

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """Where each range begins among the items and among the hashes, and where the last ends."""
        import pyarrow as pa
        import pyarrow.compute as pc

        scores = self._scores(part, store)
        hashes = hashes_of(scores.column("item_id")).astype(np.uint64).view(np.int64)
        loops.sort(hashes)
        n_ranges = len(self.starts) + 1
        bounds = [_HASHES * k // n_ranges - _HASHES // 2 for k in range(1, n_ranges)]
        of_hashes = np.searchsorted(hashes, np.array(bounds, np.int64)).tolist()
        store.write_rows(self.hashes(part), pa.table({"hash": hashes}), of_hashes)
        items = scores.filter(pc.is_valid(scores.column("utility")))
        if self.batch is not None:
            batch = store.read_table(self.batch).column("item_id").cast(pa.string())
            items = items.filter(pc.invert(among(items.column("item_id"), batch)))
        items = in_exact_order(items, integers=self.integers)
        of_items = _places(items, self.starts, self.integers)
        store.write_rows(self.items(part), items, of_items)
        table = _cuts([0, *of_items, len(items)], [0, *of_hashes, len(hashes)])
        return table, Scored(counts={"items": len(scores)})

    def _scores(self, part: Part, store: Store) -> pa.Table:
        """The scores of some parts; raises as `kept_files`."""
        import pyarrow as pa

        kinds = {"item_id": pa.string(), "score": pa.float64(), "utility": pa.float64()}
        with kept_files("the scores"):
            tables = [store.read_columns(name, [*kinds]) for name in part.payload["scores"]]
            return pa.concat_tables(table.cast(pa.schema(kinds)) for table in tables)

    def ranges(self, parts: Sequence[Part], store: Store, first: int) -> list[Part]:
        """The ranges, as parts for `Ranked`.

        Args:
            parts: as `groups` gave them, all of them split.
            store: of their files.
            first: rank of the first item.
        """
        cuts = [store.read_columns(self.name(part)) for part in parts]
        counts = {
            what: np.diff([cut.column(what).to_numpy() for cut in cuts], axis=1)
            for what in ("items", "hashes")
        }
        files = {"items": [*map(self.items, parts)], "hashes": [*map(self.hashes, parts)]}
        ranges = []
        for number in range(len(self.starts) + 1):
            payload: dict[str, Any] = {"number": number, "first": first}
            for what, names in files.items():
                there = counts[what][:, number] > 0
                payload[what] = [name for name, some in zip(names, there, strict=True) if some]
            n_items = int(counts["items"][:, number].sum())
            ranges.append(Part(number, f"range {number + 1} of the order", payload, n_items))
            first += n_items
        return ranges


@dataclass(frozen=True)
class Ranked:
    """Ranks the items of a range.

    Attributes:
        folder: of the ranking, inside the store.
        integers: every id is an integer.
        n_ranked: items of the whole pool.
        budget: size of the batch.
    """

    folder: str
    integers: bool
    n_ranked: int
    budget: int
    skip_broken: bool = False

    def name(self, part: Part) -> str:
        """The file of a range."""
        name = file_name(self.folder, part, [self.n_ranked, self.budget]).rpartition("/")[2]
        return f"{self.folder}/part-{name}"

    def nothing(self) -> pa.Table:
        """No ranks."""
        import pyarrow as pa

        kinds = {"item_id": pa.string(), "score": pa.float64()}
        none = pa.table({name: pa.array([], kind) for name, kind in kinds.items()})
        return ranked_table(none, np.arange(0), self.n_ranked, self.budget)

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """The items of a range in their order; counts as `alike` hashes that are there twice."""
        import pyarrow as pa

        hashes = [piece.column("hash").to_numpy() for piece in _pieces(store, part, "hashes")]
        ordered = np.concatenate([np.empty(0, np.int64), *hashes])
        loops.sort(ordered)
        counts = {"items": part.rows, "alike": int((ordered[1:] == ordered[:-1]).sum())}
        pieces = _pieces(store, part, "items")
        if not pieces:
            return self.nothing(), Scored(counts=counts)
        items = in_exact_order(pa.concat_tables(pieces), integers=self.integers)
        ranks = np.arange(len(items)) + part.payload["first"]
        return ranked_table(items, ranks, self.n_ranked, self.budget), Scored(counts=counts)


def _places(items: pa.Table, starts: Sequence[Place], integers: bool) -> list[int]:
    """How many of the sorted items stand before each start."""
    utilities = items.column("utility").to_numpy()
    ids = items.column("item_id")

    def key(row: int) -> tuple[float, int, str]:
        return _key((float(utilities[row]), ids[row].as_py()), integers)

    return [bisect_left(range(len(items)), _key(start, integers), key=key) for start in starts]


def _key(place: Place, integers: bool) -> tuple[float, int, str]:
    """What items are sorted by; Python compares texts by code point, as Arrow does."""
    utility, item_id = place
    return -utility, int(item_id) if integers else 0, item_id


def _cuts(items: Sequence[int], hashes: Sequence[int]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"items": pa.array(items, pa.int64()), "hashes": pa.array(hashes, pa.int64())})


def _pieces(store: Store, part: Part, what: str) -> list[pa.Table]:
    """What sorted files have of a range.

    Raises:
        WriteFailed: if a file is gone or damaged; a run that is resumed sorts that part again.
    """
    tables = []
    for name in part.payload[what]:
        with kept_files("what was sorted"):
            try:
                tables.append(store.read_piece(name, part.payload["number"]))
            except (InvalidInput, OSError):
                folder, _, file = name.rsplit("/", 2)
                store.remove(f"{folder}/{_STARTS}/{file}")
                raise
    return tables
