"""Scoring a part by the table's function, with what the choice of the batch will need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Part, Streams
from labelnext.pool.pool import Pool
from labelnext.ranking.reasons import reasons
from labelnext.ranking.recipe import Recipe
from labelnext.report.findings import NEXT
from labelnext.runs.large.choices import (
    columns_of,
    kind_columns,
    needs_survey,
    picks_in_clusters,
    picks_in_rounds,
)
from labelnext.runs.large.guide import read_guide, vectors_of
from labelnext.runs.large.part import ARROW, SAMPLE, Scored, all_integers, file_name
from labelnext.runs.large.part_findings import (
    class_counts,
    class_names,
    columns_for_report,
    counts_of_emptiness,
    no_columns_for_report,
    object_counts,
    write_evidence,
)
from labelnext.runs.large.pick_in_part import located, proposed
from labelnext.selection.quotas import groups_of, texts_of
from labelnext.selection.top_k import top_k
from labelnext.selection.vectors import Points, finite_rows
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa


_EVERY = 5_000  # one of so many items is in the sample by which the order is cut
_STEP = 3_089  # the golden section of it: the beginnings are spread evenly


@dataclass(frozen=True)
class Scoring:
    """How parts are scored, and where their scores go: all that a worker must know.

    Attributes:
        recipe: how parts are scored and the batch is chosen.
        folder: of the scores, inside the store.
        skip_broken: parts that cannot be read are counted and left out.
        whole: a digest of all parts, where a survey of them says how each is scored.
    """

    recipe: Recipe
    folder: str
    skip_broken: bool = False
    whole: str | None = None

    def name(self, part: Part) -> str:
        """The file of a part's scores."""
        return file_name(self.folder, part, self._how, ARROW)

    @cached_property
    def told(self) -> dict[str, Any]:
        """The recipe as data, for the names of files: made once for all parts."""
        return self.recipe.to_dict()

    @property
    def _how(self) -> list[Any]:
        return [self.told, self.whole]

    def proposals(self, part: Part) -> str:
        """The file of what a part proposes for the batch, where the choice goes in rounds."""
        return self._beside_scores(part, "proposals")

    def evidence(self, part: Part) -> str:
        """The file of what a part's labels say of its predictions."""
        return self._beside_scores(part, "evidence")

    def _beside_scores(self, part: Part, folder: str) -> str:
        return file_name(f"{self.folder}/{folder}", part, self._how)

    def nothing(self) -> pa.Table:
        """No scores."""
        import pyarrow as pa

        kinds = {"item_id": pa.string(), "score": pa.float64(), "utility": pa.float64()}
        if self.recipe.constraints.any:
            kinds |= {"group": pa.string(), "labelled": pa.bool_()}
            kinds |= dict.fromkeys(kind_columns(self.recipe.constraints).values(), pa.string())
        if picks_in_clusters(self.recipe):
            kinds |= {"cluster": pa.int64(), "distance": pa.float64()}
        kinds |= no_columns_for_report(self.recipe)
        return pa.table({name: pa.array([], kind) for name, kind in kinds.items()})

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """Scores of a part, and of what its place in the batch depends."""
        import pyarrow as pa

        pool, ids = reader.read_part(part, columns_of(self.recipe))
        scores, utilities = self._scored(pool)
        usable, wanted = self._candidates(pool, ids, utilities)
        values = np.full(len(pool), np.nan)
        if utilities is not None:
            np.add(utilities, 0.0, out=values, where=wanted)  # no −0.0: it would tie unequally
        columns = {
            "item_id": ids,
            "score": pa.array(scores, from_pandas=True),
            "utility": pa.array(values, from_pandas=True),
            **self._beside(pool, ids, wanted, store),
            **columns_for_report(pool, self.recipe),
        }
        if picks_in_rounds(self.recipe):
            guide = read_guide(store.place, self.folder)
            made = proposed(self.recipe, pool, ids, scores, values, wanted, guide)
            store.write_table(self.proposals(part), made)
        write_evidence(store, self.evidence(part), pool)
        table = pa.table(columns)
        scored = self._found(pool, ids, scores, values, usable, wanted)
        scored.predictions = dict.fromkeys(_kind(pool, self.recipe.unit), part.name)
        scored.counts |= counts_of_emptiness(pool, self.recipe.floor)
        scored.objects = object_counts(pool, table.column("n_objects").to_numpy())
        scored.exclusive = not pool.multilabel
        scored.class_names = class_names(pool, self.recipe)
        scored.classes = class_counts(pool, self.recipe, wanted)
        scored.sample = _sample(values, ids, part.number)
        return table, scored

    def candidates(self, pool: Pool, ids: pa.Array) -> NDArray[np.bool_]:
        """Which items of a part can be chosen, shape (n_items,)."""
        return self._candidates(pool, ids, self._scored(pool)[1])[1]

    def _candidates(
        self, pool: Pool, ids: pa.Array, utilities: NDArray[np.float64] | None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which items have all that is needed, and which of them can be chosen."""
        usable = np.ones(len(pool), dtype=bool) if utilities is None else ~np.isnan(utilities)
        if needs_survey(self.recipe):
            usable &= finite_rows(Points(vectors_of(pool, self.recipe)), pool.item_ids)
        return usable, usable & ~pool.labelled & ~self._excluded(ids)

    def _scored(self, pool: Pool) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        recipe = self.recipe
        if recipe.function is None:
            return np.full(len(pool), np.nan), None
        return recipe.function.score(pool, of=recipe.unit, **recipe.scoring)

    def _excluded(self, ids: pa.Array) -> NDArray[np.bool_]:
        import pyarrow as pa
        import pyarrow.compute as pc

        names = pa.array([str(i) for i in self.recipe.constraints.exclude], pa.string())
        if not len(names):
            return np.zeros(len(ids), dtype=bool)
        excluded: NDArray[np.bool_] = pc.is_in(ids, names).to_numpy(zero_copy_only=False)
        return excluded

    def _beside(
        self, pool: Pool, ids: pa.Array, wanted: NDArray[np.bool_], store: Store
    ) -> dict[str, Any]:
        """What the choice of the batch looks at beside the score."""
        import pyarrow as pa

        columns: dict[str, Any] = {}
        limits = self.recipe.constraints
        if limits.any:
            for kind, column in kind_columns(limits).items():
                columns[column] = pa.array(texts_of(pool, kind).tolist(), pa.string())
            grouped = limits.per_group is not None
            groups = groups_of(pool, "per_group") if grouped else np.full(len(pool), "")
            columns["group"] = pa.array(groups.tolist(), pa.string())
            columns["labelled"] = pa.array(pool.labelled)
        if picks_in_clusters(self.recipe):
            guide = read_guide(store.place, self.folder)
            clusters, distances = located(self.recipe, pool, ids, wanted, guide)
            columns["cluster"] = pa.array(clusters, mask=~wanted)
            columns["distance"] = pa.array(distances, mask=~wanted)
        return columns

    def _found(
        self,
        pool: Pool,
        ids: pa.Array,
        scores: NDArray[np.float64],
        utilities: NDArray[np.float64],
        usable: NDArray[np.bool_],
        wanted: NDArray[np.bool_],
    ) -> Scored:
        import pyarrow as pa

        unscored = ~usable & ~pool.labelled
        missing = pool.missing & ~pool.labelled
        finite = scores[wanted & np.isfinite(scores)]

        def named(rows: Any, most: int = SAMPLE) -> list[str]:
            return [str(i) for i in ids.take(pa.array(np.flatnonzero(rows)[:most])).to_pylist()]

        best = _best(utilities, ids, NEXT)
        foremost = [str(i) for i in ids.take(pa.array(best)).to_pylist()]
        lines = reasons(pool, best.tolist(), self.recipe.unit, self.recipe)
        return Scored(
            counts={
                "items": len(pool),
                "predicted": int((~pool.missing).sum()),
                "missing": int(missing.sum()),
                "labelled": int(pool.labelled.sum()),
                "unscored": int(unscored.sum()),
                "ranked": int(wanted.sum()),
            },
            missing=named(missing),
            unscored=named(unscored),
            notices={
                notice.code: {
                    "parts": 1,
                    "items": len(notice.item_ids),
                    "message": notice.message,
                    "ids": _real(notice.item_ids[:SAMPLE], ids),
                }
                for notice in pool.notices
            },
            low=float(finite.min()) if finite.size else None,
            high=float(finite.max()) if finite.size else None,
            reasons=dict(zip(foremost, lines, strict=True)),
            integers=all_integers(ids),
        )


def _sample(utilities: NDArray[np.float64], ids: pa.Array, number: int) -> list[tuple[float, str]]:
    """Utility and id of one of so many items that are ranked.

    Where it begins differs from part to part, so that it holds some of many small parts, too.
    """
    import pyarrow as pa

    rows = np.flatnonzero(~np.isnan(utilities))[number * _STEP % _EVERY :: _EVERY]
    names = ids.take(pa.array(rows)).to_pylist()
    return list(zip(utilities[rows].tolist(), map(str, names), strict=True))


def _best(utilities: NDArray[np.float64], ids: pa.Array, most: int) -> NDArray[np.intp]:
    """The rows that come first in the ranking, ties by id."""
    import pyarrow as pa
    import pyarrow.compute as pc

    best = top_k(utilities, most)
    best = best[~np.isnan(utilities[best])]
    if len(best) < most:
        return np.sort(best)
    edge = utilities[best[-1]]
    above, level = np.flatnonzero(utilities > edge), np.flatnonzero(utilities == edge)
    names = ids.take(pa.array(level))
    if all_integers(ids):
        names = names.cast(pa.decimal128(38))
    first = pc.bottom_k_unstable(names, most - len(above))
    return np.concatenate([above, level[first.to_numpy()]])


def _kind(pool: Pool, of: Any) -> list[str]:
    """How many classes the predictions are of, and versions; nothing where there are none."""
    if pool.answers:
        several = f"{len(pool.answers)} versions of " if len(pool.answers) > 1 else ""
        return [f"{several}one confidence per item"]
    if of == "items":
        members = None if pool.missing.all() else pool.members
        n_versions = 1 if members is None else len(members)
        widths = set() if members is None else {members.shape[-1]}
    else:  # a version that found nothing, or has no class vectors, says nothing
        n_versions = len(pool.object_sets)
        vectors = [o.probabilities for o in pool.object_sets if len(o.confidences)]
        widths = {v.shape[1] for v in vectors if v is not None}
    several = f"{n_versions} versions of " if n_versions > 1 else ""
    return [f"{several}{width} classes" for width in widths]


def _real(rows: tuple[str, ...], ids: Any) -> list[str]:
    """The ids behind row numbers: a part's pool is numbered, for speed."""
    return [str(ids[int(row)].as_py()) for row in rows]
