"""One-line reasons for an item's score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition import AcquisitionFunction, Unit
from labelnext.acquisition.box_committee import class_flips
from labelnext.acquisition.function import objects_of
from labelnext.acquisition.matching import merge_boxes
from labelnext.acquisition.objects import alone, object_statistics
from labelnext.pool.checks import mean_of_members
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import Recipe
from labelnext.support.words import counted

DOUBTFUL = (0.25, 0.75)
"""An object whose confidence lies between these may or may not be there."""

_TIE = 0.1  # two classes whose probabilities are closer than this
_SURE = 0.8
_NAMED = 3  # objects or classes in a sentence


def reasons(
    pool: Pool, rows: Iterable[int], of: str | None, recipe: Recipe | None = None
) -> list[str]:
    """One line for each item's score: its two best classes, its answer, or its objects.

    Args:
        pool: the items.
        rows: positions of the items.
        of: items or objects.
        recipe: of the ranking; with it, objects that made the score come most doubtful first, and
            those below the floor are only counted.
    """
    function = None if recipe is None or of != "objects" else recipe.function
    scored = None
    if recipe is not None and function is not None and len(pool.object_sets) == 1:
        scored = objects_scored(pool, "objects", function, recipe.scoring)
    return [_reason(pool, row, of, recipe, scored) for row in rows]


def reason(pool: Pool, row: int, of: str | None, recipe: Recipe | None = None) -> str:
    """As `reasons`, for one item."""
    return reasons(pool, [row], of, recipe)[0]


def _reason(
    pool: Pool, row: int, of: str | None, recipe: Recipe | None, scored: Objects | None
) -> str:
    if pool.missing[row]:
        return "no prediction"
    if pool.answer is not None:
        return _answers_reason(pool, row)
    sets = pool.object_sets
    if (of == "objects" or pool.members is None) and sets:
        if len(sets) > 1 and all(objects.boxes is not None for objects in sets):
            return _versions_reason(sets, row)
        if recipe is not None and recipe.function is not None and scored is not None:
            scored_item = scored.take(np.array([row]))
            return _scored_reason(pool, scored_item, recipe.function, recipe.scoring)
        assert pool.shown_objects is not None
        return objects_reason(pool, pool.shown_objects, row)
    if pool.members is None:
        return ""
    vectors = pool.members[:, row]
    members = vectors[~np.isnan(vectors).any(axis=1)]
    if not len(members):
        return "incomplete prediction"
    mean = mean_of_members(members[:, None])[0]
    best = np.argsort(-mean, kind="stable")[:2].tolist()
    text = ", ".join(f"{class_name(pool, c)} {mean[c]:.2f}" for c in best)
    if len(vectors) == 1:
        return text
    votes = np.bincount(members.argmax(axis=1))
    won = np.argsort(-votes, kind="stable")[: np.count_nonzero(votes)].tolist()
    return f"{text}; votes: {', '.join(f'{class_name(pool, c)} {votes[c]}' for c in won[:5])}"


def _answers_reason(pool: Pool, row: int) -> str:
    """The confidence of an item, and that of each model version if there are several."""
    assert pool.answer is not None
    text = answer_text(pool, pool.answer, row)
    if len(pool.answers) == 1:
        return text
    each = (answer_text(pool, answers, row) for answers in pool.answers)
    return f"{text}; versions: {', '.join(each)}"


def answer_text(pool: Pool, answers: Objects, row: int) -> str:
    """The class and confidence of an item's answer, or the confidence alone without classes."""
    start, end = answers.offsets[row : row + 2].tolist()
    if start == end:
        return "none"
    predicted = -1 if answers.class_ids is None else int(answers.class_ids[start])
    if pool.estimates is not None:
        return f"{pool.estimates[row]:.4g} (confidence {answers.confidences[start]:.2f})"
    what = "" if predicted < 0 else class_name(pool, predicted)
    return _with_confidence(what or "confidence", answers.confidences[start])


def objects_reason(pool: Pool, objects: Objects, row: int, most: int = 5) -> str:
    """The objects of an item, most confident first."""
    start, end = objects.offsets[row : row + 2].tolist()
    if start == end:
        return f"no {_noun(objects)}s"
    objects_here = objects.take(np.array([row]))
    return _listed_objects(
        pool, objects_here, np.argsort(-objects_here.confidences, kind="stable"), most
    )


def _listed_objects(pool: Pool, objects: Objects, order: NDArray[np.intp], most: int = 5) -> str:
    """The number of objects, then the first ones of an order."""
    confidences, ids, noun = objects.confidences, objects.class_ids, _noun(objects)
    parts = [
        _with_confidence(noun if ids is None else class_name(pool, int(ids[i])), confidences[i])
        for i in order[:most].tolist()
    ]
    more = f" and {len(order) - most} more" if len(order) > most else ""
    return f"{counted(len(order), noun)}: {', '.join(parts)}{more}"


def _noun(objects: Objects) -> str:
    return "span" if objects.spans else "object"


def _with_confidence(what: str, confidence: float) -> str:
    """A class with its confidence, which it may lack.

    Example:
        >>> _with_confidence("car", 0.5), _with_confidence("car", float("nan"))
        ('car 0.50', 'car without a confidence')
    """
    if np.isnan(confidence):
        return "no confidence" if what == "confidence" else f"{what} without a confidence"
    return f"{what} {confidence:.2f}"


def why(pool: Pool, row: int, of: str | None, floor: float = 0.0) -> str:
    """Why an item is worth a label, as a sentence for people who have no use for scores.

    Args:
        pool: the items.
        row: position of the item.
        of: items or objects.
        floor: confidence below which objects are ignored, in [0, 1].

    Example:
        >>> pool = Pool(["a"], probabilities=[[0.51, 0.49]], classes=["cat", "dog"])
        >>> why(pool, 0, "items")
        'The model can hardly tell cat (51%) from dog (49%).'
    """
    if pool.missing[row]:
        return "The model has not seen it yet."
    if pool.answer is not None:
        return _answer_in_words(pool, pool.answer, row)
    if (of == "objects" or pool.members is None) and pool.shown_objects is not None:
        return _objects_in_words(pool, pool.shown_objects.take(np.array([row])), floor)
    if pool.members is None:
        return "It was chosen to make the batch varied."
    members = pool.members[:, row]
    members = members[~np.isnan(members).any(axis=1)]
    return _classes_in_words(pool, members) if len(members) else "Its prediction is incomplete."


def doubt(pool: Pool, row: int, of: str | None, floor: float = 0.0) -> str:
    """Why a label is worth another look, as a sentence like those of `why`.

    Args:
        pool: the items.
        row: position of the item.
        of: items or objects.
        floor: as for `why`.

    Example:
        >>> pool = Pool(
        ...     ["a"], probabilities=[[0.1, 0.9]], classes=["cat", "dog"], labels=[0]
        ... )
        >>> doubt(pool, 0, "items")
        'The label says cat. The model says dog (90%).'
    """
    if of == "objects" and pool.truth is not None:
        start, end = pool.truth.offsets[row : row + 2].tolist()
        has = counted(end - start, _noun(pool.truth))
        return f"The label has {has}. {why(pool, row, of, floor)}"
    label = -1 if pool.labels is None else int(pool.labels[row])
    said = why(pool, row, of, floor)
    if pool.estimates is not None and pool.numbers is not None:
        return f"The label says {pool.numbers[row]:.4g}. {said}"
    return said if label < 0 else f"The label says {class_name(pool, label)}. {said}"


def _classes_in_words(pool: Pool, members: NDArray[np.floating]) -> str:
    """What the probabilities of one or several versions, shape (n_versions, n_classes), say."""
    mean = mean_of_members(members[:, None])[0]
    if pool.multilabel:
        nearest = int(np.argmin(np.abs(mean - 0.5)))
        return f"The model is least sure about {_share(pool, nearest, mean[nearest])}."
    votes = np.bincount(members.argmax(axis=1))
    won = np.argsort(-votes, kind="stable")[: np.count_nonzero(votes)].tolist()
    if len(won) > 1:
        named = ", ".join(f"{votes[c]} for {class_name(pool, c)}" for c in won[:_NAMED])
        return f"The {len(members)} model versions disagree: {named}."
    best, *others = np.argsort(-mean, kind="stable")[:2].tolist()
    first = _share(pool, best, mean[best])
    if not others or mean[best] >= _SURE:
        return f"The model says {first}."
    second = _share(pool, others[0], mean[others[0]])
    if mean[best] - mean[others[0]] < _TIE:
        return f"The model can hardly tell {first} from {second}."
    return f"The model leans to {first}, but it may be {second}."


def _share(pool: Pool, position: int, probability: float) -> str:
    return f"{class_name(pool, position)} ({_percent(probability)})"


def _percent(share: float) -> str:
    """A share in whole percent; certainty isn't rounded to.

    Example:
        >>> _percent(0.994), _percent(0.995), _percent(1.0), _percent(0.004)
        ('99%', 'over 99%', '100%', 'under 1%')
    """
    text = f"{100 * share:.0f}%"
    if text == "100%" and share < 1:
        return "over 99%"
    return "under 1%" if text == "0%" and share > 0 else text


def _answer_in_words(pool: Pool, answers: Objects, row: int) -> str:
    start, end = answers.offsets[row : row + 2].tolist()
    if start == end:
        return "The model gave no answer."
    sure = float(answers.confidences[start])
    kind = -1 if answers.class_ids is None else int(answers.class_ids[start])
    said = "its answer" if kind < 0 else class_name(pool, kind)
    if pool.estimates is not None:
        said = f"{pool.estimates[row]:.4g}"
    only = "only " if 0.01 <= sure < _SURE else ""
    return f"The model is {only}{_percent(sure)} sure of {said}."


def _objects_in_words(pool: Pool, objects: Objects, floor: float) -> str:
    """What the model found in an item, and which of it is doubtful."""
    if not len(objects.confidences):
        return "The model found nothing here."
    objects = objects.where(~(objects.confidences < floor))
    confidences, n = objects.confidences, len(objects.confidences)
    if not n:
        return f"The model found nothing here of which it is at least {_percent(floor)} sure."
    doubtful = np.flatnonzero((confidences >= DOUBTFUL[0]) & (confidences <= DOUBTFUL[1]))
    nearest = doubtful[np.argsort(np.abs(confidences[doubtful] - 0.5), kind="stable")]
    ids, noun = objects.class_ids, _noun(objects)
    named = [
        f"{'one' if ids is None else class_name(pool, int(ids[i]))} ({_percent(confidences[i])})"
        for i in (nearest[:_NAMED].tolist() or [0])
        if not np.isnan(confidences[i])
    ]
    if not doubtful.size:
        if n == 1 and named and ids is not None:
            return f"The model found 1 {noun}: {named[0]}."
        return f"The model found {counted(n, noun)}; none with a confidence near one half."
    ending = " …" if len(nearest) > _NAMED else "."
    return f"{_of_all(len(nearest), n, noun)} doubtful: {', '.join(named)}{ending}"


def _of_all(n: int, n_all: int, noun: str) -> str:
    """How many of all, with the verb.

    Example:
        >>> _of_all(1, 1, "object"), _of_all(2, 2, "object"), _of_all(1, 3, "span")
        ('The only object is', 'Both objects are', '1 of 3 spans is')
    """
    if n < n_all:
        return f"{n:,} of {counted(n_all, noun)} {'is' if n == 1 else 'are'}"
    if n == 1:
        return f"The only {noun} is"
    return f"{'Both' if n == 2 else f'All {n:,}'} {noun}s are"


def _scored_reason(
    pool: Pool, objects: Objects, function: AcquisitionFunction, options: Mapping[str, Any]
) -> str:
    """The objects that made the score, most doubtful first; of those below the floor, how many."""
    counts = ~(objects.confidences < float(options.get("floor", 0.0)))
    below = int((~counts).sum())
    if not len(counts):
        return f"no {_noun(objects)}s"
    left = f"{counted(below, _noun(objects))} below the floor" if below else ""
    if below == len(counts):
        return left
    chosen = objects.where(counts)
    scores = function.function(alone(chosen), **own_options(function, options, without=True))
    if chosen.weights is not None and function.direction == "high":
        scores = scores * chosen.weights
    doubt = scores if function.direction == "high" else -scores
    text = _listed_objects(pool, chosen, np.argsort(-doubt, kind="stable"))
    return f"{text}; {left}" if left else text


def objects_scored(
    pool: Pool, unit: Unit, function: AcquisitionFunction, options: Mapping[str, Any]
) -> Objects:
    """The objects of all items, with weights if the function uses them."""
    return objects_of(pool, unit, {**function.options, **options})


def own_options(
    function: AcquisitionFunction, options: Mapping[str, Any], *, without: bool = False
) -> dict[str, Any]:
    """The options passed to the function itself; `without` drops those that reduce objects."""
    left_out = {"reduce", "k", "floor", "no_objects"} if without else set()
    passed = function.own_options.keys() - left_out
    return {n: v for n, v in options.items() if n in passed}


def _versions_reason(versions: tuple[Objects, ...], row: int) -> str:
    seen = [version for version in versions if version.missing is None or not version.missing[row]]
    clusters = merge_boxes(seen, start=row, stop=row + 1)
    flips = int(class_flips(clusters, seen).sum())
    unmatched = int((clusters.members < 0).any(axis=1).sum())
    return (
        f"{counted(len(clusters), 'box', 'boxes')} in {counted(len(seen), 'version')}: "
        f"{flips} with differing class, {unmatched} not in all versions"
    )


def class_name(pool: Pool, position: int) -> str:
    """Display name of a class, at most 40 characters; its position if the pool has no names."""
    if position < 0:
        return "unknown"
    name = str(position) if pool.classes is None else pool.classes[position]
    return name if len(name) <= 40 else f"{name[:37]}..."


def predictions_by_class(
    pool: Pool, of: str | None
) -> tuple[NDArray[np.int64], NDArray[np.intp]] | None:
    """The predicted class of each item or object, and the item it belongs to.

    Args:
        pool: the items.
        of: items or objects.

    Returns:
        Class positions, −1 for none, and item positions, of the same shape, in item order; None
        without predicted classes. With several versions, each item's objects come from the newest
        version that predicted it.
    """
    if pool.answers or (pool.probabilities is not None and of != "objects"):
        classes = pool.top_classes
        return None if classes is None else (classes, np.arange(len(pool)))
    objects = pool.shown_objects
    if objects is None or objects.class_ids is None:
        return None
    return objects.class_ids, objects.item_positions


def counted_objects(pool: Pool, floor: float) -> NDArray[np.int64] | None:
    """Number of objects per item at or above the floor, shape (n_items,); None without objects.

    With several model versions, the newest that predicted the item counts.
    """
    objects = pool.shown_objects
    return None if objects is None else object_statistics(objects, floor=floor).count
