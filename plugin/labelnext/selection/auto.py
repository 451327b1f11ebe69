"""auto: picks the selection method that suits the pool, and says why."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.selection.badge import badge
from labelnext.selection.top_k import top_k
from labelnext.selection.typiclust import typiclust
from labelnext.selection.uncertainty_herding import uncertainty_herding
from labelnext.selection.vectors import Array, Coordinates, Points, as_points
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
    labelled_classes: NDArray[np.integer] | None = None,
    predicted_classes: NDArray[np.integer] | None = None,
    *,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of the method that suits the inputs.

    - With embeddings and fewer than two labels per class (20 labels if the classes are unknown;
      from 20 on, only classes that are labelled count), or with nothing but embeddings: TypiClust.
    - Otherwise, with embeddings: uncertainty herding with scores, or BADGE with only probabilities.
      The herding goes by a second opinion too, if there are classes of labels and predictions.
    - Without embeddings: the best scores; `rank` takes weighted k-center by class probabilities
      instead, where there are three classes or more.

    A `LabelnextWarning` names the method and the reason.

    Args:
        utilities: shape (n_items,), larger is labelled sooner.
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        probabilities: shape (n_items, n_classes); how many classes there are.
        budget: how many; all when None or larger than the pool.
        labelled_classes: shape (n_labelled,), −1 for none.
        predicted_classes: shape (n_items,), −1 for none.
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
    # Long: what each of its inputs means stands in one place.
    opinion = has_opinion(labelled_classes, predicted_classes)
    n_classes = None if probabilities is None else probabilities.shape[1]
    name, why = auto_selection(
        n_labels,
        few_labels(n_classes, classes_seen(labelled_classes)),
        scored=utilities is not None,
        space=None if embeddings is None else "embeddings",
        n_classes=n_classes,
        opinion=opinion,
    )
    warnings.warn(f"auto chose {name}: {why}.", LabelnextWarning, stacklevel=2)
    if embeddings is None:
        assert utilities is not None
        return top_k(utilities, budget)
    given = as_points(embeddings)[:0] if labelled_embeddings is None else labelled_embeddings
    if name == "typiclust":
        return typiclust(embeddings, given, budget, seed=seed)
    if name == "uncertainty_herding":
        options = auto_options(name, "embeddings", opinion=opinion)
        classes = labelled_classes, predicted_classes
        return uncertainty_herding(
            embeddings, given, utilities, budget, *classes, seed=seed, **options
        )
    assert probabilities is not None
    return badge(probabilities, embeddings, budget, seed=seed)


def few_labels(n_classes: int | None, n_seen: int | None = None) -> int:
    """Below how many labels `auto` doesn't trust scores.

    Two per class; from 20 labels on, classes that nobody has labelled yet don't count.

    Args:
        n_classes: of the class probabilities; None without any.
        n_seen: how many of them are labelled; None if not known.

    Example:
        >>> few_labels(3, 1), few_labels(52, 9), few_labels(52, 15), few_labels(52)
        (6, 20, 30, 104)
    """
    if n_classes is None:
        return _FEW
    counting = n_classes if n_seen is None else max(_FEW // _PER_CLASS, n_seen)
    return _PER_CLASS * min(counting, n_classes)


def classes_seen(labels: NDArray[np.integer] | None) -> int | None:
    """How many classes are labelled, for `few_labels`; −1 is no label.

    Example:
        >>> classes_seen(np.array([3, -1, 3, 0])), classes_seen(None)
        (2, None)
    """
    return None if labels is None else len(np.unique(labels[labels >= 0]))


def has_opinion(
    labelled_classes: NDArray[np.integer] | None, predicted_classes: NDArray[np.integer] | None
) -> bool:
    """Whether labels of two classes can give a second opinion on what is predicted.

    Example:
        >>> has_opinion(np.array([0, -1, 1]), np.array([1])), has_opinion(None, np.array([1]))
        (True, False)
    """
    if labelled_classes is None or predicted_classes is None:
        return False
    known = labelled_classes[labelled_classes >= 0]
    return bool((predicted_classes >= 0).any()) and len(np.unique(known)) > 1


def auto_options(name: str, space: Coordinates | None, *, opinion: bool) -> dict[str, Any]:
    """The options of the method that `auto` chooses; those with which it was measured.

    Args:
        name: of the method.
        space: what distances between items go by.
        opinion: labels and embeddings can say where the model is wrong.

    Example:
        >>> auto_options("uncertainty_herding", "embeddings", opinion=True)
        {'doubt': 'embeddings'}
    """
    if name != "uncertainty_herding" or space != "embeddings":
        return {}
    return {"doubt": "embeddings"} if opinion else {"width": "pool"}


def auto_selection(
    n_labels: int,
    few: int,
    *,
    scored: bool,
    space: Coordinates | None,
    n_classes: int | None,
    opinion: bool = False,
    alike: bool = False,
) -> tuple[str, str]:
    """The method that suits the available data, and why.

    Args:
        n_labels: labelled items with an embedding; if there are `few` or more, any such number.
        few: see `few_labels`.
        scored: items have scores.
        space: what distances between items can go by; None for nothing.
        n_classes: of the class probabilities; None without any.
        opinion: labels and embeddings can say where the model is wrong.
        alike: the scores say what the batch should be like, so they count without labels, too.

    Raises:
        InvalidInput: if there are neither embeddings nor scores.

    Example:
        >>> auto_selection(3, 4, scored=True, space="embeddings", n_classes=2)
        ('typiclust', 'the pool has embeddings, but only 3 labelled items have one, fewer than 4')
    """
    if space is None:
        if not scored:
            raise InvalidInput(
                "auto needs embeddings or an acquisition function; got neither.",
                hint="add embeddings to the pool (in a configuration, by source.embeddings), or "
                "name an acquisition function.",
            )
        return "top_k", "the pool has scores but no embeddings"
    if space == "probabilities":
        name = "weighted" if scored and n_classes is not None else "uncertainty_herding"
        return name, "items are compared by their class probabilities"
    if alike:
        return "uncertainty_herding", "the pool has embeddings, and similar_to goes by scores"
    if n_labels < few:
        if not n_labels:
            return "typiclust", "the pool has embeddings, but no labelled item has one yet"
        some = f"{counted(n_labels, 'labelled item')} {'has' if n_labels == 1 else 'have'} one"
        return "typiclust", f"the pool has embeddings, but only {some}, fewer than {few:,}"
    if scored:
        why = f"the pool has scores, embeddings and at least {few} labels"
        more = ", whose classes give a second opinion (doubt: embeddings)" if opinion else ""
        return "uncertainty_herding", why + more
    if n_classes is None:
        return "typiclust", "the pool has embeddings but no scores"
    return "badge", "the pool has probabilities and embeddings, but no scores"
