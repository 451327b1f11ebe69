"""The table of selection methods: scores and embeddings in, an ordered batch out.

To add one, write a function in a module of this package and list it in `_METHODS`. Other packages
register a `SelectionMethod` as an entry point in the group ``labelnext.selections``. Parameters
named in `INPUTS` are filled from the pool; the other, keyword-only parameters are options. Items
arrive sorted by id, so ties go to the earlier item and the order of the pool's rows doesn't matter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import LabelnextError
from labelnext.pool.read_only import read_only
from labelnext.selection.auto import auto
from labelnext.selection.badge import badge
from labelnext.selection.cluster_margin import cluster_margin
from labelnext.selection.facility_location import facility_location
from labelnext.selection.image_diversity import image_diversity
from labelnext.selection.k_center import k_center
from labelnext.selection.object_diversity import object_diversity
from labelnext.selection.prob_cover import prob_cover
from labelnext.selection.stochastic import stochastic
from labelnext.selection.top_k import top_k
from labelnext.selection.typiclust import typiclust
from labelnext.selection.uncertainty_herding import uncertainty_herding
from labelnext.selection.weighted import weighted
from labelnext.support.plugins import Table, instance_of
from labelnext.support.rows import check_row, distinct, naming
from labelnext.support.signatures import checked, option_kinds
from labelnext.support.words import counted

#: The inputs a method may take, with their names in messages.
INPUTS: Mapping[str, str] = {
    "utilities": "an acquisition function",
    "embeddings": "embeddings",
    "labelled_embeddings": "embeddings",
    "labelled_classes": "classes of labels",
    "predicted_classes": "predicted classes",
    "probabilities": "class probabilities",
    "groups": "groups",
    "costs": "costs",
    "objects": "embeddings of objects",
    "taken_objects": "embeddings of objects",
}


Large = Literal["scores", "clusters", "rounds"]


#: The methods that have code of their own for pools in parts.
_OWN_WAYS = {"scores": ("top_k", "stochastic"), "clusters": ("image_diversity", "typiclust")}
#: The inputs that a method gets in each of two rounds.
_IN_ROUNDS = ("embeddings", "labelled_embeddings", "utilities")
#: What only options need that a pool in parts refuses.
_ON_DEMAND = ("labelled_classes", "predicted_classes")


@dataclass(frozen=True)
class SelectionMethod:
    """A selection method with its requirements.

    Attributes:
        name: as in the configuration.
        function: ``f(*inputs, budget=None, *, seed=0, **options)``, returning positions in order;
            the row's refuses options that don't fit its annotations.
        complexity: for n items, b picks, d dimensions and k clusters.
        guarantee: what the batch guarantees.
        summary: one line shown to users.
        references: where the method comes from.
        large: how to select from a pool in parts. "rounds": first within each part, then among
            those picks, for methods that take embeddings and, beside them, nothing but
            labelled_embeddings and utilities. "scores" (by score order) and "clusters" (with
            centres learnt from a sample) are for the built-in methods that have code for it. None:
            the whole pool must be in memory, and a pool in parts is refused before anything is
            written.
        prefix: whether a smaller batch is always the beginning of a larger one, also after items
            were taken out; then constraints look at all items in one order instead of in rounds.
    """

    name: str
    function: Callable[..., NDArray[np.intp]]
    complexity: str
    guarantee: str
    summary: str
    references: str
    large: Large | None = None
    prefix: bool = False

    def __post_init__(self) -> None:
        """Check that the row can keep what it says, so that it never fails during a run.

        Raises:
            LabelnextError: if it can't; a fault in the row.
        """
        check_row(self, "selection method")
        object.__setattr__(self, "function", checked(self.function))
        if fault := self._fault_of_parameters() or self._fault_of_large():
            raise LabelnextError(f"the row of the selection method {self.name} {fault}")

    def _fault_of_parameters(self) -> str | None:
        if "budget" not in self._parameters:
            return f"must have a function with the parameter budget; got {self._signature}."
        for name, parameter in self._parameters.items():
            named = name in INPUTS or name in ("budget", "seed")
            if not named and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                return (
                    f"must have a function whose inputs are among {', '.join(INPUTS)}, and whose "
                    f"options are keyword-only; got {self._signature}."
                )
        return None

    def _fault_of_large(self) -> str | None:
        """What a pool in parts couldn't do."""
        with_code = _OWN_WAYS.get(self.large or "", ())
        if self.large is None or self.name in with_code:
            return None
        if self.large != "rounds":
            kept = f", which is for {' and '.join(with_code)} alone" if with_code else ""
            return f"must leave out large, or say rounds; got {self.large!r}{kept}."
        if "embeddings" not in self.inputs:
            return "must leave out large, as the method takes no embeddings; got 'rounds'."
        known = (*_IN_ROUNDS, *(name for name in _ON_DEMAND if name not in self.needs))
        others = " and ".join(name for name in self.inputs if name not in known)
        if others:
            return (
                f"must leave out large, as the method takes {others}, which the second round "
                "doesn't have; got 'rounds'."
            )
        return None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs it takes from the pool, in the order of `INPUTS`."""
        return tuple(name for name in INPUTS if name in self._parameters)

    @property
    def needs(self) -> tuple[str, ...]:
        """The required inputs."""
        return tuple(
            n for n in self.inputs if self._parameters[n].default is inspect.Parameter.empty
        )

    @property
    def options(self) -> Mapping[str, Any]:
        """The options with their defaults; `inspect.Parameter.empty` for required ones."""
        return {
            p.name: p.default
            for p in self._parameters.values()
            if p.kind is p.KEYWORD_ONLY and p.name != "seed"
        }

    @property
    def kinds(self) -> Mapping[str, Any]:
        """The annotation of each option."""
        return option_kinds(self.function)

    @property
    def required(self) -> tuple[str, ...]:
        """The options without a default."""
        return tuple(n for n, default in self.options.items() if default is inspect.Parameter.empty)

    @property
    def seeded(self) -> bool:
        """Whether the method uses a random seed."""
        return "seed" in self._parameters

    def choose(
        self,
        inputs: Mapping[str, Any],
        n_items: int,
        budget: int | None,
        options: Mapping[str, Any],
    ) -> NDArray[np.intp]:
        """Positions in order, chosen by the function and checked before they become a batch.

        Args:
            inputs: by their names in `INPUTS`.
            n_items: to choose from.
            budget: how many at most; all if None.
            options: of the function, and its seed.

        Raises:
            LabelnextError: if the function fails, or doesn't return positions of different items.
        """
        given = {name: read_only(value) for name, value in inputs.items()}
        with naming("selection method", self.name, self.function):
            picks = self.function(**given, budget=budget, **options)
        return self.checked(picks, n_items, budget)

    def checked(self, picks: Any, n_items: int, wanted: int | None) -> NDArray[np.intp]:
        """What the method chose, checked before it becomes a batch.

        Raises:
            LabelnextError: if it isn't positions of different items, or too many; a fault in the
                method, not in the data.
        """
        chosen = np.asarray(picks)
        most = n_items if wanted is None else min(wanted, n_items)
        flat = chosen.shape == (chosen.size,)
        right = flat and (chosen.dtype.kind in "iu" or not len(chosen))
        right = right and len(chosen) <= most
        right = right and (not len(chosen) or (chosen.min() >= 0 and chosen.max() < n_items))
        if not right or np.bincount(chosen.astype(np.intp), minlength=1).max() > 1:
            raise LabelnextError(
                f"the selection method {self.name} must return different positions of at most "
                f"{counted(most, 'item')} from 0 to {n_items - 1}; got {chosen!r:.200}.",
                hint="this is a fault in the method; nothing was written.",
            )
        return chosen.astype(np.intp, copy=False)

    @property
    def _signature(self) -> str:
        return f"{self.function.__name__}({', '.join(self._parameters)})"

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.function).parameters


_METHODS = distinct(
    (
        SelectionMethod(
            "auto",
            auto,
            complexity="that of the method it chooses",
            guarantee="says which method it chose, and why",
            summary="picks a method that suits the pool's data and number of labels",
            references="the measurements on the page Quality",
        ),
        SelectionMethod(
            "top_k",
            top_k,
            complexity="O(n log n)",
            guarantee="exactly the best scores",
            summary="the best-scoring items",
            references="Settles (2009), 3.1",
            large="scores",
            prefix=True,
        ),
        SelectionMethod(
            "stochastic",
            stochastic,
            complexity="O(n log n)",
            guarantee="an exact sample without replacement from the stated law",
            summary="a random sample that favours good scores, for a more varied batch",
            references="Kirsch et al. (2023), Stochastic batch acquisition",
            large="scores",
        ),
        SelectionMethod(
            "image_diversity",
            image_diversity,
            complexity="O(n k d)",
            guarantee="each round takes one item from each cluster",
            summary="the most typical items of each cluster, one cluster per class",
            references="Encord Active, Image Diversity (2023)",
            large="clusters",
        ),
        SelectionMethod(
            "k_center",
            k_center,
            complexity="O(n b d) at worst, 5 to 15% of that as measured",
            guarantee="every item is within twice the best possible radius for that batch size",
            summary="the item farthest from everything labelled or picked, again and again",
            references="Gonzalez (1985); Sener and Savarese (2018)",
            large="rounds",
        ),
        SelectionMethod(
            "typiclust",
            typiclust,
            complexity="O(n k d) per k-means iteration, then O(s² d) for a cluster of s items",
            guarantee="clusters with fewer labels come first",
            summary="the most typical item of each unlabelled cluster; good for the first labels",
            references="Hacohen, Dekel and Weinshall (2022)",
            large="clusters",
        ),
        SelectionMethod(
            "prob_cover",
            prob_cover,
            complexity="O(n² d), above 30,000 items O(n d) · 16,384",
            guarantee="covers at least 1 − 1/e of what the best batch of that size covers",
            summary="the item with the most uncovered neighbours, again and again",
            references="Yehuda et al. (2022)",
        ),
        SelectionMethod(
            "facility_location",
            facility_location,
            complexity="O(n² d), above 30,000 items O(n d) · 16,384",
            guarantee="reaches at least 1 − 1/e of the best objective for that batch size",
            summary="a batch that has something similar to every item in the pool",
            references="Nemhauser, Wolsey and Fisher (1978); Wei, Iyer and Bilmes (2015)",
            large="rounds",
        ),
        SelectionMethod(
            "uncertainty_herding",
            uncertainty_herding,
            complexity="O(n² d), above 30,000 items O(n d) · 16,384",
            guarantee="reaches at least 1 − 1/e of the best objective for that batch size",
            summary="a batch that has something similar to every doubtful item in the pool",
            references="Bae et al. (2024, 2025), MaxHerding and Uncertainty herding",
            large="rounds",
        ),
        SelectionMethod(
            "badge",
            badge,
            complexity="O(n b (d + c))",
            guarantee="exact k-means++ sampling after the first pick",
            summary="uncertain items with different gradients",
            references="Ash et al. (2020)",
        ),
        SelectionMethod(
            "cluster_margin",
            cluster_margin,
            complexity="O(n log n), plus k-means on 5 b items",
            guarantee="all picks are among the 5 b best scores",
            summary="the best scores, spread over clusters, small clusters first",
            references="Citovsky et al. (2021)",
        ),
        SelectionMethod(
            "weighted",
            weighted,
            complexity="O(n b d) at worst",
            guarantee="each pick has exactly the largest product of priority and distance",
            summary="good scores far from everything labelled or picked",
            references="Minoux (1978), lazy evaluation of a greedy product",
        ),
        SelectionMethod(
            "object_diversity",
            object_diversity,
            complexity="O((4 b o)² d) for o objects per image",
            guarantee="all picks are among the 4 b best scores",
            summary="among the best scores, the images whose objects look least alike",
            references="Yang et al. (2024), PPAL, second stage",
        ),
    )
)


SELECTIONS = Table("labelnext.selections", "selection", instance_of(SelectionMethod), _METHODS)


def get_selection(name: str) -> SelectionMethod:
    """Look up a selection method by name.

    Raises:
        UnknownName: for an unknown name; suggests the closest match.
        ConfigError: if it comes from another package and can't be loaded.

    Example:
        >>> get_selection("image_diversity").needs
        ('embeddings',)
    """
    return SELECTIONS.get(name)


def selection_names() -> list[str]:
    """Names of all selection methods in table order, those of other packages last.

    Example:
        >>> "top_k" in selection_names()
        True
    """
    return SELECTIONS.names()


__all__ = [
    "SELECTIONS",
    "SelectionMethod",
    "auto",
    "badge",
    "cluster_margin",
    "facility_location",
    "get_selection",
    "image_diversity",
    "k_center",
    "object_diversity",
    "prob_cover",
    "selection_names",
    "stochastic",
    "top_k",
    "typiclust",
    "uncertainty_herding",
    "weighted",
]
