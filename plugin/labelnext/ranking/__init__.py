"""From a pool to a ranking: the recipe, the order, and why an item stands where it stands."""

from __future__ import annotations

from labelnext.ranking.rank import Ranking, rank

__all__ = ["Ranking", "rank"]
