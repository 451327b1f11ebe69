"""The table of selection methods: scores and embeddings in, an ordered batch out.

A new one is a function in a module of this package and one entry in `_METHODS`; another package
adds a `SelectionMethod` as an entry point of the group ``labelnext.selections``. The parameters of
the function say what it takes: those named in `INPUTS` are filled from the pool, the keyword-only
others are its options. Items reach it sorted by id, so that "the earlier one" is the tie rule and
the order of the pool's rows has no influence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
from labelnext.selection.weighted import weighted
from labelnext.support.plugins import Table, instance_of

#: What a method's parameters may ask for, each with the words for a person.
INPUTS: Mapping[str, str] = {
    "utilities": "an acquisition function",
    "embeddings": "embeddings",
    "labelled_embeddings": "embeddings",
    "probabilities": "class probabilities",
    "groups": "groups",
    "costs": "costs",
    "objects": "embeddings of objects",
    "taken_objects": "embeddings of objects",
}


Large = Literal["scores", "clusters", "rounds"]


@dataclass(frozen=True)
class SelectionMethod:
    """A row of the table.

    Attributes:
        name: as in the configuration.
        function: ``f(*inputs, budget=None, *, seed=0, **options)``, giving positions in order.
        complexity: for n items, b picks, d dimensions and k clusters.
        guarantee: what holds of the batch.
        summary: one line for people.
        references: where the method comes from.
        large: how a pool in parts is chosen from: by the order of its scores; by clusters, whose
            centres are learnt from a sample; in two rounds, once in each part and once among what
            was picked there; None where the whole pool must be in memory.
    """

    name: str
    function: Callable[..., NDArray[np.intp]]
    complexity: str
    guarantee: str
    summary: str
    references: str
    large: Large | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it takes from the pool, in the order of `INPUTS`."""
        return tuple(name for name in INPUTS if name in self._parameters)

    @property
    def needs(self) -> tuple[str, ...]:
        """The inputs that it cannot do without."""
        return tuple(
            n for n in self.inputs if self._parameters[n].default is inspect.Parameter.empty
        )

    @property
    def options(self) -> Mapping[str, Any]:
        """Its options and their defaults; the empty marker of `inspect` where there is none."""
        return {
            p.name: p.default
            for p in self._parameters.values()
            if p.kind is p.KEYWORD_ONLY and p.name != "seed"
        }

    @property
    def required(self) -> tuple[str, ...]:
        """The options without a default."""
        return tuple(n for n, default in self.options.items() if default is inspect.Parameter.empty)

    @property
    def seeded(self) -> bool:
        """Whether chance, from a seed, plays a part."""
        return "seed" in self._parameters

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.function).parameters


_METHODS = {
    m.name: m
    for m in (
        SelectionMethod(
            "auto",
            auto,
            complexity="that of the method it chooses",
            guarantee="says which method it chose, and why",
            summary="the method that suits what the pool holds and how many labels there are",
            references="the measurements on the page Choosing a batch",
        ),
        SelectionMethod(
            "top_k",
            top_k,
            complexity="O(n log n)",
            guarantee="exactly the best scores",
            summary="the items with the best scores",
            references="Settles (2009), 3.1",
            large="scores",
        ),
        SelectionMethod(
            "stochastic",
            stochastic,
            complexity="O(n log n)",
            guarantee="an exact sample without replacement of the stated law",
            summary="good scores drawn by chance, so that a batch is not all of one kind",
            references="Kirsch et al. (2023), Stochastic batch acquisition",
            large="scores",
        ),
        SelectionMethod(
            "image_diversity",
            image_diversity,
            complexity="O(n k d)",
            guarantee="each round takes one item of each cluster",
            summary="typical items of each of as many clusters as there are classes",
            references="Encord Active, Image Diversity (2023)",
            large="clusters",
        ),
        SelectionMethod(
            "k_center",
            k_center,
            complexity="O(n b d) at worst, 5 to 15 % of it as measured",
            guarantee="every item is within twice the best radius of a batch of that size",
            summary="each time the item farthest from what is labelled or picked",
            references="Gonzalez (1985); Sener and Savarese (2018)",
            large="rounds",
        ),
        SelectionMethod(
            "typiclust",
            typiclust,
            complexity="O(n k d) an iteration of k-means, then O(s² d) for a cluster of s items",
            guarantee="a cluster with fewer labels comes before one with more",
            summary="the most typical item of each cluster without a label; for the first labels",
            references="Hacohen, Dekel and Weinshall (2022)",
            large="clusters",
        ),
        SelectionMethod(
            "prob_cover",
            prob_cover,
            complexity="O(n² d) time, O(pairs within the radius) memory",
            guarantee="covers at least 1 − 1/e of what the best batch of that size covers",
            summary="the item with the most neighbours that are not covered yet",
            references="Yehuda et al. (2022)",
        ),
        SelectionMethod(
            "facility_location",
            facility_location,
            complexity="O(n² d) time, O(n²) memory, above 5,000 items O(n · n_neighbours)",
            guarantee="reaches at least 1 − 1/e of the best objective of a batch of that size",
            summary="items to which every item of the pool is similar",
            references="Nemhauser, Wolsey and Fisher (1978); Wei, Iyer and Bilmes (2015)",
            large="rounds",
        ),
        SelectionMethod(
            "badge",
            badge,
            complexity="O(n b (d + c))",
            guarantee="draws exactly by the law of k-means++ after the first pick",
            summary="uncertain items whose gradients differ",
            references="Ash et al. (2020)",
        ),
        SelectionMethod(
            "cluster_margin",
            cluster_margin,
            complexity="O(n log n), and k-means of 5 b items",
            guarantee="all picks are among the 5 b best scores",
            summary="the best scores, spread over clusters, the small ones first",
            references="Citovsky et al. (2021)",
        ),
        SelectionMethod(
            "weighted",
            weighted,
            complexity="O(n b d) at worst",
            guarantee="each pick has the largest product of priority and distance, exactly",
            summary="good scores, far from what is labelled or picked",
            references="Minoux (1978), lazy evaluation of a greedy product",
        ),
        SelectionMethod(
            "object_diversity",
            object_diversity,
            complexity="O((4 b o)² d), o being the objects of an image",
            guarantee="all picks are among the 4 b best scores",
            summary="of the best scores, the images whose objects look least alike",
            references="Yang et al. (2024), PPAL, second stage",
        ),
    )
}


SELECTIONS = Table("labelnext.selections", "selection", instance_of(SelectionMethod), _METHODS)


def get_selection(name: str) -> SelectionMethod:
    """The selection method of that name.

    Raises:
        UnknownName: with the nearest right name.
        ConfigError: if it is that of a package, and cannot be used.

    Example:
        >>> get_selection("image_diversity").needs
        ('embeddings',)
    """
    return SELECTIONS.get(name)


def selection_names() -> list[str]:
    """The names of all selection methods, in the order of the table; packages' come last.

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
    "weighted",
]
