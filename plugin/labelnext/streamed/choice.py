"""How the batch of a pool that is read in parts is chosen, and what of it is exact."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.config import Config
from labelnext.errors import ConfigError
from labelnext.pool import Pool
from labelnext.ranking import default_clusters, routed
from labelnext.selection import get_selection
from labelnext.selection.constraints import Constraints
from labelnext.selection.points import Array, Points, Space

#: Items are put to centres that were learnt from a sample; the lists of the clusters are exact.
CLUSTERED = ("image_diversity", "typiclust")
#: Once in each part, then once more among what was picked there.
ROUNDS = ("k_center", "facility_location")


@dataclass(frozen=True)
class Choice:
    """How the batch is chosen: all that a worker must know, as JSON.

    Attributes:
        method: name of the selection method.
        budget: size of the batch; None for the whole pool.
        seed: of the method.
        options: of the method.
        space: how distances are measured; see `Space`.
        limits: what the batch must keep to; see `Constraints`.
    """

    method: str = "top_k"
    budget: int | None = None
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)

    @property
    def clustered(self) -> bool:
        """The method is one of `CLUSTERED`."""
        return self.method in CLUSTERED

    @property
    def in_rounds(self) -> bool:
        """The method is one of `ROUNDS`."""
        return self.method in ROUNDS

    @property
    def constraints(self) -> Constraints:
        """What the batch must keep to."""
        return Constraints(**self.limits)

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of a part beside what scores are made from."""
        wanted = ["embedding"] if self.clustered or self.in_rounds else []
        grouped = self.limits.get("quota_of") == "group" or self.limits.get("per_group")
        return (*wanted, *(["group"] if grouped else []))

    def points(self, embeddings: Array, rows: NDArray[np.intp]) -> Points:
        """Some rows of a column in the space of the method."""
        return Space(**self.space).of(embeddings, rows, seed=self.seed)(rows)


def choice_of(settings: Config, name: str | None, options: dict[str, Any], pool: Pool) -> Choice:
    """What the configuration asks for.

    Args:
        settings: the configuration.
        name: of the acquisition function.
        options: of scoring and selection.
        pool: the first part.

    Raises:
        ConfigError: for what needs the whole pool at once.
        InvalidInput: if the pool lacks what is needed.
    """
    selection = settings.selection
    method = get_selection(selection.method)
    _, own, space, limits = routed(name, method, options)
    if "n_clusters" in method.required and "n_clusters" not in own:
        own["n_clusters"] = default_clusters(pool)
    choice = Choice(method.name, selection.budget, selection.seed, own, space, limits)
    check_choice(choice)
    if choice.constraints.any:  # classes, groups and sums are looked at before anything begins
        none = np.empty(0, dtype=np.intp)
        trial = replace(choice.constraints, include=())
        trial.fill(pool, none, choice.budget, lambda left, taken, wanted: none)
    return choice


def check_choice(choice: Choice) -> None:
    """Refuse what needs the whole pool at once.

    Raises:
        ConfigError: naming the key.
    """
    limited = choice.constraints.any
    wrong = {
        "selection.budget must be given": (
            choice.budget is None and (limited or choice.method != "top_k")
        ),
        "selection.options.standardise must be false": choice.space.get("standardise", False),
        "selection.options.projection must be random or left out": (
            choice.space.get("projection") == "pca"
        ),
        "selection.options.budget_in must be items": choice.limits.get("budget_in") == "cost",
        "selection.method must be top_k with quota, per_group or include": (
            limited and choice.method != "top_k"
        ),
    }
    for rule, broken in wrong.items():
        if broken:
            raise ConfigError(
                f"{rule} for a pool that is read in parts.",
                hint="the rest needs the whole pool in memory: give one file as source.path.",
            )
