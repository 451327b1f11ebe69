"""auto: picks the selection method that suits the pool, and says why."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.selection.badge import badge
from labelnext.selection.cluster_margin import cluster_margin
from labelnext.selection.top_k import top_k
from labelnext.selection.typiclust import typiclust
from labelnext.selection.vectors import Array, Points, as_points
from labelnext.support.annotations import NaturalNumber, Seed
from labelnext.support.signatures import checked
from labelnext.support.words import counted

_PER_CLASS = 2  # labels per class below which the model's scores aren't trusted
_FEW = 20  # the same in total, if the number of classes is unknown


@checked
def auto(
    utilities: NDArray[np.floating] | None = None,
    embeddings: Array | Points | None = None,
    labelled_embeddings: Array | Points | None = None,
    probabilities: NDArray[np.floating] | None = None,
    budget: NaturalNumber | None = None,
    *,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of the method that suits the inputs.

    - Without embeddings: the best scores.
    - With embeddings and fewer than two labels per class (20 labels if the classes are unknown),
      or with nothing but embeddings: TypiClust.
    - Otherwise Cluster-Margin with scores, or BADGE with only probabilities.

    A `LabelnextWarning` names the method and the reason.

    Args:
        utilities: shape (n_items,), larger is labelled sooner.
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        probabilities: shape (n_items, n_classes).
        budget: how many; all when None or larger than the pool.
        seed: of the method.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if there are neither embeddings nor scores.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True):
        ...     warnings.simplefilter("always")
        ...     auto(np.array([0.2, 0.9]), budget=1).tolist()
        [1]
    """
    n_labels = 0
    if embeddings is not None and labelled_embeddings is not None:
        n_labels = len(labelled_embeddings)
    name, why = auto_selection(
        n_labels,
        scored=utilities is not None,
        embedded=embeddings is not None,
        n_classes=None if probabilities is None else probabilities.shape[1],
    )
    warnings.warn(f"auto chose {name}: {why}.", LabelnextWarning, stacklevel=2)
    if embeddings is None or name == "top_k":
        assert utilities is not None
        return top_k(utilities, budget)
    if name == "typiclust":
        given = as_points(embeddings)[:0] if labelled_embeddings is None else labelled_embeddings
        return typiclust(embeddings, given, budget, seed=seed)
    if name == "cluster_margin":
        assert utilities is not None
        return cluster_margin(utilities, embeddings, budget, seed=seed)
    assert probabilities is not None
    return badge(probabilities, embeddings, budget, seed=seed)


def auto_selection(
    n_labels: int, *, scored: bool, embedded: bool, n_classes: int | None
) -> tuple[str, str]:
    """The method that suits the available data, and why.

    Args:
        n_labels: labelled items with an embedding.
        scored: items have scores.
        embedded: items have embeddings.
        n_classes: of the class probabilities; None without any.

    Raises:
        InvalidInput: if there are neither embeddings nor scores.

    Example:
        >>> auto_selection(30, scored=True, embedded=True, n_classes=10)
        ('cluster_margin', 'the pool has scores, embeddings and 30 labels')
    """
    if not embedded:
        if not scored:
            raise InvalidInput(
                "auto needs embeddings or an acquisition function; got neither.",
                hint="name the embeddings in source, or set acquisition.name.",
            )
        return "top_k", "the pool has scores but no embeddings"
    few = _FEW if n_classes is None else _PER_CLASS * n_classes
    labels = counted(n_labels, "label")
    if n_labels < few:
        return "typiclust", f"the pool has embeddings but only {labels}, fewer than {few}"
    if not scored and n_classes is None:
        return "typiclust", "the pool has embeddings but no scores"
    if scored:
        return "cluster_margin", f"the pool has scores, embeddings and {labels}"
    return "badge", f"the pool has probabilities, embeddings and {labels}, but no scores"
