"""The labelled objects of each class, over all parts: what weights of classes go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from labelnext.acquisition import AUTO
from labelnext.acquisition.weights import count_weights, labelled_counts
from labelnext.adapter.protocol import Part, Streams
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe
from labelnext.runs.large.part import Scored, file_name
from labelnext.support.store import Store

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Counting:
    """How many labelled objects of each class a part holds; 0 of those that were only predicted.

    Attributes:
        folder: of the scores, inside the store.
        skip_broken: parts that cannot be read are counted and left out.
    """

    folder: str
    skip_broken: bool = False

    def name(self, part: Part) -> str:
        """The file of a part's counts."""
        return file_name(f"{self.folder}/counts", part, [])

    def nothing(self) -> pa.Table:
        """No classes."""
        return _as_table({})

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        """Classes and counts."""
        pool, _ = reader.read_part(part)
        counts = labelled_counts(pool).tolist()
        names = pool.classes or tuple(map(str, range(len(counts))))
        found = Scored(counts={"items": len(pool)})
        return _as_table(dict(zip(names, counts, strict=True))), found

    def total(self, parts: Sequence[Part], store: Store) -> dict[str, int]:
        """The counts of all parts, by class."""
        counts: dict[str, int] = {}
        for part in parts:
            table = store.read_table(self.name(part))
            for name, n in zip(*(table.column(c).to_pylist() for c in ("class", "n")), strict=True):
                counts[name] = counts.get(name, 0) + n
        return counts


def is_wanted(recipe: Recipe, first: Pool) -> bool:
    """Whether the scores go by how many objects are labelled.

    Args:
        recipe: of the configuration.
        first: the first part.
    """
    if len(first.object_sets) != 1 or first.object_sets[0].class_ids is None:
        return False
    options = {"reduce": recipe.reduction, "class_weights": "counts", **recipe.options}
    if recipe.acquisition == AUTO:
        return options["reduce"] in (None, "weighted_sum") and first.truth is not None
    return (options["reduce"], options["class_weights"]) == ("weighted_sum", "counts")


def with_labels(first: Pool, counts: Mapping[str, int] | None) -> Pool:
    """The first part, with labelled objects if any part has some, and without if none has.

    It stands for the whole where it is decided what is scored.
    """
    pool = first if first.truth is None else replace(first, truth=None)  # which checks it anew
    if not len(pool) or not counts or not any(counts.values()):
        return pool
    one = np.append(0, np.ones(len(pool), dtype=np.intp))
    labelled = np.append(True, first.labelled[1:])
    return replace(pool, truth=Objects(one, [1.0], class_ids=[0]), labelled=labelled)


def with_weights(recipe: Recipe, counts: Mapping[str, int] | None) -> Recipe:
    """The recipe with the weight of each class in the place of counting them.

    Example:
        >>> recipe = Recipe("entropy", "objects", reduction="weighted_sum")
        >>> with_weights(recipe, {"car": 8, "bus": 0}).options["class_weights"]
        {'car': 1.1111111111111112, 'bus': 10.0}
    """
    counting = recipe.options.get("class_weights", "counts") == "counts"
    if counts is None or recipe.reduction != "weighted_sum" or not counting:
        return recipe
    weights = count_weights(list(counts.values())).tolist()
    named = dict(zip(counts, weights, strict=True))
    return replace(recipe, options={**recipe.options, "class_weights": named})


def _as_table(counts: Mapping[str, int]) -> pa.Table:
    import pyarrow as pa

    names, numbers = pa.array(list(counts), pa.string()), pa.array(counts.values(), pa.int64())
    return pa.table({"class": names, "n": numbers})
