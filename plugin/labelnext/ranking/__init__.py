"""From a pool to a ranking: the recipe, the order, and explanations of it."""

from __future__ import annotations

from labelnext.ranking.rank import rank
from labelnext.ranking.ranking import Ranking

__all__ = ["Ranking", "rank"]
