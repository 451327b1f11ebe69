"""More like these: utilities that favour the items most similar to some that are named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, listed, shown
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.selection.hellinger import has_shares, vectors_of_pool
from labelnext.selection.vectors import (
    Array,
    Coordinates,
    Points,
    directions,
    finite_rows,
)
from labelnext.support.annotations import Exponent, Id
from labelnext.support.signatures import fitted_options, option_kinds
from labelnext.support.words import NO_SUCH_ID, counted

if TYPE_CHECKING:
    from labelnext.selection import SelectionMethod

_BLOCK = 4096  # items that are compared at once
_A_LIST = "in Python, give ids as the list itself: similar_to=['a', 'b']; a column takes one value."


@dataclass(frozen=True)
class Likeness:
    """What the items of the batch should be like; options of every selection method.

    Attributes:
        similar_to: ids of items, such as known failures; labelled or not. Or {column: value}: the
            items with that value in a column of the metadata, or with that tag: {tag: hard}. In
            a configuration also {ids: […]}, or {file: failures.txt} with one id a line.
        similar_strength: exponent of the similarity, which is multiplied by the score's rank.
    """

    similar_to: Sequence[Id] | Mapping[str, Sequence[Id] | Id] = ()
    similar_strength: Exponent = 1.0

    def __post_init__(self) -> None:
        fitted_options(vars(self), option_kinds(type(self)))
        named = self.similar_to
        if isinstance(named, Mapping) and any(not isinstance(v, str | int) for v in named.values()):
            raise InvalidInput(
                f"similar_to must be a list of ids or {{column: value}}; got {shown(dict(named))}.",
                hint=_A_LIST,
            )
        if isinstance(self.similar_to, Mapping) and len(self.similar_to) > 1:
            raise InvalidInput(
                f"similar_to must name a single column; got {listed([*self.similar_to])}."
            )
        if not self.similar_to and self.similar_strength != type(self).similar_strength:
            raise InvalidInput(
                f"similar_strength must be left out without similar_to; got "
                f"{self.similar_strength!r}."
            )

    def check(self, method: SelectionMethod) -> None:
        """Refuse a method that doesn't go by scores: it would choose the same batch without this.

        Raises:
            InvalidInput: naming the method.
        """
        if self.similar_to and "utilities" not in method.inputs:
            raise InvalidInput(
                f"similar_to must be left out for {method.name}, which doesn't go by scores; got "
                f"{shown(self.similar_to)}.",
                hint="top_k and uncertainty_herding go by scores.",
            )

    def weigh(
        self,
        pool: Pool,
        utilities: NDArray[np.floating] | None,
        space: Coordinates | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], list[Notice]]:
        """Utilities that weigh the similarity to the named items.

        The utility is share · similarity^similar_strength. The share is that of the candidates
        whose own utility is not larger, so the scale of the scores doesn't matter; 1 without
        scores.

        Args:
            pool: the items.
            utilities: shape (n_items,), larger is labelled sooner, NaN without one; or None.
            space: what similarity is measured by; class probabilities where None and the pool has
                no embeddings.

        Returns:
            The new utilities and the similarities, both shape (n_items,), in [0, 1], NaN where
            they aren't known; and notices.

        Raises:
            InvalidInput: if there is nothing to compare, or no named item can be compared.
        """
        ids = self._ids(pool)
        by_shares = space is None and pool.embeddings is None and has_shares(pool)
        vectors = vectors_of_pool(pool, "probabilities" if by_shares else space)
        if vectors is None:
            raise InvalidInput(
                f"similar_to must be left out for a pool without embeddings; got {listed(ids)}.",
                hint="add embeddings to the pool; in a configuration, by source.embeddings.",
            )
        known = finite_rows(Points(vectors), pool.item_ids)
        named = np.isin(pool.item_ids, ids)
        lacking = sorted(set(ids).difference(pool.item_ids[named & known].tolist()))
        by = "class probabilities" if by_shares or space == "probabilities" else "embeddings"
        if len(lacking) == len(set(ids)):
            raise InvalidInput(
                f"similar_to must name items of the pool that have {by}; got {listed(lacking)}.",
                hint="name others: nothing is known of what those are like."
                if named.any()
                else NO_SUCH_ID,
            )
        similarities = np.full(len(pool), np.nan)
        similarities[known] = similarity(vectors[known], vectors[named & known])
        shares = np.ones(len(pool)) if utilities is None else _shares(utilities, pool.candidates)
        n_named = len(set(ids)) - len(lacking)
        what = "Scored items" if utilities is None else "Weighed the scores"
        message = f"{what} by how similar they are to {counted(n_named, 'named item')}, by {by}."
        notices = [Notice("similar_to", message)]
        if lacking:
            message = (
                f"Ignored {counted(len(lacking), 'id')} in similar_to: not in the pool, or without "
                f"{by}."
            )
            notices.append(Notice("unknown_id", message, tuple(lacking)))
        return shares * similarities**self.similar_strength, similarities, notices

    def _ids(self, pool: Pool) -> list[str]:
        """The named items.

        Raises:
            InvalidInput: if there is no such column, or no item has that value.
        """
        if not isinstance(self.similar_to, Mapping):
            return [str(name) for name in self.similar_to]
        ((column, value),) = self.similar_to.items()
        columns = pool.metadata or {}
        if column == "tag" and column not in columns:
            column = "tags"  # as FiftyOne calls them
        if column not in columns:
            hint = "add columns as metadata of the pool; in a configuration, by source.metadata."
            if column in ("ids", "file"):
                hint = _A_LIST
            elif column == "tags":
                hint = "samples of FiftyOne have tags: read them with source.metadata: [tags]."
            elif columns:
                hint = f"the pool's metadata has {listed([*columns])}."
            raise InvalidInput(
                f"similar_to must name a column of the metadata; got {column!r}.", hint=hint
            )
        texts = columns[column]
        order = pool.tie_order
        in_order = zip(pool.item_ids[order].tolist(), texts[order].tolist(), strict=True)
        wanted = str(value)
        ids = [name for name, text in in_order if text == wanted or wanted in _entries(text)]
        if not ids:
            raise InvalidInput(
                f"similar_to must be a value of {column} that items have; got {wanted!r}.",
                hint=f"there are {listed(sorted({*texts.tolist()} - {''}))}.",
            )
        return ids


def similarity(vectors: Array, references: Array) -> NDArray[np.float64]:
    """How similar each item is to the nearest reference: (1 + cosine) / 2.

    Args:
        vectors: shape (n_items, n_dimensions), finite.
        references: shape (n_references, n_dimensions), finite, at least one.

    Returns:
        Shape (n_items,), in [0, 1]; a vector of zeros has a cosine of 0 with every other.

    Example:
        >>> similarity(np.array([[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]), np.eye(1, 2)).tolist()
        [1.0, 0.5, 0.0]
    """
    others = directions(references)
    found = np.empty(len(vectors))
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        found[block] = (directions(vectors[block]) @ others.T).max(axis=1)
    return np.clip((1 + found) / 2, 0, 1)


def _entries(text: str) -> list[str]:
    """The entries of a list such as the tags of a sample, as `value_text` writes it."""
    if not text.startswith("["):
        return []
    try:
        return [entry for entry in json.loads(text) if isinstance(entry, str)]
    except ValueError:
        return []


def _shares(utilities: NDArray[np.floating], candidates: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The share of candidates whose utility is not larger; NaN without a utility."""
    scored = ~np.isnan(utilities)
    values = np.sort(utilities[scored & candidates])
    shares = np.full(len(utilities), np.nan)
    if len(values):
        shares[scored] = np.searchsorted(values, utilities[scored], side="right") / len(values)
    return shares
